//! Relations of the shared row shape as arguments: one series for each group, column and metric.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::by_expr;
use super::roles::{column, column_names};
use super::session_functions::{aggregate, is_reference};
use crate::suggest::expected_one_of;

/// The column of the plan that holds the series.
pub const SERIES: &str = "__series";

/// What a relation argument holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monitored {
    /// Rows of columns, judged by thresholds.
    Drift,
    /// Rows of metrics of the model.
    Performance,
}

impl Monitored {
    const fn argument(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Performance => "performance",
        }
    }

    /// The columns that make a series.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Drift => &["column_name", "metric"],
            Self::Performance => &["metric"],
        }
    }

    /// What to write where the argument is missing.
    const fn example(self) -> &'static str {
        match self {
            Self::Drift => "univariate_drift(...)",
            Self::Performance => "estimate_performance(...)",
        }
    }
}

/// The series of a relation argument: the `by` columns, the keys, and [`SERIES`].
pub fn chunk_series(
    call: &mut Call,
    monitored: Monitored,
    by: &[(String, SqlExpr)],
) -> Result<LogicalPlan> {
    let (function, argument) = (call.function(), monitored.argument());
    let Some(input) = call.relation(argument)? else {
        return plan_err!(
            "{function}: argument '{argument}' is missing. Expected rows of a monitoring function. \
             Hint: {argument} => {}",
            monitored.example()
        );
    };
    check_columns(function, monitored, input.schema())?;
    let schema = input.schema().clone();
    let mut group: Vec<Expr> = Vec::with_capacity(by.len() + 2);
    for (name, sql) in by {
        let told = format!("{function}: argument '{argument}'");
        group.push(by_expr(call, name, sql, &schema).map_err(|e| e.context(told))?);
    }
    let text = |name: &str| cast(column(name), DataType::Utf8);
    group.extend(monitored.keys().iter().map(|name| text(name).alias(*name)));
    let alert = match monitored {
        Monitored::Drift => column("alert"),
        // the alerts of performance rank no column
        Monitored::Performance => lit(ScalarValue::Boolean(None)),
    };
    let source = lit(format!("{function}: argument '{argument}'"));
    let arguments = vec![
        is_reference(),
        text("chunk"),
        column("value"),
        alert,
        source,
    ];
    let series = aggregate(call, "chunk_series", arguments)?.alias(SERIES);
    LogicalPlanBuilder::from(input)
        .aggregate(group, vec![series])?
        .build()
}

/// Refuses a relation that is not of the shared row shape.
fn check_columns(function: &str, monitored: Monitored, schema: &DFSchema) -> Result<()> {
    let argument = monitored.argument();
    let all = ["dataset", "chunk", "value"].iter().chain(monitored.keys());
    let alert = (monitored == Monitored::Drift).then_some(&"alert");
    for name in all.chain(alert) {
        let Ok(field) = schema.field_with_unqualified_name(name) else {
            return plan_err!(
                "{function}: argument '{argument}' has no column '{name}'. Expected rows of a monitoring function, such \
                 as {}. {}",
                monitored.example(),
                expected_one_of(name, &column_names(schema))
            );
        };
        let found = field.data_type();
        let (fits, expected) = match *name {
            "value" => (found.is_numeric() || found.is_null(), "a number"),
            "alert" => (*found == DataType::Boolean || found.is_null(), "a boolean"),
            _ => (!found.is_nested(), "a text"),
        };
        if !fits {
            return plan_err!(
                "{function}: column '{name}' of argument '{argument}' has type {found}. Expected {expected}. \
                 Hint: {argument} => (SELECT * EXCEPT ({name}), CAST({name} AS {}) AS {name} FROM ...)",
                if *name == "value" {
                    "DOUBLE"
                } else {
                    "BOOLEAN"
                }
            );
        }
    }
    Ok(())
}
