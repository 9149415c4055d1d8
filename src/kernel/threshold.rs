//! What may be asked of a threshold, and when a chunk's value is an alert.
use super::KernelError;
use super::link::Link;
use super::metric::{self, Metric};

/// How the limits of a metric are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// Limits that a healthy chunk leaves with this probability; see [`super::threshold_model`].
    FalseAlarmRate {
        /// Strictly between 0 and 1.
        rate: f64,
    },
    /// Mean of the reference values minus and plus multiples of their standard deviation
    /// (divisor: number of values). NULL values are skipped.
    ///
    /// Source: `StandardDeviationThreshold` of NannyML 0.13.1.
    StandardDeviation {
        /// Multiplier below the mean, at least 0; `None` for no lower limit.
        lower: Option<f64>,
        /// Multiplier above the mean, at least 0; `None` for no upper limit.
        upper: Option<f64>,
    },
    /// Limits as given.
    Constant {
        /// `None` for no lower limit.
        lower: Option<f64>,
        /// `None` for no upper limit; otherwise above `lower`.
        upper: Option<f64>,
    },
}

impl Default for Threshold {
    /// One healthy chunk in 370, the share outside three standard deviations of a normal law.
    fn default() -> Self {
        Self::FalseAlarmRate { rate: 0.0027 }
    }
}

impl Threshold {
    /// Limits with a false-alarm rate. Errors: a rate outside `(0, 1)`.
    ///
    /// ```
    /// use modelwatch::kernel::threshold::Threshold;
    /// assert!(Threshold::false_alarm_rate(0.01).is_ok());
    /// assert!(Threshold::false_alarm_rate(1.0).is_err());
    /// ```
    pub fn false_alarm_rate(rate: f64) -> Result<Self, KernelError> {
        Self::FalseAlarmRate { rate }.checked()
    }

    /// Mean minus and plus multiples of the standard deviation.
    /// Errors: a multiplier that is negative or not finite, or none at all.
    pub fn standard_deviation(lower: Option<f64>, upper: Option<f64>) -> Result<Self, KernelError> {
        Self::StandardDeviation { lower, upper }.checked()
    }

    /// Limits as given. Errors: a limit that is not finite, `lower >= upper`, or none at all.
    pub fn constant(lower: Option<f64>, upper: Option<f64>) -> Result<Self, KernelError> {
        Self::Constant { lower, upper }.checked()
    }

    /// The threshold itself where its numbers make sense.
    /// Errors: as those of the three constructors.
    pub fn checked(self) -> Result<Self, KernelError> {
        match self {
            Self::FalseAlarmRate { rate } if !(rate > 0.0 && rate < 1.0) => undefined(format!(
                "false_alarm_rate: the rate must lie between 0 and 1, got {rate}"
            )),
            Self::StandardDeviation { lower, upper } => {
                if lower.is_none() && upper.is_none() {
                    return undefined("stddev: at least one multiplier is needed".into());
                }
                match [lower, upper]
                    .into_iter()
                    .flatten()
                    .find(|k| !(k.is_finite() && *k >= 0.0))
                {
                    Some(k) => {
                        undefined(format!("stddev: a multiplier must be 0 or more, got {k}"))
                    }
                    None => Ok(self),
                }
            }
            Self::Constant { lower, upper } => match (lower, upper) {
                (None, None) => undefined("constant: at least one limit is needed".into()),
                (lower, upper) if [lower, upper].into_iter().flatten().any(|x| !x.is_finite()) => {
                    undefined("constant: a limit must be a finite number or NULL".into())
                }
                (Some(lower), Some(upper)) if lower >= upper => undefined(format!(
                    "constant: the lower limit must be below the upper one, got {lower} and {upper}"
                )),
                _ => Ok(self),
            },
            Self::FalseAlarmRate { .. } => Ok(self),
        }
    }

    /// Refuses constant limits that no value of the metric, or every value, would leave:
    /// a lower limit above its largest value or an upper limit below its smallest.
    pub fn fits(&self, metric: &MetricScale) -> Result<(), KernelError> {
        let Self::Constant { lower, upper } = *self else {
            return Ok(());
        };
        if let (Some(limit), Some(largest)) = (lower, metric.upper)
            && limit > largest
        {
            return undefined(format!(
                "constant: the lower limit {limit} lies above {largest}, the largest value of the metric"
            ));
        }
        if let (Some(limit), Some(smallest)) = (upper, metric.lower)
            && limit < smallest
        {
            return undefined(format!(
                "constant: the upper limit {limit} lies below {smallest}, the smallest value of the metric"
            ));
        }
        Ok(())
    }
}

