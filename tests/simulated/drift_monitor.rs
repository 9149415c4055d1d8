//! Healthy drift monitors: limits learnt from reference chunks, and how often a chunk leaves them.
#![allow(dead_code, reason = "each test and bench uses its own part")]
use super::binomial::binomial;
use super::drift_shift::{SHIFT, Shifts};
use super::simulated::Random;
use super::simulated::tally::Tally;
use modelwatch::kernel::KernelError;
use modelwatch::kernel::drift::{
    DriftMetric, DriftProfile, DriftReading, DriftReference, DriftSeries,
};
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
    /// Simulated comparisons that tell how far a population moves for a distance to rise by [`SHIFT`].
    pub draws: usize,
}

/// Counts of one cell of the table. Shifted chunks are those whose distance is expected [`SHIFT`] of its own sampling
/// standard deviations higher.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cell {
    pub tally: Tally,
    /// Chunks found, one a monitor, whose mean has moved by [`SHIFT`] of its sampling standard deviations.
    found_by_mean: u64,
}

impl Cell {
    /// Share found of the chunks whose mean moves.
    pub fn power_by_mean(&self) -> f64 {
        self.found_by_mean as f64 / self.tally.monitors as f64
    }

    fn add(&mut self, other: &Self) {
        self.tally.add(&other.tally);
        self.found_by_mean += other.found_by_mean;
    }
}

/// Cells by metric, number of reference chunks and ratio.
pub type Cells = Vec<[[Cell; RATIOS.len()]; REFERENCE_CHUNKS.len()]>;

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
) -> Result<Cells, KernelError> {
    let population = Population::new();
    let shifts = Shifts::simulate(&population, scenario, metrics, seed);
    let simulation = Simulation {
        population,
        scenario,
        metrics,
        shifts,
    };
    let simulation = &simulation;
    let blocks = monitors.div_ceil(BLOCK);
    let half = |first: usize| -> Result<Cells, KernelError> {
        let mut sum = vec![Default::default(); metrics.len()];
        for block in (first..blocks).step_by(2) {
            let mut random = Random(seed.wrapping_mul(0x5851_F42D_4C95_7F2D) + block as u64);
            for _ in 0..BLOCK.min(monitors - block * BLOCK) {
                simulation.monitor(&mut random, &mut sum)?;
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

struct Simulation<'a> {
    population: Population,
    scenario: Scenario,
    metrics: &'a [DriftMetric],
    shifts: Shifts,
}

impl Simulation<'_> {
    fn monitor(&self, random: &mut Random, sum: &mut Cells) -> Result<(), KernelError> {
        let most = REFERENCE_CHUNKS[REFERENCE_CHUNKS.len() - 1];
        let chunks: Vec<Vec<u64>> = (0..most)
            .map(|_| self.draw(0.0, self.scenario.rows, random))
            .collect();
        let by_mean = |ratio: f64| SHIFT / (self.scenario.rows as f64 * ratio).sqrt();
        let common: Vec<ValueBins> = RATIOS
            .into_iter()
            .flat_map(|ratio| [ratio; CHUNKS_A_MONITOR + 1].into_iter().enumerate())
            .map(|(i, ratio)| match i {
                CHUNKS_A_MONITOR => self.chunk(by_mean(ratio), ratio, random),
                _ => self.chunk(0.0, ratio, random),
            })
            .collect();
        let parts: Vec<ValueBins> = chunks.iter().map(|c| self.population.profile(c)).collect();
        let mut total = vec![0; NUMBERS];
        for (k, part) in chunks.iter().enumerate() {
            total.iter_mut().zip(part).for_each(|(sum, c)| *sum += c);
            let Some(row) = REFERENCE_CHUNKS.iter().position(|count| *count == k + 1) else {
                continue;
            };
            let whole = DriftReference::continuous(&self.population.profile(&total));
            let parts: Vec<DriftProfile> = parts.iter().take(k + 1).map(Into::into).collect();
            for (i, tallies) in sum.iter_mut().enumerate() {
                let risen = RATIOS.into_iter().zip(self.shifts.of(i, row));
                let risen: Vec<ValueBins> = risen
                    .map(|(ratio, shift)| self.chunk(shift, ratio, random))
                    .collect();
                self.judge(i, &whole, &parts, &common, &risen, &mut tallies[row])?;
            }
        }
        Ok(())
    }

    /// What one metric says about all chunks of a monitor: `common`, and those by ratio at which it is to rise.
    fn judge(
        &self,
        metric: usize,
        whole: &DriftReference,
        parts: &[DriftProfile],
        common: &[ValueBins],
        risen: &[ValueBins],
        cells: &mut [Cell; RATIOS.len()],
    ) -> Result<(), KernelError> {
        let series = DriftSeries::new(self.metrics[metric], Threshold::default())?;
        let analysis: Vec<DriftProfile> = common.iter().chain(risen).map(Into::into).collect();
        let readings = series.read(whole, parts, &analysis)?.analysis;
        let alert =
            |reading: &DriftReading| reading.limits.alert(reading.value, true) == Some(true);
        let alerts: Vec<u64> = readings.iter().map(|r| u64::from(alert(r))).collect();
        let (common, risen) = alerts.split_at(common.len());
        let by_ratio = common.chunks(CHUNKS_A_MONITOR + 1).zip(risen);
        for (cell, (common, found)) in cells.iter_mut().zip(by_ratio) {
            let alarms = common[..CHUNKS_A_MONITOR].iter().sum();
            cell.add(&Cell {
                tally: Tally::of_monitor(alarms, CHUNKS_A_MONITOR, *found == 1),
                found_by_mean: common[CHUNKS_A_MONITOR],
            });
        }
        Ok(())
    }

    /// Rows by number of a chunk whose population has moved by `shift` beyond what healthy ones do.
    fn draw(&self, shift: f64, rows: u64, random: &mut Random) -> Vec<u64> {
        let between = self.scenario.between / (self.scenario.rows as f64).sqrt();
        let moved = shift + between * random.normal();
        self.population.draw(moved, rows, random)
    }

    fn chunk(&self, shift: f64, ratio: f64, random: &mut Random) -> ValueBins {
        let rows = (self.scenario.rows as f64 * ratio).round() as u64;
        self.population.profile(&self.draw(shift, rows, random))
    }
}
