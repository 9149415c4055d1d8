//! NannyML's calculators of data quality and of summary statistics beside `data_quality` and `summary_statistics`.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::answer::answer;
use crate::columns::{self, Question, ValueOf};
use crate::record::{self, Failure, Record};
use crate::report::Report;
use crate::session;

/// One calculator and what answers the same.
struct Calculator {
    name: &'static str,
    function: &'static str,
    metric: &'static str,
    /// NannyML's, in SQL.
    threshold: &'static str,
    kind: &'static str,
}

const fn quality(name: &'static str, metric: &'static str, threshold: &'static str) -> Calculator {
    Calculator {
        name,
        function: "data_quality",
        metric,
        threshold,
        kind: "quality of columns",
    }
}

const fn summary(name: &'static str, metric: &'static str) -> Calculator {
    Calculator {
        name,
        function: "summary_statistics",
        metric,
        threshold: "stddev(3)",
        kind: "statistics of columns",
    }
}

/// NannyML's limits of unseen and out-of-range values are 0; `stddev` gives the same, for it measures reference chunks by
/// the whole reference, of which no value is unseen or out of range.
static CALCULATORS: [Calculator; 8] = [
    quality("missing", "missing", "stddev(3)"),
    quality("unseen", "unseen", "stddev(NULL, 3)"),
    quality("range", "out_of_range", "stddev(NULL, 3)"),
    summary("stats_avg", "mean"),
    summary("stats_sum", "sum"),
    summary("stats_std", "std"),
    summary("stats_median", "median"),
    summary("stats_row_count", "count"),
];

/// Largest relative difference of a value.
const BAR: f64 = 1e-12;

/// Records that one call answers.
pub struct Group {
    function: &'static str,
    name: String,
    records: Vec<(&'static Calculator, Record)>,
}

/// The records under a folder by data set, function and chunks, sorted.
pub fn find(folder: &Path) -> Result<Vec<Group>, Failure> {
    let known = |name: &str| CALCULATORS.iter().find(|c| c.name == name);
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for record in record::find(folder, |name| known(name).is_some())? {
        let calculator = known(&record.calculator).ok_or("another calculator")?;
        let function = calculator.function;
        let chunks = record.variant.trim_end_matches("_counts");
        let name = format!("{}::{function}__{chunks}", record.dataset);
        let group = groups.entry(name.clone()).or_insert(Group {
            function,
            name,
            records: vec![],
        });
        group.records.push((calculator, record));
    }
    Ok(groups.into_values().collect())
}

impl Group {
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Compares every figure of every file.
    pub async fn report(&self) -> Result<Report, Failure> {
        let [(_, first), ..] = self.records.as_slice() else {
            return Err("no records".into());
        };
        let session = session::open(&first.data, &["reference", "analysis"]).await?;
        let chunks = answer(&session, first, self.function, &self.arguments()).await?;
        let mut report = Report::default();
        for (calculator, record) in &self.records {
            let outcome = columns::compare(record, &question(calculator, record), &chunks)?;
            report.add(Report::of_columns(
                &record.name(),
                calculator.kind,
                &outcome,
            ));
        }
        Ok(report)
    }

    fn arguments(&self) -> String {
        // rows are counted as those of a column without gaps
        let mut columns = BTreeSet::from(["'rows_count': 1".to_string()]);
        let mut thresholds = BTreeMap::new();
        for (calculator, record) in &self.records {
            let names = record.words("column_names").into_iter();
            columns.extend(names.map(|name| format!("'{name}': \"{name}\"")));
            thresholds.insert(calculator.metric, calculator.threshold);
        }
        let metrics: Vec<&str> = thresholds.keys().copied().collect();
        let thresholds = thresholds
            .iter()
            .map(|(metric, threshold)| format!("'{metric}': {threshold}"));
        format!(
            "columns => {{{}}}, metrics => [{}], thresholds => {{{}}}",
            columns.into_iter().collect::<Vec<_>>().join(", "),
            session::quoted(&metrics),
            thresholds.collect::<Vec<_>>().join(", "),
        )
    }
}

fn question(calculator: &Calculator, record: &Record) -> Question {
    let counts = record.parameters["normalize"] == false;
    Question {
        metric: Some(calculator.metric),
        series: columns::column_and_metric,
        counts,
        // limits of counts and of shares are the same where both are 0
        judged: !counts || calculator.metric != "missing",
        alert: |_, ours| ours.alert,
        flawed,
        bar: |_| BAR,
        small: 0.0,
    }
}

/// A26: where the reference has no gaps, NULL is an unseen value.
fn flawed(metric: &str, value_of: &ValueOf) -> Option<f64> {
    match metric {
        "unseen" => Some(value_of("unseen")? + value_of("missing")?),
        _ => None,
    }
}
