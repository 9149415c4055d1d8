//! The profile of a chunk under calibrators: everything that estimates for several classes need of it.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::key::{LARGEST_SCORE, Scale};
use super::calibrators::ClassCalibrators;
use super::expected_joint::ExpectedJoint;
use super::joint::{MOST_PAIRED, range_of};
use super::mass_digest::{MassDigest, Masses, PREDICTIONS, product, units};
use super::profile::MulticlassProfile;

/// First bytes of the profile of estimates.
pub const MAGIC: [u8; 4] = *b"MWCE";
const LAYOUT: u8 = 1;

/// Expected rows by class and prediction, expected positives of each class by score, and the realized profile beside them.
///
/// The probabilities of a row depend on all its scores, so this holds for the calibrators that rows were observed with and no
/// others. Merges in any order to identical bytes; memory as that of a [`MulticlassProfile`], and the cube of the number of
/// classes.
#[derive(Debug, Clone)]
pub struct ClassEstimates {
    /// Rows with labels.
    pub(super) realized: MulticlassProfile,
    /// Rows of each prediction that have probabilities.
    pub(super) predicted: Vec<u64>,
    /// Sums of probabilities by prediction, then class.
    pub(super) expected: Vec<u128>,
    /// Sums of their products by prediction, then class and class.
    pub(super) products: Vec<u128>,
    /// Of each class.
    pub(super) scores: Vec<MassDigest>,
    pub(super) joint: ExpectedJoint,
    /// Rows with probabilities.
    pub(super) scored: u64,
    /// Rows with a prediction, whatever their scores.
    pub(super) with_prediction: u64,
    /// Rows of which a score is NaN or infinite.
    pub(super) invalid: u64,
    /// Rows with scores that are no probabilities, where they are read as such.
    pub(super) improbable: u64,
    buffers: Buffers,
}

/// Scratch space of one row.
#[derive(Debug, Clone, Default)]
struct Buffers {
    scores: Vec<f64>,
    probabilities: Vec<f64>,
    units: Vec<u64>,
    ranges: Vec<u16>,
}

impl ClassEstimates {
    /// An empty profile.
    ///
    /// Errors: those of [`MulticlassProfile::new`].
    pub fn new(classes: Vec<String>, limits: DigestLimits) -> Result<Self, KernelError> {
        let side = classes.len();
        Ok(Self {
            predicted: vec![0; side],
            expected: vec![0; side * side],
            products: vec![0; side * side * side],
            scores: (0..side).map(|_| MassDigest::new(limits)).collect(),
            realized: MulticlassProfile::new(classes, limits)?,
            joint: ExpectedJoint::default(),
            scored: 0,
            with_prediction: 0,
            invalid: 0,
            improbable: 0,
            buffers: Buffers {
                scores: vec![0.0; side],
                probabilities: vec![0.0; side],
                units: vec![0; side],
                ranges: vec![0; side],
            },
        })
    }

    /// Adds a row by the positions of its label and prediction and the score of each class.
    pub fn observe(
        &mut self,
        label: Option<usize>,
        prediction: Option<usize>,
        scores: &[Option<f64>],
        calibrators: Option<&ClassCalibrators>,
    ) {
        if label.is_some() {
            self.realized.observe(label, prediction, scores);
        }
        self.with_prediction += u64::from(prediction.is_some());
        for (at, score) in self.buffers.scores.iter_mut().zip(scores) {
            let Some(score) = score else { return };
            *at = *score;
        }
        let Some(calibrators) = calibrators.filter(|c| !c.calibrators().is_empty()) else {
            return;
        };
        let valid = |x: &f64| (f64::MIN..=LARGEST_SCORE).contains(x);
        if scores.is_empty() || !self.buffers.scores.iter().all(valid) {
            self.invalid += 1;
            return;
        }
        let Buffers {
            scores,
            probabilities,
            ..
        } = &mut self.buffers;
        if !calibrators.probabilities(scores, probabilities) {
            self.improbable += 1;
            return;
        }
        self.add(prediction);
    }

