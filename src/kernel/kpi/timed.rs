//! Numbers with a time, as rows of a relation give them.
use std::cmp::Ordering;

use super::super::codec::{Reader, Writer};
use super::super::error::KernelError;

const MAGIC: [u8; 4] = *b"MWTS";
const LAYOUT: u8 = 1;

/// A row: of performance, or of a KPI, which has controls in place of what a monitoring function says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimedPoint {
    /// When the chunk began, in microseconds since 1970; `None` where that is not known.
    pub time: Option<i64>,
    /// The number; `None` where it does not exist or must not be used.
    pub value: Option<f64>,
    /// Whether the chunk is of the reference.
    pub is_reference: bool,
    /// Its name.
    pub chunk: Option<String>,
    /// Standard error of the value; `None` where it is not known.
    pub sampling_error: Option<f64>,
    /// Whether the value is an alert; `None` where it was not judged.
    pub alert: Option<bool>,
    /// What else moves the value.
    pub controls: Vec<Option<f64>>,
}

impl TimedPoint {
    /// An order in which only equal points are equal.
    fn order(&self, other: &Self) -> Ordering {
        let bits = |x: Option<f64>| x.map(f64::to_bits);
        let key = |of: &Self| (of.time, of.is_reference, bits(of.value));
        let rest = |of: &Self| (bits(of.sampling_error), of.alert);
        let controls =
            |of: &Self| -> Vec<Option<u64>> { of.controls.iter().map(|x| bits(*x)).collect() };
        key(self)
            .cmp(&key(other))
            .then_with(|| rest(self).cmp(&rest(other)))
            .then_with(|| self.chunk.cmp(&other.chunk))
            .then_with(|| controls(self).cmp(&controls(other)))
    }
}

/// Points in the order of time.
///
/// ```
/// use modelwatch::kernel::kpi::{TimedPoint, TimedSeries};
/// let point = |time, value| TimedPoint { time: Some(time), value: Some(value), ..TimedPoint::default() };
/// let series = TimedSeries::new(vec![point(2, 0.5), point(1, 0.25)]);
/// assert_eq!(series.points()[0].value, Some(0.25));
/// assert_eq!(TimedSeries::from_bytes(&series.to_bytes())?, series);
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimedSeries {
    points: Vec<TimedPoint>,
}

impl TimedSeries {
    /// Sorts points; they are the same series in whichever order they come.
    pub fn new(mut points: Vec<TimedPoint>) -> Self {
        points.sort_by(TimedPoint::order);
        Self { points }
    }

    /// All points, those without a time first.
    pub fn points(&self) -> &[TimedPoint] {
        &self.points
    }

    /// The points, in order.
    pub fn into_points(self) -> Vec<TimedPoint> {
        self.points
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(self.points.len() as u64);
        for point in &self.points {
            let flags = [
                point.time.is_some(),
                point.value.is_some(),
                point.is_reference,
                point.chunk.is_some(),
                point.sampling_error.is_some(),
                point.alert.is_some(),
                point.alert == Some(true),
            ];
            w.uint(bits_of(flags));
            if let Some(time) = point.time {
                w.int(time);
            }
            let numbers = [point.value, point.sampling_error].into_iter().flatten();
            numbers.for_each(|number| w.float(number));
            if let Some(chunk) = &point.chunk {
                w.bytes(chunk.as_bytes());
            }
            w.uint(point.controls.len() as u64);
            for control in &point.controls {
                w.uint(u64::from(control.is_some()));
                w.float(control.unwrap_or(0.0));
            }
        }
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`KernelError::Unreadable`] on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "timed series")?;
        let count = r.length(2)?;
        let points: Result<Vec<TimedPoint>, KernelError> =
            (0..count).map(|_| read(&mut r)).collect();
        let series = Self::new(points?);
        r.finish()?;
        Ok(series)
    }
}

fn bits_of(flags: [bool; 7]) -> u64 {
    let flags = flags.into_iter().enumerate();
    flags.map(|(bit, set)| u64::from(set) << bit).sum()
}

fn read(r: &mut Reader<'_>) -> Result<TimedPoint, KernelError> {
    let flags = r.uint()?;
    let has = |bit: u32| flags >> bit & 1 == 1;
    let time = if has(0) { Some(r.int()?) } else { None };
    let value = if has(1) { Some(r.float()?) } else { None };
    let sampling_error = if has(4) { Some(r.float()?) } else { None };
    let chunk = match has(3) {
        true => Some(String::from_utf8_lossy(r.bytes()?).into_owned()),
        false => None,
    };
    let count = r.length(9)?;
    let mut controls = Vec::with_capacity(count);
    for _ in 0..count {
        let known = r.uint()? == 1;
        let number = r.float()?;
        controls.push(known.then_some(number));
    }
    Ok(TimedPoint {
        time,
        value,
        is_reference: has(2),
        chunk,
        sampling_error,
        alert: has(5).then_some(has(6)),
        controls,
    })
}
