//! Rows of a cluster go into totals of their influences, totals of clusters into sums of squares.
use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::multiclass_rows::MulticlassColumns;
use super::record_rows::FittedColumn;
use super::regression_rows::{RegressionColumns, known};
use super::score_rows::ScoreColumns;
use super::weighted_rows::classes_of;
use super::{Arguments, Summary, bytes_at};
use crate::kernel::KernelError;
use crate::kernel::cluster_squares::ClusterSquares;
use crate::kernel::clustered::ClusterTotals;
use crate::kernel::regression::RegressionProfile;
use crate::kernel::row_influences::RowInfluences;
use crate::kernel::score_profile::ScoreProfile;

/// How rows of a kind of model are read.
pub trait ModelRows: std::fmt::Debug + Send + Sync + 'static {
    /// Label, prediction and scores of one batch.
    type Columns;
    /// How many arguments these are.
    const ARGUMENTS: usize;

    /// Reads them; `constants`: the position of the first constant of the call.
    fn columns(
        arguments: &Arguments,
        values: &[ArrayRef],
        constants: usize,
    ) -> Result<Self::Columns>;

    /// Adds a row to the totals; `scores` is room for those of one row.
    fn add(
        influences: &RowInfluences,
        totals: &mut ClusterTotals,
        columns: &Self::Columns,
        row: usize,
        weight: Option<f64>,
        scores: &mut Vec<Option<f64>>,
    ) -> Result<(), KernelError>;
}

/// Two classes.
#[derive(Debug)]
pub struct ScoredRows;

/// Several classes.
#[derive(Debug)]
pub struct ClassifiedRows;

/// Numbers.
#[derive(Debug)]
pub struct PredictedRows;

impl ModelRows for ScoredRows {
    type Columns = ScoreColumns;
    const ARGUMENTS: usize = 3;

    fn columns(arguments: &Arguments, values: &[ArrayRef], _: usize) -> Result<ScoreColumns> {
        <ScoreProfile as Summary>::columns(arguments, values)
    }

    fn add(
        influences: &RowInfluences,
        totals: &mut ClusterTotals,
        columns: &ScoreColumns,
        row: usize,
        weight: Option<f64>,
        _: &mut Vec<Option<f64>>,
    ) -> Result<(), KernelError> {
        let [prediction, label] = classes_of(columns.class.get(row).copied().unwrap_or(u8::MAX));
        let score = known(&columns.score, row);
        influences.add_scored(totals, (label, prediction), score, weight)
    }
}

impl ModelRows for ClassifiedRows {
    type Columns = MulticlassColumns;
    const ARGUMENTS: usize = 3;

    fn columns(
        arguments: &Arguments,
        values: &[ArrayRef],
        constants: usize,
    ) -> Result<MulticlassColumns> {
        MulticlassColumns::read(arguments, values, constants)
    }

    fn add(
        influences: &RowInfluences,
        totals: &mut ClusterTotals,
        columns: &MulticlassColumns,
        row: usize,
        weight: Option<f64>,
        scores: &mut Vec<Option<f64>>,
    ) -> Result<(), KernelError> {
        let [label, prediction] = columns.row(row, scores);
        influences.add_classified(totals, (label, prediction), scores, weight)
    }
}

impl ModelRows for PredictedRows {
    type Columns = RegressionColumns;
    const ARGUMENTS: usize = 2;

    fn columns(arguments: &Arguments, values: &[ArrayRef], _: usize) -> Result<RegressionColumns> {
        <RegressionProfile as Summary>::columns(arguments, values)
    }

    fn add(
        influences: &RowInfluences,
        totals: &mut ClusterTotals,
        columns: &RegressionColumns,
        row: usize,
        weight: Option<f64>,
        _: &mut Vec<Option<f64>>,
    ) -> Result<(), KernelError> {
        influences.add_predicted(totals, columns.row(row), weight)
    }
}

/// Totals of the influences of the rows of a cluster.
#[derive(Debug)]
pub struct InfluenceRows<M> {
    totals: ClusterTotals,
    /// Scores of one row.
    scores: Vec<Option<f64>>,
    kind: std::marker::PhantomData<M>,
}

impl<M> Default for InfluenceRows<M> {
    fn default() -> Self {
        Self {
            totals: ClusterTotals::default(),
            scores: Vec::new(),
            kind: std::marker::PhantomData,
        }
    }
}

/// Rows with the profile of their chunk and their weights.
#[derive(Debug)]
pub struct InfluenceColumns<C> {
    function: &'static str,
    influences: FittedColumn<RowInfluences>,
    rows: C,
    weight: Float64Array,
}

impl<M: ModelRows> Summary for InfluenceRows<M> {
    type Columns = InfluenceColumns<M::Columns>;

    /// `values` are label, prediction, scores where there are some, weight and the profile of the chunk, then constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let function = arguments.function;
        let (Some(weight), Some(profile)) =
            (values.get(M::ARGUMENTS), values.get(M::ARGUMENTS + 1))
        else {
            return exec_err!("{function}: expected a weight and a profile");
        };
        Ok(InfluenceColumns {
            function,
            influences: FittedColumn::read(function, profile, |_| Ok(()))?,
            rows: M::columns(arguments, values, M::ARGUMENTS + 2)?,
            weight: as_float64_array(weight)?.clone(),
        })
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        let Some(influences) = columns.influences.at(row) else {
            return Ok(());
        };
        let weight = known(&columns.weight, row);
        let (influences, totals) = (&influences.value, &mut self.totals);
        M::add(
            influences,
            totals,
            &columns.rows,
            row,
            weight,
            &mut self.scores,
        )
        .map_err(|error| exec_datafusion_err!("{}: {error}", columns.function))
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        self.totals.merge(&ClusterTotals::from_bytes(state)?);
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        self.totals.to_bytes()
    }

    fn heap_size(&self) -> usize {
        let scores = self.scores.capacity() * size_of::<Option<f64>>();
        scores + self.totals.heap_size()
    }
}

impl Summary for ClusterSquares {
    type Columns = ArrayRef;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ArrayRef> {
        match values {
            [totals, ..] => Ok(ArrayRef::clone(totals)),
            [] => exec_err!("{}: expected totals of clusters", arguments.function),
        }
    }

    fn observe(&mut self, columns: &ArrayRef, row: usize) -> Result<()> {
        let Some(bytes) = bytes_at(columns, row)? else {
            return Ok(());
        };
        if Self::is_one(bytes) {
            return Ok(self.merge_bytes(bytes)?);
        }
        let totals = ClusterTotals::from_bytes(bytes)?;
        Self::observe(self, &totals.numbers().collect::<Vec<f64>>());
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        Self::heap_size(self)
    }
}
