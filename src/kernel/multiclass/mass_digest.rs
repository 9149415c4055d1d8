//! The expected positives of a class by its score: a digest whose bins carry sums of probabilities.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest_bytes::disordered;
use super::super::key_table::{CellSum, Entry, KeyTable, RowSums};

/// A probability as a whole number: sums are exact, whatever their order.
const UNIT: f64 = (1u64 << 62) as f64;
/// Rows are predicted to be of the class (1), of another (0) or nothing (2).
pub(super) const PREDICTIONS: u8 = 3;

/// A probability in units of 2^-62.
#[inline]
pub(super) fn units(p: f64) -> u64 {
    (p.clamp(0.0, 1.0) * UNIT) as u64
}

/// A sum of units as a number.
pub(super) fn number(units: u128) -> f64 {
    units as f64 / UNIT
}

/// A product of two probabilities in units.
#[inline]
pub(super) fn product(p: u64, q: u64) -> u128 {
    (u128::from(p) * u128::from(q)) >> 62
}

/// Rows of a bin and a prediction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Masses {
    pub rows: u64,
    /// Sum of probabilities, and of their squares.
    pub positives: u128,
    pub squares: u128,
}

impl Masses {
    /// A row of probability `p` in units.
    #[inline]
    pub fn of(p: u64) -> Self {
        Self {
            rows: 1,
            positives: u128::from(p),
            squares: product(p, p),
        }
    }
}

impl RowSums for Masses {
    fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

impl CellSum for Masses {
    const LEAST_BYTES: usize = 3;

    fn add(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.positives = self.positives.saturating_add(other.positives);
        self.squares = self.squares.saturating_add(other.squares);
    }

    fn write(&self, w: &mut Writer) {
        w.uint(self.rows);
        w.wide(self.positives);
        w.wide(self.squares);
    }

    fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let masses = Self {
            rows: r.uint()?,
            positives: r.wide()?,
            squares: r.wide()?,
        };
        let most = u128::from(masses.rows) << 62;
        if masses.positives > most || masses.squares > masses.positives {
            return Err(disordered());
        }
        Ok(masses)
    }
}

/// Rows of a bin of scores and a prediction.
pub(super) type Slot = Entry<1, Masses>;

/// Sums by score and prediction; see [`KeyTable`].
pub(super) type MassDigest = KeyTable<1, Masses>;

#[cfg(test)]
mod tests {
    use super::super::super::digest::DigestLimits;
    use super::*;

    fn digest(rows: &[(u64, f64)]) -> MassDigest {
        let mut digest = MassDigest::new(DigestLimits {
            max_bins: 16,
            min_level: 0,
        });
        rows.iter()
            .for_each(|(key, p)| digest.add([*key], (key % 2) as u8, Masses::of(units(*p))));
        digest
    }

    #[test]
    fn what_is_kept_does_not_depend_on_order_or_parts() {
        let rows: Vec<(u64, f64)> = (0..400u64)
            .map(|i| (i * i * 7919 % 100_003, i as f64 / 400.0))
            .collect();
        let bytes = |digest: &MassDigest| {
            let mut w = Writer::new(*b"TEST", 1);
            digest.write(&mut w);
            w.finish()
        };
        let whole = digest(&rows);
        let reversed: Vec<(u64, f64)> = rows.iter().rev().copied().collect();
        assert_eq!(bytes(&whole), bytes(&digest(&reversed)));
        for parts in [2, 5, 9] {
            let mut merged = digest(&[]);
            rows.chunks(parts)
                .for_each(|part| merged.merge(&digest(part)));
            assert_eq!(bytes(&whole), bytes(&merged), "{parts}");
        }
        assert!(whole.level() > 0 && whole.entries().len() <= 16);
        let total: u64 = whole.entries().iter().map(|slot| slot.sums.rows).sum();
        assert_eq!(total, 400);
    }
}
