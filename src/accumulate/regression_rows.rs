//! Rows of (label, prediction), both numbers, go into a regression profile.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::regression::RegressionProfile;

/// Label and prediction of each row.
#[derive(Debug)]
pub struct RegressionColumns {
    pub(super) label: Float64Array,
    pub(super) prediction: Float64Array,
}

impl RegressionColumns {
    /// Label and prediction of a row.
    pub fn row(&self, row: usize) -> (Option<f64>, Option<f64>) {
        (known(&self.label, row), known(&self.prediction, row))
    }
}

/// The number in a row; `None` for NULL.
pub fn known(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
}

impl Summary for RegressionProfile {
    type Columns = RegressionColumns;

    /// `values` are label and prediction; further ones are constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<RegressionColumns> {
        let [label, prediction, ..] = values else {
            return exec_err!("{}: expected label and prediction", arguments.function);
        };
        Ok(RegressionColumns {
            label: as_float64_array(label)?.clone(),
            prediction: as_float64_array(prediction)?.clone(),
        })
    }

    fn observe(&mut self, columns: &RegressionColumns, row: usize) -> Result<()> {
        let (label, prediction) = columns.row(row);
        RegressionProfile::observe(self, label, prediction);
        Ok(())
    }

    fn observe_run(&mut self, columns: &RegressionColumns, rows: Range<usize>) -> Result<()> {
        let RegressionColumns { label, prediction } = columns;
        if label.null_count() + prediction.null_count() == 0
            && let (Some(labels), Some(predictions)) = (
                label.values().get(rows.clone()),
                prediction.values().get(rows.clone()),
            )
        {
            self.observe_all(labels, predictions);
            return Ok(());
        }
        // rows with both numbers side by side, so that they are added up together, too
        let (mut labels, mut predictions) = (vec![], vec![]);
        for row in rows {
            match columns.row(row) {
                (Some(y), Some(f)) => {
                    labels.push(y);
                    predictions.push(f);
                }
                (label, prediction) => RegressionProfile::observe(self, label, prediction),
            }
        }
        self.observe_all(&labels, &predictions);
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        RegressionProfile::heap_size(self)
    }
}
