//! Parity of `rank_columns` with NannyML's rankers: its own drift and performance figures go in as relations of the
//! shared row shape, and its rankings must come out.
//!
//! Known differences, undone here: NannyML counts alerts of reference rows too (all rows go in as the analysis),
//! orders equal alert counts by descending name (A28), ranks the sign of a correlation (A29, `absolute => false`), and ranks by
//! correlations of two chunks, which are always 1 or -1.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray};
use datafusion::prelude::SessionContext;
use serde_json::Value;

use crate::record::{self, Columns, Failure, read_csv};
use crate::report::Report;
use crate::session::{number, text};

/// Correlations and p-values agree to this, relative to the larger of the figure and 1e-6.
const TOLERANCE: f64 = 1e-9;

/// One run of NannyML's rankers.
#[derive(Debug)]
pub struct Ranking {
    folder: PathBuf,
    dataset: String,
    variant: String,
    /// `alert_count`, `correlation_cbpe_roc_auc` and the like.
    files: Vec<String>,
}

/// The rankings under a folder, sorted.
pub fn find(folder: &Path) -> Result<Vec<Ranking>, Failure> {
    let mut found = vec![];
    for (json, calculator, variant) in record::stems(folder)? {
        if calculator != "ranker" {
            continue;
        }
        let record: Value = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
        let files = record["fitted"]["files"].as_array().cloned();
        let folder = json.parent().ok_or("a record without a folder")?;
        found.push(Ranking {
            dataset: record["dataset"].as_str().unwrap_or_default().into(),
            variant,
            files: files
                .iter()
                .flatten()
                .filter_map(|f| Some(f.as_str()?.to_string()))
                .collect(),
            folder: folder.to_path_buf(),
        });
    }
    found.sort_by_key(Ranking::name);
    Ok(found)
}

impl Ranking {
    pub fn name(&self) -> String {
        format!("{}::ranker__{}", self.dataset, self.variant)
    }

    fn csv(&self, calculator: &str) -> Result<Columns, Failure> {
        let path = format!("{calculator}__{}.csv", self.variant);
        Ok(read_csv(&self.folder.join(path))?.0)
    }

    /// Compares every file.
    pub async fn report(&self) -> Result<Report, Failure> {
        let (figures, error) = self.compare().await?;
        let mut report = Report {
            text: format!(
                "{}: {figures} figures, worst error {error:.1e}\n",
                self.name()
            ),
            figures,
            files: 1,
            ..Report::default()
        };
        report.error("rankings", error);
        Ok(report)
    }

    /// The number of figures, and the worst error.
    async fn compare(&self) -> Result<(usize, f64), Failure> {
        let (mut figures, mut worst) = (0, 0.0f64);
        for file in &self.files {
            let wanted = self.csv(&format!("ranker_{file}"))?;
            let (n, error) = match file.strip_prefix("correlation_") {
                None => self.alert_counts(&wanted).await?,
                Some(of) => {
                    let (calculator, metric) = of.split_once('_').ok_or("a metric")?;
                    self.correlations(&wanted, calculator, metric).await?
                }
            };
            figures += n;
            worst = worst.max(error);
        }
        Ok((figures, worst))
    }

    async fn alert_counts(&self, wanted: &Columns) -> Result<(usize, f64), Failure> {
        let session = session();
        let drift = rows(&self.csv("univariate")?, "jensen_shannon", |_| "analysis")?;
        session.register_batch("drift", drift)?;
        let sql = "SELECT column_name, alert_count FROM rank_columns(drift) ORDER BY rank";
        let found = collect(&session, sql).await?;
        let mut expected: Vec<(i64, String)> = vec![];
        for (count, name) in cells(wanted, "number_of_alerts").zip(cells(wanted, "column_name")) {
            expected.push((-count.parse::<i64>()?, name.clone()));
        }
        expected.sort();
        if found.len() != expected.len() {
            return Err(format!("{} columns, not {}", found.len(), expected.len()).into());
        }
        for (row, (count, name)) in found.iter().zip(&expected) {
            let (ours, counted) = (text(row, "column_name", 0)?, number(row, "alert_count", 0)?);
            if ours != *name || counted != Some(-*count as f64) {
                return Err(format!("{ours} has {counted:?}, not {name} {}", -count).into());
            }
        }
        Ok((2 * expected.len(), 0.0))
    }

    async fn correlations(
        &self,
        wanted: &Columns,
        calculator: &str,
        metric: &str,
    ) -> Result<(usize, f64), Failure> {
        let session = session();
        let drift = rows(&self.csv("univariate")?, "jensen_shannon", period)?;
        session.register_batch("drift", drift)?;
        let performance = rows(&self.csv(calculator)?, metric, period)?;
        session.register_batch("performance", performance)?;
        let sql = "SELECT column_name, rank, correlation, p_value, alert_count > 0 AS drifted, matched_chunks \
                   FROM rank_columns(drift, performance, absolute => false) ORDER BY rank, column_name";
        let found = collect(&session, sql).await?;
        let expected = cells(wanted, "column_name").count();
        if found.len() != expected {
            return Err(format!("{} columns, not {expected}", found.len()).into());
        }
        let matched = number(&found[0], "matched_chunks", 0)?.unwrap_or_default();
        if matched < 3.0 {
            return through_two_points(&found, wanted);
        }
        let mut worst = 0.0f64;
        for (position, row) in found.iter().enumerate() {
            worst = worst.max(self.same_row(wanted, position, row)?);
        }
        Ok((4 * expected, worst))
    }

