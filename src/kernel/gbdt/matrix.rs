//! Codes of all rows, laid out for the loops that read them.
/// Columns whose codes of a row lie side by side: their histograms together fit the second-level cache.
pub(super) const BLOCK: usize = 16;

/// Codes of rows, twice: a block of columns after the other, in it row by row, for histograms; column by column for the
/// division of rows.
#[derive(Debug, Default)]
pub struct Matrix {
    rows: usize,
    blocks: Vec<Block>,
    columns: Vec<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) width: usize,
    codes: Vec<u8>,
}

impl Block {
    /// Codes of a row.
    #[inline]
    pub(super) fn row(&self, row: u32) -> &[u8] {
        let start = row as usize * self.width;
        self.codes
            .get(start..start + self.width)
            .unwrap_or_default()
    }
}

impl Matrix {
    /// Room for so many columns.
    pub fn new(columns: usize, rows: usize) -> Self {
        let first = (0..columns).step_by(BLOCK);
        let widths = first.map(|first| BLOCK.min(columns - first));
        let blocks = widths.map(|width| Block {
            width,
            codes: vec![0; width * rows],
        });
        Self {
            rows,
            blocks: blocks.collect(),
            columns: Vec::with_capacity(columns),
        }
    }

    /// Takes the codes of the next column.
    pub fn push(&mut self, codes: Vec<u8>) {
        let column = self.columns.len();
        if let Some(block) = self.blocks.get_mut(column / BLOCK) {
            let cells = block
                .codes
                .iter_mut()
                .skip(column % BLOCK)
                .step_by(block.width);
            cells.zip(&codes).for_each(|(cell, code)| *cell = *code);
        }
        self.columns.push(codes);
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The codes of a column.
    pub(super) fn column(&self, column: usize) -> &[u8] {
        self.columns.get(column).map_or(&[], Vec::as_slice)
    }
}
