//! The model behind the coverage figures: scores whose calibration is known and preserved.
#![allow(dead_code, reason = "the test and the bench use their own parts")]
use modelwatch::kernel::calibrator::{CalibrationMode, Calibrator};
use modelwatch::kernel::estimate::Estimator;
use modelwatch::kernel::interval::normal_quantile;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::reading::{Reading, Status};
use modelwatch::kernel::realized::Realized;
use statrs::distribution::{ContinuousCDF, Normal};

use super::simulated::{EXACT, Random, Row, class, profile};

pub const METRICS: [Metric; 5] = [
    Metric::Accuracy,
    Metric::F1,
    Metric::Precision,
    Metric::Recall,
    Metric::RocAuc,
];
pub const CHUNK_ROWS: [usize; 3] = [200, 2_000, 20_000];
/// Fewest expected rows of each class for which intervals are promised.
const FEWEST_EVENTS: f64 = 20.0;
/// Fewest reference rows where a score counts as supported, and the greatest promised share elsewhere.
const SUPPORTED_ROWS: f64 = 50.0;
const UNSUPPORTED_SHARE: f64 = 0.01;
/// Ranges of equal probability in the chunk's population, of each of which it is asked whether the
/// reference supports it. With fewer, a tail without support hides in a range that has it; with a
/// hundred, 5,000 reference rows would not even support themselves.
const RANGES: u32 = 50;

/// A model whose log-odds are normal: `P(Y = 1 | z) = logistic(z)`, `z ~ N(mean + spread * shift, spread)`.
/// The score is an increasing function of `z`, the same in reference and chunk.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub model: &'static str,
    pub mean: f64,
    pub spread: f64,
    /// Of the chunk, in standard deviations.
    pub shift: f64,
    /// Log-odds above which rows are predicted positive.
    pub cut: f64,
    /// The score is `logistic(slope * z + intercept)`: calibrated for 1 and 0.
    pub score: (f64, f64),
}

impl Setting {
    /// Three models whose scores are wrong and one whose scores are right, each without shift
    /// and with shifts of the score to both sides.
    pub fn grid() -> Vec<Self> {
        let wrong = (0.7, -0.4);
        let models = [
            ("balanced", -0.4, 1.8, 0.2, wrong),
            ("one in ten", -3.0, 1.6, -1.2, wrong),
            ("weak", -0.9, 0.7, -0.7, wrong),
            ("calibrated", -1.2, 1.6, -0.2, (1.0, 0.0)),
        ];
        let shifts = [0.0, 0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 3.0];
        let of_model = |(model, mean, spread, cut, score)| {
            shifts.map(|shift| Self {
                model,
                mean,
                spread,
                shift,
                cut,
                score,
            })
        };
        models.into_iter().flat_map(of_model).collect()
    }

    /// Rows of the population, moved by `shift` standard deviations.
    pub fn rows(&self, count: usize, shift: f64, random: &mut Random) -> Vec<Row> {
        (0..count).map(|_| self.draw(random, shift)).collect()
    }

    fn draw(&self, random: &mut Random, shift: f64) -> Row {
        let z = self.mean + self.spread * (shift + random.normal());
        let (slope, intercept) = self.score;
        Row {
            score: logistic(slope * z + intercept),
            prediction: class(z >= self.cut),
            label: class(random.chance(logistic(z))),
        }
    }

    /// Share of the chunk's population in ranges where the reference expects fewer than 50 rows.
    ///
    /// By the populations, so that a cell is promised or not before it is drawn, whatever the
    /// status of its readings says.
    pub fn share_outside(&self, reference_rows: usize) -> f64 {
        let normal = Normal::standard();
        let end = |range: u32| {
            let quantile = normal.inverse_cdf(f64::from(range) / f64::from(RANGES));
            normal.cdf(quantile + self.shift)
        };
        let unsupported = (0..RANGES)
            .filter(|&range| {
                (end(range + 1) - end(range)) * (reference_rows as f64) < SUPPORTED_ROWS
            })
            .count();
        unsupported as f64 / f64::from(RANGES)
    }

    /// Whether at most 1 % lies there.
    pub fn is_supported(&self, reference_rows: usize) -> bool {
        self.share_outside(reference_rows) <= UNSUPPORTED_SHARE
    }

    /// Metrics of the chunk's population by integration over the log-odds, and its prevalence.
    fn population(&self) -> ([f64; 5], f64) {
        let steps = 40_000;
        let (mut tp, mut fp, mut fn_, mut tn) = (0.0, 0.0, 0.0, 0.0);
        let (mut ordered, mut below) = (0.0, 0.0);
        for step in 0..steps {
            let x = -9.0 + 18.0 * (f64::from(step) + 0.5) / f64::from(steps);
            let weight = (-x * x / 2.0).exp();
            let z = self.mean + self.spread * (self.shift + x);
            let (p, n) = (weight * logistic(z), weight * logistic(-z));
            ordered += p * (below + n / 2.0);
            below += n;
            if z >= self.cut {
                tp += p;
                fp += n;
            } else {
                fn_ += p;
                tn += n;
            }
        }
        let total = tp + fp + fn_ + tn;
        let values = [
            (tp + tn) / total,
            2.0 * tp / (2.0 * tp + fp + fn_),
            tp / (tp + fp),
            tp / (tp + fn_),
            ordered / ((tp + fn_) * (fp + tn)),
        ];
        (values, (tp + fn_) / total)
    }

