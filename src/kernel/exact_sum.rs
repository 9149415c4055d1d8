//! Sums of floats without rounding: the same bits in whatever order the numbers come.
use super::KernelError;
use super::codec::{Reader, Writer};

/// Bits of a limb that belong to it; the rest of its 128 bits takes up carries.
const LIMB: u32 = 32;
/// Added to an exponent so that the square of the smallest number lands in limb 0 or above.
const BIAS: i32 = 2176;
/// No exponent lies further up: the square of the largest number ends below 2^2048.
const LIMBS: usize = 140;

/// An exact sum: a number in base 2^32 whose digits are added up without carrying.
///
/// A number adds 85 bits to one digit of 128, so digits hold 2^42 numbers.
/// Source of the idea: U. W. Kulisch, W. L. Miranker (1981), Computer Arithmetic in Theory and Practice.
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    /// Place of the first limb.
    first: usize,
    limbs: Vec<i128>,
}

/// Sums are equal where their numbers are, whatever digits they came from.
impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        let kept = |(negative, mut digits): (bool, Vec<(usize, u64)>)| {
            digits.retain(|(_, digit)| *digit != 0);
            (negative, digits)
        };
        kept(self.digits()) == kept(other.digits())
    }
}

/// A number as the unevaluated sum of two floats: 106 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Double {
    /// The number, rounded.
    pub high: f64,
    /// What rounding took away.
    pub low: f64,
}

/// Mantissa with sign, and exponent, of a finite number.
fn parts(x: f64) -> (i64, i32) {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let mantissa = if exponent == 0 {
        fraction
    } else {
        fraction | 1 << 52
    };
    let signed = if x.is_sign_negative() {
        -mantissa
    } else {
        mantissa
    };
    (signed, exponent.max(1) - 1075)
}

impl ExactSum {
    /// Adds a finite number.
    #[inline]
    pub fn add(&mut self, x: f64) {
        let (mantissa, exponent) = parts(x);
        self.add_scaled(i128::from(mantissa), exponent);
    }

    /// Adds the square of a finite number, without rounding it.
    #[inline]
    pub fn add_square(&mut self, x: f64) {
        let (mantissa, exponent) = parts(x);
        let square = i128::from(mantissa) * i128::from(mantissa);
        let low = square & ((1 << 53) - 1);
        self.add_scaled(low, 2 * exponent);
        self.add_scaled(square >> 53, 2 * exponent + 53);
    }

    /// Adds a mantissa of up to 54 bits times a power of two.
    #[inline]
    fn add_scaled(&mut self, mantissa: i128, exponent: i32) {
        if mantissa == 0 {
            return;
        }
        let shifted = (exponent + BIAS).max(0) as u32;
        let place = (shifted / LIMB) as usize;
        if let Some(limb) = self.limb(place) {
            *limb += mantissa << (shifted % LIMB);
        }
    }

    #[inline]
    fn limb(&mut self, place: usize) -> Option<&mut i128> {
        if self.limbs.is_empty() {
            self.first = place;
        }
        if place < self.first {
            let missing = self.first - place;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = place;
        }
        if place - self.first >= self.limbs.len() {
            self.limbs.resize(place - self.first + 1, 0);
        }
        self.limbs.get_mut(place - self.first)
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        for (offset, &value) in other.limbs.iter().enumerate() {
            if value != 0
                && let Some(limb) = self.limb(other.first + offset)
            {
                *limb += value;
            }
        }
    }

    /// The sum to 106 bits; infinite beyond all floats.
    pub fn value(&self) -> Double {
        let (negative, digits) = self.digits();
        let mut sum = Double::from(0.0);
        for &(place, digit) in digits.iter().rev().take(5) {
            let exponent = place as i32 * LIMB as i32 - BIAS;
            sum = sum.plus(scale(digit as f64, exponent));
        }
        if negative { sum.negated() } else { sum }
    }

    /// Sign and digits of the magnitude from the lowest, each with its place; leading zeros are left out.
    fn digits(&self) -> (bool, Vec<(usize, u64)>) {
        let carried = |sign: i128| {
            let (mut digits, mut carry) = (Vec::new(), 0i128);
            let zeros = std::iter::repeat_n(&0, 5);
            for (offset, limb) in self.limbs.iter().chain(zeros).enumerate() {
                let total = sign * limb + carry;
                carry = total >> LIMB;
                digits.push((self.first + offset, (total & ((1 << LIMB) - 1)) as u64));
            }
            (carry, digits)
        };
        let (carry, digits) = carried(1);
        let (negative, mut digits) = match carry < 0 {
            true => (true, carried(-1).1),
            false => (false, digits),
        };
        while digits.pop_if(|(_, digit)| *digit == 0).is_some() {}
        (negative, digits)
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.limbs.capacity() * size_of::<i128>()
    }

