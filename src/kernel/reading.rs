//! What a statistic answers: a number, its errors, and whether to trust it.
use std::fmt;

use super::KernelError;

/// Whether a number exists and under which reserve; the worst that applies is reported.
///
/// Declared from harmless to grave, so the order of the variants is the priority: up to
/// [`Status::UninformativeScore`] the value exists, from [`Status::SingleClass`] on it does not, unless it says of a column
/// whether it has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// No reserve.
    #[default]
    Ok,
    /// Limits rest on fewer than three reference chunks.
    FewReferenceChunks,
    /// The reference has fewer than 1,000 labelled rows, or fewer than 50 of a class; of multivariate drift, fewer than
    /// 100 rows for each column.
    SmallReference,
    /// Fewer than 20 rows of a class, or under a share, known or expected, or on which two models differ. Bounds of a
    /// realized share or ROC AUC are then exact instead of normal; all other bounds may cover less than they say.
    FewPositives,
    /// Fewer than 20 rows of a regression, or one row whose error is far beyond all others: bounds may cover less than they say.
    FewRows,
    /// Fewer than 20 clusters tell the error; fewer than three tell none.
    FewClusters,
    /// The bins of the profile, not the rows, limit the value: `approx_error` exceeds `sampling_error`, of the value or
    /// of the realized value. More bins help.
    Coarse,
    /// More than 1 % of the scores lie where the reference has fewer than 50 rows.
    Extrapolated,
    /// Rows with a NaN or infinite score were left out.
    InvalidScore,
    /// Rows with an infinite value were left out.
    InvalidValue,
    /// In the reference higher scores do not go with more positives, so that an estimate is that of chance whatever the model
    /// does: the score says nothing, or stands for another class.
    UninformativeScore,
    /// All rows (or all predictions) are of one class, for which the metric is not defined, or its value is
    /// beyond all numbers.
    SingleClass,
    /// All labels are equal, so that there is no variance to be explained.
    ConstantLabel,
    /// A label or prediction is negative, and the metric takes logarithms.
    NegativeValue,
    /// A number is infinite, and so would the metric be; or the metric is beyond all numbers.
    InfiniteValue,
    /// No row has what the metric needs.
    InsufficientData,
    /// Scores outside `[0, 1]`, and the metric reads them as probabilities.
    NotAProbability,
    /// No row has a prediction.
    NoPrediction,
    /// No row has a label.
    NoLabels,
    /// No chunk of the reference has a value of this metric, so there are no limits.
    ReferenceUndefined,
    /// The reference has no rows for this group.
    NoReference,
    /// No row of the reference has both a score and a label.
    ReferenceUnlabelled,
    /// All labels of the reference are of one class.
    ReferenceSingleClass,
    /// The relation does not have the column.
    AbsentColumn,
    /// The reference does not have the column.
    NewColumn,
    /// The column has numbers in one relation and categories in the other.
    ChangedType,
    /// The column has a type that cannot be profiled.
    UnsupportedType,
    /// Every component of the reference is kept, so nothing is left to be reconstructed.
    AllComponents,
    /// No column varies in the reference.
    ConstantColumns,
    /// A column has no value in the reference.
    EmptyColumn,
}

impl Status {
    /// Every status, harmless first.
    pub const ALL: [Self; 30] = [
        Self::Ok,
        Self::FewReferenceChunks,
        Self::SmallReference,
        Self::FewPositives,
        Self::FewRows,
        Self::FewClusters,
        Self::Coarse,
        Self::Extrapolated,
        Self::InvalidScore,
        Self::InvalidValue,
        Self::UninformativeScore,
        Self::SingleClass,
        Self::ConstantLabel,
        Self::NegativeValue,
        Self::InfiniteValue,
        Self::InsufficientData,
        Self::NotAProbability,
        Self::NoPrediction,
        Self::NoLabels,
        Self::ReferenceUndefined,
        Self::NoReference,
        Self::ReferenceUnlabelled,
        Self::ReferenceSingleClass,
        Self::AbsentColumn,
        Self::NewColumn,
        Self::ChangedType,
        Self::UnsupportedType,
        Self::AllComponents,
        Self::ConstantColumns,
        Self::EmptyColumn,
    ];

