//! `fit_class_calibrators`, `class_estimates` and `evaluate_classes`: estimates for several classes, step by step.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::calibration::{calibration_mode, not_fitted};
use super::evaluate::{Evaluated, list_of};
use super::evaluate_realized::output;
use super::profiles::{digest_limits, profile_of};
use super::scalar::scalar;
use super::shared_arguments::{
    CLASS_LABEL, CLASS_MAX_BINS, CLASS_MIN_LEVEL, CLASS_PREDICTION, CONFIDENCE_LEVEL, METRICS,
};
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, number, numbers, text, texts};
use crate::accumulate::{Aggregation, Arguments, ClassEstimateRows};
use crate::kernel::multiclass::{
    ClassCalibrators, ClassEstimates, ClassEstimator, MulticlassMetric, RealizedClasses,
};
use crate::kernel::profile::Profile;
use crate::kernel::reading::{Reading, Status};
use crate::kernel::threshold_text::Judged;
use crate::suggest::expected_one_of;

static FIT: FunctionSpec = FunctionSpec {
    name: "fit_class_calibrators",
    description: "Fits the map from score to probability of each class against all others, on the labelled rows of a profile.",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "A multiclass profile with labels of all classes.",
        ),
        (
            "calibrate",
            Role::Text,
            "'auto' (default: of each class, if its calibration error falls, cross-fitted), 'always' or 'never'; several after commas for each class in turn.",
        ),
    ],
    required: 1,
    example: "SELECT fit_class_calibrators(multiclass_profile(y_true, y_pred, {'basic': p1, 'pro': p2})) FROM reference",
};

static CLASS_ESTIMATES: FunctionSpec = FunctionSpec {
    name: "class_estimates",
    description: "A bounded, mergeable summary of a chunk under calibrators: what is expected of its rows, from which estimates for \
                  several classes follow, and its labels, from which realized values do. NULL without rows.",
    arguments: &[
        CLASS_LABEL,
        CLASS_PREDICTION,
        (
            "scores",
            Role::Record,
            "Score of each class by its name, as in {'basic': p1, 'pro': p2}.",
        ),
        (
            "calibrators",
            Role::Bytes,
            "What fit_class_calibrators returned for the reference.",
        ),
        CLASS_MAX_BINS,
        CLASS_MIN_LEVEL,
    ],
    required: 4,
    example: "SELECT week, class_estimates(NULL, y_pred, {'basic': p1, 'pro': p2}, (SELECT calibrators FROM fitted)) FROM analysis GROUP BY week",
};

static EVALUATE: FunctionSpec = FunctionSpec {
    name: "evaluate_classes",
    description: "Estimated and realized metrics of a chunk with several classes, one element each.",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "What class_estimates returned for the chunk.",
        ),
        (
            "calibrators",
            Role::Bytes,
            "The calibrators that it was made with.",
        ),
        METRICS,
        (
            "value_matrix",
            Role::Numbers,
            "Value of a row by label, then by prediction; NULL without business values.",
        ),
        CONFIDENCE_LEVEL,
    ],
    required: 5,
    example: "SELECT week, evaluate_classes(estimates, calibrators, ['f1'], NULL, 0.95) FROM weeks",
};

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<ClassEstimateRows>(
        &CLASS_ESTIMATES,
        DataType::BinaryView,
        estimates,
    )?])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![
        scalar(&FIT, DataType::BinaryView, fit)?,
        scalar(&EVALUATE, output(), evaluate)?,
    ])
}

