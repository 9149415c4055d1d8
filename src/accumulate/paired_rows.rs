//! Rows of a label and what two models say of them; a row that lacks one of the three has no part in a difference.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err};

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

fn number(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
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
        let known = (class(&columns.label, row), number(a, row), number(b, row));
        if let (Some(label), Some(a), Some(b)) = known {
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

impl Summary for PairedRegression {
    type Columns = NumbersColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<NumbersColumns> {
        let [label, a, b] = three(arguments, values)?;
        let column = |column: &ArrayRef| as_float64_array(column).cloned();
        Ok(NumbersColumns([column(label)?, column(a)?, column(b)?]))
    }

    fn observe(&mut self, columns: &NumbersColumns, row: usize) -> Result<()> {
        self.observe_run(columns, row..row + 1)
    }

    fn observe_run(&mut self, columns: &NumbersColumns, rows: Range<usize>) -> Result<()> {
        let [label, a, b] = &columns.0;
        let (mut labels, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let known = (number(label, row), number(a, row), number(b, row));
            if let (Some(y), Some(a), Some(b)) = known {
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
