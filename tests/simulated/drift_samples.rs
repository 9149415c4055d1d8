//! P-values of drift where there is none, from a fresh reference each time.
#![allow(dead_code, reason = "each test and bench uses its own part")]
use super::binomial::binomial;
use super::simulated::Random;
use modelwatch::kernel::drift::{DriftMetric, DriftReference, benjamini_hochberg};
use modelwatch::kernel::values::{CategoryGroup, CategoryGroups, ValueBin, ValueBins};
use statrs::distribution::{ContinuousCDF, Normal};

/// Replicates that share a seed, so that the figures do not depend on the number of threads.
const BLOCK: usize = 100;
/// Levels at which p-values are counted.
pub const LEVELS: [f64; 2] = [0.05, 0.01];

/// What both samples are drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    Uniform,
    Normal,
    Exponential,
    /// So many equally likely numbers.
    Tied(usize),
    /// So many categories; the second half as likely as the first, and so on.
    Categories(usize),
}

impl Law {
    pub fn is_categorical(self) -> bool {
        matches!(self, Self::Categories(_))
    }

    /// Whether p-values may be too large, as counts have steps.
    pub fn has_ties(self) -> bool {
        matches!(self, Self::Categories(_) | Self::Tied(_))
    }

    pub fn metrics(self) -> Vec<DriftMetric> {
        let applies = |metric: &DriftMetric| match self.is_categorical() {
            true => metric.applies_to_categorical(),
            false => metric.applies_to_continuous(),
        };
        DriftMetric::ALL.into_iter().filter(applies).collect()
    }

    /// A sample as numbers; exact, ascending.
    fn numbers(self, rows: u64, random: &mut Random) -> ValueBins {
        let exact = |x: f64, count: u64| ValueBin {
            lower: x,
            upper: x,
            count,
            sum: x * count as f64,
        };
        let bins = match self {
            Self::Tied(kinds) => {
                let counts = multinomial(&vec![1.0; kinds], rows, random);
                let seen = counts.iter().enumerate().filter(|(_, count)| **count > 0);
                seen.map(|(i, &count)| exact(i as f64, count)).collect()
            }
            _ => {
                let normal = Normal::standard();
                let number = |u: f64| match self {
                    Self::Normal => normal.inverse_cdf(u),
                    Self::Exponential => -(1.0 - u).ln(),
                    _ => u,
                };
                let sorted = sorted_uniform(rows, random);
                sorted.into_iter().map(|u| exact(number(u), 1)).collect()
            }
        };
        ValueBins {
            bins,
            sums_exact: true,
            ..ValueBins::default()
        }
    }

    fn categories(self, rows: u64, random: &mut Random) -> CategoryGroups {
        let Self::Categories(kinds) = self else {
            return CategoryGroups::default();
        };
        let weights: Vec<f64> = (1..=kinds).map(|i| 1.0 / i as f64).collect();
        let counts = multinomial(&weights, rows, random);
        let seen = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        CategoryGroups {
            groups: seen
                .map(|(i, &count)| CategoryGroup {
                    prefix: i as u64,
                    count,
                    category: None,
                })
                .collect(),
            bits: 64,
            ..CategoryGroups::default()
        }
    }

    /// P-values of the metrics for one fresh reference and chunk.
    pub fn p_values(
        self,
        metrics: &[DriftMetric],
        rows: (u64, u64),
        random: &mut Random,
    ) -> Vec<Option<f64>> {
        if self.is_categorical() {
            let reference = DriftReference::categorical(&self.categories(rows.0, random));
            let chunk = self.categories(rows.1, random);
            let p_value = |metric: &DriftMetric| reference.compare(&chunk, *metric).ok()?.p_value;
            return metrics.iter().map(p_value).collect();
        }
        let reference = DriftReference::continuous(&self.numbers(rows.0, random));
        let chunk = self.numbers(rows.1, random);
        let p_value = |metric: &DriftMetric| reference.compare(&chunk, *metric).ok()?.p_value;
        metrics.iter().map(p_value).collect()
    }
}

