//! Metrics of a regression from labels, with confidence intervals for the population.
use super::super::column::moments::{median, median_bounds};
use super::super::interval::{FEW, normal_quantile};
use super::super::metric::Scale;
use super::super::reading::{Reading, Status};
use super::super::values::ValueBins;
use super::metric::RegressionMetric;
use super::profile::{Counts, RegressionProfile};
use super::sums::{Sums, Term};

/// A mean this many standard deviations from 0 leaves no digits for fourth powers around it.
const FAR_FROM_ZERO: f64 = 1e3;

/// Realized metrics of one chunk; see [`RegressionProfile`].
#[derive(Debug, Clone)]
pub struct RealizedRegression {
    counts: Counts,
    sums: Sums,
    absolute: ValueBins,
}

/// A value, the variance of its error, its interval and the certified error of the digest.
struct Measured {
    value: f64,
    variance: Option<f64>,
    bounds: (Option<f64>, Option<f64>),
    slack: f64,
}

impl RealizedRegression {
    /// Prepares the metrics of a chunk.
    pub fn new(profile: &mut RegressionProfile) -> Self {
        Self {
            counts: profile.counts,
            sums: profile.sums.clone(),
            absolute: profile.absolute.bins(),
        }
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
        let undefined = |status| Reading::undefined(status, used, self.labelled_count());
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

    /// Rows with a label.
    fn labelled_count(&self) -> u64 {
        self.counts.used + self.counts.unpredicted + self.counts.invalid
    }

    fn why_nothing(&self) -> Status {
        match (self.labelled_count(), self.counts.invalid) {
            (0, _) => Status::NoLabels,
            (_, 0) => Status::NoPrediction,
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

    fn rows(&self) -> f64 {
        self.counts.used as f64
    }

    /// Mean of a term, whose squares are another.
    fn mean(&self, (term, square): (Term, Term), scale: Scale, z: f64) -> Measured {
        let sum = self.sums.of(term);
        let squares = self.sums.of(square);
        let mean = sum.over(self.rows());
        let rest = squares.minus(mean.times(sum)).float();
        of_mean(mean.float(), rest, self.rows(), scale, z)
    }

    /// The sum of absolute errors is that of the digest, which is exact.
    fn mean_absolute(&self, z: f64) -> Measured {
        let sum = super::super::column::moments::sum(&self.absolute);
        let mean = sum.value / self.rows();
        let rest = self.sums.of(Term::Squared).float() - mean * sum.value;
        Measured {
            slack: sum.error / self.rows(),
            ..of_mean(mean, rest, self.rows(), Scale::Log, z)
        }
    }

    /// One minus the share of the variance that is left.
    ///
    /// The influence of a row on the share `u = mse / s^2` is `((e^2 - mse) - u ((y - m)^2 - s^2)) / s^2`.
    fn r2(&self, z: f64) -> Result<Measured, Status> {
        let n = self.rows();
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
        let unexplained = mse / spread;
        let of = |term| self.sums.of(term).float();
        let losses = of(Term::Fourth) - n * mse * mse;
        let (fourths, both) = match mean.abs() < FAR_FROM_ZERO * spread.sqrt() {
            true => (
                of(Term::LabelFourth) - 4.0 * mean * of(Term::LabelCubed)
                    + 6.0 * mean * mean * of(Term::LabelSquared)
                    - 3.0 * n * mean.powi(4),
                of(Term::SquaredLabelSquared) - 2.0 * mean * of(Term::SquaredLabel)
                    + mean * mean * of(Term::Squared),
            ),
            // as of a normal label whose size tells nothing of the error
            false => (3.0 * n * spread * spread, n * mse * spread),
        };
        let total = losses - 2.0 * unexplained * (both - n * mse * spread)
            + unexplained * unexplained * (fourths - n * spread * spread);
        let variance = small_sample(n).map(|factor| factor * total.max(0.0) / (n * spread).powi(2));
        let ends = variance.map(|variance| Scale::Log.interval(unexplained, variance.sqrt(), z));
        Ok(Measured {
            value: 1.0 - unexplained,
            variance,
            bounds: (
                ends.map(|(_, most)| 1.0 - most),
                ends.map(|(least, _)| 1.0 - least),
            ),
            slack: 0.0,
        })
    }

    fn median(&self, z: f64) -> Result<Measured, Status> {
        let found = median(&self.absolute).ok_or(Status::InfiniteValue)?;
        let fixed = normal_quantile(0.95);
        let (low, high) = median_bounds(&self.absolute, self.counts.used, fixed);
        let error = low
            .zip(high)
            .map(|(low, high)| (high - low) / (2.0 * fixed));
        Ok(Measured {
            value: found.value,
            variance: error.map(|error| error * error),
            bounds: median_bounds(&self.absolute, self.counts.used, z),
            slack: found.error,
        })
    }

    fn finish(&self, measured: &Measured) -> Reading {
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let error = measured.variance.and_then(|v| finite(v.sqrt()));
        let invalid = if self.has_invalid() {
            Status::InvalidValue
        } else {
            Status::Ok
        };
        let few = if self.rows() < FEW {
            Status::FewRows
        } else {
            Status::Ok
        };
        Reading {
            value: finite(measured.value),
            approx_error: finite(measured.slack),
            sampling_error: error,
            row_sampling_error: error,
            lower_bound: measured.bounds.0.and_then(finite),
            upper_bound: measured.bounds.1.and_then(finite),
            expectation: None,
            used_count: self.counts.used,
            labelled_count: self.labelled_count(),
            status: invalid.worst(few),
        }
    }
}

/// `n / (n - 1)`; `None` of one row, which tells nothing of its error.
fn small_sample(rows: f64) -> Option<f64> {
    (rows > 1.0).then(|| rows / (rows - 1.0))
}

/// A mean of `rows` numbers whose squared distances from it add up to `rest`.
fn of_mean(mean: f64, rest: f64, rows: f64, scale: Scale, z: f64) -> Measured {
    let variance = small_sample(rows).map(|factor| factor * rest.max(0.0) / (rows * rows));
    let ends = variance.map(|variance| scale.interval(mean, variance.sqrt(), z));
    Measured {
        value: mean,
        variance,
        bounds: (ends.map(|ends| ends.0), ends.map(|ends| ends.1)),
        slack: 0.0,
    }
}

/// The root of a mean, its error by linearization; of 0 without error.
fn root(mean: &Measured) -> Measured {
    let value = mean.value.sqrt();
    let slope = if value > 0.0 { 0.5 / value } else { 0.0 };
    Measured {
        value,
        variance: mean.variance.map(|variance| slope * slope * variance),
        bounds: (mean.bounds.0.map(f64::sqrt), mean.bounds.1.map(f64::sqrt)),
        slack: 0.0,
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
