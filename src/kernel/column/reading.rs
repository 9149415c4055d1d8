//! A metric of one column on one chunk, with its limits.
use super::super::drift::DriftProfile;
use super::super::limits::{ChunkPoint, Limits};
use super::super::reading::{Status, bound_counts};

/// A column on one chunk: its profile, or why there is none.
pub type ColumnChunk<'a> = Result<DriftProfile<'a>, Status>;

/// A metric of one column on one chunk, in the metric's own unit.
///
/// Numbers are finite; what does not exist is `None`, and `status` says why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnReading {
    /// The metric.
    pub value: Option<f64>,
    /// Certified bound on the distance to the value computed from all rows; 0 where the profiles are exact.
    pub approx_error: Option<f64>,
    /// Standard error of `value` as an estimate of the population that the chunk's rows were drawn from.
    pub sampling_error: Option<f64>,
    /// Lower end of the confidence interval of the population's value.
    pub lower_bound: Option<f64>,
    /// Upper end of the interval.
    pub upper_bound: Option<f64>,
    /// Probability of such a value or a more extreme one if nothing has changed, where the metric has one.
    pub p_value: Option<f64>,
    /// Rows that entered the value.
    pub used_count: u64,
    /// The limits, and the reserve under which they stand.
    pub limits: Limits,
    /// Whether the value exists, and under which reserve.
    pub status: Status,
}

/// Readings of all chunks, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnReadings {
    /// Of the reference chunks.
    pub reference: Vec<ColumnReading>,
    /// Of the analysis chunks.
    pub analysis: Vec<ColumnReading>,
}

impl ColumnReading {
    /// A reading without value and limits.
    ///
    /// ```
    /// use modelwatch::kernel::column::ColumnReading;
    /// use modelwatch::kernel::reading::Status;
    /// let reading = ColumnReading::undefined(Status::AbsentColumn, 0);
    /// assert_eq!((reading.value, reading.limits.upper), (None, None));
    /// ```
    pub fn undefined(status: Status, used_count: u64) -> Self {
        Self {
            value: None,
            approx_error: None,
            sampling_error: None,
            lower_bound: None,
            upper_bound: None,
            p_value: None,
            used_count,
            limits: Limits {
                lower: None,
                upper: None,
                status: Status::Ok,
            },
            status,
        }
    }

    /// A value that is known exactly and without an error.
    pub fn exact(value: f64, used_count: u64) -> Self {
        Self {
            value: Some(value),
            approx_error: Some(0.0),
            ..Self::undefined(Status::Ok, used_count)
        }
    }

    /// The same with limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same, with the status that the bins limit the value more than the rows do, where they do.
    #[must_use]
    pub(super) fn told_coarse(self) -> Self {
        let coarse = match (self.value, self.approx_error, self.sampling_error) {
            (Some(value), Some(bound), Some(error)) => bound_counts(value, bound, error),
            _ => false,
        };
        match self.status {
            Status::Ok if coarse => Self {
                status: Status::Coarse,
                ..self
            },
            _ => self,
        }
    }

    /// As limits read it.
    pub(super) fn point(&self) -> ChunkPoint {
        ChunkPoint {
            value: self.value,
            sampling_error: self.sampling_error,
            used_count: self.used_count,
        }
    }
}
