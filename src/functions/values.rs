//! Typed access to the values of one row, already cast to the types that the spec asks for.
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Result, ScalarValue, exec_err};

use super::spec::FunctionSpec;
use crate::kernel::metric::Metric;

/// The bytes at `position`; `None` for NULL.
pub(super) fn bytes(values: &[ScalarValue], position: usize) -> Option<&[u8]> {
    match values.get(position) {
        Some(
            ScalarValue::BinaryView(Some(bytes))
            | ScalarValue::Binary(Some(bytes))
            | ScalarValue::LargeBinary(Some(bytes)),
        ) => Some(bytes),
        _ => None,
    }
}

/// The text at `position`; `None` for NULL.
pub(super) fn text(values: &[ScalarValue], position: usize) -> Option<&str> {
    values.get(position)?.try_as_str().flatten()
}

/// The number at `position`; `None` for NULL.
pub(super) fn number(values: &[ScalarValue], position: usize) -> Option<f64> {
    match values.get(position) {
        Some(ScalarValue::Float64(number)) => *number,
        _ => None,
    }
}

/// The whole number at `position`; `None` for NULL.
pub(super) fn integer(values: &[ScalarValue], position: usize) -> Option<i64> {
    match values.get(position) {
        Some(ScalarValue::Int64(number)) => *number,
        _ => None,
    }
}

/// The truth value at `position`; false for NULL.
pub(super) fn flag(values: &[ScalarValue], position: usize) -> bool {
    matches!(values.get(position), Some(ScalarValue::Boolean(Some(true))))
}

/// The texts of the list at `position`; empty for NULL.
pub(super) fn texts(values: &[ScalarValue], position: usize) -> Vec<String> {
    match values.get(position) {
        Some(ScalarValue::List(list)) if list.is_valid(0) => list
            .value(0)
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(str::to_string)
            .collect(),
        _ => vec![],
    }
}

/// The numbers of the list at `position`; empty for NULL, and for a list that holds one.
pub(super) fn numbers(values: &[ScalarValue], position: usize) -> Vec<f64> {
    match values.get(position) {
        Some(ScalarValue::List(list)) if list.is_valid(0) => {
            let list = list.value(0);
            let numbers = list.as_primitive::<Float64Type>();
            let all: Option<Vec<f64>> = numbers.iter().collect();
            all.unwrap_or_default()
        }
        _ => vec![],
    }
}

/// The value matrix `[tn, fp, fn, tp]` at `position`; zeros for NULL, unless one of `metrics` reads it.
pub(super) fn value_matrix(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    position: usize,
    metrics: &[Metric],
) -> Result<[f64; 4]> {
    let list = match values.get(position) {
        Some(ScalarValue::List(list)) if list.is_valid(0) => list.value(0),
        _ => {
            return match metrics.iter().find(|metric| metric.needs_value_matrix()) {
                None => Ok([0.0; 4]),
                Some(metric) => exec_err!(
                    "{}: metric {metric} needs the value of each outcome. Expected value_matrix. \
                     Hint: [0, -10, -50, 100] for [tn, fp, fn, tp]",
                    spec.name
                ),
            };
        }
    };
    let numbers: Vec<f64> = list
        .as_primitive::<Float64Type>()
        .iter()
        .map(|number| number.unwrap_or(f64::NAN))
        .collect();
    match <[f64; 4]>::try_from(numbers) {
        Ok(matrix) if matrix.iter().all(|v| v.is_finite()) => Ok(matrix),
        _ => exec_err!(
            "{}: value_matrix is not four finite numbers. Expected [tn, fp, fn, tp]",
            spec.name
        ),
    }
}
