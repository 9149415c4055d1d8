//! The difference of a metric between two models on the same rows, and how sure it is.
use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::erf::erfc;

use super::super::interval::{normal_quantile, student_quantile};
use super::super::reading::{Reading, Status, bound_counts};

/// A metric of model `b` minus that of model `a`, in the metric's own unit.
///
/// Numbers are finite; what does not exist is `None`, and `status` says why.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PairedReading {
    /// The metric of `b` minus that of `a`.
    pub value: Option<f64>,
    /// The metric of `a`.
    pub value_a: Option<f64>,
    /// The metric of `b`.
    pub value_b: Option<f64>,
    /// Standard error of `value` for the population that the rows were drawn from.
    pub sampling_error: Option<f64>,
    /// Lower end of the confidence interval of the population's difference.
    pub lower_bound: Option<f64>,
    /// Upper end of that interval.
    pub upper_bound: Option<f64>,
    /// `value` in standard errors; `None` where the error is 0.
    pub z: Option<f64>,
    /// Chance of a `z` at least as far from 0 where the population's difference is 0.
    pub p_value: Option<f64>,
    /// Certified bound on the distance of `value` to that of all rows, one by one.
    pub approx_error: Option<f64>,
    /// Rows that entered both metrics.
    pub used_count: u64,
    /// Whether the value exists and under which reserve.
    pub status: Status,
}

impl PairedReading {
    /// From the metric of either model on the same rows, and the variance of the difference.
    pub(in super::super) fn new(
        [a, b]: [&Reading; 2],
        variance: Option<f64>,
        reserve: Status,
        confidence_level: f64,
    ) -> Self {
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let values = a.value.zip(b.value);
        // 0, not -0
        let value = values.and_then(|(a, b)| finite(b - a + 0.0));
        let error = variance.and_then(|variance| finite(variance.max(0.0).sqrt()));
        let error = error.filter(|_| value.is_some());
        let half = error.map(|error| normal_quantile(confidence_level) * error);
        let bound = |sign: f64| {
            let (value, half) = value.zip(half)?;
            finite(value + sign * half)
        };
        let in_errors = value.zip(error.filter(|error| *error > 0.0));
        let z = in_errors.and_then(|(value, error)| finite(value / error));
        let approx_error = a.approx_error.zip(b.approx_error);
        let mut reading = Self {
            value,
            value_a: a.value,
            value_b: b.value,
            sampling_error: error,
            lower_bound: bound(-1.0),
            upper_bound: bound(1.0),
            z,
            p_value: z.map(two_sided),
            approx_error: approx_error.and_then(|(a, b)| finite(a + b + 0.0)),
            used_count: a.used_count,
            status: a.status.worst(b.status).worst(reserve),
        };
        reading.status = reading
            .status
            .worst(Status::Coarse.only_if(reading.is_coarse()));
        reading
    }

    /// The same where the error is told by rows or clusters with so many degrees of freedom: Student's law takes the place of the
    /// normal one.
    #[must_use]
    pub(in super::super) fn with_freedom(mut self, freedom: f64, confidence_level: f64) -> Self {
        let Some((value, error)) = self.value.zip(self.sampling_error) else {
            return self;
        };
        let half = error * student_quantile(normal_quantile(confidence_level), freedom);
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        (self.lower_bound, self.upper_bound) = (finite(value - half), finite(value + half));
        self.p_value = self.z.map(|z| two_sided_of_student(z, freedom));
        self
    }

    /// A difference without a value.
    pub(in super::super) fn undefined(status: Status) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    fn is_coarse(&self) -> bool {
        match (self.value, self.approx_error, self.sampling_error) {
            (Some(value), Some(bound), Some(error)) => bound_counts(value, bound, error),
            _ => false,
        }
    }
}

/// Chance that a standard normal number is at least as far from 0.
fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// Degrees of freedom from which on Student's law is taken for the normal one: five errors from 0, its chance is larger by a
/// hundredth.
const NORMAL: f64 = 1e4;

fn two_sided_of_student(z: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(student) if freedom < NORMAL => 2.0 * student.sf(z.abs()),
        _ => two_sided(z),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(value: f64) -> Reading {
        Reading {
            value: Some(value),
            approx_error: Some(0.0),
            used_count: 100,
            ..Reading::default()
        }
    }

    #[test]
    fn the_second_minus_the_first() {
        let (a, b) = (metric(0.75), metric(1.0));
        let reading = PairedReading::new([&a, &b], Some(0.015625), Status::Ok, 0.95);
        assert_eq!((reading.value, reading.z), (Some(0.25), Some(2.0)));
        // P(|Z| > 2)
        assert!((reading.p_value.unwrap() - 0.045500263896358).abs() < 1e-9);
        let half = 1.959963984540054 * 0.125;
        assert!((reading.upper_bound.unwrap() - 0.25 - half).abs() < 1e-9);
        assert_eq!((reading.status, reading.used_count), (Status::Ok, 100));
    }

    #[test]
    fn without_error_there_is_no_test() {
        let (a, b) = (metric(0.75), metric(1.0));
        let reading = PairedReading::new([&a, &b], Some(0.0), Status::Ok, 0.95);
        assert_eq!((reading.sampling_error, reading.z), (Some(0.0), None));
        assert_eq!((reading.p_value, reading.lower_bound), (None, Some(0.25)));
    }

    #[test]
    fn two_clusters_prove_nothing() {
        let (a, b) = (metric(0.75), metric(1.0));
        let reading = PairedReading::new([&a, &b], Some(1e-4), Status::Ok, 0.95);
        assert!(reading.p_value.unwrap() < 1e-100);
        // 25 errors, by the law of Cauchy: 1 - 2 atan(25) / pi
        let two = reading.with_freedom(1.0, 0.95);
        assert!((two.p_value.unwrap() - 0.025451).abs() < 1e-6);
        let half = 12.706205 * 0.01;
        assert!((two.upper_bound.unwrap() - 0.25 - half).abs() < 1e-7);
        let many = reading.with_freedom(1e9, 0.95);
        assert!((many.lower_bound.unwrap() - reading.lower_bound.unwrap()).abs() < 1e-9);
        assert_eq!(many.p_value, reading.p_value);
    }

    #[test]
    fn one_value_is_no_difference() {
        let (a, b) = (
            metric(0.75),
            Reading::undefined(Status::SingleClass, 100, 100),
        );
        let reading = PairedReading::new([&a, &b], Some(0.5), Status::Ok, 0.95);
        assert_eq!((reading.value, reading.value_a), (None, Some(0.75)));
        assert_eq!(
            (reading.sampling_error, reading.status),
            (None, Status::SingleClass)
        );
    }
}
