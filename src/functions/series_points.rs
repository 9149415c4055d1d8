//! The chunks of a series as arguments of an aggregate, the same for each that reads a series whole.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};

use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, DiagnosisRows};
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

/// An aggregate that says of the series it collected what `read` does.
pub(super) fn of_series(
    spec: &'static FunctionSpec,
    arguments: Arguments,
    output: DataType,
    read: impl Fn(&Series) -> Result<ScalarValue> + Send + Sync + 'static,
) -> Aggregation<DiagnosisRows> {
    Aggregation {
        arguments,
        empty: Arc::new(DiagnosisRows::default),
        read: Arc::new(move |rows| {
            let told = |error| exec_datafusion_err!("{}: {error}", spec.told());
            read(&rows.series().map_err(told)?)
        }),
        output,
    }
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
