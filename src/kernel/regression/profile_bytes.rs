//! Regression profiles as bytes.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest_bytes::{MOST_ROWS, disordered};
use super::super::value_profile::ValueProfile;
use super::profile::{Counts, MAGIC, RegressionProfile};
use super::sums::Sums;

const LAYOUT: u8 = 2;

impl RegressionProfile {
    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        let mut counts = self.counts;
        counts.each().into_iter().for_each(|count| w.uint(*count));
        // a sum that lacks some rows is not read, and which rows it lacks depends on how they came
        self.readable_sums().write(&mut w);
        w.bytes(&self.absolute.to_bytes());
        w.finish()
    }

    fn readable_sums(&self) -> Sums {
        self.sums
            .readable(self.counts.negative == 0, self.counts.zero == 0)
    }

    /// Reads [`RegressionProfile::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "regression profile")?;
        let mut counts = Counts::default();
        for count in counts.each() {
            *count = r.uint()?;
            if *count > MOST_ROWS {
                return Err(disordered());
            }
        }
        let sums = Sums::read(&mut r)?;
        let absolute = ValueProfile::from_bytes(r.bytes()?)?;
        r.finish()?;
        Ok(Self {
            counts,
            sums,
            absolute,
        })
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`RegressionProfile::to_bytes`] did not write, and those of [`RegressionProfile::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&mut Self::from_bytes(bytes)?)
    }
}
