//! How the probabilities of two classes go together, by the ranges of their scores.
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::joint::{JointCell, Spread};
use super::mass_digest::{number, product};

/// Sums over the rows of a cell, of probabilities in units of 2^-62.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    rows: u64,
    first: u128,
    second: u128,
    product: u128,
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
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ExpectedJoint(HashMap<u64, Sums, BuildHasherDefault<Spread>>);

impl ExpectedJoint {
    /// Adds a row by the ranges of its scores and its probabilities, one for each class.
    pub fn observe(&mut self, ranges: &[u16], probabilities: &[u64]) {
        let classes = || ranges.iter().zip(probabilities).enumerate();
        for (k, (first_range, p)) in classes() {
            for (l, (second_range, q)) in classes().skip(k + 1) {
                let cell = JointCell {
                    classes: (k, l),
                    ranges: (*first_range, *second_range),
                    label: 0,
                };
                let sums = self.0.entry(cell.code()).or_default();
                sums.rows += 1;
                sums.first += u128::from(*p);
                sums.second += u128::from(*q);
                sums.product += product(*p, *q);
            }
        }
    }

    /// The cells in order.
    pub fn cells(&self) -> Vec<ExpectedCell> {
        let mut cells: Vec<(u64, Sums)> =
            self.0.iter().map(|(code, sums)| (*code, *sums)).collect();
        cells.sort_unstable_by_key(|(code, _)| *code);
        let read = |(code, sums): (u64, Sums)| ExpectedCell {
            cell: JointCell::of(code),
            rows: sums.rows as f64,
            first: number(sums.first),
            second: number(sums.second),
            product: number(sums.product),
        };
        cells.into_iter().map(read).collect()
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        for (code, more) in &other.0 {
            let sums = self.0.entry(*code).or_default();
            sums.rows = sums.rows.saturating_add(more.rows);
            sums.first = sums.first.saturating_add(more.first);
            sums.second = sums.second.saturating_add(more.second);
            sums.product = sums.product.saturating_add(more.product);
        }
    }

    /// Bytes on the heap, about.
    pub fn heap_size(&self) -> usize {
        self.0.capacity() * (size_of::<u64>() + size_of::<Sums>() + 1)
    }

    /// Writes the cells in order.
    pub fn write(&self, w: &mut Writer) {
        let mut cells: Vec<(&u64, &Sums)> = self.0.iter().collect();
        cells.sort_unstable_by_key(|(code, _)| **code);
        w.uint(cells.len() as u64);
        let mut before = 0;
        for (code, sums) in cells {
            w.uint(code - before);
            w.uint(sums.rows);
            for sum in [sums.first, sums.second, sums.product] {
                w.wide(sum);
            }
            before = *code;
        }
    }

    /// Reads what [`Self::write`] wrote of `classes` classes.
    pub fn read(r: &mut Reader, classes: usize) -> Result<Self, KernelError> {
        let mut joint = Self::default();
        let mut before = 0u64;
        for _ in 0..r.length(5)? {
            before = before.saturating_add(r.uint()?);
            let cell = JointCell::of(before);
            if cell.code() != before || cell.classes.0.max(cell.classes.1) >= classes {
                return Err(KernelError::Unreadable(
                    "a cell of classes that are not there".into(),
                ));
            }
            let sums = Sums {
                rows: r.uint()?,
                first: r.wide()?,
                second: r.wide()?,
                product: r.wide()?,
            };
            joint.0.insert(before, sums);
        }
        Ok(joint)
    }
}
