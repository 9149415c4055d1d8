//! Constant arguments of an aggregate, and bytes out of columns.
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;

/// What a call of an aggregate says besides its columns.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// Name of the aggregate, for errors.
    pub function: &'static str,
    constants: Vec<Option<ScalarValue>>,
}

impl Arguments {
    /// Reads the arguments that are constant, by evaluating each on no rows: literals, folded
    /// expressions and scalar subqueries, also when the expression came over a foreign interface.
    pub fn read(
        function: &'static str,
        exprs: &[Arc<dyn PhysicalExpr>],
        schema: &Schema,
    ) -> Result<Self> {
        let empty = RecordBatch::new_empty(Arc::new(schema.clone()));
        let constant = |expr: &Arc<dyn PhysicalExpr>| {
            if !collect_columns(expr).is_empty() {
                return Ok(None);
            }
            match expr.evaluate(&empty)? {
                ColumnarValue::Scalar(value) => Ok(Some(value)),
                ColumnarValue::Array(_) => Ok(None),
            }
        };
        Ok(Self {
            function,
            constants: exprs.iter().map(constant).collect::<Result<_>>()?,
        })
    }

    /// The constant at `position`; `None` when it is absent or NULL, an error when it is not constant.
    pub fn constant(&self, position: usize, name: &str) -> Result<Option<&ScalarValue>> {
        match self.constants.get(position) {
            None => Ok(None),
            Some(Some(value)) if value.is_null() => Ok(None),
            Some(Some(value)) => Ok(Some(value)),
            Some(None) => plan_err!(
                "{}: argument '{name}' depends on the rows. Expected a constant",
                self.function
            ),
        }
    }

    /// Whether there is an argument at `position` other than a constant NULL.
    pub fn is_given(&self, position: usize) -> bool {
        let null =
            |constant: &Option<ScalarValue>| constant.as_ref().is_some_and(ScalarValue::is_null);
        self.constants
            .get(position)
            .is_some_and(|constant| !null(constant))
    }

    /// The whole number at `position`, or `default`.
    pub fn integer(&self, position: usize, name: &str, default: i64) -> Result<i64> {
        let Some(value) = self.constant(position, name)? else {
            return Ok(default);
        };
        match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(n))) => Ok(n),
            _ => plan_err!(
                "{}: argument '{name}' is {value}. Expected a whole number",
                self.function
            ),
        }
    }

    /// The text at `position`.
    pub fn text(&self, position: usize, name: &str) -> Result<Option<String>> {
        let Some(value) = self.constant(position, name)? else {
            return Ok(None);
        };
        match value.try_as_str() {
            Some(Some(text)) => Ok(Some(text.to_string())),
            _ => plan_err!(
                "{}: argument '{name}' is {value}. Expected a text",
                self.function
            ),
        }
    }
}

/// The bytes in a binary column; `None` for NULL.
pub fn bytes_at(column: &ArrayRef, row: usize) -> Result<Option<&[u8]>> {
    if column.is_null(row) {
        return Ok(None);
    }
    match column.data_type() {
        DataType::BinaryView => Ok(Some(column.as_binary_view().value(row))),
        DataType::Binary => Ok(Some(column.as_binary::<i32>().value(row))),
        DataType::LargeBinary => Ok(Some(column.as_binary::<i64>().value(row))),
        other => exec_err!("expected a profile (BinaryView), got a value of type {other}"),
    }
}
