//! A value that a query computed by itself, as a reading of its chunk.
use super::KernelError;
use super::interval::normal_quantile;
use super::reading::{Reading, Status};

/// Values that a metric can have; `None` where there is no end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Domain {
    /// Smallest value.
    pub lower: Option<f64>,
    /// Largest value, above `lower`.
    pub upper: Option<f64>,
}

impl Domain {
    fn holds(&self, x: f64) -> bool {
        self.lower.is_none_or(|end| x >= end) && self.upper.is_none_or(|end| x <= end)
    }

    fn clamp(&self, x: f64) -> f64 {
        let x = self.lower.map_or(x, |end| x.max(end));
        self.upper.map_or(x, |end| x.min(end))
    }
}

/// The reading of a chunk of `rows` rows.
///
/// * `value`, `sampling_error`: as the query computed them; `None` for NULL.
/// * Bounds: `value` minus and plus normal quantiles of the sampling error, within the domain.
/// * NULL: no value where the query gave none (`InsufficientData`), or one that is not a finite number
///   (`InfiniteValue`); no bounds without a sampling error. `approx_error` is not known of a query.
/// * Errors: a value outside the domain, a sampling error that is negative or not finite: the call is wrong
///   about the metric, and limits made from it would be.
///
/// ```
/// use modelwatch::kernel::custom_metric::{Domain, reading};
/// let share = Domain { lower: Some(0.0), upper: Some(1.0) };
/// let read = reading(Some(0.99), Some(0.01), 100, share, 0.95)?;
/// assert_eq!(read.upper_bound, Some(1.0));
/// assert!((read.lower_bound.unwrap_or_default() - 0.97040).abs() < 1e-5);
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
pub fn reading(
    value: Option<f64>,
    sampling_error: Option<f64>,
    rows: u64,
    domain: Domain,
    confidence_level: f64,
) -> Result<Reading, KernelError> {
    let status = match value {
        None => Status::InsufficientData,
        Some(value) if !value.is_finite() => Status::InfiniteValue,
        Some(_) => Status::Ok,
    };
    let Some(value) = value.filter(|value| value.is_finite()) else {
        return Ok(Reading::undefined(status, rows, 0));
    };
    if !domain.holds(value) {
        return undefined(format!(
            "value {value} lies outside of the domain {}. Expected values inside of it. \
             Hint: correct the expression or argument 'domain'",
            shown(&domain)
        ));
    }
    if let Some(error) = sampling_error.filter(|error| !(error.is_finite() && *error >= 0.0)) {
        return undefined(format!(
            "sampling_error is {error} where the value is {value}. Expected a finite number of at least 0, or NULL where it \
             is not known. Hint: CASE or NULLIF where the expression divides by 0 or takes the root of a negative number"
        ));
    }
    let reach = sampling_error.map(|error| normal_quantile(confidence_level) * error);
    let bound = |sign: f64| {
        let bound = reach.map(|reach| domain.clamp(value + sign * reach));
        bound.filter(|bound| bound.is_finite())
    };
    Ok(Reading {
        value: Some(value),
        sampling_error,
        row_sampling_error: sampling_error,
        lower_bound: bound(-1.0),
        upper_bound: bound(1.0),
        used_count: rows,
        status,
        ..Reading::default()
    })
}

fn shown(domain: &Domain) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "NULL".into(), |x| x.to_string());
    format!("[{}, {}]", end(domain.lower), end(domain.upper))
}

fn undefined<T>(why: String) -> Result<T, KernelError> {
    Err(KernelError::Undefined(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Domain = Domain {
        lower: None,
        upper: None,
    };
    const POSITIVE: Domain = Domain {
        lower: Some(0.0),
        upper: None,
    };

    #[test]
    fn bounds_are_quantiles_within_the_domain() {
        // z = 1.959964
        let read = reading(Some(1.0), Some(2.0), 9, OPEN, 0.95).unwrap();
        assert!((read.lower_bound.unwrap() + 2.919928).abs() < 1e-6);
        assert!((read.upper_bound.unwrap() - 4.919928).abs() < 1e-6);
        let read = reading(Some(1.0), Some(2.0), 9, POSITIVE, 0.95).unwrap();
        assert_eq!(read.lower_bound, Some(0.0));
        assert_eq!((read.used_count, read.status), (9, Status::Ok));
        let alone = reading(Some(1.0), None, 9, OPEN, 0.95).unwrap();
        assert_eq!((alone.lower_bound, alone.upper_bound), (None, None));
        // a bound beyond all numbers is none
        let large = reading(Some(f64::MAX), Some(f64::MAX), 9, OPEN, 0.95).unwrap();
        assert_eq!(large.upper_bound, None);
    }

    #[test]
    fn what_is_no_number_has_no_value() {
        let read = |value, error| reading(value, error, 9, POSITIVE, 0.95).unwrap();
        let none = read(None, Some(f64::NAN));
        assert_eq!((none.value, none.sampling_error), (None, None));
        assert_eq!(none.status, Status::InsufficientData);
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let read = read(Some(x), Some(1.0));
            assert_eq!((read.value, read.status), (None, Status::InfiniteValue));
            assert_eq!(read.lower_bound, None);
        }
    }

    #[test]
    fn a_wrong_call_is_told() {
        let message = |value, error, domain| {
            let read = reading(Some(value), Some(error), 9, domain, 0.95);
            read.expect_err("refused").to_string()
        };
        assert!(message(-0.5, 1.0, POSITIVE).contains("outside of the domain [0, NULL]"));
        for error in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(message(1.0, error, OPEN).contains("Expected a finite number of at least 0"));
        }
        assert!(reading(Some(0.0), Some(0.0), 9, POSITIVE, 0.95).is_ok());
    }
}
