//! Chunk profiles of the reference, kept until they are fitted together.
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary, bytes_at};
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::reference::ReferenceChunk;
use crate::kernel::score_profile::ScoreProfile;

const MAGIC: [u8; 4] = *b"MWRR";

/// The profiles of the rows that belong to the reference, with their chunk's index.
#[derive(Debug, Default)]
pub struct ReferenceRows {
    chunks: Vec<(Option<i64>, Vec<u8>)>,
    heap: usize,
}

/// Profile, chunk index, and whether the row is of the reference.
#[derive(Debug)]
pub struct ReferenceColumns {
    profile: ArrayRef,
    index: Int64Array,
    is_reference: BooleanArray,
}

impl ReferenceRows {
    /// The chunks, read.
    pub fn chunks(&self) -> Result<Vec<ReferenceChunk>> {
        let read = |(index, bytes): &(Option<i64>, Vec<u8>)| {
            let profile = ScoreProfile::from_bytes(bytes)?;
            Ok(ReferenceChunk {
                index: *index,
                profile,
            })
        };
        self.chunks.iter().map(read).collect()
    }

    fn push(&mut self, index: Option<i64>, profile: &[u8]) {
        self.heap += profile.len();
        self.chunks.push((index, profile.to_vec()));
    }

    fn read_state(&mut self, state: &[u8]) -> Result<(), KernelError> {
        let mut r = Reader::new(state, MAGIC, 1, "state of fit_reference")?;
        for _ in 0..r.length(3)? {
            let known = r.uint()? == 1;
            let index = r.int()?;
            self.push(known.then_some(index), r.bytes()?);
        }
        r.finish()
    }
}

impl Summary for ReferenceRows {
    type Columns = ReferenceColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ReferenceColumns> {
        let [profile, index, is_reference, ..] = values else {
            return exec_err!(
                "{}: expected profile, chunk_index and is_reference",
                arguments.function
            );
        };
        Ok(ReferenceColumns {
            profile: ArrayRef::clone(profile),
            index: index.as_primitive::<Int64Type>().clone(),
            is_reference: is_reference.as_boolean().clone(),
        })
    }

    fn observe(&mut self, columns: &ReferenceColumns, row: usize) -> Result<()> {
        let is_reference = columns.is_reference.is_valid(row) && columns.is_reference.value(row);
        if is_reference && let Some(profile) = bytes_at(&columns.profile, row)? {
            let index = columns
                .index
                .is_valid(row)
                .then(|| columns.index.value(row));
            self.push(index, profile);
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.read_state(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.chunks.sort();
        let mut w = Writer::new(MAGIC, 1);
        w.reserve(self.heap);
        w.uint(self.chunks.len() as u64);
        for (index, profile) in &self.chunks {
            w.uint(u64::from(index.is_some()));
            w.int(index.unwrap_or(0));
            w.bytes(profile);
        }
        w.finish()
    }

    fn heap_size(&self) -> usize {
        self.heap + self.chunks.capacity() * size_of::<(Option<i64>, Vec<u8>)>()
    }
}
