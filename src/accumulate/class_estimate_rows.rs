//! Rows of (label, prediction, scores of each class) go, with calibrators, into a profile of estimates.
use std::ops::Range;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::common::{Result, exec_err};

use super::lazy::Lazy;
use super::multiclass_rows::{positions, scored_rows, scores_of};
use super::record_rows::FittedColumn;
use super::regression_rows::known;
use super::{Arguments, Summary};
use crate::kernel::KernelError;
use crate::kernel::digest::DigestLimits;
use crate::kernel::multiclass::{ClassCalibrators, ClassEstimates, ScoredRows};

/// A profile of estimates.
#[derive(Debug)]
pub struct ClassEstimateRows {
    profile: Lazy<ClassEstimates>,
    limits: DigestLimits,
    /// Scores of one row.
    scores: Vec<Option<f64>>,
}

/// Positions of labels and predictions, scores, and the calibrators of each row.
#[derive(Debug)]
pub struct EstimateColumns {
    classes: Vec<String>,
    label: Vec<Option<u16>>,
    prediction: Vec<Option<u16>>,
    scores: Vec<Float64Array>,
    calibrators: FittedColumn<ClassCalibrators>,
}

impl ClassEstimateRows {
    /// No rows.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            profile: Lazy::default(),
            limits,
            scores: Vec::new(),
        }
    }
}

impl EstimateColumns {
    /// Rows of one calibrator whose scores are all known; `None` where they are not.
    fn scored(&self, rows: &Range<usize>) -> Option<ScoredRows<'_>> {
        if !self.calibrators.is_one(rows.clone()) {
            return None;
        }
        scored_rows(&self.label, &self.prediction, &self.scores)?.part(rows.clone())
    }
}

impl Summary for ClassEstimateRows {
    type Columns = EstimateColumns;

    /// `values` are label, prediction, scores and calibrators, then constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<EstimateColumns> {
        let function = arguments.function;
        let [label, prediction, scores, calibrators, ..] = values else {
            return exec_err!("{function}: expected label, prediction, scores and calibrators");
        };
        let (classes, scores) = scores_of(function, scores)?;
        let expect = |fit: &ClassCalibrators| match fit.classes() == classes {
            true => Ok(()),
            false => Err(KernelError::Undefined(format!(
                "there are scores of the classes {}, and calibrators of {}. Expected the same in the same order",
                classes.join(", "),
                fit.classes().join(", ")
            ))),
        };
        Ok(EstimateColumns {
            calibrators: FittedColumn::read(function, calibrators, expect)?,
            label: positions(function, "label", label, &classes)?,
            prediction: positions(function, "prediction", prediction, &classes)?,
            classes,
            scores,
        })
    }

    fn observe(&mut self, columns: &EstimateColumns, row: usize) -> Result<()> {
        let limits = self.limits;
        let empty = || ClassEstimates::new(columns.classes.clone(), limits);
        let profile = self.profile.or_new(empty)?;
        self.scores.clear();
        let scores = columns.scores.iter().map(|column| known(column, row));
        self.scores.extend(scores);
        let position = |column: &[Option<u16>]| column.get(row).copied().flatten().map(usize::from);
        let (label, prediction) = (position(&columns.label), position(&columns.prediction));
        let fit = columns.calibrators.at(row);
        profile.observe(label, prediction, &self.scores, fit.map(|fit| &fit.value));
        Ok(())
    }

    fn observe_run(&mut self, columns: &EstimateColumns, rows: Range<usize>) -> Result<()> {
        let limits = self.limits;
        let empty = || ClassEstimates::new(columns.classes.clone(), limits);
        if rows.is_empty() {
            return Ok(());
        }
        let Some(scored) = columns.scored(&rows) else {
            return rows
                .into_iter()
                .try_for_each(|row| self.observe(columns, row));
        };
        let fit = columns.calibrators.at(rows.start);
        let profile = self.profile.or_new(empty)?;
        profile.observe_all(&scored, fit.map(|fit| &fit.value));
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
