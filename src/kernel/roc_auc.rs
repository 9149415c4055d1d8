//! Area under the ROC curve from masses of positives and negatives in ascending order of score.
//!
//! The same arithmetic serves labels (masses are counts) and calibrated probabilities (masses are
//! their sums). A row cannot be compared with itself, so `sum c (1 - c)` is taken out of the pairs;
//! it is 0 for labels.

/// Rows that share a bin: ties among themselves, above all earlier masses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Mass {
    /// Number of rows.
    pub rows: f64,
    /// Sum of their probabilities of being positive; labels count as 0 and 1.
    pub positives: f64,
    /// Sum of `c (1 - c)`: the chance of each row to be compared with itself.
    pub noise: f64,
}

impl Mass {
    pub fn negatives(&self) -> f64 {
        self.rows - self.positives
    }

    /// Rows whose labels are known.
    pub fn labelled(negatives: u64, positives: u64) -> Self {
        Self {
            rows: (negatives + positives) as f64,
            positives: positives as f64,
            noise: 0.0,
        }
    }
}

/// ROC AUC with all that its error bars need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RocAuc {
    /// `(S - d / 2) / (P N - d)`, before any offset.
    pub value: f64,
    /// `P N - d`: expected number of pairs of a positive and a negative row.
    pub pairs: f64,
    pub rows: f64,
    pub positives: f64,
    /// Per mass: change of `S` with its positives, `N_below + (N - P) / 2 - P_above`.
    slopes: Vec<f64>,
}

/// ROC AUC; `None` when no positive can meet a negative.
///
/// * Source: Mann-Whitney statistic with ties counted one half; self-pairs are taken out of
///   numerator and denominator (they pull the estimate to one half in small chunks).
pub(crate) fn roc_auc(masses: &[Mass]) -> Option<RocAuc> {
    let rows: f64 = masses.iter().map(|mass| mass.rows).sum();
    let positives: f64 = masses.iter().map(|mass| mass.positives).sum();
    let noise: f64 = masses.iter().map(|mass| mass.noise).sum();
    let pairs = positives * (rows - positives) - noise;
    let (mut ordered, mut negatives_below, mut positives_below) = (0.0, 0.0, 0.0);
    let mut slopes = Vec::with_capacity(masses.len());
    for mass in masses {
        let negatives = mass.negatives();
        ordered += mass.positives * (negatives_below + negatives / 2.0);
        let positives_above = positives - positives_below - mass.positives;
        slopes.push(negatives_below + (negatives - mass.positives) / 2.0 - positives_above);
        negatives_below += negatives;
        positives_below += mass.positives;
    }
    let value = (ordered - noise / 2.0) / pairs;
    // below this the pairs are the rounding of a chunk of one row or one class
    let defined = pairs > 1e-12 * positives * (rows - positives) && value.is_finite();
    defined.then(|| RocAuc {
        value: value.clamp(0.0, 1.0),
        pairs,
        rows,
        positives,
        slopes,
    })
}

impl RocAuc {
    /// Derivative with respect to the probability of a row of each mass, whose mean is `c`.
    ///
    /// `{a_i - A (N - P + 2 c_i - 1)} / (P N - d)`, a_i = slope without the row itself.
    pub fn gradient<'a>(&'a self, masses: &'a [Mass]) -> impl Iterator<Item = f64> + 'a {
        let balance = self.rows - 2.0 * self.positives;
        masses.iter().zip(&self.slopes).map(move |(mass, slope)| {
            let own = 2.0 * mass.positives / mass.rows - 1.0;
            (slope + own / 2.0 - self.value * (balance + own)) / self.pairs
        })
    }

    /// Change of `S` with the positives of each mass.
    pub fn slopes(&self) -> &[f64] {
        &self.slopes
    }

    /// Variance from sampling rows: sum of squared influence of the rows' probabilities.
    ///
    /// `psi_i = (h_i - A q_i) / (P N - d)` with `h_i` the pairs that a row wins as a positive
    /// and as a negative, `q_i` the pairs it takes part in.
    pub fn row_variance(&self, masses: &[Mass]) -> f64 {
        let negatives = self.rows - self.positives;
        let (mut below, mut above, mut total) = (0.0, self.positives, 0.0);
        for mass in masses {
            above -= mass.positives;
            let c = mass.positives / mass.rows;
            let own = c * (1.0 - c);
            let wins_as_positive = c * (below + mass.negatives() / 2.0) - own / 2.0;
            let wins_as_negative = (1.0 - c) * (above + mass.positives / 2.0) - own / 2.0;
            let pairs = c * (negatives - (1.0 - c)) + (1.0 - c) * (self.positives - c);
            let influence = wins_as_positive + wins_as_negative - self.value * pairs;
            total += mass.rows * influence * influence;
            below += mass.negatives();
        }
        small_sample(self.rows) * total / (self.pairs * self.pairs)
    }

