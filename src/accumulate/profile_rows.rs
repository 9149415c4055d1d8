//! Rows that are profiles themselves go into one profile.
use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary, bytes_at};
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::score_profile::ScoreProfile;

const MAGIC: [u8; 4] = *b"MWMP";

/// A profile that was merged from none or more; `None` until the first, so that the limits are those of
/// the profiles themselves.
#[derive(Debug, Default)]
pub struct MergedProfile {
    /// The merged profile.
    pub profile: Option<ScoreProfile>,
    /// How many profiles went in.
    pub merged: u64,
}

impl MergedProfile {
    fn add(&mut self, profiles: u64, bytes: &[u8]) -> Result<(), KernelError> {
        match &mut self.profile {
            Some(profile) => profile.merge_bytes(bytes)?,
            None => self.profile = Some(ScoreProfile::from_bytes(bytes)?),
        }
        self.merged = self.merged.saturating_add(profiles);
        Ok(())
    }

    fn read_state(&mut self, state: &[u8]) -> Result<(), KernelError> {
        let mut r = Reader::new(state, MAGIC, 1, "state of a merged profile")?;
        match r.uint()? {
            0 => {}
            profiles => self.add(profiles, r.bytes()?)?,
        }
        r.finish()
    }
}

impl Summary for MergedProfile {
    type Columns = ArrayRef;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ArrayRef> {
        match values.first() {
            Some(profiles) => Ok(ArrayRef::clone(profiles)),
            None => exec_err!("{}: expected a profile", arguments.function),
        }
    }

    fn observe(&mut self, profiles: &ArrayRef, row: usize) -> Result<()> {
        match bytes_at(profiles, row)? {
            Some(bytes) => Ok(self.add(1, bytes)?),
            None => Ok(()),
        }
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.read_state(state)?)
    }

    /// How many profiles, then their merge, if any.
    fn state(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.uint(self.merged);
        if let Some(profile) = &mut self.profile {
            w.bytes(&profile.to_bytes());
        }
        w.finish()
    }

    fn heap_size(&self) -> usize {
        self.profile.as_ref().map_or(0, ScoreProfile::heap_size)
    }
}
