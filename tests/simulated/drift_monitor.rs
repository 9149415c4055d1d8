//! Healthy drift monitors: limits learnt from reference chunks, and how often a chunk leaves them.
#![allow(dead_code, reason = "each test and bench uses its own part")]
use super::binomial::binomial;
use super::simulated::Random;
use modelwatch::kernel::KernelError;
use modelwatch::kernel::drift::{DriftMetric, DriftProfile, DriftReference, DriftSeries};
use modelwatch::kernel::threshold::Threshold;
use modelwatch::kernel::values::{ValueBin, ValueBins};

/// Numbers of reference chunks.
pub const REFERENCE_CHUNKS: [usize; 4] = [3, 5, 10, 24];
/// Rows of an analysis chunk over rows of a reference chunk.
pub const RATIOS: [f64; 4] = [0.1, 0.5, 1.0, 10.0];
/// Healthy chunks judged by one monitor at each ratio.
pub const CHUNKS_A_MONITOR: usize = 3;
/// Monitors that share a seed, so that the figures do not depend on the number of threads.
const BLOCK: usize = 100;
/// Shift that the power is measured at, in sampling standard deviations of the chunk's mean.
const SHIFT: f64 = 4.0;
/// Distinct numbers of the population, evenly spaced over four standard deviations either side.
const NUMBERS: usize = 400;

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Standard deviation of the healthy populations' means, in sampling standard deviations of the mean of a
    /// reference chunk.
    pub between: f64,
    /// Rows of a reference chunk.
    pub rows: u64,
}

/// Counts of one cell of the table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Healthy chunks above their limit.
    pub alarms: u64,
    squares: u64,
    /// Shifted chunks, one a monitor, above their limit.
    pub found: u64,
    pub monitors: u64,
}

impl Tally {
    /// Share of healthy chunks that alert, over the promised rate.
    pub fn false_alarms(&self) -> f64 {
        self.alarms as f64 / self.monitors as f64 / CHUNKS_A_MONITOR as f64 / rate()
    }

    /// Simulation error (one standard deviation) of [`Self::false_alarms`].
    pub fn error(&self) -> f64 {
        let monitors = self.monitors as f64;
        let mean = self.alarms as f64 / monitors;
        let variance = self.squares as f64 / monitors - mean * mean;
        (variance / monitors).sqrt() / CHUNKS_A_MONITOR as f64 / rate()
    }

    /// Share of shifted chunks that alert.
    pub fn power(&self) -> f64 {
        self.found as f64 / self.monitors as f64
    }

    fn add(&mut self, other: &Self) {
        self.alarms += other.alarms;
        self.squares += other.squares;
        self.found += other.found;
        self.monitors += other.monitors;
    }
}

/// The rate that the default threshold promises.
pub fn rate() -> f64 {
    match Threshold::default() {
        Threshold::FalseAlarmRate { rate } => rate,
        _ => f64::NAN,
    }
}

/// Tallies by metric, number of reference chunks and ratio.
pub type Tallies = Vec<[[Tally; RATIOS.len()]; REFERENCE_CHUNKS.len()]>;

/// A population of numbers: a normal law cut into ranges, each of which is one number.
pub struct Population {
    numbers: Vec<f64>,
    weights: Vec<f64>,
}

impl Population {
    pub fn new() -> Self {
        let place = |i: usize| -4.0 + 8.0 * (i as f64 + 0.5) / NUMBERS as f64;
        let numbers: Vec<f64> = (0..NUMBERS).map(place).collect();
        let weights = numbers.iter().map(|x| (-x * x / 2.0).exp()).collect();
        Self { numbers, weights }
    }

    /// A chunk of the population whose mean has moved by `shift`: rows by number.
    pub fn draw(&self, shift: f64, rows: u64, random: &mut Random) -> Vec<u64> {
        let tilted = self.numbers.iter().zip(&self.weights);
        let weights: Vec<f64> = tilted.map(|(x, w)| w * (shift * x).exp()).collect();
        let (mut rows_left, mut weight_left) = (rows, weights.iter().sum::<f64>());
        let count = |weight: &f64| {
            let count = binomial(random, rows_left, (weight / weight_left).clamp(0.0, 1.0));
            rows_left -= count;
            weight_left -= weight;
            count
        };
        weights.iter().map(count).collect()
    }

