//! Metrics of labelled rows as plain aggregates: readings of a score profile.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, LabelledRows};
use crate::kernel::digest::DigestLimits;
use crate::kernel::metric::Metric;
use crate::kernel::reading::Status;
use crate::kernel::realized::Realized;
use crate::kernel::score_profile::ScoreProfile;

const LABEL: Argument = (
    "label",
    Role::Class,
    "Realized class, 0/1 or boolean; rows where it is NULL are left out.",
);
const SCORE: Argument = (
    "score",
    Role::Number,
    "Model output, higher for the positive class; rows where it is NULL are left out.",
);
const PREDICTION: Argument = (
    "prediction",
    Role::Class,
    "Predicted class, 0/1 or boolean; rows where it is NULL are left out.",
);

/// More bins than a chunk's profile has: a single number has no column that could tell its error.
pub(super) const LIMITS: DigestLimits = DigestLimits {
    max_bins: 65_536,
    min_level: 0,
};

pub(super) const MAX_BINS: Argument = (
    "max_bins",
    Role::Integer,
    "Most distinct scores to tell apart, 16 to 1048576; 65536 by default.",
);

const NOTE: &str = " Exact up to max_bins distinct scores; above, scores that share one of that many bins count as tied.";

/// What SQL sees of the metrics that are aggregates: those of scores, and those of predictions.
static SPECS: LazyLock<[Vec<FunctionSpec>; 2]> = LazyLock::new(|| {
    [true, false].map(|of_scores| {
        let mine =
            |metric: &Metric| metric.is_aggregate() && metric.needs_prediction() != of_scores;
        let metrics = Metric::ALL.into_iter().filter(mine);
        metrics.map(|metric| spec(metric, of_scores)).collect()
    })
});

fn spec(metric: Metric, of_scores: bool) -> FunctionSpec {
    let (arguments, column, note): (&[Argument], _, _) = if of_scores {
        (&[LABEL, SCORE, MAX_BINS], "y_pred_proba", NOTE)
    } else {
        (&[LABEL, PREDICTION], "y_pred_proba >= 0.5", "")
    };
    FunctionSpec {
        name: metric.name(),
        // once in a process: the registry is built from the metrics
        description: format!("{}{note}", metric.description()).leak(),
        arguments,
        required: 2,
        example: [
            "SELECT country, ",
            metric.name(),
            "(y_true, ",
            column,
            ") FROM predictions GROUP BY country",
        ]
        .concat()
        .leak(),
    }
}

pub(super) fn all() -> Result<Vec<Arc<AggregateUDF>>> {
    let [of_scores, of_predictions] = &*SPECS;
    let scored = of_scores
        .iter()
        .map(|spec| aggregate(spec, DataType::Float64, reading::<true>));
    let predicted = of_predictions
        .iter()
        .map(|spec| aggregate(spec, DataType::Float64, reading::<false>));
    scored.chain(predicted).collect()
}

fn reading<const SCORED: bool>(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<LabelledRows<SCORED>>> {
    let limits = limits(spec, &arguments, 2)?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(move || LabelledRows(ScoreProfile::new(limits))),
        read: Arc::new(|rows| realized(spec, &mut rows.0)),
        output: DataType::Float64,
    })
}

/// Reads `max_bins` at a position.
pub(super) fn limits(
    spec: &FunctionSpec,
    arguments: &Arguments,
    position: usize,
) -> Result<DigestLimits> {
    let bins = arguments.integer(position, "max_bins", i64::from(LIMITS.max_bins))?;
    let (fewest, most) = (DigestLimits::FEWEST_BINS, DigestLimits::MOST_BINS);
    match u32::try_from(bins) {
        Ok(max_bins) if (fewest..=most).contains(&max_bins) => {
            Ok(DigestLimits { max_bins, ..LIMITS })
        }
        _ => plan_err!(
            "{}: argument 'max_bins' is {bins}. Expected {fewest} to {most}",
            spec.name
        ),
    }
}

/// A single number cannot carry a status, so what a monitoring function would report there is an error here.
fn realized(spec: &FunctionSpec, profile: &mut ScoreProfile) -> Result<ScalarValue> {
    let Some(metric) = Metric::parse(spec.name) else {
        return exec_err!("{}: is not a metric", spec.name);
    };
    let bins = profile.bins();
    let not_finite = bins.not_finite.iter().flatten().any(|&rows| rows > 0);
    let reading = Realized::new(&bins).reading(metric, [0.0; 4], 0.95);
    match reading.status {
        // also where too little else is left for a value
        _ if not_finite && !metric.needs_prediction() => exec_err!(
            "{0}: a score is NaN or infinite. Expected finite scores. Hint: {0}(label, score) FILTER (WHERE abs(score) < 1e300)",
            spec.name
        ),
        Status::NotAProbability => exec_err!(
            "{}: a score lies outside [0, 1]. Expected probabilities. Hint: roc_auc(label, score) takes any score",
            spec.name
        ),
        _ => Ok(ScalarValue::Float64(reading.value)),
    }
}
