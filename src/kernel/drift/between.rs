//! How much healthy populations move, in the light of reference chunks measured against each other.
use super::super::between_chunks::stretch;
use super::gamma::{Cumulants, bisect};
use super::law::Law;
use crate::kernel::KernelError;
use statrs::distribution::{ContinuousCDF, Normal};

/// A reference chunk measured against others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// Its distance.
    pub value: f64,
    /// What chance makes of it.
    pub law: Law,
    /// How many times the variance of one population's movement is in the comparison.
    pub spread: f64,
}

/// Level of the lower limit at which the chunks contradict the presumption.
const LOWER_LEVEL: f64 = 0.90;
/// How fast the variance leaves the presumption once it is contradicted.
const SLOPE: f64 = 20.0;
/// A movement beyond so many presumed variances is as good as any.
const MOST: f64 = 1e12;
/// A score below this part of its expectation is as good as none.
const LEAST_RATIO: f64 = 1e-6;

/// Variance of a population's movement along one direction, in units of the sampling variance of one row.
///
/// `min(most, p + 20 max(0, lower - p))` as for the limits of performance (`between_chunks.rs`): `p` is
/// presumed; `lower` is the variance at which the sum of all scores is exceeded with probability 0.1; `most`, at
/// least `p`, makes the limit of a chunk the t limit of the logarithms of the scores. (Where performance lets little
/// scatter lower the presumption, that gave kolmogorov_smirnov 2.1 times the rate with 24 chunks that differ by their
/// sampling error: the scores of one-sided laws scatter little by chance more often.)
///
/// Errors: a tail too small to tell from 0.
pub(super) fn movement(points: &[Point], presumed: f64, tail: f64) -> Result<f64, KernelError> {
    if points.len() < 2 || presumed <= 0.0 {
        return Ok(presumed);
    }
    let lower = lower_limit(points, presumed);
    let most = most(points, presumed, tail)?.max(presumed);
    Ok(most.min(presumed + SLOPE * (lower - presumed).max(0.0)))
}

/// The least variance under which scores as large as these are not rare.
fn lower_limit(points: &[Point], presumed: f64) -> f64 {
    let scores: Vec<(f64, &Point)> = points
        .iter()
        .map(|point| (point.law.cumulants(0.0).mean.max(f64::MIN_POSITIVE), point))
        .collect();
    let seen: f64 = scores
        .iter()
        .map(|(unit, point)| point.law.score(point.value) / unit)
        .sum();
    let is_rare = |movement: f64| {
        let mut sum = Cumulants::default();
        for (unit, point) in &scores {
            let found = point.law.cumulants(movement * point.spread);
            sum = sum.plus(found.over(*unit), 1.0);
        }
        sum.upper_tail(seen) < 1.0 - LOWER_LEVEL
    };
    least_from(presumed, is_rare)
}

/// The variance at which a chunk's limit is the t limit of the logarithms.
fn most(points: &[Point], presumed: f64, tail: f64) -> Result<f64, KernelError> {
    let count = points.len() as f64;
    let ratio = |point: &Point| {
        let expected = point.law.cumulants(0.0).mean.max(f64::MIN_POSITIVE);
        (point.law.score(point.value) / expected)
            .max(LEAST_RATIO)
            .ln()
    };
    let logs: Vec<f64> = points.iter().map(ratio).collect();
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let normal = -Normal::standard().inverse_cdf(tail);
    let student = normal * stretch(count - 1.0, tail)?.sqrt();
    let limit = mean + student * (variance * (1.0 + 1.0 / count)).sqrt();
    let Some(point) = points.first() else {
        return Ok(presumed);
    };
    let expected = point.law.cumulants(0.0).mean.max(f64::MIN_POSITIVE);
    let is_below = |movement: f64| {
        let value = point.law.upper_quantile(tail, movement * point.spread);
        (point.law.score(value) / expected).ln() < limit
    };
    Ok(least_from(presumed, is_below))
}

/// The least number from 0 on at which a condition does not hold, of the size of `unit` or so.
fn least_from(unit: f64, holds: impl Fn(f64) -> bool) -> f64 {
    if !holds(0.0) {
        return 0.0;
    }
    let mut high = unit;
    while holds(high) {
        high *= 4.0;
        if high > MOST * unit {
            return high;
        }
    }
    bisect(0.0, high, holds)
}
