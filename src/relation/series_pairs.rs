//! Drift series beside the performance series of their group.
use datafusion::common::{JoinType, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions::string::expr_fn::lower;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::comparable_groups;
use super::chunk_series::{Monitored, SERIES, chunk_series};
use super::roles::column;

/// The `by` columns, `column_name`, `metric`, `performance_metric`, and the series `__drift` and `__performance`:
/// a row for each column, metric, and metric of performance.
pub fn series_pairs(call: &mut Call, by: &[(String, SqlExpr)]) -> Result<LogicalPlanBuilder> {
    let names: Vec<&str> = by.iter().map(|(name, _)| name.as_str()).collect();
    let drift = drift_series(call, by)?;
    let keys = names.iter().copied().chain(["column_name", "metric"]);
    let kept: Vec<Expr> = keys
        .clone()
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
    comparable_groups(call, sides, &names)?;
    let mut on: Vec<Expr> = names
        .iter()
        .map(|name| same_group(name, &inner(name)))
        .collect();
    let asked = metric_names(call, "performance_metrics")?;
    let (mut drift, mut metric) = (drift.project(kept)?, column("__performance_metric"));
    if asked.is_empty() {
        on.push(lit(true));
    } else {
        drift = drift.cross_join(asked_for(&asked, "__asked_performance")?.build()?)?;
        on.push(lower(metric.clone()).eq(column("__asked_performance")));
        metric = coalesce(vec![metric, column("__asked_performance")]);
    }
    let kept = keys.chain(["__drift", "__performance"]).map(column);
    let kept = kept.chain([metric.alias("performance_metric")]);
    drift
        .join_on(renamed(performance, &names)?, JoinType::Left, on)?
        .project(kept.collect::<Vec<_>>())
}

/// The drift series, one row for each column and metric. A metric that was asked for and that no row has
/// is a row of its own, so that a misspelt name does not look like a world without drift.
fn drift_series(call: &mut Call, by: &[(String, SqlExpr)]) -> Result<LogicalPlanBuilder> {
    let series = chunk_series(call, Monitored::Drift, by)?;
    let asked = metric_names(call, "drift_metrics")?;
    if asked.is_empty() {
        return Ok(LogicalPlanBuilder::from(series));
    }
    let columns = series.schema().columns().into_iter();
    let kept = columns.filter(|c| c.name != "metric").map(Expr::Column);
    let named = coalesce(vec![column("metric"), column("__asked_drift")]).alias("metric");
    let kept: Vec<Expr> = kept.chain([named]).collect();
    let same = lower(column("metric")).eq(column("__asked_drift"));
    asked_for(&asked, "__asked_drift")?
        .join_on(series, JoinType::Left, [same])?
        .project(kept)
}

/// The performance series under names that the drift series do not have.
fn renamed(performance: LogicalPlan, names: &[&str]) -> Result<LogicalPlan> {
    let groups = names.iter().map(|name| column(name).alias(inner(name)));
    let series = [
        column("metric").alias("__performance_metric"),
        column(SERIES).alias("__performance"),
    ];
    LogicalPlanBuilder::from(performance)
        .project(groups.chain(series).collect::<Vec<_>>())?
        .build()
}

/// Name of a `by` column of the performance relation.
fn inner(name: &str) -> String {
    format!("__performance_{name}")
}

/// Equal values of a `by` column; NULL is a group too.
pub fn same_group(left: &str, right: &str) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(
        Box::new(column(left)),
        Operator::IsNotDistinctFrom,
        Box::new(column(right)),
    ))
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