    /// The larger error of correlation and p-value of a row of ours, whose rank is that of NannyML's.
    fn same_row(
        &self,
        wanted: &Columns,
        position: usize,
        row: &RecordBatch,
    ) -> Result<f64, Failure> {
        let name = text(row, "column_name", 0)?;
        let theirs = |column: &str| cells(wanted, column).nth(position).cloned();
        let told = |what: &str| Failure::from(format!("{name}: {what}"));
        if theirs("column_name").as_ref() != Some(&name) {
            return Err(told("another rank"));
        }
        let drifted = text(row, "drifted", 0)?;
        if theirs("has_drifted").map(|d| d.to_lowercase()) != Some(drifted) {
            return Err(told("has drifted, or has not"));
        }
        let mut worst = 0.0f64;
        for (ours, column) in [
            ("correlation", "pearsonr_correlation"),
            ("p_value", "pearsonr_pvalue"),
        ] {
            let ours = number(row, ours, 0)?;
            let figure = theirs(column)
                .and_then(|x| x.parse().ok())
                .filter(|x: &f64| !x.is_nan());
            let error = match (ours, figure) {
                (None, None) => 0.0,
                (Some(a), Some(b)) => (a - b).abs() / b.abs().max(1e-6),
                _ => f64::INFINITY,
            };
            if error > TOLERANCE {
                return Err(told(&format!("{column} {ours:?}, not {figure:?}")));
            }
            worst = worst.max(error);
        }
        Ok(worst)
    }
}

/// Any two chunks correlate by 1 or -1 (p = 1), which NannyML ranks by; ours have no correlation and no rank.
fn through_two_points(found: &[RecordBatch], wanted: &Columns) -> Result<(usize, f64), Failure> {
    for row in found {
        if number(row, "correlation", 0)?.is_some() || number(row, "rank", 0)?.is_some() {
            return Err("a correlation of two chunks".into());
        }
    }
    let mut theirs = cells(wanted, "pearsonr_correlation").map(|x| x.parse::<f64>());
    match theirs.all(|x| x.is_ok_and(|x| x.is_nan() || x.abs() > 1.0 - 1e-12)) {
        true => Ok((found.len(), 0.0)),
        false => Err("a correlation other than 1 and -1 of two chunks".into()),
    }
}

fn session() -> SessionContext {
    let session = SessionContext::new();
    modelwatch::register_all(&session).expect("registered");
    session
}

/// One batch for each row.
async fn collect(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>, Failure> {
    let batches = session.sql(sql).await?.collect().await?;
    let rows = batches
        .iter()
        .flat_map(|b| (0..b.num_rows()).map(|row| b.slice(row, 1)));
    Ok(rows.collect())
}

fn cells<'a>(columns: &'a Columns, name: &str) -> impl Iterator<Item = &'a String> {
    columns.get(name).into_iter().flatten()
}

/// The dataset of a row by NannyML's period.
fn period(period: &str) -> &'static str {
    if period == "reference" {
        "reference"
    } else {
        "analysis"
    }
}

/// The figures of one method or metric as rows of the shared shape. Where the columns of the file are of
/// metrics and not of columns, `column_name` is the metric.
fn rows(
    figures: &Columns,
    metric: &str,
    dataset: fn(&str) -> &'static str,
) -> Result<RecordBatch, Failure> {
    let key = |name: &str| {
        let keys = [format!("chunk.chunk.{name}"), format!("chunk.{name}")];
        keys.into_iter()
            .find_map(|key| figures.get(&key))
            .ok_or("no chunks")
    };
    let (periods, keys) = (key("period")?, key("key")?);
    let value = format!("{metric}.value");
    let mut subjects: Vec<&str> = figures
        .keys()
        .filter_map(|name| name.strip_suffix(&value))
        .collect();
    subjects.sort_unstable();
    let mut found: HashMap<&str, Vec<Option<String>>> = HashMap::new();
    for subject in subjects {
        let of = |field: &str| {
            figures
                .get(&format!("{subject}{metric}.{field}"))
                .ok_or("no figures")
        };
        let (values, alerts) = (of("value")?, of("alert")?);
        for (((period, key), value), alert) in periods.iter().zip(keys).zip(values).zip(alerts) {
            // reference and analysis may both have a chunk [0:4999], and both may go in as the analysis
            let shared = dataset("reference") == "analysis";
            let chunk = if shared {
                format!("{period} {key}")
            } else {
                key.clone()
            };
            for (name, cell) in [
                ("dataset", dataset(period)),
                ("chunk", chunk.as_str()),
                ("column_name", subject.trim_end_matches('.')),
                ("value", value),
                ("alert", alert),
            ] {
                let cell = (!cell.is_empty()).then(|| cell.to_string());
                found.entry(name).or_default().push(cell);
            }
        }
    }
    let texts = |name: &str| found.get(name).cloned().unwrap_or_default();
    let rows = texts("value").len();
    let columns: [(&str, ArrayRef); 6] = [
        ("dataset", Arc::new(StringArray::from(texts("dataset")))),
        ("chunk", Arc::new(StringArray::from(texts("chunk")))),
        (
            "column_name",
            Arc::new(StringArray::from(texts("column_name"))),
        ),
        ("metric", Arc::new(StringArray::from(vec![metric; rows]))),
        (
            "value",
            Arc::new(
                texts("value")
                    .iter()
                    .map(|x| x.as_ref()?.parse().ok())
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "alert",
            Arc::new(
                texts("alert")
                    .iter()
                    .map(|x| Some(x.as_ref()? == "True"))
                    .collect::<BooleanArray>(),
            ),
        ),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    )?)
}
