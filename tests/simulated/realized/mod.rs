//! How often the intervals of realized metrics hold the population's value, by simulation.
#![allow(dead_code, reason = "the test and the bench use their own parts")]
use modelwatch::kernel::reading::{Reading, Status};

use super::simulated::Random;
use model::Model;
use pairs::Pair;
use unequal::Unequal;

mod binary;
mod classes;
mod draws;
mod model;
mod pairs;
mod regressions;
mod rows;
mod unequal;

/// Fewest expected rows of a class, labelled or predicted, for which intervals are promised.
const FEWEST_EVENTS: f64 = 20.0;

/// Of intervals.
const LEVEL: f64 = 0.95;

/// Kinds of weights, of clusters and of challengers.
const WAYS: usize = 4;

/// The metrics of a drawn chunk.
pub struct Drawn {
    pub metrics: Vec<Measure>,
    /// Share of the rarest class among labels or predictions; 1 of a regression.
    pub rarest: f64,
    /// Rows, or what they weigh.
    pub size: f64,
}

/// A metric of a chunk, or of one of its classes or cells.
pub struct Measure {
    pub metric: String,
    pub of: Option<String>,
    /// Whether it grows with the size of the chunk.
    pub total: bool,
    pub value: Option<f64>,
    pub bounds: Option<(f64, f64)>,
    /// Whether it says that few rows tell of it.
    pub few: bool,
}

impl Measure {
    fn new(metric: &str, of: Option<String>, total: bool, reading: &Reading) -> Self {
        Self {
            metric: metric.to_owned(),
            of,
            total,
            value: reading.value,
            bounds: reading.lower_bound.zip(reading.upper_bound),
            few: is_few(reading.status),
        }
    }
}

fn is_few(status: Status) -> bool {
    matches!(status, Status::FewPositives | Status::FewRows)
}

/// What rows are drawn from, and how.
#[derive(Clone)]
pub struct Population {
    /// `binary`, `weighted binary` and so on.
    pub kind: String,
    pub name: String,
    draw: Draw,
}

#[derive(Clone, Copy)]
enum Draw {
    Plain(Model),
    Unequal(Unequal),
    Paired(Pair),
    /// Differences that are aggregates.
    Aggregates(Pair),
}

impl Population {
    /// Every model, with independent rows that count alike, and with one of every other way to draw rows; those of two classes
    /// with all of them.
    pub fn grid() -> Vec<Self> {
        let models = Model::grid();
        let plain = models.iter().map(|(name, model)| Self {
            kind: model.kind().to_owned(),
            name: (*name).to_owned(),
            draw: Draw::Plain(*model),
        });
        let others = models.iter().enumerate().flat_map(|(at, named)| {
            let ways = match named.1 {
                Model::Binary(_) => 0..WAYS,
                _ => at..at + 1,
            };
            ways.flat_map(|at| Self::others(named, at % WAYS))
        });
        plain.chain(others).collect()
    }

    fn others(&(name, model): &(&str, Model), at: usize) -> Vec<Self> {
        let of = |kind: &str, how: &str, draw| Self {
            kind: format!("{kind} {}", model.kind()),
            name: format!("{name}; {how}"),
            draw,
        };
        let (how, weights) = unequal::weights()[at];
        let weighted = Unequal {
            model,
            weights,
            clusters: None,
        };
        let weighted = of("weighted", how, Draw::Unequal(weighted));
        let (how, clusters, weights) = unequal::clusters()[at];
        let clustered = Unequal {
            model,
            weights,
            clusters: Some(clusters),
        };
        let clustered = of("clustered", how, Draw::Unequal(clustered));
        let (how, challenge) = pairs::challenges()[at];
        let pair = Pair { model, challenge };
        let mut all = vec![weighted, clustered, of("paired", how, Draw::Paired(pair))];
        // several classes have no aggregates of differences
        if !matches!(model, Model::Classes(_)) {
            all.push(of("paired aggregates", how, Draw::Aggregates(pair)));
        }
        all
    }

    /// Whether rows are independent, count alike, and are read by one model.
    pub fn is_plain(&self) -> bool {
        matches!(self.draw, Draw::Plain(_))
    }

