//! What all monitoring functions end with: limits, alerts, and the row shape that they share.
use std::fmt::Display;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit, try_cast, when};

use super::arguments::Call;
use super::comparable::is_comparable;
use super::roles::column;
use super::season::season_of_chunks;
use super::session_functions::{is_reference, over_all, scalar};
use super::threshold_arguments::direction;
use crate::kernel::threshold::MetricScale;

/// The columns of every monitoring function, in order; the `by` columns come after the first.
pub const RESULT_COLUMNS: [&str; 24] = [
    "monitor",
    "dataset",
    "chunk",
    "chunk_index",
    "chunk_start",
    "chunk_end",
    "complete",
    "row_count",
    "used_count",
    "labelled_count",
    "column_name",
    "metric",
    "value",
    "sampling_error",
    "lower_bound",
    "upper_bound",
    "realized",
    "p_value",
    "q_value",
    "lower_threshold",
    "upper_threshold",
    "alert",
    "approx_error",
    "status",
];

/// What `compare_performance` reads of an estimate, after [`RESULT_COLUMNS`] where a call asks for it.
pub const COMPARABLE_COLUMNS: [&str; 5] = [
    "realized_estimate",
    "realized_error",
    "labelled_estimate",
    "labelled_error",
    "labelled_used_count",
];

/// The value that limits are learnt from, by its name inside of the plan; results do not have it.
pub const LIMIT_VALUE: &str = "limit_value";
/// The share of `sampling_error` that is due to the chunk's own rows; limits read it, results do not have it.
pub const ROW_SAMPLING_ERROR: &str = "row_sampling_error";

/// The limits of each row, learnt from the reference rows of its metric.
pub fn judge(
    call: &mut Call,
    evaluated: LogicalPlanBuilder,
    by: &[String],
    thresholds: &impl Display,
) -> Result<LogicalPlanBuilder> {
    judge_on(call, evaluated, by, thresholds, None)
}

/// The same for a metric that no registry knows, with its scale.
pub fn judge_on(
    call: &mut Call,
    evaluated: LogicalPlanBuilder,
    by: &[String],
    thresholds: &impl Display,
    scale: Option<&MetricScale>,
) -> Result<LogicalPlanBuilder> {
    let direction = direction(call)?;
    let mut args = vec![
        lit(thresholds.to_string()),
        lit(direction),
        column("metric"),
        column(LIMIT_VALUE),
        column(ROW_SAMPLING_ERROR),
        column("used_count"),
        column("realized"),
        column("chunk_index"),
        is_reference(),
        column("dealt"),
    ];
    args.push(lit(ScalarValue::Utf8(scale.map(MetricScale::to_string))));
    let season = season_of_chunks(call)?;
    args.push(season.clone());
    let mut partition: Vec<&str> = by.iter().map(String::as_str).collect();
    partition.push("metric");
    if has(&evaluated, "column_name") {
        partition.push("column_name");
    }
    let model = over_all(call, "fit_threshold", args, &partition)?.alias("__threshold");
    let chunk = ["__threshold", "value", ROW_SAMPLING_ERROR, "used_count"];
    let chunk = chunk.map(column).into_iter().chain([season]).collect();
    let limits = scalar(call, "threshold_limits", chunk)?;
    let plan = evaluated.window(vec![model])?;
    let kept: Vec<Expr> = plan
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    plan.project(
        kept.into_iter()
            .chain([limits.alias("__limits")])
            .collect::<Vec<_>>(),
    )
}

/// A field of the limits that [`judge`] found.
fn limit(name: &str) -> Expr {
    get_field(column("__limits"), name)
}

/// True strictly outside a limit of `__limits`; NULL where nothing is judged: on reference rows, on chunks that are not
/// complete, and without a value or without limits.
pub(super) fn alert() -> Result<Expr> {
    let (lower, upper) = (limit("lower_threshold"), limit("upper_threshold"));
    let is_true = |side: Expr| when(side.clone().is_null(), lit(false)).otherwise(side);
    let below = is_true(column("value").lt(lower.clone()))?;
    let above = is_true(column("value").gt(upper.clone()))?;
    let not_judged = is_reference()
        .or(column("complete").is_not_true())
        .or(column("value").is_null())
        .or(lower.is_null().and(upper.is_null()));
    when(not_judged, lit(ScalarValue::Boolean(None))).otherwise(below.or(above))
}

/// The status of the value, or else that of its limits.
fn status() -> Result<Expr> {
    let ok = column("status").eq(lit("ok"));
    when(ok, limit("status")).otherwise(column("status"))
}

/// Brings judged rows into the shape that all monitoring functions share.
pub fn shared_shape(
    call: &mut Call,
    judged: LogicalPlanBuilder,
    by: &[String],
) -> Result<LogicalPlanBuilder> {
    let monitor = lit(ScalarValue::Utf8(call.text("name")?));
    let absent = |kind: DataType| try_cast(lit(ScalarValue::Null), kind);
    let comparable: &[&str] = match is_comparable(call)? {
        true => &COMPARABLE_COLUMNS,
        false => &[],
    };
    let mut columns = Vec::with_capacity(RESULT_COLUMNS.len() + by.len() + comparable.len());
    for &name in RESULT_COLUMNS.iter().chain(comparable) {
        let value = match name {
            "monitor" => monitor.clone(),
            // never NULL, but said to be: of a plan with a union and a join the optimizer of DataFusion 55.2 makes columns that
            // may be NULL, whatever the plan said, and `CREATE TABLE ... AS` then refuses them
            "complete" | "row_count" => when(column("metric").is_not_null(), column(name)).end()?,
            "lower_threshold" | "upper_threshold" => limit(name),
            "alert" if has(&judged, name) => column(name),
            "alert" => alert()?,
            "status" => status()?,
            "column_name" if !has(&judged, name) => absent(DataType::Utf8),
            "labelled_count" if !has(&judged, name) => absent(DataType::Int64),
            "p_value" | "q_value" | "realized" | "sampling_error" | "lower_bound"
            | "upper_bound"
                if !has(&judged, name) =>
            {
                absent(DataType::Float64)
            }
            _ => column(name),
        };
        columns.push(value.alias(name));
        if name == "monitor" {
            columns.extend(by.iter().map(|name| column(name)));
        }
    }
    judged.project(columns)
}

fn has(plan: &LogicalPlanBuilder, name: &str) -> bool {
    plan.schema().has_column_with_unqualified_name(name)
}
