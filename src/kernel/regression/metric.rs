//! The metrics of regression: names, domains and scales.
use std::fmt;

use super::super::link::Link;
use super::super::metric::{Direction, metrics};
use super::super::threshold::MetricScale;
use super::super::threshold_text::Judged;

/// What is known of a metric besides its formula.
pub(crate) struct Spec {
    name: &'static str,
    description: &'static str,
    lower: Option<f64>,
    upper: Option<f64>,
    /// Where limits are symmetric.
    link: Link,
    direction: Direction,
}

const fn loss(name: &'static str, description: &'static str) -> Spec {
    Spec {
        name,
        description,
        lower: Some(0.0),
        upper: None,
        link: Link::Log,
        direction: Direction::Lower,
    }
}

metrics! {
    /// A metric of regression. Names are those of the SQL surface.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    RegressionMetric: Spec {
        Mae => loss("mae", "Mean absolute error: the mean of |label - prediction|."),
        Mape => loss(
            "mape",
            "Mean absolute error as a share of the label's size, 1 for 100 %; not defined where a label is 0 and its prediction is not.",
        ),
        Mse => loss("mse", "Mean squared error."),
        Rmse => loss("rmse", "Root of the mean squared error."),
        Msle => loss(
            "msle",
            "Mean squared difference of ln(1 + label) and ln(1 + prediction); not defined where one of them is negative.",
        ),
        Rmsle => loss("rmsle", "Root of msle."),
        R2 => Spec {
            name: "r2",
            description: "Share of the labels' variance that the predictions explain, 1 - mse / variance; NULL where all labels are equal.",
            lower: None,
            upper: Some(1.0),
            link: Link::Identity,
            direction: Direction::Higher,
        },
        MedianAbsoluteError => loss("median_absolute_error", "Median of |label - prediction|."),
        Bias => Spec {
            name: "bias",
            description: "Mean of prediction - label: above 0 where the model predicts too much.",
            lower: None,
            upper: None,
            link: Link::Identity,
            direction: Direction::Neither,
        },
    }
}

impl RegressionMetric {
    /// Name in SQL.
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
    /// use modelwatch::kernel::regression::RegressionMetric;
    /// assert_eq!(RegressionMetric::parse("RMSE"), Some(RegressionMetric::Rmse));
    /// assert_eq!(RegressionMetric::parse("roc_auc"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for RegressionMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Judged for RegressionMetric {
    fn parse(name: &str) -> Option<Self> {
        Self::parse(name)
    }

    fn names() -> Vec<&'static str> {
        Self::ALL.map(Self::name).to_vec()
    }

    fn scale(self) -> MetricScale {
        let spec = self.spec();
        MetricScale {
            link: spec.link,
            lower: spec.lower,
            upper: spec.upper,
            better: spec.direction,
            total: false,
        }
    }
}
