//! Rows of (label, score) or (label, prediction): what the metrics of plain SQL aggregates read.
use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary, class_column};
use crate::kernel::score_profile::{ScoreProfile, ternary};

/// A score profile of rows with a label and either a score or, where `SCORED` is false, a prediction.
#[derive(Debug)]
pub struct LabelledRows<const SCORED: bool>(pub ScoreProfile);

/// The class of each row, and the scores where there are any.
#[derive(Debug)]
pub struct LabelledColumns {
    class: Vec<u8>,
    score: Option<Float64Array>,
}

impl<const SCORED: bool> Summary for LabelledRows<SCORED> {
    type Columns = LabelledColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<LabelledColumns> {
        let function = arguments.function;
        let [label, second, ..] = values else {
            return exec_err!("{function}: expected a label and a score or prediction");
        };
        // without a prediction column every prediction is unknown
        let mut class = vec![3 * ternary(None); label.len()];
        if !SCORED {
            class_column(function, "prediction", second, |row, known| {
                if let Some(class) = class.get_mut(row) {
                    *class = 3 * ternary(known);
                }
            })?;
        }
        class_column(function, "label", label, |row, known| {
            if let Some(class) = class.get_mut(row) {
                *class += ternary(known);
            }
        })?;
        let score = if SCORED {
            Some(as_float64_array(second)?.clone())
        } else {
            None
        };
        Ok(LabelledColumns { class, score })
    }

    fn observe(&mut self, columns: &LabelledColumns, row: usize) -> Result<()> {
        let score = columns.score.as_ref();
        let score = score.filter(|s| s.is_valid(row)).map(|s| s.value(row));
        let class = columns.class.get(row).copied();
        // a row without a label has no part in the metric, and takes no bin
        if let Some(class) = class.filter(|class| class % 3 != ternary(None)) {
            self.0.observe(class, score);
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.0.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn heap_size(&self) -> usize {
        self.0.heap_size()
    }
}
