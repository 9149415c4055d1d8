//! NannyML's estimator of several classes beside `estimate_performance`.
//!
//! Estimates of ROC AUC and average precision are those of the kernel with this crate's corrections undone, moved by how
//! NannyML orders tied scores of small chunks (`tied.rs`).
use std::collections::HashMap;
use std::path::Path;

use datafusion::common::ScalarValue;
use datafusion::prelude::SessionContext;
use modelwatch::kernel::calibrator::CalibrationMode;
use modelwatch::kernel::estimate::Corrections;
use modelwatch::kernel::multiclass::{
    ClassCalibrators, ClassEstimates, ClassEstimator, MulticlassMetric, MulticlassProfile,
};

use crate::answer::{Chunk, answer};
use crate::columns::{self, Question};
use crate::compare::RANKING;
use crate::models;
use crate::record::{self, Failure, Record};
use crate::report::Report;
use crate::session::{self, cell, text};
use crate::tied;

/// Largest relative difference of an estimate that orders rows, and of all others.
const BARS: (f64, f64) = (1e-5, 1e-9);

/// The records of estimators of several classes, sorted.
pub fn find(folder: &Path) -> Result<Vec<Record>, Failure> {
    let mut records = record::find(folder, |name| name == "cbpe")?;
    records.retain(|record| record.parameters["problem_type"] == "classification_multiclass");
    Ok(records)
}

/// Compares every figure of a file.
pub async fn report(record: &Record) -> Result<Report, Failure> {
    let session = session::open(&record.data, &["reference", "analysis"]).await?;
    let calibrators = calibrators(&session, record).await?;
    let arguments = models::arguments(record);
    let mut chunks = answer(&session, record, "estimate_performance", &arguments).await?;
    if record.words("metrics").contains(&"roc_auc") {
        for relation in ["reference", "analysis"] {
            let undone = undone(&session, record, &calibrators, relation).await?;
            let of_relation = chunks.iter_mut().filter(|chunk| chunk.dataset == relation);
            for (chunk, undone) in of_relation.zip(undone) {
                replace(chunk, &undone);
            }
        }
    }
    let normalized = record.parameters["normalize_confusion_matrix"].as_str();
    if let Some(kind) = normalized {
        chunks
            .iter_mut()
            .for_each(|chunk| models::normalize(chunk, kind));
    }
    let question = Question {
        metric: None,
        series: models::series,
        counts: false,
        judged: normalized.is_none(),
        alert: |_, ours| ours.alert,
        flawed: |_, _| None,
        bar: |metric| {
            if RANKING.contains(&metric) {
                BARS.0
            } else {
                BARS.1
            }
        },
        small: 0.0,
    };
    let outcome = columns::compare(record, &question, &chunks)?;
    Ok(Report::of_columns(
        &record.name(),
        "estimates for several classes",
        &outcome,
    ))
}

/// The calibrators of the whole reference, which must have the corners of NannyML's.
async fn calibrators(
    session: &SessionContext,
    record: &Record,
) -> Result<ClassCalibrators, Failure> {
    let sql = format!(
        "SELECT multiclass_profile(y_true, y_pred, {}) AS profile FROM reference",
        models::scores(record)
    );
    let batches = session.sql(&sql).await?.collect().await?;
    let mut profile = MulticlassProfile::from_bytes(&bytes(&cell(&batches[0], "profile", 0)?)?)
        .map_err(|e| e.to_string())?;
    let mode = |word| match word {
        "always" => CalibrationMode::Always,
        _ => CalibrationMode::Never,
    };
    let modes: Vec<CalibrationMode> = models::calibration(record).into_iter().map(mode).collect();
    let fitted = ClassCalibrators::fit(&mut profile, &modes).map_err(|e| e.to_string())?;
    for (class, calibrator) in fitted.classes().iter().zip(fitted.calibrators()) {
        let theirs = &record.fitted["calibrators"][class];
        let axis = |name: &str| theirs[name].as_array().cloned().unwrap_or_default();
        for (x, y) in axis("x").iter().zip(axis("y")) {
            let (x, y) = (
                x.as_f64().unwrap_or_default(),
                y.as_f64().unwrap_or_default(),
            );
            let ours = calibrator.calibrate(x).unwrap_or(f64::NAN);
            if (ours - y).abs() > BARS.1 * y {
                return Err(format!("{class}: {x} becomes {ours} and not {y}").into());
            }
        }
    }
    Ok(fitted)
}

fn bytes(value: &ScalarValue) -> Result<Vec<u8>, Failure> {
    match value {
        ScalarValue::BinaryView(Some(bytes)) => Ok(bytes.clone()),
        other => Err(format!("expected bytes, got {other}").into()),
    }
}

/// Estimates of the ranking metrics of each chunk with the corrections, and the sharing of tied scores, undone.
async fn undone(
    session: &SessionContext,
    record: &Record,
    calibrators: &ClassCalibrators,
    relation: &str,
) -> Result<Vec<HashMap<&'static str, Option<f64>>>, Failure> {
    let key = session::key(&record.chunking, relation, "timestamp")?;
    let small = tied::small_chunks(session, record, relation, &key).await?;
    let sql = format!(
        "SELECT key, class_estimates(CAST(NULL AS VARCHAR), y_pred, {}, X'{}', {}) AS profile \
         FROM (SELECT *, {key} AS key FROM {relation}) GROUP BY key ORDER BY key",
        models::scores(record),
        hex(&calibrators.to_bytes()),
        session::MAX_BINS,
    );
    let mut found = vec![];
    for batch in session.sql(&sql).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let profile = bytes(&cell(&batch, "profile", row)?)?;
            let profile = ClassEstimates::from_bytes(&profile).map_err(|e| e.to_string())?;
            let estimator = ClassEstimator::new(&profile, calibrators);
            let rows = small.get(&text(&batch, "key", row)?);
            let of = |name: &'static str| {
                let metric = MulticlassMetric::parse(name)?;
                let readings = estimator.readings_with(metric, &[], 0.95, Corrections::Undone);
                let shift = rows.map_or(0.0, |rows| tied::shift(rows, calibrators, name));
                let value = readings.first()?.reading.value;
                Some((name, value.map(|value| value + shift)))
            };
            found.push(RANKING.into_iter().filter_map(of).collect());
        }
    }
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts the estimates of the ranking metrics, and the alerts that they give, in place of ours.
fn replace(chunk: &mut Chunk, undone: &HashMap<&'static str, Option<f64>>) {
    for (metric, value) in undone {
        if let Some(figures) = chunk.figures.get_mut(&models::series(metric)) {
            figures.value = *value;
            let outside = |value: f64| {
                figures.lower.is_some_and(|l| value < l) || figures.upper.is_some_and(|u| value > u)
            };
            figures.alert = figures.alert.and(*value).map(outside);
        }
    }
}
