//! The profile of a chunk whose losses were estimated: sums of what is expected, beside the realized profile.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::exact_sum::{ExactMoments, ExactSum};
use super::loss::Loss;
use super::profile::RegressionProfile;

/// First bytes of a profile of loss estimates.
pub const MAGIC: [u8; 4] = *b"MWLE";
const LAYOUT: u8 = 2;

/// Sums of one loss.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LossSums {
    /// What is expected, of all rows with a prediction.
    pub expected: ExactMoments,
    /// Of rows with a label: what is expected, its squares, and those of what the loss is more or less.
    pub labelled: u64,
    pub labelled_expected: ExactSum,
    pub expected_squares: ExactSum,
    pub residual_squares: ExactSum,
}

/// Expected losses of the rows of a chunk, and their labels where they are known.
///
/// Merges in any order to identical bytes.
#[derive(Debug, Clone)]
pub struct LossEstimates {
    pub(super) realized: RegressionProfile,
    pub(super) losses: Vec<(Loss, LossSums)>,
}

impl LossEstimates {
    /// An empty profile of these losses.
    pub fn new(losses: &[Loss], limits: DigestLimits) -> Self {
        Self {
            realized: RegressionProfile::new(limits),
            losses: losses
                .iter()
                .map(|loss| (*loss, LossSums::default()))
                .collect(),
        }
    }

    /// Adds a row; `expected` are estimates of its losses, in the order of the profile. A row without a prediction has no
    /// loss, one without an estimate (`None` or not finite) is left out of it.
    pub fn observe(
        &mut self,
        label: Option<f64>,
        prediction: Option<f64>,
        expected: impl Iterator<Item = Option<f64>>,
    ) {
        self.realized.observe(label, prediction);
        self.observe_losses(label, prediction, expected);
    }

    /// The same for rows whose labels and predictions are given to [`Self::realized`], many at once.
    pub fn observe_losses(
        &mut self,
        label: Option<f64>,
        prediction: Option<f64>,
        expected: impl Iterator<Item = Option<f64>>,
    ) {
        let Some(prediction) = prediction.filter(|x| x.is_finite()) else {
            return;
        };
        for ((loss, sums), expected) in self.losses.iter_mut().zip(expected) {
            let Some(expected) = expected.filter(|x| x.is_finite()) else {
                continue;
            };
            let expected = loss.clamp(expected);
            sums.expected.observe(expected);
            if let Some(realized) = label.and_then(|label| loss.at(label, prediction)) {
                sums.labelled += 1;
                sums.labelled_expected.add(expected);
                sums.expected_squares.add_square(expected);
                sums.residual_squares.add_square(realized - expected);
            }
        }
    }

    /// The rows' labels and predictions.
    pub fn realized(&mut self) -> &mut RegressionProfile {
        &mut self.realized
    }

    /// The losses that are estimated.
    pub fn losses(&self) -> Vec<Loss> {
        self.losses.iter().map(|(loss, _)| *loss).collect()
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when it is of other losses or another `min_level`.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        if self.losses() != other.losses() {
            return Err(KernelError::Undefined(
                "profiles of other losses cannot be merged. Expected those of one call".into(),
            ));
        }
        self.realized.merge(&mut other.realized)?;
        for ((_, sums), (_, more)) in self.losses.iter_mut().zip(&other.losses) {
            sums.expected.merge(&more.expected);
            sums.labelled = sums.labelled.saturating_add(more.labelled);
            sums.labelled_expected.merge(&more.labelled_expected);
            sums.expected_squares.merge(&more.expected_squares);
            sums.residual_squares.merge(&more.residual_squares);
        }
        Ok(())
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let of = |(_, sums): &(Loss, LossSums)| {
            sums.expected.heap_size()
                + sums.labelled_expected.heap_size()
                + sums.expected_squares.heap_size()
                + sums.residual_squares.heap_size()
        };
        let losses: usize = self.losses.iter().map(of).sum();
        losses + self.losses.capacity() * size_of::<(Loss, LossSums)>() + self.realized.heap_size()
    }

    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.bytes(&self.realized.to_bytes());
        w.uint(self.losses.len() as u64);
        for (loss, sums) in &self.losses {
            w.bytes(loss.name().as_bytes());
            sums.expected.write(&mut w);
            w.uint(sums.labelled);
            sums.labelled_expected.write(&mut w);
            sums.expected_squares.write(&mut w);
            sums.residual_squares.write(&mut w);
        }
        w.finish()
    }

    /// Whether the bytes are whole and of this kind, from their beginning and their checksum; what they hold is not read.
    pub fn check_bytes(bytes: &[u8]) -> Result<(), KernelError> {
        reader(bytes).map(drop)
    }

    /// Reads [`LossEstimates::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = reader(bytes)?;
        let realized = RegressionProfile::from_bytes(r.bytes()?)?;
        let mut losses = Vec::new();
        for _ in 0..r.length(4)? {
            let name = String::from_utf8_lossy(r.bytes()?).into_owned();
            let loss = Loss::parse(&name);
            let loss = loss.ok_or_else(|| KernelError::Unreadable("an unknown loss".into()))?;
            let sums = LossSums {
                expected: ExactMoments::read(&mut r)?,
                labelled: r.uint()?,
                labelled_expected: ExactSum::read(&mut r)?,
                expected_squares: ExactSum::read(&mut r)?,
                residual_squares: ExactSum::read(&mut r)?,
            };
            losses.push((loss, sums));
        }
        r.finish()?;
        Ok(Self { realized, losses })
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`LossEstimates::to_bytes`] did not write, and those of [`LossEstimates::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&mut Self::from_bytes(bytes)?)
    }
}

/// Reads what `to_bytes` wrote, once kind, layout and checksum are checked.
fn reader(bytes: &[u8]) -> Result<Reader<'_>, KernelError> {
    Reader::new(bytes, MAGIC, LAYOUT, "profile of loss estimates")
}
