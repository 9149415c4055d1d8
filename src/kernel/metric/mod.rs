//! The metrics of binary classification: one registry, from which names, estimates, realized values, limits
//! and the SQL aggregates follow.
//!
//! A metric is one `MetricSpec` in a file of this folder and one line in `metrics!` below.
mod counts;
mod probability;
mod ranking;
mod shares;
mod values;

use std::fmt;

use super::estimate::{Corrections, Estimator};
use super::link::Link;
use super::prediction_interval::Estimate;
use super::realized::{Measured, Realized};

/// Rows by outcome that add up to something, as weights of `[tn, fp, fn, tp]`.
pub(crate) type Outcomes = [f64; 4];

/// How a metric is computed, with labels and without.
pub(crate) enum Formula {
    /// Rows of some outcomes among rows of more outcomes.
    Share(Share),
    /// Number of rows of one outcome.
    Count(Outcomes),
    /// Sum of the value matrix over the rows.
    TotalValue,
    /// Mean of the value matrix over the rows.
    MeanValue,
    /// A function of the order of the scores.
    Order(Own),
    /// A function of scores that must be probabilities.
    Probability(Own),
}

/// `hits / of`, weights of the outcomes.
pub(crate) struct Share {
    /// Weights above the line.
    pub hits: Outcomes,
    /// Weights below the line.
    pub of: Outcomes,
    /// From the plain share of rows, in which every weight is 1, to the metric: carries an interval over.
    pub from_plain: fn(f64) -> f64,
}

/// A metric that does not follow from counts by outcome.
pub(crate) struct Own {
    /// Expected value on a chunk; `None` where it is not defined.
    pub estimate: fn(&Estimator, Corrections) -> Option<Estimate>,
    /// Value from labels at a confidence level; `None` where it is not defined.
    pub realize: fn(&Realized, f64) -> Option<Measured>,
    /// Influence on that value of a row of each of [`Realized::by_label`]; `None` where it is not defined.
    pub influences: fn(&Realized) -> Option<ByLabel>,
}

/// All that is known of a metric.
pub(crate) struct MetricSpec {
    /// Name in SQL, in lower case with underscores.
    pub name: &'static str,
    /// What it is and when it is NULL.
    pub description: &'static str,
    /// Least and greatest value; `None` where it has no end.
    pub domain: (Option<f64>, Option<f64>),
    /// Where confidence intervals of a realized value are built. Counts are judged as shares of the rows used.
    pub scale: Scale,
    /// Where limits are symmetric.
    pub link: Link,
    /// Which way is better.
    pub direction: Direction,
    /// Whether there is an SQL aggregate of this name over labelled rows.
    pub is_aggregate: bool,
    /// How it is computed.
    pub formula: Formula,
}

/// Numbers of groups of rows by label, in the order of [`Realized::by_label`].
pub(crate) type ByLabel = [Vec<f64>; 2];

/// Values of a share and the like.
pub(crate) const UNIT: (Option<f64>, Option<f64>) = (Some(0.0), Some(1.0));
/// Values without an upper end.
pub(crate) const NOT_NEGATIVE: (Option<f64>, Option<f64>) = (Some(0.0), None);

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

/// A registry: a line is the variant and its spec; results list metrics in this order.
macro_rules! metrics {
    ($(#[$meta:meta])* $metric:ident: $kind:ty { $($variant:ident => $spec:expr,)* }) => {
        $(#[$meta])*
        pub enum $metric {
            $(#[allow(missing_docs, reason = "the spec describes it")] $variant,)*
        }

        impl $metric {
            /// Every metric, in the order in which results list them.
            pub const ALL: [Self; [$(stringify!($variant)),*].len()] = [$(Self::$variant),*];

            pub(crate) fn spec(self) -> &'static $kind {
                match self {
                    $(Self::$variant => {
                        const SPEC: &$kind = &$spec;
                        SPEC
                    })*
                }
            }
        }
    };
}
pub(crate) use metrics;

metrics! {
    /// A metric of binary classification. Names are those of the SQL surface.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Metric: MetricSpec {
        RocAuc => ranking::ROC_AUC,
        AveragePrecision => ranking::AVERAGE_PRECISION,
        F1 => shares::F1,
        Precision => shares::PRECISION,
        Recall => shares::RECALL,
        Specificity => shares::SPECIFICITY,
        Accuracy => shares::ACCURACY,
        TruePositive => counts::TRUE_POSITIVE,
        TrueNegative => counts::TRUE_NEGATIVE,
        FalsePositive => counts::FALSE_POSITIVE,
        FalseNegative => counts::FALSE_NEGATIVE,
        BusinessValue => values::BUSINESS_VALUE,
        BusinessValuePerRow => values::BUSINESS_VALUE_PER_ROW,
        LogLoss => probability::LOG_LOSS,
        BrierScore => probability::BRIER_SCORE,
        CalibrationError => probability::CALIBRATION_ERROR,
    }
}

impl Metric {
    /// Name in SQL, in lower case with underscores.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// What it is and when it is NULL.
    pub fn description(self) -> &'static str {
        self.spec().description
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
    pub fn domain(self) -> (Option<f64>, Option<f64>) {
        self.spec().domain
    }

    /// Whether rows without a prediction are left out.
    pub fn needs_prediction(self) -> bool {
        !self.needs_order() && !self.needs_probability()
    }

    /// Whether the score must be a probability in `[0, 1]`.
    pub fn needs_probability(self) -> bool {
        matches!(self.spec().formula, Formula::Probability(_))
    }

    /// Whether the metric reads the order of the scores.
    pub fn needs_order(self) -> bool {
        matches!(self.spec().formula, Formula::Order(_))
    }

    /// Whether the metric counts rows, so that its value grows with the chunk.
    pub fn is_count(self) -> bool {
        matches!(self.spec().formula, Formula::Count(_))
    }

    /// Whether the metric is a sum over rows: a count or a total value.
    pub fn is_total(self) -> bool {
        self.is_count() || matches!(self.spec().formula, Formula::TotalValue)
    }

    /// Whether the metric reads a value matrix.
    pub fn needs_value_matrix(self) -> bool {
        matches!(
            self.spec().formula,
            Formula::TotalValue | Formula::MeanValue
        )
    }

    /// Whether there is an SQL aggregate of this name over labelled rows.
    pub fn is_aggregate(self) -> bool {
        self.spec().is_aggregate
    }

    /// Scale for confidence intervals of a realized value.
    pub fn scale(self) -> Scale {
        self.spec().scale
    }

    /// Which way is better.
    pub fn direction(self) -> Direction {
        self.spec().direction
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
            assert!(metric.description().ends_with('.'), "{metric}");
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
