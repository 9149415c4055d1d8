//! Rows of (label, prediction, scores of each class) go into a multiclass profile.
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::digest::DigestLimits;
use crate::kernel::multiclass::MulticlassProfile;

const MAGIC: [u8; 4] = *b"MWCR";

/// A multiclass profile; `None` while there is no row, so that an empty group takes no memory.
#[derive(Debug)]
pub struct MulticlassRows {
    /// The profile.
    pub profile: Option<MulticlassProfile>,
    limits: DigestLimits,
}

/// Positions of labels and predictions, and the scores of each class, none where there are no scores.
#[derive(Debug)]
pub struct MulticlassColumns {
    classes: Arc<Vec<String>>,
    label: Vec<Option<u16>>,
    prediction: Vec<Option<u16>>,
    scores: Vec<Float64Array>,
    buffer: usize,
}

impl MulticlassRows {
    /// No rows.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            profile: None,
            limits,
        }
    }

    fn add(
        &mut self,
        columns: &MulticlassColumns,
        row: usize,
        scores: &mut [Option<f64>],
    ) -> Result<()> {
        let profile = match &mut self.profile {
            Some(profile) => profile,
            none => {
                let classes = columns.classes.as_ref().clone();
                none.insert(MulticlassProfile::new(classes, self.limits)?)
            }
        };
        for (score, column) in scores.iter_mut().zip(&columns.scores) {
            *score = column.is_valid(row).then(|| column.value(row));
        }
        let position = |column: &[Option<u16>]| column.get(row).copied().flatten().map(usize::from);
        profile.observe(
            position(&columns.label),
            position(&columns.prediction),
            scores,
        );
        Ok(())
    }
}

/// The classes that the argument `classes` at `position` names, if it is given.
pub fn named_classes(arguments: &Arguments, position: usize) -> Result<Option<Vec<String>>> {
    let Some(list) = arguments.constant(position, "classes")? else {
        return Ok(None);
    };
    let list = list.to_array()?;
    let Some(list) = list.as_list_opt::<i32>() else {
        return exec_err!(
            "{}: classes is {list:?}. Expected a list of texts",
            arguments.function
        );
    };
    let names = cast(&list.value(0), &DataType::Utf8)?;
    let names = names.as_string::<i32>().iter();
    Ok(Some(names.flatten().map(str::to_string).collect()))
}

impl Summary for MulticlassRows {
    type Columns = MulticlassColumns;

    /// `values` are label, prediction and scores, which are a struct by class or NULL, then constants: classes.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<MulticlassColumns> {
        let function = arguments.function;
        let [label, prediction, scores, ..] = values else {
            return exec_err!("{function}: expected label, prediction and scores");
        };
        let given = named_classes(arguments, 3)?;
        let (names, scores) = scores_of(function, scores)?;
        let classes = match (given, names) {
            (Some(given), names) if names.is_empty() || given == names => given,
            (Some(given), names) => {
                return exec_err!(
                    "{function}: classes are {}, and there are scores of {}. Expected the same in the same order",
                    given.join(", "),
                    names.join(", ")
                );
            }
            (None, names) if names.is_empty() => {
                return exec_err!(
                    "{function}: there are neither scores nor classes. Expected one of them. \
                     Hint: {function}(y_true, y_pred, NULL, ['basic', 'plus', 'pro'])"
                );
            }
            (None, names) => names,
        };
        Ok(MulticlassColumns {
            label: positions(function, "label", label, &classes)?,
            prediction: positions(function, "prediction", prediction, &classes)?,
            buffer: scores.len(),
            classes: Arc::new(classes),
            scores,
        })
    }

    fn observe(&mut self, columns: &MulticlassColumns, row: usize) -> Result<()> {
        self.add(columns, row, &mut vec![None; columns.buffer])
    }

    fn observe_run(
        &mut self,
        columns: &MulticlassColumns,
        mut rows: std::ops::Range<usize>,
    ) -> Result<()> {
        let mut scores = vec![None; columns.buffer];
        rows.try_for_each(|row| self.add(columns, row, &mut scores))
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        let mut r = Reader::new(state, MAGIC, 1, "state of a multiclass profile")?;
        if r.uint()? == 1 {
            let bytes = r.bytes()?;
            match &mut self.profile {
                Some(profile) => profile.merge_bytes(bytes)?,
                None => self.profile = Some(MulticlassProfile::from_bytes(bytes)?),
            }
        }
        Ok(r.finish()?)
    }

    fn state(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.uint(u64::from(self.profile.is_some()));
        if let Some(profile) = &mut self.profile {
            w.bytes(&profile.to_bytes());
        }
        w.finish()
    }

    fn heap_size(&self) -> usize {
        self.profile
            .as_ref()
            .map_or(0, MulticlassProfile::heap_size)
    }
}

/// Names of the classes and their scores; none where the column is NULL.
pub fn scores_of(function: &str, column: &ArrayRef) -> Result<(Vec<String>, Vec<Float64Array>)> {
    let Some(record) = column.as_struct_opt() else {
        return Ok((vec![], vec![]));
    };
    let (mut names, mut scores) = (vec![], vec![]);
    for (field, column) in record.fields().iter().zip(record.columns()) {
        let Some(numbers) = column.as_primitive_opt::<Float64Type>() else {
            return exec_err!(
                "{function}: the score of class '{}' has type {}. Expected a number",
                field.name(),
                column.data_type()
            );
        };
        names.push(field.name().clone());
        scores.push(match record.nulls() {
            // a row without the struct has no scores
            Some(nulls) => {
                let both =
                    datafusion::arrow::buffer::NullBuffer::union(Some(nulls), numbers.nulls());
                Float64Array::new(numbers.values().clone(), both)
            }
            None => numbers.clone(),
        });
    }
    Ok((names, scores))
}

/// Positions of the classes that a column names.
pub fn positions(
    function: &str,
    role: &str,
    column: &ArrayRef,
    classes: &[String],
) -> Result<Vec<Option<u16>>> {
    let texts = cast(column, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    let mut found = Vec::with_capacity(texts.len());
    let mut last = None;
    for text in texts {
        let Some(text) = text else {
            found.push(None);
            continue;
        };
        let position = match last {
            Some((name, position)) if name == text => position,
            _ => match classes.iter().position(|class| class == text) {
                Some(position) => position as u16,
                None => {
                    return exec_err!(
                        "{function}: {role} is '{text}'. Expected one of the classes {}, or NULL. \
                         Hint: name every class, as in score => {{'{text}': p, ...}} or classes => ['{text}', ...]",
                        classes.join(", ")
                    );
                }
            },
        };
        last = Some((text, position));
        found.push(Some(position));
    }
    Ok(found)
}
