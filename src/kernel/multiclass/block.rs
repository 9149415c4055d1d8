//! Many rows at once, class by class: what is looked up for one row need not wait for what was looked up for another.
use super::super::key::{LARGEST_SCORE, Scale};
use super::super::key_table::RowCount;
use super::super::score_profile::class_of;
use super::calibrators::ClassCalibrators;
use super::estimates::ClassEstimates;
use super::joint::{JointCell, MOST_PAIRED, range_of};
use super::mass_digest::{Masses, product, units};
use super::profile::MulticlassProfile;

/// Rows that are read together.
const BLOCK: usize = 256;

/// Rows whose scores are all known, column by column and of equal length.
#[derive(Debug, Clone)]
pub struct ScoredRows<'a> {
    /// Positions of the labels.
    pub labels: &'a [Option<u16>],
    /// Positions of the predictions.
    pub predictions: &'a [Option<u16>],
    /// Of each class.
    pub scores: Vec<&'a [f64]>,
}

/// What is computed of a block, by class.
#[derive(Debug, Clone)]
struct Computed {
    units: Vec<[u64; BLOCK]>,
    ranges: Vec<[u16; BLOCK]>,
}

impl<'a> ScoredRows<'a> {
    /// Some of the rows.
    pub fn part(&self, rows: std::ops::Range<usize>) -> Option<Self> {
        let scores: Option<Vec<&[f64]>> = self
            .scores
            .iter()
            .map(|scores| scores.get(rows.clone()))
            .collect();
        Some(Self {
            labels: self.labels.get(rows.clone())?,
            predictions: self.predictions.get(rows)?,
            scores: scores?,
        })
    }

    /// One row: label, prediction and scores.
    fn row(&self, row: usize, scores: &mut Vec<Option<f64>>) -> [Option<usize>; 2] {
        scores.clear();
        scores.extend(
            self.scores
                .iter()
                .map(|of_class| of_class.get(row).copied()),
        );
        [self.labels, self.predictions]
            .map(|column| column.get(row).copied().flatten().map(usize::from))
    }

    /// Whether profiles take every score.
    fn is_valid(&self) -> bool {
        let valid = |x: &f64| (f64::MIN..=LARGEST_SCORE).contains(x);
        self.scores.iter().all(|scores| scores.iter().all(valid))
    }
}

impl ClassEstimates {
    /// Adds rows, as [`Self::observe`] would one by one.
    pub fn observe_all(&mut self, rows: &ScoredRows, calibrators: Option<&ClassCalibrators>) {
        let count = rows.labels.len();
        let mut scores = vec![];
        for start in (0..count).step_by(BLOCK) {
            let Some(block) = rows.part(start..count.min(start + BLOCK)) else {
                return;
            };
            let computed = calibrators
                .filter(|_| block.is_valid() && !block.scores.is_empty())
                .and_then(|calibrators| Computed::of(&block, calibrators));
            match computed {
                Some(computed) => self.add_block(&block, &computed),
                None => {
                    for row in 0..block.labels.len() {
                        let [label, prediction] = block.row(row, &mut scores);
                        self.observe(label, prediction, &scores, calibrators);
                    }
                }
            }
        }
    }

    fn add_block(&mut self, rows: &ScoredRows, computed: &Computed) {
        self.realized.add_block(rows, computed);
        self.scored += rows.labels.len() as u64;
        let known = rows.predictions.iter().filter(|of| of.is_some());
        self.with_prediction += known.count() as u64;
        let classes = self
            .scores
            .iter_mut()
            .zip(&rows.scores)
            .zip(&computed.units);
        for (class, ((digest, scores), units)) in classes.enumerate() {
            let rows = scores.iter().zip(units).zip(rows.predictions);
            for ((score, p), prediction) in rows {
                let predicted = prediction.map_or(2, |of| u8::from(usize::from(of) == class));
                digest.add([Scale::Score.key(*score)], predicted, Masses::of(*p));
            }
        }
        for (classes, [a, b]) in pairs_of(&computed.ranges) {
            let (k, l) = classes;
            let units = computed.units.get(k).zip(computed.units.get(l));
            let Some((p, q)) = units else { continue };
            let pairs = a.iter().zip(b).zip(p.iter().zip(q));
            for ((a, b), (p, q)) in pairs.take(rows.labels.len()) {
                self.joint.add_pair(classes, (*a, *b), [*p, *q]);
            }
        }
        for (row, prediction) in rows.predictions.iter().enumerate() {
            if let Some(prediction) = prediction {
                self.add_products(usize::from(*prediction), row, &computed.units);
            }
        }
    }

    fn add_products(&mut self, prediction: usize, row: usize, units: &[[u64; BLOCK]]) {
        let side = units.len();
        if let Some(rows) = self.predicted.get_mut(prediction) {
            *rows += 1;
        }
        let of = |class: &[u64; BLOCK]| class.get(row).copied().unwrap_or(0);
        let sums = self.expected.chunks_exact_mut(side).nth(prediction);
        for (sum, class) in sums.into_iter().flatten().zip(units) {
            *sum += u128::from(of(class));
        }
        let sums = self.products.chunks_exact_mut(side * side).nth(prediction);
        let Some(sums) = sums else { return };
        for (sums, p) in sums.chunks_exact_mut(side).zip(units) {
            for (sum, q) in sums.iter_mut().zip(units) {
                *sum += product(of(p), of(q));
            }
        }
    }
}

