//! A metric of performance, whatever kind of model it is of.
use std::fmt;

use super::link::Link;
use super::metric::Metric;
use super::multiclass::MulticlassMetric;
use super::regression::RegressionMetric;
use super::threshold::MetricScale;
use super::threshold_text::Judged;

/// Limits are learnt alike for all of them; what differs is the [`MetricScale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerformanceMetric {
    /// Of a binary classifier.
    Binary(Metric),
    /// Of a classifier of several classes, where no metric of two has the name.
    Multiclass(MulticlassMetric),
    /// Of a regression.
    Regression(RegressionMetric),
}

impl fmt::Display for PerformanceMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(metric) => metric.fmt(f),
            Self::Multiclass(metric) => metric.fmt(f),
            Self::Regression(metric) => metric.fmt(f),
        }
    }
}

impl Judged for PerformanceMetric {
    fn parse(name: &str) -> Option<Self> {
        let binary = Metric::parse(name).map(Self::Binary);
        binary
            .or_else(|| MulticlassMetric::parse(name).map(Self::Multiclass))
            .or_else(|| RegressionMetric::parse(name).map(Self::Regression))
    }

    fn names() -> Vec<&'static str> {
        let of_classes = MulticlassMetric::all();
        let of_classes = of_classes.filter(|metric| Metric::parse(metric.name()).is_none());
        let of_classes = of_classes.map(MulticlassMetric::name).collect();
        [Metric::names(), of_classes, RegressionMetric::names()].concat()
    }

    fn scale(self) -> MetricScale {
        match self {
            Self::Binary(metric) => Judged::scale(metric),
            Self::Multiclass(metric) => metric.scale(),
            Self::Regression(metric) => metric.scale(),
        }
    }
}

/// What the name of a difference ends with.
const DIFFERENCE: &str = "_difference";

/// A metric of one model, or that of a challenger less that of the champion.
///
/// ```
/// use modelwatch::kernel::metric::Metric;
/// use modelwatch::kernel::performance::Compared;
/// use modelwatch::kernel::threshold_text::Judged;
/// let found = Compared::parse("roc_auc_difference");
/// assert_eq!(found, Some(Compared::Difference(Metric::RocAuc)));
/// assert_eq!(Compared::Difference(Metric::RocAuc).scale().lower, Some(-1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared<M> {
    /// Of one model.
    Model(M),
    /// Between two.
    Difference(M),
}

/// The name of the difference of a metric.
pub fn difference_name(metric: &str) -> String {
    [metric, DIFFERENCE].concat()
}

/// The metric that a name is the difference of.
pub fn difference_of(name: &str) -> Option<&str> {
    name.strip_suffix(DIFFERENCE)
}

impl<M: fmt::Display> fmt::Display for Compared<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(metric) => metric.fmt(f),
            Self::Difference(metric) => f.write_str(&difference_name(&metric.to_string())),
        }
    }
}

impl<M: Judged> Judged for Compared<M> {
    fn parse(name: &str) -> Option<Self> {
        let difference = || M::parse(difference_of(name)?).map(Self::Difference);
        M::parse(name).map(Self::Model).or_else(difference)
    }

    fn names() -> Vec<&'static str> {
        M::names()
    }

    fn scale(self) -> MetricScale {
        match self {
            Self::Model(metric) => metric.scale(),
            Self::Difference(metric) => {
                let scale = metric.scale();
                let most = scale
                    .lower
                    .zip(scale.upper)
                    .map(|(lower, upper)| upper - lower);
                MetricScale {
                    link: Link::Identity,
                    lower: most.map(|most| -most),
                    upper: most,
                    ..scale
                }
            }
        }
    }
}
