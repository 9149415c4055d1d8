//! The chunks of one column, as the window functions over profiles find them in a partition.
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{Result, ScalarValue, exec_err};

use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::bytes_at;
use crate::kernel::column::ColumnMetric;
use crate::kernel::drift::{DriftProfile, DriftReference};
use crate::kernel::profile::Profile;
use crate::kernel::reading::Status;
use crate::kernel::values::{CategoryGroups, ValueBins};
use crate::suggest::expected_one_of;

pub(super) const PROFILE: Argument = (
    "profile",
    Role::Bytes,
    "Profile of the column on the chunk.",
);
pub(super) const COLUMN_STATUS: Argument = (
    "column_status",
    Role::Text,
    "Why there is no profile: absent_column, changed_type or unsupported_type; beside a profile unsupported_type says that it \
     tells no more than which rows are NULL.",
);
pub(super) const CHUNK_INDEX: Argument = ("chunk_index", Role::Integer, "Number of the chunk.");
pub(super) const IS_REFERENCE: Argument = (
    "is_reference",
    Role::Flag,
    "Whether the chunk is one of the reference.",
);
pub(super) const DEALT: Argument = (
    "dealt",
    Role::Flag,
    "Whether the chunk was dealt from rows without an order.",
);
pub(super) const METRICS: Argument = (
    "metrics",
    Role::Texts,
    "Names of metrics; those that do not apply to the column are left out.",
);
pub(super) const THRESHOLDS: Argument = (
    "thresholds",
    Role::Text,
    "As in '*=false_alarm_rate(0.0027)'.",
);
pub(super) const COMPARISON: Argument = ("comparison", Role::Text, "'reference' or 'previous'.");

/// A profile, read.
pub(super) enum Read {
    Values(ValueBins),
    Categories(CategoryGroups),
}

impl Read {
    pub fn as_profile(&self) -> DriftProfile<'_> {
        match self {
            Self::Values(values) => values.into(),
            Self::Categories(groups) => groups.into(),
        }
    }

    pub fn is_continuous(&self) -> bool {
        matches!(self, Self::Values(_))
    }

    fn of(spec: &FunctionSpec, profile: &mut Profile) -> Result<Self> {
        match profile {
            Profile::Value(profile) => Ok(Self::Values(profile.bins())),
            Profile::Category(profile) => Ok(Self::Categories(profile.groups())),
            other => exec_err!(
                "{}: a profile is a {} profile, of a model. Expected a profile of a column. \
                 Hint: profiles(..., columns => '*'), value_profile(x) or category_profile(x)",
                spec.name,
                other.kind()
            ),
        }
    }
}

/// A profile given as bytes, read.
pub(super) fn read(spec: &FunctionSpec, bytes: &[u8]) -> Result<Read> {
    Read::of(spec, &mut Profile::from_bytes(bytes)?)
}

/// A chunk of the column.
pub(super) struct Chunk {
    /// Row of the partition.
    pub row: usize,
    pub index: Option<i64>,
    /// What is known of the column where there is no profile, or of rows in it.
    pub profile: std::result::Result<Read, Status>,
}

/// All chunks of a column, each side in the order of its chunks.
pub(super) struct ColumnChunks {
    pub reference: Vec<Chunk>,
    pub analysis: Vec<Chunk>,
    /// All rows of the reference, where it has any.
    pub whole: Option<Read>,
    /// Whether profiles tell no more than which rows are NULL, for the type of the column cannot be profiled.
    pub of_presence: bool,
}

