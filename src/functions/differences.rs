//! Errors of the differences of two models: `score_difference_influences`, `class_difference_influences`,
//! `regression_difference_influences` and `paired_profile`, the steps of `realized_performance` with a challenger.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::clusters::{WEIGHT, weighted_profile};
use super::profiles::profile_of;
use super::scalar::scalar;
use super::spec::{Argument, FunctionSpec, Role};
use super::values::{bytes, numbers, texts};
use crate::accumulate::{
    Aggregation, Arguments, ClassifiedRows, DifferenceRows, ModelRows, PredictedRows, ScoredRows,
};
use crate::kernel::paired::PairedProfile;

const PAIR: Argument = (
    "pair",
    Role::Bytes,
    "Paired profile of the chunk, with the metrics.",
);
const EACH_ROW: Argument = (
    "each_row",
    Role::Flag,
    "true: rows are independent, and each is squared by itself; false (default): totals of the rows of a cluster.",
);

static SCORES: FunctionSpec = FunctionSpec {
    name: "score_difference_influences",
    description: "What rows do to the differences of the metrics of two binary classifiers in their chunk, added up for \
                  cluster_squares.",
    arguments: &[
        ("label", Role::Class, "Realized class, 0/1 or boolean."),
        (
            "prediction_a",
            Role::Class,
            "Class that model a, the champion, predicts.",
        ),
        ("score_a", Role::Number, "Score of model a."),
        (
            "prediction_b",
            Role::Class,
            "Class that model b, the challenger, predicts.",
        ),
        ("score_b", Role::Number, "Score of model b."),
        WEIGHT,
        PAIR,
        EACH_ROW,
    ],
    required: 7,
    example: "SELECT score_difference_influences(y_true, a > 0.5, a, b > 0.5, b, 1, pair, true) FROM predictions, pair",
};

static CLASSES: FunctionSpec = FunctionSpec {
    name: "class_difference_influences",
    description: "What rows do to the differences of the metrics of two classifiers of several classes in their chunk, added up \
                  for cluster_squares.",
    arguments: &[
        ("label", Role::Category, "Realized class."),
        (
            "prediction_a",
            Role::Category,
            "Class that model a, the champion, predicts.",
        ),
        (
            "scores_a",
            Role::Record,
            "Its score of each class by name; NULL where there are none.",
        ),
        (
            "prediction_b",
            Role::Category,
            "Class that model b, the challenger, predicts.",
        ),
        (
            "scores_b",
            Role::Record,
            "Its score of each class by name; NULL where there are none.",
        ),
        WEIGHT,
        PAIR,
        EACH_ROW,
        (
            "classes",
            Role::Texts,
            "Names of the classes in order; default: those of scores.",
        ),
    ],
    required: 7,
    example: "SELECT class_difference_influences(y_true, a, NULL, b, NULL, 1, pair, true, ['basic', 'pro']) FROM predictions, pair",
};

static REGRESSION: FunctionSpec = FunctionSpec {
    name: "regression_difference_influences",
    description: "What rows do to the differences of the metrics of two regressions in their chunk, added up for cluster_squares.",
    arguments: &[
        ("label", Role::Number, "Realized number."),
        (
            "prediction_a",
            Role::Number,
            "Number that model a, the champion, predicts.",
        ),
        (
            "prediction_b",
            Role::Number,
            "Number that model b, the challenger, predicts.",
        ),
        WEIGHT,
        PAIR,
        EACH_ROW,
    ],
    required: 5,
    example: "SELECT regression_difference_influences(y_true, a, b, 1, pair, true) FROM predictions, pair",
};

static PAIRED: FunctionSpec = FunctionSpec {
    name: "paired_profile",
    description: "Weighted profiles of two models on the same rows with the metrics that are asked of their difference, and, \
                  where the sums over rows or clusters are given, what they tell of errors.",
    arguments: &[
        (
            "profile_a",
            Role::Bytes,
            "Weighted profile of model a, the champion.",
        ),
        (
            "profile_b",
            Role::Bytes,
            "Weighted profile of model b, the challenger.",
        ),
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
        (
            "champion",
            Role::Bytes,
            "Profile of the champion on all its rows, whose own metrics are told beside the differences; NULL without.",
        ),
    ],
    required: 5,
    example: "SELECT paired_profile(weighted_score_profile(y_true, a > 0.5, a, 1), weighted_score_profile(y_true, b > 0.5, b, 1), \
              ['roc_auc'], NULL, NULL) FROM predictions",
};

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![
        influences::<ScoredRows>(&SCORES)?,
        influences::<ClassifiedRows>(&CLASSES)?,
        influences::<PredictedRows>(&REGRESSION)?,
    ])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar(&PAIRED, DataType::BinaryView, paired)?])
}

fn influences<M: ModelRows>(spec: &'static FunctionSpec) -> Result<Arc<AggregateUDF>> {
    aggregate::<DifferenceRows<M>>(spec, DataType::BinaryView, difference_rows)
}

fn difference_rows<M: ModelRows>(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<DifferenceRows<M>>> {
    let flag = spec
        .arguments
        .iter()
        .position(|(name, ..)| *name == EACH_ROW.0);
    let each_row = match arguments.constant(flag.unwrap_or(0), EACH_ROW.0)? {
        None => false,
        Some(ScalarValue::Boolean(Some(each_row))) => *each_row,
        Some(other) => {
            return plan_err!(
                "{}: argument 'each_row' is {other}. Expected true or false",
                spec.name
            );
        }
    };
    Ok(profile_of(arguments, move || DifferenceRows::new(each_row)))
}

fn paired(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (Some(a), Some(b)) = (bytes(values, 0), bytes(values, 1)) else {
        return Ok(ScalarValue::BinaryView(None));
    };
    let told = |error| exec_datafusion_err!("{}: {error}", spec.name);
    let models = [weighted_profile(spec, a)?, weighted_profile(spec, b)?];
    let pair = PairedProfile::new(models, texts(values, 2), numbers(values, 3));
    let pair = match numbers(values, 4) {
        sums if sums.is_empty() => {
            // refuses what is no metric of the profiles
            pair.influences().map_err(told)?;
            pair
        }
        sums => {
            let champion = bytes(values, 5).unwrap_or_default();
            pair.with_squares(sums, champion.to_vec()).map_err(told)?
        }
    };
    Ok(ScalarValue::BinaryView(Some(pair.to_bytes())))
}
