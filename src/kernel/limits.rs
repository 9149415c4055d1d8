//! The chunk that is judged, its limits, and when it is an alert.
use super::reading::{Reading, Status};

/// One value of a metric on one chunk, as the rows of the result show it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChunkPoint {
    /// The value judged; `None` where it does not exist.
    pub value: Option<f64>,
    /// Its row-sampling standard error (without the part that all chunks share).
    pub sampling_error: Option<f64>,
    /// Rows that it was computed from.
    pub used_count: u64,
}

impl From<&Reading> for ChunkPoint {
    fn from(reading: &Reading) -> Self {
        Self {
            value: reading.value,
            sampling_error: reading.row_sampling_error,
            used_count: reading.used_count,
        }
    }
}

/// Limits of one chunk, in the unit of its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// `None` where there is no lower limit.
    pub lower: Option<f64>,
    /// `None` where there is no upper limit.
    pub upper: Option<f64>,
    /// `Ok`; `FewReferenceChunks` below three, when how much healthy chunks differ is presumed and
    /// not seen; `ReferenceUndefined` where no reference chunk has a value and `NoReference` where there is
    /// none, and so no limits.
    pub status: Status,
}

impl Limits {
    /// Whether a value is an alert: strictly below the lower or strictly above the upper limit.
    ///
    /// NULL: `None` where the value is `None`, where neither limit exists, and where `judged`
    /// is false (reference rows and incomplete chunks).
    ///
    /// ```
    /// use modelwatch::kernel::{limits::Limits, reading::Status};
    /// let limits = Limits { lower: Some(0.7), upper: None, status: Status::Ok };
    /// assert_eq!(limits.alert(Some(0.7), true), Some(false));
    /// assert_eq!(limits.alert(Some(0.69), true), Some(true));
    /// assert_eq!(limits.alert(Some(0.69), false), None);
    /// ```
    pub fn alert(&self, value: Option<f64>, judged: bool) -> Option<bool> {
        let value = value.filter(|x| judged && x.is_finite())?;
        if self.lower.is_none() && self.upper.is_none() {
            return None;
        }
        Some(self.lower.is_some_and(|x| value < x) || self.upper.is_some_and(|x| value > x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_strictly_outside_alerts() {
        let limits = Limits {
            lower: Some(0.2),
            upper: Some(0.8),
            status: Status::Ok,
        };
        assert_eq!(limits.alert(Some(0.2), true), Some(false));
        assert_eq!(limits.alert(Some(0.8), true), Some(false));
        assert_eq!(limits.alert(Some(0.19), true), Some(true));
        assert_eq!(limits.alert(Some(0.81), true), Some(true));
        assert_eq!(limits.alert(None, true), None);
        assert_eq!(limits.alert(Some(f64::NAN), true), None);
        assert_eq!(limits.alert(Some(0.19), false), None);
        let none = Limits {
            lower: None,
            upper: None,
            status: Status::NoReference,
        };
        assert_eq!(none.alert(Some(0.19), true), None);
    }
}
