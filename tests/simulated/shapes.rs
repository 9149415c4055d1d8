//! Series of known shapes with known noise, and how often each is told.
use std::collections::BTreeMap;

use modelwatch::kernel::diagnosis::{Diagnosis, Pattern, Sensitivity, Series, SeriesPoint};

use super::simulated::Random;

const CYCLES: [u32; 4] = [4, 6, 7, 12];
/// Standard error of a chunk.
const ERROR: f64 = 0.01;

/// What series are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    pub pattern: Pattern,
    pub chunks: usize,
    /// Change, or swing of a cycle from its lowest to its highest, in standard errors; of a line the change to the last chunk.
    pub size: f64,
    /// Chunks that a line lasts at least.
    pub shortest_line: usize,
    /// Share of the chunks that are missing.
    pub gaps: f64,
}

/// What was told of them.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub runs: u64,
    pub right: u64,
    /// Other patterns that were told.
    pub others: BTreeMap<Option<Pattern>, u64>,
    /// Sum of the distances to the true place of the change, in chunks, where the pattern was right.
    pub off: f64,
}

impl Told {
    pub fn share(&self) -> f64 {
        self.right as f64 / self.runs as f64
    }

    /// Mean distance to the true place.
    pub fn mean_off(&self) -> f64 {
        self.off / self.right.max(1) as f64
    }
}

impl Drawn {
    /// Of 48 chunks without gaps; a line lasts a quarter of them at least.
    pub fn usual(pattern: Pattern, size: f64) -> Self {
        Self {
            pattern,
            chunks: 48,
            size,
            shortest_line: 12,
            gaps: 0.0,
        }
    }

    /// Draws series and tells their shapes.
    pub fn tell(&self, runs: u64, seed: u64) -> Told {
        let mut random = Random(seed);
        let mut told = Told {
            runs,
            ..Told::default()
        };
        for _ in 0..runs {
            let (series, from) = self.series(&mut random);
            let found = Diagnosis::of(&series, Sensitivity::default(), "");
            if found.pattern != Some(self.pattern) {
                *told.others.entry(found.pattern).or_default() += 1;
                continue;
            }
            told.right += 1;
            let since = found.since.and_then(|point| series.points()[point].index);
            if let (Some(from), Some(since)) = (from, since) {
                told.off += (since as f64 - from as f64).abs();
            }
        }
        told
    }

    /// A series, and where its change begins.
    pub fn series(&self, random: &mut Random) -> (Series, Option<usize>) {
        let n = self.chunks;
        let mut within =
            |low: usize, high: usize| low + random.below((high - low + 1) as u64) as usize;
        let is_line = matches!(self.pattern, Pattern::Gradual | Pattern::RecurringGradual);
        let from = match is_line {
            true => within(n / 6, n - self.shortest_line),
            false => within(n / 4, 3 * n / 4),
        };
        let until = from + within(4, 10);
        let period = f64::from(CYCLES[within(0, 3)]);
        let phase = std::f64::consts::TAU * random.uniform();
        let value = |t: usize| {
            let angle = std::f64::consts::TAU * t as f64 / period + phase;
            let wave = if self.pattern.is_cyclic() {
                0.5 * angle.sin()
            } else {
                0.0
            };
            let change = match self.pattern {
                Pattern::Stable | Pattern::Recurring => 0.0,
                Pattern::Temporary => f64::from(u8::from((from..until).contains(&t))),
                _ if is_line => t.saturating_sub(from) as f64 / (n - 1 - from) as f64,
                _ => f64::from(u8::from(t >= from)),
            };
            self.size * (wave - change)
        };
        let points = (0..n).filter_map(|t| {
            let noise = random.normal();
            (!random.chance(self.gaps)).then(|| SeriesPoint {
                index: Some(t as i64),
                value: Some(0.8 + ERROR * (value(t) + noise)),
                sampling_error: Some(ERROR),
                is_usable: true,
                ..SeriesPoint::default()
            })
        });
        let series = Series::new(points.collect()).expect("each chunk comes once");
        let changes = !matches!(self.pattern, Pattern::Stable | Pattern::Recurring);
        (series, changes.then_some(from))
    }
}
