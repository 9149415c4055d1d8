//! Reconstruction errors of the rows of a chunk: their number and exact moments.
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::exact_sum::ExactMoments;
use crate::kernel::interval::normal_quantile;
use crate::kernel::reading::{Reading, Status};

const MAGIC: [u8; 4] = *b"MWRE";
const WHAT: &str = "reconstruction profile";

/// What a chunk keeps of its rows' errors; merges in any order to identical bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ErrorProfile {
    errors: ExactMoments,
    /// Rows with an infinite value, or so far away that their error is.
    left_out: u64,
    /// Rows without a fitted reference, and the gravest status of the fits.
    without_fit: u64,
    status: Status,
}

impl ErrorProfile {
    /// Adds a row under a fit with this status: its error, `None` where it has none.
    pub fn observe(&mut self, status: Status, error: Option<f64>) {
        self.status = self.status.worst(status);
        match error {
            Some(error) => self.errors.observe(error),
            None if status >= Status::SingleClass => self.without_fit += 1,
            None => self.left_out += 1,
        }
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        self.errors.merge(&other.errors);
        self.left_out += other.left_out;
        self.without_fit += other.without_fit;
        self.status = self.status.worst(other.status);
    }

    /// Mean error, its standard error (sample standard deviation over the root of the rows) and an interval of the
    /// mean of the population, normal and cut at 0.
    ///
    /// NULL: no row with an error; one row has no standard error.
    pub fn reading(&self, confidence_level: f64) -> Reading {
        let used_count = self.errors.count;
        if self.without_fit > 0 {
            return Reading::undefined(self.status, used_count, 0);
        }
        let Some((value, squares)) = self.errors.centered(0, 0.0) else {
            return Reading::undefined(Status::InsufficientData, used_count, 0);
        };
        let n = used_count as f64;
        let error = (used_count > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        let half = error.map(|error| error * normal_quantile(confidence_level));
        let invalid = match self.left_out {
            0 => Status::Ok,
            _ => Status::InvalidValue,
        };
        Reading {
            value: Some(value),
            approx_error: Some(0.0),
            sampling_error: error,
            row_sampling_error: error,
            lower_bound: half.map(|half| (value - half).max(0.0)),
            upper_bound: half.map(|half| value + half),
            expectation: None,
            used_count,
            labelled_count: 0,
            status: self.status.worst(invalid),
        }
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.errors.heap_size()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        self.errors.write(&mut w);
        w.uint(self.left_out);
        w.uint(self.without_fit);
        w.bytes(self.status.name().as_bytes());
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let found = Self {
            errors: ExactMoments::read(&mut r)?,
            left_out: r.uint()?,
            without_fit: r.uint()?,
            status: Status::named(r.bytes()?)?,
        };
        r.finish()?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(errors: &[f64]) -> ErrorProfile {
        let mut found = ErrorProfile::default();
        errors
            .iter()
            .for_each(|e| found.observe(Status::Ok, Some(*e)));
        found
    }

    #[test]
    fn mean_and_standard_error_by_hand() {
        let reading = profile(&[1.0, 2.0, 3.0, 4.0]).reading(0.95);
        // variance 5/3, over 4 rows
        assert_eq!(reading.value, Some(2.5));
        assert_eq!(reading.sampling_error, Some((5f64 / 3.0 / 4.0).sqrt()));
        let half = 1.959963984540054 * (5f64 / 12.0).sqrt();
        assert!((reading.lower_bound.unwrap() - (2.5 - half)).abs() < 1e-14);
        assert_eq!((reading.used_count, reading.status), (4, Status::Ok));
    }

    #[test]
    fn one_row_has_a_value_without_error_and_none_has_neither() {
        let one = profile(&[2.0]).reading(0.95);
        assert_eq!(
            (one.value, one.sampling_error, one.lower_bound),
            (Some(2.0), None, None)
        );
        let none = profile(&[]).reading(0.95);
        assert_eq!((none.value, none.status), (None, Status::InsufficientData));
    }

    #[test]
    fn rows_without_an_error_are_told() {
        let mut found = profile(&[1.0, 2.0]);
        found.observe(Status::Ok, None);
        let reading = found.reading(0.95);
        assert_eq!(
            (reading.value, reading.status),
            (Some(1.5), Status::InvalidValue)
        );
        let mut unfit = ErrorProfile::default();
        unfit.observe(Status::NoReference, None);
        assert_eq!(unfit.reading(0.95).status, Status::NoReference);
        let bytes = found.to_bytes();
        assert_eq!(ErrorProfile::from_bytes(&bytes).unwrap(), found);
    }
}
