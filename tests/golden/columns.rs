//! Calculators of NannyML whose figures are of columns, beside the table function that answers the same.
use std::collections::{BTreeMap, HashMap};

use datafusion::arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;

use crate::record::{Failure, Record};
use crate::session::{self, cell, flag, number, text};

/// Figures below this are rounding errors of a square root, and compared absolutely.
const SMALL: f64 = 1e-6;
/// Largest difference of small figures.
const SMALL_BAR: f64 = 1e-7;

/// What is asked of a table function, and what the columns of the golden file mean.
pub struct Question {
    pub function: &'static str,
    /// Arguments besides the relations, the timestamp and the chunks.
    pub arguments: String,
    /// The metric of the whole file; `None` where the header names one with each column.
    pub metric: Option<&'static str>,
    /// Whether values are shares of rows in our result and counts in the file.
    pub counts: bool,
    /// Whether limits and alerts are of the same kind.
    pub judged: bool,
    /// Our alert of a metric.
    pub alert: fn(&str, &Figures) -> Option<bool>,
    /// Largest relative difference of a value.
    pub bar: f64,
}

/// Column and metric.
pub type Series = (Option<String>, String);

impl Question {
    /// What a subject of the header is, which stands before `.value`.
    pub fn series(&self, subject: &str) -> Series {
        match (self.metric, subject.rsplit_once('.')) {
            (None, Some((column, metric))) => (Some(column.into()), metric.into()),
            (metric, _) => {
                let column = (subject != ROW_COUNT).then(|| subject.into());
                (column, metric.unwrap_or_default().into())
            }
        }
    }
}

/// A subject that is no column.
const ROW_COUNT: &str = "rows_count";
/// Largest relative difference of a limit.
const LIMIT_BAR: f64 = 1e-9;

/// What a row of our result says.
#[derive(Debug, Default)]
pub struct Figures {
    pub value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub alert: Option<bool>,
    pub p_value: Option<f64>,
}

#[derive(Debug, Default)]
struct Chunk {
    dataset: String,
    complete: bool,
    rows: f64,
    figures: HashMap<Series, Figures>,
}

/// A figure that the two do not agree on.
#[derive(Debug)]
pub struct Difference {
    pub row: usize,
    pub column: Option<String>,
    pub metric: String,
    pub field: &'static str,
    pub golden: Option<f64>,
    pub ours: Option<f64>,
    /// Whether our row has a value.
    pub defined: bool,
    pub complete: bool,
    /// Our figure with NannyML's flaw put in, where a harness can.
    pub flawed: Option<f64>,
}

/// What one golden file showed.
#[derive(Debug, Default)]
pub struct Outcome {
    pub figures: usize,
    /// Worst relative difference by field, then metric.
    pub worst: BTreeMap<&'static str, BTreeMap<String, f64>>,
    pub differences: Vec<Difference>,
}

/// Compares every figure of a file with those of a table function.
pub async fn compare(
    session: &SessionContext,
    record: &Record,
    question: &Question,
) -> Result<Outcome, Failure> {
    let chunks = answer(session, record, question).await?;
    if chunks.len() != record.rows {
        return Err(format!("{} chunks instead of {}", chunks.len(), record.rows).into());
    }
    let subjects: Vec<&str> = record
        .header()
        .into_iter()
        .filter_map(|name| name.strip_suffix(".value"))
        .collect();
    let mut outcome = Outcome::default();
    for (row, chunk) in chunks.iter().enumerate() {
        if chunk.dataset != record.chunk("period", row)? {
            return Err(format!("chunk {row} is of {}", chunk.dataset).into());
        }
        for subject in &subjects {
            let series = question.series(subject);
            let ours = chunk.figures.get(&series);
            let pair = Pair {
                record,
                question,
                row,
                subject,
                series: &series,
                chunk,
                ours: ours.ok_or_else(|| format!("chunk {row}: no row of {series:?}"))?,
            };
            pair.compare(&mut outcome)?;
        }
    }
    Ok(outcome)
}

