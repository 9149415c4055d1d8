//! ROC AUC and average precision from labels, with certified errors and confidence intervals.
use super::average_precision::{average_precision, mean_precision_seen};
use super::bins::ScoreBins;
use super::group::{ANY, KNOWN, count};
use super::interval::{FEW, newcombe_auc, normal_quantile, wilson};
use super::metric::{ByLabel, Metric};
use super::realized::Measured;
use super::roc_auc::{Mass, roc_auc};

/// Labelled rows in the order of their scores.
#[derive(Debug, Clone)]
pub(crate) struct LabelledRanking {
    /// Per bin: negative and positive rows.
    masses: Vec<Mass>,
    /// Whether all rows of each bin have one score.
    exact: Vec<bool>,
    /// Whether masses are numbers of rows, and not any weights.
    whole: bool,
}

impl LabelledRanking {
    pub fn new(chunk: &ScoreBins) -> Self {
        let labelled = chunk.bins.iter().filter_map(|bin| {
            let [negatives, positives] = KNOWN.map(|label| count(bin, &ANY, &[label]));
            let exact = bin.lower >= bin.upper || negatives + positives == 1;
            (negatives + positives > 0).then(|| (Mass::labelled(negatives, positives), exact))
        });
        let (masses, exact) = labelled.unzip();
        Self {
            masses,
            exact,
            whole: true,
        }
    }

    /// Rows that count unequally: their mass in each bin, and whether all of them have one score.
    pub fn weighted(bins: Vec<(Mass, bool)>, whole: bool) -> Self {
        let (masses, exact) = bins.into_iter().unzip();
        Self {
            masses,
            exact,
            whole,
        }
    }

    /// Every mass times a factor, which leaves no numbers of rows.
    pub fn scaled(&self, factor: f64) -> Self {
        let scaled = |mass: &Mass| Mass {
            rows: mass.rows * factor,
            positives: mass.positives * factor,
            noise: 0.0,
        };
        Self {
            masses: self.masses.iter().map(scaled).collect(),
            exact: self.exact.clone(),
            whole: false,
        }
    }

    /// Influences of bins on negatives and positives as those of the rows of each label, in bins that have some.
    pub fn by_label(&self, influences: &[[f64; 2]]) -> Option<ByLabel> {
        let bins = || self.masses.iter().zip(influences);
        let negatives = bins().filter(|(mass, _)| mass.negatives() > 0.0);
        let positives = bins().filter(|(mass, _)| mass.positives > 0.0);
        Some([
            negatives.map(|(_, [negative, _])| *negative).collect(),
            positives.map(|(_, [_, positive])| *positive).collect(),
        ])
    }

    /// ROC AUC. Its error inside bins is at most half the pairs of a positive and a negative that share
    /// one; its interval is DeLong's on the logit scale, or Newcombe's where rows of a class are few or
    /// the value is at an end.
    pub fn roc_auc(&self, confidence_level: f64) -> Option<Measured> {
        let auc = roc_auc(&self.masses)?;
        let (positives, negatives) = (auc.positives, auc.rows - auc.positives);
        let shared: f64 = self
            .inexact()
            .map(|mass| mass.positives * mass.negatives() / 2.0)
            .sum();
        let variance = auc.labelled_variance(&self.masses);
        let z = normal_quantile(confidence_level);
        let few = positives < FEW || negatives < FEW;
        let (lower, upper) = newcombe_auc(auc.value, positives, negatives, z);
        let at_end = auc.value <= 0.0 || auc.value >= 1.0;
        Some(Measured {
            value: auc.value,
            slack: (shared / auc.pairs).min(1.0),
            variance: if at_end {
                ((upper - lower) / (2.0 * z)).powi(2)
            } else {
                variance
            },
            bounds: if few || at_end {
                (lower, upper)
            } else {
                Metric::RocAuc
                    .scale()
                    .interval(auc.value, variance.sqrt(), z)
            },
            few: few || at_end,
        })
    }