    /// Writes the sum; equal sums give equal bytes, however they came about.
    pub fn write(&self, w: &mut Writer) {
        let (negative, digits) = self.digits();
        let kept = digits.iter().skip_while(|(_, digit)| *digit == 0);
        let first = kept.clone().next().map_or(0, |(place, _)| *place);
        w.uint(kept.clone().count() as u64);
        w.uint(first as u64);
        for (_, digit) in kept {
            let digit = i128::from(*digit);
            write_wide(w, if negative { -digit } else { digit });
        }
    }

    /// Reads what [`Self::write`] wrote.
    pub fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let count = r.length(1)?;
        let first = usize::try_from(r.uint()?).unwrap_or(usize::MAX);
        if first.saturating_add(count) > LIMBS {
            return Err(KernelError::Unreadable(
                "a sum has a digit out of range".into(),
            ));
        }
        let limbs: Result<Vec<i128>, KernelError> = (0..count).map(|_| read_wide(r)).collect();
        let limbs = limbs?;
        // digits of sums that were added up have room for carries; others would overflow
        if limbs
            .iter()
            .any(|limb| limb.unsigned_abs() > u128::MAX >> 2)
        {
            return Err(KernelError::Unreadable(
                "a sum has a digit out of range".into(),
            ));
        }
        Ok(Self { first, limbs })
    }
}

/// Writes a signed wide number, small magnitudes short.
pub(crate) fn write_wide(w: &mut Writer, n: i128) {
    w.wide((n << 1 ^ n >> 127) as u128);
}

/// Reads what [`write_wide`] wrote.
pub(crate) fn read_wide(r: &mut Reader) -> Result<i128, KernelError> {
    let n = r.wide()?;
    Ok((n >> 1) as i128 ^ -((n & 1) as i128))
}

/// `x * 2^exponent`, in steps that do not overflow on the way.
fn scale(mut x: f64, mut exponent: i32) -> f64 {
    while exponent > 1000 {
        x *= 2f64.powi(1000);
        exponent -= 1000;
    }
    while exponent < -1000 {
        x *= 2f64.powi(-1000);
        exponent += 1000;
    }
    x * 2f64.powi(exponent)
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Double {
    /// The nearest float.
    pub fn float(self) -> f64 {
        self.high + self.low
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self {
            high: -self.high,
            low: -self.low,
        }
    }

    /// The sum with a float.
    #[must_use]
    pub fn plus(self, x: f64) -> Self {
        let (high, error) = two_sum(self.high, x);
        let low = self.low + error;
        // beyond all floats the error is NaN and says nothing
        if !high.is_finite() {
            return Self::from(high);
        }
        let (high, low) = two_sum(high, low);
        Self { high, low }
    }

    /// The difference of two.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(-other.high).plus(-other.low)
    }

    /// The product of two.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let high = self.high * other.high;
        if !high.is_finite() {
            return Self::from(high);
        }
        let error = product_error(self.high, other.high, high);
        let low = error + (self.high * other.low + self.low * other.high);
        let (high, low) = two_sum(high, low);
        Self { high, low }
    }

    /// The quotient by a float that is not 0.
    #[must_use]
    pub fn over(self, divisor: f64) -> Self {
        let first = self.high / divisor;
        if !first.is_finite() {
            return Self::from(first);
        }
        let rest = self.minus(Self::from(first).times(Self::from(divisor)));
        Self::from(first).plus(rest.float() / divisor)
    }
}

/// Sum and its rounding error (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let other = sum - a;
    (sum, (a - (sum - other)) + (b - other))
}

/// Rounding error of a product (Dekker); 0 where splitting would overflow.
pub(crate) fn product_error(a: f64, b: f64, product: f64) -> f64 {
    let split = |x: f64| {
        let wide = x * 134_217_729.0;
        let high = wide - (wide - x);
        (high, x - high)
    };
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    let error = ((ah * bh - product) + ah * bl + al * bh) + al * bl;
    if error.is_finite() { error } else { 0.0 }
}

/// How many, their sum and the sum of their squares, all exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExactMoments {
    /// How many numbers.
    pub count: u64,
    sum: ExactSum,
    squares: ExactSum,
}