    /// Every metric of a chunk of that many rows.
    fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        match &self.draw {
            Draw::Plain(it) => it.draw(rows, random),
            Draw::Unequal(it) => it.draw(rows, random),
            Draw::Paired(it) => it.draw(rows, random),
            Draw::Aggregates(it) => it.aggregates(rows, random),
        }
    }

    /// The values of every metric of so many rows; their errors too where they come with them.
    fn values(&self, rows: usize, random: &mut Random) -> Drawn {
        match &self.draw {
            Draw::Unequal(it) => it.values(rows, random),
            Draw::Paired(it) => it.values(rows, random),
            Draw::Plain(_) | Draw::Aggregates(_) => self.draw(rows, random),
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
    pub kind: String,
    pub population: String,
    pub rows: usize,
    pub metric: String,
    pub of: Option<String>,
    /// The population's value, of a total for a row or a unit of weight.
    pub truth: f64,
    /// At least 20 expected rows of each class, labelled and predicted.
    enough_rows: bool,
    /// A difference, which needs rows on which the models differ.
    difference: bool,
    /// Runs with a value and an interval.
    pub runs: u64,
    pub without_value: u64,
    /// Runs whose interval lay below the population's value, and above it.
    pub too_low: u64,
    pub too_high: u64,
    /// Runs that said that few rows tell of it.
    pub few: u64,
}

impl Cell {
    fn new(population: &Population, rows: usize, truth: &Drawn, measure: &Measure) -> Self {
        let size = if measure.total { truth.size } else { 1.0 };
        Self {
            kind: population.kind.clone(),
            population: population.name.clone(),
            rows,
            metric: measure.metric.clone(),
            of: measure.of.clone(),
            truth: measure.value.unwrap_or(f64::NAN) / size,
            enough_rows: rows as f64 * truth.rarest >= FEWEST_EVENTS,
            difference: matches!(population.draw, Draw::Paired(_) | Draw::Aggregates(_)),
            runs: 0,
            without_value: 0,
            too_low: 0,
            too_high: 0,
            few: 0,
        }
    }

    /// Share of runs whose interval held the population's value.
    pub fn coverage(&self) -> f64 {
        1.0 - (self.too_low + self.too_high) as f64 / self.runs as f64
    }

    /// Whether there are 20 expected rows of each class, and of a difference most runs do not say that the models differ on
    /// fewer.
    pub fn promised(&self) -> bool {
        self.enough_rows && !(self.difference && 2 * self.few > self.runs)
    }

    fn add(&mut self, measure: &Measure, size: f64) {
        let truth = self.truth * if measure.total { size } else { 1.0 };
        self.few += u64::from(measure.few);
        match measure.bounds {
            Some((lower, upper)) => {
                self.runs += 1;
                self.too_low += u64::from(upper < truth);
                self.too_high += u64::from(lower > truth);
            }
            None => self.without_value += 1,
        }
    }
}

/// Cells of one population, for chunks of these numbers of rows and every metric. Its values are those of a
/// sample of `whole` rows: of 200 times as many as the largest chunk, its error takes .001 of the coverage.
pub fn simulate(
    population: &Population,
    chunk_rows: &[usize],
    whole: usize,
    runs: u64,
    seed: u64,
) -> Vec<Cell> {
    let truth = population.values(whole, &mut population.random(u64::MAX, seed));
    let of_rows = |&rows: &usize| -> Vec<Cell> {
        let metrics = truth.metrics.iter();
        metrics
            .map(|it| Cell::new(population, rows, &truth, it))
            .collect()
    };
    let mut cells: Vec<Vec<Cell>> = chunk_rows.iter().map(of_rows).collect();
    for run in 0..runs {
        let mut random = population.random(run, seed);
        for (&rows, cells) in chunk_rows.iter().zip(&mut cells) {
            let drawn = population.draw(rows, &mut random);
            for (cell, measure) in cells.iter_mut().zip(&drawn.metrics) {
                cell.add(measure, drawn.size);
            }
        }
    }
    cells.into_iter().flatten().collect()
}
