//! Log loss and Brier score, expected and realized, with certified errors.
//!
//! Both are means of a loss that is convex in the score for either label, so the rows of a bin
//! whose mean score is known lose at least what they would at the mean, at most what they would
//! at the ends (Jensen). The value takes them at the mean.
use super::estimate_ranking::{calibrator_variance, label_skew, label_variance};
use super::expected::Expected;
use super::group::Group;
use super::hull::{Bounds, mean_of_convex};
use super::prediction_interval::Estimate;
use super::roc_auc::small_sample;

/// Probabilities are kept this far from 0 and 1 in logarithms, as in scikit-learn 1.2, so that
/// one certain and wrong row does not make the mean infinite.
const CLIP: f64 = 1e-15;

/// Loss of a row with score `f` in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// `-ln f` for a positive, `-ln (1 - f)` for a negative row.
    Log,
    /// `(1 - f)^2` for a positive, `f^2` for a negative row.
    Squared,
}

impl Loss {
    fn positive(self, f: f64) -> f64 {
        match self {
            Self::Log => -f.clamp(CLIP, 1.0).ln(),
            Self::Squared => (1.0 - f) * (1.0 - f),
        }
    }

    fn negative(self, f: f64) -> f64 {
        self.positive(1.0 - f)
    }

    /// Change of the expected loss with the probability of the label; falls with `f`.
    fn slope(self, f: f64) -> f64 {
        self.positive(f) - self.negative(f)
    }

    /// Expected loss at probability `c` of a positive label.
    fn expected(self, c: f64, f: f64) -> f64 {
        // a known label spares the other logarithm
        if c >= 1.0 {
            self.positive(f)
        } else if c <= 0.0 {
            self.negative(f)
        } else {
            c * self.positive(f) + (1.0 - c) * self.negative(f)
        }
    }

    /// Influence of a row of each group on the mean loss; groups by label.
    pub fn influences(self, by_label: &[Vec<Group>; 2]) -> Option<[Vec<f64>; 2]> {
        let [negatives, positives] = by_label;
        let (value, ..) = realized_loss(self, negatives, positives)?;
        let rows: f64 = by_label.iter().flatten().map(|group| group.rows).sum();
        let of = |label: f64, groups: &[Group]| {
            let loss = |group: &Group| self.expected(label, within_unit(group).mean);
            groups
                .iter()
                .map(|group| (loss(group) - value) / rows)
                .collect()
        };
        Some([of(0.0, negatives), of(1.0, positives)])
    }

    /// What the mean expected loss of a group can be, at one probability for all its rows.
    fn mean(self, c: f64, group: &Group) -> Bounds {
        let clipped = group.lower < CLIP || group.upper > 1.0 - CLIP;
        if self == Self::Log && clipped && !group.is_exact() {
            // not convex where it is cut off
            return Bounds {
                low: c * self.positive(group.upper) + (1.0 - c) * self.negative(group.lower),
                high: c * self.positive(group.lower) + (1.0 - c) * self.negative(group.upper),
            };
        }
        mean_of_convex(|f| self.expected(c, f), group)
    }
}

/// The group with its scores cut to `[0, 1]`: a coarse bin may reach beyond them.
fn within_unit(group: &Group) -> Group {
    Group {
        mean: group.mean.clamp(0.0, 1.0),
        lower: group.lower.clamp(0.0, 1.0),
        upper: group.upper.clamp(0.0, 1.0),
        ..*group
    }
}

/// Sum of losses over groups: value, certified error, and squares for the variance.
#[derive(Default)]
struct Total {
    rows: f64,
    sum: f64,
    slack: f64,
    squares: f64,
}

impl Total {
    fn add(&mut self, rows: f64, value: f64, bounds: Bounds) {
        self.rows += rows;
        self.sum += rows * value;
        self.squares += rows * value * value;
        self.slack += rows * (bounds.high - value).max(value - bounds.low).max(0.0);
    }

    fn value(&self) -> f64 {
        self.sum / self.rows
    }

