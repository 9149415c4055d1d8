//! `one_label`: refuses a key that has several labels.
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF};

use super::scalar::scalar_of_batch;
use super::spec::{FunctionSpec, Role};
use super::values::{flag, text};

static ONE_LABEL: FunctionSpec = FunctionSpec {
    name: "one_label",
    description: "True where a key has one label; an error where it has several, which are not one answer.",
    arguments: &[
        (
            "is_one",
            Role::Flag,
            "Whether the least and the greatest label of the key agree.",
        ),
        ("key", Role::Text, "The key, for the error."),
    ],
    required: 2,
    example: "SELECT id, CASE WHEN one_label(min(y_true) IS NOT DISTINCT FROM max(y_true), CAST(id AS VARCHAR)) THEN min(y_true) END\n\
              FROM labels GROUP BY id",
};

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar_of_batch(
        &ONE_LABEL,
        DataType::Boolean,
        one_label,
        all_agree,
    )?])
}

/// Every row of a table goes through this, and nearly always there is nothing to tell.
fn all_agree(_: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let Some(ColumnarValue::Array(agree)) = values.first() else {
        return Ok(None);
    };
    let agree = agree.as_boolean();
    let all = agree.null_count() == 0 && agree.true_count() == agree.len();
    Ok(all.then(|| Arc::new(agree.clone()) as ArrayRef))
}

fn one_label(_: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    if flag(values, 0) {
        return Ok(ScalarValue::Boolean(Some(true)));
    }
    exec_err!(
        "labels: key {} has several labels. Expected one label for each key. \
         Hint: labels => (SELECT id, last_value(y_true ORDER BY labelled_at) AS y_true FROM labels GROUP BY id)",
        text(values, 1).unwrap_or("NULL")
    )
}