fn undefined<T>(why: String) -> Result<T, KernelError> {
    Err(KernelError::Undefined(why))
}

/// Which way out of the limits is an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Below the lower and above the upper limit.
    #[default]
    Both,
    /// Only where the metric gets worse; both ways for a metric without a better side.
    /// A false-alarm rate is then spent on that one side.
    Worse,
}

/// What a threshold must know about a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricScale {
    /// Scale of the variance model, on the value per row where `total`.
    pub link: Link,
    /// Smallest value, to which limits are clamped; `None` where there is none.
    pub lower: Option<f64>,
    /// Largest value, to which limits are clamped; `None` where there is none.
    pub upper: Option<f64>,
    /// The better side.
    pub better: metric::Direction,
    /// True for a sum over rows (counts of the confusion matrix, business value): it is judged
    /// per row and its limits grow with the chunk.
    pub total: bool,
}

impl MetricScale {
    /// What a threshold must know about this metric.
    pub fn of(metric: Metric) -> Self {
        let (lower, upper) = metric.domain();
        Self {
            link: metric.spec().link,
            lower,
            upper,
            better: metric.direction(),
            total: metric.is_total(),
        }
    }

    /// Whether a lower and whether an upper limit are wanted.
    pub(super) fn sides(&self, direction: Direction) -> (bool, bool) {
        match (direction, self.better) {
            (Direction::Both, _) | (_, metric::Direction::Neither) => (true, true),
            (Direction::Worse, metric::Direction::Higher) => (true, false),
            (Direction::Worse, metric::Direction::Lower) => (false, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, KernelError>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn rates_lie_strictly_between_0_and_1() {
        for rate in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(message(Threshold::false_alarm_rate(rate)).contains("between 0 and 1"));
        }
        assert_eq!(
            Threshold::false_alarm_rate(0.0027),
            Ok(Threshold::default())
        );
    }

    #[test]
    fn multipliers_are_not_negative_and_one_is_given() {
        assert!(Threshold::standard_deviation(Some(0.0), None).is_ok());
        assert!(message(Threshold::standard_deviation(Some(-1.0), None)).contains("got -1"));
        assert!(message(Threshold::standard_deviation(None, Some(f64::NAN))).contains("got NaN"));
        assert!(message(Threshold::standard_deviation(None, None)).contains("at least one"));
    }

    #[test]
    fn constant_limits_are_finite_and_in_order() {
        assert!(Threshold::constant(Some(0.7), None).is_ok());
        assert!(message(Threshold::constant(Some(0.7), Some(0.7))).contains("got 0.7 and 0.7"));
        assert!(message(Threshold::constant(None, None)).contains("at least one"));
        assert!(message(Threshold::constant(None, Some(f64::INFINITY))).contains("finite"));
    }

    #[test]
    fn constant_limits_outside_the_domain_are_refused() {
        let low = Threshold::Constant {
            lower: Some(70.0),
            upper: None,
        };
        assert!(
            message(low.fits(&MetricScale::of(Metric::Accuracy)))
                .contains("lower limit 70 lies above 1")
        );
        let high = Threshold::Constant {
            lower: None,
            upper: Some(-0.5),
        };
        assert!(
            message(high.fits(&MetricScale::of(Metric::Accuracy)))
                .contains("upper limit -0.5 lies below 0")
        );
        // the ends themselves are limits that nothing leaves, as asked
        assert_eq!(
            Threshold::Constant {
                lower: Some(0.0),
                upper: Some(1.0)
            }
            .fits(&MetricScale::of(Metric::Accuracy)),
            Ok(())
        );
    }

    #[test]
    fn worse_keeps_the_bad_side() {
        let sides = |metric, direction| MetricScale::of(metric).sides(direction);
        assert_eq!(sides(Metric::F1, Direction::Both), (true, true));
        assert_eq!(sides(Metric::F1, Direction::Worse), (true, false));
        assert_eq!(sides(Metric::LogLoss, Direction::Worse), (false, true));
        assert_eq!(sides(Metric::TruePositive, Direction::Worse), (true, true));
    }
}
