//! Metrics of a regression from labels, with confidence intervals for the population.
use super::super::KernelError;
use super::super::clustered::Clusters;
use super::super::column::moments::{centre, median, median_bounds};
use super::super::exact_sum::Double;
use super::super::interval::{FEW, normal_quantile, skewed_interval, student_quantile};
use super::super::metric::Scale;
use super::super::reading::{Reading, Status};
use super::super::realized::Measured;
use super::super::threshold_text::Judged;
use super::super::values::ValueBins;
use super::metric::RegressionMetric;
use super::profile::{Counts, RegressionProfile};
use super::sums::{Sums, Term};
use super::unexplained::Unexplained;
use super::weighted::WeightedRegression;
use super::weighted_values::WeightedValues;

/// Skewness of a mean from which on it rests on one row: of `m` rows far beyond all others it is `1 / sqrt(m)`. Such a row makes its
/// own error, so that no limit would ever tell of it.
const OF_ONE_ROW: f64 = 0.8;

/// Variance over the squared mean of numbers that hardly differ.
const ALIKE: f64 = 1e-8;

/// Realized metrics of one chunk; see [`RegressionProfile`].
#[derive(Debug, Clone)]
pub struct RealizedRegression {
    counts: Counts,
    labelled_count: u64,
    /// Used rows, or what they weigh.
    rows: f64,
    sums: Sums,
    absolute: Absolute,
    /// Where rows count unequally.
    weighting: Option<Box<Weighting>>,
    /// Where they are not independent.
    clusters: Option<Clusters>,
}

/// The distribution of absolute errors.
#[derive(Debug, Clone)]
enum Absolute {
    Rows(ValueBins),
    Weighted(WeightedValues),
}

/// Sums by squared weights: errors are `sum w^2 z^2` for influences `z` of a unit of weight (linearization).
#[derive(Debug, Clone)]
struct Weighting {
    sums: Sums,
    /// Sum of squared weights.
    rows: f64,
}

impl RealizedRegression {
    /// Prepares the metrics of a chunk.
    pub fn new(profile: &mut RegressionProfile) -> Self {
        let counts = profile.counts;
        Self {
            counts,
            labelled_count: counts.used + counts.unpredicted + counts.invalid,
            rows: counts.used as f64,
            sums: profile.sums.clone(),
            absolute: Absolute::Rows(profile.absolute.bins()),
            weighting: None,
            clusters: None,
        }
    }

    /// Prepares the metrics of a chunk of weighted rows.
    ///
    /// Errors: weights whose squares cannot be summed.
    pub fn weighted(profile: &WeightedRegression) -> Result<Self, KernelError> {
        Ok(Self {
            counts: profile.counts,
            labelled_count: profile.labelled_rows(),
            rows: profile.total.weight(),
            sums: profile.sums.clone(),
            absolute: Absolute::Weighted(profile.absolute_errors()?),
            weighting: Some(Box::new(Weighting {
                sums: profile.squares.clone(),
                rows: profile.total.square(),
            })),
            clusters: None,
        })
    }

    /// The same chunk, with rows that are not independent.
    pub(in super::super) fn with_clusters(mut self, clusters: &Clusters) -> Self {
        self.clusters = Some(clusters.clone());
        self
    }

    /// Used rows, or what they weigh.
    pub(super) fn rows(&self) -> f64 {
        self.rows
    }

    /// Realized value of a metric, in the unit of the label (its square for `mse`, none for `mape`, `msle`, `rmsle` and
    /// `r2`), with a confidence interval of the population's value.
    ///
    /// * `confidence_level`: in (0, 1).
    /// * Errors: means of losses by the central limit theorem, `s / sqrt(n)`, their roots and `r2` by linearization, the
    ///   median from order statistics. Intervals of means allow for the skewness of the losses; that of `r2` is symmetric on the
    ///   logarithmic scale of what is left of the variance.
    /// * NULL: every number is `None` where the metric is not defined on the labelled rows; `status` says why.
    pub fn reading(&self, metric: RegressionMetric, confidence_level: f64) -> Reading {
        let used = self.counts.used;
        let undefined = |status| Reading::undefined(status, used, self.labelled_count);
        if used == 0 {
            return undefined(self.why_nothing());
        }
        match self.measure(metric, normal_quantile(confidence_level)) {
            Ok(measured) => self.finish(metric, measured),
            Err(status) => undefined(status),
        }
    }