impl ExactMoments {
    /// Adds a finite number.
    #[inline]
    pub fn observe(&mut self, x: f64) {
        self.count += 1;
        self.sum.add(x);
        self.squares.add_square(x);
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    /// Mean, and the sum of squared distances from it, of these numbers and of `extra` times `x`.
    /// `None` without numbers, and where the squares are beyond all floats.
    pub fn centered(&self, extra: u64, x: f64) -> Option<(f64, f64)> {
        let n = (self.count + extra) as f64;
        if n == 0.0 {
            return None;
        }
        let more = Double::from(extra as f64).times(Double::from(x));
        let sum = self.sum.value().minus(more.negated());
        let more = more.times(Double::from(x));
        let squares = self.squares.value().minus(more.negated());
        let mean = sum.over(n);
        // mean times sum is at most the squares, while the square of the sum may be beyond all floats
        let rest = squares.minus(mean.times(sum)).float();
        let mean = mean.float();
        if !squares.high.is_finite() {
            return None;
        }
        // of equal numbers what is left is the rounding of 106 bits
        let noise = squares.high * 1e-30;
        let rest = if rest <= noise { 0.0 } else { rest };
        (mean.is_finite() && rest.is_finite()).then_some((mean, rest))
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.sum.heap_size() + self.squares.heap_size()
    }

    /// Writes the moments.
    pub fn write(&self, w: &mut Writer) {
        w.uint(self.count);
        self.sum.write(w);
        self.squares.write(w);
    }

    /// Reads what [`Self::write`] wrote.
    pub fn read(r: &mut Reader) -> Result<Self, KernelError> {
        Ok(Self {
            count: r.uint()?,
            sum: ExactSum::read(r)?,
            squares: ExactSum::read(r)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(numbers: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        numbers.iter().for_each(|x| sum.add(*x));
        sum.value().float()
    }

    #[test]
    fn nothing_is_lost_between_large_numbers() {
        assert_eq!(sum(&[1e300, 1.0, -1e300, 1e-300]), 1.0);
        assert_eq!(sum(&[1e300, -1e300, 1e-300]), 1e-300);
        assert_eq!(sum(&[-0.1, -0.2]), -0.30000000000000004);
        assert_eq!(sum(&[f64::from_bits(1); 3]), f64::from_bits(3));
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[]), 0.0);
    }

    #[test]
    fn the_order_leaves_no_trace_in_the_bytes() {
        let bytes = |numbers: &[f64]| {
            let (left, right) = numbers.split_at(1);
            let mut parts = [left, right].map(|part| {
                let mut moments = ExactMoments::default();
                part.iter().for_each(|x| moments.observe(*x));
                moments
            });
            let [first, second] = &mut parts;
            first.merge(second);
            let mut w = Writer::new(*b"TEST", 1);
            first.write(&mut w);
            w.finish()
        };
        let a = bytes(&[0.1, 1e200, -3.0, 7e-12]);
        assert_eq!(a, bytes(&[7e-12, -3.0, 0.1, 1e200]));
        let mut r = Reader::new(&a, *b"TEST", 1, "test").unwrap();
        assert_eq!(ExactMoments::read(&mut r).unwrap().count, 4);
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn moments_by_hand() {
        let mut moments = ExactMoments::default();
        [1.0, 2.0, 6.0].iter().for_each(|x| moments.observe(*x));
        // mean 3, 4 + 1 + 9
        assert_eq!(moments.centered(0, 0.0), Some((3.0, 14.0)));
        // and once 3 more
        assert_eq!(moments.centered(1, 3.0), Some((3.0, 14.0)));
        assert_eq!(ExactMoments::default().centered(0, 0.0), None);
    }

    #[test]
    fn a_large_mean_does_not_drown_the_scatter() {
        let mut moments = ExactMoments::default();
        for x in [1e9, 1e9 + 1.0, 1e9 + 2.0] {
            moments.observe(x);
        }
        assert_eq!(moments.centered(0, 0.0), Some((1e9 + 1.0, 2.0)));
        let mut equal = ExactMoments::default();
        (0..1000).for_each(|_| equal.observe(0.1));
        assert_eq!(equal.centered(0, 0.0), Some((0.1, 0.0)));
    }

    #[test]
    fn squares_beyond_all_floats_have_no_moments() {
        let mut moments = ExactMoments::default();
        moments.observe(1e200);
        moments.observe(-1e200);
        assert_eq!(moments.centered(0, 0.0), None);
    }
}
