//! Chunks of one metric, kept until their shape is told.
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray,
};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::KernelError;
use crate::kernel::diagnosis::{Series, SeriesPoint};

/// The points of one series.
#[derive(Debug, Default)]
pub struct DiagnosisRows {
    points: Vec<SeriesPoint>,
    /// Bytes of the chunks' names.
    names: usize,
}

/// The columns of a batch.
#[derive(Debug)]
pub struct DiagnosisColumns {
    time: Int64Array,
    index: Int64Array,
    is_reference: BooleanArray,
    chunk: StringArray,
    value: Float64Array,
    sampling_error: Float64Array,
    is_usable: BooleanArray,
}

impl DiagnosisRows {
    /// The series so far.
    ///
    /// Errors: a chunk that comes twice.
    pub fn series(&self) -> Result<Series, KernelError> {
        Series::new(self.points.clone())
    }

    fn push(&mut self, point: SeriesPoint) {
        self.names += point.chunk.as_ref().map_or(0, String::capacity);
        self.points.push(point);
    }
}

impl Summary for DiagnosisRows {
    type Columns = DiagnosisColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<DiagnosisColumns> {
        let [
            time,
            index,
            is_reference,
            chunk,
            value,
            sampling_error,
            is_usable,
            ..,
        ] = values
        else {
            return exec_err!("{}: expected at least seven arguments", arguments.function);
        };
        Ok(DiagnosisColumns {
            time: time.as_primitive::<Int64Type>().clone(),
            index: index.as_primitive::<Int64Type>().clone(),
            is_reference: is_reference.as_boolean().clone(),
            chunk: chunk.as_string::<i32>().clone(),
            value: value.as_primitive::<Float64Type>().clone(),
            sampling_error: sampling_error.as_primitive::<Float64Type>().clone(),
            is_usable: is_usable.as_boolean().clone(),
        })
    }

    fn observe(&mut self, columns: &DiagnosisColumns, row: usize) -> Result<()> {
        let whole = |of: &Int64Array| of.is_valid(row).then(|| of.value(row));
        let number = |of: &Float64Array| of.is_valid(row).then(|| of.value(row));
        let flag = |of: &BooleanArray| of.is_valid(row) && of.value(row);
        let chunk = &columns.chunk;
        self.push(SeriesPoint {
            time: whole(&columns.time),
            index: whole(&columns.index),
            is_reference: flag(&columns.is_reference),
            chunk: chunk.is_valid(row).then(|| chunk.value(row).to_owned()),
            value: number(&columns.value),
            sampling_error: number(&columns.sampling_error),
            is_usable: flag(&columns.is_usable),
        });
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        let points = Series::points_from_bytes(state)?;
        points.into_iter().for_each(|point| self.push(point));
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        Series::to_bytes_of(&self.points)
    }

    fn heap_size(&self) -> usize {
        self.points.capacity() * size_of::<SeriesPoint>() + self.names
    }
}
