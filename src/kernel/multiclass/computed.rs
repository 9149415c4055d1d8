//! What is computed of rows under calibrators, class by class, and how it is added up.
use super::super::key::Scale;
use super::super::key_table::RowCount;
use super::calibrators::ClassCalibrators;
use super::estimates::ClassEstimates;
use super::expected_joint::Sums;
use super::joint::{JointCell, MOST_PAIRED, range_of_key};
use super::mass_digest::{product, square, units};
use super::pair_front::{NO_PLACE, PairFront, PairRow};

/// From so many rows on, pairs of classes are added up in a front: with three classes it is as large as what waits to be sorted.
const ROWS_FOR_FRONT: u64 = 1 << 13;

/// What is computed of rows, by class; kept between blocks for its memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Computed {
    classes: Vec<ClassRows>,
    /// Sum of a row's calibrated scores.
    sums: Vec<f64>,
    /// Products of the probabilities of two classes, in units.
    products: Vec<u64>,
    by_prediction: Vec<u64>,
}

/// Of one class.
#[derive(Debug, Clone, Default)]
struct ClassRows {
    /// Of the scores.
    keys: Vec<u64>,
    calibrated: Vec<f64>,
    /// Probabilities.
    units: Vec<u64>,
    /// Of the ranges of the scores.
    places: Vec<u8>,
}

impl ClassRows {
    fn set_keys(&mut self, scores: &[f64]) {
        self.keys.clear();
        self.keys
            .extend(scores.iter().map(|score| Scale::Score.key(*score)));
    }

    fn range(&self, row: usize) -> u16 {
        self.keys.get(row).map_or(0, |key| range_of_key(*key))
    }
}

impl Computed {
    /// One row, of which the probabilities are known.
    pub fn set_row(&mut self, scores: &[f64], probabilities: &[f64]) {
        self.classes.resize_with(scores.len(), ClassRows::default);
        let rows = self.classes.iter_mut().zip(scores).zip(probabilities);
        for ((class, score), p) in rows {
            class.set_keys(std::slice::from_ref(score));
            class.units.clear();
            class.units.push(units(*p));
        }
    }

    /// Rows by the scores of each class; false where a row has no probabilities.
    pub fn set_rows(&mut self, scores: &[&[f64]], calibrators: &ClassCalibrators) -> bool {
        let side = scores.len();
        if side == 0 || calibrators.calibrators().len() != side {
            return false;
        }
        self.classes.resize_with(side, ClassRows::default);
        self.sums.clear();
        self.sums
            .resize(scores.first().map_or(0, |scores| scores.len()), 0.0);
        let classes = calibrators.calibrators().iter().zip(scores);
        for ((calibrator, scores), class) in classes.zip(&mut self.classes) {
            class.calibrated.clear();
            if !calibrator.calibrate_all(scores, &mut class.calibrated) {
                return false;
            }
            let sums = self.sums.iter_mut().zip(&class.calibrated);
            sums.for_each(|(sum, p)| *sum += p);
            class.set_keys(scores);
        }
        let even = 1.0 / side as f64;
        for class in &mut self.classes {
            let calibrated = class.calibrated.iter().zip(&self.sums);
            class.units.clear();
            class
                .units
                .extend(calibrated.map(|(p, sum)| units(if *sum > 0.0 { p / sum } else { even })));
        }
        true
    }

    fn set_products(&mut self, k: usize, l: usize) {
        self.products.clear();
        if let (Some(a), Some(b)) = (self.classes.get(k), self.classes.get(l)) {
            let pairs = a.units.iter().zip(&b.units);
            self.products.extend(pairs.map(|(p, q)| product(*p, *q)));
        }
    }

    fn set_places(&mut self, front: &mut PairFront) {
        for (position, class) in self.classes.iter_mut().enumerate() {
            let ranges = class.keys.iter().map(|key| range_of_key(*key));
            class.places.clear();
            class
                .places
                .extend(ranges.map(|range| front.place(position, range)));
        }
    }

    pub fn heap_size(&self) -> usize {
        let words = |class: &ClassRows| {
            class.keys.capacity() + class.calibrated.capacity() + class.units.capacity()
        };
        let classes: usize = self.classes.iter().map(words).sum();
        let places: usize = self
            .classes
            .iter()
            .map(|class| class.places.capacity())
            .sum();
        let own = self.sums.capacity() + self.products.capacity() + self.by_prediction.capacity();
        places
            + (classes + own) * size_of::<u64>()
            + self.classes.capacity() * size_of::<ClassRows>()
    }
}

