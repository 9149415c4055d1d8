//! Rows of (label, prediction, scores of each class) go into a multiclass profile.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err};

use super::lazy::Lazy;
use super::regression_rows::known;
use super::{Arguments, Summary};
use crate::kernel::digest::DigestLimits;
use crate::kernel::multiclass::{MulticlassProfile, ScoredRows};

/// A multiclass profile.
#[derive(Debug)]
pub struct MulticlassRows {
    profile: Lazy<MulticlassProfile>,
    limits: DigestLimits,
    /// Scores of one row.
    scores: Vec<Option<f64>>,
}

/// Positions of labels and predictions, and the scores of each class, none where there are no scores.
#[derive(Debug)]
pub struct MulticlassColumns {
    pub(super) classes: Vec<String>,
    label: Vec<Option<u16>>,
    prediction: Vec<Option<u16>>,
    scores: Vec<Float64Array>,
}

impl MulticlassColumns {
    /// Label, prediction and scores, which are a struct by class or NULL; names of the classes are a constant at `classes`.
    pub(super) fn read(arguments: &Arguments, values: &[ArrayRef], classes: usize) -> Result<Self> {
        let function = arguments.function;
        let [label, prediction, scores, ..] = values else {
            return exec_err!("{function}: expected label, prediction and scores");
        };
        let given = named_classes(arguments, classes)?;
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
        Ok(Self {
            label: positions(function, "label", label, &classes)?,
            prediction: positions(function, "prediction", prediction, &classes)?,
            classes,
            scores,
        })
    }

    /// Positions of label and prediction of a row, whose scores go into `scores`.
    pub(super) fn row(&self, row: usize, scores: &mut Vec<Option<f64>>) -> [Option<usize>; 2] {
        scores.clear();
        scores.extend(self.scores.iter().map(|column| known(column, row)));
        [&self.label, &self.prediction]
            .map(|column| column.get(row).copied().flatten().map(usize::from))
    }
}

impl MulticlassRows {
    /// No rows.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            profile: Lazy::default(),
            limits,
            scores: Vec::new(),
        }
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
        MulticlassColumns::read(arguments, values, 3)
    }

    fn observe(&mut self, columns: &MulticlassColumns, row: usize) -> Result<()> {
        let limits = self.limits;
        let empty = || MulticlassProfile::new(columns.classes.clone(), limits);
        let profile = self.profile.or_new(empty)?;
        let [label, prediction] = columns.row(row, &mut self.scores);
        profile.observe(label, prediction, &self.scores);
        Ok(())
    }

    fn observe_run(&mut self, columns: &MulticlassColumns, rows: Range<usize>) -> Result<()> {
        let all = scored_rows(&columns.label, &columns.prediction, &columns.scores);
        let Some(scored) = all.and_then(|all| all.part(rows.clone())) else {
            return rows
                .into_iter()
                .try_for_each(|row| self.observe(columns, row));
        };
        if rows.is_empty() {
            return Ok(());
        }
        let limits = self.limits;
        let empty = || MulticlassProfile::new(columns.classes.clone(), limits);
        self.profile.or_new(empty)?.observe_all(&scored);
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        self.profile.merge_state(state)
    }

    fn state(&mut self) -> Vec<u8> {
        self.profile.state()
    }

    fn heap_size(&self) -> usize {
        let scores = self.scores.capacity() * size_of::<Option<f64>>();
        scores + self.profile.heap_size()
    }
}

/// Rows whose scores are all known; `None` where they are not.
pub fn scored_rows<'a>(
    labels: &'a [Option<u16>],
    predictions: &'a [Option<u16>],
    scores: &'a [Float64Array],
) -> Option<ScoredRows<'a>> {
    let known = |scores: &Float64Array| scores.null_count() == 0;
    let all_known = !scores.is_empty() && scores.iter().all(known);
    all_known.then(|| ScoredRows {
        labels,
        predictions,
        scores: scores
            .iter()
            .map(|scores| scores.values().as_ref())
            .collect(),
    })
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
    let names = StringViewArray::from_iter_values(classes);
    let short: Vec<u128> = names.views().iter().copied().collect();
    let mut found = same_views(texts.views(), &short);
    let nulls = texts.nulls();
    if nulls.is_none() && found.iter().all(Option::is_some) {
        return Ok(found);
    }
    for (row, place) in found.iter_mut().enumerate() {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            *place = None;
            continue;
        }
        if place.is_some() {
            continue;
        }
        let text = texts.value(row);
        let Some(position) = classes.iter().position(|class| class == text) else {
            return exec_err!(
                "{function}: {role} is '{text}'. Expected one of the classes {}, or NULL. \
                 Hint: name every class, as in score => {{'{text}': p, ...}} or classes => ['{text}', ...]",
                classes.join(", ")
            );
        };
        *place = Some(position as u16);
    }
    Ok(found)
}

/// Names that are compared with a view at a time.
const AT_ONCE: usize = 4;

/// Which of some names each view is, of those of up to twelve bytes, which are in their views.
///
/// Names differ, so at most one is the same: a sum of what all of them say has no branches, which no processor could guess.
fn same_views(views: &[u128], names: &[u128]) -> Vec<Option<u16>> {
    // no short text has this view
    let mut some = [u128::MAX; AT_ONCE];
    if names.len() <= AT_ONCE {
        some.iter_mut()
            .zip(names)
            .for_each(|(to, name)| *to = *name);
        return views.iter().map(|view| same_view(*view, &some)).collect();
    }
    views.iter().map(|view| same_view(*view, names)).collect()
}

#[inline(always)]
fn same_view(view: u128, names: &[u128]) -> Option<u16> {
    let same = names.iter().zip(1..);
    let number = same.fold(0, |sum, (name, number)| {
        sum + u16::from(*name == view) * number
    });
    // a text of more than twelve bytes is not in its view
    (number > 0 && view as u32 <= 12).then(|| number - 1)
}
