//! Multiclass profiles as bytes.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest_bytes::{MOST_ROWS, disordered};
use super::super::score_profile::ScoreProfile;
use super::joint::Joint;
use super::profile::{MAGIC, MulticlassProfile, check_classes};

const LAYOUT: u8 = 1;

pub(super) fn write_classes(classes: &[String], w: &mut Writer) {
    w.uint(classes.len() as u64);
    classes.iter().for_each(|name| w.bytes(name.as_bytes()));
}

/// Names of classes that can be told apart.
pub(super) fn read_classes(r: &mut Reader) -> Result<Vec<String>, KernelError> {
    let mut classes = Vec::new();
    for _ in 0..r.length(1)? {
        let name = String::from_utf8(r.bytes()?.to_vec());
        let name = name.map_err(|_| KernelError::Unreadable("a class that is no text".into()))?;
        classes.push(name);
    }
    check_classes(&classes)?;
    Ok(classes)
}

impl MulticlassProfile {
    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        write_classes(&self.classes, &mut w);
        self.matrix.iter().for_each(|rows| w.uint(*rows));
        w.uint(self.unscored);
        w.uint(self.invalid);
        self.scores
            .iter_mut()
            .for_each(|scores| w.bytes(&scores.to_bytes()));
        self.joint.write(&mut w);
        w.finish()
    }

    /// Whether the bytes are whole and of this kind, from their beginning and their checksum; what they hold is not read.
    pub fn check_bytes(bytes: &[u8]) -> Result<(), KernelError> {
        reader(bytes).map(drop)
    }

    /// Reads [`MulticlassProfile::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = reader(bytes)?;
        let classes = read_classes(&mut r)?;
        let side = classes.len() + 1;
        let count = |r: &mut Reader| match r.uint()? {
            rows if rows <= MOST_ROWS => Ok(rows),
            _ => Err(disordered()),
        };
        let matrix: Result<Vec<u64>, KernelError> =
            (0..side * side).map(|_| count(&mut r)).collect();
        let (matrix, unscored, invalid) = (matrix?, count(&mut r)?, count(&mut r)?);
        let scores: Result<Vec<ScoreProfile>, KernelError> = classes
            .iter()
            .map(|_| ScoreProfile::from_bytes(r.bytes()?))
            .collect();
        let scores = scores?;
        let joint = Joint::read(&mut r, classes.len())?;
        r.finish()?;
        Ok(Self {
            classes,
            matrix,
            scores,
            joint,
            unscored,
            invalid,
        })
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`MulticlassProfile::to_bytes`] did not write, and those of [`MulticlassProfile::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&mut Self::from_bytes(bytes)?)
    }
}

/// Reads what `to_bytes` wrote, once kind, layout and checksum are checked.
fn reader(bytes: &[u8]) -> Result<Reader<'_>, KernelError> {
    Reader::new(bytes, MAGIC, LAYOUT, "multiclass profile")
}