/// Our chunks, reference first.
async fn answer(
    session: &SessionContext,
    record: &Record,
    question: &Question,
) -> Result<Vec<Chunk>, Failure> {
    let sql = format!(
        "SELECT * FROM {}(reference, analysis, {}, timestamp => timestamp, chunk => {}, reference_chunk => {}) \
         ORDER BY dataset DESC, chunk_index",
        question.function,
        question.arguments,
        session::chunk(session, &record.chunking, "analysis").await?,
        session::chunk(session, &record.chunking, "reference").await?,
    );
    let mut chunks: Vec<Chunk> = vec![];
    let mut last = None;
    for batch in session.sql(&sql).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let key = (
                text(&batch, "dataset", row)?,
                number(&batch, "chunk_index", row)?,
            );
            if last.as_ref() != Some(&key) {
                chunks.push(Chunk {
                    dataset: key.0.clone(),
                    complete: flag(&batch, "complete", row)?.unwrap_or_default(),
                    rows: number(&batch, "row_count", row)?.unwrap_or_default(),
                    ..Chunk::default()
                });
                last = Some(key);
            }
            let column = cell(&batch, "column_name", row)?;
            let column = (!column.is_null()).then(|| column.to_string());
            let series = (column, text(&batch, "metric", row)?);
            if let Some(chunk) = chunks.last_mut() {
                chunk.figures.insert(series, figures(&batch, row)?);
            }
        }
    }
    Ok(chunks)
}

fn figures(batch: &RecordBatch, row: usize) -> Result<Figures, Failure> {
    Ok(Figures {
        value: number(batch, "value", row)?,
        lower: number(batch, "lower_threshold", row)?,
        upper: number(batch, "upper_threshold", row)?,
        alert: flag(batch, "alert", row)?,
        p_value: number(batch, "p_value", row)?,
    })
}

/// One series in one chunk of both.
struct Pair<'a> {
    record: &'a Record,
    question: &'a Question,
    row: usize,
    subject: &'a str,
    series: &'a Series,
    chunk: &'a Chunk,
    ours: &'a Figures,
}

impl Pair<'_> {
    fn compare(&self, outcome: &mut Outcome) -> Result<(), Failure> {
        let scale = if self.question.counts {
            self.chunk.rows
        } else {
            1.0
        };
        let theirs = |field: &str| {
            let column = format!("{}.{field}", self.subject);
            self.record.number(&column, self.row)
        };
        let value = self.ours.value.map(|value| value * scale);
        self.figure(outcome, "value", theirs("value")?, value, self.question.bar);
        if !self.question.judged {
            return Ok(());
        }
        for (field, limit) in [
            ("lower_threshold", self.ours.lower),
            ("upper_threshold", self.ours.upper),
        ] {
            self.figure(outcome, field, theirs(field)?, limit, LIMIT_BAR);
        }
        // reference chunks are not judged here
        if self.analysis() {
            let column = format!("{}.alert", self.subject);
            let theirs = match self.record.text(&column, self.row)? {
                "True" => Some(1.0),
                "False" => Some(0.0),
                _ => None,
            };
            let ours = (self.question.alert)(&self.series.1, self.ours);
            let ours = ours.map(|alert| f64::from(u8::from(alert)));
            self.figure(outcome, "alert", theirs, ours, 0.0);
        }
        Ok(())
    }

    fn analysis(&self) -> bool {
        self.chunk.dataset == "analysis"
    }

    fn figure(
        &self,
        outcome: &mut Outcome,
        field: &'static str,
        golden: Option<f64>,
        ours: Option<f64>,
        bar: f64,
    ) {
        let error = error(golden, ours);
        if error > bar {
            outcome.differences.push(Difference {
                row: self.row,
                column: self.series.0.clone(),
                metric: self.series.1.clone(),
                field,
                golden,
                ours,
                defined: self.ours.value.is_some(),
                complete: self.chunk.complete,
                flawed: None,
            });
            return;
        }
        outcome.figures += 1;
        let worst = outcome.worst.entry(field).or_default();
        let worst = worst.entry(self.series.1.clone()).or_default();
        *worst = worst.max(error);
    }
}

/// Relative difference; none for small figures that are close enough.
pub fn error(golden: Option<f64>, ours: Option<f64>) -> f64 {
    match (golden, ours) {
        (None, None) => 0.0,
        (Some(golden), Some(ours)) if golden == ours => 0.0,
        (Some(golden), Some(ours))
            if golden.abs() < SMALL && (ours - golden).abs() <= SMALL_BAR =>
        {
            0.0
        }
        (Some(golden), Some(ours)) => ((ours - golden) / golden).abs(),
        _ => f64::INFINITY,
    }
}