    /// Random numbers of one run, independent of those of every other run and setting.
    pub fn random(&self, reference_rows: usize, run: u64, seed: u64) -> Random {
        let numbers = [
            self.mean.to_bits(),
            self.shift.to_bits(),
            self.score.0.to_bits(),
            reference_rows as u64,
            run,
        ];
        Random(numbers.into_iter().fold(seed, |state, number| {
            Random(Random(state).next() ^ number).next()
        }))
    }
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Covered runs of one metric, setting, reference size and chunk size.
#[derive(Debug, Clone)]
pub struct Cell {
    pub setting: Setting,
    pub reference_rows: usize,
    pub rows: usize,
    pub metric: Metric,
    /// At most 1 % of the chunk's population lies where the reference's has fewer than 50 rows.
    pub supported: bool,
    /// At least 20 expected rows of each class.
    pub enough_events: bool,
    /// Runs in which every number existed.
    pub runs: u64,
    /// Runs in which one did not.
    pub without_value: u64,
    /// Runs whose status said `extrapolated`.
    pub told_extrapolated: u64,
    /// Runs that used the raw score as the probability.
    pub raw: u64,
    /// The chunk's realized value lay in the estimate's `[lower_bound, upper_bound]`.
    pub realized_inside: u64,
    /// The population's value lay in the estimate's `value +- z * sampling_error`.
    pub population_inside: u64,
    /// The population's value lay in the realized value's `[lower_bound, upper_bound]`.
    pub population_in_realized: u64,
    /// Sum of estimates minus realized values.
    pub excess: f64,
}

impl Cell {
    fn new(setting: Setting, reference_rows: usize, rows: usize, metric: Metric) -> Self {
        let (_, prevalence) = setting.population();
        Self {
            setting,
            reference_rows,
            rows,
            metric,
            supported: setting.is_supported(reference_rows),
            enough_events: rows as f64 * prevalence.min(1.0 - prevalence) >= FEWEST_EVENTS,
            runs: 0,
            without_value: 0,
            told_extrapolated: 0,
            raw: 0,
            realized_inside: 0,
            population_inside: 0,
            population_in_realized: 0,
            excess: 0.0,
        }
    }

    /// Share of runs.
    pub fn share(&self, inside: u64) -> f64 {
        inside as f64 / self.runs as f64
    }

    /// Whether the bars hold for this cell.
    pub fn is_promised(&self) -> bool {
        self.supported && self.enough_events
    }

    fn add(&mut self, estimate: &Reading, realized: &Reading, population: f64) {
        self.told_extrapolated += u64::from(estimate.status == Status::Extrapolated);
        let known = seen(estimate, realized, population);
        let Some((inside, excess)) = known else {
            self.without_value += 1;
            return;
        };
        let [realized_inside, population_inside, population_in_realized] = inside.map(u64::from);
        self.realized_inside += realized_inside;
        self.population_inside += population_inside;
        self.population_in_realized += population_in_realized;
        self.excess += excess;
        self.runs += 1;
    }
}

/// What lay inside, and the excess of the estimate; `None` where any number is missing.
fn seen(estimate: &Reading, realized: &Reading, population: f64) -> Option<([bool; 3], f64)> {
    let truth = realized.value?;
    let (value, error) = (estimate.value?, estimate.sampling_error?);
    let interval = |reading: &Reading| Some(reading.lower_bound?..=reading.upper_bound?);
    let inside = [
        interval(estimate)?.contains(&truth),
        (value - population).abs() <= normal_quantile(0.95) * error,
        interval(realized)?.contains(&population),
    ];
    Some((inside, value - truth))
}

/// Cells of one setting, for chunks of these numbers of rows and every metric.
pub fn simulate(
    setting: Setting,
    reference_rows: usize,
    chunk_rows: &[usize],
    runs: u64,
    seed: u64,
) -> Vec<Cell> {
    let (population, _) = setting.population();
    let sizes = chunk_rows.iter();
    let mut cells: Vec<Cell> = sizes
        .flat_map(|&rows| METRICS.map(|metric| Cell::new(setting, reference_rows, rows, metric)))
        .collect();
    for run in 0..runs {
        let mut random = setting.random(reference_rows, run, seed);
        let reference = setting.rows(reference_rows, 0.0, &mut random);
        let calibrator =
            Calibrator::fit(&profile(&reference, EXACT), CalibrationMode::Auto).unwrap();
        for (&rows, cells) in chunk_rows.iter().zip(cells.chunks_mut(METRICS.len())) {
            let bins = profile(&setting.rows(rows, setting.shift, &mut random), EXACT);
            let (estimator, realized) = (Estimator::new(&bins, &calibrator), Realized::new(&bins));
            for (cell, population) in cells.iter_mut().zip(population) {
                let estimate = estimator.reading(cell.metric, [0.0; 4], 0.95);
                let realized = realized.reading(cell.metric, [0.0; 4], 0.95);
                cell.add(&estimate, &realized, population);
                cell.raw += u64::from(calibrator.uses_raw_scores());
            }
        }
    }
    cells
}
