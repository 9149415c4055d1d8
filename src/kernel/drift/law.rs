//! The law of a distance between a healthy chunk and its reference.
use super::bridge::Bridge;
use super::divergence::Divergence;
use super::gamma::Cumulants;
use super::kolmogorov;
use super::largest::Largest;

/// Part of a movement of the population that the largest difference of distribution functions feels, relative
/// to sampling: `(phi(0) / (1 / 2))^2 = 2 / pi` for a normal law that moves along its mean.
const FELT_BY_LARGEST: f64 = std::f64::consts::FRAC_2_PI;
/// Skewness of Kolmogorov's law.
const SKEWNESS: f64 = 0.861;

/// Skewness of the area between a Brownian bridge and 0, about.
///
/// MEASURED (100,000 bridges of 400 steps): 1.32 for a uniform law, 1.20 normal, 1.21 exponential, 1.12 lognormal, 1.21
/// of two normal laws far apart, 1.00 and 0.98 of three and two numbers. The largest, for a limit too high is the
/// smaller harm.
const AREA_SKEWNESS: f64 = 1.32;

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
    /// Presumed variance of a movement of the population, as a multiple of the sampling variance of a reference
    /// chunk; see `benches/drift_false_alarms.rs` for what it does to false alarms and power.
    pub fn presumed(&self) -> f64 {
        match self {
            Self::Sum { .. } => 0.85,
            Self::Kolmogorov { .. } => 0.5,
            Self::Area { .. } | Self::Largest { .. } => 1.0,
        }
    }

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
            Self::Area { .. } => self.cumulants(more).upper_quantile(tail),
            Self::Largest { largest, base } => largest.upper_quantile(tail, base + more),
        }
    }

    /// Cumulants of the score under the same movement.
    pub fn cumulants(&self, more: f64) -> Cumulants {
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
            Self::Area { bridge, base } => area_cumulants(bridge, (base + more).sqrt()),
            Self::Largest { largest, base } => {
                let scale = ((base + more) / base).sqrt();
                scaled(largest.mean, largest.deviation, 1.0, scale)
            }
        }
    }
}

/// Probability that the area exceeds `x` standard units.
pub(super) fn area_tail(bridge: &Bridge, x: f64) -> f64 {
    area_cumulants(bridge, 1.0).upper_tail(x)
}

/// Cumulants of the area, in multiples of `scale` standard units.
fn area_cumulants(bridge: &Bridge, scale: f64) -> Cumulants {
    scaled(bridge.mean, bridge.variance.sqrt(), AREA_SKEWNESS, scale)
}

fn scaled(mean: f64, deviation: f64, skewness: f64, scale: f64) -> Cumulants {
    Cumulants {
        mean: mean * scale,
        variance: (deviation * scale).powi(2),
        third: skewness * (deviation * scale).powi(3),
    }
}
