//! How the scores of two classes go together, coarsely: what the errors of averages over classes need.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::key::Scale;
use super::super::key_table::{Entry, KeyTable, RowCount, RowSums};

/// Bits of a score's key that are kept: two ranges an octave, as close to 1 as to 0.
const DROPPED_BITS: u32 = 51;
/// Ranges that there can be.
pub(super) const RANGES: usize = 1 << (u64::BITS - DROPPED_BITS);
/// With more classes there are too many pairs; errors of averages are then bounded instead.
pub(super) const MOST_PAIRED: usize = 8;

/// The range of a score.
#[inline]
pub(super) fn range_of(score: f64) -> u16 {
    range_of_key(Scale::Score.key(score))
}

/// The range of the score with this key.
#[inline]
pub(super) fn range_of_key(key: u64) -> u16 {
    (key >> DROPPED_BITS) as u16
}

/// Rows of one label whose scores of two classes lie in one range each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JointCell {
    /// Positions of the classes, the first one smaller.
    pub classes: (usize, usize),
    /// Ranges of their scores.
    pub ranges: (u16, u16),
    /// Position of the label's class.
    pub label: usize,
}

impl JointCell {
    fn code(self) -> u64 {
        let (k, l) = self.classes;
        let parts = [k, l, self.label].map(|position| position as u64 & 0xf);
        let [k, l, label] = parts;
        k << 44 | l << 40 | label << 36 | u64::from(self.ranges.0) << 16 | u64::from(self.ranges.1)
    }

    fn of(code: u64) -> Self {
        let position = |shift: u32| (code >> shift & 0xf) as usize;
        Self {
            classes: (position(44), position(40)),
            ranges: ((code >> 16) as u16, code as u16),
            label: position(36),
        }
    }
}

/// More cells than there can be, so that no cell ever loses a range.
const ALL: DigestLimits = DigestLimits {
    max_bins: u32::MAX,
    min_level: 0,
};

/// Sums by [`JointCell`], of every pair of classes.
#[derive(Debug, Clone)]
pub(super) struct Cells<S>(KeyTable<1, S>);

impl<S: RowSums> Default for Cells<S> {
    fn default() -> Self {
        Self(KeyTable::new(ALL))
    }
}

impl<S: RowSums> Cells<S> {
    /// Adds rows of a cell.
    #[inline]
    pub fn add(&mut self, cell: JointCell, rows: S) {
        self.0.add([cell.code()], 0, rows);
    }

    fn sorted(&self) -> impl Iterator<Item = (u64, S)> + use<S> {
        let cells = self.0.entries().into_iter();
        cells.map(
            |Entry {
                 bins: [code], sums, ..
             }| (code, sums),
        )
    }

    /// The cells in order, with their sums.
    pub fn cells(&self) -> Vec<(JointCell, S)> {
        let read = |(code, sum)| (JointCell::of(code), sum);
        self.sorted().map(read).collect()
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.0.heap_size()
    }

    /// Writes the cells in order.
    pub fn write(&self, w: &mut Writer) {
        let cells: Vec<(u64, S)> = self.sorted().collect();
        w.uint(cells.len() as u64);
        let mut before = 0;
        for (code, sum) in cells {
            w.uint(code - before);
            sum.write(w);
            before = code;
        }
    }

    /// Reads what [`Self::write`] wrote of `classes` classes.
    pub fn read(r: &mut Reader, classes: usize) -> Result<Self, KernelError> {
        let mut found = Self::default();
        let mut before = 0u64;
        for _ in 0..r.length(1 + S::LEAST_BYTES)? {
            before = before.saturating_add(r.uint()?);
            let cell = JointCell::of(before);
            let positions = [cell.classes.0, cell.classes.1, cell.label];
            if cell.code() != before || positions.iter().any(|position| *position >= classes) {
                return Err(KernelError::Unreadable(
                    "a cell of classes that are not there".into(),
                ));
            }
            let sums = S::read(r)?;
            if !sums.is_empty() {
                found.0.add([before], 0, sums);
            }
        }
        Ok(found)
    }
}

/// Counts of rows by label and ranges.
pub(super) type Joint = Cells<RowCount>;

impl<S: RowSums> Cells<S> {
    /// Adds a row by its label and the ranges of its scores, one for each class.
    pub fn observe_row(&mut self, label: usize, ranges: &[u16], row: S) {
        for (k, first) in ranges.iter().enumerate() {
            for (l, second) in ranges.iter().enumerate().skip(k + 1) {
                let cell = JointCell {
                    classes: (k, l),
                    ranges: (*first, *second),
                    label,
                };
                self.add(cell, row);
            }
        }
    }
}