    /// Negative and positive rows of each bin.
    pub fn rows(&self) -> impl Iterator<Item = [f64; 2]> + '_ {
        self.masses
            .iter()
            .map(|mass| [mass.negatives(), mass.positives])
    }

    /// Influence of a negative and of a positive row of each bin on ROC AUC.
    pub fn influences_on_roc_auc(&self) -> Option<Vec<[f64; 2]>> {
        let auc = roc_auc(&self.masses)?;
        Some(auc.labelled_influences(&self.masses).collect())
    }

    /// The same on average precision.
    pub fn influences_on_average_precision(&self) -> Option<Vec<[f64; 2]>> {
        Some(
            average_precision(&self.masses)?
                .labelled_influences()
                .collect(),
        )
    }

    /// Rows that share a bin without being known to share a score.
    fn inexact(&self) -> impl Iterator<Item = &Mass> {
        self.masses
            .iter()
            .zip(&self.exact)
            .filter_map(|(mass, exact)| (!exact).then_some(mass))
    }

    /// Average precision, with an interval on the logit scale.
    pub fn average_precision(&self, confidence_level: f64) -> Option<Measured> {
        let fitted = average_precision(&self.masses)?;
        let (value, slack) = self.certified_average_precision();
        let variance = fitted.labelled_variance(&self.masses);
        let z = normal_quantile(confidence_level);
        let few = fitted.positives < FEW;
        if value >= 1.0 {
            // no positive was ever outranked, which few positives do not prove of the population
            let (lower, upper) = wilson(fitted.positives, fitted.positives, z);
            return Some(Measured {
                value,
                slack,
                variance: ((upper - lower) / (2.0 * z)).powi(2),
                bounds: (lower, upper),
                few: true,
            });
        }
        Some(Measured {
            value,
            slack,
            variance,
            bounds: Metric::AveragePrecision
                .scale()
                .interval(value, variance.sqrt(), z),
            few,
        })
    }

    /// Average precision and its certified distance to that of all rows.
    ///
    /// A positive that is the i-th of its bin sees least when all negatives of the bin are above
    /// it, and most when all positives of the bin are tied above all negatives. (The best order
    /// without ties is no bound: ties lift the first positives.) The value takes the rows of a
    /// bin as untied and in random order.
    fn certified_average_precision(&self) -> (f64, f64) {
        let (mut rows, mut above, mut sum) = (0.0, 0.0, 0.0);
        let (mut up, mut down) = (0.0, 0.0);
        for (mass, exact) in self.masses.iter().zip(&self.exact).rev() {
            let (hits, misses) = (mass.positives, mass.negatives());
            if *exact {
                sum += hits * (above + hits) / (rows + mass.rows);
            } else if hits > 0.0 && !self.whole {
                let middle = hits * mean_precision_within(above, rows, mass);
                sum += middle;
                up += hits * (above + hits) / (rows + hits) - middle;
                // all negatives of the bin first, and of the first positive next to nothing
                let least = if above > 0.0 {
                    above / (rows + misses)
                } else {
                    0.0
                };
                down += middle - hits * least;
            } else if hits > 0.0 {
                let others = (hits - 1.0) / (mass.rows - 1.0);
                let middle = hits * mean_precision_seen(above + 1.0, others, rows + 1.0, mass.rows);
                let last = mean_precision_seen(above + 1.0, 1.0, rows + misses + 1.0, hits);
                sum += middle;
                up += hits * (above + hits) / (rows + hits) - middle;
                down += middle - hits * last;
            }
            rows += mass.rows;
            above += hits;
        }
        (sum / above, f64::max(up, down) / above)
    }
}

/// Mean precision over a bin whose positives and negatives come evenly, `above` positives of `rows` before them: the
/// limit of [`mean_precision_seen`] for many rows of little weight.
fn mean_precision_within(above: f64, rows: f64, mass: &Mass) -> f64 {
    let share = mass.positives / mass.rows;
    if rows <= 0.0 {
        return share;
    }
    share + (above - share * rows) / mass.rows * (mass.rows / rows).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::super::bins::{Cell, ScoreBin};
    use super::*;

    #[test]
    fn order_inside_a_bin_is_bounded() {
        // 10 positives and 1 negative share a bin below 1000 negatives: tied positives first
        // would give 10/1010, negative first and no ties sum_i i / (1001 + i) / 10
        let cell = |count, sum| Cell { count, sum };
        let mut low = ScoreBin {
            lower: 0.4,
            upper: 0.5,
            ..ScoreBin::default()
        };
        low.cells[1] = [cell(1, 0.45), cell(10, 4.5), cell(0, 0.0)];
        let mut high = ScoreBin {
            lower: 0.9,
            upper: 0.9,
            ..ScoreBin::default()
        };
        high.cells[1][0] = cell(1000, 900.0);
        let ranking = LabelledRanking::new(&ScoreBins {
            bins: vec![low, high],
            sums_exact: true,
            ..ScoreBins::default()
        });
        let measured = ranking.average_precision(0.95).unwrap();
        let worst = (1..=10)
            .map(|i| f64::from(i) / f64::from(1001 + i))
            .sum::<f64>()
            / 10.0;
        assert!(measured.value + measured.slack >= 10.0 / 1010.0 - 1e-15);
        assert!(measured.value - measured.slack <= worst + 1e-15);
        assert!(measured.slack < 0.006);
        // ten positives share a bin with one of 1001 negatives
        let auc = ranking.roc_auc(0.95).unwrap();
        assert_eq!(auc.slack, 5.0 / 10_010.0);
    }
}
