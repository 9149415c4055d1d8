//! `regression_loss`, `loss_estimates` and `evaluate_losses`: direct loss estimation over chunks, step by step.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{AggregateUDF, ColumnarValue, ScalarUDF};

use super::aggregate::aggregate;
use super::evaluate::{Evaluated, list_of};
use super::evaluate_realized::output;
use super::profiles::{digest_limits, profile_of};
use super::scalar::{scalar, scalar_of_batch};
use super::shared_arguments::{CONFIDENCE_LEVEL, ERROR_MIN_LEVEL, METRICS, NUMBER_LABEL};
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, number, text, texts};
use crate::accumulate::{Aggregation, Arguments, LossRows};
use crate::kernel::reading::Status;
use crate::kernel::regression::{
    Loss, LossEstimates, LossEstimator, RealizedRegression, RegressionMetric,
};
use crate::kernel::threshold_text::Judged;
use crate::suggest::expected_one_of;

static REGRESSION_LOSS: FunctionSpec = FunctionSpec {
    name: "regression_loss",
    description: "What a row of a regression loses, whose mean is a metric; NULL where it has no such loss or one beyond 1e145.",
    arguments: &[
        ("label", Role::Number, "Realized number."),
        ("prediction", Role::Number, "Predicted number."),
        (
            "loss",
            Role::Text,
            "'absolute', 'relative' (NULL where a label of 0 is missed), 'squared', 'logarithmic' (NULL below 0) or 'signed'.",
        ),
    ],
    required: 3,
    example: "SELECT fit_gbdt(regression_loss(y_true, y_pred, 'absolute'), {'age': age}) FROM reference",
};

static LOSS_ESTIMATES: FunctionSpec = FunctionSpec {
    name: "loss_estimates",
    description: "A bounded, mergeable summary of what is expected of the losses of rows, and of their labels, from which estimates \
                  and realized metrics of a regression follow. NULL without rows.",
    arguments: &[
        NUMBER_LABEL,
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
        ERROR_MIN_LEVEL,
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
        METRICS,
        CONFIDENCE_LEVEL,
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
    Ok(vec![
        scalar_of_batch(&REGRESSION_LOSS, DataType::Float64, loss_of_row, losses)?,
        scalar(&EVALUATE_LOSSES, output(), evaluate)?,
    ])
}

fn loss_of_row(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let loss = text(values, 2).map(|name| named(spec, name)).transpose()?;
    let row = loss.zip(number(values, 0)).zip(number(values, 1));
    let lost = row.and_then(|((loss, label), prediction)| loss.at(label, prediction));
    Ok(ScalarValue::Float64(lost))
}

/// One loss of all rows, which is how estimates call it.
fn losses(spec: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let [
        ColumnarValue::Array(labels),
        ColumnarValue::Array(predictions),
        ColumnarValue::Scalar(name),
    ] = values
    else {
        return Ok(None);
    };
    let Some(name) = name.try_as_str().flatten() else {
        return Ok(None);
    };
    let loss = named(spec, name)?;
    let rows = as_float64_array(labels)?
        .iter()
        .zip(as_float64_array(predictions)?);
    let lost: Float64Array = rows
        .map(|(label, prediction)| loss.at(label?, prediction?))
        .collect();
    Ok(Some(Arc::new(lost)))
}

fn named(spec: &FunctionSpec, name: &str) -> Result<Loss> {
    match Loss::parse(name) {
        Some(loss) => Ok(loss),
        None => exec_err!(
            "{}: '{name}' is no loss of a row. {}",
            spec.name,
            expected_one_of(name, &Loss::ALL.map(Loss::name))
        ),
    }
}

fn estimates(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<LossRows>> {
    let limits = digest_limits(&arguments, 3)?;
    Ok(profile_of(arguments, move || LossRows::new(limits)))
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
            metric: metric.name().into(),
            column_name: None,
            estimate,
            judged: estimate,
            realized,
            labelled: estimator.labelled(metric, confidence),
            p_value: None,
        })
    };
    let found: Result<Vec<Evaluated>> = texts(values, 2).into_iter().map(of).collect();
    list_of(&found?)
}