    /// Text in the `status` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::FewReferenceChunks => "few_reference_chunks",
            Self::SmallReference => "small_reference",
            Self::FewPositives => "few_positives",
            Self::FewRows => "few_rows",
            Self::FewClusters => "few_clusters",
            Self::Coarse => "coarse",
            Self::Extrapolated => "extrapolated",
            Self::InvalidScore => "invalid_score",
            Self::InvalidValue => "invalid_value",
            Self::UninformativeScore => "uninformative_score",
            Self::SingleClass => "single_class",
            Self::ConstantLabel => "constant_label",
            Self::NegativeValue => "negative_value",
            Self::InfiniteValue => "infinite_value",
            Self::InsufficientData => "insufficient_data",
            Self::NotAProbability => "not_a_probability",
            Self::NoPrediction => "no_prediction",
            Self::NoLabels => "no_labels",
            Self::ReferenceUndefined => "reference_undefined",
            Self::NoReference => "no_reference",
            Self::ReferenceUnlabelled => "reference_unlabelled",
            Self::ReferenceSingleClass => "reference_single_class",
            Self::AbsentColumn => "absent_column",
            Self::NewColumn => "new_column",
            Self::ChangedType => "changed_type",
            Self::UnsupportedType => "unsupported_type",
            Self::AllComponents => "all_components",
            Self::ConstantColumns => "constant_columns",
            Self::EmptyColumn => "empty_column",
        }
    }

    /// The status of a stored name.
    pub fn named(name: &[u8]) -> Result<Self, KernelError> {
        let name = std::str::from_utf8(name).ok();
        name.and_then(Self::parse)
            .ok_or_else(|| KernelError::Unreadable("an unknown status".into()))
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The graver of two.
    ///
    /// ```
    /// use modelwatch::kernel::reading::Status;
    /// assert_eq!(Status::Extrapolated.worst(Status::Ok), Status::Extrapolated);
    /// ```
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }

    /// This reserve where it applies.
    pub(crate) fn only_if(self, applies: bool) -> Self {
        if applies { self } else { Self::Ok }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the realized value of a chunk is expected to be before its labels are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    /// The estimate, but for metrics that noise of labels enlarges.
    pub value: f64,
    /// Standard error of `value` as a prediction of the realized value: label noise and calibrator, for the rows
    /// are the same.
    pub error: f64,
}

/// A metric of one chunk, estimated or realized, in the metric's own unit.
///
/// Numbers are finite; what does not exist is `None`, and `status` says why.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reading {
    /// The metric.
    pub value: Option<f64>,
    /// Certified bound on the distance to the value computed from all rows, one by one, with the
    /// same calibrator. 0, or of the size of rounding, when the bins are exact.
    pub approx_error: Option<f64>,
    /// Standard error of `value` for the performance of the population that the chunk was drawn
    /// from: sampling of rows, and of the reference that the calibrator was fitted on.
    pub sampling_error: Option<f64>,
    /// The part of `sampling_error` that differs from chunk to chunk: sampling of rows.
    /// A wrong calibrator moves all chunks alike, so limits between chunks use this part.
    pub row_sampling_error: Option<f64>,
    /// Lower end of the interval: for an estimate, where the chunk's realized value will lie
    /// (label noise and calibrator); for a realized value, where the population's value lies.
    pub lower_bound: Option<f64>,
    /// Upper end of the interval.
    pub upper_bound: Option<f64>,
    /// Of an estimate, what the realized value of the same rows is held against.
    pub expectation: Option<Expectation>,
    /// Rows that entered the value.
    pub used_count: u64,
    /// Rows of the chunk with a label.
    pub labelled_count: u64,
    /// Whether the value exists and under which reserve.
    pub status: Status,
}

/// A bound of this size is rounding, not bins.
const ROUNDING: f64 = 1e-9;

/// Whether a bound on what the bins may hide is more than the sampling error, and more than rounding.
pub(super) fn bound_counts(value: f64, bound: f64, sampling_error: f64) -> bool {
    bound > sampling_error.max(ROUNDING * value.abs().max(1.0))
}

impl Reading {
    /// Whether the bins limit the value more than the rows do.
    ///
    /// ```
    /// use modelwatch::kernel::reading::Reading;
    /// let reading = Reading { value: Some(0.8), approx_error: Some(0.02), sampling_error: Some(0.01), ..Reading::default() };
    /// assert!(reading.is_coarse());
    /// ```
    pub fn is_coarse(&self) -> bool {
        match (self.value, self.approx_error, self.sampling_error) {
            (Some(value), Some(bound), Some(error)) => bound_counts(value, bound, error),
            _ => false,
        }
    }

    /// A reading without a value.
    pub fn undefined(status: Status, used_count: u64, labelled_count: u64) -> Self {
        Self {
            used_count,
            labelled_count,
            status,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_the_order_of_gravity() {
        assert!(Status::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(
            Status::SingleClass.worst(Status::InvalidScore),
            Status::SingleClass
        );
    }
}
