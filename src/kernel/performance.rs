//! A metric of performance, whatever kind of model it is of.
use std::fmt;

use super::metric::Metric;
use super::regression::RegressionMetric;
use super::threshold::MetricScale;
use super::threshold_text::Judged;

/// Limits are learnt alike for all of them; what differs is the [`MetricScale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerformanceMetric {
    /// Of a binary classifier.
    Binary(Metric),
    /// Of a regression.
    Regression(RegressionMetric),
}

impl fmt::Display for PerformanceMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(metric) => metric.fmt(f),
            Self::Regression(metric) => metric.fmt(f),
        }
    }
}

impl Judged for PerformanceMetric {
    fn parse(name: &str) -> Option<Self> {
        let binary = Metric::parse(name).map(Self::Binary);
        binary.or_else(|| RegressionMetric::parse(name).map(Self::Regression))
    }

    fn names() -> Vec<&'static str> {
        [Metric::names(), RegressionMetric::names()].concat()
    }

    fn scale(self) -> MetricScale {
        match self {
            Self::Binary(metric) => Judged::scale(metric),
            Self::Regression(metric) => metric.scale(),
        }
    }
}
