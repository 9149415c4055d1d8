//! Errors of rows that are not independent: `score_influences`, `class_influences`, `regression_influences`, `cluster_squares`
//! and `clustered_profile`, the steps of `realized_performance` with `cluster`.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::profiles::profile_of;
use super::scalar::scalar;
use super::spec::{Argument, FunctionSpec, Role};
use super::values::{bytes, numbers, texts};
use crate::accumulate::{
    Aggregation, Arguments, ClassifiedRows, InfluenceRows, ModelRows, PredictedRows, ScoredRows,
};
use crate::kernel::cluster_squares::ClusterSquares;
use crate::kernel::clustered::ClusteredProfile;
use crate::kernel::profile::Profile;
use crate::kernel::weighted_profile::WeightedProfile;

pub(super) const WEIGHT: Argument = (
    "weight",
    Role::Number,
    "What the row counts; a row of NULL or 0 has no influence.",
);
const PROFILE: Argument = (
    "profile",
    Role::Bytes,
    "Clustered profile of the chunk, with the metrics.",
);

static SCORES: FunctionSpec = FunctionSpec {
    name: "score_influences",
    description: "Totals over the rows of a cluster of what they do to the metrics of a binary classifier in their chunk.",
    arguments: &[
        ("label", Role::Class, "Realized class, 0/1 or boolean."),
        (
            "prediction",
            Role::Class,
            "Predicted class, 0/1 or boolean.",
        ),
        (
            "score",
            Role::Number,
            "Model output, higher for the positive class.",
        ),
        WEIGHT,
        PROFILE,
    ],
    required: 5,
    example: "SELECT customer_id, score_influences(y_true, y_pred, y_pred_proba, 1, profile) FROM predictions, profile GROUP BY customer_id",
};

static CLASSES: FunctionSpec = FunctionSpec {
    name: "class_influences",
    description: "Totals over the rows of a cluster of what they do to the metrics of several classes in their chunk.",
    arguments: &[
        ("label", Role::Category, "Realized class."),
        ("prediction", Role::Category, "Predicted class."),
        (
            "scores",
            Role::Record,
            "Score of each class by its name, as in {'basic': p1, 'pro': p2}; NULL where there are none.",
        ),
        WEIGHT,
        PROFILE,
        (
            "classes",
            Role::Texts,
            "Names of the classes in order; default: those of scores.",
        ),
    ],
    required: 5,
    example: "SELECT customer_id, class_influences(y_true, y_pred, {'basic': p_basic, 'pro': p_pro}, 1, profile) FROM predictions, profile GROUP BY customer_id",
};

static REGRESSION: FunctionSpec = FunctionSpec {
    name: "regression_influences",
    description: "Totals over the rows of a cluster of what they do to the metrics of a regression in their chunk.",
    arguments: &[
        ("label", Role::Number, "Realized number."),
        ("prediction", Role::Number, "Predicted number."),
        WEIGHT,
        PROFILE,
    ],
    required: 4,
    example: "SELECT customer_id, regression_influences(y_true, y_pred, 1, profile) FROM predictions, profile GROUP BY customer_id",
};

static SQUARES: FunctionSpec = FunctionSpec {
    name: "cluster_squares",
    description: "The number of clusters, then the sum over the clusters of the square of each total, then those of fourth powers.",
    arguments: &[(
        "totals",
        Role::Bytes,
        "Totals of a cluster, of score_influences and the like, or of the rows of score_difference_influences.",
    )],
    required: 1,
    example: "SELECT chunk, cluster_squares(totals) FROM totals_by_cluster GROUP BY chunk",
};

static CLUSTERED: FunctionSpec = FunctionSpec {
    name: "clustered_profile",
    description: "A weighted profile with the metrics that are asked of it, and, where the sums over its clusters are given, what \
                  they tell of errors.",
    arguments: &[
        ("profile", Role::Bytes, "Weighted profile of the chunk."),
        (
            "metrics",
            Role::Texts,
            "Names of metrics of such a profile.",
        ),
        (
            "value_matrix",
            Role::Numbers,
            "Value of a row by outcome, for business values; NULL without.",
        ),
        (
            "squares",
            Role::Numbers,
            "Result of cluster_squares; NULL before it is known.",
        ),
    ],
    required: 4,
    example: "SELECT clustered_profile(weighted_score_profile(y_true, y_pred, y_pred_proba, 1), ['roc_auc'], NULL, NULL) FROM predictions",
};

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![
        influences::<ScoredRows>(&SCORES)?,
        influences::<ClassifiedRows>(&CLASSES)?,
        influences::<PredictedRows>(&REGRESSION)?,
        aggregate::<ClusterSquares>(
            &SQUARES,
            DataType::new_list(DataType::Float64, true),
            squares,
        )?,
    ])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar(&CLUSTERED, DataType::BinaryView, clustered)?])
}

fn influences<M: ModelRows>(spec: &'static FunctionSpec) -> Result<Arc<AggregateUDF>> {
    aggregate::<InfluenceRows<M>>(spec, DataType::BinaryView, |_, arguments| {
        Ok(profile_of(arguments, InfluenceRows::default))
    })
}

fn squares(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<ClusterSquares>> {
    let output = DataType::new_list(DataType::Float64, true);
    Ok(Aggregation {
        arguments,
        empty: Arc::new(ClusterSquares::default),
        read: Arc::new(|rows| {
            let numbers: Vec<ScalarValue> = rows.numbers().map(ScalarValue::from).collect();
            let list = ScalarValue::new_list_nullable(&numbers, &DataType::Float64);
            Ok(ScalarValue::List(list))
        }),
        output,
    })
}

fn clustered(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(profile) = bytes(values, 0) else {
        return Ok(ScalarValue::BinaryView(None));
    };
    let told = |error| exec_datafusion_err!("{}: {error}", spec.name);
    let profile = weighted_profile(spec, profile)?;
    let profile = ClusteredProfile::new(profile, texts(values, 1), numbers(values, 2));
    let profile = match numbers(values, 3).as_slice() {
        [] => {
            // refuses what is no metric of the profile
            profile.influences().map_err(told)?;
            profile
        }
        sums => profile.with_squares(sums).map_err(told)?,
    };
    Ok(ScalarValue::BinaryView(Some(profile.to_bytes())))
}

/// The weighted profile that an argument holds.
pub(super) fn weighted_profile(spec: &FunctionSpec, profile: &[u8]) -> Result<WeightedProfile> {
    match Profile::from_bytes(profile)? {
        Profile::Weighted(profile) => Ok(*profile),
        other => exec_err!(
            "{}: the profile is a {} profile. Expected a weighted one. Hint: weighted_score_profile(...)",
            spec.name,
            other.kind()
        ),
    }
}
