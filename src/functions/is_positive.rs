//! `is_positive`: which texts stand for the positive class.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF};

use super::scalar::scalar_of_batch;
use super::spec::{FunctionSpec, Role};
use super::values::text;

static IS_POSITIVE: FunctionSpec = FunctionSpec {
    name: "is_positive",
    description: "Whether a text is that of the positive class. One that differs from it only in case or in blanks around \
                  it is an error: it would pass for the negative class, and metrics would be 0 without a word.",
    arguments: &[
        (
            "value",
            Role::Text,
            "A label or prediction; NULL where not known.",
        ),
        (
            "positive_label",
            Role::Text,
            "The text of the positive class.",
        ),
        (
            "role",
            Role::Text,
            "What the value is, for the error; 'value' by default.",
        ),
    ],
    required: 2,
    example: "SELECT f1(is_positive(label, 'yes'), is_positive(prediction, 'yes')) FROM predictions",
};

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar_of_batch(
        &IS_POSITIVE,
        DataType::Boolean,
        of_row,
        of_batch,
    )?])
}

fn of_row(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (Some(value), Some(positive)) = (text(values, 0), text(values, 1)) else {
        return Ok(ScalarValue::Boolean(None));
    };
    let class = class(spec, value, positive, text(values, 2))?;
    Ok(ScalarValue::Boolean(Some(class)))
}

/// One positive class for all rows, which is how monitoring functions call it.
fn of_batch(spec: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let [
        ColumnarValue::Array(column),
        ColumnarValue::Scalar(positive),
        rest @ ..,
    ] = values
    else {
        return Ok(None);
    };
    let role = match rest.first() {
        None => None,
        Some(ColumnarValue::Scalar(role)) => role.try_as_str().flatten(),
        Some(ColumnarValue::Array(_)) => return Ok(None),
    };
    let Some(positive) = positive.try_as_str().flatten() else {
        return Ok(None);
    };
    let class = |value: Option<&str>| {
        let class = value.map(|value| class(spec, value, positive, role));
        class.transpose()
    };
    let classes: Result<BooleanArray> = as_string_array(column)?.iter().map(class).collect();
    Ok(Some(Arc::new(classes?)))
}

fn class(spec: &FunctionSpec, value: &str, positive: &str, role: Option<&str>) -> Result<bool> {
    if value == positive {
        return Ok(true);
    }
    if !value.trim().eq_ignore_ascii_case(positive.trim()) {
        return Ok(false);
    }
    let role = role.unwrap_or("value");
    exec_err!(
        "{}: {role} is '{value}', which differs from the positive label '{positive}' in case or blanks only. \
         Expected '{positive}' or another class. Hint: {role} => lower(trim(column)) = '{}'",
        spec.name,
        positive.trim().to_ascii_lowercase()
    )
}