    /// Adds the row whose scores and probabilities are in the buffers.
    fn add(&mut self, prediction: Option<usize>) {
        self.scored += 1;
        let Buffers {
            scores,
            probabilities,
            units: whole,
            ranges,
        } = &mut self.buffers;
        for (at, p) in whole.iter_mut().zip(probabilities) {
            *at = units(*p);
        }
        let classes = scores
            .iter()
            .zip(whole.iter())
            .zip(self.scores.iter_mut().zip(ranges.iter_mut()));
        for (class, ((score, p), (digest, range))) in classes.enumerate() {
            let predicted = prediction.map_or(2, |of| u8::from(of == class));
            digest.add([Scale::Score.key(*score)], predicted, Masses::of(*p));
            *range = range_of(*score);
        }
        if whole.len() <= MOST_PAIRED {
            self.joint.observe(ranges, whole);
        }
        let Some(prediction) = prediction else { return };
        if let Some(rows) = self.predicted.get_mut(prediction) {
            *rows += 1;
        }
        let side = whole.len();
        let sums = self.expected.chunks_exact_mut(side.max(1)).nth(prediction);
        for (sum, p) in sums.into_iter().flatten().zip(whole.iter()) {
            *sum += u128::from(*p);
        }
        let products = self
            .products
            .chunks_exact_mut((side * side).max(1))
            .nth(prediction);
        let pairs = whole
            .iter()
            .flat_map(|p| whole.iter().map(move |q| product(*p, *q)));
        for (sum, pair) in products.into_iter().flatten().zip(pairs) {
            *sum += pair;
        }
    }

    /// Rows with labels.
    pub fn realized(&mut self) -> &mut MulticlassProfile {
        &mut self.realized
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        self.realized.classes()
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: those of [`MulticlassProfile::merge`].
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        self.realized.merge(&mut other.realized)?;
        let add = |to: &mut Vec<u128>, from: &[u128]| {
            to.iter_mut()
                .zip(from)
                .for_each(|(sum, more)| *sum = sum.saturating_add(*more));
        };
        add(&mut self.expected, &other.expected);
        add(&mut self.products, &other.products);
        for (rows, more) in self.predicted.iter_mut().zip(&other.predicted) {
            *rows = rows.saturating_add(*more);
        }
        self.scores
            .iter_mut()
            .zip(&other.scores)
            .for_each(|(digest, more)| digest.merge(more));
        self.joint.merge(&other.joint);
        for (count, more) in self.counts().into_iter().zip(other.counts()) {
            *count = count.saturating_add(*more);
        }
        Ok(())
    }

    fn counts(&mut self) -> [&mut u64; 4] {
        [
            &mut self.scored,
            &mut self.with_prediction,
            &mut self.invalid,
            &mut self.improbable,
        ]
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let digests: usize = self.scores.iter().map(MassDigest::heap_size).sum();
        let sums = (self.expected.capacity() + self.products.capacity()) * size_of::<u128>();
        let rest = self.scores.capacity() * size_of::<MassDigest>() + self.predicted.capacity() * 8;
        self.realized.heap_size() + digests + sums + rest + self.joint.heap_size()
    }

    /// Canonical bytes: equal for equal rows and calibrators, however the rows were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.bytes(&self.realized.to_bytes());
        self.counts().into_iter().for_each(|count| w.uint(*count));
        self.predicted.iter().for_each(|rows| w.uint(*rows));
        self.expected
            .iter()
            .chain(&self.products)
            .for_each(|sum| w.wide(*sum));
        self.scores.iter().for_each(|digest| digest.write(&mut w));
        self.joint.write(&mut w);
        w.finish()
    }

    /// Reads [`ClassEstimates::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(
            bytes,
            MAGIC,
            LAYOUT,
            "profile of estimates for several classes",
        )?;
        let realized = MulticlassProfile::from_bytes(r.bytes()?)?;
        let mut read = Self::new(realized.classes.clone(), DigestLimits::default())?;
        read.realized = realized;
        for count in read.counts() {
            *count = r.uint()?;
        }
        for rows in &mut read.predicted {
            *rows = r.uint()?;
        }
        for sum in read.expected.iter_mut().chain(&mut read.products) {
            *sum = r.wide()?;
        }
        for digest in &mut read.scores {
            *digest = MassDigest::read(&mut r, PREDICTIONS)?;
        }
        read.joint = ExpectedJoint::read(&mut r, read.predicted.len())?;
        r.finish()?;
        Ok(read)
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`ClassEstimates::to_bytes`] did not write, and those of [`ClassEstimates::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&mut Self::from_bytes(bytes)?)
    }
}
