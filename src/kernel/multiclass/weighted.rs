//! The weighted multiclass profile: what realized metrics of several classes need of rows that count unequally.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::key::LARGEST_SCORE;
use super::super::key_table::CellSum;
use super::super::weight::{Weight, WeightSums, overflow};
use super::super::weighted_scores::WeightedScores;
use super::joint::{Cells, JointCell, MOST_PAIRED, range_of};
use super::profile::check_classes;

/// First bytes of a weighted multiclass profile.
pub const MAGIC: [u8; 4] = *b"MWWC";
const LAYOUT: u8 = 1;
const NAME: &str = "weighted multiclass profile";
/// Labelled rows by label, prediction and the scores of each class, with sums of their weights and of the squares of these.
///
/// Merges in any order to identical bytes. Memory: at most twice `max_bins` entries for each class, and the square of the number
/// of classes. Rows without a label leave nothing; rows without a weight, or with a weight of 0, are counted and not used.
///
/// ```
/// use modelwatch::kernel::multiclass::WeightedClasses;
/// let classes = ["basic", "plus", "pro"].map(String::from).to_vec();
/// let mut profile = WeightedClasses::new(classes, Default::default())?;
/// // label plus, predicted pro
/// profile.observe(Some(1), Some(2), &[0.1, 0.4, 0.5].map(Some), Some(2.5))?;
/// assert_eq!(profile.labelled_rows(), 1);
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeightedClasses {
    pub(super) classes: Vec<String>,
    /// Rows by label, then by prediction; the last prediction is NULL.
    matrix: Vec<WeightSums>,
    /// Rows with all scores: the scores of each class, positive where it is the label.
    pub(in super::super) scores: Vec<WeightedScores>,
    joint: Cells<WeightSums>,
    /// Labelled rows without a weight.
    unweighted: u64,
    /// Labelled and weighted rows of which a score is NaN, infinite or too large.
    pub(in super::super) invalid: u64,
}

impl WeightedClasses {
    /// An empty profile of these classes, which are told apart by their position.
    ///
    /// Errors: those of [`super::MulticlassProfile::new`].
    pub fn new(classes: Vec<String>, limits: DigestLimits) -> Result<Self, KernelError> {
        check_classes(&classes)?;
        let side = classes.len();
        Ok(Self {
            matrix: vec![WeightSums::default(); side * (side + 1)],
            scores: classes
                .iter()
                .map(|_| WeightedScores::new(limits))
                .collect(),
            classes,
            joint: Cells::default(),
            unweighted: 0,
            invalid: 0,
        })
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Adds a row by the positions of its label and prediction; one score for each class, or none at all.
    ///
    /// Errors: a weight that [`Weight::new`] refuses.
    pub fn observe(
        &mut self,
        label: Option<usize>,
        prediction: Option<usize>,
        scores: &[Option<f64>],
        weight: Option<f64>,
    ) -> Result<(), KernelError> {
        let weight = weight.map_or(Ok(None), Weight::new)?;
        let Some(label) = label else { return Ok(()) };
        let Some(weight) = weight else {
            self.unweighted += 1;
            return Ok(());
        };
        let sums = WeightSums::of(weight);
        let side = self.classes.len();
        let at = label * (side + 1) + prediction.unwrap_or(side).min(side);
        if let Some(cell) = self.matrix.get_mut(at) {
            cell.add(&sums);
        }
        if scores.is_empty() || scores.iter().any(Option::is_none) {
            return Ok(());
        }
        let valid = |x: f64| (f64::MIN..=LARGEST_SCORE).contains(&x);
        if !scores.iter().flatten().all(|score| valid(*score)) {
            self.invalid += 1;
            return Ok(());
        }
        for (class, (profile, score)) in self.scores.iter_mut().zip(scores).enumerate() {
            profile.add(None, class == label, *score, weight);
        }
        let mut ranges = [0; MOST_PAIRED];
        for (range, score) in ranges.iter_mut().zip(scores.iter().flatten()) {
            *range = range_of(*score);
        }
        if let Some(ranges) = ranges.get(..side) {
            self.joint.observe_row(label, ranges, sums);
        }
        Ok(())
    }

    /// Rows with a label and a weight.
    pub(super) fn weighted_rows(&self) -> u64 {
        self.matrix.iter().map(|sums| sums.rows).sum()
    }

    /// Rows with a label.
    pub fn labelled_rows(&self) -> u64 {
        self.weighted_rows() + self.unweighted
    }

    /// Rows of a label and a prediction, label by label.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = WeightSums> + '_ {
        let side = self.classes.len();
        let labels = self.matrix.chunks(side + 1);
        labels.flat_map(move |predictions| predictions.iter().take(side).copied())
    }

