//! Rows of (label, prediction, scores of each class) go, with calibrators, into a profile of estimates.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::{Result, exec_err};

use super::multiclass_rows::{positions, scores_of};
use super::record_rows::FittedColumn;
use super::{Arguments, Summary};
use crate::kernel::KernelError;
use crate::kernel::digest::DigestLimits;
use crate::kernel::multiclass::{ClassCalibrators, ClassEstimates};

/// A profile of estimates; `None` while there is no row, so that an empty group takes no memory.
#[derive(Debug)]
pub struct ClassEstimateRows {
    /// The profile.
    pub profile: Option<ClassEstimates>,
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
            profile: None,
            limits,
            scores: Vec::new(),
        }
    }

    fn add(&mut self, columns: &EstimateColumns, row: usize) -> Result<()> {
        let profile = match &mut self.profile {
            Some(profile) => profile,
            none => none.insert(ClassEstimates::new(columns.classes.clone(), self.limits)?),
        };
        self.scores.resize(columns.scores.len(), None);
        for (score, column) in self.scores.iter_mut().zip(&columns.scores) {
            *score = column.is_valid(row).then(|| column.value(row));
        }
        let position = |column: &[Option<u16>]| column.get(row).copied().flatten().map(usize::from);
        let (label, prediction) = (position(&columns.label), position(&columns.prediction));
        let fit = columns.calibrators.at(row);
        profile.observe(label, prediction, &self.scores, fit.map(|fit| &fit.value));
        Ok(())
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
        self.add(columns, row)
    }

    fn observe_run(&mut self, columns: &EstimateColumns, mut rows: Range<usize>) -> Result<()> {
        rows.try_for_each(|row| self.add(columns, row))
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        // no bytes are no rows
        if state.is_empty() {
            return Ok(());
        }
        match &mut self.profile {
            Some(profile) => profile.merge_bytes(state)?,
            None => self.profile = Some(ClassEstimates::from_bytes(state)?),
        }
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        let profile = self.profile.as_mut();
        profile.map(ClassEstimates::to_bytes).unwrap_or_default()
    }

    fn heap_size(&self) -> usize {
        let scores = self.scores.capacity() * size_of::<Option<f64>>();
        scores + self.profile.as_ref().map_or(0, ClassEstimates::heap_size)
    }
}
