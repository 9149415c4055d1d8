//! `rank_columns`: which column to look at first.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinType, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::functions::math::expr_fn::abs;
use datafusion::functions::string::expr_fn::lower;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, Operator, SortExpr,
    WindowFunctionDefinition, cast, expr::WindowFunction, lit, when,
};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::RelationSpec;
use super::arguments::Call;
use super::by::{by_columns, comparable_groups};
use super::chunk_series::{Monitored, SERIES, chunk_series};
use super::roles::column;
use super::session_functions::scalar;
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
    let drift_metrics = metric_names(call, "drift_metrics")?;
    let drift = drift_series(call, &by, &drift_metrics)?;
    let matched = with_performance(call, drift, &by, &names)?;
    let judged = evidence(call, matched, &names, method)?;
    let one_ranking = !drift_metrics.is_empty();
    let ranked = ranked(call, judged, &names, one_ranking, (method, absolute))?;
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

/// Names of metrics in lower case; empty where the argument is not given.
fn metric_names(call: &mut Call, argument: &str) -> Result<Vec<String>> {
    let Some(words) = call.words(argument)? else {
        return Ok(vec![]);
    };
    let mut names: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() || names.iter().any(String::is_empty) {
        return plan_err!(
            "{}: argument '{argument}' is empty. Expected names, as in {argument} => ['jensen_shannon']",
            call.function()
        );
    }
    Ok(names)
}

/// A row for each name, in column `called`.
fn asked_for(names: &[String], called: &str) -> Result<LogicalPlanBuilder> {
    let rows = names.iter().map(|name| vec![lit(name.as_str())]).collect();
    LogicalPlanBuilder::values(rows)?.project(vec![column("column1").alias(called)])
}

/// The drift series, one row for each column and metric. A metric that was asked for and that no row has
/// is a row of its own, so that a misspelt name does not look like a world without drift.
fn drift_series(
    call: &mut Call,
    by: &[(String, SqlExpr)],
    metrics: &[String],
) -> Result<LogicalPlanBuilder> {
    let series = chunk_series(call, Monitored::Drift, by)?;
    let series = LogicalPlanBuilder::from(series);
    if metrics.is_empty() {
        return Ok(series);
    }
    let kept = series
        .schema()
        .columns()
        .into_iter()
        .filter_map(|c| (c.name != "metric").then(|| Expr::Column(c)));
    let kept: Vec<Expr> = kept.collect();
    let named = coalesce(vec![column("metric"), column("__asked_drift")]).alias("metric");
    let same = lower(column("metric")).eq(column("__asked_drift"));
    asked_for(metrics, "__asked_drift")?
        .join_on(series.build()?, JoinType::Left, [same])?
        .project(kept.into_iter().chain([named]).collect::<Vec<_>>())
}

/// The performance series of its group beside each drift series, a row for each metric of performance.
fn with_performance(
    call: &mut Call,
    drift: LogicalPlanBuilder,
    by: &[(String, SqlExpr)],
    names: &[String],
) -> Result<LogicalPlanBuilder> {
    let kept: Vec<Expr> = names
        .iter()
        .map(String::as_str)
        .chain(["column_name", "metric"])
        .map(column)
        .chain([column(SERIES).alias("__drift")])
        .collect();
    if call.sql("performance").is_none() {
        let absent = [
            lit(ScalarValue::Utf8(None)).alias("performance_metric"),
            lit(ScalarValue::BinaryView(None)).alias("__performance"),
        ];
        return drift.project(kept.into_iter().chain(absent).collect::<Vec<_>>());
    }
    let performance = chunk_series(call, Monitored::Performance, by)?;
    let sides = [
        ("drift", drift.schema().as_ref()),
        ("performance", performance.schema().as_ref()),
    ];
    comparable_groups(call, sides, names)?;
    let inner = |name: &str| format!("__performance_{name}");
    let renamed = names.iter().map(|name| column(name).alias(inner(name)));
    let renamed = renamed.chain([
        column("metric").alias("__performance_metric"),
        column(SERIES).alias("__performance"),
    ]);
    let performance = LogicalPlanBuilder::from(performance)
        .project(renamed.collect::<Vec<_>>())?
        .build()?;
    let mut on: Vec<Expr> = names
        .iter()
        .map(|name| same_group(name, &inner(name)))
        .collect();
    let asked = metric_names(call, "performance_metrics")?;
    let mut drift = drift.project(kept)?;
    let mut metric = column("__performance_metric");
    if asked.is_empty() {
        on.push(lit(true));
    } else {
        drift = drift.cross_join(asked_for(&asked, "__asked_performance")?.build()?)?;
        on.push(lower(metric.clone()).eq(column("__asked_performance")));
        metric = coalesce(vec![metric, column("__asked_performance")]);
    }
    let kept = names
        .iter()
        .map(String::as_str)
        .chain(["column_name", "metric", "__drift"]);
    let kept: Vec<Expr> = kept
        .map(column)
        .chain([metric.alias("performance_metric"), column("__performance")])
        .collect();
    drift
        .join_on(performance, JoinType::Left, on)?
        .project(kept)
}

/// Equal values of a `by` column; NULL is a group too.
fn same_group(left: &str, right: &str) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(
        Box::new(column(left)),
        Operator::IsNotDistinctFrom,
        Box::new(column(right)),
    ))
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
    one_ranking: bool,
    (method, absolute): (Method, bool),
) -> Result<LogicalPlanBuilder> {
    let score = match (method, absolute) {
        (Method::AlertCount, _) => column("alert_count"),
        (Method::Correlation, true) => abs(column("correlation")),
        (Method::Correlation, false) => column("correlation"),
    };
    let mut partition: Vec<Expr> = names.iter().map(|name| column(name)).collect();
    partition.push(column("performance_metric"));
    if !one_ranking {
        partition.push(column("metric"));
    }
    let ties = ["column_name", "metric"].map(|name| column(name).sort(true, false));
    let order: Vec<SortExpr> = [score.clone().sort(false, false)]
        .into_iter()
        .chain(ties)
        .collect();
    let Some(row_number) = call
        .context
        .context_provider()
        .get_window_meta("row_number")
    else {
        return plan_err!("{}: function row_number is not registered", call.function());
    };
    let number = Expr::from(WindowFunction::new(
        WindowFunctionDefinition::WindowUDF(row_number),
        vec![],
    ))
    .partition_by(partition)
    .order_by(order)
    .build()?;
    let rank = cast(column("__rank"), DataType::Int64);
    let rank = when(score.is_not_null(), rank).end()?.alias("rank");
    let kept = judged.schema().columns().into_iter().map(Expr::Column);
    let kept: Vec<Expr> = kept.chain([rank]).collect();
    judged.window(vec![number.alias("__rank")])?.project(kept)
}
