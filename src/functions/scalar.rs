//! The one `ScalarUDFImpl`: a spec, and a function of one row's values.
//!
//! These functions work on profiles, a few hundred rows at most; those that see every row of a table have a way for whole batches.
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, new_empty_array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::spec::FunctionSpec;

/// A function of the values of one row.
pub(super) type OfRow = fn(&FunctionSpec, &[ScalarValue]) -> Result<ScalarValue>;

/// A function of a batch, for what every row of a table goes through; NULL when it leaves the rows to [`OfRow`].
pub(super) type OfBatch = fn(&FunctionSpec, &[ColumnarValue]) -> Result<Option<ArrayRef>>;

/// The scalar function that `spec` describes.
pub(super) fn scalar(
    spec: &'static FunctionSpec,
    output: DataType,
    of_row: OfRow,
) -> Result<Arc<ScalarUDF>> {
    scalar_of_batch(spec, output, of_row, |_, _| Ok(None))
}

/// The same, with a faster way for whole batches.
pub(super) fn scalar_of_batch(
    spec: &'static FunctionSpec,
    output: DataType,
    of_row: OfRow,
    of_batch: OfBatch,
) -> Result<Arc<ScalarUDF>> {
    Ok(Arc::new(ScalarUDF::from(RowFunction {
        spec,
        signature: spec.signature(Volatility::Immutable)?,
        documentation: spec.documentation(),
        output,
        of_row,
        of_batch,
    })))
}

#[derive(Debug)]
struct RowFunction {
    spec: &'static FunctionSpec,
    signature: Signature,
    documentation: Documentation,
    output: DataType,
    of_row: OfRow,
    of_batch: OfBatch,
}

// the spec is the whole identity
impl PartialEq for RowFunction {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
    }
}

impl Eq for RowFunction {}

impl Hash for RowFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl ScalarUDFImpl for RowFunction {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.spec.coerce(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.output.clone())
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value_at = |value: &ColumnarValue, row: usize| match value {
            ColumnarValue::Array(array) => ScalarValue::try_from_array(array, row),
            ColumnarValue::Scalar(value) => Ok(value.clone()),
        };
        let result = |row: usize| {
            let values: Result<Vec<ScalarValue>> =
                call.args.iter().map(|value| value_at(value, row)).collect();
            (self.of_row)(self.spec, &values?)
        };
        let constant = call
            .args
            .iter()
            .all(|v| matches!(v, ColumnarValue::Scalar(_)));
        if constant {
            return Ok(ColumnarValue::Scalar(result(0)?));
        }
        if let Some(results) = (self.of_batch)(self.spec, &call.args)? {
            return Ok(ColumnarValue::Array(results));
        }
        let results: Result<Vec<ScalarValue>> = (0..call.number_rows).map(result).collect();
        let results = results?;
        Ok(ColumnarValue::Array(if results.is_empty() {
            new_empty_array(&self.output)
        } else {
            ScalarValue::iter_to_array(results)?
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
