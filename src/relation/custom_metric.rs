//! A metric that the call gives as an aggregate expression: what it reads of rows, its aggregates, and what it makes of them.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::chunked::CHUNK_COLUMNS;
use super::roles::{Kind, column};
use super::side::Side;

/// The metric of a chunk, inside of the plan.
pub const VALUE: &str = "__value";
/// Its standard error, inside of the plan.
pub const ERROR: &str = "__error";

/// A metric over the rows of one relation.
pub struct CustomMetric {
    /// The columns that it reads, under names of their own.
    pub inputs: Vec<(String, Expr)>,
    /// Its aggregates over these names, in order.
    aggregates: Vec<Expr>,
    /// The value over the results of the aggregates.
    value: Expr,
    /// The standard error over them, if it is given.
    error: Option<Expr>,
}

impl CustomMetric {
    /// Reads `metric` and `sampling_error` against the columns of a relation.
    pub fn read(call: &mut Call, side: &Side) -> Result<Self> {
        let Some(sql) = call.sql("metric") else {
            return plan_err!(
                "{0}: argument 'metric' is missing. Expected an aggregate expression. \
                 Hint: {0}(reference, analysis, metric => avg(x))",
                call.function()
            );
        };
        let value = aggregate_expression(call, "metric", sql, side.schema())?;
        let error = match call.sql("sampling_error") {
            Some(sql) => Some(aggregate_expression(
                call,
                "sampling_error",
                sql,
                side.schema(),
            )?),
            None => None,
        };
        let found = find_aggregate_exprs([&value].into_iter().chain(&error));
        let inputs = columns_of(&found)?;
        let aggregates = found
            .iter()
            .map(|aggregate| over_inputs(aggregate, &inputs));
        let named = |(i, column): (usize, &Column)| (input_name(i), Expr::Column(column.clone()));
        Ok(Self {
            aggregates: aggregates.collect::<Result<_>>()?,
            value: over_aggregates(value, &found)?,
            error: error
                .map(|error| over_aggregates(error, &found))
                .transpose()?,
            inputs: inputs.iter().enumerate().map(named).collect(),
        })
    }

    /// Whether its sampling error is given.
    pub fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// Names of the aggregates' results.
    pub fn names(&self) -> Vec<String> {
        (0..self.aggregates.len()).map(aggregate_name).collect()
    }

    /// The aggregates under their names.
    pub fn aggregates(&self) -> Vec<Expr> {
        let named = self.aggregates.iter().cloned().zip(self.names());
        named
            .map(|(aggregate, name)| aggregate.alias(name))
            .collect()
    }

    /// Chunks with [`metric_columns`] in place of the aggregates' results.
    pub fn valued(&self, chunks: LogicalPlan, by: &[String]) -> Result<LogicalPlan> {
        let number = |expr: &Expr| cast(expr.clone(), DataType::Float64);
        let unknown = || lit(ScalarValue::Float64(None));
        let columns = metric_columns().into_iter().map(|name| match name {
            VALUE => number(&self.value).alias(VALUE),
            ERROR => self
                .error
                .as_ref()
                .map_or_else(unknown, number)
                .alias(ERROR),
            other => column(other),
        });
        let columns: Vec<Expr> = by.iter().map(|name| column(name)).chain(columns).collect();
        LogicalPlanBuilder::from(chunks).project(columns)?.build()
    }
}

/// [`CHUNK_COLUMNS`] with the value and its error in place of the profile.
pub fn metric_columns() -> Vec<&'static str> {
    let chunk = CHUNK_COLUMNS.into_iter().filter(|name| *name != "profile");
    chunk.chain([VALUE, ERROR]).collect()
}

fn input_name(position: usize) -> String {
    format!("__input_{position}")
}

fn aggregate_name(position: usize) -> String {
    format!("__aggregate_{position}")
}

/// An expression of one number for each chunk.
fn aggregate_expression(
    call: &mut Call,
    name: &str,
    sql: SqlExpr,
    schema: &DFSchema,
) -> Result<Expr> {
    let told = call.told(name, &sql);
    let expr = call.resolve_any(name, sql, schema)?;
    check_aggregates(&told, name, &expr)?;
    let found = expr.get_type(schema).map_err(|e| e.context(told.clone()))?;
    let hint = match Kind::of(&found) {
        Kind::Number => return Ok(expr),
        Kind::Boolean => {
            format!("Hint: {name} => CAST(... AS INTEGER), or avg(CASE WHEN ... THEN 1 ELSE 0 END)")
        }
        Kind::Text => format!("Hint: {name} => CAST(... AS DOUBLE)"),
        Kind::Other => format!("Hint: {name} => avg(x), or any other arithmetic over aggregates"),
    };
    plan_err!("{told} has type {found}. Expected a number. {hint}")
}

