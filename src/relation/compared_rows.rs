//! Results as arguments of `compare_performance`: one row for each chunk and metric.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::functions_aggregate::expr_fn::{count, max};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::arguments::Call;
use super::by::comparable_types;
use super::comparable::asked;
use super::compare_performance::COLUMNS;
use super::result::{COMPARABLE_COLUMNS, RESULT_COLUMNS};
use super::roles::{column, column_names};
use crate::suggest::expected_one_of;

/// What rows are matched by, besides `by` columns.
pub const KEYS: [&str; 4] = ["dataset", "chunk", "metric", "column_name"];
/// How many rows of a relation are of one key.
pub const TIMES: &str = "__times";

const NUMBERS: [&str; 4] = ["value", "row_count", "used_count", "labelled_count"];
const OF_CHUNK: [&str; 5] = [
    "monitor",
    "chunk_index",
    "chunk_start",
    "chunk_end",
    "complete",
];

/// A side of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Rows of `estimate_performance`.
    Estimated,
    /// Rows of `realized_performance`.
    Realized,
}

impl Compared {
    const fn argument(self) -> &'static str {
        match self {
            Self::Estimated => "estimated",
            Self::Realized => "realized",
        }
    }

    /// What to write for the argument.
    const fn example(self) -> &'static str {
        match self {
            Self::Estimated => "estimate_performance(..., comparable => true)",
            Self::Realized => "realized_performance(...)",
        }
    }

    /// The columns that are read besides [`KEYS`] and status, those of numbers first.
    fn columns(self) -> (Vec<&'static str>, &'static [&'static str]) {
        match self {
            Self::Estimated => (
                [NUMBERS.as_slice(), &COMPARABLE_COLUMNS].concat(),
                &OF_CHUNK,
            ),
            Self::Realized => (NUMBERS.to_vec(), &[]),
        }
    }

    /// Its name for a column.
    fn named(self, name: &str) -> String {
        match self {
            Self::Estimated => name.to_owned(),
            Self::Realized => inner(name),
        }
    }

    /// One row for each key, with the number of those it stands for as [`TIMES`]: where there are several, none of them
    /// is the one to compare.
    pub fn one_row_each(self, rows: LogicalPlan, by: &[String]) -> Result<LogicalPlan> {
        let text = |name: &str| cast(column(name), DataType::Utf8);
        let by = by.iter().map(|name| column(name).alias(self.named(name)));
        let keys = KEYS.iter().map(|name| text(name).alias(self.named(name)));
        let (numbers, others) = self.columns();
        let number = |name: &str| match name.ends_with("_count") {
            true => cast(column(name), DataType::Int64),
            false => cast(column(name), DataType::Float64),
        };
        let of = |name: &str, value: Expr| max(value).alias(self.named(name));
        let mut found: Vec<Expr> = numbers.iter().map(|name| of(name, number(name))).collect();
        found.extend(others.iter().map(|name| of(name, column(name))));
        found.push(of("status", text("status")));
        found.push(count(lit(1i64)).alias(self.named(TIMES)));
        let keys: Vec<Expr> = by.chain(keys).collect();
        LogicalPlanBuilder::from(rows)
            .aggregate(keys, found)?
            .build()
    }
}

/// The name of a column of `realized` beside those of `estimated`.
pub fn inner(name: &str) -> String {
    format!("__realized_{name}")
}

/// The relation of an argument, whose columns are those of a result.
pub fn compared_rows(call: &mut Call, side: Compared) -> Result<LogicalPlan> {
    let (function, argument) = (call.function(), side.argument());
    let Some(sql) = call.sql(argument) else {
        return plan_err!(
            "{function}: argument '{argument}' is missing. Expected rows of a monitoring function. Hint: {argument} => {}",
            side.example()
        );
    };
    let sql = match side {
        Compared::Estimated => asked(sql),
        Compared::Realized => sql,
    };
    let rows = call.relation_of(argument, sql)?;
    check_columns(function, side, rows.schema())?;
    Ok(rows)
}

/// Refuses a relation that is not of the row shape of results.
fn check_columns(function: &str, side: Compared, schema: &DFSchema) -> Result<()> {
    let argument = side.argument();
    let (numbers, others) = side.columns();
    let texts = KEYS.iter().chain(&["status"]);
    for name in texts.chain(&numbers).chain(others) {
        let Ok(field) = schema.field_with_unqualified_name(name) else {
            if COMPARABLE_COLUMNS.contains(name) && schema.has_column_with_unqualified_name("value")
            {
                return plan_err!(
                    "{function}: argument '{argument}' has no column '{name}', which estimates have that were made to be compared. \
                     Hint: {argument} => {}",
                    side.example()
                );
            }
            return plan_err!(
                "{function}: argument '{argument}' has no column '{name}'. Expected rows of a monitoring function. \
                 Hint: {argument} => {}. {}",
                side.example(),
                expected_one_of(name, &column_names(schema))
            );
        };
        let found = field.data_type();
        let (fits, expected) = match numbers.contains(name) {
            true => (found.is_numeric() || found.is_null(), "a number"),
            false => (!found.is_nested(), "no list and no struct"),
        };
        if !fits {
            return plan_err!(
                "{function}: column '{name}' of argument '{argument}' has type {found}. Expected {expected}. \
                 Hint: {argument} => {}",
                side.example()
            );
        }
    }
    Ok(())
}

/// The `by` columns: those that both relations have, but for the columns of every result.
pub fn common_columns(
    call: &Call,
    estimated: &LogicalPlan,
    realized: &LogicalPlan,
) -> Result<Vec<String>> {
    let function = call.function();
    let of_results =
        |name: &&str| RESULT_COLUMNS.contains(name) || COMPARABLE_COLUMNS.contains(name);
    let theirs = column_names(realized.schema());
    let mut common = vec![];
    for name in column_names(estimated.schema()) {
        if of_results(&name) || !theirs.contains(&name) {
            continue;
        }
        if COLUMNS.contains(&name) || name.starts_with("__") {
            return plan_err!(
                "{function}: both relations have a column '{name}', which is a name of the result or inside of the plan. \
                 Expected another name. Hint: estimated => (SELECT * EXCEPT ({name}) FROM ...)"
            );
        }
        let [left, right] = [estimated, realized].map(|plan| {
            let field = plan.schema().field_with_unqualified_name(name);
            field.map(|field| field.data_type().clone())
        });
        let (left, right) = (left?, right?);
        if !comparable_types(&left, &right) {
            return plan_err!(
                "{function}: rows are matched by '{name}', which has type {left} in 'estimated' and {right} in 'realized'. \
                 Expected values that can be compared. Hint: realized => (SELECT * EXCEPT ({name}), CAST({name} AS ...) AS {name} FROM ...)"
            );
        }
        common.push(name.to_owned());
    }
    Ok(common)
}
