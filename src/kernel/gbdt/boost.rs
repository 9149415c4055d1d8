//! One tree after the other: each learns what the ones before left over.
use super::column::Column;
use super::grow::Grower;
use super::histogram::Sums;
use super::matrix::Matrix;
use super::model::{Model, Training};
use super::options::{Objective, Options};
use super::rows::Rows;
use super::split::Rules;

/// Share of the initial objective below which a gain is rounding.
const ROUNDING: f64 = 1e-12;
/// Bounds of the mean probability, so that it has a logarithm of odds.
const LEAST_SHARE: f64 = 1e-15;
/// Least second derivative of a row, as a share of its weight.
const LEAST_CURVATURE: f64 = 1e-16;

impl Rows {
    /// The model that these rows teach; `None` without rows.
    pub fn fit(&mut self, options: &Options) -> Option<Model> {
        self.order();
        if self.is_empty() {
            return None;
        }
        let mut matrix = Matrix::new(self.columns.len(), self.len());
        let mut columns = Vec::with_capacity(self.columns.len());
        for at in 0..self.columns.len() {
            if let Some((column, codes)) = Column::learn(self, at, options) {
                matrix.push(codes);
                columns.push(column);
            }
        }
        let weights: Vec<f64> = self.weights().collect();
        let targets: Vec<f64> = self.targets().collect();
        let loss = Loss::new(self.objective, &targets, &weights);
        let rows = (targets.as_slice(), weights.as_slice());
        let trees = match self.objective {
            Objective::Squared => loss.boost::<2>(&matrix, &columns, options, rows),
            Objective::Logistic => loss.boost::<3>(&matrix, &columns, options, rows),
        };
        let training = Training {
            row_count: self.seen,
            fitted_row_count: self.counts.iter().sum(),
            weight: weights.iter().sum(),
        };
        Some(Model::new(
            self.objective,
            training,
            columns,
            loss.base,
            trees,
        ))
    }
}

/// The objective where boosting starts.
struct Loss {
    objective: Objective,
    /// Prediction before the first tree: the mean, or its logarithm of odds.
    base: f64,
    /// Targets are learnt in units of this power of two, which no rounding can tell from the unit that they came in.
    unit: f64,
    /// Gains up to this one are rounding.
    min_gain: f64,
}

impl Loss {
    fn new(objective: Objective, targets: &[f64], weights: &[f64]) -> Self {
        // differences from the first target, so that the mean of equal targets is exactly that
        let origin = targets.first().copied().unwrap_or(0.0);
        let total: f64 = weights.iter().sum();
        let sum: f64 = targets
            .iter()
            .zip(weights)
            .map(|(y, w)| w * (y - origin))
            .sum();
        let mean = origin + sum / total;
        let farthest = targets
            .iter()
            .fold(0.0, |most: f64, y| most.max((y - mean).abs()));
        if objective == Objective::Logistic {
            let share = mean.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
            let base = (share / (1.0 - share)).ln();
            // equal targets leave nothing to learn
            let min_gain = if farthest > 0.0 {
                ROUNDING * total
            } else {
                f64::INFINITY
            };
            return Self {
                objective,
                base,
                unit: 1.0,
                min_gain,
            };
        }
        let unit = power_of_two(farthest);
        let squares = targets
            .iter()
            .zip(weights)
            .map(|(y, w)| w * ((y - mean) / unit).powi(2));
        let squares: f64 = squares.sum();
        let min_gain = if farthest > 0.0 {
            ROUNDING * squares
        } else {
            f64::INFINITY
        };
        Self {
            objective,
            base: mean,
            unit,
            min_gain,
        }
    }

    fn boost<const N: usize>(
        &self,
        matrix: &Matrix,
        columns: &[Column],
        options: &Options,
        (targets, weights): (&[f64], &[f64]),
    ) -> Vec<super::tree::Tree> {
        let min_rows = options.least_rows(weights.iter().sum());
        let rules = Rules {
            min_rows,
            l2: options.l2,
            min_gain: self.min_gain,
        };
        let mut grower = Grower::<N>::new(
            matrix,
            columns,
            rules,
            options.leaves,
            options.learning_rate,
        );
        // of the squared objective what is left over of each target, of the other the logarithm of odds
        let mut scores: Vec<f64> = match self.objective {
            Objective::Squared => vec![0.0; targets.len()],
            Objective::Logistic => vec![self.base; targets.len()],
        };
        let mut derivatives = vec![[0.0; N]; targets.len()];
        let mut trees = Vec::new();
        for _ in 0..options.trees {
            self.differentiate(&mut derivatives, &scores, (targets, weights));
            let Some(mut tree) = grower.grow(&derivatives, &mut scores) else {
                break;
            };
            tree.scale(self.unit);
            trees.push(tree);
        }
        trees
    }

    /// Derivatives of the objective at the scores.
    fn differentiate<const N: usize>(
        &self,
        derivatives: &mut [Sums<N>],
        scores: &[f64],
        (targets, weights): (&[f64], &[f64]),
    ) {
        let rows = scores.iter().zip(targets.iter().zip(weights));
        for (sums, (score, (target, weight))) in derivatives.iter_mut().zip(rows) {
            let found = match self.objective {
                Objective::Squared => {
                    let wanted = (target - self.base) / self.unit;
                    [weight * (score - wanted), *weight, *weight]
                }
                Objective::Logistic => {
                    let p = logistic(*score);
                    let curvature = (p * (1.0 - p)).max(LEAST_CURVATURE);
                    [weight * (p - target), weight * curvature, *weight]
                }
            };
            sums.iter_mut()
                .zip(found)
                .for_each(|(sum, found)| *sum = found);
        }
    }
}

/// The probability of a logarithm of odds.
pub(super) fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// The power of two that is not larger than `x`; 1 for zero.
fn power_of_two(x: f64) -> f64 {
    match x > 0.0 {
        true => x.log2().floor().exp2(),
        false => 1.0,
    }
}