    /// Whether a row was left out because one of its numbers is NaN, infinite or beyond 1e70.
    pub fn has_invalid(&self) -> bool {
        self.counts.invalid > 0
    }

    fn why_nothing(&self) -> Status {
        match (self.labelled_count, self.counts.invalid) {
            (0, _) => Status::NoLabels,
            (_, 0) if self.counts.unpredicted > 0 => Status::NoPrediction,
            _ => Status::InsufficientData,
        }
    }

    fn measure(&self, metric: RegressionMetric, z: f64) -> Result<Measured, Status> {
        use RegressionMetric as M;
        let logarithmic = || match self.counts.negative {
            0 => Ok([
                Term::Logarithmic,
                Term::LogarithmicSquared,
                Term::LogarithmicCubed,
            ]),
            _ => Err(Status::NegativeValue),
        };
        let relative = [Term::Relative, Term::RelativeSquared, Term::RelativeCubed];
        let mean = |[term, square, cube]: [Term; 3]| {
            self.mean(metric, (term, square), z, |mean| {
                self.cubes(term, square, cube, mean)
            })
        };
        let squared = || {
            self.mean(metric, (Term::Squared, Term::Fourth), z, |mean| {
                self.cubes_of_absolute(2, mean)
            })
        };
        Ok(match metric {
            M::Mae => self.mean_absolute(z),
            // errors to both sides tell little of the skewness of their mean
            M::Bias => {
                let bias = self.mean(metric, (Term::Error, Term::Squared), z, |_| 0.0);
                Measured {
                    few: bias.few || squared().few,
                    ..bias
                }
            }
            M::Mse => squared(),
            M::Rmse => root(&squared()),
            M::Msle => mean(logarithmic()?),
            M::Rmsle => root(&mean(logarithmic()?)),
            M::Mape if self.counts.zero > 0 => return Err(Status::InfiniteValue),
            M::Mape => mean(relative),
            M::R2 => {
                let r2 = self.r2(z)?;
                Measured {
                    few: r2.few || squared().few,
                    ..r2
                }
            }
            M::MedianAbsoluteError => self.median(z)?,
        })
    }

    /// Rows that tell as much as the used ones: their number, or of unequal ones `(sum w)^2 / sum w^2` (Kish 1965).
    fn effective_rows(&self) -> f64 {
        match &self.weighting {
            Some(weighting) => self.rows * self.rows / weighting.rows,
            None => self.rows,
        }
    }

    /// Variance of a mean from the squared distances to it, by weight and by squared weight; infinite of one row. That which
    /// clusters tell takes their place.
    fn variance(
        &self,
        metric: RegressionMetric,
        rest: f64,
        by_square: impl FnOnce(&Weighting) -> f64,
    ) -> f64 {
        let n = self.rows;
        if let Some(variance) = self.told_by_clusters(metric) {
            return variance;
        }
        let Some(weighting) = &self.weighting else {
            return small_sample(n, rest.max(0.0)) / (n * n);
        };
        let linearized = by_square(weighting).max(0.0);
        let told = Some(n * rest / linearized).filter(|told| told.is_finite() && *told > 0.0);
        let rows = told.unwrap_or_else(|| self.effective_rows());
        small_sample(rows, linearized) / (n * n)
    }

    fn told_by_clusters(&self, metric: RegressionMetric) -> Option<f64> {
        self.clusters.as_ref()?.variance(metric.name(), None)
    }

