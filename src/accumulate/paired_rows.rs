//! Rows of a label and what two models say of them; a row that lacks one of the three has no part in a difference.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err};

use super::regression_rows::known;
use super::{Arguments, Summary, class_column};
use crate::kernel::paired::{PairedPredictions, PairedScores};
use crate::kernel::regression::PairedRegression;

/// The three columns of a call; further ones are constants.
fn three<'a>(arguments: &Arguments, values: &'a [ArrayRef]) -> Result<[&'a ArrayRef; 3]> {
    match values {
        [label, a, b, ..] => Ok([label, a, b]),
        _ => exec_err!(
            "{}: expected a label and what two models say",
            arguments.function
        ),
    }
}

fn classes(function: &str, role: &str, column: &ArrayRef) -> Result<Vec<Option<bool>>> {
    let mut classes = Vec::with_capacity(column.len());
    class_column(function, role, column, |_, known| classes.push(known))?;
    Ok(classes)
}

fn class(column: &[Option<bool>], row: usize) -> Option<bool> {
    column.get(row).copied().flatten()
}

/// Labels, and scores of two models.
#[derive(Debug)]
pub struct ScoresColumns {
    label: Vec<Option<bool>>,
    scores: [Float64Array; 2],
}

impl Summary for PairedScores {
    type Columns = ScoresColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ScoresColumns> {
        let [label, a, b] = three(arguments, values)?;
        Ok(ScoresColumns {
            label: classes(arguments.function, "label", label)?,
            scores: [as_float64_array(a)?.clone(), as_float64_array(b)?.clone()],
        })
    }

    fn observe(&mut self, columns: &ScoresColumns, row: usize) -> Result<()> {
        let [a, b] = &columns.scores;
        let all = (class(&columns.label, row), known(a, row), known(b, row));
        if let (Some(label), Some(a), Some(b)) = all {
            PairedScores::observe(self, label, [a, b]);
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        PairedScores::heap_size(self)
    }
}

/// Labels, and predictions of two models.
#[derive(Debug)]
pub struct PredictionsColumns {
    label: Vec<Option<bool>>,
    predictions: [Vec<Option<bool>>; 2],
}

impl Summary for PairedPredictions {
    type Columns = PredictionsColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<PredictionsColumns> {
        let [label, a, b] = three(arguments, values)?;
        let function = arguments.function;
        Ok(PredictionsColumns {
            label: classes(function, "label", label)?,
            predictions: [
                classes(function, "prediction_a", a)?,
                classes(function, "prediction_b", b)?,
            ],
        })
    }

    fn observe(&mut self, columns: &PredictionsColumns, row: usize) -> Result<()> {
        let [a, b] = &columns.predictions;
        let known = (class(&columns.label, row), class(a, row), class(b, row));
        if let (Some(label), Some(a), Some(b)) = known {
            PairedPredictions::observe(self, label, [a, b]);
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        0
    }
}

/// Labels that are numbers, and predictions of two models.
#[derive(Debug)]
pub struct NumbersColumns([Float64Array; 3]);

impl NumbersColumns {
    /// Label and predictions of a row that has all three.
    fn row(&self, row: usize) -> Option<[f64; 3]> {
        let [label, a, b] = &self.0;
        Some([known(label, row)?, known(a, row)?, known(b, row)?])
    }
}

impl Summary for PairedRegression {
    type Columns = NumbersColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<NumbersColumns> {
        let [label, a, b] = three(arguments, values)?;
        let column = |column: &ArrayRef| as_float64_array(column).cloned();
        Ok(NumbersColumns([column(label)?, column(a)?, column(b)?]))
    }

    fn observe(&mut self, columns: &NumbersColumns, row: usize) -> Result<()> {
        if let Some([y, a, b]) = columns.row(row) {
            self.observe_all(&[y], [&[a], &[b]]);
        }
        Ok(())
    }

    fn observe_run(&mut self, columns: &NumbersColumns, rows: Range<usize>) -> Result<()> {
        let (mut labels, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            if let Some([y, a, b]) = columns.row(row) {
                labels.push(y);
                from.push(a);
                to.push(b);
            }
        }
        self.observe_all(&labels, [&from, &to]);
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        PairedRegression::heap_size(self)
    }
}