    /// A chunk as statistics read it.
    pub fn profile(&self, counts: &[u64]) -> ValueBins {
        let rows = self.numbers.iter().zip(counts);
        ValueBins {
            bins: rows
                .filter(|(_, count)| **count > 0)
                .map(|(&x, &count)| ValueBin {
                    lower: x,
                    upper: x,
                    count,
                    sum: x * count as f64,
                })
                .collect(),
            sums_exact: true,
            ..ValueBins::default()
        }
    }
}

/// Simulates monitors of a scenario on two threads.
pub fn simulate(
    scenario: Scenario,
    metrics: &[DriftMetric],
    monitors: usize,
    seed: u64,
) -> Result<Tallies, KernelError> {
    let population = Population::new();
    let blocks = monitors.div_ceil(BLOCK);
    let population = &population;
    let half = |first: usize| -> Result<Tallies, KernelError> {
        let mut sum = vec![Default::default(); metrics.len()];
        for block in (first..blocks).step_by(2) {
            let mut random = Random(seed.wrapping_mul(0x5851_F42D_4C95_7F2D) + block as u64);
            for _ in 0..BLOCK.min(monitors - block * BLOCK) {
                monitor(population, scenario, metrics, &mut random, &mut sum)?;
            }
        }
        Ok(sum)
    };
    let (even, odd) = std::thread::scope(|threads| {
        let odd = threads.spawn(|| half(1));
        (half(0), odd.join())
    });
    let mut sum = even?;
    let odd = odd.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    for (sum, other) in sum.iter_mut().zip(&odd) {
        for (sum, other) in sum.iter_mut().flatten().zip(other.iter().flatten()) {
            sum.add(other);
        }
    }
    Ok(sum)
}

fn monitor(
    population: &Population,
    scenario: Scenario,
    metrics: &[DriftMetric],
    random: &mut Random,
    sum: &mut Tallies,
) -> Result<(), KernelError> {
    let between = scenario.between / (scenario.rows as f64).sqrt();
    let chunks: Vec<Vec<u64>> = (0..REFERENCE_CHUNKS[REFERENCE_CHUNKS.len() - 1])
        .map(|_| population.draw(between * random.normal(), scenario.rows, random))
        .collect();
    let reference: Vec<ValueBins> = chunks.iter().map(|c| population.profile(c)).collect();
    let mut analysis = Vec::new();
    for ratio in RATIOS {
        let rows = (scenario.rows as f64 * ratio).round() as u64;
        for i in 0..=CHUNKS_A_MONITOR {
            let shift = if i == CHUNKS_A_MONITOR {
                SHIFT / (rows as f64).sqrt()
            } else {
                0.0
            };
            let moved = shift + between * random.normal();
            analysis.push(population.profile(&population.draw(moved, rows, random)));
        }
    }
    let analysis: Vec<DriftProfile> = analysis.iter().map(DriftProfile::from).collect();
    for (k, chunk_count) in REFERENCE_CHUNKS.into_iter().enumerate() {
        let mut total = vec![0; NUMBERS];
        for chunk in chunks.iter().take(chunk_count) {
            total
                .iter_mut()
                .zip(chunk)
                .for_each(|(sum, count)| *sum += count);
        }
        let whole = DriftReference::continuous(&population.profile(&total));
        let parts: Vec<DriftProfile> = reference
            .iter()
            .take(chunk_count)
            .map(DriftProfile::from)
            .collect();
        for (metric, sum) in metrics.iter().zip(sum.iter_mut()) {
            let series = DriftSeries::new(*metric, Threshold::default())?;
            let readings = series.read(&whole, &parts, &analysis)?;
            let by_ratio = readings.analysis.chunks(CHUNKS_A_MONITOR + 1);
            for (tally, readings) in sum[k].iter_mut().zip(by_ratio) {
                let alert =
                    |i: usize| readings[i].limits.alert(readings[i].value, true) == Some(true);
                let alarms = (0..CHUNKS_A_MONITOR).filter(|&i| alert(i)).count() as u64;
                tally.alarms += alarms;
                tally.squares += alarms * alarms;
                tally.found += u64::from(alert(CHUNKS_A_MONITOR));
                tally.monitors += 1;
            }
        }
    }
    Ok(())
}
