//! How the probabilities of two classes go together, by the ranges of their scores.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::key_table::{CellSum, RowSums};
use super::joint::{Cells, JointCell};
use super::mass_digest::number;

/// Sums over the rows of a cell, of probabilities in units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    rows: u64,
    first: u128,
    second: u128,
    product: u128,
}

impl Sums {
    /// Of rows whose probabilities of both classes, and the products of these, add up to `units`.
    pub fn of(rows: u64, units: [u64; 3]) -> Self {
        let [first, second, product] = units.map(u128::from);
        Self {
            rows,
            first,
            second,
            product,
        }
    }
}

impl RowSums for Sums {
    fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

impl CellSum for Sums {
    const LEAST_BYTES: usize = 4;

    fn add(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.first = self.first.saturating_add(other.first);
        self.second = self.second.saturating_add(other.second);
        self.product = self.product.saturating_add(other.product);
    }

    fn write(&self, w: &mut Writer) {
        w.uint(self.rows);
        for sum in [self.first, self.second, self.product] {
            w.wide(sum);
        }
    }

    fn read(r: &mut Reader) -> Result<Self, KernelError> {
        Ok(Self {
            rows: r.uint()?,
            first: r.wide()?,
            second: r.wide()?,
            product: r.wide()?,
        })
    }
}

/// The same as numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ExpectedCell {
    /// Which classes and ranges; its label means nothing.
    pub cell: JointCell,
    pub rows: f64,
    /// Expected rows of the first class, and of the second.
    pub first: f64,
    pub second: f64,
    /// Sum of the products of both probabilities.
    pub product: f64,
}

/// Sums of every pair of classes.
pub(super) type ExpectedJoint = Cells<Sums>;

impl ExpectedJoint {
    /// The cells in order, their sums as numbers.
    pub fn numbers(&self) -> Vec<ExpectedCell> {
        let read = |(cell, sums): (JointCell, Sums)| ExpectedCell {
            cell,
            rows: sums.rows as f64,
            first: number(sums.first),
            second: number(sums.second),
            product: number(sums.product),
        };
        self.cells().into_iter().map(read).collect()
    }
}
