//! How often the intervals of realized metrics hold the population's value, by simulation.
#![allow(dead_code, reason = "the test and the bench use their own parts")]
use modelwatch::kernel::reading::Reading;

use super::simulated::Random;

mod binary;
mod classes;
mod regressions;

/// Fewest expected rows of a class, labelled or predicted, for which intervals are promised.
const FEWEST_EVENTS: f64 = 20.0;

/// The metrics of a drawn chunk.
pub struct Drawn {
    pub metrics: Vec<Measure>,
    /// Share of the rarest class among labels or predictions; 1 of a regression.
    pub rarest: f64,
}

/// A metric of a chunk, or of one of its classes or cells.
pub struct Measure {
    pub metric: &'static str,
    pub of: Option<String>,
    /// Whether it grows with the rows.
    pub total: bool,
    pub reading: Reading,
}

/// What rows are drawn from.
#[derive(Clone, Copy)]
pub struct Population {
    pub kind: &'static str,
    pub name: &'static str,
    draw: Draw,
}

#[derive(Clone, Copy)]
enum Draw {
    Binary(binary::Scores),
    Regression(regressions::Regression),
    Classes(classes::Classes),
}

impl Population {
    pub fn grid() -> Vec<Self> {
        let of = |kind, (name, draw)| Self { kind, name, draw };
        let binary = binary::grid().map(|(name, it)| (name, Draw::Binary(it)));
        let regression = regressions::grid().map(|(name, it)| (name, Draw::Regression(it)));
        let classes = classes::grid().map(|(name, it)| (name, Draw::Classes(it)));
        let binary = binary.into_iter().map(|it| of("binary", it));
        let regression = regression.into_iter().map(|it| of("regression", it));
        let classes = classes.into_iter().map(|it| of("multiclass", it));
        binary.chain(regression).chain(classes).collect()
    }

    /// Every metric of a chunk of that many rows.
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        match &self.draw {
            Draw::Binary(it) => it.draw(rows, random),
            Draw::Regression(it) => it.draw(rows, random),
            Draw::Classes(it) => it.draw(rows, random),
        }
    }

    /// Random numbers of one run, independent of those of every other run and population.
    fn random(&self, run: u64, seed: u64) -> Random {
        let names = self.kind.bytes().chain(self.name.bytes()).map(u64::from);
        Random(names.chain([run]).fold(seed, |state, number| {
            Random(Random(state).next() ^ number).next()
        }))
    }
}

/// Covered runs of one metric, or of one class or cell of it, for one population and number of rows.
#[derive(Debug, Clone)]
pub struct Cell {
    pub kind: &'static str,
    pub population: &'static str,
    pub rows: usize,
    pub metric: &'static str,
    pub of: Option<String>,
    /// The population's value.
    pub truth: f64,
    /// At least 20 expected rows of each class, labelled and predicted.
    pub promised: bool,
    /// Runs with a value and an interval.
    pub runs: u64,
    pub without_value: u64,
    /// Runs whose interval lay below the population's value, and above it.
    pub too_low: u64,
    pub too_high: u64,
}

impl Cell {
    /// Share of runs whose interval held the population's value.
    pub fn coverage(&self) -> f64 {
        1.0 - (self.too_low + self.too_high) as f64 / self.runs as f64
    }

    fn add(&mut self, reading: &Reading) {
        match reading.lower_bound.zip(reading.upper_bound) {
            Some((lower, upper)) => {
                self.runs += 1;
                self.too_low += u64::from(upper < self.truth);
                self.too_high += u64::from(lower > self.truth);
            }
            None => self.without_value += 1,
        }
    }
}

/// Cells of one population, for chunks of these numbers of rows and every metric. Its values are those of a
/// sample of `whole` rows: of 200 times as many as the largest chunk, its error takes .001 of the coverage.
pub fn simulate(
    population: Population,
    chunk_rows: &[usize],
    whole: usize,
    runs: u64,
    seed: u64,
) -> Vec<Cell> {
    let truth = population.draw(whole, &mut population.random(u64::MAX, seed));
    let cell = |rows: usize, measure: &Measure| Cell {
        kind: population.kind,
        population: population.name,
        rows,
        metric: measure.metric,
        of: measure.of.clone(),
        truth: measure.reading.value.unwrap_or(f64::NAN)
            * if measure.total {
                rows as f64 / whole as f64
            } else {
                1.0
            },
        promised: rows as f64 * truth.rarest >= FEWEST_EVENTS,
        runs: 0,
        without_value: 0,
        too_low: 0,
        too_high: 0,
    };
    let sizes = chunk_rows.iter();
    let mut cells: Vec<Vec<Cell>> = sizes
        .map(|&rows| truth.metrics.iter().map(|it| cell(rows, it)).collect())
        .collect();
    for run in 0..runs {
        let mut random = population.random(run, seed);
        for (&rows, cells) in chunk_rows.iter().zip(&mut cells) {
            let drawn = population.draw(rows, &mut random);
            for (cell, measure) in cells.iter_mut().zip(&drawn.metrics) {
                cell.add(&measure.reading);
            }
        }
    }
    cells.into_iter().flatten().collect()
}
