//! The model behind the coverage figures: scores whose calibration is known and preserved.
#![allow(dead_code, reason = "the test and the bench use their own parts")]
use modelwatch::kernel::calibrator::{CalibrationMode, Calibrator};
use modelwatch::kernel::estimate::Estimator;
use modelwatch::kernel::interval::normal_quantile;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::reading::{Reading, Status};
use modelwatch::kernel::realized::Realized;

#[path = "mod.rs"]
mod simulated;
use simulated::{EXACT, Random, Row, class, profile};

pub const METRICS: [Metric; 5] = [
    Metric::Accuracy,
    Metric::F1,
    Metric::Precision,
    Metric::Recall,
    Metric::RocAuc,
];
pub const CHUNK_ROWS: [usize; 3] = [200, 2_000, 20_000];

/// A model whose log-odds are normal: `P(Y = 1 | z) = logistic(z)`, `z ~ N(mean + shift, spread)`.
/// The score is a wrong but increasing function of `z`, the same in reference and chunk.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub model: &'static str,
    pub mean: f64,
    pub spread: f64,
    /// Of the chunk, in standard deviations.
    pub shift: f64,
    /// Log-odds above which rows are predicted positive.
    pub cut: f64,
}

impl Setting {
    /// Three models, each without shift and with shifts of the score to both sides.
    pub fn grid() -> Vec<Self> {
        let models = [
            ("balanced", -0.4, 1.8, 0.2),
            ("one in ten", -3.0, 1.6, -1.2),
            ("weak", -0.9, 0.7, -0.7),
        ];
        let shifts = [0.0, 0.25, -0.25, 0.5, -0.5, 1.2, 3.0];
        models
            .into_iter()
            .flat_map(|(model, mean, spread, cut)| {
                shifts.map(|shift| Self {
                    model,
                    mean,
                    spread,
                    shift,
                    cut,
                })
            })
            .collect()
    }

    fn rows(&self, count: usize, shift: f64, random: &mut Random) -> Vec<Row> {
        (0..count).map(|_| self.draw(random, shift)).collect()
    }

    fn draw(&self, random: &mut Random, shift: f64) -> Row {
        let z = self.mean + self.spread * (shift + random.normal());
        Row {
            score: logistic(0.7 * z - 0.4),
            prediction: class(z >= self.cut),
            label: class(random.chance(logistic(z))),
        }
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
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Covered runs of one metric, setting and chunk size.
#[derive(Debug, Clone)]
pub struct Cell {
    pub setting: Setting,
    pub reference_rows: usize,
    pub rows: usize,
    pub metric: Metric,
    /// Runs whose status said `extrapolated` are counted in a cell of their own.
    pub extrapolated: bool,
    /// At least 20 expected rows of each class.
    pub enough_events: bool,
    pub runs: u64,
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
    /// Share of runs.
    pub fn share(&self, inside: u64) -> f64 {
        inside as f64 / self.runs as f64
    }

    /// Whether the bar holds for this cell.
    pub fn is_promised(&self) -> bool {
        !self.extrapolated && self.enough_events
    }

    fn add(&mut self, estimate: &Reading, realized: &Reading, population: f64) -> Option<()> {
        let (value, error) = (estimate.value?, estimate.sampling_error?);
        let truth = realized.value?;
        let within = |reading: &Reading, x: f64| {
            Some(u64::from(
                reading.lower_bound? <= x && x <= reading.upper_bound?,
            ))
        };
        self.realized_inside += within(estimate, truth)?;
        self.population_in_realized += within(realized, population)?;
        let half = normal_quantile(0.95) * error;
        self.population_inside += u64::from((value - population).abs() <= half);
        self.excess += value - truth;
        self.runs += 1;
        Some(())
    }
}

/// Cells of one setting, for every chunk size, metric and status.
pub fn simulate(setting: Setting, reference_rows: usize, runs: u64, seed: u64) -> Vec<Cell> {
    let (population, prevalence) = setting.population();
    let mut cells = empty_cells(setting, reference_rows, prevalence);
    for run in 0..runs {
        let mut random = Random((seed << 40) ^ (run << 8) ^ reference_rows as u64);
        let reference = setting.rows(reference_rows, 0.0, &mut random);
        let calibrator =
            Calibrator::fit(&profile(&reference, EXACT), CalibrationMode::Auto).unwrap();
        for rows in CHUNK_ROWS {
            let bins = profile(&setting.rows(rows, setting.shift, &mut random), EXACT);
            let (estimator, realized) = (Estimator::new(&bins, &calibrator), Realized::new(&bins));
            for (metric, population) in METRICS.into_iter().zip(population) {
                let estimate = estimator.reading(metric, [0.0; 4], 0.95);
                let realized = realized.reading(metric, [0.0; 4], 0.95);
                let extrapolated = estimate.status == Status::Extrapolated;
                let cell = cells.iter_mut().find(|cell| {
                    (cell.rows, cell.metric, cell.extrapolated) == (rows, metric, extrapolated)
                });
                cell.unwrap().add(&estimate, &realized, population);
            }
        }
    }
    cells
}

fn empty_cells(setting: Setting, reference_rows: usize, prevalence: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for rows in CHUNK_ROWS {
        for metric in METRICS {
            for extrapolated in [false, true] {
                cells.push(Cell {
                    setting,
                    reference_rows,
                    rows,
                    metric,
                    extrapolated,
                    enough_events: rows as f64 * prevalence.min(1.0 - prevalence) >= 20.0,
                    runs: 0,
                    realized_inside: 0,
                    population_inside: 0,
                    population_in_realized: 0,
                    excess: 0.0,
                });
            }
        }
    }
    cells
}
