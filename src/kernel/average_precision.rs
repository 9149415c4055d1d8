//! Average precision from masses in ascending order of score.
//!
//! Rows of one mass are tied: one threshold, as scikit-learn treats ties in realized values. The
//! expected product of two rows' labels is the product of their probabilities, but that of a row
//! with itself is its probability: hence `s T + s^2 + sum c (1 - c)` for a mass with `s` positives
//! below which `T` lie above.
use super::roc_auc::{Mass, small_sample};
use statrs::function::gamma::digamma;

/// Average precision with all that its error bars need; vectors follow the masses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AveragePrecision {
    /// Before any offset.
    pub value: f64,
    pub positives: f64,
    /// Sum of `c / k` over the masses at or below this one, `k` the rows at or above each.
    reach: Vec<f64>,
    /// Sum of `c pi / k` over the masses at or below this one, `pi` the precision at each.
    weighted_reach: Vec<f64>,
    /// Precision at the mass, as the row of it that is positive sees it.
    precision: Vec<f64>,
    /// `c / k` of one row of the mass.
    own: Vec<f64>,
    pub rows: f64,
}

impl AveragePrecision {
    /// The value if all rows were tied: each positive sees itself and its share of the others.
    pub fn untold(&self) -> f64 {
        let share = self.positives / self.rows;
        share + (1.0 - share) / self.rows
    }
}

/// One threshold: `k` rows at or above it.
struct Step {
    /// Positives of the mass over `k`.
    share: f64,
    /// Probability of one of its rows over `k`.
    own: f64,
    /// Expected precision given that a row of the mass is positive.
    seen: f64,
    /// Positives at or above over `k`.
    precision: f64,
}

/// Average precision; `None` without positives.
///
/// * Source: the sum over distinct scores of recall gained times precision. MEASURED against
///   simulated labels: without the term `sum c (1 - c)` the estimate is low by up to a half when
///   there are few positives.
pub(crate) fn average_precision(masses: &[Mass]) -> Option<AveragePrecision> {
    let (mut above, mut rows, mut sum) = (0.0, 0.0, 0.0);
    let mut steps = Vec::with_capacity(masses.len());
    for mass in masses.iter().rev() {
        rows += mass.rows;
        let s = mass.positives;
        let gained = s * above + s * s + mass.noise;
        sum += gained / rows;
        above += s;
        let seen = if s > 0.0 { gained / s } else { above };
        steps.push(Step {
            share: s / rows,
            own: s / mass.rows / rows,
            seen: seen / rows,
            precision: above / rows,
        });
    }
    let value = sum / above;
    if !(above > 0.0 && value.is_finite()) {
        return None;
    }
    Some(with_reach(value, above, rows, &steps))
}

fn with_reach(value: f64, positives: f64, rows: f64, steps: &[Step]) -> AveragePrecision {
    let (mut reach, mut weighted) = (0.0, 0.0);
    let mut fitted = AveragePrecision {
        value: value.clamp(0.0, 1.0),
        positives,
        reach: Vec::with_capacity(steps.len()),
        weighted_reach: Vec::with_capacity(steps.len()),
        precision: Vec::with_capacity(steps.len()),
        own: Vec::with_capacity(steps.len()),
        rows,
    };
    for step in steps.iter().rev() {
        reach += step.share;
        weighted += step.share * step.precision;
        fitted.reach.push(reach);
        fitted.weighted_reach.push(weighted);
        fitted.precision.push(step.seen);
        fitted.own.push(step.own);
    }
    fitted
}

