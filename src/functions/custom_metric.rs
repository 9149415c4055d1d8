//! `evaluate_metric`: a value that a query computed becomes the reading of its chunk.
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::EVALUATION_FIELDS;
use super::evaluation_row::row_of;
use super::scalar::scalar;
use super::shared_arguments::CONFIDENCE_LEVEL;
use super::spec::{FunctionSpec, Role};
use super::values::{integer, number, text};
use crate::kernel::custom_metric::{Domain, reading};

static EVALUATE_METRIC: FunctionSpec = FunctionSpec {
    name: "evaluate_metric",
    description: "The reading of a chunk whose value a query computed: bounds, and a status where there is no value.",
    arguments: &[
        ("metric", Role::Text, "Name of the metric."),
        ("chunk", Role::Text, "Name of the chunk, for errors."),
        ("value", Role::Number, "Value on the chunk."),
        (
            "sampling_error",
            Role::Number,
            "Its standard error from sampling rows; NULL where it is not known.",
        ),
        ("row_count", Role::Integer, "Rows of the chunk."),
        (
            "domain",
            Role::Numbers,
            "Smallest and largest value of the metric, NULL for an open end.",
        ),
        CONFIDENCE_LEVEL,
    ],
    required: 7,
    example: "SELECT week, evaluate_metric('share', week, avg(x), NULL, count(*), [0, 1], 0.95)['status'] FROM t GROUP BY week",
};

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    let row = DataType::Struct(EVALUATION_FIELDS.clone());
    Ok(vec![scalar(&EVALUATE_METRIC, row, evaluate)?])
}

fn evaluate(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let metric = text(values, 0).unwrap_or_default();
    let confidence = number(values, 6).unwrap_or(0.95);
    if !(confidence > 0.0 && confidence < 1.0) {
        return exec_err!(
            "{}: confidence_level is {confidence}. Expected a number between 0 and 1, such as 0.95",
            spec.name
        );
    }
    let rows = integer(values, 4).and_then(|rows| u64::try_from(rows).ok());
    let read = reading(
        number(values, 2),
        number(values, 3),
        rows.unwrap_or_default(),
        domain(spec, values)?,
        confidence,
    );
    let read = read.map_err(|e| match text(values, 1) {
        Some(chunk) => exec_datafusion_err!("metric {metric} of chunk {chunk}: {e}"),
        None => exec_datafusion_err!("metric {metric}: {e}"),
    })?;
    row_of(metric, &read)
}

/// The domain at position 5; open for NULL.
fn domain(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<Domain> {
    let list = match values.get(5) {
        Some(ScalarValue::List(list)) if list.is_valid(0) => list.value(0),
        _ => return Ok(Domain::default()),
    };
    let ends: Vec<Option<f64>> = list.as_primitive::<Float64Type>().iter().collect();
    match ends.as_slice() {
        &[lower, upper] => Ok(Domain { lower, upper }),
        other => exec_err!(
            "{}: domain has {} numbers. Expected two, [lower, upper], NULL for an open end",
            spec.name,
            other.len()
        ),
    }
}