/// Sums of values by prediction; those without one come last.
fn sum_by_prediction(
    sums: &mut Vec<u64>,
    side: usize,
    predictions: &[Option<u16>],
    values: &[u64],
) {
    sums.clear();
    sums.resize(side + 1, 0);
    for (prediction, value) in predictions.iter().zip(values) {
        let at = prediction.map_or(side, usize::from);
        if let Some(sum) = sums.get_mut(at) {
            *sum += value;
        }
    }
}

impl ClassEstimates {
    /// Adds rows of which everything is computed, fewer than 65,536 of them. Labels are told to the realized profile only as far
    /// as pairs of classes go.
    pub(super) fn add_computed(
        &mut self,
        labels: &[Option<u16>],
        predictions: &[Option<u16>],
        computed: &mut Computed,
    ) {
        self.scored += predictions.len() as u64;
        for prediction in predictions.iter().flatten() {
            if let Some(rows) = self.predicted.get_mut(usize::from(*prediction)) {
                *rows += 1;
            }
        }
        let side = computed.classes.len();
        let is_paired = side <= MOST_PAIRED;
        if is_paired && self.front.is_none() && self.scored >= ROWS_FOR_FRONT {
            self.front = Some(Box::new(PairFront::new(side)));
        }
        if let Some(front) = &mut self.front {
            computed.set_places(front);
        }
        let mut pair = 0;
        for k in 0..side {
            self.add_class(k, predictions, computed);
            for l in k + 1..side {
                computed.set_products(k, l);
                self.add_products((k, l), predictions, computed);
                if is_paired {
                    self.add_pair(pair, (k, l), labels, computed);
                    pair += 1;
                }
            }
        }
    }

    /// Expected rows of one class, by prediction and by score.
    fn add_class(&mut self, k: usize, predictions: &[Option<u16>], computed: &mut Computed) {
        computed.set_products(k, k);
        self.add_products((k, k), predictions, computed);
        let side = computed.classes.len();
        let (Some(class), Some(digest)) = (computed.classes.get(k), self.scores.get_mut(k)) else {
            return;
        };
        let sums = &mut computed.by_prediction;
        sum_by_prediction(sums, side, predictions, &class.units);
        for (sums, sum) in self.expected.chunks_exact_mut(side).zip(sums) {
            if let Some(expected) = sums.get_mut(k) {
                *expected += u128::from(*sum);
            }
        }
        let rows = class
            .keys
            .iter()
            .zip(class.units.iter().zip(&computed.products));
        for ((key, (p, product)), prediction) in rows.zip(predictions) {
            let cell = prediction.map_or(2, |of| u8::from(usize::from(of) == k));
            digest.add(*key, cell, *p, square(*product));
        }
    }

    /// Products of two classes by prediction.
    fn add_products(
        &mut self,
        (k, l): (usize, usize),
        predictions: &[Option<u16>],
        computed: &mut Computed,
    ) {
        let side = computed.classes.len();
        let sums = &mut computed.by_prediction;
        sum_by_prediction(sums, side, predictions, &computed.products);
        let by_prediction = self.products.chunks_exact_mut(side * side);
        for (products, sum) in by_prediction.zip(sums) {
            let both = [k * side + l, l * side + k];
            for at in both.iter().take(if k == l { 1 } else { 2 }) {
                if let Some(product) = products.get_mut(*at) {
                    *product += u128::from(*sum);
                }
            }
        }
    }

    /// How the probabilities of two classes, and labels, go together.
    fn add_pair(
        &mut self,
        pair: usize,
        classes: (usize, usize),
        labels: &[Option<u16>],
        computed: &Computed,
    ) {
        let of = (
            computed.classes.get(classes.0),
            computed.classes.get(classes.1),
        );
        let (Some(a), Some(b)) = of else { return };
        let units = a.units.iter().zip(&b.units).zip(&computed.products);
        let rows = units.zip(labels).enumerate();
        for (position, (((p, q), product), label)) in rows {
            let place = |class: &ClassRows| class.places.get(position).copied();
            let row = PairRow {
                places: (place(a).unwrap_or(NO_PLACE), place(b).unwrap_or(NO_PLACE)),
                units: [*p, *q, *product],
                label: *label,
            };
            let taken = self.front.as_mut().map(|front| front.add(pair, row));
            if taken != Some(true) {
                let cell = JointCell {
                    classes,
                    ranges: (a.range(position), b.range(position)),
                    label: 0,
                };
                self.add_pair_behind(pair, cell, row);
            }
        }
    }

