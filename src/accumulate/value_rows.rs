//! Rows of a number go into a value profile.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::value_profile::ValueProfile;

impl Summary for ValueProfile {
    type Columns = Float64Array;

    /// `values` are the number; further ones are constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Float64Array> {
        match values.first() {
            Some(numbers) => Ok(as_float64_array(numbers)?.clone()),
            None => exec_err!("{}: expected a number", arguments.function),
        }
    }

    #[inline]
    fn observe(&mut self, numbers: &Float64Array, row: usize) -> Result<()> {
        let number = numbers.is_valid(row).then(|| numbers.value(row));
        ValueProfile::observe(self, number);
        Ok(())
    }

    fn observe_run(&mut self, numbers: &Float64Array, mut rows: Range<usize>) -> Result<()> {
        match numbers.values().get(rows.clone()) {
            Some(run) if numbers.null_count() == 0 => {
                run.iter()
                    .for_each(|&x| ValueProfile::observe(self, Some(x)));
                Ok(())
            }
            _ => rows.try_for_each(|row| Summary::observe(self, numbers, row)),
        }
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        ValueProfile::heap_size(self)
    }
}
