//! Predictions of numbers by two models on the same labelled rows.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::digest_bytes::{MOST_ROWS, disordered};
use super::super::exact_sum::ExactMoments;
use super::super::key::Scale;
use super::super::key_table::{KeyTable, RowCount};
use super::super::paired::PairedReading;
use super::super::reading::{Reading, Status};
use super::loss::Loss;
use super::metric::RegressionMetric;
use super::profile::{LARGEST, RegressionProfile};
use super::reading::{RealizedRegression, small_sample};
use super::sums::Term;

const MAGIC: [u8; 4] = *b"MWPN";
const LAYOUT: u8 = 1;
const SCALE: Scale = Scale::Number;

/// How the errors of two models go together.
#[derive(Debug, Clone)]
enum Together {
    /// Differences of a loss, exact.
    Losses(Loss, ExactMoments),
    /// Rows by both absolute errors.
    Ranks(KeyTable<2, RowCount>),
}

/// Either model's sums, and what the difference of one metric needs of both.
///
/// Merges in any order to identical bytes. A row of which a number is NaN, infinite or beyond 1e70 is left out of both models.
///
/// ```
/// use modelwatch::kernel::regression::{PairedRegression, RegressionMetric};
/// let mut rows = PairedRegression::new(RegressionMetric::Mae, Default::default());
/// rows.observe_all(&[1.0, 3.0], [&[2.0, 6.0], &[1.0, 4.0]]);
/// assert_eq!(rows.reading(0.95).value, Some(-1.5));
/// ```
#[derive(Debug, Clone)]
pub struct PairedRegression {
    metric: RegressionMetric,
    models: [RegressionProfile; 2],
    together: Together,
    invalid: u64,
    /// Rows that both models predict the same.
    equal: u64,
}

impl PairedRegression {
    /// No rows.
    pub fn new(metric: RegressionMetric, limits: DigestLimits) -> Self {
        let together = match (Loss::of(metric), metric) {
            (Some(loss), _) => Together::Losses(loss, ExactMoments::default()),
            (None, RegressionMetric::MedianAbsoluteError) => Together::Ranks(KeyTable::new(limits)),
            (None, _) => Together::Losses(Loss::Squared, ExactMoments::default()),
        };
        Self {
            metric,
            models: [
                RegressionProfile::new(limits),
                RegressionProfile::new(limits),
            ],
            together,
            invalid: 0,
            equal: 0,
        }
    }

    /// Adds rows of which the label and both predictions are known.
    pub fn observe_all(&mut self, labels: &[f64], [a, b]: [&[f64]; 2]) {
        let valid = |x: &f64| x.abs() <= LARGEST;
        if labels.iter().chain(a).chain(b).all(valid) {
            self.observe_valid(labels, [a, b]);
            return;
        }
        for ((y, a), b) in labels.iter().zip(a).zip(b) {
            match valid(y) && valid(a) && valid(b) {
                true => self.observe_valid(&[*y], [&[*a], &[*b]]),
                false => self.invalid += 1,
            }
        }
    }

    fn observe_valid(&mut self, labels: &[f64], [a, b]: [&[f64]; 2]) {
        for (model, predictions) in self.models.iter_mut().zip([a, b]) {
            model.observe_all(labels, predictions);
        }
        for ((y, a), b) in labels.iter().zip(a).zip(b) {
            self.equal += u64::from(a == b);
            match &mut self.together {
                Together::Losses(loss, differences) => {
                    // without a loss of either the metric has no value
                    if let Some((a, b)) = loss.at(*y, *a).zip(loss.at(*y, *b)) {
                        differences.observe(b - a);
                    }
                }
                Together::Ranks(table) => {
                    let keys = [a, b].map(|prediction| SCALE.key((prediction - y).abs()));
                    table.add(keys, 0, RowCount(1));
                }
            }
        }
    }

    /// The metric of the second model minus that of the first.
    ///
    /// * Error: of the mean of the differences of losses, exact; of roots and `r2` by linearization; of the median from
    ///   order statistics of either model and how often both errors lie on the same side of their medians (N. Blomqvist
    ///   1950, Ann. Math. Stat. 21, 593-600).
    /// * NULL: where a metric is not defined; `status` says why.
    pub fn reading(&mut self, confidence_level: f64) -> PairedReading {
        let reserve = Status::InvalidValue.only_if(self.invalid > 0);
        if self.used() == 0 {
            return PairedReading::undefined(Status::InsufficientData);
        }
        let models = self.models.each_mut().map(RealizedRegression::new);
        let mut readings = models
            .each_ref()
            .map(|model| model.reading(self.metric, confidence_level));
        let variance = if self.equal == self.used() {
            readings
                .iter_mut()
                .filter(|reading| reading.value.is_some())
                .for_each(|reading| reading.approx_error = Some(0.0));
            Some(0.0)
        } else {
            self.variance(&models, &readings)
        };
        PairedReading::new(readings.each_ref(), variance, reserve, confidence_level)
    }

    fn used(&self) -> u64 {
        let [model, _] = &self.models;
        model.counts.used
    }

    fn variance(&self, models: &[RealizedRegression; 2], readings: &[Reading; 2]) -> Option<f64> {
        let [a, b] = readings;
        let errors = || a.sampling_error.zip(b.sampling_error);
        let differences = match &self.together {
            // one row tells nothing of its error
            Together::Ranks(_) if self.used() < 2 => return None,
            Together::Ranks(table) => {
                let (from, to) = errors()?;
                let together = sides_together(table, [a.value?, b.value?]);
                return Some((to - from).powi(2) + 2.0 * (1.0 - together) * from * to);
            }
            Together::Losses(_, differences) => differences,
        };
        let n = differences.count as f64;
        let (mean, rest) = differences.centered(0, 0.0)?;
        if differences.count != self.used() {
            return None;
        }
        let apart = small_sample(n, rest) / (n * n);
        match self.metric {
            RegressionMetric::R2 => of_shares(models, n, rest + n * mean * mean),
            RegressionMetric::Rmse | RegressionMetric::Rmsle => {
                let (from, to) = errors()?;
                Some(of_roots([a.value?, b.value?], [from, to], apart))
            }
            _ => Some(apart),
        }
    }

