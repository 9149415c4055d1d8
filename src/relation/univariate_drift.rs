//! `univariate_drift`: how far the columns of each chunk lie from the reference.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::by::{by_columns, comparable_groups};
use super::columns::{ColumnKind, ProfiledColumn, profiled_columns};
use super::drift_thresholds::DriftThresholds;
use super::estimate_performance::union;
use super::profiles::{column_chunk_columns, column_profiles};
use super::result::shared_shape;
use super::roles::column;
use super::session_functions::{is_reference, over_partition};
use super::shared_arguments;
use super::side::Side;
use super::threshold_arguments::metric_of;
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
        (
            "columns",
            "Columns to compare: names, expressions by name, or '*' (default), which is all that have no other part in the call.",
        ),
        shared_arguments::EXCLUDE,
        shared_arguments::TREAT_AS_CATEGORICAL,
        shared_arguments::TREAT_AS_CONTINUOUS,
        (
            "metrics",
            "Names of distances; default: jensen_shannon. One that does not apply to a column is left out there.",
        ),
        (
            "comparison",
            "'reference' (default), or 'previous': each chunk with the one before.",
        ),
        shared_arguments::TIMESTAMP,
        (
            "by",
            "Columns that group the rows; each group is compared with its own reference.",
        ),
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
    let by = by_columns(call)?;
    let (reference, analysis) = Side::reference_and_analysis(call)?;
    let columns = profiled_columns(call, &[&reference, &analysis], &by)?;
    let metrics = metrics(call, &columns)?;
    let thresholds = DriftThresholds::read(call, &metrics)?;
    let [of_reference, of_analysis] =
        <[Vec<ProfiledColumn>; 2]>::try_from(columns).unwrap_or_default();
    let reference = column_profiles(call, reference, &by, of_reference)?;
    let analysis = column_profiles(call, analysis, &by, of_analysis)?;
    let names: Vec<String> = by.into_iter().map(|(name, _)| name).collect();
    let sides = [
        ("reference", reference.schema().as_ref()),
        ("analysis", analysis.schema().as_ref()),
    ];
    comparable_groups(call, sides, &names)?;
    let chunks = union(reference, analysis, &names, &column_chunk_columns())?;
    let evaluated = evaluate(call, chunks, &names, &metrics, &thresholds)?;
    let judged = judge(call, evaluated, &names, &thresholds)?;
    let function = call.function();
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

/// The metrics that are asked for; an error for one that applies to no column.
fn metrics(call: &mut Call, columns: &[Vec<ProfiledColumn>]) -> Result<Vec<DriftMetric>> {
    let function = call.function();
    let Some(names) = call.words("metrics")? else {
        return Ok(vec![DriftMetric::JensenShannon]);
    };
    let mut metrics: Vec<DriftMetric> = Vec::new();
    for name in &names {
        if name == "*" {
            return Ok(DriftMetric::ALL.to_vec());
        }
        let metric = metric_of::<DriftMetric>(function, "metrics", name)?;
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    if metrics.is_empty() {
        return plan_err!(
            "{function}: argument 'metrics' is empty. Expected names, as in metrics => ['jensen_shannon', 'psi']"
        );
    }
    let known = || {
        columns
            .iter()
            .flatten()
            .filter(|column| column.expr.is_some())
    };
    let applies = |metric: DriftMetric, kind: ColumnKind| match kind {
        ColumnKind::Continuous => metric.applies_to_continuous(),
        ColumnKind::Categorical => metric.applies_to_categorical(),
    };
    // stored profiles do not tell their columns before they are read
    let stored = columns.iter().any(Vec::is_empty);
    for &metric in &metrics {
        if !stored && !known().any(|column| applies(metric, column.kind)) {
            return plan_err!(
                "{function}: metric {metric} applies to no column. Expected a column of {}. \
                 Hint: {} => <column>",
                if metric.applies_to_continuous() {
                    "numbers"
                } else {
                    "categories"
                },
                if metric.applies_to_continuous() {
                    "treat_as_continuous"
                } else {
                    "treat_as_categorical"
                }
            );
        }
    }
    Ok(metrics)
}

fn comparison(call: &mut Call) -> Result<String> {
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

/// One row for each metric of each column of each chunk.
fn evaluate(
    call: &mut Call,
    chunks: LogicalPlanBuilder,
    by: &[String],
    metrics: &[DriftMetric],
    thresholds: &DriftThresholds,
) -> Result<LogicalPlanBuilder> {
    let names: Vec<ScalarValue> = metrics
        .iter()
        .map(|m| ScalarValue::from(m.name()))
        .collect();
    let names = ScalarValue::List(ScalarValue::new_list_nullable(&names, &DataType::Utf8));
    let args = vec![
        column("profile"),
        column("column_status"),
        column("chunk_index"),
        is_reference(),
        column("dealt"),
        lit(names),
        lit(thresholds.limits.to_string()),
        lit(comparison(call)?),
    ];
    let mut partition: Vec<&str> = by.iter().map(String::as_str).collect();
    partition.push("column_name");
    let readings = over_partition(call, "evaluate_drift", args, &partition)?.alias("__reading");
    let inside = ["profile", "column_status"];
    let kept = column_chunk_columns()
        .into_iter()
        .filter(|name| !inside.contains(name));
    let kept: Vec<Expr> = by
        .iter()
        .map(|name| column(name))
        .chain([column("dataset")])
        .chain(kept.map(column))
        .collect();
    let unnested = chunks
        .window(vec![readings])?
        .project(
            kept.iter()
                .cloned()
                .chain([column("__reading")])
                .collect::<Vec<_>>(),
        )?
        .unnest_column("__reading")?;
    let fields = crate::functions::DRIFT_FIELDS
        .iter()
        .map(|field| get_field(column("__reading"), field.name().as_str()).alias(field.name()));
    unnested.project(kept.iter().cloned().chain(fields).collect::<Vec<_>>())
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
    let q_values = over_partition(call, "benjamini_hochberg", vec![column("p_value")], &family)?;
    let plan = evaluated.window(vec![q_values.alias("q_value")])?;
    let limit = |name: &'static str| thresholds.limit(name);
    let limits = named_struct(vec![
        lit("lower_threshold"),
        limit("lower_threshold")?,
        lit("upper_threshold"),
        limit("upper_threshold")?,
        lit("status"),
        lit("ok"),
    ]);
    let with = |plan: LogicalPlanBuilder, more: Expr| -> Result<LogicalPlanBuilder> {
        let kept: Vec<Expr> = plan
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        plan.project(kept.into_iter().chain([more]).collect::<Vec<_>>())
    };
    let plan = with(plan, limits.alias("__limits"))?;
    match thresholds.alert()? {
        Some(alert) => with(plan, alert.alias("alert")),
        None => Ok(plan),
    }
}
