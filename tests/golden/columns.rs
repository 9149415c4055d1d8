//! Calculators of NannyML whose figures are of columns, beside the table function that answers the same.
use std::collections::BTreeMap;

use crate::answer::{Chunk, Figures, Series};
use crate::record::{Failure, Record};

/// Largest relative difference of a limit.
const LIMIT_BAR: f64 = 1e-9;
/// Largest difference of figures that are too small for a relative one.
const SMALL_BAR: f64 = 1e-7;

/// What the columns of a golden file mean.
pub struct Question {
    /// The metric of the whole file; `None` where the header names one with each column.
    pub metric: Option<&'static str>,
    /// What a subject of such a header is, which stands before `.value`.
    pub series: fn(&str) -> Series,
    /// Whether values are shares of rows in our result and counts in the file.
    pub counts: bool,
    /// Whether limits and alerts are of the same kind.
    pub judged: bool,
    /// Our alert of a metric.
    pub alert: fn(&str, &Figures) -> Option<bool>,
    /// Our value with NannyML's flaw put in, by the metric and from our values of all metrics of the column and chunk.
    pub flawed: fn(&str, &ValueOf) -> Option<f64>,
    /// Largest relative difference of a value, by metric.
    pub bar: fn(&str) -> f64,
    /// Figures below this are compared absolutely.
    pub small: f64,
}

/// The value of a metric of the same column and chunk.
pub type ValueOf<'a> = dyn Fn(&str) -> Option<f64> + 'a;

impl Question {
    /// What a subject of the header is.
    fn subject(&self, subject: &str) -> Series {
        match self.metric {
            Some(metric) => (subject.into(), metric.into()),
            None => (self.series)(subject),
        }
    }
}

/// A column and a metric of it.
pub fn column_and_metric(subject: &str) -> Series {
    let parts = subject.rsplit_once('.').unwrap_or((subject, ""));
    (parts.0.into(), parts.1.into())
}

/// A figure that the two do not agree on.
#[derive(Debug)]
pub struct Difference {
    pub row: usize,
    pub column: String,
    pub metric: String,
    pub field: &'static str,
    pub golden: Option<f64>,
    pub ours: Option<f64>,
    /// Our value, whichever field differs, as the file has it.
    pub value: Option<f64>,
    /// Whether the value is one of its limits.
    pub on_limit: bool,
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

/// Compares every figure of a file with those of our chunks.
pub fn compare(record: &Record, question: &Question, chunks: &[Chunk]) -> Result<Outcome, Failure> {
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
            let series = question.subject(subject);
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
    fn scale(&self) -> f64 {
        match self.question.counts {
            true => self.chunk.rows,
            false => 1.0,
        }
    }

    fn value(&self) -> Option<f64> {
        self.ours.value.map(|value| value * self.scale())
    }

    /// The field with NannyML's flaw put into the value.
    fn flawed(&self, field: &str) -> Option<f64> {
        let (column, metric) = self.series;
        let value_of = |metric: &str| {
            let series = (column.clone(), metric.to_string());
            self.chunk.figures.get(&series)?.value
        };
        let value = (self.question.flawed)(metric, &value_of)?;
        match field {
            "value" => Some(value * self.scale()),
            "alert" => {
                let outside = self.ours.upper.is_some_and(|upper| value > upper);
                Some(f64::from(u8::from(outside)))
            }
            _ => None,
        }
    }

    fn compare(&self, outcome: &mut Outcome) -> Result<(), Failure> {
        let theirs = |field: &str| {
            let column = format!("{}.{field}", self.subject);
            self.record.number(&column, self.row)
        };
        self.figure(
            outcome,
            "value",
            theirs("value")?,
            self.value(),
            (self.question.bar)(&self.series.1),
        );
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
        let error = error(golden, ours, self.question.small);
        if error > bar {
            outcome.differences.push(Difference {
                row: self.row,
                column: self.series.0.clone(),
                metric: self.series.1.clone(),
                field,
                golden,
                ours,
                value: self.value(),
                on_limit: [self.ours.lower, self.ours.upper].contains(&self.ours.value),
                complete: self.chunk.complete,
                flawed: self.flawed(field),
            });
            return;
        }
        outcome.figures += 1;
        let worst = outcome.worst.entry(field).or_default();
        let worst = worst.entry(self.series.1.clone()).or_default();
        *worst = worst.max(error);
    }
}

/// Relative difference; none for figures below `small` that are close enough.
pub fn error(golden: Option<f64>, ours: Option<f64>, small: f64) -> f64 {
    match (golden, ours) {
        (None, None) => 0.0,
        (Some(golden), Some(ours)) if golden == ours => 0.0,
        (Some(golden), Some(ours))
            if golden.abs() < small && (ours - golden).abs() <= SMALL_BAR =>
        {
            0.0
        }
        (Some(golden), Some(ours)) => ((ours - golden) / golden).abs(),
        _ => f64::INFINITY,
    }
}
