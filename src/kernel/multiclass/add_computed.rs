//! How what is computed of rows is added up.
use super::super::key_table::RowCount;
use super::computed::Computed;
use super::estimates::ClassEstimates;
use super::expected_joint::Sums;
use super::joint::{JointCell, MOST_PAIRED};
use super::mass_digest::MassRows;
use super::pair_front::{NO_LABEL, PairFront, PairRow, PairRows};

/// From so many rows on, pairs of classes are added up in a front: with three classes it is as large as what waits to be sorted.
const ROWS_FOR_FRONT: u64 = 1 << 13;

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
        computed.set_predictions(predictions);
        let side = computed.classes.len();
        let is_paired = side <= MOST_PAIRED;
        if is_paired {
            computed.set_labels(labels);
        }
        if is_paired && self.front.is_none() && self.scored >= ROWS_FOR_FRONT {
            self.front = Some(Box::new(PairFront::new(side)));
        }
        if let Some(front) = &mut self.front {
            computed.set_places(front);
        }
        let mut pair = 0;
        for k in 0..side {
            self.add_class(k, computed);
            for l in k + 1..side {
                computed.set_products(k, l);
                self.add_products((k, l), computed);
                if is_paired {
                    self.add_pair(pair, (k, l), computed);
                    pair += 1;
                }
            }
        }
    }

    /// Expected rows of one class, by prediction and by score.
    fn add_class(&mut self, k: usize, computed: &mut Computed) {
        computed.sum_by_prediction(|computed| {
            let class = computed.classes.get(k);
            class.map_or(&[], |class| class.units.as_slice())
        });
        let side = computed.classes.len();
        for (expected, sums) in (self.expected.chunks_exact_mut(side)).zip(&computed.by_prediction)
        {
            if let Some(expected) = expected.get_mut(k) {
                *expected += sums.iter().map(|sum| u128::from(*sum)).sum::<u128>();
            }
        }
        computed.set_products(k, k);
        self.add_products((k, k), computed);
        let (Some(class), Some(digest)) = (computed.classes.get(k), self.scores.get_mut(k)) else {
            return;
        };
        // of another class, of this one, or of none
        let cell = |of: &u16| match usize::from(*of) == side {
            true => 2,
            false => u8::from(usize::from(*of) == k),
        };
        computed.cells.clear();
        computed.cells.extend(computed.predictions.iter().map(cell));
        digest.add_all(&MassRows {
            keys: &class.keys,
            cells: &computed.cells,
            units: &class.units,
            products: &computed.products,
        });
    }

    /// Products of two classes by prediction.
    fn add_products(&mut self, (k, l): (usize, usize), computed: &mut Computed) {
        computed.sum_by_prediction(|computed| &computed.products);
        let side = computed.classes.len();
        let by_prediction = self.products.chunks_exact_mut(side * side);
        for (products, sums) in by_prediction.zip(&computed.by_prediction) {
            let sum = sums.iter().map(|sum| u128::from(*sum)).sum::<u128>();
            let both = [k * side + l, l * side + k];
            for at in both.iter().take(if k == l { 1 } else { 2 }) {
                if let Some(product) = products.get_mut(*at) {
                    *product += sum;
                }
            }
        }
    }

    /// How the probabilities of two classes, and labels, go together.
    fn add_pair(&mut self, pair: usize, classes: (usize, usize), computed: &mut Computed) {
        let of = (
            computed.classes.get(classes.0),
            computed.classes.get(classes.1),
        );
        let (Some(a), Some(b)) = of else { return };
        let rows = PairRows {
            places: [&a.places, &b.places],
            units: [&a.units, &b.units, &computed.products],
            labels: &computed.labels,
        };
        computed.behind.clear();
        match &mut self.front {
            Some(front) => front.add_all(pair, &rows, &mut computed.behind),
            None => computed.behind.extend(0..computed.labels.len()),
        }
        for &position in &computed.behind {
            let cell = JointCell {
                classes,
                ranges: (a.range(position), b.range(position)),
                label: 0,
            };
            if let Some(row) = rows.row(position) {
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
        if row.label != NO_LABEL {
            let label = usize::from(row.label);
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
    use super::super::calibrators::ClassCalibrators;
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
