//! `calendar_start` and `calendar_chunk`: start, number and text of a calendar interval, for the plans of table functions.
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, StringArray, StructArray, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::ScalarBuffer;
use datafusion::arrow::datatypes::{
    DataType, Field, Fields, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF};

use super::scalar::{scalar, scalar_of_batch};
use super::spec::{Argument, FunctionSpec, Role};
use super::values::integer;
use crate::kernel::calendar::{IntervalStarts, Step};

static CALENDAR_CHUNK: FunctionSpec = FunctionSpec {
    name: "calendar_chunk",
    description: "The text of the calendar interval that starts at chunk_start, and its number since January 2000 (months) \
                  or Monday 2000-01-03 (days and less).",
    arguments: &[
        ("chunk_start", Role::Time, "First instant of the interval."),
        MONTHS,
        DAYS,
        MICROSECONDS,
    ],
    required: 4,
    example: "SELECT calendar_chunk(TIMESTAMP '2024-02-01', 1, 0, 0)['chunk']",
};

static CALENDAR_START: FunctionSpec = FunctionSpec {
    name: "calendar_start",
    description: "The first instant of the calendar interval that holds a wall-clock time; months count from January 2000, days and \
                  less from Monday 2000-01-03.",
    arguments: &[
        ("time", Role::Time, "The time."),
        MONTHS,
        DAYS,
        MICROSECONDS,
    ],
    required: 4,
    example: "SELECT calendar_start(TIMESTAMP '2024-02-17 10:00', 1, 0, 0)",
};

const MONTHS: Argument = ("months", Role::Integer, "Length in months, 0 for days.");
const DAYS: Argument = ("days", Role::Integer, "Length in days, 0 for less.");
const MICROSECONDS: Argument = (
    "microseconds",
    Role::Integer,
    "Length in microseconds, 0 for months or days.",
);

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, None);
    Ok(vec![
        scalar(&CALENDAR_CHUNK, DataType::Struct(fields()), chunk)?,
        scalar_of_batch(&CALENDAR_START, instant, start, start_of_batch)?,
    ])
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("chunk", DataType::Utf8, true),
        Field::new("chunk_index", DataType::Int64, true),
    ])
}

/// The step that the arguments after the first give.
fn step(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<Step> {
    match (integer(values, 1), integer(values, 2), integer(values, 3)) {
        (Some(months @ 1..), Some(0), Some(0)) => Ok(Step::Months(months)),
        (Some(0), Some(days @ 1..), Some(0)) => Ok(Step::Days(days)),
        (Some(0), Some(0), Some(micros @ 1..)) => Ok(Step::Micros(micros)),
        _ => exec_err!("{}: expected exactly one positive length", spec.name),
    }
}

/// Microseconds since 1970; `None` for NULL.
fn time(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<Option<i64>> {
    match values.first() {
        Some(ScalarValue::TimestampMicrosecond(time, _)) => Ok(*time),
        Some(ScalarValue::TimestampNanosecond(time, _)) => Ok(time.map(|ns| ns.div_euclid(1000))),
        Some(value) if value.is_null() => Ok(None),
        _ => exec_err!(
            "{}: expected a timestamp in microseconds or nanoseconds",
            spec.name
        ),
    }
}

fn start(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let step = step(spec, values)?;
    let start = time(spec, values)?.map(|time| step.bounds(time).0);
    Ok(ScalarValue::TimestampMicrosecond(start, None))
}

/// Times and one step, which is how monitoring functions call it.
fn start_of_batch(spec: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let [ColumnarValue::Array(times), lengths @ ..] = values else {
        return Ok(None);
    };
    let length = |value: &ColumnarValue| match value {
        ColumnarValue::Scalar(value) => Some(value.clone()),
        ColumnarValue::Array(_) => None,
    };
    let lengths: Option<Vec<ScalarValue>> = lengths.iter().map(length).collect();
    let Some(lengths) = lengths else {
        return Ok(None);
    };
    let given: Vec<ScalarValue> = [ScalarValue::Null].into_iter().chain(lengths).collect();
    let mut starts = IntervalStarts::new(step(spec, &given)?);
    let micros = times.as_primitive_opt::<TimestampMicrosecondType>();
    let nanos = times.as_primitive_opt::<TimestampNanosecondType>();
    let each: ScalarBuffer<i64> = match (micros, nanos) {
        (Some(times), _) => times.values().iter().map(|time| starts.of(*time)).collect(),
        (None, Some(times)) => {
            let times = times.values().iter();
            times.map(|time| starts.of_nanoseconds(*time)).collect()
        }
        (None, None) => return Ok(None),
    };
    let starts = TimestampMicrosecondArray::new(each, times.nulls().cloned());
    Ok(Some(Arc::new(starts)))
}

fn chunk(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (step, start) = (step(spec, values)?, time(spec, values)?);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![
            start.map(|start| step.text_of(start)),
        ])),
        Arc::new(Int64Array::from(vec![
            start.map(|start| step.index_of(start)),
        ])),
    ];
    Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(
        fields(),
        columns,
        None,
    )?)))
}
