//! Second pass over the reference: the covariance of its encoded rows, from sums of whole numbers.
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::exact_sum::{read_wide, write_wide};

const MAGIC: [u8; 4] = *b"MWCV";
const WHAT: &str = "state of fit_pca";
/// Fixed point: a standardized number is a multiple of 2^-44, so that rounding moves a covariance by less than 1e-13.
const ONE: f64 = (1u64 << 44) as f64;
/// Standard deviations from the mean. No row of `n` lies further than `sqrt(n)` from the mean of its own column,
/// so a number beyond belongs to rows that the encoding was not fitted on.
const FARTHEST: f64 = (1u64 << 18) as f64;

/// Sums and sums of products of standardized rows.
///
/// Over the rows that taught the encoding a column's squares add up to their number, so 128 bits hold the sums of
/// 2^38 rows; of other rows an overflow is an error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Covariance {
    rows: u64,
    sums: Vec<i128>,
    /// Products of columns `i <= j`, row by row of the upper triangle.
    products: Vec<i128>,
    fixed: Vec<i64>,
}

impl Covariance {
    /// Of so many columns.
    pub fn new(columns: usize) -> Self {
        Self {
            rows: 0,
            sums: vec![0; columns],
            products: vec![0; columns * (columns + 1) / 2],
            fixed: vec![0; columns],
        }
    }

    /// Rows seen.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a standardized row.
    pub fn observe(&mut self, z: &[f64]) -> Result<(), KernelError> {
        for (fixed, &z) in self.fixed.iter_mut().zip(z) {
            if z.abs() >= FARTHEST {
                return Err(KernelError::Undefined(format!(
                    "a value lies {z} standard deviations from the mean. Expected the encoding of the same rows"
                )));
            }
            *fixed = (z * ONE + 0.5f64.copysign(z)) as i64;
        }
        self.rows += 1;
        let mut products = self.products.iter_mut();
        for (i, (&a, sum)) in self.fixed.iter().zip(&mut self.sums).enumerate() {
            *sum += i128::from(a);
            let others = self.fixed.get(i + 1..).unwrap_or_default();
            // squares only grow, so they overflow in every order of the rows or in none; products stay below them
            if let Some(square) = products.next() {
                *square = square
                    .checked_add(i128::from(a) * i128::from(a))
                    .ok_or_else(overflow)?;
            }
            for (&b, product) in others.iter().zip(products.by_ref()) {
                *product = product.wrapping_add(i128::from(a) * i128::from(b));
            }
        }
        Ok(())
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) -> Result<(), KernelError> {
        self.rows += other.rows;
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            *sum = sum.checked_add(*more).ok_or_else(overflow)?;
        }
        for (sum, more) in self.products.iter_mut().zip(&other.products) {
            *sum = sum.checked_add(*more).ok_or_else(overflow)?;
        }
        Ok(())
    }

    /// Means of the columns.
    pub fn means(&self) -> Vec<f64> {
        let n = self.rows as f64;
        self.sums.iter().map(|sum| *sum as f64 / n / ONE).collect()
    }

    /// The covariance matrix, row by row (divisor: rows less one); `None` below two rows.
    pub fn matrix(&self) -> Option<Vec<Vec<f64>>> {
        if self.rows < 2 {
            return None;
        }
        let (n, means) = (self.rows as f64, self.means());
        let mut rows = vec![vec![0.0; means.len()]; means.len()];
        let mut products = self.products.iter();
        for (i, a) in means.iter().enumerate() {
            for (j, b) in means.iter().enumerate().skip(i) {
                let product = products.next().map_or(0.0, |sum| *sum as f64 / ONE / ONE);
                let value = (product - n * a * b) / (n - 1.0);
                for (row, column) in [(i, j), (j, i)] {
                    if let Some(cell) = rows.get_mut(row).and_then(|row| row.get_mut(column)) {
                        *cell = value;
                    }
                }
            }
        }
        Some(rows)
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let wide = self.sums.capacity() + self.products.capacity();
        wide * size_of::<i128>() + self.fixed.capacity() * size_of::<i64>()
    }

    /// Canonical bytes, with those of the encoding.
    pub fn to_bytes(&self, encoding: &[u8]) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.bytes(encoding);
        w.uint(self.rows);
        w.uint(self.sums.len() as u64);
        for sum in self.sums.iter().chain(&self.products) {
            write_wide(&mut w, *sum);
        }
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote: the encoding's bytes and the sums.
    pub fn from_bytes(bytes: &[u8]) -> Result<(&[u8], Self), KernelError> {
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let encoding = r.bytes()?;
        let rows = r.uint()?;
        let mut found = Self::new(r.length(1)?.min(MOST_COLUMNS));
        found.rows = rows;
        for sum in found.sums.iter_mut().chain(&mut found.products) {
            *sum = read_wide(&mut r)?;
        }
        r.finish()?;
        Ok((encoding, found))
    }
}

/// Most columns: the matrix of more takes minutes to decompose.
pub const MOST_COLUMNS: usize = 500;

fn overflow() -> KernelError {
    KernelError::Undefined(
        "the squares of the standardized rows are too large. Expected the encoding of the same rows".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariance_by_hand() {
        let mut sums = Covariance::new(2);
        for row in [[1.0, 2.0], [2.0, 0.5], [3.0, -1.0]] {
            sums.observe(&row).unwrap();
        }
        assert_eq!(sums.means(), [2.0, 0.5]);
        // (-1, 0, 1) and (1.5, 0, -1.5)
        assert_eq!(sums.matrix(), Some(vec![vec![1.0, -1.5], vec![-1.5, 2.25]]));
        let (encoding, read) = Covariance::from_bytes(&sums.to_bytes(b"e"))
            .map(|(e, s)| (e.to_vec(), s))
            .unwrap();
        assert_eq!(
            (encoding.as_slice(), read.matrix()),
            (b"e".as_slice(), sums.matrix())
        );
    }

    #[test]
    fn one_row_has_no_covariance() {
        let mut sums = Covariance::new(1);
        sums.observe(&[1.0]).unwrap();
        assert_eq!(sums.matrix(), None);
    }

    #[test]
    fn foreign_rows_are_refused() {
        let mut sums = Covariance::new(1);
        assert!(
            sums.observe(&[1e6])
                .unwrap_err()
                .to_string()
                .contains("1000000 standard deviations")
        );
        let far = [262_143.0];
        let refused = (0..10).find_map(|_| sums.observe(&far).err());
        assert!(refused.unwrap().to_string().contains("too large"));
    }
}
