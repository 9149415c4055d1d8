//! `multiclass_profile`: the aggregate from which realized metrics of several classes are read.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::profiles::{digest_limits, profile_of};
use super::shared_arguments::{CLASS_LABEL, CLASS_MAX_BINS, CLASS_MIN_LEVEL, CLASS_PREDICTION};
use super::spec::{FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, MulticlassRows, named_classes};
use crate::kernel::multiclass::MulticlassProfile;

static MULTICLASS_PROFILE: FunctionSpec = FunctionSpec {
    name: "multiclass_profile",
    description: "A bounded, mergeable summary of a classifier of several classes: rows by label and prediction, and the scores \
                  of each class against all others, from which realized metrics follow. NULL without rows.",
    arguments: &[
        CLASS_LABEL,
        CLASS_PREDICTION,
        (
            "scores",
            Role::Record,
            "Score of each class by its name, as in {'basic': p1, 'pro': p2}; NULL where there are none.",
        ),
        (
            "classes",
            Role::Texts,
            "Names of the classes in order; default: those of scores.",
        ),
        CLASS_MAX_BINS,
        CLASS_MIN_LEVEL,
    ],
    required: 3,
    example: "SELECT date_trunc('month', timestamp) AS month,\n\
              \x20      multiclass_profile(y_true, y_pred, {'basic': p_basic, 'plus': p_plus, 'pro': p_pro}) AS profile\n\
              FROM predictions GROUP BY 1",
};

pub(super) fn all() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<MulticlassRows>(
        &MULTICLASS_PROFILE,
        DataType::BinaryView,
        profile,
    )?])
}

fn profile(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<MulticlassRows>> {
    let limits = digest_limits(&arguments, 4)?;
    if let Some(classes) = named_classes(&arguments, 3)? {
        // refuses classes that cannot be told apart
        MulticlassProfile::new(classes, limits)?;
    }
    Ok(profile_of(arguments, move || MulticlassRows::new(limits)))
}
