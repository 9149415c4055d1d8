//! Rows of (label, prediction, expected losses) go into a profile of loss estimates.
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::digest::DigestLimits;
use crate::kernel::regression::{Loss, LossEstimates};

/// A profile of loss estimates; `None` while there is no row, so that an empty group takes no memory.
#[derive(Debug)]
pub struct LossRows {
    /// The profile.
    pub profile: Option<LossEstimates>,
    limits: DigestLimits,
}

/// Label, prediction and what is expected of each loss.
#[derive(Debug)]
pub struct LossColumns {
    label: Float64Array,
    prediction: Float64Array,
    losses: Vec<Loss>,
    expected: Vec<Float64Array>,
}

impl LossRows {
    /// No rows.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            profile: None,
            limits,
        }
    }
}

fn known(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
}

impl Summary for LossRows {
    type Columns = LossColumns;

    /// `values` are label, prediction and a struct of expected losses, then constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<LossColumns> {
        let function = arguments.function;
        let [label, prediction, expected, ..] = values else {
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
            label: as_float64_array(label)?.clone(),
            prediction: as_float64_array(prediction)?.clone(),
            losses,
            expected: columns,
        })
    }

    fn observe(&mut self, columns: &LossColumns, row: usize) -> Result<()> {
        let limits = self.limits;
        let empty = || LossEstimates::new(&columns.losses, limits);
        let profile = self.profile.get_or_insert_with(empty);
        let expected = columns.expected.iter().map(|column| known(column, row));
        let prediction = known(&columns.prediction, row);
        profile.observe(known(&columns.label, row), prediction, expected);
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        // no bytes are no rows
        if state.is_empty() {
            return Ok(());
        }
        match &mut self.profile {
            Some(profile) => profile.merge_bytes(state)?,
            None => self.profile = Some(LossEstimates::from_bytes(state)?),
        }
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        let profile = self.profile.as_mut();
        profile.map(LossEstimates::to_bytes).unwrap_or_default()
    }

    fn heap_size(&self) -> usize {
        self.profile.as_ref().map_or(0, LossEstimates::heap_size)
    }
}
