//! Rows that are profiles themselves go into one profile.
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary, bytes_at};
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::profile::Profile;

const MAGIC: [u8; 4] = *b"MWMP";

/// A profile that was merged from none or more; `None` until the first, so that the limits are those of
/// the profiles themselves.
#[derive(Debug, Default)]
pub struct MergedProfile {
    /// The merged profile.
    pub profile: Option<Profile>,
    /// How many profiles went in.
    pub merged: u64,
    /// The chunk that they are said to be of, the same for all.
    pub chunk: Option<String>,
}

/// The columns of a batch.
#[derive(Debug)]
pub struct ProfileColumns {
    profile: ArrayRef,
    chunk: Option<StringArray>,
}

impl MergedProfile {
    fn add(&mut self, profiles: u64, bytes: &[u8]) -> Result<(), KernelError> {
        match &mut self.profile {
            Some(profile) => profile.merge_bytes(bytes)?,
            None => self.profile = Some(Profile::from_bytes(bytes)?),
        }
        self.merged = self.merged.saturating_add(profiles);
        Ok(())
    }

    fn read_state(&mut self, state: &[u8]) -> Result<(), KernelError> {
        let mut r = Reader::new(state, MAGIC, 1, "state of a merged profile")?;
        let chunk = String::from_utf8_lossy(r.bytes()?).into_owned();
        match r.uint()? {
            0 => {}
            profiles => self.add(profiles, r.bytes()?)?,
        }
        if !chunk.is_empty() {
            self.chunk = Some(chunk);
        }
        r.finish()
    }
}

impl Summary for MergedProfile {
    type Columns = ProfileColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ProfileColumns> {
        let [profile, rest @ ..] = values else {
            return exec_err!("{}: expected a profile", arguments.function);
        };
        Ok(ProfileColumns {
            profile: ArrayRef::clone(profile),
            chunk: rest.first().map(|chunk| chunk.as_string::<i32>().clone()),
        })
    }

    fn observe(&mut self, columns: &ProfileColumns, row: usize) -> Result<()> {
        let Some(bytes) = bytes_at(&columns.profile, row)? else {
            return Ok(());
        };
        if let (None, Some(chunk)) = (&self.chunk, &columns.chunk)
            && chunk.is_valid(row)
        {
            self.chunk = Some(chunk.value(row).to_string());
        }
        Ok(self.add(1, bytes)?)
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.read_state(state)?)
    }

    /// The chunk, how many profiles, then their merge, if any.
    fn state(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.bytes(self.chunk.as_deref().unwrap_or_default().as_bytes());
        w.uint(self.merged);
        if let Some(profile) = &mut self.profile {
            w.bytes(&profile.to_bytes());
        }
        w.finish()
    }

    fn heap_size(&self) -> usize {
        let chunk = self.chunk.as_ref().map_or(0, String::capacity);
        chunk + self.profile.as_ref().map_or(0, Profile::heap_size)
    }
}
