//! NannyML's calculator of realized performance of several classes and of regressions beside `realized_performance`.
use std::path::Path;

use serde_json::Value;

use crate::answer::{Chunk, Series, answer};
use crate::columns::{self, Question};
use crate::record::{self, Failure, Record};
use crate::report::Report;
use crate::session;

/// Largest relative difference of a value.
const BAR: f64 = 1e-9;

/// The records of models that are no binary classifiers, sorted.
pub fn find(folder: &Path) -> Result<Vec<Record>, Failure> {
    let mut records = record::find(folder, |name| name == "realized")?;
    records.retain(|record| record.parameters["problem_type"] != "classification_binary");
    Ok(records)
}

/// Compares every figure of a file.
pub async fn report(record: &Record) -> Result<Report, Failure> {
    let session = session::open(&record.data, &["reference", "analysis", "targets"]).await?;
    let arguments = arguments(record);
    let mut chunks = answer(&session, record, "realized_performance", &arguments).await?;
    let normalized = record.parameters["normalize_confusion_matrix"].as_str();
    if let Some(kind) = normalized {
        chunks.iter_mut().for_each(|chunk| normalize(chunk, kind));
    }
    let question = Question {
        metric: None,
        series,
        counts: false,
        // limits of normalized cells are those of other values than ours
        judged: normalized.is_none(),
        alert: |_, ours| ours.alert,
        flawed: |_, _| None,
        bar: |_| BAR,
        small: 0.0,
    };
    let outcome = columns::compare(record, &question, &chunks)?;
    Ok(Report::of_columns(
        &record.name(),
        "realized values of other models",
        &outcome,
    ))
}

/// The arguments of a call besides the relations, the timestamp and the chunks.
pub fn arguments(record: &Record) -> String {
    let metrics = session::quoted(&record.words("metrics"));
    let labels = match record.calculator.as_str() {
        "realized" => "labels => targets, key => id, ",
        _ => "",
    };
    let shared = format!(
        "{labels}label => y_true, prediction => y_pred, metrics => [{metrics}], thresholds => stddev(3)"
    );
    if !record.parameters["y_pred_proba"].is_object() {
        return shared;
    }
    let values = match &record.parameters["business_value_matrix"] {
        Value::Array(_) => format!(
            ", value_matrix => {}",
            record.parameters["business_value_matrix"]
        ),
        _ => String::new(),
    };
    let calibrate = match record.calculator.as_str() {
        "cbpe" => format!(", calibrate => [{}]", session::quoted(&calibration(record))),
        _ => String::new(),
    };
    format!("{shared}, score => {}{values}{calibrate}", scores(record))
}

/// Whether NannyML calibrates each class, in their order; of close calls other folds decide otherwise.
pub fn calibration(record: &Record) -> Vec<&'static str> {
    let calibrators = record.fitted["calibrators"].as_object();
    let mut calibrators: Vec<(&String, &Value)> = calibrators.into_iter().flatten().collect();
    calibrators.sort_by_key(|(class, _)| *class);
    let word = |isotonic: bool| if isotonic { "always" } else { "never" };
    let words = calibrators
        .iter()
        .map(|(_, fitted)| word(fitted["kind"] == "isotonic"));
    words.collect()
}

/// The scores of several classes as a struct.
pub fn scores(record: &Record) -> String {
    let scores = by_class(record).into_iter();
    let scores = scores.map(|(class, column)| format!("'{class}': {column}"));
    format!("{{{}}}", scores.collect::<Vec<_>>().join(", "))
}

/// The columns of the scores of several classes.
pub fn score_columns(record: &Record) -> Vec<&str> {
    let scores = by_class(record).into_iter();
    scores.map(|(_, column)| column).collect()
}

/// Classes and the columns of their scores; NannyML orders classes by name.
fn by_class(record: &Record) -> Vec<(&str, &str)> {
    let scores = record.parameters["y_pred_proba"].as_object();
    let scores = scores.into_iter().flatten();
    let mut scores: Vec<(&str, &str)> = scores
        .map(|(class, column)| (class.as_str(), column.as_str().unwrap_or_default()))
        .collect();
    scores.sort_unstable();
    scores
}

/// A cell of the matrix is named as its figures are; what is of the whole has no column.
pub fn series(subject: &str) -> Series {
    match subject.starts_with("true_") {
        true => (subject.into(), "confusion_matrix".into()),
        false => ("NULL".into(), subject.into()),
    }
}

/// Cells as shares of all rows, of those with the label, or of those with the prediction.
pub fn normalize(chunk: &mut Chunk, kind: &str) {
    let parts = |series: &Series| -> Option<(String, String)> {
        let (label, prediction) = series.0.strip_prefix("true_")?.split_once("_pred_")?;
        Some((label.into(), prediction.into()))
    };
    let cells: Vec<(Series, f64)> = chunk
        .figures
        .iter()
        .filter_map(|(series, figures)| Some((series.clone(), figures.value?)))
        .collect();
    for (series, value) in &cells {
        let together = |other: &Series| match (kind, parts(series), parts(other)) {
            ("true", Some((label, _)), Some((of, _))) => label == of,
            ("pred", Some((_, prediction)), Some((_, of))) => prediction == of,
            _ => kind == "all",
        };
        let total: f64 = cells
            .iter()
            .filter(|(other, _)| together(other))
            .map(|(_, x)| x)
            .sum();
        if let Some(figures) = chunk.figures.get_mut(series) {
            figures.value = (total > 0.0).then(|| value / total);
        }
    }
}
