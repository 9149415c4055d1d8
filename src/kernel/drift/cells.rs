//! A reference and a chunk as one table of counts.
use super::partition::{Tallies, Tally};

/// Rows of one range, category or group of categories.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cell {
    pub reference: u64,
    pub chunk: Tally,
    /// Whether it may hold several categories that the profiles do not tell apart.
    pub mixed: bool,
}

/// All rows of both sides by cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table {
    pub cells: Vec<Cell>,
    /// Rows of the reference.
    pub reference: u64,
    /// Rows of the chunk.
    pub chunk: u64,
    /// Rows of the chunk whose cell is not certain.
    pub doubtful: u64,
}

impl Table {
    /// A table of ranges; `reference` holds as many counts as the tallies have cells.
    pub fn of_ranges(reference: &[u64], chunk: &Tallies, chunk_rows: u64) -> Self {
        let cells = reference.iter().zip(&chunk.cells);
        Self {
            cells: cells
                .map(|(&reference, &chunk)| Cell {
                    reference,
                    chunk,
                    mixed: false,
                })
                .collect(),
            reference: reference.iter().sum(),
            chunk: chunk_rows,
            doubtful: chunk.doubtful,
        }
    }

    /// The first and the last cell as one, which comes last.
    pub fn ends_as_one(mut self) -> Self {
        if self.cells.len() < 2 {
            return self;
        }
        let first = self.cells.remove(0);
        if let Some(last) = self.cells.last_mut() {
            last.reference += first.reference;
            last.chunk = last.chunk.plus(first.chunk);
        }
        self
    }

    /// The same with the chunk taken out of the reference that it is a part of.
    pub fn leave_out(mut self) -> Self {
        for cell in &mut self.cells {
            cell.reference = cell
                .reference
                .saturating_sub(cell.chunk.likely.round() as u64);
        }
        self.reference = self.reference.saturating_sub(self.chunk);
        self
    }

    /// Counts of both sides by cell.
    pub fn counts(&self) -> impl Iterator<Item = (f64, f64)> {
        self.cells
            .iter()
            .map(|cell| (cell.reference as f64, cell.chunk.likely))
    }
}
