//! Many floats at once into an exact sum.
use super::exact_sum::ExactSum;

/// Numbers that are added up before their sum joins the others.
pub(crate) const BLOCK: usize = 256;
/// Additions that the processor does side by side.
const LANES: usize = 16;
/// The sign bit, all there is to a negative zero.
const SIGN: u64 = 1 << 63;
/// Room above the largest number of a block: `2^9 >= BLOCK + 2`.
const ROOM: i32 = 9;
/// From here on floats are whole numbers, which stand in their low bits.
pub(crate) const WHOLE: f64 = (1u64 << 52) as f64;
/// Exponents for which a block and its remainders stay far from both ends of the floats.
const USUAL: std::ops::Range<i32> = -700..900;

impl ExactSum {
    /// Adds finite numbers, as [`Self::add`] would one by one, at a fraction of the price.
    ///
    /// Each number is cut into a part that is a multiple of a fixed power of two and a remainder, neither of them
    /// rounded; parts of a block have a common power and add up without rounding in any order, and so do the
    /// parts of the remainders. What is left after two cuts is rare and added by itself.
    /// Source: S. M. Rump, T. Ogita, S. Oishi (2008), SIAM J. Sci. Comput. 31, 189-224, algorithm ExtractVector.
    ///
    /// ```
    /// use modelwatch::kernel::exact_sum::ExactSum;
    /// let (mut one_by_one, mut at_once) = (ExactSum::default(), ExactSum::default());
    /// let numbers = [1e16, 0.1, -1e16, 3e-40];
    /// numbers.iter().for_each(|&x| one_by_one.add(x));
    /// at_once.add_all(&numbers);
    /// assert_eq!(at_once.value(), one_by_one.value());
    /// ```
    pub fn add_all(&mut self, numbers: &[f64]) {
        for block in numbers.chunks(BLOCK) {
            self.add_block(block);
        }
    }

    fn add_block(&mut self, block: &[f64]) {
        if block.len() < LANES {
            block.iter().for_each(|&x| self.add(x));
            return;
        }
        let mut padded = [0.0; BLOCK];
        padded.iter_mut().zip(block).for_each(|(x, of)| *x = *of);
        self.add_within(&padded, largest(block), block.len());
    }

    /// Adds the first `count` numbers of a block, of which all others are 0 and none is larger than `bound`.
    pub(crate) fn add_within(&mut self, block: &[f64; BLOCK], bound: f64, count: usize) {
        let exponent = (bound.to_bits() >> 52) as i32 - 1023;
        if !USUAL.contains(&exponent) {
            block.iter().take(count).for_each(|&x| self.add(x));
            return;
        }
        let coarse = power_of_two(exponent + 1 + ROOM);
        let used = count.div_ceil(LANES);
        let (lanes, _) = block.as_chunks::<LANES>();
        let lanes = lanes.get(..used).unwrap_or(lanes);
        let (high, left) = wide(
            #[inline(always)]
            || cut_all(lanes, |x| x, coarse),
        );
        self.add(high.iter().sum());
        if is_left(left) {
            self.add_remainders(lanes, coarse, power_of_two(exponent + 1 + 2 * ROOM - 53));
        }
    }

    /// The same of what `coarse` leaves of the numbers.
    fn add_remainders(&mut self, lanes: &[[f64; LANES]], coarse: f64, fine: f64) {
        let (low, left) = wide(
            #[inline(always)]
            || cut_all(lanes, |x| cut(x, coarse).1, fine),
        );
        self.add(low.iter().sum());
        if is_left(left) {
            let left = |x: &f64| cut(cut(*x, coarse).1, fine).1;
            lanes.iter().flatten().for_each(|x| self.add(left(x)));
        }
    }
}

/// Runs a loop over numbers with the widest instructions that the processor has; results do not depend on them.
#[inline]
pub(crate) fn wide<R>(act: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(act)
}

/// Sums of the parts of numbers, and every bit of the remainders.
#[inline(always)]
fn cut_all(
    lanes: &[[f64; LANES]],
    number: impl Fn(f64) -> f64,
    unit: f64,
) -> ([f64; LANES], [u64; LANES]) {
    let (mut sums, mut left) = ([0.0; LANES], [0; LANES]);
    for numbers in lanes {
        for ((sum, left), x) in sums.iter_mut().zip(&mut left).zip(numbers) {
            let (part, remainder) = cut(number(*x), unit);
            *sum += part;
            *left |= remainder.to_bits();
        }
    }
    (sums, left)
}

/// Whether there is a bit besides the sign of a zero.
fn is_left(bits: [u64; LANES]) -> bool {
    bits.iter().any(|bits| bits & !SIGN != 0)
}

/// The largest magnitude, of as many numbers at a time as the processor compares.
pub(crate) fn largest(block: &[f64]) -> f64 {
    wide(
        #[inline(always)]
        || largest_of(block),
    )
}

#[inline(always)]
fn largest_of(block: &[f64]) -> f64 {
    let (lanes, rest) = block.as_chunks::<LANES>();
    let mut most = [0.0; LANES];
    for side_by_side in lanes {
        for (most, x) in most.iter_mut().zip(side_by_side) {
            // the processor's own maximum, which f64::max is not
            *most = if x.abs() > *most { x.abs() } else { *most };
        }
    }
    most.iter()
        .chain(rest)
        .fold(0.0, |most, x| x.abs().max(most))
}

/// `2^exponent` for an exponent of a normal float.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The multiple of `unit`'s last bit next to `x`, and what is left; exact while `|x|` is well below `unit`.
#[inline(always)]
fn cut(x: f64, unit: f64) -> (f64, f64) {
    let part = (unit + x) - unit;
    (part, x - part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers() -> impl Strategy<Value = Vec<f64>> {
        let wide = any::<f64>().prop_filter("finite", |x| x.is_finite());
        let usual = -1e6..1e6f64;
        prop::collection::vec(prop_oneof![wide, usual.clone(), usual], 0..200)
    }

    proptest! {
        #[test]
        fn blocks_add_up_to_the_same_bits(numbers in numbers()) {
            let (mut one_by_one, mut at_once) = (ExactSum::default(), ExactSum::default());
            numbers.iter().for_each(|&x| one_by_one.add(x));
            at_once.add_all(&numbers);
            prop_assert_eq!(at_once.value(), one_by_one.value());
        }
    }

    #[test]
    fn numbers_of_one_size_take_the_short_way() {
        let numbers: Vec<f64> = (0..1000).map(|i| f64::from(i) / 7.0 - 60.0).collect();
        let (mut one_by_one, mut at_once) = (ExactSum::default(), ExactSum::default());
        numbers.iter().for_each(|&x| one_by_one.add(x));
        at_once.add_all(&numbers);
        assert_eq!(at_once.value(), one_by_one.value());
        let sum: f64 = numbers.iter().sum();
        assert!((at_once.value().float() - sum).abs() < 1e-9);
    }
}
