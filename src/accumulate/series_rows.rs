//! Rows of a monitoring function, kept until a series is made of them.
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::chunk_series::{ChunkSeries, SeriesPoint};

/// The points of one column or metric.
#[derive(Debug, Default)]
pub struct SeriesRows {
    points: Vec<SeriesPoint>,
    /// Bytes of the chunks' names.
    names: usize,
}

/// The columns of a batch.
#[derive(Debug)]
pub struct SeriesColumns {
    is_reference: BooleanArray,
    chunk: StringArray,
    value: Float64Array,
    alert: BooleanArray,
}

impl SeriesRows {
    /// The series so far; `None` without rows.
    pub fn series(&self) -> Option<ChunkSeries> {
        (!self.points.is_empty()).then(|| ChunkSeries::new(self.points.clone()))
    }

    fn push(&mut self, point: SeriesPoint) {
        self.names += point.chunk.as_ref().map_or(0, String::capacity);
        self.points.push(point);
    }
}

impl Summary for SeriesRows {
    type Columns = SeriesColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<SeriesColumns> {
        let [is_reference, chunk, value, alert, ..] = values else {
            return exec_err!("{}: expected at least four arguments", arguments.function);
        };
        Ok(SeriesColumns {
            is_reference: is_reference.as_boolean().clone(),
            chunk: chunk.as_string::<i32>().clone(),
            value: value.as_primitive::<Float64Type>().clone(),
            alert: alert.as_boolean().clone(),
        })
    }

    fn observe(&mut self, columns: &SeriesColumns, row: usize) -> Result<()> {
        let SeriesColumns {
            is_reference,
            chunk,
            value,
            alert,
        } = columns;
        self.push(SeriesPoint::new(
            is_reference.is_valid(row) && is_reference.value(row),
            chunk.is_valid(row).then(|| chunk.value(row).to_owned()),
            value.is_valid(row).then(|| value.value(row)),
            alert.is_valid(row).then(|| alert.value(row)),
        ));
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        for point in ChunkSeries::from_bytes(state)?.points() {
            self.push(point.clone());
        }
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        ChunkSeries::new(self.points.clone()).to_bytes()
    }

    fn heap_size(&self) -> usize {
        self.points.capacity() * size_of::<SeriesPoint>() + self.names
    }
}
