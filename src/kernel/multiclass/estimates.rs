//! The profile of a chunk under calibrators: everything that estimates for several classes need of it.
use std::borrow::Cow;

use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::key::LARGEST_SCORE;
use super::calibrators::ClassCalibrators;
use super::computed::Computed;
use super::expected_joint::ExpectedJoint;
use super::joint::Joint;
use super::mass_digest::MassDigest;
use super::pair_front::PairFront;
use super::profile::MulticlassProfile;

/// First bytes of the profile of estimates.
pub const MAGIC: [u8; 4] = *b"MWCE";
const LAYOUT: u8 = 2;

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
    /// What belongs to `joint` and to the realized profile, of a chunk with many rows.
    pub(super) front: Option<Box<PairFront>>,
    scores_of_row: Vec<f64>,
    probabilities: Vec<f64>,
    pub(super) computed: Computed,
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
            front: None,
            scores_of_row: vec![0.0; side],
            probabilities: vec![0.0; side],
            computed: Computed::default(),
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
        for (at, score) in self.scores_of_row.iter_mut().zip(scores) {
            let Some(score) = score else { return };
            *at = *score;
        }
        let Some(calibrators) = calibrators.filter(|c| !c.calibrators().is_empty()) else {
            return;
        };
        let valid = |x: &f64| (f64::MIN..=LARGEST_SCORE).contains(x);
        if scores.is_empty() || !self.scores_of_row.iter().all(valid) {
            self.invalid += 1;
            return;
        }
        if !calibrators.probabilities(&self.scores_of_row, &mut self.probabilities) {
            self.improbable += 1;
            return;
        }
        let mut computed = std::mem::take(&mut self.computed);
        computed.set_row(&self.scores_of_row, &self.probabilities);
        // the realized profile knows the row already
        self.add_computed(
            &[None],
            &[prediction.and_then(|of| u16::try_from(of).ok())],
            &mut computed,
        );
        self.computed = computed;
    }

    /// Rows with labels.
    pub fn realized(&mut self) -> &mut MulticlassProfile {
        self.settle();
        &mut self.realized
    }

    /// Moves what the front holds to where it belongs.
    fn settle(&mut self) {
        if let Some(front) = self.front.take() {
            front.add_to(&mut self.joint, &mut self.realized.joint);
        }
    }

    /// How the probabilities of two classes go together.
    pub(super) fn joint(&self) -> Cow<'_, ExpectedJoint> {
        match &self.front {
            None => Cow::Borrowed(&self.joint),
            Some(front) => {
                let mut joint = self.joint.clone();
                front.add_to(&mut joint, &mut Joint::default());
                Cow::Owned(joint)
            }
        }
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        self.realized.classes()
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: those of [`MulticlassProfile::merge`].
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        self.settle();
        other.settle();
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
        let front = self.front.as_ref().map_or(0, |front| front.heap_size());
        let rows = self.computed.heap_size()
            + (self.scores_of_row.capacity() + self.probabilities.capacity()) * size_of::<f64>();
        self.realized.heap_size() + digests + sums + rest + rows + self.joint.heap_size() + front
    }

    /// Canonical bytes: equal for equal rows and calibrators, however the rows were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        self.settle();
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.bytes(&self.realized.to_bytes());
        self.counts().into_iter().for_each(|count| w.uint(*count));
        self.predicted.iter().for_each(|rows| w.uint(*rows));
        self.expected
            .iter()
            .chain(&self.products)
            .for_each(|sum| w.wide(*sum));
        self.scores
            .iter_mut()
            .for_each(|digest| digest.write(&mut w));
        self.joint.write(&mut w);
        w.finish()
    }

    /// Whether the bytes are whole and of this kind, from their beginning and their checksum; what they hold is not read.
    pub fn check_bytes(bytes: &[u8]) -> Result<(), KernelError> {
        reader(bytes).map(drop)
    }

    /// Reads [`ClassEstimates::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = reader(bytes)?;
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
            *digest = MassDigest::read(&mut r)?;
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

/// Reads what `to_bytes` wrote, once kind, layout and checksum are checked.
fn reader(bytes: &[u8]) -> Result<Reader<'_>, KernelError> {
    Reader::new(
        bytes,
        MAGIC,
        LAYOUT,
        "profile of estimates for several classes",
    )
}
