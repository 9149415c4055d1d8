//! Sums of derivatives over the rows of a leaf, by column and code.
use super::column::MISSING_CODE;
use super::matrix::{BLOCK, Matrix};

/// First and second derivative of the objective, and weight last; of a row or summed. Of the squared objective the weight is
/// the second derivative, and there are two.
pub type Sums<const N: usize> = [f64; N];

/// Share of a sum that may be rounding.
const ROUNDING: f64 = 1e-12;

/// Codes of a byte.
pub const CODES: usize = 256;

/// Sums of a column's codes.
pub type Bins<const N: usize> = [Sums<N>; CODES];

/// Sums of every column of a leaf's rows.
#[derive(Debug, Clone)]
pub struct Histogram<const N: usize>(Vec<Bins<N>>);

impl<const N: usize> Histogram<N> {
    /// Of so many columns, empty.
    pub fn new(columns: usize) -> Self {
        Self(vec![[[0.0; N]; CODES]; columns])
    }

    /// The sums of each column.
    pub fn columns(&self) -> &[Bins<N>] {
        &self.0
    }

    /// Becomes the histogram of these rows.
    pub fn fill(&mut self, matrix: &Matrix, rows: &[u32], derivatives: &[Sums<N>]) {
        self.0.iter_mut().for_each(|bins| *bins = [[0.0; N]; CODES]);
        for (columns, block) in self.0.chunks_mut(BLOCK).zip(matrix.blocks()) {
            for &row in rows {
                let Some(of_row) = derivatives.get(row as usize) else {
                    continue;
                };
                for (bins, &code) in columns.iter_mut().zip(block.row(row)) {
                    if let Some(sums) = bins.get_mut(usize::from(code)) {
                        add(sums, of_row);
                    }
                }
            }
        }
    }

    /// Takes away the rows of a part.
    pub fn subtract(&mut self, part: &Self) {
        for (bins, part) in self.0.iter_mut().zip(&part.0) {
            for (sums, part) in bins.iter_mut().zip(part) {
                let rest = minus(sums, part);
                // what is left of no weight is rounding
                let is_empty = weight(&rest) <= ROUNDING * weight(sums);
                *sums = if is_empty { [0.0; N] } else { rest };
            }
        }
    }
}

/// Adds to a sum.
#[inline]
pub fn add<const N: usize>(sums: &mut Sums<N>, other: &Sums<N>) {
    for (sum, other) in sums.iter_mut().zip(other) {
        *sum += other;
    }
}

/// A sum of both.
pub fn plus<const N: usize>(a: &Sums<N>, b: &Sums<N>) -> Sums<N> {
    let mut sum = *a;
    add(&mut sum, b);
    sum
}

/// A difference.
pub fn minus<const N: usize>(a: &Sums<N>, b: &Sums<N>) -> Sums<N> {
    let mut difference = *a;
    for (left, taken) in difference.iter_mut().zip(b) {
        *left -= taken;
    }
    difference
}

/// The first derivative.
#[inline]
pub fn slope<const N: usize>(sums: &Sums<N>) -> f64 {
    sums.first().copied().unwrap_or(0.0)
}

/// The second derivative.
#[inline]
pub fn curvature<const N: usize>(sums: &Sums<N>) -> f64 {
    sums.get(1).copied().unwrap_or(0.0)
}

/// The weight.
#[inline]
pub fn weight<const N: usize>(sums: &Sums<N>) -> f64 {
    sums.last().copied().unwrap_or(0.0)
}

/// The codes that go to the left of a split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeSet([u64; 4]);

impl CodeSet {
    /// The first `count` codes, of numbers, with or without the missing ones.
    pub fn first(count: usize, missing: bool) -> Self {
        let mut found = Self::default();
        (0..=u8::MAX)
            .take(count)
            .for_each(|code| found.insert(code));
        if missing {
            found.insert(MISSING_CODE);
        }
        found
    }

    /// Adds a code.
    pub fn insert(&mut self, code: u8) {
        if let Some(word) = self.0.get_mut(usize::from(code / 64)) {
            *word |= 1 << (code % 64);
        }
    }

    /// Whether a code is in it.
    #[inline]
    pub fn contains(&self, code: u8) -> bool {
        let word = self.0.get(usize::from(code / 64));
        word.is_some_and(|word| word >> (code % 64) & 1 == 1)
    }

    /// The bits, code 0 lowest.
    pub fn words(&self) -> [u64; 4] {
        self.0
    }

    /// Reads what [`Self::words`] gave.
    pub fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }
}
