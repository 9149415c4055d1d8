//! A metric of performance, whatever kind of model it is of.
use std::fmt;

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
