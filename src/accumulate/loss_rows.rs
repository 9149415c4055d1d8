//! Rows of (label, prediction, expected losses) go into a profile of loss estimates.
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Result, exec_err};

use super::lazy::Lazy;
use super::regression_rows::{RegressionColumns, known};
use super::{Arguments, Summary};
use crate::kernel::digest::DigestLimits;
use crate::kernel::regression::{Loss, LossEstimates, RegressionProfile};

/// A profile of loss estimates.
#[derive(Debug)]
pub struct LossRows {
    profile: Lazy<LossEstimates>,
    limits: DigestLimits,
}

/// Label, prediction and what is expected of each loss.
#[derive(Debug)]
pub struct LossColumns {
    realized: RegressionColumns,
    losses: Vec<Loss>,
    expected: Vec<Float64Array>,
}

impl LossRows {
    /// No rows.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            profile: Lazy::default(),
            limits,
        }
    }
}

impl Summary for LossRows {
    type Columns = LossColumns;

    /// `values` are label, prediction and a struct of expected losses, then constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<LossColumns> {
        let function = arguments.function;
        let [_, _, expected, ..] = values else {
            return exec_err!("{function}: expected label, prediction and expected losses");
        };
        let (mut losses, mut columns) = (vec![], vec![]);
        if let Some(record) = expected.as_struct_opt() {
            for (field, column) in record.fields().iter().zip(record.columns()) {
                let loss = Loss::parse(field.name());
                let (Some(loss), Some(numbers)) = (loss, column.as_primitive_opt::<Float64Type>())
                else {
                    return exec_err!(
                        "{function}: there is no loss '{}' of type {}. Expected numbers by the names {}",
                        field.name(),
                        column.data_type(),
                        Loss::ALL.map(Loss::name).join(", ")
                    );
                };
                losses.push(loss);
                columns.push(numbers.clone());
            }
        }
        Ok(LossColumns {
            realized: RegressionProfile::columns(arguments, values)?,
            losses,
            expected: columns,
        })
    }

    fn observe(&mut self, columns: &LossColumns, row: usize) -> Result<()> {
        self.observe_run(columns, row..row + 1)
    }

    /// Labels and predictions are added up in blocks.
    fn observe_run(&mut self, columns: &LossColumns, rows: Range<usize>) -> Result<()> {
        // no rows make no profile
        if rows.is_empty() {
            return Ok(());
        }
        let limits = self.limits;
        let empty = || Ok(LossEstimates::new(&columns.losses, limits));
        let profile = self.profile.or_new(empty)?;
        for row in rows.clone() {
            let (label, prediction) = columns.realized.row(row);
            let expected = columns.expected.iter().map(|column| known(column, row));
            profile.observe_losses(label, prediction, expected);
        }
        profile.realized().observe_run(&columns.realized, rows)
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        self.profile.merge_state(state)
    }

    fn state(&mut self) -> Vec<u8> {
        self.profile.state()
    }

    fn heap_size(&self) -> usize {
        self.profile.heap_size()
    }
}
