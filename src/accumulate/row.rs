//! One group at a time: queries without GROUP BY, and window frames.
use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::{Aggregation, Summary, bytes_at};

/// The accumulator of a single group.
#[derive(Debug)]
pub struct RowAccumulator<S> {
    aggregation: Aggregation<S>,
    summary: S,
}

impl<S: Summary> RowAccumulator<S> {
    /// An accumulator that has seen no row.
    pub fn new(aggregation: Aggregation<S>) -> Self {
        let summary = (aggregation.empty)();
        Self {
            aggregation,
            summary,
        }
    }
}

impl<S: Summary> Accumulator for RowAccumulator<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = S::columns(&self.aggregation.arguments, values)?;
        let rows = values.first().map_or(0, |column| column.len());
        self.summary.observe_run(&columns, 0..rows)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        (self.aggregation.read)(&mut self.summary)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.summary.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::BinaryView(Some(self.summary.state()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first() else {
            return internal_err!("an aggregate state has no column");
        };
        for row in 0..states.len() {
            if let Some(state) = bytes_at(states, row)? {
                self.summary.merge_state(state)?;
            }
        }
        Ok(())
    }
}
