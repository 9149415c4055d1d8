//! Rows that are profiles themselves go into one profile.
use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary, bytes_at};
use crate::error::kernel_error;
use crate::kernel::score_profile::ScoreProfile;

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
    fn add(&mut self, profiles: u64, bytes: &[u8]) -> Result<()> {
        self.merged += profiles;
        match &mut self.profile {
            Some(profile) => profile.merge_bytes(bytes).map_err(kernel_error),
            None => {
                self.profile = Some(ScoreProfile::from_bytes(bytes).map_err(kernel_error)?);
                Ok(())
            }
        }
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
            Some(bytes) => self.add(1, bytes),
            None => Ok(()),
        }
    }

    /// How many profiles, then their merge; no bytes stand for no profile.
    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        match state.split_first_chunk::<8>() {
            Some((profiles, bytes)) => self.add(u64::from_le_bytes(*profiles), bytes),
            None => Ok(()),
        }
    }

    fn state(&mut self) -> Vec<u8> {
        let merged = self.merged;
        self.profile.as_mut().map_or_else(Vec::new, |profile| {
            let mut state = merged.to_le_bytes().to_vec();
            state.extend(profile.to_bytes());
            state
        })
    }

    fn heap_size(&self) -> usize {
        self.profile.as_ref().map_or(0, ScoreProfile::heap_size)
    }
}
