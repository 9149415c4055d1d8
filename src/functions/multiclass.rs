//! `multiclass_profile`: the aggregate from which realized metrics of several classes are read.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::profiles::digest_limits;
use super::spec::{FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, MulticlassRows, named_classes};
use crate::kernel::multiclass::MulticlassProfile;

static MULTICLASS_PROFILE: FunctionSpec = FunctionSpec {
    name: "multiclass_profile",
    description: "A bounded, mergeable summary of a classifier of several classes: rows by label and prediction, and the scores \
                  of each class against all others, from which realized metrics follow. NULL without rows.",
    arguments: &[
        (
            "label",
            Role::Category,
            "Realized class; NULL where not known yet.",
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
        (
            "classes",
            Role::Texts,
            "Names of the classes in order; default: those of scores.",
        ),
        (
            "max_bins",
            Role::Integer,
            "Most bins to keep of each class; 6144 by default.",
        ),
        (
            "min_level",
            Role::Integer,
            "Low bits to drop from every score, 0 (default) to 60.",
        ),
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
    Ok(Aggregation {
        arguments,
        empty: Arc::new(move || MulticlassRows::new(limits)),
        read: Arc::new(|rows| {
            let profile = rows.profile.as_mut().map(MulticlassProfile::to_bytes);
            Ok(ScalarValue::BinaryView(profile))
        }),
        output: DataType::BinaryView,
    })
}
