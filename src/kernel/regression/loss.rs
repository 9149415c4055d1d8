//! The losses of a row whose means are metrics: what direct loss estimation learns.
use super::metric::RegressionMetric;

/// A loss of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// `|label - prediction|`.
    Absolute,
    /// `|label - prediction| / |label|`.
    Relative,
    /// `(label - prediction)^2`.
    Squared,
    /// `(ln(1 + label) - ln(1 + prediction))^2`.
    Logarithmic,
    /// `prediction - label`, which may be negative.
    Signed,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 5] = [
        Self::Absolute,
        Self::Relative,
        Self::Squared,
        Self::Logarithmic,
        Self::Signed,
    ];

    /// Its name inside of plans and profiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::Relative => "relative",
            Self::Squared => "squared",
            Self::Logarithmic => "logarithmic",
            Self::Signed => "signed",
        }
    }

    /// The loss of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| loss.name() == name)
    }

    /// The loss of which a metric is the mean, or the root of it; `None` for metrics that no loss of single rows gives.
    ///
    /// ```
    /// use modelwatch::kernel::regression::{Loss, RegressionMetric};
    /// assert_eq!(Loss::of(RegressionMetric::Rmse), Some(Loss::Squared));
    /// assert_eq!(Loss::of(RegressionMetric::R2), None);
    /// ```
    pub fn of(metric: RegressionMetric) -> Option<Self> {
        use RegressionMetric as M;
        match metric {
            M::Mae => Some(Self::Absolute),
            M::Mape => Some(Self::Relative),
            M::Mse | M::Rmse => Some(Self::Squared),
            M::Msle | M::Rmsle => Some(Self::Logarithmic),
            M::Bias => Some(Self::Signed),
            M::R2 | M::MedianAbsoluteError => None,
        }
    }

    /// The loss of a row; `None` where it has none: a label of 0 whose prediction is another, or a negative number whose
    /// logarithm would be taken, or one that is not finite.
    ///
    /// ```
    /// use modelwatch::kernel::regression::Loss;
    /// assert_eq!(Loss::Relative.at(4.0, 5.0), Some(0.25));
    /// assert_eq!((Loss::Relative.at(0.0, 0.0), Loss::Relative.at(0.0, 1.0)), (Some(0.0), None));
    /// ```
    pub fn at(self, label: f64, prediction: f64) -> Option<f64> {
        let error = prediction - label;
        let loss = match self {
            Self::Absolute => error.abs(),
            Self::Relative => relative_error(error, label),
            Self::Squared => error * error,
            Self::Logarithmic if label < 0.0 || prediction < 0.0 => return None,
            Self::Logarithmic => logarithmic_error(label, prediction),
            Self::Signed => error,
        };
        (loss.is_finite() && loss.abs() < LARGEST).then_some(loss)
    }

    /// What is expected of a row, given what was learnt: no loss but the signed one is negative.
    pub fn clamp(self, expected: f64) -> f64 {
        match self {
            Self::Signed => expected,
            _ => expected.max(0.0),
        }
    }
}

/// `|error / label|`, 0 where both are.
#[inline]
pub(super) fn relative_error(error: f64, label: f64) -> f64 {
    if error == 0.0 {
        0.0
    } else {
        (error / label).abs()
    }
}

/// The squared difference of the logarithms of one more than each. The larger one's excess in ones of the smaller one neither rounds
/// to 0 where they are close nor to -1 where they are far apart.
#[inline]
pub(super) fn logarithmic_error(label: f64, prediction: f64) -> f64 {
    let difference = ((label - prediction).abs() / (1.0 + label.min(prediction))).ln_1p();
    difference * difference
}

/// Squares of losses have sums.
const LARGEST: f64 = 1e145;
