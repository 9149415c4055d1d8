//! Metrics of a regression from labels, with confidence intervals for the population.
use super::super::KernelError;
use super::super::column::moments::{median, median_bounds};
use super::super::exact_sum::Double;
use super::super::interval::{FEW, normal_quantile};
use super::super::metric::Scale;
use super::super::reading::{Reading, Status};
use super::super::realized::Measured;
use super::super::values::ValueBins;
use super::metric::RegressionMetric;
use super::profile::{Counts, RegressionProfile};
use super::sums::{Sums, Term};
use super::weighted::WeightedRegression;
use super::weighted_values::WeightedValues;

/// A mean this many standard deviations from 0 leaves no digits for fourth powers around it.
const FAR_FROM_ZERO: f64 = 1e3;

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
        })
    }

    /// Realized value of a metric, in the unit of the label (its square for `mse`, none for `mape`, `msle`, `rmsle` and
    /// `r2`), with a confidence interval of the population's value.
    ///
    /// * `confidence_level`: in (0, 1).
    /// * Errors: means of losses by the central limit theorem, `s / sqrt(n)`, their roots and `r2` by linearization, the
    ///   median from order statistics. Intervals of losses are symmetric on the logarithmic scale.
    /// * NULL: every number is `None` where the metric is not defined on the labelled rows; `status` says why.
    pub fn reading(&self, metric: RegressionMetric, confidence_level: f64) -> Reading {
        let used = self.counts.used;
        let undefined = |status| Reading::undefined(status, used, self.labelled_count);
        if used == 0 {
            return undefined(self.why_nothing());
        }
        match self.measure(metric, normal_quantile(confidence_level)) {
            Ok(measured) => self.finish(&measured),
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
            0 => Ok((Term::Logarithmic, Term::LogarithmicSquared)),
            _ => Err(Status::NegativeValue),
        };
        let squared = (Term::Squared, Term::Fourth);
        Ok(match metric {
            M::Mae => self.mean_absolute(z),
            M::Bias => self.mean((Term::Error, Term::Squared), Scale::Identity, z),
            M::Mse => self.mean(squared, Scale::Log, z),
            M::Rmse => root(&self.mean(squared, Scale::Log, z)),
            M::Msle => self.mean(logarithmic()?, Scale::Log, z),
            M::Rmsle => root(&self.mean(logarithmic()?, Scale::Log, z)),
            M::Mape if self.counts.zero > 0 => return Err(Status::InfiniteValue),
            M::Mape => self.mean((Term::Relative, Term::RelativeSquared), Scale::Log, z),
            M::R2 => self.r2(z)?,
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

    /// Variance of a mean from the squared distances to it, by weight and by squared weight; infinite of one row.
    fn variance(&self, rest: f64, by_square: impl FnOnce(&Weighting) -> f64) -> f64 {
        let n = self.rows;
        let Some(weighting) = &self.weighting else {
            return small_sample(n, rest.max(0.0)) / (n * n);
        };
        let linearized = by_square(weighting).max(0.0);
        let told = Some(n * rest / linearized).filter(|told| told.is_finite() && *told > 0.0);
        let rows = told.unwrap_or_else(|| self.effective_rows());
        small_sample(rows, linearized) / (n * n)
    }

    /// Mean of a term, whose squares are another.
    fn mean(&self, (term, square): (Term, Term), scale: Scale, z: f64) -> Measured {
        let (sum, squares) = (self.sums.of(term), self.sums.of(square));
        let mean = sum.over(self.rows);
        let rest = squares.minus(mean.times(sum)).float();
        let variance = self.variance(rest, |by| {
            let twice = mean.times(by.sums.of(term)).times(2.0.into());
            let all = mean.times(mean).times(by.rows.into());
            by.sums.of(square).minus(twice).minus(all.negated()).float()
        });
        of_mean(mean.float(), variance, self.effective_rows(), scale, z)
    }

    /// The sum of absolute errors is that of the digest, which is exact.
    fn mean_absolute(&self, z: f64) -> Measured {
        let (sum, by_square) = match &self.absolute {
            Absolute::Rows(bins) => (super::super::column::moments::sum(bins), 0.0),
            Absolute::Weighted(values) => (values.sum(), values.sum_by_squares()),
        };
        let mean = sum.value / self.rows;
        let rest = self.sums.of(Term::Squared).float() - mean * sum.value;
        let variance = self.variance(rest, |by| {
            by.sums.of(Term::Squared).float() - 2.0 * mean * by_square + mean * mean * by.rows
        });
        Measured {
            slack: sum.error / self.rows,
            ..of_mean(mean, variance, self.effective_rows(), Scale::Log, z)
        }
    }

    /// One minus the share of the variance that is left.
    ///
    /// The influence of a row on the share `u = mse / s^2` is `((e^2 - mse) - u ((y - m)^2 - s^2)) / s^2`.
    fn r2(&self, z: f64) -> Result<Measured, Status> {
        let n = self.rows;
        let at = self.unexplained()?;
        let rest = at.squared_influences(|term| self.sum_of(term).float(), n);
        let variance = self.variance(rest, |by| {
            at.squared_influences(|term| by.sums.of(term).float(), by.rows)
        });
        let variance = variance / (at.spread * at.spread);
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

    /// The share of the variance that is left; an error where there is none.
    pub(super) fn unexplained(&self) -> Result<Unexplained, Status> {
        let n = self.rows;
        let sum = self.sums.of(Term::Label);
        let mean = sum.over(n);
        let squares = self.sums.of(Term::LabelSquared);
        let around = squares.minus(mean.times(sum)).float();
        // of equal labels what is left is the rounding of 106 bits
        if around <= squares.float() * 1e-28 {
            return Err(Status::ConstantLabel);
        }
        let (mean, spread) = (mean.float(), around / n);
        let mse = self.sums.of(Term::Squared).float() / n;
        Ok(Unexplained {
            mean,
            spread,
            mse,
            share: mse / spread,
        })
    }

    fn median(&self, z: f64) -> Result<Measured, Status> {
        let fixed = normal_quantile(0.95);
        let around = |z: f64| match (&self.absolute, &self.weighting) {
            (Absolute::Weighted(values), Some(by)) => {
                values.around_median(z / 2.0 * by.rows.sqrt())
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

    fn finish(&self, measured: &Measured) -> Reading {
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

/// Where the share of the variance that is left stands.
pub(super) struct Unexplained {
    mean: f64,
    /// Mean square of the labels around their mean.
    spread: f64,
    mse: f64,
    share: f64,
}

impl Unexplained {
    /// Mean square of the labels around their mean.
    pub fn spread(&self) -> f64 {
        self.spread
    }

    /// What is more of it in another model's predictions of the same labels.
    pub fn until(&self, other: &Self) -> Self {
        Self {
            mse: other.mse - self.mse,
            share: other.share - self.share,
            ..*self
        }
    }

    /// Sum of the squares of `(e^2 - mse) - u ((y - m)^2 - s^2)` over rows that count `rows` together.
    pub fn squared_influences(&self, of: impl Fn(Term) -> f64, rows: f64) -> f64 {
        let (m, s, mse, u) = (self.mean, self.spread, self.mse, self.share);
        let errors = of(Term::Squared);
        let (around, fourths, both) = match m.abs() < FAR_FROM_ZERO * s.sqrt() {
            true => {
                let (first, second) = (of(Term::Label), of(Term::LabelSquared));
                (
                    second - 2.0 * m * first + m * m * rows,
                    of(Term::LabelFourth) - 4.0 * m * of(Term::LabelCubed) + 6.0 * m * m * second
                        - 4.0 * m.powi(3) * first
                        + rows * m.powi(4),
                    of(Term::SquaredLabelSquared) - 2.0 * m * of(Term::SquaredLabel)
                        + m * m * errors,
                )
            }
            // as of a normal label whose size tells nothing of the error
            false => (rows * s, 3.0 * rows * s * s, errors * s),
        };
        let losses = of(Term::Fourth) - 2.0 * mse * errors + rows * mse * mse;
        let together = both - s * errors - mse * around + rows * mse * s;
        let labels = fourths - 2.0 * s * around + rows * s * s;
        losses - 2.0 * u * together + u * u * labels
    }
}

/// A mean with the variance of its error, infinite where it is not known.
fn of_mean(mean: f64, variance: f64, rows: f64, scale: Scale, z: f64) -> Measured {
    if variance.is_infinite() {
        return Measured::without_error(mean);
    }
    Measured {
        value: mean,
        slack: 0.0,
        variance,
        bounds: scale.interval(mean, variance.sqrt(), z),
        few: rows < FEW,
    }
}

/// The root of a mean, its error by linearization; of 0 without error.
fn root(mean: &Measured) -> Measured {
    let value = mean.value.sqrt();
    if mean.variance.is_infinite() {
        return Measured::without_error(value);
    }
    let slope = if value > 0.0 { 0.5 / value } else { 0.0 };
    Measured {
        value,
        slack: 0.0,
        variance: slope * slope * mean.variance,
        bounds: (mean.bounds.0.sqrt(), mean.bounds.1.sqrt()),
        few: mean.few,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realized(rows: &[(f64, f64)]) -> RealizedRegression {
        let (labels, predictions): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let mut profile = RegressionProfile::default();
        profile.observe_all(&labels, &predictions);
        RealizedRegression::new(&mut profile)
    }

    #[test]
    fn values_by_hand() {
        // errors 1, 0, -2, 1
        let chunk = realized(&[(1.0, 2.0), (2.0, 2.0), (4.0, 2.0), (5.0, 6.0)]);
        let value = |metric| chunk.reading(metric, 0.95).value.unwrap();
        assert_eq!(value(RegressionMetric::Mae), 1.0);
        assert_eq!(value(RegressionMetric::Bias), 0.0);
        assert_eq!(value(RegressionMetric::Mse), 1.5);
        assert_eq!(value(RegressionMetric::Rmse), 1.5f64.sqrt());
        assert_eq!(value(RegressionMetric::MedianAbsoluteError), 1.0);
        // (1 + 0 + 1/2 + 1/5) / 4
        assert!((value(RegressionMetric::Mape) - 0.425).abs() < 1e-15);
        // labels 1, 2, 4, 5 around 3: 10
        assert!((value(RegressionMetric::R2) - 0.4).abs() < 1e-15);
        let logs = [3f64 / 2.0, 1.0, 3.0 / 5.0, 7.0 / 6.0].map(|ratio| ratio.ln().powi(2));
        assert!((value(RegressionMetric::Msle) - logs.iter().sum::<f64>() / 4.0).abs() < 1e-15);
        let mae = chunk.reading(RegressionMetric::Mae, 0.95);
        // |e| = 1, 0, 2, 1 around 1: 2 / (4 * 3)
        assert!((mae.sampling_error.unwrap() - (1.0f64 / 6.0).sqrt()).abs() < 1e-15);
        assert_eq!(mae.status, Status::FewRows);
    }

    #[test]
    fn errors_of_r2_are_influences() {
        let rows: Vec<(f64, f64)> = (0..40)
            .map(f64::from)
            .map(|i| (10.0 + i + (i * 7.0) % 5.0, 10.5 + 0.9 * i + (i * 3.0) % 4.0))
            .collect();
        let reading = realized(&rows).reading(RegressionMetric::R2, 0.95);
        // by dropping each row once: the jackknife agrees with linearization up to terms of 1 / n
        let without = |out: usize| {
            let kept: Vec<_> = rows
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != out)
                .map(|(_, r)| *r)
                .collect();
            realized(&kept)
                .reading(RegressionMetric::R2, 0.95)
                .value
                .unwrap()
        };
        let values: Vec<f64> = (0..rows.len()).map(without).collect();
        let n = rows.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let jackknife =
            ((n - 1.0) / n * values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()).sqrt();
        let error = reading.sampling_error.unwrap();
        assert!((error / jackknife - 1.0).abs() < 0.1, "{error} {jackknife}");
    }

    #[test]
    fn what_has_no_value_says_why() {
        let status = |rows: &[(f64, f64)], metric| realized(rows).reading(metric, 0.95).status;
        use RegressionMetric as M;
        assert_eq!(status(&[], M::Mae), Status::NoLabels);
        assert_eq!(
            status(&[(-1.0, 2.0), (3.0, 4.0)], M::Rmsle),
            Status::NegativeValue
        );
        assert_eq!(
            status(&[(0.0, 2.0), (3.0, 4.0)], M::Mape),
            Status::InfiniteValue
        );
        assert_eq!(
            status(&[(3.0, 2.0), (3.0, 4.0)], M::R2),
            Status::ConstantLabel
        );
        assert_eq!(status(&[(f64::NAN, 2.0)], M::Mae), Status::InsufficientData);
        let mut unpredicted = RegressionProfile::default();
        unpredicted.observe(Some(1.0), None);
        let reading = RealizedRegression::new(&mut unpredicted).reading(M::Mae, 0.95);
        assert_eq!(
            (reading.status, reading.labelled_count),
            (Status::NoPrediction, 1)
        );
        let one_bad =
            realized(&[(1.0, f64::INFINITY), (1.0, 2.0), (1.0, 2.0)]).reading(M::Mae, 0.95);
        assert_eq!(
            (one_bad.value, one_bad.status, one_bad.used_count),
            (Some(1.0), Status::InvalidValue, 2)
        );
        let perfect = realized(&[(0.0, 0.0); 30]).reading(M::Mape, 0.95);
        assert_eq!(
            (perfect.value, perfect.sampling_error),
            (Some(0.0), Some(0.0))
        );
    }

    #[test]
    fn labels_far_from_zero_keep_their_digits() {
        let near: Vec<(f64, f64)> = (0..30)
            .map(|i| (f64::from(i % 7), f64::from(i % 5)))
            .collect();
        let far: Vec<(f64, f64)> = near.iter().map(|(y, f)| (y + 1e9, f + 1e9)).collect();
        let value = |rows: &[_]| {
            realized(rows)
                .reading(RegressionMetric::R2, 0.95)
                .value
                .unwrap()
        };
        assert!((value(&near) - value(&far)).abs() < 1e-12);
    }

    #[test]
    fn bytes_are_the_same_however_rows_come() {
        let rows: Vec<(f64, f64)> = (0..300)
            .map(f64::from)
            .map(|i| (i * 0.37 - 5.0, (i * 1.7) % 90.0))
            .collect();
        let (labels, predictions): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let mut at_once = RegressionProfile::default();
        at_once.observe_all(&labels, &predictions);
        let mut in_parts = RegressionProfile::default();
        for (y, f) in rows.iter().rev() {
            let mut one = RegressionProfile::default();
            one.observe(Some(*y), Some(*f));
            in_parts.merge_bytes(&one.to_bytes()).unwrap();
        }
        assert_eq!(at_once.to_bytes(), in_parts.to_bytes());
    }
}
