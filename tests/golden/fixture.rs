//! Golden files of binary classifiers.
use std::path::Path;

use serde_json::Value;

use crate::record::{self, Failure, Record};

/// Threshold of one metric.
#[derive(Debug, Clone)]
pub enum Threshold {
    Constant(Option<f64>, Option<f64>),
    Deviations(Option<f64>, Option<f64>),
}

/// One run of NannyML's estimator or calculator on one data set.
#[derive(Debug)]
pub struct Golden {
    pub record: Record,
    pub label: String,
    pub timed: bool,
    pub metrics: Vec<String>,
    pub thresholds: Vec<(String, Threshold)>,
    /// `normalize_confusion_matrix`, or `per_prediction` of the business value.
    pub normalized: Option<String>,
    /// `[tn, fp, fn, tp]`.
    pub value_matrix: [f64; 4],
    /// The decision of `cbpe` that the scores need calibration.
    pub calibrate: bool,
    /// Corners `(score, probability)` of the fitted isotonic map.
    pub knots: Vec<(f64, f64)>,
}

impl Golden {
    fn of(record: Record) -> Result<Self, Failure> {
        let parameters = &record.parameters;
        let text = |value: &Value| value.as_str().map(str::to_string);
        Ok(Self {
            label: text(&parameters["y_true"]).ok_or("a record without its label column")?,
            timed: parameters["timestamp_column_name"].is_string(),
            metrics: metrics(&record),
            thresholds: thresholds(&parameters["thresholds"])?,
            normalized: text(&parameters["normalize_confusion_matrix"])
                .or_else(|| text(&parameters["normalize_business_value"])),
            value_matrix: value_matrix(&parameters["business_value_matrix"]),
            calibrate: record.fitted["needs_calibration"].as_bool().unwrap_or(true),
            knots: knots(&record.fitted["calibrator"]),
            record,
        })
    }

    /// Rows of `reference` or `analysis`, in the order of their chunks.
    pub fn chunks(&self, period: &str) -> Vec<usize> {
        let is = |row: &usize| self.text("chunk.period", *row) == Some(period);
        (0..self.record.rows).filter(is).collect()
    }

    pub fn text(&self, column: &str, row: usize) -> Option<&str> {
        self.record.cell(column, row)
    }

    /// The figure; the outer `None` when the file has no such column, the inner when it is NaN.
    pub fn figure(&self, metric: &str, field: &str, row: usize) -> Option<Option<f64>> {
        self.record.number(&format!("{metric}.{field}"), row).ok()
    }

    pub fn alert(&self, metric: &str, row: usize) -> Option<bool> {
        match self.text(&format!("{metric}.alert"), row)? {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }
    }

    pub fn threshold(&self, metric: &str) -> Threshold {
        let found = self.thresholds.iter().find(|(name, _)| name == metric);
        found.map_or(Threshold::Deviations(Some(3.0), Some(3.0)), |(_, t)| {
            t.clone()
        })
    }
}

fn metrics(record: &Record) -> Vec<String> {
    let cells = [
        "true_positive",
        "true_negative",
        "false_positive",
        "false_negative",
    ];
    let mut found = vec![];
    for name in record.words("metrics") {
        match name {
            "confusion_matrix" => found.extend(cells.map(str::to_string)),
            other => found.push(other.to_string()),
        }
    }
    found
}

fn thresholds(given: &Value) -> Result<Vec<(String, Threshold)>, Failure> {
    let Some(given) = given.as_object() else {
        return Ok(vec![]);
    };
    let read = |(metric, spec): (&String, &Value)| {
        let (lower, upper) = (spec[1].as_f64(), spec[2].as_f64());
        match spec[0].as_str() {
            Some("const") => Ok((metric.clone(), Threshold::Constant(lower, upper))),
            Some("std") => Ok((metric.clone(), Threshold::Deviations(lower, upper))),
            _ => Err(format!("{metric}: a threshold {spec}").into()),
        }
    };
    given.iter().map(read).collect()
}

/// The file's rows are labels and its columns predictions: `[[tn, fp], [fn, tp]]`.
fn value_matrix(given: &Value) -> [f64; 4] {
    [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, p)| given[y][p].as_f64().unwrap_or(0.0))
}

fn knots(calibrator: &Value) -> Vec<(f64, f64)> {
    let axis = |name: &str| calibrator[name].as_array().cloned().unwrap_or_default();
    let pairs = axis("x").into_iter().zip(axis("y"));
    pairs
        .filter_map(|(x, y)| Some((x.as_f64()?, y.as_f64()?)))
        .collect()
}

/// Golden files of binary classifiers under a folder, sorted.
pub fn find(folder: &Path) -> Result<Vec<Golden>, Failure> {
    let records = record::find(folder, |name| ["cbpe", "realized"].contains(&name))?;
    let binary = |r: &Record| r.parameters["problem_type"] == "classification_binary";
    records.into_iter().filter(binary).map(Golden::of).collect()
}
