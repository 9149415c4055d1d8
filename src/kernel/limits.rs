//! The chunk that is judged, its limits, and when it is an alert.

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

/// Why limits are as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitStatus {
    /// Nothing to add.
    Ok,
    /// Fewer than three reference chunks: how much healthy chunks differ is presumed, not seen.
    FewReferenceChunks,
    /// No reference chunk has a value: no limits.
    NoReference,
}

impl LimitStatus {
    /// The text of column `status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::FewReferenceChunks => "few_reference_chunks",
            Self::NoReference => "no_reference",
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
    /// Why.
    pub status: LimitStatus,
}

impl Limits {
    /// Whether a value is an alert: strictly below the lower or strictly above the upper limit.
    ///
    /// NULL: `None` where the value is `None`, where neither limit exists, and where `judged`
    /// is false (reference rows and incomplete chunks).
    ///
    /// ```
    /// use modelwatch::kernel::limits::{LimitStatus, Limits};
    /// let limits = Limits { lower: Some(0.7), upper: None, status: LimitStatus::Ok };
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
            status: LimitStatus::Ok,
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
            status: LimitStatus::NoReference,
        };
        assert_eq!(none.alert(Some(0.19), true), None);
    }
}
