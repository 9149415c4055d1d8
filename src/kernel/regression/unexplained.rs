//! The share of the labels' variance that a regression leaves.
use super::sums::Term;

/// A mean this many standard deviations from 0 leaves no digits for fourth powers around it.
const FAR_FROM_ZERO: f64 = 1e3;

/// Where the share of the variance that is left stands.
#[derive(Debug)]
pub(super) struct Unexplained {
    pub mean: f64,
    /// Mean square of the labels around their mean.
    pub spread: f64,
    pub mse: f64,
    pub share: f64,
}

impl Unexplained {
    /// `(e^2 - mse) - u ((y - m)^2 - s^2)`.
    pub fn influence(&self, label: f64, prediction: f64) -> f64 {
        let (error, label) = (prediction - label, label - self.mean);
        (error * error - self.mse) - self.share * (label * label - self.spread)
    }

    /// What is more of it in another model's predictions of the same labels.
    pub fn until(&self, other: &Self) -> Self {
        Self {
            mse: other.mse - self.mse,
            share: other.share - self.share,
            ..*self
        }
    }

    /// Sum of the squares of `(e^2 - mse) - u ((y - m)^2 - s^2)` over rows that count `rows` together.
    pub fn squared_influences(&self, of: impl Fn(Term) -> f64, rows: f64) -> f64 {
        let (m, s, mse, u) = (self.mean, self.spread, self.mse, self.share);
        let errors = of(Term::Squared);
        let (around, fourths, both) = match m.abs() < FAR_FROM_ZERO * s.sqrt() {
            true => {
                let (first, second) = (of(Term::Label), of(Term::LabelSquared));
                (
                    second - 2.0 * m * first + m * m * rows,
                    of(Term::LabelFourth) - 4.0 * m * of(Term::LabelCubed) + 6.0 * m * m * second
                        - 4.0 * m.powi(3) * first
                        + rows * m.powi(4),
                    of(Term::SquaredLabelSquared) - 2.0 * m * of(Term::SquaredLabel)
                        + m * m * errors,
                )
            }
            // as of a normal label whose size tells nothing of the error
            false => (rows * s, 3.0 * rows * s * s, errors * s),
        };
        let losses = of(Term::Fourth) - 2.0 * mse * errors + rows * mse * mse;
        let together = both - s * errors - mse * around + rows * mse * s;
        let labels = fourths - 2.0 * s * around + rows * s * s;
        losses - 2.0 * u * together + u * u * labels
    }
}
