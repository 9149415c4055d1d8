//! Many rows at once, class by class: what is looked up for one row need not wait for what was looked up for another.
use super::super::key::LARGEST_SCORE;
use super::super::key_table::RowCount;
use super::super::score_profile::class_of;
use super::calibrators::ClassCalibrators;
use super::computed::{Computed, set_keys};
use super::estimates::ClassEstimates;
use super::joint::{MOST_PAIRED, range_of_key};
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
            let mut computed = std::mem::take(&mut self.computed);
            let is_computed = calibrators.is_some_and(|calibrators| {
                block.is_valid() && computed.set_rows(&block.scores, calibrators)
            });
            if is_computed {
                self.add_block(&block, &mut computed);
            }
            self.computed = computed;
            if is_computed {
                continue;
            }
            for row in 0..block.labels.len() {
                let [label, prediction] = block.row(row, &mut scores);
                self.observe(label, prediction, &scores, calibrators);
            }
        }
    }

    fn add_block(&mut self, rows: &ScoredRows, computed: &mut Computed) {
        let keys = computed.classes.iter().map(|class| class.keys.as_slice());
        self.realized.add_labelled(rows, keys);
        let known = rows.predictions.iter().filter(|of| of.is_some());
        self.with_prediction += known.count() as u64;
        self.add_computed(rows.labels, rows.predictions, computed);
    }
}

impl MulticlassProfile {
    /// Adds rows, as [`Self::observe`] would one by one.
    pub fn observe_all(&mut self, rows: &ScoredRows) {
        let count = rows.labels.len();
        let (mut scores, mut keys) = (vec![], vec![vec![]; rows.scores.len()]);
        for start in (0..count).step_by(BLOCK) {
            let Some(block) = rows.part(start..count.min(start + BLOCK)) else {
                return;
            };
            if block.scores.len() != self.scores.len() || !block.is_valid() {
                for row in 0..block.labels.len() {
                    let [label, prediction] = block.row(row, &mut scores);
                    self.observe(label, prediction, &scores);
                }
                continue;
            }
            for (keys, scores) in keys.iter_mut().zip(&block.scores) {
                set_keys(keys, scores);
            }
            let unlabelled = block.labels.iter().zip(block.predictions);
            for (_, prediction) in unlabelled.filter(|(label, _)| label.is_none()) {
                self.count(None, prediction.map(usize::from));
            }
            self.add_labelled(&block, keys.iter().map(Vec::as_slice));
            self.add_pairs(block.labels, &keys);
        }
    }

    /// How the scores of two classes go together in rows with a label.
    fn add_pairs(&mut self, labels: &[Option<u16>], keys: &[Vec<u64>]) {
        if keys.len() > MOST_PAIRED {
            return;
        }
        let labelled = labels.iter().enumerate();
        for (row, label) in labelled.filter_map(|(row, label)| Some((row, (*label)?))) {
            let mut ranges = [0; MOST_PAIRED];
            for (range, keys) in ranges.iter_mut().zip(keys) {
                *range = keys.get(row).map_or(0, |key| range_of_key(*key));
            }
            if let Some(ranges) = ranges.get(..keys.len()) {
                self.joint
                    .observe_row(usize::from(label), ranges, RowCount(1));
            }
        }
    }

    /// Adds rows but for how pairs of classes go together; those without a label are not told to it. `keys` are those of the scores
    /// of each class.
    fn add_labelled<'a>(&mut self, rows: &ScoredRows, keys: impl Iterator<Item = &'a [u64]>) {
        let mut known = 0;
        for (label, prediction) in rows.labels.iter().zip(rows.predictions) {
            if let Some(label) = label {
                known += 1;
                self.count(Some(usize::from(*label)), prediction.map(usize::from));
            }
        }
        if known == 0 {
            return;
        }
        let (mut classes, mut labelled) = ([0; BLOCK], [0; BLOCK]);
        let labels = || rows.labels.iter().flatten();
        for (class, (profile, keys)) in self.scores.iter_mut().zip(keys).enumerate() {
            for (to, label) in classes.iter_mut().zip(labels()) {
                *to = class_of(None, Some(class == usize::from(*label)));
            }
            let keys = match known == rows.labels.len() {
                true => Some(keys),
                false => {
                    let keys = rows.labels.iter().zip(keys);
                    let keys = keys.filter_map(|(label, key)| label.map(|_| *key));
                    labelled
                        .iter_mut()
                        .zip(keys)
                        .for_each(|(to, key)| *to = key);
                    labelled.get(..known)
                }
            };
            if let (Some(classes), Some(keys)) = (classes.get(..known), keys) {
                profile.observe_keys(classes, keys);
            }
        }
    }
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
        let all = ScoredRows {
            labels: &labels,
            predictions: &predictions,
            scores: scores.iter().map(Vec::as_slice).collect(),
        };
        let mut at_once = MulticlassProfile::new(names(), Default::default()).unwrap();
        let mut one_by_one = at_once.clone();
        at_once.observe_all(&all);
        let mut row_scores = vec![];
        for row in 0..labels.len() {
            let [label, prediction] = all.row(row, &mut row_scores);
            one_by_one.observe(label, prediction, &row_scores);
        }
        assert_eq!(at_once.to_bytes(), one_by_one.to_bytes());
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