impl ColumnChunks {
    /// Reads the columns profile, column_status, chunk_index and is_reference.
    pub fn read(spec: &FunctionSpec, values: &[ArrayRef]) -> Result<Self> {
        let [profiles, statuses, indices, sides, ..] = values else {
            return exec_err!(
                "{}: expected profile, column_status, chunk_index and is_reference",
                spec.name
            );
        };
        let (statuses, sides) = (statuses.as_string::<i32>(), sides.as_boolean());
        let indices = indices.as_primitive::<Int64Type>();
        let (mut reference, mut analysis) = (Vec::new(), Vec::new());
        let mut whole: Option<Profile> = None;
        let mut of_presence = false;
        for row in 0..profiles.len() {
            let is_reference = sides.is_valid(row) && sides.value(row);
            let status = statuses.is_valid(row).then(|| statuses.value(row));
            let absent = status
                .and_then(Status::parse)
                .filter(|status| *status != Status::Ok);
            let profile = match bytes_at(profiles, row)? {
                Some(bytes) => {
                    of_presence |= absent == Some(Status::UnsupportedType);
                    if is_reference {
                        add(&mut whole, bytes)?;
                    }
                    Ok(read(spec, bytes)?)
                }
                None => Err(absent.unwrap_or(Status::InsufficientData)),
            };
            let chunk = Chunk {
                row,
                index: indices.is_valid(row).then(|| indices.value(row)),
                profile,
            };
            if is_reference {
                reference.push(chunk);
            } else {
                analysis.push(chunk);
            }
        }
        reference.sort_by_key(|chunk| chunk.index);
        analysis.sort_by_key(|chunk| chunk.index);
        let whole = whole
            .map(|mut profile| Read::of(spec, &mut profile))
            .transpose()?;
        let mut chunks = Self {
            reference,
            analysis,
            whole,
            of_presence,
        };
        chunks.tell_changed_types();
        Ok(chunks)
    }

    /// What the reference fixes; `None` without rows of it.
    pub fn fitted(&self) -> Option<DriftReference> {
        self.whole
            .as_ref()
            .map(|whole| DriftReference::of(whole.as_profile()))
    }

    /// Whether the column is one of numbers; `None` where no chunk has a profile.
    pub fn is_continuous(&self) -> Option<bool> {
        let chunks = self.reference.iter().chain(&self.analysis);
        let mut profiles = chunks.filter_map(|chunk| chunk.profile.as_ref().ok());
        profiles.next().map(Read::is_continuous)
    }

    /// Why nothing is known of the reference: it has no rows, or never had the column.
    pub fn without_reference(&self) -> Status {
        let absent = |chunk: &Chunk| matches!(chunk.profile, Err(Status::AbsentColumn));
        match self.reference.as_slice() {
            [] => Status::NoReference,
            chunks if chunks.iter().all(absent) => Status::NewColumn,
            _ => Status::NoReference,
        }
    }

    fn tell_changed_types(&mut self) {
        let Some(continuous) = self.is_continuous() else {
            return;
        };
        for chunk in self.reference.iter_mut().chain(&mut self.analysis) {
            if chunk
                .profile
                .as_ref()
                .is_ok_and(|read| read.is_continuous() != continuous)
            {
                chunk.profile = Err(Status::ChangedType);
            }
        }
    }
}

fn add(whole: &mut Option<Profile>, bytes: &[u8]) -> Result<()> {
    match whole {
        Some(whole) => whole.merge_bytes(bytes)?,
        None => *whole = Some(Profile::from_bytes(bytes)?),
    }
    Ok(())
}

/// Whether a chunk is marked as dealt from rows without an order.
pub(super) fn any_dealt(dealt: Option<&ArrayRef>) -> bool {
    dealt.is_some_and(|dealt| {
        let dealt = dealt.as_boolean();
        (0..dealt.len()).any(|row| dealt.is_valid(row) && dealt.value(row))
    })
}

/// The metrics of a family that a list names.
pub(super) fn metrics_of<M: ColumnMetric>(spec: &FunctionSpec, names: &[String]) -> Result<Vec<M>> {
    let of = |name: &String| match M::parse(name) {
        Some(metric) => Ok(metric),
        None => exec_err!(
            "{}: unknown metric '{name}'. {}",
            spec.name,
            expected_one_of(name, &M::names())
        ),
    };
    names.iter().map(of).collect()
}

/// The constant that an argument of a window function has on every row.
pub(super) fn constant(values: &[ArrayRef], position: usize) -> Result<ScalarValue> {
    match values.get(position) {
        Some(column) if !column.is_empty() => ScalarValue::try_from_array(column, 0),
        _ => Ok(ScalarValue::Null),
    }
}