/// Uniform numbers in ascending order: sums of exponential gaps.
fn sorted_uniform(rows: u64, random: &mut Random) -> Vec<f64> {
    let mut sum = 0.0;
    let mut gap = || {
        sum -= random.uniform().ln();
        sum
    };
    let mut sums: Vec<f64> = (0..rows).map(|_| gap()).collect();
    let all = gap();
    sums.iter_mut().for_each(|x| *x /= all);
    sums
}

fn multinomial(weights: &[f64], rows: u64, random: &mut Random) -> Vec<u64> {
    let (mut rows_left, mut weight_left) = (rows, weights.iter().sum::<f64>());
    let count = |weight: &f64| {
        let count = binomial(random, rows_left, (weight / weight_left).clamp(0.0, 1.0));
        rows_left -= count;
        weight_left -= weight;
        count
    };
    weights.iter().map(count).collect()
}

/// Runs `replicate` on two threads; sums what it counts.
fn sums(
    replicates: usize,
    seed: u64,
    size: usize,
    replicate: impl Fn(&mut Random) -> Vec<u64> + Sync,
) -> Vec<u64> {
    let blocks = replicates.div_ceil(BLOCK);
    let replicate = &replicate;
    let half = |first: usize| {
        let mut sum = vec![0; size];
        for block in (first..blocks).step_by(2) {
            let mut random = Random(seed.wrapping_mul(0x5851_F42D_4C95_7F2D) + block as u64);
            for _ in 0..BLOCK.min(replicates - block * BLOCK) {
                let found = replicate(&mut random);
                sum.iter_mut()
                    .zip(found)
                    .for_each(|(sum, more)| *sum += more);
            }
        }
        sum
    };
    std::thread::scope(|threads| {
        let odd = threads.spawn(|| half(1));
        let mut sum = half(0);
        let odd = odd
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        sum.iter_mut().zip(odd).for_each(|(sum, more)| *sum += more);
        sum
    })
}

/// Share of p-values at or below each level, by metric of the law, over `replicates`; `rows` of reference and chunk.
pub fn shares(
    law: Law,
    rows: (u64, u64),
    replicates: usize,
    seed: u64,
) -> Vec<(DriftMetric, [f64; 2])> {
    let metrics = law.metrics();
    let counts = sums(replicates, seed, 2 * metrics.len(), |random| {
        let p_values = law.p_values(&metrics, rows, random);
        let below = |p: &Option<f64>| LEVELS.map(|level| u64::from(p.is_some_and(|p| p <= level)));
        p_values.iter().flat_map(below).collect()
    });
    let share = |counts: &[u64]| [counts[0], counts[1]].map(|c| c as f64 / replicates as f64);
    metrics
        .into_iter()
        .zip(counts.chunks(2).map(share))
        .collect()
}

/// Share of families of `columns` columns in which any adjusted p-value lies below 0.05, by metric.
pub fn families(
    law: Law,
    rows: (u64, u64),
    columns: usize,
    families: usize,
    seed: u64,
) -> Vec<(DriftMetric, f64)> {
    let metrics = law.metrics();
    let counts = sums(families, seed, metrics.len(), |random| {
        let by_column: Vec<Vec<Option<f64>>> = (0..columns)
            .map(|_| law.p_values(&metrics, rows, random))
            .collect();
        let any = |i: usize| {
            let family: Vec<Option<f64>> = by_column.iter().map(|p| p[i]).collect();
            let adjusted = benjamini_hochberg(&family);
            u64::from(adjusted.iter().flatten().any(|q| *q < 0.05))
        };
        (0..metrics.len()).map(any).collect()
    });
    let share = |count: u64| count as f64 / families as f64;
    metrics
        .into_iter()
        .zip(counts.into_iter().map(share))
        .collect()
}
