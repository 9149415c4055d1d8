//! `weighted_score_profile`, `weighted_multiclass_profile` and `weighted_regression_profile`: profiles of rows that count
//! unequally.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::profiles::{digest_limits, profile_of};
use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, WeightedClassRows, named_classes};
use crate::kernel::multiclass::WeightedClasses;
use crate::kernel::regression::WeightedRegression;
use crate::kernel::weighted_scores::WeightedScores;

const WEIGHT: Argument = (
    "weight",
    Role::Number,
    "What the row counts, 1e-6 to 1e9; a row of NULL or 0 is labelled and not used.",
);
const MAX_BINS: Argument = (
    "max_bins",
    Role::Integer,
    "Most bins to keep; 6144 by default.",
);
const MIN_LEVEL: Argument = (
    "min_level",
    Role::Integer,
    "Low bits to drop from every number, 0 (default) to 60.",
);

static SCORES: FunctionSpec = FunctionSpec {
    name: "weighted_score_profile",
    description: "A bounded, mergeable summary of labelled scores of rows that count unequally, from which realized metrics of a \
                  binary classifier follow.",
    arguments: &[
        (
            "label",
            Role::Class,
            "Realized class, 0/1 or boolean; a row of NULL leaves nothing.",
        ),
        (
            "prediction",
            Role::Class,
            "Predicted class, 0/1 or boolean; NULL where there is none.",
        ),
        (
            "score",
            Role::Number,
            "Model output, higher for the positive class; NULL where there is none.",
        ),
        WEIGHT,
        MAX_BINS,
        MIN_LEVEL,
    ],
    required: 4,
    example: "SELECT date_trunc('month', timestamp) AS month, weighted_score_profile(y_true, y_pred, y_pred_proba, amount) AS profile\n\
              FROM predictions GROUP BY 1",
};

static CLASSES: FunctionSpec = FunctionSpec {
    name: "weighted_multiclass_profile",
    description: "A bounded, mergeable summary of a classifier of several classes of rows that count unequally, from which \
                  realized metrics follow. NULL without rows.",
    arguments: &[
        (
            "label",
            Role::Category,
            "Realized class; a row of NULL leaves nothing.",
        ),
        (
            "prediction",
            Role::Category,
            "Predicted class; NULL where there is none.",
        ),
        (
            "scores",
            Role::Record,
            "Score of each class by its name, as in {'basic': p1, 'pro': p2}; NULL where there are none.",
        ),
        WEIGHT,
        (
            "classes",
            Role::Texts,
            "Names of the classes in order; default: those of scores.",
        ),
        MAX_BINS,
        MIN_LEVEL,
    ],
    required: 4,
    example: "SELECT weighted_multiclass_profile(y_true, y_pred, {'basic': p_basic, 'pro': p_pro}, amount) AS profile FROM predictions",
};

static REGRESSION: FunctionSpec = FunctionSpec {
    name: "weighted_regression_profile",
    description: "A bounded, mergeable summary of labels and predictions that are numbers, of rows that count unequally, from \
                  which realized metrics of a regression follow.",
    arguments: &[
        (
            "label",
            Role::Number,
            "Realized number; a row of NULL leaves nothing.",
        ),
        (
            "prediction",
            Role::Number,
            "Predicted number; NULL where there is none.",
        ),
        WEIGHT,
        MAX_BINS,
        MIN_LEVEL,
    ],
    required: 3,
    example: "SELECT weighted_regression_profile(y_true, y_pred, amount) AS profile FROM predictions",
};

pub(super) fn all() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![
        aggregate::<WeightedScores>(&SCORES, DataType::BinaryView, scores)?,
        aggregate::<WeightedClassRows>(&CLASSES, DataType::BinaryView, classes)?,
        aggregate::<WeightedRegression>(&REGRESSION, DataType::BinaryView, regression)?,
    ])
}

fn scores(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<WeightedScores>> {
    let limits = digest_limits(&arguments, 4)?;
    Ok(profile_of(arguments, move || WeightedScores::new(limits)))
}

fn regression(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<WeightedRegression>> {
    let limits = digest_limits(&arguments, 3)?;
    Ok(profile_of(arguments, move || {
        WeightedRegression::new(limits)
    }))
}

fn classes(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<WeightedClassRows>> {
    let limits = digest_limits(&arguments, 5)?;
    if let Some(classes) = named_classes(&arguments, 4)? {
        // refuses classes that cannot be told apart
        WeightedClasses::new(classes, limits)?;
    }
    Ok(profile_of(arguments, move || {
        WeightedClassRows::new(limits)
    }))
}
