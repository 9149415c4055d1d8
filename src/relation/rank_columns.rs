//! `rank_columns`: which column to look at first.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions::math::expr_fn::abs;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, SortExpr, cast, lit, when,
};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::RelationSpec;
use super::arguments::Call;
use super::by::by_columns;
use super::roles::column;
use super::series_pairs::series_pairs;
use super::session_functions::{row_number, scalar};
use crate::suggest::expected_one_of;

pub static SPEC: RelationSpec = RelationSpec {
    name: "rank_columns",
    description: "Which column to look at first: by how often its drift alerted, or by how closely its drift followed the \
                  distance of performance from the reference's mean (Pearson's correlation over chunks).",
    arguments: &[
        (
            "drift",
            "Rows of univariate_drift, or of any relation with its columns dataset, chunk, column_name, metric, value, alert.",
        ),
        (
            "performance",
            "Rows of estimate_performance, or of any relation with its columns dataset, chunk, metric, value: those of the \
             reference too. Chunks are matched by name.",
        ),
        (
            "method",
            "'correlation' (default with performance) or 'alert_count' (default without).",
        ),
        (
            "drift_metrics",
            "Drift metrics, ranked together; default: all, with a ranking for each.",
        ),
        (
            "performance_metrics",
            "Metrics of performance, with a ranking for each; default: all.",
        ),
        (
            "by",
            "Columns of both relations, with a ranking for each group.",
        ),
        (
            "absolute",
            "true (default): a strong negative correlation ranks as high as a positive one; false: it ranks last.",
        ),
        (
            "only_drifting",
            "true: only columns that alerted, with the ranks they have among all; default: false.",
        ),
    ],
    positional: 2,
    example: "SELECT rank, column_name, correlation, alert_count\n\
              FROM rank_columns(drift, performance, performance_metrics => 'roc_auc', by => country)\n\
              ORDER BY country, rank",
    expand,
};

/// Columns of the result after those of `by`.
const COLUMNS: [&str; 10] = [
    "column_name",
    "metric",
    "performance_metric",
    "rank",
    "alert_count",
    "judged_chunks",
    "correlation",
    "p_value",
    "matched_chunks",
    "status",
];

/// What columns are ranked by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    AlertCount,
    Correlation,
}

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let by = by_columns(call)?;
    check_names(call, &by)?;
    let method = method(call)?;
    let absolute = call.flag("absolute")?.unwrap_or(true);
    let only_drifting = call.flag("only_drifting")?.unwrap_or(false);
    let names: Vec<String> = by.iter().map(|(name, _)| name.clone()).collect();
    let pairs = series_pairs(call, &by)?;
    let judged = evidence(call, pairs, &names, method)?;
    let score = match (method, absolute) {
        (Method::AlertCount, _) => column("alert_count"),
        (Method::Correlation, true) => abs(column("correlation")),
        (Method::Correlation, false) => column("correlation"),
    };
    let ranked = ranked(call, judged, &names, score)?;
    let ranked = match only_drifting {
        true => ranked.filter(column("alert_count").gt(lit(0i64)))?,
        false => ranked,
    };
    let result = names.iter().map(String::as_str).chain(COLUMNS).map(column);
    let result = result.collect::<Vec<_>>();
    ranked.project(result)?.alias(call.function())?.build()
}

fn check_names(call: &Call, by: &[(String, SqlExpr)]) -> Result<()> {
    match by.iter().find(|(name, _)| COLUMNS.contains(&name.as_str())) {
        Some((name, _)) => plan_err!(
            "{}: argument 'by' holds a column called '{name}', which is a column of the result. Expected another name. \
             Hint: by => {{'{name}_group': {name}}}",
            call.function()
        ),
        None => Ok(()),
    }
}

fn method(call: &mut Call) -> Result<Method> {
    let function = call.function();
    let has_performance = call.sql("performance").is_some();
    for argument in ["absolute", "performance_metrics"] {
        if !has_performance && call.sql(argument).is_some() {
            return plan_err!(
                "{function}: argument '{argument}' is given, and 'performance' is not. Expected both. \
                 Hint: performance => estimate_performance(...)"
            );
        }
    }
    match call.text("method")?.as_deref() {
        None if has_performance => Ok(Method::Correlation),
        None | Some("alert_count") => Ok(Method::AlertCount),
        Some("correlation") if has_performance => Ok(Method::Correlation),
        Some("correlation") => plan_err!(
            "{function}: argument 'method' is 'correlation', and 'performance' is not given. Expected the relation to \
             correlate with. Hint: performance => estimate_performance(...), or method => 'alert_count'"
        ),
        Some(word) => plan_err!(
            "{function}: argument 'method' is '{word}'. {}",
            expected_one_of(word, &["correlation", "alert_count"])
        ),
    }
}

/// Alerts and correlation of each row, and the status of the one that ranks.
fn evidence(
    call: &Call,
    matched: LogicalPlanBuilder,
    names: &[String],
    method: Method,
) -> Result<LogicalPlanBuilder> {
    let found = scalar(
        call,
        "rank_evidence",
        vec![column("__drift"), column("__performance")],
    )?;
    let keys = names
        .iter()
        .map(String::as_str)
        .chain(["column_name", "metric", "performance_metric"])
        .map(column);
    let with_evidence = keys.clone().chain([found.alias("__evidence")]);
    let status = match method {
        Method::AlertCount => "alert_status",
        Method::Correlation => "correlation_status",
    };
    let field = |name: &str| get_field(column("__evidence"), name);
    let numbers = [
        "alert_count",
        "judged_chunks",
        "correlation",
        "p_value",
        "matched_chunks",
    ];
    let fields = numbers.map(|name| field(name).alias(name));
    let fields = keys
        .clone()
        .chain(fields)
        .chain([field(status).alias("status")]);
    matched
        .project(with_evidence.collect::<Vec<_>>())?
        .project(fields.collect::<Vec<_>>())
}

/// Ranks from 1 on, in each group and for each metric; a column without a score has none.
fn ranked(
    call: &Call,
    judged: LogicalPlanBuilder,
    names: &[String],
    score: Expr,
) -> Result<LogicalPlanBuilder> {
    let names = names.iter().map(String::as_str);
    let mut partition: Vec<Expr> = names.chain(["performance_metric"]).map(column).collect();
    // metrics that are named share a ranking
    if call.sql("drift_metrics").is_none() {
        partition.push(column("metric"));
    }
    let best_first = [score.clone().sort(false, false)];
    let ties = ["column_name", "metric"].map(|name| column(name).sort(true, false));
    let order: Vec<SortExpr> = best_first.into_iter().chain(ties).collect();
    let number = row_number(call)?
        .partition_by(partition)
        .order_by(order)
        .build()?;
    let rank = cast(column("__rank"), DataType::Int64);
    let rank = when(score.is_not_null(), rank).end()?.alias("rank");
    let kept = judged.schema().columns().into_iter().map(Expr::Column);
    let kept: Vec<Expr> = kept.chain([rank]).collect();
    judged.window(vec![number.alias("__rank")])?.project(kept)
}
