//! Profiles for unit tests.
use super::bins::{Cell, Class, ScoreBin, ScoreBins};
use super::link::Link;
use super::metric;
use super::splitmix::{STEP, splitmix64};
use super::threshold::MetricScale;
use super::values::{ValueBin, ValueBins};

/// Numbers with their rows, ascending; one exact bin a number.
pub(crate) fn numbers(counts: &[(f64, u64)]) -> ValueBins {
    let bin = |&(x, count): &(f64, u64)| ValueBin {
        lower: x,
        upper: x,
        count,
        sum: x * count as f64,
    };
    ValueBins {
        bins: counts.iter().map(bin).collect(),
        sums_exact: true,
        ..ValueBins::default()
    }
}

/// The jackknife's standard error, from the values that are left when each row is dropped once.
pub(crate) fn jackknife(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    ((n - 1.0) / n * squares).sqrt()
}

/// Rows `(score, prediction, label, count)` in ascending order of score, one exact bin a score.
pub(crate) fn chunk(rows: &[(f64, Class, Class, u64)]) -> ScoreBins {
    let mut bins: Vec<ScoreBin> = Vec::new();
    for &(score, prediction, label, count) in rows {
        if bins.last().is_none_or(|bin| bin.lower != score) {
            bins.push(ScoreBin {
                lower: score,
                upper: score,
                ..ScoreBin::default()
            });
        }
        let bin = bins.last_mut().unwrap();
        bin.cells[prediction as usize][label as usize] = Cell {
            count,
            sum: score * count as f64,
        };
    }
    ScoreBins {
        bins,
        sums_exact: true,
        ..ScoreBins::default()
    }
}

/// Numbers that look like independent standard normal ones.
pub(crate) fn normal_numbers(count: usize, seed: u64) -> Vec<f64> {
    use statrs::distribution::{ContinuousCDF, Normal};

    let normal = Normal::standard();
    let steps = (0..count as u64).map(|step| {
        let bits = splitmix64((seed << 20 | step).wrapping_mul(STEP));
        normal.inverse_cdf(((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64)
    });
    steps.collect()
}

/// A number on no scale of its own, the higher the better.
pub(crate) const VALUE: MetricScale = MetricScale {
    link: Link::Identity,
    lower: None,
    upper: None,
    better: metric::Direction::Higher,
    total: false,
};