impl MulticlassProfile {
    fn add_block(&mut self, rows: &ScoredRows, computed: &Computed) {
        let labels = || rows.labels.iter().map(|label| label.map(usize::from));
        for (label, prediction) in labels().zip(rows.predictions) {
            // rows without a label are not told to the realized profile
            if let Some(label) = label {
                self.count(Some(label), prediction.map(usize::from));
            }
        }
        let classes = self.scores.iter_mut().zip(&rows.scores);
        for (class, (profile, scores)) in classes.enumerate() {
            for (label, score) in labels().zip(scores.iter()) {
                if let Some(label) = label {
                    profile.observe(class_of(None, Some(class == label)), Some(*score));
                }
            }
        }
        for (classes, [a, b]) in pairs_of(&computed.ranges) {
            for (label, (a, b)) in labels().zip(a.iter().zip(b)) {
                if let Some(label) = label {
                    let ranges = (*a, *b);
                    let cell = JointCell {
                        classes,
                        ranges,
                        label,
                    };
                    self.joint.add(cell, RowCount(1));
                }
            }
        }
    }
}

impl Computed {
    /// `None` where a row has no probabilities.
    fn of(rows: &ScoredRows, calibrators: &ClassCalibrators) -> Option<Self> {
        let side = rows.scores.len();
        if calibrators.calibrators().len() != side {
            return None;
        }
        let mut probabilities = vec![[0.0; BLOCK]; side];
        let mut computed = Self {
            units: vec![[0; BLOCK]; side],
            ranges: vec![[0; BLOCK]; side],
        };
        let mut sums = [0.0; BLOCK];
        let classes = calibrators.calibrators().iter().zip(&rows.scores);
        for ((calibrator, scores), found) in classes.zip(&mut probabilities) {
            for ((score, p), sum) in scores.iter().zip(found.iter_mut()).zip(&mut sums) {
                *p = calibrator.calibrate(*score)?;
                *sum += *p;
            }
        }
        let even = 1.0 / side as f64;
        for (found, whole) in probabilities.iter().zip(&mut computed.units) {
            for ((p, at), sum) in found.iter().zip(whole.iter_mut()).zip(&sums) {
                *at = units(if *sum > 0.0 { *p / *sum } else { even });
            }
        }
        for (scores, ranges) in rows.scores.iter().zip(&mut computed.ranges) {
            for (score, range) in scores.iter().zip(ranges.iter_mut()) {
                *range = range_of(*score);
            }
        }
        Some(computed)
    }
}

/// Every two classes with their ranges; none where there are too many classes.
fn pairs_of(ranges: &[[u16; BLOCK]]) -> impl Iterator<Item = ((usize, usize), [&[u16; BLOCK]; 2])> {
    let few = if ranges.len() <= MOST_PAIRED {
        ranges
    } else {
        &[]
    };
    let all = few.iter().enumerate();
    all.flat_map(move |(k, a)| {
        let later = few.iter().enumerate().skip(k + 1);
        later.map(move |(l, b)| ((k, l), [a, b]))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::calibrator::CalibrationMode;
    use super::*;

    type Positions = Vec<Option<u16>>;

    const CLASSES: [&str; 3] = ["a", "b", "c"];

    /// Scores of three classes, labels and predictions that are not always known.
    fn rows(count: u64) -> (Positions, Positions, [Vec<f64>; 3]) {
        let noise = |i: u64, k: u64| ((i * (2 * k + 3) * 7919 + k) % 1009 + 1) as f64 / 1010.0;
        let scores = [0, 1, 2].map(|k| (0..count).map(|i| noise(i, k)).collect());
        let labels = (0..count).map(|i| (i % 5 > 0).then_some((i * 31 % 7 % 3) as u16));
        let predictions = (0..count).map(|i| (i % 11 > 0).then_some((i * 17 % 5 % 3) as u16));
        (labels.collect(), predictions.collect(), scores)
    }

    fn names() -> Vec<String> {
        CLASSES.map(String::from).to_vec()
    }

    #[test]
    fn blocks_are_rows_one_by_one() {
        let (labels, predictions, mut scores) = rows(1500);
        let mut reference = MulticlassProfile::new(names(), Default::default()).unwrap();
        for (i, label) in labels.iter().enumerate() {
            let scores: Vec<Option<f64>> = scores.iter().map(|of| Some(of[i])).collect();
            reference.observe(label.map(usize::from), None, &scores);
        }
        let modes = [CalibrationMode::Always];
        let calibrators = ClassCalibrators::fit(&mut reference, &modes).unwrap();
        // a block with a score that no profile takes, among others
        scores[1][700] = f64::NAN;
        for calibrators in [Some(&calibrators), None] {
            let mut at_once = ClassEstimates::new(names(), Default::default()).unwrap();
            let mut one_by_one = at_once.clone();
            let all = ScoredRows {
                labels: &labels,
                predictions: &predictions,
                scores: scores.iter().map(Vec::as_slice).collect(),
            };
            at_once.observe_all(&all, calibrators);
            let mut row_scores = vec![];
            for row in 0..labels.len() {
                let [label, prediction] = all.row(row, &mut row_scores);
                one_by_one.observe(label, prediction, &row_scores, calibrators);
            }
            assert_eq!(at_once.to_bytes(), one_by_one.to_bytes());
        }
    }
}
