//! Metrics of regression as plain aggregates, and the profile that they are read from.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::profiles::{digest_limits, profile_of};
use super::shared_arguments::{ERROR_MIN_LEVEL, NUMBER_LABEL};
use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments};
use crate::kernel::digest::DigestLimits;
use crate::kernel::reading::Status;
use crate::kernel::regression::{RealizedRegression, RegressionMetric, RegressionProfile};

const LABEL: Argument = ("label", Role::Number, "Realized number.");
const PREDICTION: Argument = ("prediction", Role::Number, "Predicted number.");

static REGRESSION_PROFILE: FunctionSpec = FunctionSpec {
    name: "regression_profile",
    description: "A bounded, mergeable summary of labels and predictions that are numbers, from which the metrics of a \
                  regression follow: exact sums, and the distribution of absolute errors, exact up to max_bins distinct ones.",
    arguments: &[
        NUMBER_LABEL,
        (
            "prediction",
            Role::Number,
            "Predicted number; NULL where there is none.",
        ),
        (
            "max_bins",
            Role::Integer,
            "Most bins of absolute errors to keep; 6144 by default.",
        ),
        ERROR_MIN_LEVEL,
    ],
    required: 2,
    example: "SELECT date_trunc('month', timestamp) AS month, regression_profile(y_true, y_pred) AS profile\n\
              FROM predictions GROUP BY 1",
};

/// More bins than a chunk's profile has: a single number has no column that could tell its error.
const LIMITS: DigestLimits = DigestLimits {
    max_bins: 65_536,
    min_level: 0,
};

static SPECS: LazyLock<Vec<FunctionSpec>> =
    LazyLock::new(|| RegressionMetric::ALL.map(spec).into());

fn spec(metric: RegressionMetric) -> FunctionSpec {
    let name = metric.name();
    FunctionSpec {
        name,
        // once in a process: the registry is built from the metrics
        description: format!(
            "{} Rows without a label or a prediction are left out.",
            metric.description()
        )
        .leak(),
        arguments: &[LABEL, PREDICTION],
        required: 2,
        example: [
            "SELECT country, ",
            name,
            "(y_true, y_pred) FROM predictions GROUP BY country",
        ]
        .concat()
        .leak(),
    }
}

pub(super) fn all() -> Result<Vec<Arc<AggregateUDF>>> {
    let profile =
        aggregate::<RegressionProfile>(&REGRESSION_PROFILE, DataType::BinaryView, profile);
    let metrics = SPECS
        .iter()
        .map(|spec| aggregate(spec, DataType::Float64, reading));
    [profile].into_iter().chain(metrics).collect()
}

fn profile(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<RegressionProfile>> {
    let limits = digest_limits(&arguments, 2)?;
    Ok(profile_of(arguments, move || {
        RegressionProfile::new(limits)
    }))
}

fn reading(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<RegressionProfile>> {
    Ok(Aggregation {
        arguments,
        empty: Arc::new(|| RegressionProfile::new(LIMITS)),
        read: Arc::new(|profile| realized(spec, profile)),
        output: DataType::Float64,
    })
}

/// A single number cannot carry a status, so what a monitoring function would report there is an error here.
fn realized(spec: &FunctionSpec, profile: &mut RegressionProfile) -> Result<ScalarValue> {
    let name = spec.name;
    let Some(metric) = RegressionMetric::parse(name) else {
        return exec_err!("{name}: is not a metric");
    };
    let realized = RealizedRegression::new(profile);
    let reading = realized.reading(metric, 0.95);
    match reading.status {
        _ if realized.has_invalid() => exec_err!(
            "{name}: a label or prediction is NaN, infinite or beyond 1e70. Expected finite numbers. \
             Hint: {name}(label, prediction) FILTER (WHERE abs(label) < 1e70 AND abs(prediction) < 1e70)"
        ),
        Status::NegativeValue => exec_err!(
            "{name}: a label or prediction is negative, and its logarithm is taken. Expected numbers of at least 0. \
             Hint: rmse(label, prediction) takes any number"
        ),
        Status::InfiniteValue => exec_err!(
            "{name}: a label is 0 and its prediction is not, so the error has no size in proportion to it. Expected labels \
             that are not 0. Hint: {name}(label, prediction) FILTER (WHERE label <> 0), or mae(label, prediction)"
        ),
        _ => Ok(ScalarValue::Float64(reading.value)),
    }
}