fn estimates(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<ClassEstimateRows>> {
    let limits = digest_limits(&arguments, 4)?;
    Ok(profile_of(arguments, move || {
        ClassEstimateRows::new(limits)
    }))
}

fn fit(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(profile) = bytes(values, 0) else {
        return Ok(ScalarValue::BinaryView(None));
    };
    let words = text(values, 1).unwrap_or("auto");
    let modes = words
        .split(',')
        .map(|word| calibration_mode(spec.name, Some(word.trim())));
    let modes = modes.collect::<Result<Vec<_>>>()?;
    let mut profile = match Profile::from_bytes(profile)? {
        Profile::Multiclass(profile) => profile,
        other => {
            return exec_err!(
                "{}: the profile is a {} profile. Expected a multiclass profile. \
                 Hint: multiclass_profile(label, prediction, {{'basic': p1, 'pro': p2}})",
                spec.name,
                other.kind()
            );
        }
    };
    let fitted = ClassCalibrators::fit(&mut profile, &modes);
    let fitted = fitted.map_err(|e| not_fitted(spec.name, &e))?;
    Ok(ScalarValue::BinaryView(Some(fitted.to_bytes())))
}

fn evaluate(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let confidence = number(values, 4).unwrap_or(0.95);
    let calibrators = bytes(values, 1)
        .map(ClassCalibrators::from_bytes)
        .transpose()?;
    let chunk = bytes(values, 0)
        .map(ClassEstimates::from_bytes)
        .transpose()?;
    let classes = match (&chunk, &calibrators) {
        (Some(chunk), _) => chunk.classes().to_vec(),
        (None, Some(calibrators)) => calibrators.classes().to_vec(),
        (None, None) => return nothing(spec, values),
    };
    if let Some(other) = calibrators.as_ref().filter(|fit| fit.classes() != classes) {
        return exec_err!(
            "{}: the chunk has the classes {}, and the calibrators are of {}. Expected the same in the same order",
            spec.name,
            classes.join(", "),
            other.classes().join(", ")
        );
    }
    let matrix = numbers(values, 3);
    let mut chunk = match chunk {
        Some(chunk) => chunk,
        None => ClassEstimates::new(classes.clone(), Default::default())?,
    };
    let realized = RealizedClasses::new(chunk.realized());
    let estimator = calibrators
        .as_ref()
        .map(|fit| ClassEstimator::new(&chunk, fit));
    let mut found = vec![];
    for metric in metrics(spec, values)? {
        if metric.needs_value_matrix() && matrix.len() != classes.len() * classes.len() {
            return exec_err!(
                "{}: metric {metric} needs the value of each label and prediction. Expected value_matrix with {} numbers, got {}",
                spec.name,
                classes.len() * classes.len(),
                matrix.len()
            );
        }
        let of_labels = realized.readings(metric, &matrix, confidence);
        let of_scores = estimator
            .as_ref()
            .map(|estimator| estimator.readings(metric, &matrix, confidence));
        for (at, known) in of_labels.into_iter().enumerate() {
            let estimate = of_scores
                .as_ref()
                .and_then(|all| all.get(at))
                .map(|found| found.reading);
            let labelled = known.reading.labelled_count;
            let estimate =
                estimate.unwrap_or_else(|| Reading::undefined(Status::NoReference, 0, labelled));
            found.push(beside(metric, known.column_name, estimate, known.reading));
        }
    }
    list_of(&found)
}

fn beside(
    metric: MulticlassMetric,
    column_name: Option<String>,
    mut estimate: Reading,
    realized: Reading,
) -> Evaluated {
    if estimate.is_coarse() || realized.is_coarse() {
        estimate.status = estimate.status.worst(Status::Coarse);
    }
    Evaluated {
        metric: metric.name().into(),
        column_name,
        estimate,
        judged: estimate,
        realized,
        labelled: Reading::default(),
        p_value: None,
    }
}

/// A chunk of no rows in a group that the reference lacks: nothing tells its classes.
fn nothing(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let none = Reading::undefined(Status::NoReference, 0, 0);
    let metrics = metrics(spec, values)?.into_iter();
    list_of(
        &metrics
            .map(|metric| beside(metric, None, none, none))
            .collect::<Vec<_>>(),
    )
}

fn metrics(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<Vec<MulticlassMetric>> {
    let parse = |name: String| match MulticlassMetric::parse(&name) {
        Some(metric) => Ok(metric),
        None => exec_err!(
            "{}: unknown metric '{name}'. {}",
            spec.name,
            expected_one_of(&name, &MulticlassMetric::names())
        ),
    };
    texts(values, 2).into_iter().map(parse).collect()
}
