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

/// The numbers that bin `bin` at `level` can hold.
pub fn bin_range(bin: u64, level: u8) -> BinRange {
    // keys outside these are NaN or infinite, which never occur
    let first = (bin << level).max(key(f64::MIN));
    let last = ((bin << level) | low_bits(level)).min(key(f64::MAX));
    BinRange {
        lower: value(first),
        // the key below that of 0.0 is -0.0, which never occurs
        upper: value(if last == SIGN - 1 { last - 1 } else { last }),
    }
}

/// A mask of the bits that `level` drops.
#[inline]
pub fn low_bits(level: u8) -> u64 {
    (1u64 << level) - 1
}

/// Sum of `count` numbers of a bin, from the sum of the key bits that `level` drops.
///
/// Exact up to rounding at levels up to [`MANTISSA_BITS`]; above, `count` times the number at the mean key.
/// A sum beyond the largest float is the largest float, never infinite.
pub fn sum_of_values(bin: u64, level: u8, count: u64, dropped: u128) -> f64 {
    let first = bin << level;
    let lower = value(first);
    let n = count as f64;
    let sum = if level == 0 || count == 0 {
        n * lower
    } else if level <= MANTISSA_BITS {
        n * lower + dropped as f64 * (value(first + 1) - lower)
    } else {
        let mean = (dropped / u128::from(count)) as u64;
        n * value(first + mean.min(low_bits(level)))
    };
    sum.clamp(f64::MIN, f64::MAX)
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
        assert_eq!(sum_of_values(bin, 2, 3, 3), 1.5 + 3.0 * spacing);
        let negative = key(-0.75) >> 40;
        let dropped = u128::from(key(-0.75) & low_bits(40));
        assert_eq!(sum_of_values(negative, 40, 1, dropped), -0.75);
    }
}
