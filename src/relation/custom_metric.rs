//! A metric that the call gives as an aggregate expression: what it reads of rows, its aggregates, and what it makes of them.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, when,
};
use datafusion::optimizer::analyzer::type_coercion::TypeCoercionRewriter;
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::chunked::CHUNK_COLUMNS;
use super::roles::{Kind, column};
use super::side::Side;

/// The metric of a chunk, inside of the plan.
pub const VALUE: &str = "__value";
/// Its standard error, inside of the plan.
pub const ERROR: &str = "__error";

/// By what errors call a chunk, inside of the plan.
pub const TOLD: &str = "__told";

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
    /// The column by which errors call a chunk. `chunk` of a calendar is a field of a struct, and a function of such a
    /// field above a union is what the optimizer of DataFusion 55.2 cannot move (push_down_leaf_projections).
    pub told_by: &'static str,
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
            told_by: "chunk",
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
            TOLD => cast(column(self.told_by), DataType::Utf8).alias(TOLD),
            other => column(other),
        });
        let columns: Vec<Expr> = by.iter().map(|name| column(name)).chain(columns).collect();
        LogicalPlanBuilder::from(chunks).project(columns)?.build()
    }
}

/// [`CHUNK_COLUMNS`] with the value and what belongs to it in place of the profile.
pub fn metric_columns() -> Vec<&'static str> {
    let chunk = CHUNK_COLUMNS.into_iter().filter(|name| *name != "profile");
    chunk.chain([TOLD, VALUE, ERROR]).collect()
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
    let found = type_of(&expr, schema).map_err(|e| e.context(told.clone()))?;
    let hint = match Kind::of(&found) {
        Kind::Number => return Ok(expr),
        Kind::Boolean => {
            format!("Hint: {name} => CAST(... AS INTEGER), or avg(CASE WHEN ... THEN 1 ELSE 0 END)")
        }
        Kind::Text => format!("Hint: {name} => CAST(... AS DOUBLE)"),
        Kind::Other => format!("Hint: {name} => avg(x), or other arithmetic over aggregates"),
    };
    plan_err!("{told} has type {found}. Expected a number. {hint}")
}

/// The type that an expression has once its parts are brought to common types: that of a CASE depends on all branches.
fn type_of(expr: &Expr, schema: &DFSchema) -> Result<DataType> {
    // where a call is wrong, its own error names the types that would do; that of the coercion is an internal one
    expr.get_type(schema)?;
    let mut coercion = TypeCoercionRewriter::new(schema);
    expr.clone().rewrite(&mut coercion)?.data.get_type(schema)
}

/// Refuses what is not one value for each chunk.
fn check_aggregates(told: &str, name: &str, expr: &Expr) -> Result<()> {
    for (kind, instead) in REFUSED {
        if expr.exists(|e| Ok(kind_of(e) == Some(kind)))? {
            return plan_err!(
                "{told} holds {kind}. Expected one value for each chunk, from aggregates over columns. \
                 Hint: compute it in the relation, as in {instead}"
            );
        }
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

/// What is refused, and how it is written instead.
const REFUSED: [(&str, &str); 4] = [
    (
        WINDOW,
        "(SELECT *, lag(x) OVER (ORDER BY ts) AS before FROM ...)",
    ),
    (UNNEST, "(SELECT unnest(xs) AS x FROM ...)"),
    (CORRELATED, "(SELECT ... FROM ... JOIN ...)"),
    (
        MEMBERSHIP,
        "(SELECT *, x IN (SELECT ...) AS is_known FROM ...)",
    ),
];
const WINDOW: &str = "a window function";
const UNNEST: &str = "unnest()";
const CORRELATED: &str = "a subquery that depends on the row";
const MEMBERSHIP: &str = "IN, EXISTS or a comparison with a subquery";

fn kind_of(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::WindowFunction(_) => Some(WINDOW),
        Expr::Unnest(_) => Some(UNNEST),
        Expr::ScalarSubquery(subquery) if !subquery.outer_ref_columns.is_empty() => {
            Some(CORRELATED)
        }
        // DataFusion 55.2 has no physical plan of these where aggregates are
        Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) => Some(MEMBERSHIP),
        _ => None,
    }
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
    let name_of = |e: &Expr| {
        let found = aggregates.iter().position(|aggregate| aggregate == e);
        found.map(|i| column(&aggregate_name(i)))
    };
    let replaced = expr.transform_down(|e| {
        Ok(match (name_of(&e), e) {
            (Some(name), _) => Transformed::new(name, true, TreeNodeRecursion::Jump),
            (None, Expr::ScalarFunction(mut field)) if field.name() == "get_field" => {
                let mut is_ours = false;
                if let Some(first) = field.args.first_mut()
                    && let Some(name) = name_of(first)
                {
                    *first = kept_in_place(name)?;
                    is_ours = true;
                }
                let field = Expr::ScalarFunction(field);
                match is_ours {
                    true => Transformed::new(field, true, TreeNodeRecursion::Jump),
                    false => Transformed::no(field),
                }
            }
            (None, e) => Transformed::no(e),
        })
    })?;
    Ok(replaced.data)
}

/// A struct whose fields the optimizer of DataFusion 55.2 does not move towards the rows, which it cannot do above a union
/// (push_down_leaf_projections). Every chunk has such a number of rows, which the optimizer does not know.
fn kept_in_place(aggregate: Expr) -> Result<Expr> {
    when(column("row_count").gt_eq(lit(0_i64)), aggregate).end()
}
