//! A reading as the struct that the plans of table functions unnest.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use datafusion::common::{Result, ScalarValue};

use super::EVALUATION_FIELDS;
use crate::kernel::reading::Reading;

/// A reading that needs no label, as a struct of [`EVALUATION_FIELDS`].
pub(super) fn row_of(metric: &str, reading: &Reading) -> Result<ScalarValue> {
    let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let number = |number: Option<f64>| -> ArrayRef { Arc::new(Float64Array::from(vec![number])) };
    let count = |count: Option<i64>| -> ArrayRef { Arc::new(Int64Array::from(vec![count])) };
    let column = |name: &str| match name {
        "metric" => text(metric),
        "column_name" => Arc::new(StringArray::new_null(1)),
        "status" => text(reading.status.name()),
        "used_count" => count(i64::try_from(reading.used_count).ok()),
        "labelled_count" | "labelled_used_count" => count(None),
        "value" | "limit_value" => number(reading.value),
        "sampling_error" => number(reading.sampling_error),
        "row_sampling_error" => number(reading.row_sampling_error),
        "lower_bound" => number(reading.lower_bound),
        "upper_bound" => number(reading.upper_bound),
        "approx_error" => number(reading.approx_error),
        _ => number(None),
    };
    let fields = EVALUATION_FIELDS.iter();
    let columns = fields.map(|field| column(field.name())).collect();
    let row = StructArray::try_new(EVALUATION_FIELDS.clone(), columns, None)?;
    Ok(ScalarValue::Struct(Arc::new(row)))
}
