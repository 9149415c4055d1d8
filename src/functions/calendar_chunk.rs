//! `calendar_chunk`: number and text of a calendar interval, for the plans of table functions.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::scalar::scalar;
use super::spec::{FunctionSpec, Role};
use super::values::integer;
use crate::kernel::calendar::Step;

static CALENDAR_CHUNK: FunctionSpec = FunctionSpec {
    name: "calendar_chunk",
    description: "The text of the calendar interval that starts at chunk_start, and its number since January 2000 (months) \
                  or Monday 2000-01-03 (days and less).",
    arguments: &[
        ("chunk_start", Role::Time, "First instant of the interval."),
        ("months", Role::Integer, "Length in months, 0 for days."),
        ("days", Role::Integer, "Length in days, 0 for less."),
        (
            "microseconds",
            Role::Integer,
            "Length in microseconds, 0 for months or days.",
        ),
    ],
    required: 4,
    example: "SELECT calendar_chunk(TIMESTAMP '2024-02-01', 1, 0, 0)['chunk']",
};

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar(
        &CALENDAR_CHUNK,
        DataType::Struct(fields()),
        chunk,
    )?])
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("chunk", DataType::Utf8, true),
        Field::new("chunk_index", DataType::Int64, true),
    ])
}

fn chunk(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let step = match (integer(values, 1), integer(values, 2), integer(values, 3)) {
        (Some(months @ 1..), Some(0), Some(0)) => Step::Months(months),
        (Some(0), Some(days @ 1..), Some(0)) => Step::Days(days),
        (Some(0), Some(0), Some(micros @ 1..)) => Step::Micros(micros),
        _ => return exec_err!("{}: expected exactly one positive length", spec.name),
    };
    let start = match values.first() {
        Some(ScalarValue::TimestampMicrosecond(start, _)) => *start,
        Some(ScalarValue::TimestampNanosecond(start, _)) => start.map(|ns| ns.div_euclid(1000)),
        Some(value) if value.is_null() => None,
        _ => {
            return exec_err!(
                "{}: expected a timestamp in microseconds or nanoseconds",
                spec.name
            );
        }
    };
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
