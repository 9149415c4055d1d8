//! The metrics of binary classification: their names, domains, and what each needs.
use std::fmt;

/// A metric of binary classification. Names are those of the SQL surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Probability that a positive row scores above a negative one, ties counted one half.
    RocAuc,
    /// Mean precision over the recall gained at each distinct score.
    AveragePrecision,
    /// Harmonic mean of precision and recall.
    F1,
    /// Share of positives among predicted positives.
    Precision,
    /// Share of predicted positives among positives.
    Recall,
    /// Share of predicted negatives among negatives.
    Specificity,
    /// Share of rows predicted correctly.
    Accuracy,
    /// Number of positive rows predicted positive.
    TruePositive,
    /// Number of negative rows predicted negative.
    TrueNegative,
    /// Number of negative rows predicted positive.
    FalsePositive,
    /// Number of positive rows predicted negative.
    FalseNegative,
    /// Total of the value matrix over the rows.
    BusinessValue,
    /// Mean of the value matrix over the rows.
    BusinessValuePerRow,
    /// Mean negative log likelihood of the label under the score.
    LogLoss,
    /// Mean squared distance between score and label.
    BrierScore,
    /// Mean distance between score and share of positives, over 16 equal ranges of the score.
    CalibrationError,
}

/// The scale on which a measured metric is close to normal: confidence intervals are built there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// `ln(x / (1 - x))`, for shares and the like in `[0, 1]`.
    Logit,
    /// `ln(x)`, for what is positive without an upper end.
    Log,
    /// As it is.
    Identity,
}

/// Which way a metric moves when the model gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither side is better in itself.
    Neither,
}

impl Metric {
    /// Every metric, in the order in which results list them.
    pub const ALL: [Self; 16] = [
        Self::RocAuc,
        Self::AveragePrecision,
        Self::F1,
        Self::Precision,
        Self::Recall,
        Self::Specificity,
        Self::Accuracy,
        Self::TruePositive,
        Self::TrueNegative,
        Self::FalsePositive,
        Self::FalseNegative,
        Self::BusinessValue,
        Self::BusinessValuePerRow,
        Self::LogLoss,
        Self::BrierScore,
        Self::CalibrationError,
    ];

    /// Name in SQL, in lower case with underscores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RocAuc => "roc_auc",
            Self::AveragePrecision => "average_precision",
            Self::F1 => "f1",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Specificity => "specificity",
            Self::Accuracy => "accuracy",
            Self::TruePositive => "true_positive",
            Self::TrueNegative => "true_negative",
            Self::FalsePositive => "false_positive",
            Self::FalseNegative => "false_negative",
            Self::BusinessValue => "business_value",
            Self::BusinessValuePerRow => "business_value_per_row",
            Self::LogLoss => "log_loss",
            Self::BrierScore => "brier_score",
            Self::CalibrationError => "calibration_error",
        }
    }

    /// The metric of that name, in any case; `None` when there is none.
    ///
    /// ```
    /// use modelwatch::kernel::metric::Metric;
    /// assert_eq!(Metric::parse("ROC_AUC"), Some(Metric::RocAuc));
    /// assert_eq!(Metric::parse("auc"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.name().eq_ignore_ascii_case(name))
    }

    /// Least and greatest value that the metric can take; `None` where it has no end.
    pub const fn domain(self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::BusinessValue | Self::BusinessValuePerRow => (None, None),
            Self::LogLoss
            | Self::TruePositive
            | Self::TrueNegative
            | Self::FalsePositive
            | Self::FalseNegative => (Some(0.0), None),
            _ => (Some(0.0), Some(1.0)),
        }
    }

    /// Whether rows without a prediction are left out.
    pub const fn needs_prediction(self) -> bool {
        !self.needs_order() && !self.needs_probability()
    }

    /// Whether the score must be a probability in `[0, 1]`.
    pub const fn needs_probability(self) -> bool {
        matches!(
            self,
            Self::LogLoss | Self::BrierScore | Self::CalibrationError
        )
    }

    /// Whether the metric reads the order of the scores.
    pub const fn needs_order(self) -> bool {
        matches!(self, Self::RocAuc | Self::AveragePrecision)
    }

    /// Whether the metric counts rows, so that its value grows with the chunk.
    pub const fn is_count(self) -> bool {
        matches!(
            self,
            Self::TruePositive | Self::TrueNegative | Self::FalsePositive | Self::FalseNegative
        )
    }

    /// Whether the metric reads a value matrix.
    pub const fn needs_value_matrix(self) -> bool {
        matches!(self, Self::BusinessValue | Self::BusinessValuePerRow)
    }

    /// Scale for confidence intervals of a realized value. Counts are judged as shares of the rows used.
    pub const fn scale(self) -> Scale {
        match self {
            Self::BusinessValue | Self::BusinessValuePerRow => Scale::Identity,
            Self::LogLoss => Scale::Log,
            _ => Scale::Logit,
        }
    }

    /// Which way is better. The counts of correct rows follow the share of positives in the
    /// chunk, so neither side of them is better in itself.
    pub const fn direction(self) -> Direction {
        match self {
            Self::TruePositive | Self::TrueNegative => Direction::Neither,
            Self::FalsePositive
            | Self::FalseNegative
            | Self::LogLoss
            | Self::BrierScore
            | Self::CalibrationError => Direction::Lower,
            _ => Direction::Higher,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse_back() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(Metric::parse(metric.name()), Some(metric));
            let first = Metric::ALL.iter().position(|m| m.name() == metric.name());
            assert_eq!(first, Some(index));
        }
        assert_eq!(Metric::parse("roc auc"), None);
    }

    #[test]
    fn every_metric_needs_exactly_one_of_prediction_order_probability() {
        for metric in Metric::ALL {
            let needs = [
                metric.needs_prediction(),
                metric.needs_order(),
                metric.needs_probability(),
            ];
            assert_eq!(needs.iter().filter(|&&need| need).count(), 1, "{metric}");
        }
    }

    #[test]
    fn a_metric_on_the_logit_scale_is_a_count_or_lives_in_zero_to_one() {
        for metric in Metric::ALL {
            if metric.scale() == Scale::Logit && !metric.is_count() {
                assert_eq!(metric.domain(), (Some(0.0), Some(1.0)), "{metric}");
            }
        }
    }
}
