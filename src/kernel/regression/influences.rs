//! What a row of a regression does to each metric of its chunk.
use super::super::KernelError;
use super::super::clustered::ClusterTotals;
use super::loss::Loss;
use super::metric::RegressionMetric;
use super::reading::RealizedRegression;
use super::unexplained::Unexplained;
use super::weighted::WeightedRegression;

/// Influences of the rows of one chunk on metrics, each in a unit in which they are of the size of 1.
#[derive(Debug)]
pub(in super::super) struct RegressionInfluences {
    of_metrics: Vec<Option<Influence>>,
    /// Names of the metrics, and what their influences are to be multiplied by.
    pub scales: Vec<(String, f64)>,
    /// What the metrics change by where what their influences are on changes by 1: means, but of roots what is under them, of
    /// `r2` what is left, and of the median the weights above it.
    pub slopes: Vec<f64>,
}

/// Influence on one metric.
#[derive(Debug)]
enum Influence {
    /// A loss less its mean, in a unit.
    Mean(Loss, f64, f64),
    /// On the share of the variance that is left.
    Unexplained(Unexplained),
    /// Above or below the median.
    Median(f64),
}

impl RegressionInfluences {
    pub fn new(
        chunk: &WeightedRegression,
        metrics: &[RegressionMetric],
    ) -> Result<Self, KernelError> {
        let realized = RealizedRegression::weighted(chunk)?;
        let value = |metric| realized.reading(metric, 0.95).value;
        let weight = realized.rows();
        let (mut of_metrics, mut scales, mut slopes) = (vec![], vec![], vec![]);
        for metric in metrics {
            let (influence, unit) = match (metric, Loss::of(*metric)) {
                (_, Some(loss)) => {
                    let mean = value(*metric).map(|value| match metric {
                        RegressionMetric::Rmse | RegressionMetric::Rmsle => value * value,
                        _ => value,
                    });
                    let size = match loss {
                        Loss::Signed => value(RegressionMetric::Rmse),
                        _ => mean,
                    };
                    let size = size.filter(|size| *size > 0.0).unwrap_or(1.0);
                    let influence = mean.map(|mean| Influence::Mean(loss, mean, size));
                    (influence, size / weight)
                }
                (RegressionMetric::R2, _) => {
                    let at = realized.unexplained();
                    (at.map(Influence::Unexplained), 1.0 / weight)
                }
                _ => (value(*metric).map(Influence::Median), 1.0),
            };
            let scale = if unit.is_finite() { unit } else { 1.0 };
            of_metrics.push(influence);
            scales.push((metric.name().to_owned(), scale));
            slopes.push(slope(*metric, &realized, chunk.total.square()));
        }
        Ok(Self {
            of_metrics,
            scales,
            slopes,
        })
    }

    /// Adds a row of a label and a prediction that are numbers.
    pub fn add(&self, totals: &mut ClusterTotals, label: f64, prediction: f64, weight: f64) {
        for (position, influence) in self.of_metrics.iter().enumerate() {
            let z = influence
                .as_ref()
                .and_then(|influence| influence.of_row(label, prediction));
            totals.add(position, weight * z.unwrap_or(0.0));
        }
    }
}

/// `squares`: sum of squared weights, the variance of the weights above the median where rows are independent.
fn slope(metric: RegressionMetric, realized: &RealizedRegression, squares: f64) -> f64 {
    let reading = realized.reading(metric, 0.95);
    let slope = match metric {
        RegressionMetric::Rmse | RegressionMetric::Rmsle => reading.value.map(|root| 0.5 / root),
        RegressionMetric::R2 => Some(-1.0),
        RegressionMetric::MedianAbsoluteError => {
            let error = reading.sampling_error;
            error.map(|error| error / squares.sqrt())
        }
        _ => Some(1.0),
    };
    slope.filter(|slope| slope.is_finite()).unwrap_or(0.0)
}

impl Influence {
    fn of_row(&self, label: f64, prediction: f64) -> Option<f64> {
        Some(match self {
            Self::Mean(loss, mean, size) => (loss.at(label, prediction)? - mean) / size,
            Self::Unexplained(at) => at.influence(label, prediction) / at.spread,
            Self::Median(median) => {
                let error = (prediction - label).abs();
                f64::from(i8::from(error > *median) - i8::from(error < *median))
            }
        })
    }
}
