//! `fit_calibrator`, `calibrate` and `estimate_metric`: label-free estimation by hand, step by step.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_float64_array;
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF};

use super::scalar::{scalar, scalar_of_batch};
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, number, text, value_matrix};
use crate::kernel::KernelError;
use crate::kernel::calibrator::{CalibrationMode, Calibrator};
use crate::kernel::estimate::Estimator;
use crate::kernel::metric::Metric;
use crate::kernel::score_profile::ScoreProfile;
use crate::suggest::expected_one_of;

static FIT_CALIBRATOR: FunctionSpec = FunctionSpec {
    name: "fit_calibrator",
    description: "Fits the map from score to probability on the labelled rows of a profile: isotonic regression, or the \
                  raw score where calibration would not help.",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "A score profile with labels of both classes.",
        ),
        (
            "calibrate",
            Role::Text,
            "'auto' (default: if the calibration error falls, cross-fitted), 'always' or 'never'.",
        ),
    ],
    required: 1,
    example: "SELECT fit_calibrator(score_profile(y_true, y_pred, y_pred_proba)) FROM reference",
};

static CALIBRATE: FunctionSpec = FunctionSpec {
    name: "calibrate",
    description: "The probability of the positive class at a score; NULL for a score that is NULL, NaN or infinite.",
    arguments: &[
        ("score", Role::Number, "Model output."),
        ("calibrator", Role::Bytes, "What fit_calibrator returned."),
    ],
    required: 2,
    example: "SELECT calibrate(y_pred_proba, (SELECT fit_calibrator(score_profile(y_true, y_pred, y_pred_proba)) FROM reference))\n\
              FROM analysis",
};

static ESTIMATE_METRIC: FunctionSpec = FunctionSpec {
    name: "estimate_metric",
    description: "A metric of the profile's rows, estimated without their labels (CBPE).",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "The score profile of the rows to be judged.",
        ),
        (
            "calibrator",
            Role::Bytes,
            "What fit_calibrator returned for the reference.",
        ),
        ("metric", Role::Text, "Name of a metric, such as 'roc_auc'."),
        (
            "value_matrix",
            Role::Numbers,
            "Value of a row by outcome [tn, fp, fn, tp], for the business values.",
        ),
    ],
    required: 3,
    example: "SELECT estimate_metric(score_profile(NULL, y_pred, y_pred_proba),\n\
              \x20      (SELECT fit_calibrator(score_profile(y_true, y_pred, y_pred_proba)) FROM reference), 'roc_auc')\n\
              FROM analysis",
};

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![
        scalar(&FIT_CALIBRATOR, DataType::BinaryView, fit)?,
        scalar_of_batch(&CALIBRATE, DataType::Float64, calibrate, calibrate_batch)?,
        scalar(&ESTIMATE_METRIC, DataType::Float64, estimate)?,
    ])
}

/// Reads `auto`, `always` or `never`.
pub(super) fn calibration_mode(function: &str, word: Option<&str>) -> Result<CalibrationMode> {
    match word {
        None | Some("auto") => Ok(CalibrationMode::Auto),
        Some("always") => Ok(CalibrationMode::Always),
        Some("never") => Ok(CalibrationMode::Never),
        Some(other) => {
            exec_err!("{function}: calibrate is '{other}'. Expected 'auto', 'always' or 'never'")
        }
    }
}

/// A refusal to fit, with the way out: scores are probabilities only if nobody calibrates them.
pub(super) fn not_fitted(function: &str, error: &KernelError) -> DataFusionError {
    match error {
        KernelError::NotAProbability(_) => exec_datafusion_err!(
            "{function}: {error}, and calibrate is 'never'. Expected scores that are probabilities. \
             Hint: calibrate => 'auto'"
        ),
        _ => exec_datafusion_err!("{function}: {error}"),
    }
}

fn fit(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(profile) = bytes(values, 0) else {
        return Ok(ScalarValue::BinaryView(None));
    };
    let mode = calibration_mode(spec.name, text(values, 1))?;
    let mut profile = ScoreProfile::from_bytes(profile)?;
    let fitted = Calibrator::fit(&profile.bins(), mode).map_err(|e| not_fitted(spec.name, &e))?;
    Ok(ScalarValue::BinaryView(Some(fitted.to_bytes())))
}

fn calibrate(_: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (Some(score), Some(calibrator)) = (number(values, 0), bytes(values, 1)) else {
        return Ok(ScalarValue::Float64(None));
    };
    let calibrator = Calibrator::from_bytes(calibrator)?;
    Ok(ScalarValue::Float64(calibrator.calibrate(score)))
}

/// One calibrator for all rows is read once.
fn calibrate_batch(_: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let [
        ColumnarValue::Array(scores),
        ColumnarValue::Scalar(calibrator),
    ] = values
    else {
        return Ok(None);
    };
    let Some(calibrator) = bytes(std::slice::from_ref(calibrator), 0) else {
        return Ok(None);
    };
    let calibrator = Calibrator::from_bytes(calibrator)?;
    let scores = as_float64_array(scores)?;
    let calibrated: Float64Array = scores.iter().map(|s| calibrator.calibrate(s?)).collect();
    Ok(Some(Arc::new(calibrated)))
}

fn estimate(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let name = text(values, 2).unwrap_or_default();
    let Some(metric) = Metric::parse(name) else {
        let names: Vec<&str> = Metric::ALL.iter().map(|m| m.name()).collect();
        return exec_err!(
            "{}: unknown metric '{name}'. {}",
            spec.name,
            expected_one_of(name, &names)
        );
    };
    let matrix = value_matrix(spec, values, 3, &[metric])?;
    let (Some(profile), Some(calibrator)) = (bytes(values, 0), bytes(values, 1)) else {
        return Ok(ScalarValue::Float64(None));
    };
    let mut profile = ScoreProfile::from_bytes(profile)?;
    let calibrator = Calibrator::from_bytes(calibrator)?;
    let reading = Estimator::new(&profile.bins(), &calibrator).reading(metric, matrix, 0.95);
    Ok(ScalarValue::Float64(reading.value))
}
