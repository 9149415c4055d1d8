//! Scalars over the profiles of columns: distances between two, quantiles and shares of one.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::column_chunks::{Read, read};
use super::scalar::scalar;
use super::spec::{Argument, FunctionSpec, Role};
use super::values::{bytes, number};
use crate::kernel::drift::{DriftMetric, DriftReference, quantile, share_up_to};
use crate::kernel::values::ValueBins;

const P: Argument = (
    "p",
    Role::Bytes,
    "Profile of the reference, which fixes the bins.",
);
const Q: Argument = ("q", Role::Bytes, "Profile that is compared with it.");

macro_rules! distance {
    ($name:literal, $description:literal) => {
        FunctionSpec {
            name: $name,
            description: $description,
            arguments: &[P, Q],
            required: 2,
            example: concat!(
                "SELECT ",
                $name,
                "((SELECT value_profile(y_pred_proba) FROM reference), (SELECT value_profile(y_pred_proba) FROM analysis))"
            ),
        }
    };
}

static JS_DISTANCE: FunctionSpec = distance!(
    "js_distance",
    "Jensen-Shannon distance (base 2) of two profiles of a column, over Doane's bins or the categories of the first."
);
static HELLINGER_DISTANCE: FunctionSpec = distance!(
    "hellinger_distance",
    "Hellinger distance of two profiles of a column, over the same bins as js_distance."
);
static KS_DISTANCE: FunctionSpec = distance!(
    "ks_distance",
    "Kolmogorov-Smirnov distance of two profiles of numbers: the largest difference of their distribution functions."
);
static WASSERSTEIN_DISTANCE: FunctionSpec = distance!(
    "wasserstein_distance",
    "Wasserstein distance of two profiles of numbers, in the unit of the column: the area between their distribution functions."
);
static PSI: FunctionSpec = distance!(
    "psi",
    "Population stability index of two profiles of a column, over the deciles or the categories of the first, smoothed by half a row."
);

static QUANTILE: FunctionSpec = FunctionSpec {
    name: "quantile",
    description: "Quantile of a profile of numbers, linear between the nearest ranks; exact where the profile is.",
    arguments: &[
        ("profile", Role::Bytes, "A value profile."),
        ("share", Role::Number, "From 0 to 1; 0.5 is the median."),
    ],
    required: 2,
    example: "SELECT quantile(value_profile(y_pred_proba), 0.5) FROM predictions",
};

static CDF: FunctionSpec = FunctionSpec {
    name: "cdf",
    description: "Share of the finite numbers of a profile that are at most x; exact where the profile is.",
    arguments: &[
        ("profile", Role::Bytes, "A value profile."),
        ("x", Role::Number, "A number."),
    ],
    required: 2,
    example: "SELECT cdf(value_profile(y_pred_proba), 0.5) FROM predictions",
};

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![
        scalar(&JS_DISTANCE, DataType::Float64, distance)?,
        scalar(&HELLINGER_DISTANCE, DataType::Float64, distance)?,
        scalar(&KS_DISTANCE, DataType::Float64, distance)?,
        scalar(&WASSERSTEIN_DISTANCE, DataType::Float64, distance)?,
        scalar(&PSI, DataType::Float64, distance)?,
        scalar(&QUANTILE, DataType::Float64, of_quantile)?,
        scalar(&CDF, DataType::Float64, of_cdf)?,
    ])
}

fn metric_of(name: &str) -> Option<DriftMetric> {
    Some(match name {
        "js_distance" => DriftMetric::JensenShannon,
        "hellinger_distance" => DriftMetric::Hellinger,
        "ks_distance" => DriftMetric::KolmogorovSmirnov,
        "wasserstein_distance" => DriftMetric::Wasserstein,
        "psi" => DriftMetric::Psi,
        _ => return None,
    })
}

fn distance(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (Some(p), Some(q), Some(metric)) =
        (bytes(values, 0), bytes(values, 1), metric_of(spec.name))
    else {
        return Ok(ScalarValue::Float64(None));
    };
    let (p, q) = (read(spec, p)?, read(spec, q)?);
    if p.is_continuous() != q.is_continuous() {
        return exec_err!(
            "{}: one profile holds numbers and the other categories. Expected two of one kind",
            spec.name
        );
    }
    let applies = match p.is_continuous() {
        true => metric.applies_to_continuous(),
        false => metric.applies_to_categorical(),
    };
    if !applies {
        return exec_err!(
            "{}: the profiles hold categories. Expected numbers, as value_profile(x) gives. \
             Hint: js_distance(p, q) takes both",
            spec.name
        );
    }
    let distance = DriftReference::of(p.as_profile()).compare(q.as_profile(), metric);
    Ok(ScalarValue::Float64(distance.ok().map(|d| d.value)))
}

/// The numbers of a profile; an error for one of another kind.
fn numbers(spec: &FunctionSpec, profile: &[u8]) -> Result<ValueBins> {
    match read(spec, profile)? {
        Read::Values(values) => Ok(values),
        Read::Categories(_) => exec_err!(
            "{}: the profile holds categories. Expected numbers, as value_profile(x) gives",
            spec.name
        ),
    }
}

fn of_quantile(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (Some(profile), Some(share)) = (bytes(values, 0), number(values, 1)) else {
        return Ok(ScalarValue::Float64(None));
    };
    if !(0.0..=1.0).contains(&share) {
        return exec_err!(
            "{}: share is {share}. Expected a number from 0 to 1",
            spec.name
        );
    }
    Ok(ScalarValue::Float64(quantile(
        &numbers(spec, profile)?,
        share,
    )))
}

fn of_cdf(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (Some(profile), Some(x)) = (bytes(values, 0), number(values, 1)) else {
        return Ok(ScalarValue::Float64(None));
    };
    if x.is_nan() {
        return exec_err!("{}: x is NaN. Expected a number", spec.name);
    }
    Ok(ScalarValue::Float64(share_up_to(
        &numbers(spec, profile)?,
        x,
    )))
}
