//! Chunks of one metric in the order of time; a chunk that cannot be used is a gap.
use std::cmp::Ordering;

use super::super::codec::{Reader, Writer};
use super::super::error::KernelError;
use super::super::spacing::{places, summed};

const MAGIC: [u8; 4] = *b"MWSE";
const LAYOUT: u8 = 1;

/// A chunk of one metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesPoint {
    /// When it began, in microseconds since 1970; `None` where that is not known.
    pub time: Option<i64>,
    /// Its number.
    pub index: Option<i64>,
    /// Whether it is of the reference, which comes before the analysis where times are not known.
    pub is_reference: bool,
    /// Its name.
    pub chunk: Option<String>,
    /// The metric; `None` where it does not exist.
    pub value: Option<f64>,
    /// Standard error of the value; `None` where it is not known.
    pub sampling_error: Option<f64>,
    /// Whether the value may be used.
    pub is_usable: bool,
}

impl SeriesPoint {
    /// An order in which only equal points are equal.
    fn order(&self, other: &Self) -> Ordering {
        let number = |x: Option<f64>| x.map(f64::to_bits);
        let key = |of: &Self| {
            let numbers = (number(of.value), number(of.sampling_error));
            (of.time, of.index, of.is_reference, of.is_usable, numbers)
        };
        key(self)
            .cmp(&key(other))
            .then_with(|| self.chunk.cmp(&other.chunk))
    }
}

/// A chunk with a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Its place in the series in chunks from the first; places that no observation has are gaps.
    pub position: u32,
    /// Which point of the series it is.
    pub point: usize,
    /// The value.
    pub value: f64,
    /// Standard error of the value; 1 in every chunk where the series has no errors.
    pub error: f64,
}

/// The points of one series.
///
/// ```
/// use modelwatch::kernel::diagnosis::{Series, SeriesPoint};
/// let point = |day: i64, value| SeriesPoint {
///     time: Some(day * 86_400_000_000),
///     value: Some(value),
///     is_usable: true,
///     ..SeriesPoint::default()
/// };
/// let series = Series::new(vec![point(9, 0.8), point(7, 0.9), point(6, 0.9)])?;
/// let positions: Vec<u32> = series.observations().iter().map(|seen| seen.position).collect();
/// assert_eq!(positions, [0, 1, 3]);
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Series {
    points: Vec<SeriesPoint>,
    positions: Vec<u32>,
    has_errors: bool,
}

