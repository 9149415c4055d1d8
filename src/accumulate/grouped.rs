//! All groups at once: `GROUP BY`.
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BinaryViewArray, BooleanArray, new_empty_array};
use datafusion::arrow::compute::{filter, prep_null_mask_filter};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::{Aggregation, Summary, bytes_at};

/// The accumulator of many groups; a group costs nothing on the heap until it has rows.
#[derive(Debug)]
pub struct GroupedAccumulator<S> {
    aggregation: Aggregation<S>,
    groups: Vec<S>,
    /// Heap bytes of all groups, kept up to date row by row so that `size` is constant time.
    heap: usize,
}

impl<S: Summary> GroupedAccumulator<S> {
    /// An accumulator without groups.
    pub fn new(aggregation: Aggregation<S>) -> Self {
        Self {
            aggregation,
            groups: Vec::new(),
            heap: 0,
        }
    }

    fn grow_to(&mut self, groups: usize) {
        self.groups
            .resize_with(groups, || (self.aggregation.empty)());
    }

    /// Runs `act` on a group and books the memory that it took or freed.
    fn with_group(&mut self, group: usize, act: impl FnOnce(&mut S) -> Result<()>) -> Result<()> {
        let Some(summary) = self.groups.get_mut(group) else {
            return internal_err!("group {group} does not exist");
        };
        let before = summary.heap_size();
        let outcome = act(summary);
        self.heap = self.heap + summary.heap_size() - before;
        outcome
    }

    fn update(&mut self, values: &[ArrayRef], group_indices: &[usize]) -> Result<()> {
        let columns = S::columns(&self.aggregation.arguments, values)?;
        let mut row = 0;
        // rows of one group often follow each other: time-ordered files have a chunk in one piece
        for run in group_indices.chunk_by(|a, b| a == b) {
            let rows = row..row + run.len();
            row = rows.end;
            let Some(&group) = run.first() else { continue };
            self.with_group(group, |summary| summary.observe_run(&columns, rows))?;
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<S> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.heap -= taken.iter().map(Summary::heap_size).sum::<usize>();
        taken
    }
}

impl<S: Summary> GroupsAccumulator for GroupedAccumulator<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow_to(total_num_groups);
        let Some(keep) = opt_filter else {
            return self.update(values, group_indices);
        };
        // rows that are filtered out are not even checked
        let keep = match keep.null_count() {
            0 => keep.clone(),
            _ => prep_null_mask_filter(keep),
        };
        let values: Vec<ArrayRef> = values
            .iter()
            .map(|v| filter(v, &keep))
            .collect::<std::result::Result<_, _>>()?;
        let kept = group_indices.iter().zip(keep.values().iter());
        let groups: Vec<usize> = kept
            .filter_map(|(&group, keep)| keep.then_some(group))
            .collect();
        self.update(&values, &groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut done = self.take(emit_to);
        if done.is_empty() {
            return Ok(new_empty_array(&self.aggregation.output));
        }
        let values: Result<Vec<ScalarValue>> = done
            .iter_mut()
            .map(|s| (self.aggregation.read)(s))
            .collect();
        ScalarValue::iter_to_array(values?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        // one group after the other, so that a group's memory is free before the next is written
        let states = self.take(emit_to).into_iter().map(|mut s| Some(s.state()));
        Ok(vec![Arc::new(states.collect::<BinaryViewArray>())])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow_to(total_num_groups);
        let Some(states) = values.first() else {
            return internal_err!("an aggregate state has no column");
        };
        for (row, &group) in group_indices.iter().enumerate() {
            if let Some(state) = bytes_at(states, row)? {
                self.with_group(group, |summary| summary.merge_state(state))?;
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |column| column.len());
        let mut each = Self::new(self.aggregation.clone());
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<S>() + self.heap
    }
}
