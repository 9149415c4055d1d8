//! `univariate_drift`: how far the columns of each chunk lie from the reference.
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::column_series::{ColumnSides, evaluate, names_of, with, with_limits};
use super::columns::Unsupported;
use super::drift_thresholds::DriftThresholds;
use super::result::shared_shape;
use super::roles::column;
use super::session_functions::over_partition;
use super::shared_arguments;
use crate::functions::COLUMN_FIELDS;
use crate::kernel::drift::DriftMetric;
use crate::suggest::expected_one_of;

pub static SPEC: RelationSpec = RelationSpec {
    name: "univariate_drift",
    description: "How far each column of each chunk lies from the reference, with the probability of such a distance without drift, \
                  q-values over the columns, and thresholds of a stated false-alarm rate.",
    arguments: &[
        (
            "reference",
            "Rows against which columns are compared, or profiles of their columns.",
        ),
        (
            "analysis",
            "Rows to be judged, or profiles of their columns.",
        ),
        shared_arguments::COLUMNS,
        shared_arguments::EXCLUDE,
        shared_arguments::TREAT_AS_CATEGORICAL,
        shared_arguments::TREAT_AS_CONTINUOUS,
        (
            "metrics",
            "Names of distances; default: jensen_shannon. One that does not apply to a column is left out there.",
        ),
        shared_arguments::COMPARISON,
        shared_arguments::TIMESTAMP,
        shared_arguments::BY,
        shared_arguments::CHUNK,
        shared_arguments::REFERENCE_CHUNK,
        shared_arguments::ORDER_BY,
        shared_arguments::INCOMPLETE,
        shared_arguments::TIME_ZONE,
        shared_arguments::AS_OF,
        (
            "thresholds",
            "false_alarm_rate(rate) (default), fdr(rate [, min_effect]), stddev(k), constant(lower, upper), or {'metric': ...}.",
        ),
        shared_arguments::NAME,
    ],
    positional: 2,
    example: "SELECT chunk, column_name, value, p_value, q_value, upper_threshold, alert\n\
              FROM univariate_drift(reference, analysis, chunk => INTERVAL '1 month', metrics => ['jensen_shannon', 'psi'])\n\
              WHERE dataset = 'analysis'",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let columns = ColumnSides::read(call, Unsupported::Told)?;
    let metrics = columns.metrics(call, &[DriftMetric::JensenShannon])?;
    let thresholds = DriftThresholds::read(call, &metrics)?;
    let arguments = vec![
        names_of(&metrics),
        lit(thresholds.limits.to_string()),
        lit(comparison(call)?),
    ];
    let by = columns.by();
    let chunks = columns.chunks(call)?;
    let evaluated = evaluate(
        call,
        chunks,
        &by,
        ("evaluate_drift", &COLUMN_FIELDS),
        arguments,
    )?;
    let judged = judge(call, evaluated, &by, &thresholds)?;
    let function = call.function();
    shared_shape(call, judged, &by)?.alias(function)?.build()
}

pub fn comparison(call: &mut Call) -> Result<String> {
    let function = call.function();
    match call.text("comparison")? {
        None => Ok("reference".into()),
        Some(word) if word == "reference" || word == "previous" => Ok(word),
        Some(word) => plan_err!(
            "{function}: argument 'comparison' is '{word}'. {}",
            expected_one_of(&word, &["reference", "previous"])
        ),
    }
}

/// q-values over the columns of a chunk, limits and alerts.
fn judge(
    call: &mut Call,
    evaluated: LogicalPlanBuilder,
    by: &[String],
    thresholds: &DriftThresholds,
) -> Result<LogicalPlanBuilder> {
    let mut family: Vec<&str> = by.iter().map(String::as_str).collect();
    family.extend(["dataset", "chunk", "metric"]);
    let p_value = vec![column("p_value")];
    let q_values = over_partition(
        call,
        "benjamini_hochberg",
        p_value,
        &family,
        &["column_name"],
    )?;
    let plan = evaluated.window(vec![q_values.alias("q_value")])?;
    let (lower, upper) = (
        thresholds.limit("lower_threshold")?,
        thresholds.limit("upper_threshold")?,
    );
    let plan = with_limits(plan, lower, upper)?;
    match thresholds.alert()? {
        Some(alert) => with(plan, alert.alias("alert")),
        None => Ok(plan),
    }
}
