//! The model behind the coverage figures: scores whose calibration is known and preserved.
use modelwatch::kernel::calibrator::{CalibrationMode, Calibrator};
use modelwatch::kernel::estimate::Estimator;
use modelwatch::kernel::interval::normal_quantile;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::reading::{Reading, Status};
use modelwatch::kernel::realized::Realized;

#[path = "mod.rs"]
mod simulated;
use simulated::{Random, Row, class, profile};

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
    pub prevalence_name: &'static str,
    pub mean: f64,
    pub spread: f64,
    /// Of the chunk, in standard deviations.
    pub shift: f64,
    /// Log-odds above which rows are predicted positive.
    pub cut: f64,
}

impl Setting {
    pub fn grid() -> Vec<Self> {
        let models = [
            ("balanced", -0.4, 1.8, 0.2),
            ("one in ten", -3.0, 1.6, -1.2),
            ("weak", -0.9, 0.7, -0.7),
        ];
        let shifts = [0.0, 0.25, -0.25, 0.5, -0.5, 1.2, 3.0];
        models
            .into_iter()
            .flat_map(|(prevalence_name, mean, spread, cut)| {
                shifts.map(|shift| Self {
                    prevalence_name,
                    mean,
                    spread,
                    shift,
                    cut,
                })
            })
            .collect()
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

/// Counts of covered runs for one metric and setting.
#[derive(Debug, Clone)]
pub struct Cell {
    pub setting: Setting,
    pub reference_rows: usize,
    pub rows: usize,
    pub metric: usize,
    /// Runs whose status said `extrapolated` are counted apart.
    pub extrapolated: bool,
    /// At least 20 expected rows of each class, and under the share.
    pub promised_events: bool,
    pub runs: u64,
    pub in_bounds: u64,
    pub in_error: u64,
    pub bias: f64,
    pub width: f64,
}

impl Cell {
    pub fn realized(&self) -> f64 {
        self.in_bounds as f64 / self.runs as f64
    }

    pub fn population(&self) -> f64 {
        self.in_error as f64 / self.runs as f64
    }

    fn add(&mut self, estimate: &Reading, realized: f64, population: f64) {
        let (Some(value), Some(error), Some(lower), Some(upper)) = (
            estimate.value,
            estimate.sampling_error,
            estimate.lower_bound,
            estimate.upper_bound,
        ) else {
            return;
        };
        self.runs += 1;
        self.in_bounds += u64::from(lower <= realized && realized <= upper);
        let half = normal_quantile(0.95) * error;
        self.in_error += u64::from((value - population).abs() <= half);
        self.bias += value - realized;
        self.width += upper - lower;
    }
}

/// Cells of one setting for every chunk size, metric and status.
pub fn simulate(setting: Setting, reference_rows: usize, runs: u64, seed: u64) -> Vec<Cell> {
    let (population, prevalence) = setting.population();
    let mut cells = empty_cells(setting, reference_rows, prevalence);
    for run in 0..runs {
        let mut random = Random(
            seed.wrapping_mul(1_000_003).wrapping_add(run) ^ ((reference_rows as u64) << 32),
        );
        let reference: Vec<Row> = (0..reference_rows)
            .map(|_| setting.draw(&mut random, 0.0))
            .collect();
        let calibrator =
            Calibrator::fit(&profile(&reference, usize::MAX), CalibrationMode::Auto).unwrap();
        for (size, &rows) in CHUNK_ROWS.iter().enumerate() {
            let chunk: Vec<Row> = (0..rows)
                .map(|_| setting.draw(&mut random, setting.shift))
                .collect();
            let bins = profile(&chunk, usize::MAX);
            let (estimator, realized) = (Estimator::new(&bins, &calibrator), Realized::new(&bins));
            for (index, metric) in METRICS.into_iter().enumerate() {
                let estimate = estimator.reading(metric, [0.0; 4], 0.95);
                let Some(truth) = realized.reading(metric, [0.0; 4], 0.95).value else {
                    continue;
                };
                let side = usize::from(estimate.status == Status::Extrapolated);
                cells[(size * METRICS.len() + index) * 2 + side].add(
                    &estimate,
                    truth,
                    population[index],
                );
            }
        }
    }
    cells
}

fn empty_cells(setting: Setting, reference_rows: usize, prevalence: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for rows in CHUNK_ROWS {
        for metric in 0..METRICS.len() {
            for extrapolated in [false, true] {
                let events = rows as f64 * prevalence.min(1.0 - prevalence);
                cells.push(Cell {
                    setting,
                    reference_rows,
                    rows,
                    metric,
                    extrapolated,
                    promised_events: events >= 20.0,
                    runs: 0,
                    in_bounds: 0,
                    in_error: 0,
                    bias: 0.0,
                    width: 0.0,
                });
            }
        }
    }
    cells
}
