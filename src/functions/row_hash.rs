//! `row_hash`: a number that equal rows share.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF};

use super::scalar::scalar_of_batch;
use super::spec::{FunctionSpec, Role};
use crate::accumulate::Records;
use crate::kernel::row_hash::row_hash;

static ROW_HASH: FunctionSpec = FunctionSpec {
    name: "row_hash",
    description: "A number that equal rows share and different rows do not, but for one pair in 2^64: the same on every machine, in \
                  any order of rows. NULL equals NULL and NaN; fields are taken in order, whatever their names. NULL for a NULL in \
                  place of the struct.",
    arguments: &[(
        "record",
        Role::Record,
        "The columns of the row, as in {'age': age, 'plan': plan}: numbers, texts and booleans.",
    )],
    required: 1,
    example: "SELECT count(*) FROM test WHERE row_hash({'age': age, 'plan': plan}) IN\n\
              \x20 (SELECT row_hash({'age': age, 'plan': plan}) FROM training)",
};

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    let hash = scalar_of_batch(&ROW_HASH, DataType::Int64, of_row, of_batch)?;
    Ok(vec![hash])
}

fn of_row(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    match values {
        [record] => ScalarValue::try_from_array(&hashes(spec, &record.to_array()?)?, 0),
        _ => exec_err!("{}: expected a struct of columns", spec.name),
    }
}

fn of_batch(spec: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    match values {
        [ColumnarValue::Array(records)] => Ok(Some(Arc::new(hashes(spec, records)?))),
        _ => Ok(None),
    }
}

fn hashes(spec: &FunctionSpec, records: &ArrayRef) -> Result<Int64Array> {
    let records = Records::read(spec.name, records)?;
    let hash = |row: usize| Some(row_hash(records.row(row)?).cast_signed());
    Ok((0..records.rows()).map(hash).collect())
}
