//! Rows of (label, prediction, score) go into a score profile.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::score_profile::{ScoreProfile, ternary};

/// Label and prediction of each row as one class, and the scores.
#[derive(Debug)]
pub struct ScoreColumns {
    pub(super) class: Vec<u8>,
    pub(super) score: Float64Array,
}

impl Summary for ScoreProfile {
    type Columns = ScoreColumns;

    /// `values` are label, prediction, score; further ones are constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ScoreColumns> {
        let [label, prediction, score, ..] = values else {
            return exec_err!(
                "{}: expected label, prediction and score",
                arguments.function
            );
        };
        let mut class = vec![0; score.len()];
        class_column(
            arguments.function,
            "prediction",
            prediction,
            |row, known| {
                if let Some(class) = class.get_mut(row) {
                    *class = 3 * ternary(known);
                }
            },
        )?;
        class_column(arguments.function, "label", label, |row, known| {
            if let Some(class) = class.get_mut(row) {
                *class += ternary(known);
            }
        })?;
        Ok(ScoreColumns {
            class,
            score: as_float64_array(score)?.clone(),
        })
    }

    #[inline]
    fn observe(&mut self, columns: &ScoreColumns, row: usize) -> Result<()> {
        let score = columns
            .score
            .is_valid(row)
            .then(|| columns.score.value(row));
        if let Some(&class) = columns.class.get(row) {
            ScoreProfile::observe(self, class, score);
        }
        Ok(())
    }

    fn observe_run(&mut self, columns: &ScoreColumns, rows: Range<usize>) -> Result<()> {
        let classes = columns.class.get(rows.clone());
        let scores = columns.score.values().get(rows.clone());
        match (classes, scores) {
            (Some(classes), Some(scores)) if columns.score.null_count() == 0 => {
                self.observe_all(classes, scores);
                Ok(())
            }
            _ => {
                let mut rows = rows;
                rows.try_for_each(|row| Summary::observe(self, columns, row))
            }
        }
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        ScoreProfile::heap_size(self)
    }
}

/// How a call says which value is positive. The value found is not put in its place: it is as likely the negative
/// one, and the model would be judged upside down.
fn how_to_compare(function: &str, role: &str, value: &str) -> String {
    let positive = match value.starts_with('\'') {
        true => "'<the positive value>'",
        false => "<the positive value>",
    };
    // the aggregate that monitoring functions call, too
    let of_profile = function == "score_profile";
    let more = of_profile || function.ends_with("_difference");
    let rest = if more { ", ..." } else { "" };
    let (call, argument) = match (role, value.parse::<f64>()) {
        ("label", _) => (
            format!("{function}(y_true = {positive}, ...)"),
            format!("positive_label => {positive}"),
        ),
        // more likely a score than the code of a class
        (_, Ok(number)) if number.fract() != 0.0 => (
            format!("{function}(y_true, y_pred >= 0.5{rest})"),
            "prediction => y_pred >= 0.5".to_owned(),
        ),
        _ => (
            format!("{function}(y_true, y_pred = {positive}{rest})"),
            format!("prediction => y_pred = {positive}"),
        ),
    };
    let or = match of_profile {
        true => format!(
            ", or {argument} in a monitoring function. Of several classes, and of numbers, say so: \
             problem_type => 'multiclass', problem_type => 'regression'"
        ),
        false => String::new(),
    };
    format!("say which value is positive, as in {call}{or}")
}

/// Reads a two-valued column row by row: boolean, 0/1 of any width, or their texts; NULL is `None`.
///
/// Errors name the first value that is neither class.
pub fn class_column(
    function: &str,
    role: &str,
    column: &ArrayRef,
    mut each: impl FnMut(usize, Option<bool>),
) -> Result<()> {
    let refuse = |value: String| {
        let hint = how_to_compare(function, role, &value);
        exec_err!("{function}: {role} is {value}. Expected 0, 1, true, false or NULL. Hint: {hint}")
    };
    match column.data_type() {
        DataType::Null => (0..column.len()).for_each(|row| each(row, None)),
        DataType::Boolean => {
            let values = column.as_boolean();
            (0..values.len())
                .for_each(|row| each(row, values.is_valid(row).then(|| values.value(row))));
        }
        DataType::Int64 => {
            let column = column.as_primitive::<Int64Type>();
            if column.null_count() == 0
                && column.values().iter().all(|value| (0..=1).contains(value))
            {
                let values = column.values().iter().enumerate();
                values.for_each(|(row, value)| each(row, Some(*value == 1)));
                return Ok(());
            }
            for (row, value) in column.iter().enumerate() {
                match value {
                    None => each(row, None),
                    Some(class @ 0..=1) => each(row, Some(class == 1)),
                    Some(other) => return refuse(other.to_string()),
                }
            }
        }
        DataType::Float64 => {
            for (row, value) in column.as_primitive::<Float64Type>().iter().enumerate() {
                match value {
                    None => each(row, None),
                    Some(class) if class == 0.0 || class == 1.0 => each(row, Some(class == 1.0)),
                    Some(other) => return refuse(other.to_string()),
                }
            }
        }
        DataType::Utf8View => {
            for (row, value) in column.as_string_view().iter().enumerate() {
                match value {
                    None => each(row, None),
                    Some("1" | "true") => each(row, Some(true)),
                    Some("0" | "false") => each(row, Some(false)),
                    Some(other) => return refuse(format!("'{other}'")),
                }
            }
        }
        other => {
            return exec_err!(
                "{function}: {role} has type {other}. Expected a boolean or a number"
            );
        }
    }
    Ok(())
}
