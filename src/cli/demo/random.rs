//! Random numbers that are the same on every machine.
//!
//! Only integer operations, the four operations of arithmetic and the square root are used:
//! IEEE 754 fixes their last bit, while `exp` and `ln` differ from one libm to another.
use crate::kernel::splitmix::{STEP, splitmix64};

/// A stream of numbers with an index of its own, so that row 700,000 needs no row before it.
#[derive(Debug, Clone)]
pub struct Stream(u64);

impl Stream {
    /// The stream of row `index`.
    pub fn of_row(index: u64) -> Self {
        // streams of neighbouring rows start far apart
        let mut stream = Self(index);
        Self(stream.next() ^ 0x6d6f_6465_6c77_6174)
    }

    /// The stream of the further features of row `index`, which has nothing to do with [`Stream::of_row`].
    pub fn of_features(index: u64) -> Self {
        let mut stream = Self(index);
        Self(stream.next() ^ 0x6665_6174_7572_6573)
    }

    /// 64 random bits.
    fn next(&mut self) -> u64 {
        let bits = splitmix64(self.0);
        self.0 = self.0.wrapping_add(STEP);
        bits
    }

    /// Uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0 and variance 1, close to normal: twelve uniforms, whose sum has variance 1.
    pub fn bell(&mut self) -> f64 {
        let sum: f64 = (0..12).map(|_| self.uniform()).sum();
        sum - 6.0
    }
}

/// A curve from 0 to 1 through 0.5 at 0, with slope 0.5 there: the logistic curve, near enough,
/// without `exp`.
pub fn sigmoid(x: f64) -> f64 {
    0.5 + 0.5 * x / (1.0 + x * x).sqrt()
}

/// `x` rounded to a multiple of one `parts`-th: 100 for two decimals.
pub fn rounded(x: f64, parts: f64) -> f64 {
    (x * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_published_generator() {
        // the first three outputs for seed 1234567, as published with the generator's sources
        let mut stream = Stream(1_234_567);
        let bits = [stream.next(), stream.next(), stream.next()];
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(bits, published);
    }

    #[test]
    fn a_bell_has_mean_0_and_variance_1() {
        let draws: Vec<_> = (0..20_000).map(|row| Stream::of_row(row).bell()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance =
            draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / draws.len() as f64;
        // four standard errors: 0.028 of the mean, 0.04 of the variance
        assert!(mean.abs() < 0.028, "{mean}");
        assert!((variance - 1.0).abs() < 0.04, "{variance}");
    }
}
