//! Numbers with a time, kept until they are held against others.
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray,
};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::kpi::{TimedPoint, TimedSeries};

/// The points of one series.
#[derive(Debug, Default)]
pub struct TimedRows {
    points: Vec<TimedPoint>,
    /// Bytes of names and controls.
    inside: usize,
}

/// The columns of a batch.
#[derive(Debug)]
pub struct TimedColumns {
    time: Int64Array,
    value: Float64Array,
    is_reference: BooleanArray,
    chunk: StringArray,
    sampling_error: Float64Array,
    alert: BooleanArray,
    controls: ListArray,
}

impl TimedRows {
    /// The series so far; `None` without rows.
    pub fn series(&self) -> Option<TimedSeries> {
        (!self.points.is_empty()).then(|| TimedSeries::new(self.points.clone()))
    }

    fn push(&mut self, point: TimedPoint) {
        self.inside += point.chunk.as_ref().map_or(0, String::capacity);
        self.inside += point.controls.capacity() * size_of::<Option<f64>>();
        self.points.push(point);
    }
}

impl Summary for TimedRows {
    type Columns = TimedColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<TimedColumns> {
        let [
            time,
            value,
            is_reference,
            chunk,
            sampling_error,
            alert,
            controls,
            ..,
        ] = values
        else {
            return exec_err!("{}: expected seven arguments", arguments.function);
        };
        Ok(TimedColumns {
            time: time.as_primitive::<Int64Type>().clone(),
            value: value.as_primitive::<Float64Type>().clone(),
            is_reference: is_reference.as_boolean().clone(),
            chunk: chunk.as_string::<i32>().clone(),
            sampling_error: sampling_error.as_primitive::<Float64Type>().clone(),
            alert: alert.as_boolean().clone(),
            controls: controls.as_list::<i32>().clone(),
        })
    }

    fn observe(&mut self, columns: &TimedColumns, row: usize) -> Result<()> {
        let number = |of: &Float64Array| of.is_valid(row).then(|| of.value(row));
        let flag = |of: &BooleanArray| of.is_valid(row).then(|| of.value(row));
        let (time, chunk) = (&columns.time, &columns.chunk);
        let controls = match columns.controls.is_valid(row) {
            true => {
                let list = columns.controls.value(row);
                list.as_primitive::<Float64Type>().iter().collect()
            }
            false => vec![],
        };
        self.push(TimedPoint {
            time: time.is_valid(row).then(|| time.value(row)),
            value: number(&columns.value),
            is_reference: flag(&columns.is_reference).unwrap_or(false),
            chunk: chunk.is_valid(row).then(|| chunk.value(row).to_owned()),
            sampling_error: number(&columns.sampling_error),
            alert: flag(&columns.alert),
            controls,
        });
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        let points = TimedSeries::from_bytes(state)?.into_points();
        points.into_iter().for_each(|point| self.push(point));
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        TimedSeries::new(self.points.clone()).to_bytes()
    }

    fn heap_size(&self) -> usize {
        self.points.capacity() * size_of::<TimedPoint>() + self.inside
    }
}
