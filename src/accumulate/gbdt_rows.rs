//! Rows on their way to gradient-boosted trees, and what the trees say of rows.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::record_rows::{FittedColumn, Records};
use super::{Arguments, Summary};
use crate::kernel::KernelError;
use crate::kernel::gbdt::predict::Predictor;
use crate::kernel::gbdt::rows::Rows;

/// Rows from which trees are learnt.
#[derive(Debug)]
pub struct GbdtRows(pub Rows);

/// Where the weight of `fit_gbdt` stands.
const WEIGHT: usize = 2;

/// Targets, features and weights of a batch.
#[derive(Debug)]
pub struct TargetColumns {
    function: &'static str,
    targets: Float64Array,
    features: Records,
    weights: Option<Float64Array>,
}

impl TargetColumns {
    /// Target and weight of a row; `None` where one is NULL.
    fn at(&self, row: usize) -> Option<(f64, f64)> {
        let number = |column: &Float64Array| column.is_valid(row).then(|| column.value(row));
        let weight = match &self.weights {
            Some(weights) => number(weights)?,
            None => 1.0,
        };
        Some((number(&self.targets)?, weight))
    }
}

impl Summary for GbdtRows {
    type Columns = TargetColumns;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let function = arguments.function;
        let [target, features, ..] = values else {
            return exec_err!("{function}: expected a target and features");
        };
        let weight = values.get(WEIGHT).filter(|_| arguments.is_given(WEIGHT));
        Ok(TargetColumns {
            function,
            targets: numbers(function, target)?,
            features: Records::read(function, features)?,
            weights: weight.map(|weight| numbers(function, weight)).transpose()?,
        })
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        self.observe_run(columns, row..row + 1)
    }

    fn observe_run(&mut self, columns: &Self::Columns, rows: Range<usize>) -> Result<()> {
        let told = |e: KernelError| exec_datafusion_err!("{}: {e}", columns.function);
        // a batch of NULLs has no columns
        if !columns.features.names().is_empty() {
            self.0.require(columns.features.names()).map_err(told)?;
        }
        for row in rows {
            let (Some(cells), Some((target, weight))) =
                (columns.features.row(row), columns.at(row))
            else {
                continue;
            };
            self.0.observe(target, weight, cells).map_err(told)?;
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        let merged = self.0.merge_bytes(state);
        merged.map_err(|e| exec_datafusion_err!("fit_gbdt: {e}"))
    }

    fn state(&mut self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn heap_size(&self) -> usize {
        self.0.heap_size()
    }
}

fn numbers(function: &str, column: &ArrayRef) -> Result<Float64Array> {
    match column.as_primitive_opt::<Float64Type>() {
        Some(numbers) => Ok(numbers.clone()),
        None => exec_err!(
            "{function}: expected numbers, got values of type {}",
            column.data_type()
        ),
    }
}

/// Predictions of `features` by `model`, which has a value for each row or one for all; NULL where either is.
pub fn predicted(function: &str, model: &ArrayRef, features: &ArrayRef) -> Result<Float64Array> {
    let records = Records::read(function, features)?;
    let kinds = records.kinds();
    // a column of NULLs has no fields to look for
    let places = |model: &Predictor| match kinds.is_empty() {
        true => Ok(vec![]),
        false => model.model().places(&kinds),
    };
    let models =
        FittedColumn::<Predictor>::read(function, model, |model| places(model).map(|_| ()))?;
    let of_row = |row: usize| models.at(if model.len() == 1 { 0 } else { row });
    let mut found = Vec::with_capacity(records.rows());
    while found.len() < records.rows() {
        let start = found.len();
        let Some(first) = of_row(start) else {
            found.push(None);
            continue;
        };
        let same = |row: &usize| of_row(*row).is_some_and(|other| std::ptr::eq(&**first, &**other));
        let run = (start..records.rows()).take_while(same).count();
        let told = |e: KernelError| exec_datafusion_err!("{function}: {e}");
        let places = places(&first.value).map_err(told)?;
        let column = |feature: usize| places.get(feature).copied().unwrap_or(usize::MAX);
        let cell = |feature: usize, row: usize| records.cell(column(feature), start + row);
        let values = first.value.all(run, cell).into_iter().zip(start..);
        found.extend(values.map(|(value, row)| records.is_known(row).then_some(value)));
    }
    Ok(Float64Array::from(found))
}
