//! Gamma laws: tails, and quantiles by capped bisection.
use statrs::function::gamma::checked_gamma_ur;

/// Halvings of an interval; more do not change a double.
const HALVINGS: usize = 100;
/// Relative width at which a bisection ends.
const PRECISION: f64 = 1e-10;
/// From this shape on the cube root of a gamma number is normal to more digits than are asked for.
const LARGE: f64 = 1e5;

/// Probability that a gamma number of this shape and scale 1 exceeds `x`.
pub(super) fn upper_tail(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if shape > LARGE {
        let ninth = 1.0 / (9.0 * shape);
        let z = ((x / shape).cbrt() - 1.0 + ninth) / ninth.sqrt();
        return normal_tail(z);
    }
    checked_gamma_ur(shape, x).unwrap_or(0.0).clamp(0.0, 1.0)
}

/// Probability that a standard normal number exceeds `z`.
pub(super) fn normal_tail(z: f64) -> f64 {
    statrs::function::erf::erfc(z / std::f64::consts::SQRT_2) / 2.0
}

/// The number that a gamma number of this shape and scale 1 exceeds with probability `tail`.
pub(super) fn upper_quantile(shape: f64, tail: f64) -> f64 {
    if !(shape > 0.0 && shape.is_finite()) {
        return 0.0;
    }
    let mut high = shape + 1.0;
    for _ in 0..HALVINGS {
        if upper_tail(shape, high) <= tail {
            break;
        }
        high *= 2.0;
    }
    bisect(0.0, high, |x| upper_tail(shape, x) > tail)
}

/// Where a condition that holds at `low` stops to hold towards `high`.
pub(super) fn bisect(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
        if high - low <= PRECISION * high {
            break;
        }
    }
    high
}

/// The first three cumulants of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cumulants {
    pub mean: f64,
    pub variance: f64,
    pub third: f64,
}

impl Cumulants {
    /// Of a constant times a chi-square number with one degree of freedom.
    pub fn chi_square(factor: f64) -> Self {
        Self {
            mean: factor,
            variance: 2.0 * factor * factor,
            third: 8.0 * factor * factor * factor,
        }
    }

    pub fn plus(self, other: Self, times: f64) -> Self {
        Self {
            mean: self.mean + times * other.mean,
            variance: self.variance + times * other.variance,
            third: self.third + times * other.third,
        }
    }

    /// Of the number divided by `unit`.
    pub fn over(self, unit: f64) -> Self {
        Self {
            mean: self.mean / unit,
            variance: self.variance / unit.powi(2),
            third: self.third / unit.powi(3),
        }
    }

    /// The number exceeded with probability `tail` under the shifted gamma law of these cumulants.
    pub fn upper_quantile(&self, tail: f64) -> f64 {
        self.gamma().map_or(self.mean, |(shape, scale, start)| {
            start + scale * upper_quantile(shape, tail)
        })
    }

    /// Probability that the number exceeds `x` under that law.
    pub fn upper_tail(&self, x: f64) -> f64 {
        match self.gamma() {
            Some((shape, scale, start)) => upper_tail(shape, (x - start) / scale),
            None => f64::from(u8::from(x <= self.mean)),
        }
    }

    /// Shape, scale and start of the shifted gamma law.
    fn gamma(&self) -> Option<(f64, f64, f64)> {
        if !(self.variance > 0.0 && self.variance.is_finite()) {
            return None;
        }
        let deviation = self.variance.sqrt();
        // a law without skewness is one of very large shape
        let skewness = (self.third / (self.variance * deviation)).max(2e-3);
        let shape = 4.0 / (skewness * skewness);
        let scale = deviation / shape.sqrt();
        Some((shape, scale, self.mean - shape * scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_tables() {
        // chi-square with 10 degrees of freedom exceeds 18.307 and 23.209 with .05 and .01
        for (tail, x) in [(0.05, 18.307), (0.01, 23.209)] {
            assert!((2.0 * upper_quantile(5.0, tail) - x).abs() < 5e-4);
            let mut ten = Cumulants::default();
            for _ in 0..10 {
                ten = ten.plus(Cumulants::chi_square(1.0), 1.0);
            }
            assert!((ten.upper_quantile(tail) - x).abs() < 5e-4);
            assert!((ten.upper_tail(x) - tail).abs() < 1e-5);
        }
        assert!((normal_tail(1.959_963_985) - 0.025).abs() < 1e-9);
        assert_eq!(Cumulants::default().upper_quantile(0.1), 0.0);
    }

    #[test]
    fn large_shapes_continue_small_ones() {
        let (below, above) = (0.999 * LARGE, 1.001 * LARGE);
        let z = |shape: f64| (upper_quantile(shape, 0.001) - shape) / shape.sqrt();
        assert!((z(below) - z(above)).abs() < 1e-3);
    }
}
