//! Order-preserving bits: floats as integers that sort as the floats do.

const SIGN: u64 = 1 << 63;

/// The 64-bit key of a finite number: `a < b` exactly when `key(a) < key(b)`; `-0.0` equals `0.0`.
///
/// ```
/// use modelwatch::kernel::key::{key, value};
/// assert!(key(-1.0) < key(-0.5) && key(-0.5) < key(0.25));
/// assert_eq!((key(-0.0), value(key(0.3))), (key(0.0), 0.3));
/// ```
#[inline]
pub fn key(x: f64) -> u64 {
    // adding zero turns -0.0 into 0.0, so that both share a bin
    let bits = (x + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The number whose key is `key`.
#[inline]
pub fn value(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

/// The highest level at which a bin holds numbers of one binary exponent, so that they are evenly spaced.
pub const MANTISSA_BITS: u8 = 52;

/// Bins of keys at a level: `key >> level`. Levels nest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinRange {
    /// Smallest number in the bin.
    pub lower: f64,
    /// Largest number in the bin.
    pub upper: f64,
}

/// A mask of the bits that `level` drops.
#[inline]
pub fn low_bits(level: u8) -> u64 {
    (1u64 << level) - 1
}

/// Largest score that is taken for one; beyond, keys of [`Scale::Score`] would not fit.
pub const LARGEST_SCORE: f64 = 1e290;
/// Key of the score 0.5, where its distance from 1 begins to count.
const HALF: u64 = SIGN | HALF_BITS;
const HALF_BITS: u64 = 0x3fe << MANTISSA_BITS;
const ONE_BITS: u64 = 0x3ff << MANTISSA_BITS;
/// Exponents between 0.5 and 2^-55, a quarter of the least distance of a double below 1 from it.
const MIRRORED: u64 = 54 << MANTISSA_BITS;
const LEAST_DISTANCE: f64 = f64::from_bits(HALF_BITS - MIRRORED);

/// What the numbers of a digest are, by which their resolution is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Any numbers: bins are as fine as floats are, relative to zero.
    Number,
    /// Scores of a classifier: between 0.5 and 1 bins are as fine relative to one, so that a model which says 0.999999 is
    /// resolved as well as one that says 0.000001. `1 - s` has no rounding there, so nothing is lost
    /// (P. H. Sterbenz 1974, Floating-Point Computation).
    Score,
}

impl Scale {
    /// The key of a finite number, of a score up to [`LARGEST_SCORE`]: `a < b` exactly when `key(a) < key(b)`.
    ///
    /// ```
    /// use modelwatch::kernel::key::Scale;
    /// let near_one = 1.0 - f64::EPSILON / 2.0;
    /// assert!(Scale::Score.key(near_one) < Scale::Score.key(1.0));
    /// assert_eq!(Scale::Score.value(Scale::Score.key(near_one)), near_one);
    /// ```
    #[inline]
    pub fn key(self, x: f64) -> u64 {
        match self {
            Self::Number => key(x),
            Self::Score => {
                // without branches, for scores on both sides of a half alternate
                let distance = (1.0 - x).clamp(LEAST_DISTANCE, 0.5);
                key(x.min(0.5))
                    + (HALF_BITS - distance.to_bits())
                    + (x.max(1.0).to_bits() - ONE_BITS)
            }
        }
    }

    /// The number whose key is `key`.
    #[inline]
    pub fn value(self, key: u64) -> f64 {
        match self {
            Self::Number => value(key),
            Self::Score if key <= HALF => value(key),
            Self::Score if key < HALF + MIRRORED => 1.0 - f64::from_bits(HALF_BITS - (key - HALF)),
            Self::Score => f64::from_bits(ONE_BITS + (key - (HALF + MIRRORED))),
        }
    }

    /// The smallest and the largest key.
    pub fn keys(self) -> (u64, u64) {
        match self {
            Self::Number => (key(f64::MIN), key(f64::MAX)),
            Self::Score => (key(f64::MIN), u64::MAX),
        }
    }

    /// The numbers that bin `bin` at `level` can hold.
    pub fn bin_range(self, bin: u64, level: u8) -> BinRange {
        // keys outside these are NaN or infinite, which never occur
        let (least, most) = self.keys();
        let first = (bin << level).max(least);
        let last = ((bin << level) | low_bits(level)).min(most);
        // the key below that of 0.0 is -0.0, which never occurs
        let last = if last == SIGN - 1 { last - 1 } else { last };
        let (lower, upper) = (self.value(first), self.value(last));
        // a key of no score is read as the nearest one, which may be of the bin beside
        BinRange {
            lower: if self.key(lower) < first {
                lower.next_up()
            } else {
                lower
            },
            upper: if self.key(upper) > last {
                upper.next_down()
            } else {
                upper
            },
        }
    }

    /// Mean of numbers of a bin, from the mean of the key bits that `level` drops; see [`Self::sum_of_values`].
    pub fn mean_of_values(self, bin: u64, level: u8, dropped: f64) -> f64 {
        let first = bin << level;
        if level == 0 {
            self.value(first)
        } else if level > MANTISSA_BITS {
            self.value(first + (dropped as u64).min(low_bits(level)))
        } else {
            // keys are evenly spaced inside of a bin
            let lower = self.value(first);
            lower + dropped * (self.value(first + 1) - lower)
        }
    }

    /// Sum of `count` numbers of a bin, from the sum of the key bits that `level` drops.
    ///
    /// Exact up to rounding at levels up to [`MANTISSA_BITS`]; above, `count` times the number at the mean key.
    /// A sum beyond the largest float is the largest float, never infinite.
    pub fn sum_of_values(self, bin: u64, level: u8, count: u64, dropped: u128) -> f64 {
        let first = bin << level;
        let n = count as f64;
        let sum = if level == 0 || count == 0 {
            n * self.value(first)
        } else if level > MANTISSA_BITS {
            let mean = (dropped / u128::from(count)) as u64;
            n * self.value(first + mean.min(low_bits(level)))
        } else if self == Self::Score && (HALF..HALF + MIRRORED).contains(&first) {
            // distances from one are evenly spaced here
            let at = |key: u64| f64::from_bits(HALF_BITS - (key - HALF));
            let largest = at(first);
            n - (n * largest - dropped as f64 * (largest - at(first + 1)))
        } else {
            let lower = self.value(first);
            n * lower + dropped as f64 * (self.value(first + 1) - lower)
        };
        sum.clamp(f64::MIN, f64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_numbers() {
        let ascending = [
            f64::MIN,
            -2.0,
            -1.0,
            -f64::MIN_POSITIVE,
            -5e-324,
            0.0,
            5e-324,
            0.3,
            1.0,
            f64::MAX,
        ];
        for pair in ascending.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
        for x in ascending {
            assert_eq!(value(key(x)), x);
        }
    }

    #[test]
    fn sums_follow_from_the_dropped_bits() {
        // 0.5 + 3 spacings of 2^-53 each: numbers 0.5, 0.5 + 2^-53, 0.5 + 2^-52 in one bin of level 2
        let spacing = 2f64.powi(-53);
        let bin = key(0.5) >> 2;
        let sum =
            |bin, level, count, dropped| Scale::Number.sum_of_values(bin, level, count, dropped);
        assert_eq!(sum(bin, 2, 3, 3), 1.5 + 3.0 * spacing);
        let negative = key(-0.75) >> 40;
        let dropped = u128::from(key(-0.75) & low_bits(40));
        assert_eq!(sum(negative, 40, 1, dropped), -0.75);
    }

    #[test]
    fn keys_of_scores_keep_their_order_and_give_them_back() {
        let below_one = 1.0 - f64::EPSILON / 2.0;
        let above_half = 0.5 + f64::EPSILON / 2.0;
        let ascending = [
            f64::MIN,
            -1.0,
            0.0,
            5e-324,
            0.25,
            0.5,
            above_half,
            0.7,
            0.999_999,
            below_one,
            1.0,
            1.0 + f64::EPSILON,
            2.0,
            LARGEST_SCORE,
        ];
        for pair in ascending.windows(2) {
            assert!(
                Scale::Score.key(pair[0]) < Scale::Score.key(pair[1]),
                "{pair:?}"
            );
        }
        for x in ascending {
            assert_eq!(Scale::Score.value(Scale::Score.key(x)), x);
        }
        assert_eq!(Scale::Score.key(-0.0), Scale::Score.key(0.0));
    }

    #[test]
    fn scores_near_one_are_resolved_as_those_near_zero() {
        // at level 45 a bin is 2^-7 of an exponent wide
        let bin = |x: f64| Scale::Score.key(x) >> 45;
        assert_eq!(
            bin(1e-9) == bin(1.02e-9),
            bin(1.0 - 1e-9) == bin(1.0 - 1.02e-9)
        );
        assert_ne!(bin(1.0 - 1e-9), bin(1.0 - 1.02e-9));
        assert_eq!(key(1.0 - 1e-9) >> 45, key(1.0 - 1.02e-9) >> 45);
    }

    #[test]
    fn sums_of_scores_follow_from_the_dropped_bits() {
        let level = 48;
        let scores: Vec<f64> = (0..1000).map(|i| 0.93 + f64::from(i) * 3e-6).collect();
        let keys = scores.iter().map(|&x| Scale::Score.key(x));
        let bin = Scale::Score.key(0.93) >> level;
        let within: Vec<u64> = keys.filter(|key| key >> level == bin).collect();
        let dropped = within
            .iter()
            .map(|key| u128::from(key & low_bits(level)))
            .sum();
        let expected: f64 = within.iter().map(|&key| Scale::Score.value(key)).sum();
        let sum = Scale::Score.sum_of_values(bin, level, within.len() as u64, dropped);
        assert!(
            within.len() > 100 && (sum - expected).abs() < 1e-12 * expected,
            "{sum} {expected}"
        );
        let range = Scale::Score.bin_range(bin, level);
        assert!(range.lower <= 0.93 && range.upper >= Scale::Score.value(*within.last().unwrap()));
    }
}