    fn row_variance(&self) -> f64 {
        let mean = self.value();
        let spread = (self.squares / self.rows - mean * mean).max(0.0);
        small_sample(self.rows) * spread / self.rows
    }
}

/// Expected mean loss of a chunk; `None` without rows.
///
/// With `q` the probability used for a bin and `L` the slope, the mean loss is that at `q` for
/// all rows, plus `(mean c - q) mean L`, plus the covariance of `c` and `L` in the bin. The last
/// is not positive, since one rises and the other falls, and at least `-1/4` of the product of
/// their ranges (Gruess 1935).
pub(crate) fn estimate_loss(
    loss: Loss,
    expected: &[Expected],
    level_variances: &[f64],
) -> Option<Estimate> {
    let mut total = Total::default();
    let mut slopes = Vec::with_capacity(expected.len());
    for part in expected {
        let group = within_unit(&part.group);
        let (first, last) = (loss.slope(group.lower), loss.slope(group.upper));
        let level = part.slack * first.abs().max(last.abs());
        let together = (part.range.high - part.range.low) * (first - last) / 4.0;
        let at = loss.mean(part.c, &group);
        let bounds = Bounds {
            low: at.low - level - together,
            high: at.high + level,
        };
        total.add(part.rows, loss.expected(part.c, group.mean), bounds);
        slopes.push(loss.slope(group.mean));
    }
    let rows = total.rows;
    let gradient = || slopes.iter().map(|slope| slope / rows);
    (rows > 0.0).then(|| Estimate {
        value: total.value(),
        slack: total.slack / rows,
        label_variance: label_variance(expected, gradient()),
        label_skew: label_skew(expected, gradient()),
        calibrator_variance: calibrator_variance(expected, gradient(), level_variances),
        row_variance: total.row_variance(),
        ..Estimate::default()
    })
}

/// Mean loss of labelled rows: value, certified error, variance. Groups by label.
pub(crate) fn realized_loss(
    loss: Loss,
    negatives: &[Group],
    positives: &[Group],
) -> Option<(f64, f64, f64)> {
    let mut total = Total::default();
    for (label, groups) in [(0.0, negatives), (1.0, positives)] {
        for group in groups.iter().map(within_unit) {
            let value = loss.expected(label, group.mean);
            total.add(group.rows, value, loss.mean(label, &group));
        }
    }
    (total.rows > 0.0).then(|| {
        let slack = total.slack / total.rows;
        (total.value(), slack, total.row_variance())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(rows: u32, lower: f64, mean: f64, upper: f64) -> Group {
        Group {
            rows: f64::from(rows),
            mean,
            lower,
            upper,
            mean_known: true,
        }
    }

    #[test]
    fn realized_losses_by_hand() {
        let negatives = [group(2, 0.25, 0.25, 0.25)];
        let positives = [group(1, 0.5, 0.5, 0.5)];
        let (brier, slack, _) = realized_loss(Loss::Squared, &negatives, &positives).unwrap();
        // (2 * .0625 + .25) / 3
        assert_eq!((brier, slack), (0.125, 0.0));
        let (log, _, _) = realized_loss(Loss::Log, &negatives, &positives).unwrap();
        let by_hand = -(2.0 * 0.75f64.ln() + 0.5f64.ln()) / 3.0;
        assert!((log - by_hand).abs() < 1e-15);
    }

    #[test]
    fn the_bound_holds_rows_at_the_ends() {
        // two negatives at 0 and .5 lose (0 + .25) / 2; at their mean they would lose .0625
        let (value, slack, _) =
            realized_loss(Loss::Squared, &[group(2, 0.0, 0.25, 0.5)], &[]).unwrap();
        assert!(value <= 0.125 && value + slack >= 0.125 - 1e-12);
    }

    #[test]
    fn certain_and_wrong_is_finite() {
        let (value, _, _) = realized_loss(Loss::Log, &[group(1, 1.0, 1.0, 1.0)], &[]).unwrap();
        assert!((value + CLIP.ln()).abs() < 1e-9);
        assert!(realized_loss(Loss::Log, &[], &[]).is_none());
    }
}