    /// All labelled and weighted rows: their weight, and the sum of its squares.
    ///
    /// Errors: squares that cannot be summed.
    pub(super) fn total(&self) -> Result<(f64, f64), KernelError> {
        if self.matrix.iter().any(WeightSums::overflows) {
            return Err(overflow());
        }
        let sum = |of: fn(&WeightSums) -> f64| self.matrix.iter().map(of).sum();
        Ok((sum(WeightSums::weight), sum(WeightSums::square)))
    }

    /// How the scores of two classes go together, by squared weights.
    pub(super) fn joint_squares(&self) -> Vec<(JointCell, f64)> {
        let cells = self.joint.cells().into_iter();
        cells.map(|(cell, sums)| (cell, sums.square())).collect()
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: those of [`super::MulticlassProfile::merge`].
    pub fn merge(&mut self, other: &Self) -> Result<(), KernelError> {
        super::profile::require_same_classes(&self.classes, &other.classes)?;
        for (profile, more) in self.scores.iter_mut().zip(&other.scores) {
            profile.merge(more)?;
        }
        for (sums, more) in self.matrix.iter_mut().zip(&other.matrix) {
            sums.add(more);
        }
        self.joint.merge(&other.joint);
        self.unweighted = self.unweighted.saturating_add(other.unweighted);
        self.invalid = self.invalid.saturating_add(other.invalid);
        Ok(())
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`Self::to_bytes`] did not write, and those of [`Self::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&Self::from_bytes(bytes)?)
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let scores: usize = self.scores.iter().map(WeightedScores::heap_size).sum();
        let names: usize = self.classes.iter().map(String::capacity).sum();
        let fixed = self.matrix.capacity() * size_of::<WeightSums>()
            + self.scores.capacity() * size_of::<WeightedScores>();
        scores + names + fixed + self.joint.heap_size()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        super::profile_bytes::write_classes(&self.classes, &mut w);
        self.matrix.iter().for_each(|sums| sums.write(&mut w));
        w.uint(self.unweighted);
        w.uint(self.invalid);
        self.scores
            .iter()
            .for_each(|scores| w.bytes(&scores.to_bytes()));
        self.joint.write(&mut w);
        w.finish()
    }

    /// Whether the bytes are whole and of this kind, from their beginning and their checksum; what they hold is not read.
    pub fn check_bytes(bytes: &[u8]) -> Result<(), KernelError> {
        reader(bytes).map(drop)
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = reader(bytes)?;
        let classes = super::profile_bytes::read_classes(&mut r)?;
        let mut profile = Self::new(classes, DigestLimits::default())?;
        for sums in &mut profile.matrix {
            *sums = WeightSums::read(&mut r)?;
        }
        (profile.unweighted, profile.invalid) = (r.uint()?, r.uint()?);
        for scores in &mut profile.scores {
            *scores = WeightedScores::from_bytes(r.bytes()?)?;
        }
        profile.joint = Cells::read(&mut r, profile.classes.len())?;
        r.finish()?;
        Ok(profile)
    }
}

/// Reads what `to_bytes` wrote, once kind, layout and checksum are checked.
fn reader(bytes: &[u8]) -> Result<Reader<'_>, KernelError> {
    Reader::new(bytes, MAGIC, LAYOUT, NAME)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::jackknife;
    use super::super::{MulticlassMetric, MulticlassProfile, RealizedClasses};
    use super::*;

    type Row = (usize, usize, [f64; 3], f64);

    /// Rows of three classes that overlap, with weights 1 to 4.
    fn rows(count: u64) -> Vec<Row> {
        let row = |i: u64| {
            let label = (i * 31 % 7 % 3) as usize;
            let raw: [f64; 3] = std::array::from_fn(|class| {
                let noise = ((i + 1) * (class as u64 + 3) * 7919 % 101) as f64 / 60.0;
                noise + if class == label { 1.0 } else { 0.0 }
            });
            let sum: f64 = raw.iter().sum();
            let scores = raw.map(|x| x / sum);
            let best = (0..3).fold(
                0,
                |best, class| if raw[class] > raw[best] { class } else { best },
            );
            (label, best, scores, (1 + i % 4) as f64)
        };
        (0..count).map(row).collect()
    }

    fn names() -> Vec<String> {
        ["basic", "plus", "pro"].map(String::from).to_vec()
    }

    fn weighted(rows: &[Row], scale: f64) -> RealizedClasses {
        let mut profile = WeightedClasses::new(names(), DigestLimits::default()).unwrap();
        for (label, prediction, scores, weight) in rows {
            let scores = scores.map(Some);
            profile
                .observe(
                    Some(*label),
                    Some(*prediction),
                    &scores,
                    Some(weight * scale),
                )
                .unwrap();
        }
        let read = WeightedClasses::from_bytes(&profile.to_bytes()).unwrap();
        RealizedClasses::weighted(&read).unwrap()
    }

    fn repeated(rows: &[Row]) -> RealizedClasses {
        let mut profile = MulticlassProfile::new(names(), DigestLimits::default()).unwrap();
        for (label, prediction, scores, weight) in rows {
            for _ in 0..*weight as u64 {
                profile.observe(Some(*label), Some(*prediction), &scores.map(Some));
            }
        }
        RealizedClasses::new(&mut profile)
    }

    const VALUES: [f64; 9] = [1.0, -1.0, -2.0, 0.0, 2.0, 0.5, -1.0, 0.0, 3.0];

    #[test]
    fn a_whole_weight_is_so_many_rows() {
        let rows = rows(300);
        let (weighted, repeated) = (weighted(&rows, 1.0), repeated(&rows));
        for metric in MulticlassMetric::all() {
            let of = |of: &RealizedClasses| of.readings(metric, &VALUES, 0.95);
            for (a, b) in of(&weighted).iter().zip(of(&repeated)) {
                assert_eq!(a.column_name, b.column_name);
                let (a, b) = (a.reading.value.unwrap(), b.reading.value.unwrap());
                assert!(
                    (a - b).abs() <= 1e-12 * b.abs().max(1.0),
                    "{metric}: {a} {b}"
                );
            }
        }
    }

    #[test]
    fn equal_weights_have_the_errors_of_rows() {
        let rows: Vec<Row> = rows(300)
            .into_iter()
            .map(|row| (row.0, row.1, row.2, 1.0))
            .collect();
        let plain = repeated(&rows);
        for scale in [1.0, 0.001, 250.0] {
            let weighted = weighted(&rows, scale);
            for metric in MulticlassMetric::all() {
                let is_total = matches!(
                    metric,
                    MulticlassMetric::BusinessValue | MulticlassMetric::ConfusionMatrix
                );
                let scale = if is_total { scale } else { 1.0 };
                let of = |of: &RealizedClasses| of.readings(metric, &VALUES, 0.95);
                for (a, b) in of(&weighted).iter().zip(of(&plain)) {
                    let (a, b) = (a.reading, b.reading);
                    let near = |a: Option<f64>, b: Option<f64>| {
                        let (a, b) = (a.unwrap() / scale, b.unwrap());
                        (a - b).abs() <= 1e-6 * b.abs().max(1e-3)
                    };
                    assert!(near(a.value, b.value), "{metric} {a:?} {b:?}");
                    assert!(
                        near(a.sampling_error, b.sampling_error),
                        "{metric} {a:?} {b:?}"
                    );
                    assert!(near(a.lower_bound, b.lower_bound), "{metric} {a:?} {b:?}");
                    assert_eq!(
                        (a.used_count, a.status),
                        (b.used_count, b.status),
                        "{metric}"
                    );
                }
            }
        }
    }

    /// The jackknife agrees with linearization up to terms of `1 / n`, and averages of scores up to their coarse ranges.
    #[test]
    fn errors_are_those_of_dropping_rows() {
        let rows = rows(240);
        let total = |rows: &[Row]| rows.iter().map(|row| row.3).sum::<f64>();
        let without = |out: usize| {
            let mut kept = rows.clone();
            let weight = kept.remove(out).3;
            (weighted(&kept, 1.0), total(&rows) / (total(&rows) - weight))
        };
        let (all, dropped): (_, Vec<_>) =
            (weighted(&rows, 1.0), (0..rows.len()).map(without).collect());
        for metric in MulticlassMetric::all() {
            let is_total = matches!(
                metric,
                MulticlassMetric::BusinessValue | MulticlassMetric::ConfusionMatrix
            );
            let of = |of: &RealizedClasses| of.readings(metric, &VALUES, 0.95);
            let readings = of(&all);
            let mut values = vec![vec![]; readings.len()];
            for (chunk, factor) in &dropped {
                for (values, reading) in values.iter_mut().zip(of(chunk)) {
                    // a total is one of so much weight
                    let factor = if is_total { *factor } else { 1.0 };
                    values.push(reading.reading.value.unwrap() * factor);
                }
            }
            let dropped = values;
            for (reading, values) in readings.iter().zip(dropped) {
                let jackknife = jackknife(&values);
                let error = reading.reading.sampling_error.unwrap();
                assert!(
                    (error / jackknife - 1.0).abs() < 0.1,
                    "{metric}: {error} {jackknife}"
                );
            }
        }
    }
}
