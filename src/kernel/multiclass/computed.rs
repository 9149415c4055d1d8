//! What is computed of rows under calibrators, class by class.
use super::super::exact_block::wide;
use super::super::key::Scale;
use super::calibrators::ClassCalibrators;
use super::joint::range_of_key;
use super::mass_digest::{product, units};
use super::pair_front::{NO_LABEL, PairFront};

/// What is computed of rows, by class; kept between blocks for its memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Computed {
    pub classes: Vec<ClassRows>,
    /// Sum of a row's calibrated scores.
    sums: Vec<f64>,
    /// Products of the probabilities of two classes, in units.
    pub products: Vec<u64>,
    /// Positions of the predictions; one more than there are classes where there is none.
    pub predictions: Vec<u16>,
    /// Predictions of one class, as digests tell them apart.
    pub cells: Vec<u8>,
    /// Labels, as the front of pairs takes them.
    pub labels: Vec<u8>,
    pub by_prediction: Vec<[u64; LANES]>,
    /// Positions of rows that no front takes.
    pub behind: Vec<usize>,
}

/// Sums that are added up side by side: a row need not wait for the one before it, which mostly has the same prediction.
const LANES: usize = 4;

/// Of one class.
#[derive(Debug, Clone, Default)]
pub(super) struct ClassRows {
    /// Of the scores.
    pub keys: Vec<u64>,
    calibrated: Vec<f64>,
    /// Probabilities.
    pub units: Vec<u64>,
    /// Of the ranges of the scores.
    pub places: Vec<u8>,
}

/// Replaces keys by those of scores.
#[inline(always)]
pub(super) fn set_keys(keys: &mut Vec<u64>, scores: &[f64]) {
    keys.clear();
    keys.extend(scores.iter().map(|score| Scale::Score.key(*score)));
}

impl ClassRows {
    pub fn range(&self, row: usize) -> u16 {
        self.keys.get(row).map_or(0, |key| range_of_key(*key))
    }
}

impl Computed {
    /// One row, of which the probabilities are known.
    pub fn set_row(&mut self, scores: &[f64], probabilities: &[f64]) {
        self.classes.resize_with(scores.len(), ClassRows::default);
        let rows = self.classes.iter_mut().zip(scores).zip(probabilities);
        for ((class, score), p) in rows {
            set_keys(&mut class.keys, std::slice::from_ref(score));
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
        for (calibrator, (scores, class)) in
            (calibrators.calibrators().iter()).zip(scores.iter().zip(&mut self.classes))
        {
            class.calibrated.clear();
            if !calibrator.calibrate_all(scores, &mut class.calibrated) {
                return false;
            }
        }
        wide(
            #[inline(always)]
            || self.set_units(scores),
        );
        true
    }

    /// Keys of the scores, and probabilities from what is calibrated.
    #[inline(always)]
    fn set_units(&mut self, scores: &[&[f64]]) {
        self.sums.clear();
        self.sums
            .resize(scores.first().map_or(0, |scores| scores.len()), 0.0);
        for (class, scores) in self.classes.iter_mut().zip(scores) {
            let sums = self.sums.iter_mut().zip(&class.calibrated);
            sums.for_each(|(sum, p)| *sum += p);
            set_keys(&mut class.keys, scores);
        }
        let even = 1.0 / self.classes.len() as f64;
        for class in &mut self.classes {
            let calibrated = class.calibrated.iter().zip(&self.sums);
            class.units.clear();
            class
                .units
                .extend(calibrated.map(|(p, sum)| units(if *sum > 0.0 { p / sum } else { even })));
        }
    }

    pub fn set_products(&mut self, k: usize, l: usize) {
        self.products.clear();
        if let (Some(a), Some(b)) = (self.classes.get(k), self.classes.get(l)) {
            let products = &mut self.products;
            wide(
                #[inline(always)]
                || products.extend(a.units.iter().zip(&b.units).map(|(p, q)| product(*p, *q))),
            );
        }
    }

    pub fn set_predictions(&mut self, predictions: &[Option<u16>]) {
        let none = self.classes.len() as u16;
        self.predictions.clear();
        let positions = predictions.iter().map(|of| of.unwrap_or(none).min(none));
        self.predictions.extend(positions);
    }

    pub fn set_labels(&mut self, labels: &[Option<u16>]) {
        let position =
            |label: &Option<u16>| label.map_or(NO_LABEL, |of| of.min(NO_LABEL.into()) as u8);
        self.labels.clear();
        self.labels.extend(labels.iter().map(position));
    }

    /// Sums of what `values` gives of the classes, by prediction; those without one come last.
    pub fn sum_by_prediction(&mut self, values: impl Fn(&Self) -> &[u64]) {
        let mut sums = std::mem::take(&mut self.by_prediction);
        sums.clear();
        sums.resize(self.classes.len() + 1, [0; LANES]);
        let (rows, rest) = self.predictions.as_chunks::<LANES>();
        let (values, values_of_rest) = values(self).as_chunks::<LANES>();
        for (rows, values) in rows.iter().zip(values) {
            for (lane, (prediction, value)) in rows.iter().zip(values).enumerate() {
                add_to(&mut sums, *prediction, lane, *value);
            }
        }
        for (prediction, value) in rest.iter().zip(values_of_rest) {
            add_to(&mut sums, *prediction, 0, *value);
        }
        self.by_prediction = sums;
    }

    pub fn set_places(&mut self, front: &mut PairFront) {
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
        let own = self.sums.capacity() + self.products.capacity() + self.behind.capacity();
        let rows = self.predictions.capacity() * size_of::<u16>()
            + self.cells.capacity()
            + self.labels.capacity();
        places
            + rows
            + self.by_prediction.capacity() * size_of::<[u64; LANES]>()
            + (classes + own) * size_of::<u64>()
            + self.classes.capacity() * size_of::<ClassRows>()
    }
}

#[inline(always)]
fn add_to(sums: &mut [[u64; LANES]], prediction: u16, lane: usize, value: u64) {
    let sums = sums.get_mut(usize::from(prediction));
    if let Some(sum) = sums.and_then(|sums| sums.get_mut(lane)) {
        *sum += value;
    }
}
