//! Rows of a label and the outputs of two models become what they do to the differences of the models' metrics.
use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::cluster_rows::ModelRows;
use super::record_rows::FittedColumn;
use super::regression_rows::known;
use super::{Arguments, Summary};
use crate::kernel::cluster_squares::ClusterSquares;
use crate::kernel::clustered::ClusterTotals;
use crate::kernel::paired::PairedInfluences;

/// Totals of the rows, or, where rows are independent, the squares of each.
#[derive(Debug)]
pub struct DifferenceRows<M> {
    each_row: bool,
    totals: ClusterTotals,
    squares: ClusterSquares,
    /// Room for one row.
    row: Row,
    kind: std::marker::PhantomData<M>,
}

#[derive(Debug, Default)]
struct Row {
    scores: Vec<Option<f64>>,
    models: [ClusterTotals; 2],
    difference: Vec<f64>,
}

impl<M> DifferenceRows<M> {
    /// No rows; `each_row`: whether each is squared by itself.
    pub fn new(each_row: bool) -> Self {
        Self {
            each_row,
            totals: ClusterTotals::default(),
            squares: ClusterSquares::default(),
            row: Row::default(),
            kind: std::marker::PhantomData,
        }
    }
}

/// Rows of both models with the paired profile of their chunk and their weights.
#[derive(Debug)]
pub struct DifferenceColumns<C> {
    function: &'static str,
    influences: FittedColumn<PairedInfluences>,
    models: [C; 2],
    weight: Float64Array,
}

/// How many arguments of a call hold rows: a label, what either model says, and a weight.
fn rows_of<M: ModelRows>() -> usize {
    2 * M::ARGUMENTS
}

impl<M: ModelRows> Summary for DifferenceRows<M> {
    type Columns = DifferenceColumns<M::Columns>;

    /// `values` are the label, what the champion says, what the challenger says, the weight and the paired profile of the chunk,
    /// then constants: `each_row`, and classes where there are several.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let function = arguments.function;
        let rows = rows_of::<M>();
        let (Some(outputs), Some(weight), Some(profile)) = (
            values.get(..rows - 1),
            values.get(rows - 1),
            values.get(rows),
        ) else {
            return exec_err!("{function}: expected a label, two models, a weight and a profile");
        };
        let [label, outputs @ ..] = outputs else {
            return exec_err!("{function}: expected a label");
        };
        let (champion, challenger) = outputs.split_at(outputs.len() / 2);
        let model = |says: &[ArrayRef]| {
            let label = [ArrayRef::clone(label)].into_iter();
            let values: Vec<ArrayRef> = label.chain(says.iter().cloned()).collect();
            M::columns(arguments, &values, rows + 2)
        };
        Ok(DifferenceColumns {
            function,
            influences: FittedColumn::read(function, profile, |_| Ok(()))?,
            models: [model(champion)?, model(challenger)?],
            weight: as_float64_array(weight)?.clone(),
        })
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        let Some(influences) = columns.influences.at(row) else {
            return Ok(());
        };
        let weight = known(&columns.weight, row);
        let Row {
            scores,
            models,
            difference,
        } = &mut self.row;
        let both = influences.value.models().iter().zip(&columns.models);
        for ((influences, columns_of), totals) in both.zip(models.iter_mut()) {
            totals.clear();
            M::add(influences, totals, columns_of, row, weight, scores)
                .map_err(|error| exec_datafusion_err!("{}: {error}", columns.function))?;
        }
        let [champion, challenger] = models;
        influences
            .value
            .difference([&*champion, &*challenger], difference);
        match self.each_row {
            true => self.squares.observe(difference),
            false => self.totals.add_all(difference),
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        match self.each_row {
            true => self.squares.merge_bytes(state)?,
            false => self.totals.merge(&ClusterTotals::from_bytes(state)?),
        }
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        match self.each_row {
            true => self.squares.to_bytes(),
            false => self.totals.to_bytes(),
        }
    }

    fn heap_size(&self) -> usize {
        let Row {
            scores,
            models: [a, b],
            difference,
        } = &self.row;
        let room = scores.capacity() * size_of::<Option<f64>>() + difference.capacity() * 8;
        room + a.heap_size() + b.heap_size() + self.totals.heap_size() + self.squares.heap_size()
    }
}