/// Refuses what is not one value for each chunk.
fn check_aggregates(told: &str, name: &str, expr: &Expr) -> Result<()> {
    if expr.exists(|e| Ok(matches!(e, Expr::WindowFunction(_))))? {
        return plan_err!(
            "{told} holds a window function, which has a value for each row. Expected one value for each chunk. \
             Hint: compute it in the relation, as in (SELECT *, lag(x) OVER (ORDER BY ts) AS before FROM ...)"
        );
    }
    if expr.exists(|e| Ok(reads_outer_row(e)))? {
        return plan_err!(
            "{told} holds a subquery that depends on the row. Expected aggregates over columns. \
             Hint: join what it reads in the relation, as in (SELECT ... FROM ... JOIN ...)"
        );
    }
    let aggregates = find_aggregate_exprs([expr]);
    if aggregates.is_empty() {
        return plan_err!(
            "{told} has no aggregate function, so it is not one value for each chunk. \
             Expected an aggregate expression. Hint: {name} => avg(x), or sum(x) / sum(y)"
        );
    }
    for aggregate in &aggregates {
        let nested = |e: &Expr| Ok(e != aggregate && matches!(e, Expr::AggregateFunction(_)));
        if aggregate.exists(nested)? {
            return plan_err!(
                "{told} has an aggregate inside of another: `{aggregate}`. Expected aggregates over columns. \
                 Hint: compute the inner one in the relation, as in (SELECT day, sum(x) AS x FROM ... GROUP BY day)"
            );
        }
    }
    match outside_column(expr)? {
        None => Ok(()),
        Some(column) => plan_err!(
            "{told} names column '{0}' outside of an aggregate, where it has many values. Expected one value for each chunk. \
             Hint: avg({0}), max({0}) or the like",
            column.name
        ),
    }
}

fn reads_outer_row(expr: &Expr) -> bool {
    let subquery = match expr {
        Expr::ScalarSubquery(subquery) => subquery,
        Expr::Exists(exists) => &exists.subquery,
        Expr::InSubquery(within) => &within.subquery,
        _ => return false,
    };
    !subquery.outer_ref_columns.is_empty()
}

/// The first column that no aggregate reads.
fn outside_column(expr: &Expr) -> Result<Option<Column>> {
    let mut found = None;
    expr.apply(|e| {
        Ok(match e {
            Expr::AggregateFunction(_) => TreeNodeRecursion::Jump,
            Expr::Column(column) => {
                found = Some(column.clone());
                TreeNodeRecursion::Stop
            }
            _ => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}

/// The columns that aggregates read, each once.
fn columns_of(aggregates: &[Expr]) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = vec![];
    for aggregate in aggregates {
        aggregate.apply(|e| {
            if let Expr::Column(column) = e
                && !columns.contains(column)
            {
                columns.push(column.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(columns)
}

/// An aggregate over columns by the names of the inputs.
fn over_inputs(aggregate: &Expr, inputs: &[Column]) -> Result<Expr> {
    let renamed = aggregate.clone().transform(|e| {
        let place = match &e {
            Expr::Column(column) => inputs.iter().position(|input| input == column),
            _ => None,
        };
        Ok(match place {
            Some(i) => Transformed::yes(column(&input_name(i))),
            None => Transformed::no(e),
        })
    })?;
    Ok(renamed.data)
}

/// An expression with the names of the aggregates' results in place of the aggregates.
fn over_aggregates(expr: Expr, aggregates: &[Expr]) -> Result<Expr> {
    let replaced = expr.transform_down(|e| {
        Ok(
            match aggregates.iter().position(|aggregate| *aggregate == e) {
                Some(i) => {
                    Transformed::new(column(&aggregate_name(i)), true, TreeNodeRecursion::Jump)
                }
                None => Transformed::no(e),
            },
        )
    })?;
    Ok(replaced.data)
}
