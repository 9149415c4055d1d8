//! The values of one column or metric over its chunks: what columns are ranked by.
use super::codec::{Reader, Writer};
use super::error::KernelError;

const MAGIC: [u8; 4] = *b"MWCS";

/// One row of a monitoring function.
///
/// The order of the fields is the order in which points are kept, so that sums do not depend on arrival.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesPoint {
    /// Whether the chunk is of the reference.
    pub is_reference: bool,
    /// Name of the chunk; `None` is the chunk of the rows without a key.
    pub chunk: Option<String>,
    /// Bits of the value.
    bits: Option<u64>,
    /// `None` where nothing was judged.
    pub alert: Option<bool>,
}

impl SeriesPoint {
    /// A point; a value that is not finite does not exist.
    pub fn new(
        is_reference: bool,
        chunk: Option<String>,
        value: Option<f64>,
        alert: Option<bool>,
    ) -> Self {
        let bits = value.filter(|x| x.is_finite()).map(f64::to_bits);
        Self {
            is_reference,
            chunk,
            bits,
            alert,
        }
    }

    /// The value, always finite.
    pub fn value(&self) -> Option<f64> {
        self.bits.map(f64::from_bits)
    }
}

/// The points of one column or metric, sorted: of the analysis first, then by name of the chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChunkSeries(Vec<SeriesPoint>);

impl ChunkSeries {
    /// Sorts points into a series. They are the same series in whichever order they come.
    pub fn new(mut points: Vec<SeriesPoint>) -> Self {
        points.sort();
        Self(points)
    }

    /// All points, sorted.
    pub fn points(&self) -> &[SeriesPoint] {
        &self.0
    }

    /// The points of the reference, or those of the analysis.
    pub fn of(&self, reference: bool) -> impl Iterator<Item = &SeriesPoint> {
        self.0
            .iter()
            .filter(move |point| point.is_reference == reference)
    }

    /// The first point whose chunk has another point before it: a series has one of each.
    pub fn repeated(&self) -> Option<(&SeriesPoint, &SeriesPoint)> {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        let same = |(a, b): &(&SeriesPoint, &SeriesPoint)| {
            a.is_reference == b.is_reference && a.chunk == b.chunk
        };
        pairs.into_iter().find(same)
    }

    /// The point of a chunk of the analysis.
    pub fn find(&self, chunk: Option<&str>) -> Option<&SeriesPoint> {
        let key = (false, chunk);
        let found = self
            .0
            .binary_search_by(|point| (point.is_reference, point.chunk.as_deref()).cmp(&key));
        found.ok().and_then(|position| self.0.get(position))
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.uint(self.0.len() as u64);
        for point in &self.0 {
            let alert = match point.alert {
                None => 0,
                Some(false) => 1,
                Some(true) => 2,
            };
            let known = |known: bool, place: u64| u64::from(known) << place;
            w.uint(
                alert
                    | known(point.is_reference, 2)
                    | known(point.chunk.is_some(), 3)
                    | known(point.bits.is_some(), 4),
            );
            w.bytes(point.chunk.as_deref().unwrap_or_default().as_bytes());
            w.float(point.value().unwrap_or(0.0));
        }
        w.finish()
    }

    /// Reads what [`ChunkSeries::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`KernelError::Unreadable`] on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        const WHAT: &str = "series of chunks";
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let unreadable = |why: &str| KernelError::Unreadable(format!("{why} in a {WHAT}"));
        let length = r.length(10)?;
        let mut points = Vec::with_capacity(length);
        for _ in 0..length {
            let marks = r.uint()?;
            let chunk = std::str::from_utf8(r.bytes()?)
                .map_err(|_| unreadable("a name that is not a text"))?
                .to_owned();
            let value = r.float()?;
            let is = |place: u32| marks >> place & 1 == 1;
            let alert = match marks & 3 {
                0 => None,
                mark => Some(mark == 2),
            };
            let (chunk, value) = (is(3).then_some(chunk), is(4).then_some(value));
            points.push(SeriesPoint::new(is(2), chunk, value, alert));
        }
        r.finish()?;
        Ok(Self::new(points))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(is_reference: bool, chunk: &str, value: Option<f64>) -> SeriesPoint {
        SeriesPoint::new(is_reference, Some(chunk.into()), value, Some(false))
    }

    #[test]
    fn a_series_comes_back_from_its_bytes_in_any_order() {
        let points = vec![
            SeriesPoint::new(false, None, Some(-0.5), Some(true)),
            point(true, "b", Some(0.1)),
            point(false, "b", None),
            point(false, "a", Some(f64::NAN)),
        ];
        let series = ChunkSeries::new(points.clone());
        let reversed = ChunkSeries::new(points.into_iter().rev().collect());
        assert_eq!(series, reversed);
        assert_eq!(series.to_bytes(), reversed.to_bytes());
        assert_eq!(ChunkSeries::from_bytes(&series.to_bytes()), Ok(series));
    }

    #[test]
    fn a_point_is_found_by_its_chunk() {
        let points = vec![
            point(true, "a", Some(1.0)),
            point(false, "a", Some(2.0)),
            SeriesPoint::new(false, None, Some(3.0), None),
        ];
        let series = ChunkSeries::new(points);
        let value = |chunk| series.find(chunk).and_then(SeriesPoint::value);
        assert_eq!(value(Some("a")), Some(2.0));
        assert_eq!(value(None), Some(3.0));
        assert_eq!(value(Some("b")), None);
    }

    #[test]
    fn a_chunk_that_comes_twice_is_told() {
        let once = vec![point(true, "a", Some(1.0)), point(false, "a", Some(1.0))];
        assert_eq!(ChunkSeries::new(once.clone()).repeated(), None);
        let twice = [once, vec![point(false, "a", None)]].concat();
        let series = ChunkSeries::new(twice);
        let repeated = series.repeated().map(|(a, b)| (a.value(), b.value()));
        assert_eq!(repeated, Some((None, Some(1.0))));
    }
}