    /// Adds the rows of others.
    ///
    /// Errors: [`KernelError::Undefined`] when they are of another metric or `min_level`.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        if self.metric != other.metric {
            return Err(KernelError::Undefined(format!(
                "rows of {} cannot be merged with those of {}",
                other.metric, self.metric
            )));
        }
        for (model, more) in self.models.iter_mut().zip(&mut other.models) {
            model.merge(more)?;
        }
        match (&mut self.together, &other.together) {
            (Together::Losses(_, sums), Together::Losses(_, more)) => sums.merge(more),
            (Together::Ranks(table), Together::Ranks(more)) => table.merge(more),
            _ => return Err(disordered()),
        }
        self.invalid = self.invalid.saturating_add(other.invalid);
        self.equal = self.equal.saturating_add(other.equal);
        Ok(())
    }

    /// Bytes on the heap; constant time.
    pub fn heap_size(&self) -> usize {
        let models: usize = self.models.iter().map(RegressionProfile::heap_size).sum();
        models
            + match &self.together {
                Together::Losses(_, sums) => sums.heap_size(),
                Together::Ranks(table) => table.heap_size(),
            }
    }

    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.bytes(self.metric.name().as_bytes());
        w.uint(self.invalid);
        w.uint(self.equal);
        for model in &mut self.models {
            w.bytes(&model.to_bytes());
        }
        match &self.together {
            Together::Losses(_, sums) => sums.write(&mut w),
            Together::Ranks(table) => table.write(&mut w),
        }
        w.finish()
    }

    /// Reads [`Self::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(
            bytes,
            MAGIC,
            LAYOUT,
            "table of paired predictions of numbers",
        )?;
        let name = std::str::from_utf8(r.bytes()?).map_err(|_| disordered())?;
        let metric = RegressionMetric::parse(name).ok_or_else(disordered)?;
        let mut read = Self::new(metric, DigestLimits::default());
        (read.invalid, read.equal) = (r.uint()?, r.uint()?);
        for model in &mut read.models {
            *model = RegressionProfile::from_bytes(r.bytes()?)?;
        }
        match &mut read.together {
            Together::Losses(_, sums) => *sums = ExactMoments::read(&mut r)?,
            Together::Ranks(table) => *table = KeyTable::read(&mut r, 1)?,
        }
        r.finish()?;
        let used = read.used();
        let alike = read.models.iter().all(|model| model.counts.used == used);
        match alike && read.equal <= used && read.invalid <= MOST_ROWS {
            true => Ok(read),
            false => Err(disordered()),
        }
    }

    /// Adds the rows of others given as bytes.
    ///
    /// Errors: those of [`Self::from_bytes`] and [`Self::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&mut Self::from_bytes(bytes)?)
    }
}

/// Correlation of the sides on which the errors of a row lie of their medians; errors in the bin of a median are on neither.
fn sides_together(table: &KeyTable<2, RowCount>, medians: [f64; 2]) -> f64 {
    let bins = medians.map(|median| SCALE.key(median) >> table.level());
    let side = |(bin, median): (u64, u64)| match bin.cmp(&median) {
        std::cmp::Ordering::Less => -1.0,
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => 1.0,
    };
    let (mut both, mut either) = (0.0, [0.0; 2]);
    for entry in table.entries() {
        let ([a, b], [median_a, median_b]) = (entry.bins, bins);
        let sides = [side((a, median_a)), side((b, median_b))];
        let rows = entry.sums.0 as f64;
        both += rows * sides.iter().product::<f64>();
        for (sum, side) in either.iter_mut().zip(sides) {
            *sum += rows * side * side;
        }
    }
    let scale = either.iter().product::<f64>().sqrt();
    if scale > 0.0 { both / scale } else { 0.0 }
}

/// Variance of the difference of two roots from their own errors and the variance of the difference of what is under them.
fn of_roots([a, b]: [f64; 2], [error_a, error_b]: [f64; 2], apart: f64) -> f64 {
    if a <= 0.0 || b <= 0.0 {
        // a faultless model adds nothing
        return error_a * error_a + error_b * error_b;
    }
    // with c = 1 / (2 root): Var (c_b B - c_a A) = c_a c_b Var (B - A) + (c_b - c_a) (c_b Var B - c_a Var A)
    let [slope_a, slope_b] = [0.5 / a, 0.5 / b];
    let own = error_b * error_b / slope_b - error_a * error_a / slope_a;
    slope_a * slope_b * apart + (slope_b - slope_a) * own
}

/// Variance of the difference of two shares that are explained; `fourths`: sum of the squared differences of squared errors.
fn of_shares([a, b]: &[RealizedRegression; 2], n: f64, fourths: f64) -> Option<f64> {
    let (from, to) = (a.unexplained()?, b.unexplained()?);
    let difference = |term| b.sum_of(term).minus(a.sum_of(term)).float();
    let rest = from.until(&to).squared_influences(
        |term| match term {
            Term::Fourth => fourths,
            Term::Squared | Term::SquaredLabel | Term::SquaredLabelSquared => difference(term),
            _ => a.sum_of(term).float(),
        },
        n,
    );
    let spread = from.spread;
    Some(small_sample(n, rest.max(0.0)) / (n * n * spread * spread))
}
