//! Rows of a model's output with weights go into weighted profiles.
use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};

use super::lazy::Lazy;
use super::multiclass_rows::MulticlassColumns;
use super::regression_rows::{RegressionColumns, known};
use super::score_rows::ScoreColumns;
use super::{Arguments, Summary};
use crate::kernel::KernelError;
use crate::kernel::digest::DigestLimits;
use crate::kernel::multiclass::WeightedClasses;
use crate::kernel::regression::{RegressionProfile, WeightedRegression};
use crate::kernel::score_profile::ScoreProfile;
use crate::kernel::weighted_scores::WeightedScores;

/// The columns of rows that count once, and their weights.
#[derive(Debug)]
pub struct Weighted<C> {
    rows: C,
    weight: Float64Array,
    function: &'static str,
}

impl<C> Weighted<C> {
    fn read(arguments: &Arguments, values: &[ArrayRef], position: usize, rows: C) -> Result<Self> {
        let Some(weight) = values.get(position) else {
            return exec_err!("{}: expected a weight", arguments.function);
        };
        Ok(Self {
            rows,
            weight: as_float64_array(weight)?.clone(),
            function: arguments.function,
        })
    }

    fn weight(&self, row: usize) -> Option<f64> {
        known(&self.weight, row)
    }

    fn told(&self, error: &KernelError) -> DataFusionError {
        exec_datafusion_err!("{}: {error}", self.function)
    }
}

/// Labels and predictions as classes, from `3 * prediction + label`.
pub(super) fn classes_of(class: u8) -> [Option<bool>; 2] {
    [class / 3, class % 3].map(|ternary| match ternary {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}

impl Summary for WeightedScores {
    type Columns = Weighted<ScoreColumns>;

    /// `values` are label, prediction, score and weight; further ones are constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let rows = <ScoreProfile as Summary>::columns(arguments, values)?;
        Weighted::read(arguments, values, 3, rows)
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        let ScoreColumns { class, score } = &columns.rows;
        let [prediction, label] = classes_of(class.get(row).copied().unwrap_or(u8::MAX));
        let weight = columns.weight(row);
        Self::observe(self, prediction, label, known(score, row), weight)
            .map_err(|error| columns.told(&error))
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge(&Self::from_bytes(state)?)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        Self::heap_size(self)
    }
}

impl Summary for WeightedRegression {
    type Columns = Weighted<RegressionColumns>;

    /// `values` are label, prediction and weight; further ones are constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let rows = <RegressionProfile as Summary>::columns(arguments, values)?;
        Weighted::read(arguments, values, 2, rows)
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        let (label, prediction) = columns.rows.row(row);
        Self::observe(self, label, prediction, columns.weight(row))
            .map_err(|error| columns.told(&error))
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge(&Self::from_bytes(state)?)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        Self::heap_size(self)
    }
}

/// A weighted multiclass profile.
#[derive(Debug)]
pub struct WeightedClassRows {
    profile: Lazy<WeightedClasses>,
    limits: DigestLimits,
    /// Scores of one row.
    scores: Vec<Option<f64>>,
}

impl WeightedClassRows {
    /// No rows.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            profile: Lazy::default(),
            limits,
            scores: Vec::new(),
        }
    }
}

impl Summary for WeightedClassRows {
    type Columns = Weighted<MulticlassColumns>;

    /// `values` are label, prediction, scores and weight, then constants: classes.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let rows = MulticlassColumns::read(arguments, values, 4)?;
        Weighted::read(arguments, values, 3, rows)
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        let limits = self.limits;
        let empty = || WeightedClasses::new(columns.rows.classes.clone(), limits);
        let profile = self.profile.or_new(empty)?;
        let [label, prediction] = columns.rows.row(row, &mut self.scores);
        profile
            .observe(label, prediction, &self.scores, columns.weight(row))
            .map_err(|error| columns.told(&error))
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
