//! A population of scored rows, the ways in which it may move, and chunks drawn from it.
use super::binomial::binomial;
use super::simulated::Random;
use modelwatch::kernel::KernelError;
use modelwatch::kernel::bins::{Cell, ScoreBin, ScoreBins};
use modelwatch::kernel::calibrator::{CalibrationMode, Calibrator};
use modelwatch::kernel::estimate::Estimator;
use modelwatch::kernel::limits::ChunkPoint;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::realized::Realized;
use modelwatch::kernel::score_profile::{ScoreProfile, class_of};
use statrs::distribution::{ContinuousCDF, Normal};

/// Distinct scores of a population.
const SCORES: usize = 40;
/// Share of positives.
const PREVALENCE: f64 = 0.2;
/// Rows with at least this share of positives are predicted positive.
const CUT: f64 = 0.3;
/// Value of a row by outcome, `[tn, fp, fn, tp]`.
const VALUES: [f64; 4] = [0.0, -10.0, -50.0, 100.0];
/// Rows of the profile that stands for the whole population.
const WHOLE: f64 = 1e12;

/// What is monitored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The metric of the labels. A population moves by how well its scores separate the classes.
    Realized,
    /// The metric estimated without labels. A population moves by its mix of scores, in the
    /// direction to which the estimate is most sensitive; the calibration holds.
    Estimated,
}

/// Shares of rows by score and label.
pub type Mix = Vec<[f64; 2]>;

/// Rows of a chunk by score and label.
pub type Counts = Vec<[u64; 2]>;

/// Positives and negatives have normal latent scores of equal spread, cut into [`SCORES`]
/// ranges; the score of a range is an increasing, wrong function of its share of positives.
pub struct Population {
    kind: Kind,
    metric: Metric,
    separation: f64,
    /// The mix where nothing has moved.
    rest: Mix,
    scores: Vec<f64>,
    /// Change of the estimate as rows move to a score, with standard deviation 1.
    influence: Vec<f64>,
    /// Change of the metric per unit of movement.
    slope: f64,
    /// The metric.
    pub value: f64,
    /// Its sampling standard error on one row.
    pub row_error: f64,
}

impl Population {
    /// A population with this ROC AUC.
    pub fn new(kind: Kind, metric: Metric, roc_auc: f64) -> Result<Self, KernelError> {
        let separation = std::f64::consts::SQRT_2 * Normal::standard().inverse_cdf(roc_auc);
        let mix = normal_mix(separation, 0.0);
        let mut population = Self {
            kind,
            metric,
            separation,
            rest: mix.clone(),
            scores: mix
                .iter()
                .map(|[n, p]| miscalibrated(p / (n + p)))
                .collect(),
            influence: Vec::new(),
            slope: 1.0,
            value: 0.0,
            row_error: 0.0,
        };
        let calibrator = population.whole_calibrator(&mix)?;
        let calibrator = calibrator.as_ref();
        let whole = population.judge(&population.whole(&mix), calibrator);
        population.value = whole.value.unwrap_or(f64::NAN);
        population.row_error = whole.sampling_error.unwrap_or(f64::NAN) * WHOLE.sqrt();
        if kind == Kind::Estimated {
            population.influence = population.influences(&mix, calibrator);
        }
        let step = 1e-3;
        let change = population.value_at(step, calibrator) - population.value_at(-step, calibrator);
        population.slope = change / (2.0 * step);
        Ok(population)
    }

    /// The population whose metric differs by about `change`.
    pub fn moved(&self, change: f64) -> Mix {
        if change == 0.0 {
            return self.rest.clone();
        }
        self.at(change / self.slope)
    }

