//! How far a population moves for a distance to rise by some of its own sampling standard deviations.
#![allow(dead_code, reason = "each test and bench uses its own part")]
use super::drift_monitor::{Population, RATIOS, REFERENCE_CHUNKS, Scenario};
use super::simulated::Random;
use modelwatch::kernel::drift::{DriftMetric, DriftReference};

/// Rise of the expected distance that the power is measured at, in sampling standard deviations of the distance.
pub const SHIFT: f64 = 4.0;
/// Movements of the mean that are tried, in sampling standard deviations of the difference of two means; a longer way
/// is found on the line through the last two.
const MOVEMENTS: [f64; 9] = [0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0];

/// Movements of the mean by metric, number of reference chunks and ratio.
pub struct Shifts(Vec<[[f64; RATIOS.len()]; REFERENCE_CHUNKS.len()]>);

impl Shifts {
    /// Movements at which the mean of a distance, over fresh references and chunks, lies [`SHIFT`] of the standard
    /// deviations that it has without any movement above its mean without any. As the drop of a performance metric in
    /// `monitor.rs`, it is measured where populations differ in nothing else.
    pub fn simulate(
        population: &Population,
        scenario: Scenario,
        metrics: &[DriftMetric],
        seed: u64,
    ) -> Self {
        let mut found = vec![Default::default(); metrics.len()];
        let of_row = |row: usize| {
            let mut random = Random(!seed.wrapping_mul(0x5851_F42D_4C95_7F2D) - row as u64);
            let reference_rows = scenario.rows * REFERENCE_CHUNKS[row] as u64;
            RATIOS.map(|ratio| {
                let rows = (scenario.rows as f64 * ratio).round() as u64;
                let cell = Cell {
                    population,
                    rows: (reference_rows, rows),
                    draws: scenario.draws,
                };
                cell.movements(metrics, &mut random)
            })
        };
        let by_row: Vec<_> = std::thread::scope(|threads| {
            let rows = 0..REFERENCE_CHUNKS.len();
            let started: Vec<_> = rows.map(|row| threads.spawn(move || of_row(row))).collect();
            let joined = started.into_iter().map(|thread| thread.join());
            joined
                .map(|found| found.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        for (row, by_ratio) in by_row.iter().enumerate() {
            for (column, by_metric) in by_ratio.iter().enumerate() {
                for (table, movement) in found.iter_mut().zip(by_metric) {
                    let table: &mut [[f64; RATIOS.len()]; REFERENCE_CHUNKS.len()] = table;
                    table[row][column] = *movement;
                }
            }
        }
        Self(found)
    }

    /// Movements by ratio of a metric at a number of reference chunks, both by their place.
    pub fn of(&self, metric: usize, row: usize) -> [f64; RATIOS.len()] {
        self.0[metric][row]
    }
}

/// One size of reference and chunk.
struct Cell<'a> {
    population: &'a Population,
    rows: (u64, u64),
    draws: usize,
}

impl Cell<'_> {
    /// The movement that each metric needs.
    fn movements(&self, metrics: &[DriftMetric], random: &mut Random) -> Vec<f64> {
        let unit = (1.0 / self.rows.0 as f64 + 1.0 / self.rows.1 as f64).sqrt();
        let mut sums = vec![[[0.0; 2]; MOVEMENTS.len()]; metrics.len()];
        for _ in 0..self.draws {
            let reference = self.population.draw(0.0, self.rows.0, random);
            let reference = DriftReference::continuous(&self.population.profile(&reference));
            for (place, movement) in MOVEMENTS.iter().enumerate() {
                let chunk = self.population.draw(movement * unit, self.rows.1, random);
                let chunk = self.population.profile(&chunk);
                for (metric, sums) in metrics.iter().zip(&mut sums) {
                    let value = reference.compare(&chunk, *metric).map_or(0.0, |d| d.value);
                    sums[place][0] += value;
                    sums[place][1] += value * value;
                }
            }
        }
        let needed = |sums: &[[f64; 2]; MOVEMENTS.len()]| self.needed(sums) * unit;
        sums.iter().map(needed).collect()
    }

    /// The movement, in the units of [`MOVEMENTS`], from the sums of distances and their squares at these.
    fn needed(&self, sums: &[[f64; 2]; MOVEMENTS.len()]) -> f64 {
        let draws = self.draws as f64;
        let means = sums.map(|[sum, _]| sum / draws);
        let variance = sums[0][1] / draws - means[0] * means[0];
        let wanted = means[0] + SHIFT * variance.sqrt();
        let last = MOVEMENTS.len() - 1;
        let upper = (1..last).find(|i| means[*i] >= wanted).unwrap_or(last);
        let (low, high) = (means[upper - 1], means[upper]);
        let part = (wanted - low) / (high - low);
        MOVEMENTS[upper - 1] + part * (MOVEMENTS[upper] - MOVEMENTS[upper - 1])
    }
}
