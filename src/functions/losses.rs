//! `loss_estimates` and `evaluate_losses`: direct loss estimation over chunks, step by step.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::evaluate::{Evaluated, list_of};
use super::evaluate_realized::output;
use super::profiles::digest_limits;
use super::scalar::scalar;
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, number, texts};
use crate::accumulate::{Aggregation, Arguments, LossRows};
use crate::kernel::reading::Status;
use crate::kernel::regression::{
    LossEstimates, LossEstimator, RealizedRegression, RegressionMetric,
};
use crate::kernel::threshold_text::Judged;
use crate::suggest::expected_one_of;

static LOSS_ESTIMATES: FunctionSpec = FunctionSpec {
    name: "loss_estimates",
    description: "A bounded, mergeable summary of what is expected of the losses of rows, and of their labels, from which estimates \
                  and realized metrics of a regression follow. NULL without rows.",
    arguments: &[
        (
            "label",
            Role::Number,
            "Realized number; NULL where not known yet.",
        ),
        (
            "prediction",
            Role::Number,
            "Predicted number; a row without it has no loss.",
        ),
        (
            "expected",
            Role::Record,
            "Expected losses by the names absolute, relative, squared, logarithmic, signed, as in {'absolute': predict_gbdt(...)}.",
        ),
        (
            "max_bins",
            Role::Integer,
            "Most bins of realized absolute errors to keep; 6144 by default.",
        ),
        (
            "min_level",
            Role::Integer,
            "Low bits to drop from every absolute error, 0 (default) to 60.",
        ),
    ],
    required: 3,
    example: "SELECT week, loss_estimates(NULL, y_pred, {'absolute': predict_gbdt((SELECT model FROM fitted), {'age': age})}) FROM analysis GROUP BY week",
};

static EVALUATE_LOSSES: FunctionSpec = FunctionSpec {
    name: "evaluate_losses",
    description: "Estimated and realized metrics of a chunk of a regression, one element each.",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "What loss_estimates returned for the chunk.",
        ),
        (
            "reference",
            Role::Bytes,
            "The same of all rows that the losses were learnt from.",
        ),
        ("metrics", Role::Texts, "Names of metrics."),
        (
            "confidence_level",
            Role::Number,
            "Confidence level of the bounds.",
        ),
    ],
    required: 4,
    example: "SELECT week, evaluate_losses(losses, (SELECT losses FROM reference_losses), ['mae'], 0.95) FROM weeks",
};

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<LossRows>(
        &LOSS_ESTIMATES,
        DataType::BinaryView,
        estimates,
    )?])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar(&EVALUATE_LOSSES, output(), evaluate)?])
}

fn estimates(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<LossRows>> {
    let limits = digest_limits(&arguments, 3)?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(move || LossRows::new(limits)),
        read: Arc::new(|rows| {
            let profile = rows.profile.as_mut().map(LossEstimates::to_bytes);
            Ok(ScalarValue::BinaryView(profile))
        }),
        output: DataType::BinaryView,
    })
}

fn evaluate(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let confidence = number(values, 3).unwrap_or(0.95);
    let reference = bytes(values, 1)
        .map(LossEstimates::from_bytes)
        .transpose()?;
    let mut chunk = match (bytes(values, 0), &reference) {
        (Some(bytes), _) => LossEstimates::from_bytes(bytes)?,
        (None, Some(reference)) => LossEstimates::new(&reference.losses(), Default::default()),
        (None, None) => LossEstimates::new(&[], Default::default()),
    };
    let realized = RealizedRegression::new(chunk.realized());
    let estimator = LossEstimator::new(&chunk, reference.as_ref());
    let of = |name: String| {
        let Some(metric) = RegressionMetric::parse(&name) else {
            return exec_err!(
                "{}: '{name}' is no metric of a regression. {}",
                spec.name,
                expected_one_of(&name, &RegressionMetric::names())
            );
        };
        let mut estimate = estimator.reading(metric, confidence);
        let realized = realized.reading(metric, confidence);
        if realized.is_coarse() {
            estimate.status = estimate.status.worst(Status::Coarse);
        }
        Ok(Evaluated {
            metric: metric.name(),
            column_name: None,
            estimate,
            judged: estimate,
            realized,
            labelled: estimator.labelled(metric, confidence),
        })
    };
    let found: Result<Vec<Evaluated>> = texts(values, 2).into_iter().map(of).collect();
    list_of(&found?)
}
