//! Weights of rows: what is accepted, and exact sums of them.
use super::KernelError;
use super::codec::{Reader, Writer};
use super::digest_bytes::disordered;
use super::key_table::{CellSum, RowSums};

/// Least weight but 0: below it what is read of a weight would be coarse.
pub const LEAST_WEIGHT: f64 = 1.0 / (1u64 << 20) as f64;
/// Greatest weight: a million such rows have squares that can be summed.
pub const GREATEST_WEIGHT: f64 = (1u64 << 30) as f64;

const UNIT: f64 = (1u64 << 40) as f64;
const SQUARE_UNIT: f64 = (1u64 << 46) as f64;

/// The weight of a row, to 2^-40.
///
/// ```
/// use modelwatch::kernel::weight::Weight;
/// assert_eq!(Weight::new(2.5).unwrap().unwrap().number(), 2.5);
/// assert!(Weight::new(0.0).unwrap().is_none());
/// assert!(Weight::new(-1.0).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight(f64);

impl Weight {
    /// A weight; `None` for 0, which leaves a row out.
    ///
    /// Errors: [`KernelError::Undefined`] for a weight that is negative, NaN, infinite, or not between [`LEAST_WEIGHT`] and
    /// [`GREATEST_WEIGHT`].
    pub fn new(weight: f64) -> Result<Option<Self>, KernelError> {
        match weight {
            0.0 => Ok(None),
            w if (LEAST_WEIGHT..=GREATEST_WEIGHT).contains(&w) => {
                Ok(Some(Self((w * UNIT).round() / UNIT)))
            }
            w => Err(KernelError::Undefined(format!(
                "weight is {w}. Expected 0, or a number between 1e-6 and 1e9. \
                 Hint: only the ratios of weights count, so that they can be multiplied by any number"
            ))),
        }
    }

    /// Whether it may stand for so many rows.
    pub fn is_whole(self) -> bool {
        self.0.fract() == 0.0
    }

    /// As a number.
    pub fn number(self) -> f64 {
        self.0
    }
}

/// Rows, their weights and the squares of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WeightSums {
    pub rows: u64,
    /// In units of 2^-40.
    weight: u128,
    /// In units of 2^-46; full where they cannot be summed.
    square: u128,
    /// What the key lost, times the weight; full where it cannot be summed.
    dropped: u128,
}

impl WeightSums {
    pub fn of(weight: Weight) -> Self {
        let Weight(w) = weight;
        Self {
            rows: 1,
            weight: (w * UNIT).round() as u128,
            square: (w * w * SQUARE_UNIT).round().max(1.0) as u128,
            dropped: 0,
        }
    }

    /// Sum of weights.
    pub fn weight(&self) -> f64 {
        self.weight as f64 / UNIT
    }

    /// Sum of their squares.
    pub fn square(&self) -> f64 {
        self.square as f64 / SQUARE_UNIT
    }

    /// Mean of what the keys lost, weighted; `None` where it is not known.
    pub fn mean_dropped(&self) -> Option<f64> {
        (self.dropped < u128::MAX && self.weight > 0)
            .then(|| self.dropped as f64 / self.weight as f64)
    }

    /// Whether squares cannot be summed any more.
    pub fn overflows(&self) -> bool {
        self.square == u128::MAX
    }
}

impl RowSums for WeightSums {
    fn is_empty(&self) -> bool {
        self.rows == 0
    }

    fn drop_bits(&mut self, bits: u64, level: u8) {
        let bits = u128::from(bits) << level;
        self.dropped = self
            .dropped
            .saturating_add(self.weight.saturating_mul(bits));
    }
}

impl CellSum for WeightSums {
    const LEAST_BYTES: usize = 4;

    fn add(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.weight = self.weight.saturating_add(other.weight);
        self.square = self.square.saturating_add(other.square);
        self.dropped = self.dropped.saturating_add(other.dropped);
    }

    fn write(&self, w: &mut Writer) {
        w.uint(self.rows);
        w.wide(self.weight);
        w.wide(self.square);
        w.wide(self.dropped);
    }

    fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let sums = Self {
            rows: r.uint()?,
            weight: r.wide()?,
            square: r.wide()?,
            dropped: r.wide()?,
        };
        if sums.weight < u128::from(sums.rows) || (sums.rows == 0) != (sums.square == 0) {
            return Err(disordered());
        }
        Ok(sums)
    }
}

/// The message where weights are too large to be summed.
pub(super) fn overflow() -> KernelError {
    KernelError::Undefined(
        "the squares of the weights are too large to be summed. Expected smaller weights. \
         Hint: only the ratios of weights count: divide them by their mean"
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_weights_are_exact() {
        let sums = WeightSums::of(Weight::new(3.0).unwrap().unwrap());
        assert_eq!((sums.weight(), sums.square()), (3.0, 9.0));
    }

    #[test]
    fn what_is_lost_is_weighted() {
        let mut sums = WeightSums::of(Weight::new(2.0).unwrap().unwrap());
        sums.drop_bits(5, 0);
        let mut more = WeightSums::of(Weight::new(6.0).unwrap().unwrap());
        more.drop_bits(1, 0);
        sums.add(&more);
        assert_eq!(sums.mean_dropped(), Some(2.0));
    }

    #[test]
    fn weights_that_cannot_be_used_are_refused() {
        for weight in [-1.0, f64::NAN, f64::INFINITY, 1e-9, 1e12] {
            assert!(Weight::new(weight).is_err(), "{weight}");
        }
    }
}
