//! Reads a golden file: the figures as CSV, and how they were made as JSON.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How the rows were cut into chunks.
#[derive(Debug, Clone, PartialEq)]
pub enum Chunking {
    Size(u64),
    Number(u64),
    Period(String),
}

/// Threshold of one metric.
#[derive(Debug, Clone)]
pub enum Threshold {
    Constant(Option<f64>, Option<f64>),
    Deviations(Option<f64>, Option<f64>),
}

/// One run of NannyML's estimator or calculator on one data set.
#[derive(Debug)]
pub struct Golden {
    pub dataset: String,
    pub calculator: String,
    pub variant: String,
    pub data: PathBuf,
    pub label: String,
    pub timed: bool,
    pub chunking: Chunking,
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
    columns: HashMap<String, Vec<String>>,
    rows: usize,
}

impl Golden {
    /// Reads `<folder>/golden/<dataset>/<stem>.{csv,json}`.
    pub fn read(folder: &Path, json: &Path) -> Result<Self, Failure> {
        let record: Value = serde_json::from_str(&std::fs::read_to_string(json)?)?;
        let parameters = &record["parameters"];
        let text = |value: &Value| value.as_str().map(str::to_string);
        let dataset = text(&record["dataset"]).ok_or("a record without its data set")?;
        let (columns, rows) = read_csv(&json.with_extension("csv"))?;
        Ok(Self {
            data: folder.join("data").join(&dataset),
            calculator: text(&record["calculator"]).ok_or("a record without its calculator")?,
            variant: text(&record["variant"]).ok_or("a record without its variant")?,
            label: text(&parameters["y_true"]).ok_or("a record without its label column")?,
            timed: parameters["timestamp_column_name"].is_string(),
            chunking: chunking(parameters),
            metrics: metrics(parameters),
            thresholds: thresholds(&parameters["thresholds"])?,
            normalized: text(&parameters["normalize_confusion_matrix"])
                .or_else(|| text(&parameters["normalize_business_value"])),
            value_matrix: value_matrix(&parameters["business_value_matrix"]),
            calibrate: record["fitted"]["needs_calibration"]
                .as_bool()
                .unwrap_or(true),
            knots: knots(&record["fitted"]["calibrator"]),
            dataset,
            columns,
            rows,
        })
    }

    pub fn name(&self) -> String {
        format!("{}::{}__{}", self.dataset, self.calculator, self.variant)
    }

    /// Rows of `reference` or `analysis`, in the order of their chunks.
    pub fn chunks(&self, period: &str) -> Vec<usize> {
        let is = |row: &usize| self.text("chunk.period", *row) == Some(period);
        (0..self.rows).filter(is).collect()
    }

    pub fn text(&self, column: &str, row: usize) -> Option<&str> {
        self.columns.get(column)?.get(row).map(String::as_str)
    }

    /// The figure; the outer `None` when the file has no such column, the inner when it is NaN.
    pub fn figure(&self, metric: &str, field: &str, row: usize) -> Option<Option<f64>> {
        let text = self.text(&format!("{metric}.{field}"), row)?;
        Some(text.parse().ok().filter(|value: &f64| !value.is_nan()))
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

pub type Columns = HashMap<String, Vec<String>>;

/// No cell of a golden file holds a comma or a quote.
pub fn read_csv(path: &Path) -> Result<(Columns, usize), Failure> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines
        .next()
        .ok_or("an empty golden file")?
        .split(',')
        .collect();
    let mut columns: Columns = header
        .iter()
        .map(|name| (name.to_string(), vec![]))
        .collect();
    let mut rows = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        if cells.len() != header.len() {
            return Err(format!("{}: a row of {} cells", path.display(), cells.len()).into());
        }
        for (name, cell) in header.iter().zip(cells) {
            columns
                .entry(name.to_string())
                .or_default()
                .push(cell.to_string());
        }
        rows += 1;
    }
    Ok((columns, rows))
}

pub fn chunking(parameters: &Value) -> Chunking {
    let count = |name: &str| parameters[name].as_u64();
    if let Some(size) = count("chunk_size") {
        return Chunking::Size(size);
    }
    match parameters["chunk_period"].as_str() {
        Some(alias) => Chunking::Period(alias.into()),
        None => Chunking::Number(count("chunk_number").unwrap_or(10)),
    }
}

fn metrics(parameters: &Value) -> Vec<String> {
    let named = parameters["metrics"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let cells = [
        "true_positive",
        "true_negative",
        "false_positive",
        "false_negative",
    ];
    let mut found = vec![];
    for name in named.iter().filter_map(Value::as_str) {
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
    let mut found = vec![];
    for dataset in std::fs::read_dir(folder.join("golden"))? {
        let dataset = dataset?.path();
        if !dataset.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(dataset)? {
            let json = file?.path();
            let stem = json
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let ours = stem.starts_with("cbpe__") || stem.starts_with("realized__");
            if !ours || json.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let kind = std::fs::read_to_string(&json)?;
            if kind.contains("classification_binary") {
                found.push(Golden::read(folder, &json)?);
            }
        }
    }
    found.sort_by_key(Golden::name);
    Ok(found)
}
