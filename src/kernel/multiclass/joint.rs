//! How the scores of two classes go together, coarsely: what the errors of averages over classes need.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::key::Scale;
use super::super::key_table::CellSum;

/// Bits of a score's key that are kept: two ranges an octave, as close to 1 as to 0.
const DROPPED_BITS: u32 = 51;
/// With more classes there are too many pairs; errors of averages are then bounded instead.
pub(super) const MOST_PAIRED: usize = 8;

/// The range of a score.
#[inline]
pub(super) fn range_of(score: f64) -> u16 {
    (Scale::Score.key(score) >> DROPPED_BITS) as u16
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

/// Multiplication spreads the few bits in which cells differ.
#[derive(Debug, Clone, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Sums by [`JointCell`], of every pair of classes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cells<S>(HashMap<u64, S, BuildHasherDefault<Spread>>);

impl<S: CellSum> Cells<S> {
    /// The sum of a cell.
    #[inline]
    pub fn at(&mut self, cell: JointCell) -> &mut S {
        self.0.entry(cell.code()).or_default()
    }

    fn sorted(&self) -> Vec<(u64, S)> {
        let mut cells: Vec<(u64, S)> = self.0.iter().map(|(code, sum)| (*code, *sum)).collect();
        cells.sort_unstable_by_key(|(code, _)| *code);
        cells
    }

    /// The cells in order, with their sums.
    pub fn cells(&self) -> Vec<(JointCell, S)> {
        let read = |(code, sum)| (JointCell::of(code), sum);
        self.sorted().into_iter().map(read).collect()
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        for (code, sum) in &other.0 {
            self.0.entry(*code).or_default().add(sum);
        }
    }

    /// Bytes on the heap, about.
    pub fn heap_size(&self) -> usize {
        self.0.capacity() * (size_of::<u64>() + size_of::<S>() + 1)
    }

    /// Writes the cells in order.
    pub fn write(&self, w: &mut Writer) {
        let cells = self.sorted();
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
            found.0.insert(before, S::read(r)?);
        }
        Ok(found)
    }
}

impl CellSum for u64 {
    const LEAST_BYTES: usize = 1;

    fn add(&mut self, other: &Self) {
        *self = self.saturating_add(*other);
    }

    fn write(&self, w: &mut Writer) {
        w.uint(*self);
    }

    fn read(r: &mut Reader) -> Result<Self, KernelError> {
        r.uint()
    }
}

/// Counts of rows by label and ranges.
pub(super) type Joint = Cells<u64>;

impl<S: CellSum> Cells<S> {
    /// Adds a row by its label and the ranges of its scores, one for each class.
    pub fn observe_row(&mut self, label: usize, ranges: &[u16], row: &S) {
        for (k, first) in ranges.iter().enumerate() {
            for (l, second) in ranges.iter().enumerate().skip(k + 1) {
                let cell = JointCell {
                    classes: (k, l),
                    ranges: (*first, *second),
                    label,
                };
                self.at(cell).add(row);
            }
        }
    }
}
