//! The chunks of a series as arguments of an aggregate, the same for each that reads a series whole.
use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use std::sync::Arc;

use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::{Arguments, DiagnosisRows};
use crate::kernel::diagnosis::Series;

pub(super) const TIME: Argument = (
    "time",
    Role::Integer,
    "When the chunk began, in microseconds since 1970; NULL where that is not known.",
);
pub(super) const CHUNK_INDEX: Argument = ("chunk_index", Role::Integer, "Number of the chunk.");
pub(super) const IS_REFERENCE: Argument = (
    "is_reference",
    Role::Flag,
    "Whether the chunk is of the reference, which comes first where times are not known.",
);
pub(super) const CHUNK: Argument = ("chunk", Role::Text, "Name of the chunk.");
pub(super) const VALUE: Argument = ("value", Role::Number, "Value on the chunk.");
pub(super) const SAMPLING_ERROR: Argument = (
    "sampling_error",
    Role::Number,
    "Its standard error; NULL in every chunk where none is known.",
);
pub(super) const IS_USABLE: Argument = (
    "is_usable",
    Role::Flag,
    "false: the chunk is a gap, whatever its value.",
);
/// How many arguments those are.
pub(super) const POINT_ARGUMENTS: usize = 7;

/// The series that was collected.
pub(super) fn series(spec: &FunctionSpec, rows: &DiagnosisRows) -> Result<Series> {
    rows.series()
        .map_err(|error| exec_datafusion_err!("{}: {error}", spec.told()))
}

/// A constant number within bounds, or the default.
pub(super) fn number_within(
    arguments: &Arguments,
    (position, name): (usize, &str),
    bounds: std::ops::RangeInclusive<f64>,
    default: f64,
) -> Result<f64> {
    let Some(given) = arguments.constant(position, name)? else {
        return Ok(default);
    };
    match given.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(number))) if bounds.contains(&number) => Ok(number),
        _ => plan_err!(
            "{}: argument '{name}' is {given}. Expected a number from {} to {}, such as {default}",
            arguments.function,
            bounds.start(),
            bounds.end()
        ),
    }
}

/// Fields that may be NULL.
pub(super) fn nullable<const N: usize>(fields: [(&str, DataType); N]) -> Fields {
    let of = |(name, kind): (&str, DataType)| Field::new(name, kind, true);
    fields.into_iter().map(of).collect()
}

/// A column of numbers.
pub(super) fn numbers(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Float64Array>())
}

/// A column of whole numbers.
pub(super) fn wholes(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

/// A column of texts.
pub(super) fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// A column of truth values.
pub(super) fn flags(values: impl IntoIterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<BooleanArray>())
}

/// A number of chunks.
pub(super) fn count(chunks: usize) -> Option<i64> {
    i64::try_from(chunks).ok()
}
