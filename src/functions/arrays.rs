//! Results of several fields: columns of what rows say, put together as one row or as a list of them.
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StructArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};

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

/// A count, as the columns of results have it.
pub(super) fn count(n: usize) -> Option<i64> {
    i64::try_from(n).ok()
}

/// Columns of one row as a struct.
pub(super) fn row_of(fields: &Fields, columns: Vec<ArrayRef>) -> Result<ScalarValue> {
    let row = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(ScalarValue::Struct(Arc::new(row)))
}

/// The rows of columns as a list of structs.
pub(super) fn list_of(fields: &Fields, columns: Vec<ArrayRef>) -> Result<ScalarValue> {
    let elements = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(SingleRowListArrayBuilder::new(Arc::new(elements)).build_list_scalar())
}