    /// Adds what the front does not take, and what the front held of it.
    #[inline(never)]
    fn add_pair_behind(&mut self, pair: usize, cell: JointCell, row: PairRow) {
        if let Some(front) = &mut self.front {
            front.empty_slot(pair, row.places, &mut self.joint, &mut self.realized.joint);
        }
        self.joint.add(cell, Sums::of(1, row.units));
        if let Some(label) = row.label.map(usize::from) {
            self.realized
                .joint
                .add(JointCell { label, ..cell }, RowCount(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::calibrator::CalibrationMode;
    use super::super::super::digest::DigestLimits;
    use super::super::block::ScoredRows;
    use super::super::profile::MulticlassProfile;
    use super::*;

    const LIMITS: DigestLimits = DigestLimits {
        max_bins: 64,
        min_level: 0,
    };

    struct Table {
        labels: Vec<Option<u16>>,
        predictions: Vec<Option<u16>>,
        scores: [Vec<f64>; 3],
    }

    /// So many rows that fronts are built and slots fill up: half of the scores of a class are the same, a few are near 0 or 1.
    fn table(rows: u64) -> Table {
        let noise = |i: u64, k: u64| (i * (2 * k + 3) * 7919 + k) % 10_007;
        let score = |i: u64, k: u64| match noise(i, k) {
            x if x < 5_000 => 0.25 + k as f64 / 8.0,
            x if x < 5_100 => 0.5f64.powi(x as i32 - 4_990),
            x if x < 5_150 => 1.0 - 0.5f64.powi(x as i32 - 5_098),
            x => x as f64 / 10_007.0,
        };
        Table {
            labels: (0..rows)
                .map(|i| (i % 5 > 0).then_some((i * 31 % 7 % 3) as u16))
                .collect(),
            predictions: (0..rows)
                .map(|i| (i % 11 > 0).then_some((i * 17 % 5 % 3) as u16))
                .collect(),
            scores: [0, 1, 2].map(|k| (0..rows).map(|i| score(i, k)).collect()),
        }
    }

    fn names() -> Vec<String> {
        ["a", "b", "c"].map(String::from).to_vec()
    }

    impl Table {
        fn calibrators(&self) -> ClassCalibrators {
            let mut reference = MulticlassProfile::new(names(), LIMITS).unwrap();
            for (i, label) in self.labels.iter().enumerate().take(2_000) {
                let scores = self.scores.each_ref().map(|of| Some(of[i]));
                reference.observe(label.map(usize::from), None, &scores);
            }
            ClassCalibrators::fit(&mut reference, &[CalibrationMode::Always]).unwrap()
        }

        fn observed(&self, parts: usize, fit: &ClassCalibrators) -> Vec<ClassEstimates> {
            let rows = ScoredRows {
                labels: &self.labels,
                predictions: &self.predictions,
                scores: self.scores.iter().map(Vec::as_slice).collect(),
            };
            let each = self.labels.len().div_ceil(parts);
            let part = |part: usize| {
                let (start, end) = (part * each, ((part + 1) * each).min(self.labels.len()));
                let mut observed = ClassEstimates::new(names(), LIMITS).unwrap();
                observed.observe_all(&rows.part(start..end).unwrap(), Some(fit));
                observed
            };
            (0..parts).map(part).collect()
        }
    }

    #[test]
    fn fronts_hold_what_tables_would() {
        let table = table(400_000);
        let fit = table.calibrators();
        let mut whole = table.observed(1, &fit).remove(0);
        assert!(whole.front.is_some() && whole.scores.iter().all(|digest| digest.has_front()));
        // what is read before the front is emptied
        let cells = whole.joint().numbers();
        // parts that are too small for fronts
        let mut merged = ClassEstimates::new(names(), LIMITS).unwrap();
        for mut part in table.observed(100, &fit) {
            assert!(part.front.is_none());
            merged.merge(&mut part).unwrap();
        }
        assert_eq!(merged.joint().numbers(), cells);
        let pairs = merged.joint().numbers();
        assert_eq!(pairs.iter().map(|cell| cell.rows).sum::<f64>(), 1_200_000.0);
        assert_eq!(whole.to_bytes(), merged.to_bytes());
        assert_eq!(
            whole.to_bytes(),
            ClassEstimates::from_bytes(&merged.to_bytes())
                .unwrap()
                .to_bytes()
        );
    }
}