    /// Mean of a term, whose squares are another; `cubes`: sum of the cubes of the distances to a mean.
    fn mean(
        &self,
        metric: RegressionMetric,
        (term, square): (Term, Term),
        z: f64,
        cubes: impl FnOnce(f64) -> f64,
    ) -> Measured {
        let (sum, squares) = (self.sums.of(term), self.sums.of(square));
        let mean = sum.over(self.rows);
        let rest = squares.minus(mean.times(sum)).float();
        let variance = self.variance(metric, rest, |by| {
            let twice = mean.times(by.sums.of(term)).times(2.0.into());
            let all = mean.times(mean).times(by.rows.into());
            by.sums.of(square).minus(twice).minus(all.negated()).float()
        });
        let mean = mean.float();
        self.of_mean(mean, variance, self.skewness(mean, rest, cubes), z)
    }

    /// The sum of absolute errors is that of the digest, which is exact.
    fn mean_absolute(&self, z: f64) -> Measured {
        let (sum, by_square) = match &self.absolute {
            Absolute::Rows(bins) => (super::super::column::moments::sum(bins), 0.0),
            Absolute::Weighted(values) => (values.sum(), values.sum_by_squares()),
        };
        let mean = sum.value / self.rows;
        let rest = self.sums.of(Term::Squared).float() - mean * sum.value;
        let variance = self.variance(RegressionMetric::Mae, rest, |by| {
            by.sums.of(Term::Squared).float() - 2.0 * mean * by_square + mean * mean * by.rows
        });
        let skewness = self.skewness(mean, rest, |mean| self.cubes_of_absolute(1, mean));
        Measured {
            slack: sum.error / self.rows,
            ..self.of_mean(mean, variance, skewness, z)
        }
    }

    /// Skewness of numbers whose squared distances to their mean add up to `rest`; 0 where they hardly differ, for the sums of
    /// their powers have then no digits left for it.
    fn skewness(&self, mean: f64, rest: f64, cubes: impl FnOnce(f64) -> f64) -> f64 {
        let spread = rest / self.rows;
        if spread <= ALIKE * mean * mean {
            return 0.0;
        }
        let skewness = cubes(mean) / self.rows / spread.powf(1.5);
        // as much as so many numbers can have
        let most = self.effective_rows().sqrt();
        if skewness.is_nan() {
            0.0
        } else {
            skewness.clamp(-most, most)
        }
    }

    /// Sum of the cubes of a term's distances to its mean.
    fn cubes(&self, term: Term, square: Term, cube: Term, mean: f64) -> f64 {
        let [sum, squares, cubes] = [term, square, cube].map(|term| self.sums.of(term).float());
        cubes - 3.0 * mean * squares + 3.0 * mean * mean * sum - self.rows * mean.powi(3)
    }

    /// The same of a power of the absolute errors, from the bins of their digest.
    fn cubes_of_absolute(&self, power: i32, mean: f64) -> f64 {
        let cube = |(x, rows): (f64, f64)| rows * (x.powi(power) - mean).powi(3);
        match &self.absolute {
            Absolute::Rows(bins) => {
                let bins = bins.bins.iter();
                bins.map(|bin| cube((centre(bin), bin.count as f64))).sum()
            }
            Absolute::Weighted(values) => values.each().map(cube).sum(),
        }
    }

    /// A mean with the variance of its error, of numbers of this skewness.
    fn of_mean(&self, mean: f64, variance: f64, skewness: f64, z: f64) -> Measured {
        if variance.is_infinite() {
            return Measured::without_error(mean);
        }
        let rows = self.effective_rows();
        let quantile = student_quantile(z, rows - 1.0);
        let skewness = skewness / rows.sqrt();
        Measured {
            value: mean,
            slack: 0.0,
            variance,
            bounds: skewed_interval(mean, variance.sqrt(), skewness, quantile),
            few: rows < FEW || skewness.abs() > OF_ONE_ROW,
        }
    }