    /// The movement, in units of the metric, after which the metric is lower by exactly `drop`.
    pub fn movement_to_lose(&self, drop: f64) -> Result<f64, KernelError> {
        let calibrator = self.whole_calibrator(&self.rest)?;
        let (mut low, mut high) = (-4.0 * drop, 0.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if self.value_at(middle / self.slope, calibrator.as_ref()) > self.value - drop {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(low)
    }

    /// The point that a threshold judges, by the code that judges real chunks.
    /// `calibrator`: for an estimate; without one the value is the realized one.
    pub fn judge(&self, chunk: &ScoreBins, calibrator: Option<&Calibrator>) -> ChunkPoint {
        let reading = match calibrator {
            None => Realized::new(chunk).reading(self.metric, VALUES, 0.95),
            Some(calibrator) => {
                Estimator::new(chunk, calibrator).reading(self.metric, VALUES, 0.95)
            }
        };
        ChunkPoint::from(&reading)
    }

    /// A chunk of `rows` rows drawn from a mix: rows by score and label.
    pub fn draw(&self, mix: &Mix, rows: u64, random: &mut Random) -> Counts {
        let (mut rows_left, mut share_left) = (rows, 1.0);
        let mut counts = vec![[0; 2]; mix.len()];
        for (cell, share) in counts.iter_mut().flatten().zip(mix.iter().flatten()) {
            *cell = binomial(random, rows_left, (share / share_left).min(1.0));
            rows_left -= *cell;
            share_left -= share;
        }
        counts
    }

    fn at(&self, movement: f64) -> Mix {
        if self.kind == Kind::Realized {
            return normal_mix(self.separation, movement);
        }
        let mut mix = self.rest.clone();
        for (cell, influence) in mix.iter_mut().zip(&self.influence) {
            *cell = cell.map(|share| share * (movement * influence).exp());
        }
        let total: f64 = mix.iter().flatten().sum();
        mix.iter_mut().flatten().for_each(|share| *share /= total);
        mix
    }

    fn value_at(&self, movement: f64, calibrator: Option<&Calibrator>) -> f64 {
        let whole = self.whole(&self.at(movement));
        self.judge(&whole, calibrator).value.unwrap_or(f64::NAN)
    }

    fn influences(&self, mix: &Mix, calibrator: Option<&Calibrator>) -> Vec<f64> {
        let more = 1e-3;
        let change = |j: usize| {
            let mut mix = mix.clone();
            let [n, p] = mix[j];
            mix[j] = [n + more * n / (n + p), p + more * p / (n + p)];
            let value = self.judge(&self.whole(&mix), calibrator).value;
            value.unwrap_or(f64::NAN) - self.value
        };
        let changes: Vec<f64> = (0..mix.len()).map(change).collect();
        let moment = |power: i32| -> f64 {
            let terms = changes
                .iter()
                .zip(mix)
                .map(|(x, [n, p])| (n + p) * x.powi(power));
            terms.sum()
        };
        let deviation = (moment(2) - moment(1).powi(2)).sqrt();
        changes.iter().map(|x| x / deviation).collect()
    }

    fn whole_calibrator(&self, mix: &Mix) -> Result<Option<Calibrator>, KernelError> {
        match self.kind {
            Kind::Realized => Ok(None),
            Kind::Estimated => Calibrator::fit(&self.whole(mix), CalibrationMode::Always).map(Some),
        }
    }

    fn whole(&self, mix: &Mix) -> ScoreBins {
        let counts: Vec<[u64; 2]> = mix
            .iter()
            .map(|cell| cell.map(|share| (share * WHOLE).round() as u64))
            .collect();
        self.bins(&counts)
    }

    /// A chunk as statistics read it.
    pub fn bins(&self, counts: &[[u64; 2]]) -> ScoreBins {
        let bin = |(&score, counts): (&f64, &[u64; 2])| {
            let mut bin = ScoreBin {
                lower: score,
                upper: score,
                ..ScoreBin::default()
            };
            let cells = [counts[0], counts[1], 0];
            bin.cells[usize::from(self.is_predicted(score))] = cells.map(|count| Cell {
                count,
                sum: score * count as f64,
            });
            bin
        };
        let rows = self
            .scores
            .iter()
            .zip(counts)
            .filter(|(_, c)| c[0] + c[1] > 0);
        ScoreBins {
            bins: rows.map(bin).collect(),
            sums_exact: true,
            ..ScoreBins::default()
        }
    }

    /// A chunk as the product stores it.
    pub fn profile(&self, counts: &[[u64; 2]]) -> ScoreProfile {
        let mut profile = ScoreProfile::default();
        for (&score, rows) in self.scores.iter().zip(counts) {
            for (label, &rows) in [false, true].into_iter().zip(rows) {
                let class = class_of(Some(self.is_predicted(score)), Some(label));
                profile.observe_rows(class, score, rows);
            }
        }
        profile
    }

    fn is_predicted(&self, score: f64) -> bool {
        score >= miscalibrated(CUT)
    }
}

/// What the model says where the share of positives is `share`: too near to one half, so that the
/// calibration decision of the product has something to decide.
fn miscalibrated(share: f64) -> f64 {
    let logit = (share / (1.0 - share)).ln();
    1.0 / (1.0 + (-0.7 * logit).exp())
}

/// Mix of a latent separation, and of one that is larger by `more` with the same ranges.
fn normal_mix(separation: f64, more: f64) -> Mix {
    let normal = Normal::standard();
    let (first, last) = (-3.5, separation + 3.5);
    let mut below = [0.0; 2];
    let range = |j: usize| {
        let end = first + (last - first) * (j + 1) as f64 / SCORES as f64;
        let up_to = if j + 1 == SCORES {
            [1.0; 2]
        } else {
            [
                normal.cdf(end + more / 2.0),
                normal.cdf(end - separation - more / 2.0),
            ]
        };
        let mass = [up_to[0] - below[0], up_to[1] - below[1]];
        below = up_to;
        [mass[0] * (1.0 - PREVALENCE), mass[1] * PREVALENCE]
    };
    (0..SCORES).map(range).collect()
}
