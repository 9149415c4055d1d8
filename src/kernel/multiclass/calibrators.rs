//! A calibrator for each class, fitted on the reference, and the probabilities that they give a row together.
use super::super::KernelError;
use super::super::calibrator::{CalibrationMode, Calibrator};
use super::super::codec::{Reader, Writer};
use super::super::reading::Status;
use super::profile::MulticlassProfile;
use super::profile_bytes::{read_classes, write_classes};

/// First bytes of stored calibrators.
const MAGIC: [u8; 4] = *b"MWCC";
const LAYOUT: u8 = 1;
/// Labelled rows, and rows of each class, from which on the reference is large enough.
const ENOUGH: (u64, u64) = (1000, 50);

/// What is fitted on the reference of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassCalibrators {
    classes: Vec<String>,
    /// One for each class; none where the reference cannot be fitted on.
    calibrators: Vec<Calibrator>,
    status: Status,
}

impl ClassCalibrators {
    /// Fits each class against all others, as NannyML 0.13.1 does.
    ///
    /// * `modes`: one for all classes, or one for each.
    /// * Errors: another number of modes; [`KernelError::NotAProbability`] for [`CalibrationMode::Never`] when a score lies
    ///   outside `[0, 1]`. A reference without labels, or without rows of a class, gives no calibrators, and a status that
    ///   says so.
    pub fn fit(
        reference: &mut MulticlassProfile,
        modes: &[CalibrationMode],
    ) -> Result<Self, KernelError> {
        let side = reference.classes.len();
        let modes = match modes {
            [one] => vec![*one; side],
            each => each.to_vec(),
        };
        if modes.len() != side {
            return Err(KernelError::Undefined(format!(
                "there are {} ways to calibrate {side} classes. Expected one for all, or one for each",
                modes.len()
            )));
        }
        let labelled: Vec<u64> = (0..side)
            .map(|label| {
                let predicted: u64 = (0..side)
                    .map(|p| reference.rows(Some(label), Some(p)))
                    .sum();
                predicted + reference.rows(Some(label), None)
            })
            .collect();
        let (total, fewest) = (
            labelled.iter().sum::<u64>(),
            labelled.iter().min().copied().unwrap_or(0),
        );
        let unfit = |status| {
            Ok(Self {
                classes: reference.classes.clone(),
                calibrators: vec![],
                status,
            })
        };
        if total == 0 {
            return unfit(Status::ReferenceUnlabelled);
        }
        let mut calibrators = Vec::with_capacity(side);
        for (scores, mode) in reference.scores.iter_mut().zip(modes) {
            match Calibrator::fit(&scores.bins(), mode) {
                Ok(calibrator) => calibrators.push(calibrator),
                Err(KernelError::Undefined(_)) => return unfit(Status::ReferenceSingleClass),
                Err(error) => return Err(error),
            }
        }
        let small = total < ENOUGH.0 || fewest < ENOUGH.1;
        let uninformative = calibrators.iter().any(Calibrator::is_uninformative);
        Ok(Self {
            classes: reference.classes.clone(),
            calibrators,
            status: Status::SmallReference
                .only_if(small)
                .worst(Status::UninformativeScore.only_if(uninformative)),
        })
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// One for each class; none where there is no estimate.
    pub fn calibrators(&self) -> &[Calibrator] {
        &self.calibrators
    }

    /// Reserve of all estimates.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Probabilities of the classes given a row's scores: calibrated one by one, then divided by their sum, evenly where
    /// that is 0. False, and nothing is said of `probabilities`, where a score has no probability.
    pub fn probabilities(&self, scores: &[f64], probabilities: &mut [f64]) -> bool {
        if self.calibrators.is_empty() {
            return false;
        }
        let mut sum = 0.0;
        for ((calibrator, score), p) in self
            .calibrators
            .iter()
            .zip(scores)
            .zip(probabilities.iter_mut())
        {
            let Some(c) = calibrator.calibrate(*score) else {
                return false;
            };
            *p = c;
            sum += c;
        }
        let even = 1.0 / self.classes.len() as f64;
        for p in probabilities {
            *p = if sum > 0.0 { *p / sum } else { even };
        }
        true
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        write_classes(&self.classes, &mut w);
        w.bytes(self.status.name().as_bytes());
        w.uint(self.calibrators.len() as u64);
        self.calibrators
            .iter()
            .for_each(|calibrator| w.bytes(&calibrator.to_bytes()));
        w.finish()
    }

    /// Reads [`ClassCalibrators::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "calibrators of several classes")?;
        let classes = read_classes(&mut r)?;
        let status = Status::named(r.bytes()?)?;
        let mut calibrators = Vec::new();
        for _ in 0..r.length(1)? {
            calibrators.push(Calibrator::from_bytes(r.bytes()?)?);
        }
        r.finish()?;
        if !calibrators.is_empty() && calibrators.len() != classes.len() {
            return Err(KernelError::Unreadable(
                "calibrators of other classes".into(),
            ));
        }
        Ok(Self {
            classes,
            calibrators,
            status,
        })
    }
}
