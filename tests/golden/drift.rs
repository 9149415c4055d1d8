//! Distances of NannyML's `UnivariateDriftCalculator` beside those of `univariate_drift`.
use std::collections::HashMap;

use crate::answer::{Figures, answer};
use crate::columns::{self, Question};
use crate::estimated::Estimates;
use crate::record::{Failure, Record};
use crate::report::Report;
use crate::session;

/// The calculator's name in files.
pub const CALCULATOR: &str = "univariate";

/// Largest relative difference of a figure.
const BAR: f64 = 1e-9;

/// Compares every figure of a file, and works out what NannyML's estimates would be where it estimates.
pub async fn report(record: &Record) -> Result<Report, Failure> {
    let session = session::open(&record.data, &["reference", "analysis"]).await?;
    let chunks = answer(&session, record, "univariate_drift", &arguments(record)).await?;
    let mut outcome = columns::compare(record, &QUESTION, &chunks)?;
    let mut estimates: HashMap<String, Option<Estimates>> = HashMap::new();
    for difference in &mut outcome.differences {
        if !["kolmogorov_smirnov", "wasserstein"].contains(&difference.metric.as_str()) {
            continue;
        }
        let column = difference.column.clone();
        if !estimates.contains_key(&column) {
            let found = Estimates::of(&session, record, &column).await?;
            estimates.insert(column.clone(), found);
        }
        if let Some(Some(of_column)) = estimates.get(&column) {
            difference.flawed =
                of_column.figure(&difference.metric, difference.field, difference.row);
        }
    }
    Ok(Report::of_columns(
        &record.name(),
        "distances of columns",
        &outcome,
    ))
}

const QUESTION: Question = Question {
    metric: None,
    series: columns::column_and_metric,
    counts: false,
    judged: true,
    alert,
    // of those that are, from the rows: see above
    flawed: |_, _| None,
    bar: |_| BAR,
    // rounding errors under a square root
    small: 1e-6,
};

fn arguments(record: &Record) -> String {
    let mut metrics = record.words("continuous_methods");
    for method in record.words("categorical_methods") {
        if !metrics.contains(&method) {
            metrics.push(method);
        }
    }
    if metrics.is_empty() {
        metrics.push("jensen_shannon");
    }
    let categorical = record.words("treat_as_categorical");
    let categorical = match categorical.is_empty() {
        true => String::new(),
        false => format!(
            "treat_as_categorical => [{}], ",
            session::quoted(&categorical)
        ),
    };
    format!(
        "columns => [{}], {categorical}metrics => [{}], thresholds => stddev(NULL, 3)",
        session::quoted(&record.words("column_names")),
        session::quoted(&metrics),
    )
}

/// NannyML judges chi2 by a p-value of 5 %, whatever the thresholds.
fn alert(metric: &str, ours: &Figures) -> Option<bool> {
    match metric {
        "chi2" => ours.p_value.map(|p| p < 0.05),
        _ => ours.alert,
    }
}