impl Series {
    /// Puts points in the order of time: where every point has one, of their times; else of the reference before the analysis
    /// and of their numbers. Places without a point are gaps: times are as far apart as they usually are. A chunk that is partly
    /// of the reference and partly of the analysis is two points of one place.
    ///
    /// Errors: two points of one time or number in the same relation, which are not one series; points that neither puts in order;
    /// a sampling error below 0.
    pub fn new(mut points: Vec<SeriesPoint>) -> Result<Self, KernelError> {
        check_errors(&points)?;
        let timed = points.iter().all(|point| point.time.is_some());
        let key = |point: &SeriesPoint| match timed {
            true => (point.time, !point.is_reference, None),
            false => (None, !point.is_reference, point.index),
        };
        points.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.order(b)));
        let twice = points.windows(2).find(|pair| match pair {
            [a, b] => key(a) == key(b),
            _ => false,
        });
        if let Some([one, _]) = twice {
            check_order(one, &points)?;
            return Err(KernelError::Undefined(format!(
                "there are two rows of chunk {}. Expected one row a chunk in each series. Hint: by => [...] names the columns \
                 that tell series apart; name => '...' tells monitors apart",
                one.chunk.as_deref().unwrap_or("NULL")
            )));
        }
        let positions = match timed {
            true => by_time(&points),
            false => by_number(&points),
        };
        let usable = || points.iter().filter(|point| is_used(point));
        let has_errors = usable().any(|point| point.sampling_error.is_some_and(|e| e > 0.0));
        Ok(Self {
            points,
            positions,
            has_errors,
        })
    }

    /// The points, in order.
    pub fn points(&self) -> &[SeriesPoint] {
        &self.points
    }

    /// Whether errors of the values are known.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Points that can be used: with a finite value and, where the series has errors, one above 0.
    pub fn observations(&self) -> Vec<Observation> {
        let points = self.points.iter().enumerate().zip(&self.positions);
        let used = points.filter_map(|((point, of), position)| {
            let value = of.value.filter(|_| is_used(of))?;
            let error = match self.has_errors {
                true => of.sampling_error.filter(|e| *e > 0.0 && e.is_finite())?,
                false => 1.0,
            };
            Some(Observation {
                position: *position,
                point,
                value,
                error,
            })
        });
        used.collect()
    }

    /// Points as bytes: the same in whatever order they are given.
    pub fn to_bytes_of(points: &[SeriesPoint]) -> Vec<u8> {
        let mut points: Vec<&SeriesPoint> = points.iter().collect();
        points.sort_by(|a, b| a.order(b));
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(points.len() as u64);
        for point in points {
            let flags = [
                point.time.is_some(),
                point.index.is_some(),
                point.is_reference,
                point.chunk.is_some(),
                point.value.is_some(),
                point.sampling_error.is_some(),
                point.is_usable,
            ];
            let flags = flags.into_iter().enumerate();
            w.uint(flags.map(|(bit, set)| u64::from(set) << bit).sum());
            let whole = [point.time, point.index].into_iter().flatten();
            whole.for_each(|number| w.uint(number.cast_unsigned()));
            let numbers = [point.value, point.sampling_error].into_iter().flatten();
            numbers.for_each(|number| w.float(number));
            if let Some(chunk) = &point.chunk {
                w.bytes(chunk.as_bytes());
            }
        }
        w.finish()
    }

    /// Reads the points of [`Self::to_bytes_of`].
    ///
    /// Errors: any other bytes.
    pub fn points_from_bytes(bytes: &[u8]) -> Result<Vec<SeriesPoint>, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "series")?;
        let count = r.length(1)?;
        let mut points = Vec::with_capacity(count);
        for _ in 0..count {
            let flags = r.uint()?;
            let has = |bit: u32| flags >> bit & 1 == 1;
            let mut whole = |bit| match has(bit) {
                true => r.uint().map(|number| Some(number.cast_signed())),
                false => Ok(None),
            };
            let (time, index) = (whole(0)?, whole(1)?);
            let mut number = |bit| match has(bit) {
                true => r.float().map(Some),
                false => Ok(None),
            };
            let (value, sampling_error) = (number(4)?, number(5)?);
            let chunk = match has(3) {
                true => Some(String::from_utf8_lossy(r.bytes()?).into_owned()),
                false => None,
            };
            points.push(SeriesPoint {
                time,
                index,
                is_reference: has(2),
                chunk,
                value,
                sampling_error,
                is_usable: has(6),
            });
        }
        r.finish()?;
        Ok(points)
    }
}

/// Refuses errors that no value has.
fn check_errors(points: &[SeriesPoint]) -> Result<(), KernelError> {
    let of = |point: &SeriesPoint| Some((point.sampling_error?, point.chunk.clone()));
    let mut errors = points.iter().filter_map(of);
    match errors.find(|(error, _)| *error < 0.0) {
        None => Ok(()),
        Some((error, chunk)) => Err(KernelError::Undefined(format!(
            "the sampling error of chunk {} is {error}. Expected 0 or more, or NULL where it is not known",
            chunk.as_deref().unwrap_or("NULL")
        ))),
    }
}

/// Of a point that has the place of another: refuses rows that nothing puts in order.
fn check_order(point: &SeriesPoint, points: &[SeriesPoint]) -> Result<(), KernelError> {
    let untimed = points.iter().filter(|point| point.time.is_none()).count();
    if untimed == 0 || point.index.is_some() {
        return Ok(());
    }
    let all = points.len();
    Err(KernelError::Undefined(match untimed == all {
        true => format!(
            "nothing puts the {all} rows of a series in order. Expected when each chunk began, or its number. \
             Hint: timestamp => <column>, or a column chunk_start or chunk_index"
        ),
        false => format!(
            "the time of {untimed} of the {all} rows of a series is NULL. Expected a time in each. \
             Hint: leave them out, WHERE <time> IS NOT NULL"
        ),
    }))
}

fn is_used(point: &SeriesPoint) -> bool {
    point.is_usable && point.value.is_some_and(f64::is_finite)
}

fn by_time(points: &[SeriesPoint]) -> Vec<u32> {
    let times: Vec<i64> = points.iter().filter_map(|point| point.time).collect();
    places(&times)
}

/// Differences of numbers; the analysis follows the reference without a gap.
fn by_number(points: &[SeriesPoint]) -> Vec<u32> {
    let steps = points.windows(2).map(|pair| match pair {
        [a, b] if a.is_reference == b.is_reference => {
            let numbers = a.index.zip(b.index);
            let apart = numbers.map_or(1, |(a, b)| b.saturating_sub(a).max(1));
            u32::try_from(apart).unwrap_or(u32::MAX)
        }
        _ => 1,
    });
    summed(steps)
}