    /// One minus the share of the variance that is left.
    ///
    /// The influence of a row on the share `u = mse / s^2` is `((e^2 - mse) - u ((y - m)^2 - s^2)) / s^2`.
    fn r2(&self, z: f64) -> Result<Measured, Status> {
        let at = self.unexplained().ok_or(Status::ConstantLabel)?;
        let n = self.rows;
        let variance = self.told_by_clusters(RegressionMetric::R2);
        let variance = variance.unwrap_or_else(|| {
            let rest = at.squared_influences(|term| self.sum_of(term).float(), n);
            let squares =
                |by: &Weighting| at.squared_influences(|term| by.sums.of(term).float(), by.rows);
            self.variance(RegressionMetric::R2, rest, squares) / (at.spread * at.spread)
        });
        let (least, most) = Scale::Log.interval(at.share, variance.sqrt(), z);
        Ok(Measured {
            value: 1.0 - at.share,
            slack: 0.0,
            variance,
            bounds: (1.0 - most, 1.0 - least),
            few: self.effective_rows() < FEW,
        })
    }

    /// A sum over the rows.
    pub(super) fn sum_of(&self, term: Term) -> Double {
        self.sums.of(term)
    }

    /// The share of the variance that is left; `None` of labels that are all the same.
    pub(super) fn unexplained(&self) -> Option<Unexplained> {
        let n = self.rows;
        let sum = self.sums.of(Term::Label);
        let mean = sum.over(n);
        let squares = self.sums.of(Term::LabelSquared);
        let around = squares.minus(mean.times(sum)).float();
        let spread = around / n;
        let mse = self.sums.of(Term::Squared).float() / n;
        // of equal labels what is left is the rounding of 106 bits
        (around > squares.float() * 1e-28).then(|| Unexplained {
            mean: mean.float(),
            spread,
            mse,
            share: mse / spread,
        })
    }

    fn median(&self, z: f64) -> Result<Measured, Status> {
        let fixed = normal_quantile(0.95);
        let around = |z: f64| match (&self.absolute, &self.weighting) {
            (Absolute::Weighted(values), Some(by)) => {
                let told = self.told_by_clusters(RegressionMetric::MedianAbsoluteError);
                values.around_median(z / 2.0 * told.unwrap_or(by.rows).sqrt())
            }
            (Absolute::Rows(bins), _) => median_bounds(bins, self.counts.used, z),
            _ => (None, None),
        };
        let bounds = |z| {
            let (low, high) = around(z);
            (
                low.unwrap_or(f64::NEG_INFINITY),
                high.unwrap_or(f64::INFINITY),
            )
        };
        let found = match &self.absolute {
            Absolute::Rows(bins) => median(bins),
            Absolute::Weighted(values) => values.median(),
        };
        let found = found.ok_or(Status::InfiniteValue)?;
        if self.effective_rows() <= 1.0 {
            return Ok(Measured {
                slack: found.error,
                ..Measured::without_error(found.value)
            });
        }
        let (low, high) = bounds(fixed);
        let error = (high - low) / (2.0 * fixed);
        Ok(Measured {
            value: found.value,
            slack: found.error,
            variance: error * error,
            bounds: bounds(z),
            few: self.effective_rows() < FEW,
        })
    }

    fn finish(&self, metric: RegressionMetric, mut measured: Measured) -> Reading {
        let least = metric.scale().lower;
        if let Some(least) = least.filter(|_| measured.bounds.0.is_finite()) {
            measured.bounds.0 = measured.bounds.0.max(least);
        }
        let invalid = Status::InvalidValue.only_if(self.has_invalid());
        let few = Status::FewRows.only_if(measured.few);
        measured.reading(invalid.worst(few), self.counts.used, self.labelled_count)
    }
}

/// Squares around a mean that is that of the sample, made up for it; infinite of one row, which tells nothing of its error.
pub(super) fn small_sample(rows: f64, squares: f64) -> f64 {
    match rows > 1.0 {
        true => squares * rows / (rows - 1.0),
        false => f64::INFINITY,
    }
}

/// The root of a mean, its error by linearization; of 0 without error.
fn root(mean: &Measured) -> Measured {
    let value = mean.value.sqrt();
    if mean.variance.is_infinite() {
        return Measured::without_error(value);
    }
    let slope = if value > 0.0 { 0.5 / value } else { 0.0 };
    let end = |end: f64| end.max(0.0).sqrt();
    Measured {
        value,
        slack: 0.0,
        variance: slope * slope * mean.variance,
        bounds: (end(mean.bounds.0), end(mean.bounds.1)),
        few: mean.few,
    }
}