    /// Variance from sampling rows whose labels are known; masses hold counts.
    ///
    /// * Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845: the variance
    ///   of the share of negatives below each positive over the positives, plus that of the
    ///   share of positives above each negative over the negatives.
    pub fn labelled_variance(&self, masses: &[Mass]) -> f64 {
        let (positives, negatives) = (self.positives, self.rows - self.positives);
        let (mut over_positives, mut over_negatives) = (0.0, 0.0);
        for (mass, [lost, won]) in masses.iter().zip(self.labelled_influences(masses)) {
            over_positives += mass.positives * won * won;
            over_negatives += mass.negatives() * lost * lost;
        }
        small_sample(positives) * over_positives + small_sample(negatives) * over_negatives
    }

    /// Influence of a negative and of a positive row of each mass, whose labels are known.
    pub fn labelled_influences<'a>(
        &'a self,
        masses: &'a [Mass],
    ) -> impl Iterator<Item = [f64; 2]> + 'a {
        let (positives, negatives) = (self.positives, self.rows - self.positives);
        let (mut below, mut above) = (0.0, positives);
        masses.iter().map(move |mass| {
            above -= mass.positives;
            let won = (below + mass.negatives() / 2.0) / negatives - self.value;
            let lost = (above + mass.positives / 2.0) / positives - self.value;
            below += mass.negatives();
            [lost / negatives, won / positives]
        })
    }
}

/// `n / (n - 1)`: influences are taken around an estimated value.
pub(crate) fn small_sample(rows: f64) -> f64 {
    if rows > 1.0 { rows / (rows - 1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(rows: &[f64]) -> Vec<Mass> {
        rows.iter()
            .map(|&c| Mass {
                rows: 1.0,
                positives: c,
                noise: c * (1.0 - c),
            })
            .collect()
    }

    #[test]
    fn labels_count_pairs_with_ties_one_half() {
        // scores .1 -, .2 +-, .3 +: pairs (.2,.1) 1, (.2,.2) 1/2, (.3,.1) 1, (.3,.2) 1 of 4
        let masses = [(1, 0), (1, 1), (0, 1)].map(|(n, p)| Mass::labelled(n, p));
        assert_eq!(roc_auc(&masses).unwrap().value, 3.5 / 4.0);
    }

    #[test]
    fn self_pairs_are_taken_out() {
        // c = .25, .75: pairs of two rows: (.75)(.75) ordered against (.25)(.25)
        // = .5625 / (.5625 + .0625) = .9; with self-pairs (.5625 + .1875) / 1 = .75
        let masses = expected(&[0.25, 0.75]);
        assert!((roc_auc(&masses).unwrap().value - 0.9).abs() < 1e-15);
        let plain = masses.map_noise_away();
        assert!((roc_auc(&plain).unwrap().value - 0.75).abs() < 1e-15);
    }

    trait NoiseAway {
        fn map_noise_away(&self) -> Vec<Mass>;
    }

    impl NoiseAway for Vec<Mass> {
        fn map_noise_away(&self) -> Vec<Mass> {
            self.iter()
                .map(|mass| Mass {
                    noise: 0.0,
                    ..*mass
                })
                .collect()
        }
    }

    #[test]
    fn gradient_is_the_finite_difference() {
        let base = [0.1, 0.3, 0.2, 0.6, 0.9];
        let auc = roc_auc(&expected(&base)).unwrap();
        let gradient: Vec<f64> = auc.gradient(&expected(&base)).collect();
        for (index, slope) in gradient.iter().enumerate() {
            let mut moved = base;
            moved[index] += 1e-6;
            let change = roc_auc(&expected(&moved)).unwrap().value - auc.value;
            assert!((change / 1e-6 - slope).abs() < 1e-5, "{index}");
        }
    }

    #[test]
    fn one_class_or_one_row_has_no_pairs() {
        assert_eq!(roc_auc(&[Mass::labelled(0, 5)]), None);
        assert_eq!(roc_auc(&expected(&[0.3])), None);
        assert_eq!(roc_auc(&[]), None);
    }
}