impl AveragePrecision {
    /// Derivative with respect to the probability of a row of each mass.
    ///
    /// `{pi_i + sum_{j != i at or below} c_j / k_j - AP} / P`: the row's own precision, what it
    /// lends to the precision of rows tied with it or below, and its share of the positives.
    pub fn gradient(&self) -> impl Iterator<Item = f64> + '_ {
        let lent = self
            .reach
            .iter()
            .zip(&self.own)
            .map(|(reach, own)| reach - own);
        self.precision
            .iter()
            .zip(lent)
            .map(move |(precision, lent)| (precision + lent - self.value) / self.positives)
    }

    /// Variance from sampling rows: sum of squared influence of the rows' probabilities.
    ///
    /// A row with probability `c` adds `c` to the positives and 1 to the rows of every threshold
    /// at or below it: `psi = {c pi + sum_{j} c_j (c - pi_j) / k_j - AP c} / P`.
    pub fn row_variance(&self, masses: &[Mass]) -> f64 {
        let reaches = self.reach.iter().zip(&self.weighted_reach);
        let total: f64 = masses
            .iter()
            .zip(self.precision.iter().zip(reaches))
            .map(|(mass, (precision, (reach, weighted)))| {
                let c = mass.positives / mass.rows;
                let influence = c * precision + c * reach - weighted - self.value * c;
                mass.rows * influence * influence
            })
            .sum();
        small_sample(self.rows) * total / (self.positives * self.positives)
    }

    /// Variance from sampling rows whose labels are known, when each mass mixes both labels.
    pub fn labelled_variance(&self, masses: &[Mass]) -> f64 {
        let total: f64 = masses
            .iter()
            .zip(self.labelled_influences())
            .map(|(mass, [lost, won])| mass.positives * won * won + mass.negatives() * lost * lost)
            .sum();
        small_sample(self.rows) * total
    }

    /// Influence of a negative and of a positive row of each mass, whose labels are known.
    pub fn labelled_influences(&self) -> impl Iterator<Item = [f64; 2]> + '_ {
        let reaches = self.reach.iter().zip(&self.weighted_reach);
        self.precision
            .iter()
            .zip(reaches)
            .map(|(precision, (reach, weighted))| {
                let as_positive = precision + reach - weighted - self.value;
                [-weighted, as_positive].map(|influence| influence / self.positives)
            })
    }
}

/// Mean precision seen by the rows of a bin whose order is not known, when they come one by one:
/// the mean of `(start + share * j) / (rows + j)` over `j = 0..count`.
///
/// * `start`: positives above the bin and the row itself; `share`: those among its other rows;
/// * `rows`: rows above the bin and the row itself.
pub(crate) fn mean_precision_seen(start: f64, share: f64, rows: f64, count: f64) -> f64 {
    // harmonic sum: term by term while that is cheap, then by the digamma function
    let harmonic: f64 = if count <= 64.0 {
        (0..count as u64).map(|j| 1.0 / (rows + j as f64)).sum()
    } else {
        digamma(rows + count) - digamma(rows)
    };
    share + (start - share * rows) * harmonic / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_a_tie() {
        // descending: + at .9, then one + and one - tied at .5, then - : 1/2 * 1/1 + 1/2 * 2/3
        let masses = [(1, 0), (1, 1), (0, 1)].map(|(n, p)| Mass::labelled(n, p));
        let fitted = average_precision(&masses).unwrap();
        assert!((fitted.value - (0.5 + 1.0 / 3.0)).abs() < 1e-15);
    }

    #[test]
    fn expectation_over_labels_of_the_numerator() {
        // rows c = .5 above c = .25: E[sum of Y_k T_k / k] = .5 * 1 + .25 * (1 + .5) / 2 = .6875
        let masses = [0.25, 0.5].map(|c: f64| Mass {
            rows: 1.0,
            positives: c,
            noise: c * (1.0 - c),
        });
        let fitted = average_precision(&masses).unwrap();
        assert!((fitted.value - 0.6875 / 0.75).abs() < 1e-15);
    }

    #[test]
    fn no_positive_mass_has_no_value() {
        assert_eq!(average_precision(&[Mass::labelled(4, 0)]), None);
        assert_eq!(average_precision(&[]), None);
    }

    #[test]
    fn mean_precision_over_a_run() {
        // (1 + 2 + 2.5 j) / (4 + j) at j = 0, 1, 2
        let direct = (3.0 / 4.0 + 5.5 / 5.0 + 8.0 / 6.0) / 3.0;
        assert!((mean_precision_seen(3.0, 2.5, 4.0, 3.0) - direct).abs() < 1e-15);
        let term = |j: u32| (3.0 + 0.5 * f64::from(j)) / (4.0 + f64::from(j));
        let long = (0..1000).map(term).sum::<f64>() / 1000.0;
        assert!((mean_precision_seen(3.0, 0.5, 4.0, 1000.0) - long).abs() < 1e-12);
    }

    #[test]
    fn gradient_is_the_finite_difference() {
        let at = |c: [f64; 4]| {
            let masses = c.map(|c| Mass {
                rows: 1.0,
                positives: c,
                noise: c * (1.0 - c),
            });
            average_precision(&masses).unwrap()
        };
        let base = [0.1, 0.3, 0.25, 0.8];
        let fitted = at(base);
        for (index, slope) in fitted.gradient().enumerate() {
            let mut moved = base;
            moved[index] += 1e-6;
            let change = (at(moved).value - fitted.value) / 1e-6;
            assert!((change - slope).abs() < 1e-5, "{index}");
        }
    }
}
