//! The law of a distance between a healthy chunk and its reference.
use super::bridge::Bridge;
use super::divergence::Divergence;
use super::gamma::{Cumulants, upper_quantile, upper_tail};
use super::kolmogorov;
use super::largest::Largest;

/// Part of a movement of the population that the largest difference of distribution functions feels, relative
/// to sampling: `(phi(0) / (1 / 2))^2 = 2 / pi` for a normal law that moves along its mean.
const FELT_BY_LARGEST: f64 = std::f64::consts::FRAC_2_PI;
/// Skewness of Kolmogorov's law.
const SKEWNESS: f64 = 0.861;

/// What chance makes of a score: the value of a distance, squared where it adds up as squares.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Law {
    /// A sum over cells.
    Sum {
        divergence: Divergence,
        /// Cumulants where the population stands still.
        still: Cumulants,
        /// Factor of a chi-square number in it, over its variance.
        curvature: f64,
        base: f64,
    },
    /// The largest difference of distribution functions.
    Kolmogorov { base: f64 },
    /// The area between them.
    Area { bridge: Bridge, base: f64 },
    /// The largest difference of shares.
    Largest { largest: Largest, base: f64 },
}

impl Law {
    /// The score of a value.
    pub fn score(&self, value: f64) -> f64 {
        match self {
            Self::Sum { divergence, .. } => divergence.score(value),
            _ => value,
        }
    }

    /// The value exceeded with probability `tail` where a movement of the population adds the variance `more`
    /// to the sampling variance `1 / n + 1 / N` of one coordinate.
    pub fn upper_quantile(&self, tail: f64, more: f64) -> f64 {
        match self {
            Self::Sum { divergence, .. } => {
                divergence.value(self.cumulants(more).upper_quantile(tail).max(0.0))
            }
            Self::Kolmogorov { base } => {
                let scale = (base + FELT_BY_LARGEST * more).sqrt();
                kolmogorov::upper_quantile(tail) * scale
            }
            Self::Area { bridge, base } => area_quantile(bridge, tail) * (base + more).sqrt(),
            Self::Largest { largest, base } => largest.upper_quantile(tail, base + more),
        }
    }

    /// Cumulants of the score under the same movement.
    pub fn cumulants(&self, more: f64) -> Cumulants {
        let scaled = |mean: f64, deviation: f64, skewness: f64, scale: f64| Cumulants {
            mean: mean * scale,
            variance: (deviation * scale).powi(2),
            third: skewness * (deviation * scale).powi(3),
        };
        match self {
            Self::Sum {
                still,
                curvature,
                base,
                ..
            } => {
                let moved = Cumulants::chi_square(curvature * (base + more));
                still
                    .plus(moved, 1.0)
                    .plus(Cumulants::chi_square(curvature * base), -1.0)
            }
            Self::Kolmogorov { base } => {
                let scale = (base + FELT_BY_LARGEST * more).sqrt();
                scaled(
                    kolmogorov::MEAN,
                    kolmogorov::VARIANCE.sqrt(),
                    SKEWNESS,
                    scale,
                )
            }
            Self::Area { bridge, base } => {
                let scale = (base + more).sqrt();
                scaled(bridge.mean, bridge.variance.sqrt(), 1.0, scale)
            }
            Self::Largest { largest, base } => {
                let scale = ((base + more) / base).sqrt();
                scaled(largest.mean, largest.deviation, 1.0, scale)
            }
        }
    }
}

/// Probability that the area exceeds `x` standard units; see [`area_quantile`].
pub(super) fn area_tail(bridge: &Bridge, x: f64) -> f64 {
    match area_shape(bridge) {
        Some((shape, scale)) => upper_tail(shape, x / scale),
        None => f64::from(u8::from(x <= 0.0)),
    }
}

/// The area exceeded with probability `tail`.
fn area_quantile(bridge: &Bridge, tail: f64) -> f64 {
    area_shape(bridge).map_or(0.0, |(shape, scale)| upper_quantile(shape, tail) * scale)
}

/// `None` where all numbers of the reference are equal.
fn area_shape(bridge: &Bridge) -> Option<(f64, f64)> {
    let scale = bridge.variance / bridge.mean;
    (scale > 0.0 && scale.is_finite()).then(|| (bridge.mean / scale, scale))
}
