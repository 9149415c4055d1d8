//! Expected confusion matrix of a chunk and the metrics that are functions of it.
use super::calibrator::Calibrator;
use super::confusion::Confusion;
use super::expected::{Expected, block_loads};
use super::interval::FEW;
use super::metric::Metric;
use super::prediction_interval::Estimate;
use super::roc_auc::small_sample;

/// Rows of one prediction.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    count: u64,
    rows: f64,
    /// Expected positives.
    positives: f64,
    /// Certified error of `positives`.
    slack: f64,
    /// Sum of `c (1 - c)`: variance of the positives given the scores.
    noise: f64,
    /// Third central moment of the positives given the scores.
    skew: f64,
    /// Sum of `c^2`.
    squares: f64,
}

impl Side {
    fn new(expected: &[Expected]) -> Self {
        let mut side = Self::default();
        for part in expected {
            side.count += part.group.rows as u64;
            side.rows += part.rows;
            side.positives += part.positives();
            side.slack += part.rows * part.slack;
            side.noise += part.rows * part.noise.middle();
            side.skew += part.skew();
        }
        side.squares = (side.positives - side.noise).max(0.0);
        side
    }

    /// Sum of `(a c + b)^2` over the rows.
    fn sum_of_squares(&self, a: f64, b: f64) -> f64 {
        (a * a * self.squares + 2.0 * a * b * self.positives + b * b * self.rows).max(0.0)
    }
}

/// Expected outcomes of the rows that have a score and a prediction.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedConfusion {
    predicted_positive: Side,
    predicted_negative: Side,
    /// Variance of the expected (true positives, false negatives) from the calibrator's levels:
    /// first variance, covariance, second variance.
    calibrator: [f64; 3],
    /// Expected excess of (true positives, false negatives) from pooling across the decision.
    gap: [f64; 2],
}

impl ExpectedConfusion {
    pub fn new(
        predicted_positive: &[Expected],
        predicted_negative: &[Expected],
        calibrator: &Calibrator,
        level_variances: &[f64],
    ) -> Self {
        let loads = |expected: &[Expected]| {
            block_loads(expected, std::iter::repeat(1.0), level_variances.len())
        };
        let (first, second) = (loads(predicted_positive), loads(predicted_negative));
        let mut variances = [0.0; 3];
        for ((a, b), variance) in first.iter().zip(&second).zip(level_variances) {
            for (sum, product) in variances.iter_mut().zip([a * a, a * b, b * b]) {
                *sum += product * variance;
            }
        }
        let sides = [predicted_positive, predicted_negative].map(Side::new);
        let rows = sides[0].rows + sides[1].rows;
        let [negative_gap, positive_gap] = calibrator.decision_gap();
        Self {
            predicted_positive: sides[0],
            predicted_negative: sides[1],
            calibrator: variances,
            gap: [positive_gap, negative_gap].map(|gap| gap * rows),
        }
    }

    pub fn row_count(&self) -> u64 {
        self.predicted_positive.count + self.predicted_negative.count
    }

    /// Expected counts with the positives of each side moved by this much of their slack.
    fn cells(&self, first: f64, second: f64) -> Confusion {
        let moved = |side: &Side, by: f64| (side.positives + by * side.slack).clamp(0.0, side.rows);
        let tp = moved(&self.predicted_positive, first);
        let fn_ = moved(&self.predicted_negative, second);
        Confusion {
            tn: self.predicted_negative.rows - fn_,
            fp: self.predicted_positive.rows - tp,
            fn_,
            tp,
        }
    }

    /// Metric of the expected counts; `None` where it divides nothing by nothing.
    ///
    /// * Label noise: true positives and false negatives are independent sums of Bernoulli
    ///   draws; the metric is linearized in them (exact for accuracy, precision and the counts).
    /// * Calibrator: variance of its levels, and the square of its known bias at the decision. The value is
    ///   not corrected for it (it is NannyML's figure), so its error has to cover it: MEASURED, accuracy
    ///   at 5,000 reference rows, bias +.002 to +.004 against a standard error of .006.
    /// * `slack`: every metric is monotone in each of the two counts, so its extremes over what
    ///   they can be lie at the four corners.
    pub fn estimate(&self, metric: Metric, value_matrix: [f64; 4]) -> Option<Estimate> {
        let cells = self.cells(0.0, 0.0);
        let value = cells.value(metric, value_matrix)?;
        let slopes = cells.gradient(metric, value, value_matrix);
        let [tn, fp, fn_, tp] = slopes;
        let (first, second) = (tp - fp, fn_ - tn);
        let [v11, v12, v22] = self.calibrator;
        let gap = first * self.gap[0] + second * self.gap[1];
        Some(Estimate {
            value,
            slack: self.slack(metric, value, value_matrix),
            label_variance: first * first * self.predicted_positive.noise
                + second * second * self.predicted_negative.noise,
            label_skew: first.powi(3) * self.predicted_positive.skew
                + second.powi(3) * self.predicted_negative.skew,
            calibrator_variance: (first * first * v11
                + 2.0 * first * second * v12
                + second * second * v22)
                .max(0.0)
                + gap * gap,
            row_variance: self.row_variance(&cells, slopes),
            few: cells.support(metric) < FEW,
            ..Estimate::default()
        })
    }

    fn slack(&self, metric: Metric, value: f64, value_matrix: [f64; 4]) -> f64 {
        let corners = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)];
        corners
            .into_iter()
            .map(|(first, second)| {
                match self.cells(first, second).value(metric, value_matrix) {
                    Some(corner) => (corner - value).abs(),
                    // the bins cannot tell whether the ratio exists: nothing is certain about it
                    None => value.max(1.0 - value),
                }
            })
            .fold(0.0, f64::max)
    }

    /// Sum of squared influence of the rows: a row predicted positive adds `c` true and `1 - c`
    /// false positives, one predicted negative `c` false and `1 - c` true negatives.
    fn row_variance(&self, cells: &Confusion, [tn, fp, fn_, tp]: [f64; 4]) -> f64 {
        let rows = cells.rows();
        let mean = [tn, fp, fn_, tp]
            .iter()
            .zip(cells.cells())
            .map(|(slope, cell)| slope * cell)
            .sum::<f64>()
            / rows;
        let total = self.predicted_positive.sum_of_squares(tp - fp, fp - mean)
            + self.predicted_negative.sum_of_squares(fn_ - tn, tn - mean);
        small_sample(rows) * total
    }
}
