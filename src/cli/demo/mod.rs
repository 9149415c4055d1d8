//! `modelwatch demo`: a prediction table of a million rows, and the report on it.
mod features;
mod files;
mod random;
mod rows;
mod stories;

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;

use super::failure::{Failure, Trouble};
use super::query::{self, Console};
use super::script::Script;
use crate::report::{Chart, alerts, series};
use crate::session::register_files;

/// The report that the demo runs.
const REPORT: &str = include_str!("../../../sql/estimate_performance.sql");

const REPORT_NAME: &str = "estimate_performance.sql";

/// All reports that ship with the program and run on the demo's tables, with what they answer.
const REPORTS: [(&str, &str, &str); 7] = [
    (REPORT_NAME, REPORT, "the rows behind the chart"),
    (
        "drift.sql",
        include_str!("../../../sql/drift.sql"),
        "what moved, and which column to look at first",
    ),
    (
        "data_quality.sql",
        include_str!("../../../sql/data_quality.sql"),
        "missing, unseen and out-of-range values",
    ),
    (
        "custom_metric.sql",
        include_str!("../../../sql/custom_metric.sql"),
        "metrics of your own, as SQL",
    ),
    (
        "performance_degradation.sql",
        include_str!("../../../sql/performance_degradation.sql"),
        "two models that get worse: at once, and little by little",
    ),
    (
        "business_failure.sql",
        include_str!("../../../sql/business_failure.sql"),
        "a campaign that fails while its model is right",
    ),
    (
        "training_serving_skew.sql",
        include_str!("../../../sql/training_serving_skew.sql"),
        "a model that was never as good as its test",
    ),
];

/// The metric whose chart is drawn; the alerts are of all metrics.
const CHARTED: &str = "roc_auc";

/// Writes the demo into `directory` where it is missing, runs the report on it, and prints its
/// alerts and a chart. Progress goes to standard error.
///
/// # Errors
/// When a file cannot be written or the report fails.
pub async fn run(
    context: &SessionContext,
    directory: &Path,
    chart: Chart,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let shown = directory.display().to_string();
    let wrote = files::write_tables(directory)?;
    stories::write_tables(directory, console).await?;
    for (name, text, _) in REPORTS {
        let report = directory.join(name);
        if !report.exists() {
            let written = fs::write(&report, text);
            written.map_err(|error| Failure::at(report.display().to_string(), error))?;
        }
    }
    let state = if wrote { "written to" } else { "found in" };
    let _ = writeln!(
        std::io::stderr().lock(),
        "A million predictions {state} {shown}."
    );
    for (name, _) in files::TABLES {
        let file = directory
            .join(format!("{name}.parquet"))
            .display()
            .to_string();
        let registered = register_files(context, name, &file).await;
        registered.map_err(|error| Failure::at(file, error.strip_backtrace()))?;
    }
    let batches = rows_of_last(context, (REPORT_NAME, REPORT), console).await?;
    let text = rendered(&batches, chart).map_err(|error| Failure::at(REPORT_NAME, error))?;
    let text = format!("{text}\n{}", how_to_go_on(&shown));
    console
        .write(&text)
        .map_err(|error| Trouble::from(error).at("output"))
}

/// The rows of the last statement of a script, of which all are run.
async fn rows_of_last(
    context: &SessionContext,
    (name, text): (&str, &str),
    console: &mut Console<'_>,
) -> Result<Vec<RecordBatch>, Failure> {
    let mut script = Script::new(text.to_owned());
    let mut rows = vec![];
    loop {
        let piece = script
            .next(context)
            .map_err(|error| Trouble::from(error).at(name))?;
        let Some(piece) = piece else {
            return Ok(rows);
        };
        let place = format!("{name}:{}", piece.line);
        rows = query::collect(context, piece, console)
            .await
            .map_err(|trouble| trouble.at(&place))?;
    }
}

fn rendered(
    batches: &[RecordBatch],
    chart: Chart,
) -> Result<String, datafusion::arrow::error::ArrowError> {
    let series = series(batches)?;
    let mut text = alerts(&series).to_string();
    for one in series.iter().filter(|one| one.metric == CHARTED) {
        let _ = write!(text, "\n{}", chart.draw(one));
    }
    Ok(text)
}

fn how_to_go_on(directory: &str) -> String {
    let directory = in_shell(directory);
    let mut text = format!("Go on\n  cd {directory}\n");
    for (name, _, answer) in REPORTS {
        let _ = writeln!(text, "  modelwatch -f {name:<27}  # {answer}");
    }
    text.push_str(
        "  modelwatch --register reference=reference.parquet --register analysis=analysis.parquet\n",
    );
    text
}

/// A path as one word of a shell.
fn in_shell(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) && !path.starts_with('-') {
        return path.to_owned();
    }
    format!(
        "'{}'",
        crate::report::printable(path).replace('\'', r"'\''")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_a_shell() {
        assert_eq!(in_shell("modelwatch-demo"), "modelwatch-demo");
        assert_eq!(in_shell("my demo"), "'my demo'");
        assert_eq!(in_shell("it's"), r"'it'\''s'");
    }
}
