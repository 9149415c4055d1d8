//! Rows that are profiles themselves go into one profile.
use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary, bytes_at};
use crate::error::kernel_error;
use crate::kernel::score_profile::ScoreProfile;

/// A profile that was merged from none or more; `None` until the first, so that the limits are those of
/// the profiles themselves.
#[derive(Debug, Default)]
pub struct MergedProfile(pub Option<ScoreProfile>);

impl MergedProfile {
    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.0 {
            Some(profile) => profile.merge_bytes(bytes).map_err(kernel_error),
            None => {
                self.0 = Some(ScoreProfile::from_bytes(bytes).map_err(kernel_error)?);
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
            Some(bytes) => self.add(bytes),
            None => Ok(()),
        }
    }

    /// No bytes stand for no profile.
    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        if state.is_empty() {
            Ok(())
        } else {
            self.add(state)
        }
    }

    fn state(&mut self) -> Vec<u8> {
        self.0
            .as_mut()
            .map_or_else(Vec::new, ScoreProfile::to_bytes)
    }

    fn heap_size(&self) -> usize {
        self.0.as_ref().map_or(0, ScoreProfile::heap_size)
    }
}
