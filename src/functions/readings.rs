//! Metrics of labelled rows as plain aggregates: readings of a score profile.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
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
const LIMITS: DigestLimits = DigestLimits {
    max_bins: 65_536,
    min_level: 0,
};

macro_rules! of_scores {
    ($name:literal, $description:literal) => {
        FunctionSpec {
            name: $name,
            description: concat!($description, " Exact up to 65536 distinct scores; above, scores that share one of 65536 bins count as tied."),
            arguments: &[LABEL, SCORE],
            required: 2,
            example: concat!("SELECT country, ", $name, "(y_true, y_pred_proba) FROM predictions GROUP BY country"),
        }
    };
}

macro_rules! of_predictions {
    ($name:literal, $description:literal) => {
        FunctionSpec {
            name: $name,
            description: $description,
            arguments: &[LABEL, PREDICTION],
            required: 2,
            example: concat!(
                "SELECT country, ",
                $name,
                "(y_true, y_pred_proba >= 0.5) FROM predictions GROUP BY country"
            ),
        }
    };
}

static OF_SCORES: [FunctionSpec; 4] = [
    of_scores!(
        "roc_auc",
        "Probability that a positive row scores above a negative one, ties counted one half; NULL unless both classes occur."
    ),
    of_scores!(
        "average_precision",
        "Area under the precision-recall steps, tied scores as one threshold; NULL without a positive row."
    ),
    of_scores!(
        "log_loss",
        "Mean negative log-likelihood of the labels under scores that are probabilities, clipped at 1e-15."
    ),
    of_scores!(
        "brier_score",
        "Mean squared difference between label and a score that is a probability."
    ),
];

static OF_PREDICTIONS: [FunctionSpec; 5] = [
    of_predictions!("accuracy", "Share of rows predicted right."),
    of_predictions!(
        "precision",
        "Share of positives among rows predicted positive; NULL when there are none."
    ),
    of_predictions!(
        "recall",
        "Share of positives that are predicted positive; NULL without a positive row."
    ),
    of_predictions!(
        "specificity",
        "Share of negatives that are predicted negative; NULL without a negative row."
    ),
    of_predictions!(
        "f1",
        "Harmonic mean of precision and recall; NULL when no row is positive or predicted positive."
    ),
];

pub(super) fn all() -> Result<Vec<Arc<AggregateUDF>>> {
    let scored = OF_SCORES
        .iter()
        .map(|spec| aggregate(spec, DataType::Float64, reading::<true>));
    let predicted = OF_PREDICTIONS
        .iter()
        .map(|spec| aggregate(spec, DataType::Float64, reading::<false>));
    scored.chain(predicted).collect()
}

fn reading<const SCORED: bool>(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<LabelledRows<SCORED>>> {
    Ok(Aggregation {
        arguments,
        empty: Arc::new(|| LabelledRows(ScoreProfile::new(LIMITS))),
        read: Arc::new(|rows| realized(spec, &mut rows.0)),
        output: DataType::Float64,
    })
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
