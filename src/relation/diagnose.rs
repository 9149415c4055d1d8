//! `diagnose`: which shape each series of a monitoring function has.
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions::expr_fn::concat_ws;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, ident, lit, when,
};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::RelationSpec;
use super::arguments::Call;
use super::by::{by_expr, named_expressions};
use super::result::RESULT_COLUMNS;
use super::roles::{column, column_names};
use super::session_functions::aggregate;
use crate::kernel::reading::Status;
use crate::suggest::expected_one_of;

pub static SPEC: RelationSpec = RelationSpec {
    name: "diagnose",
    description: "The shape of each series of chunks: stable, changed suddenly, gradually or for a time, or going in cycles; when, \
                  how large, how sure, and one sentence that says so.",
    arguments: &[
        (
            "series",
            "Rows of a monitoring function, or of any relation with a value, one row a chunk in each series.",
        ),
        ("value", "The value; default: column value."),
        (
            "timestamp",
            "When the chunk began; default: column chunk_start, or where that is unknown the order of chunk_index.",
        ),
        (
            "sampling_error",
            "Standard error of the value; default: column sampling_error, if there. Without, noise is taken from the series.",
        ),
        (
            "by",
            "Columns that tell series apart, besides metric and column_name; default: monitor and the by columns of the \
             monitoring function.",
        ),
        (
            "accept_status",
            "Statuses that make no gap, besides ok and those of limits and the whole reference, such as 'extrapolated'.",
        ),
        (
            "search_price",
            "Parameters that searching a place or a period is worth: more gives fewer false alarms and less power; default: 2.",
        ),
    ],
    positional: 1,
    example: "SELECT metric, pattern, since_chunk, magnitude, explanation\n\
              FROM diagnose((SELECT * FROM estimate_performance(reference, analysis, chunk => INTERVAL '1 week')))",
    expand,
};

/// Columns of the result after those that tell series apart.
const COLUMNS: [&str; 16] = [
    "pattern",
    "since",
    "until",
    "since_chunk",
    "until_chunk",
    "magnitude",
    "magnitude_error",
    "slope",
    "cycle_length",
    "confidence",
    "runner_up",
    "dispersion",
    "chunk_count",
    "used_count",
    "status",
    "explanation",
];

/// Says of limits or of the whole reference, not of a chunk's value.
const NOT_OF_CHUNKS: [&str; 5] = [
    "ok",
    "few_reference_chunks",
    "small_reference",
    "reference_undefined",
    "no_reference",
];

const DIAGNOSIS: &str = "__diagnosis";

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let function = call.function();
    let Some(input) = call.relation("series")? else {
        return plan_err!(
            "{function}: argument 'series' is missing. Expected rows of a monitoring function. \
             Hint: diagnose((SELECT * FROM estimate_performance(...)))"
        );
    };
    let schema = input.schema().clone();
    let group = group(call, &schema)?;
    let names: Vec<String> = group.iter().map(|(name, _)| name.clone()).collect();
    let time = time(call, &schema)?;
    let kind = time.get_type(&schema)?;
    let arguments = vec![
        microseconds(time, &kind),
        known(&schema, "chunk_index", &DataType::Int64),
        match has(&schema, "dataset") {
            true => column("dataset").eq(lit("reference")),
            false => lit(false),
        },
        known(&schema, "chunk", &DataType::Utf8),
        number(call, "value", &schema)?,
        number(call, "sampling_error", &schema)?,
        is_usable(call, &schema)?,
        // the sentence begins with what the values are
        lit(""),
        search_price(call)?,
    ];
    let diagnosis = aggregate(call, "diagnose_series", arguments)?.alias(DIAGNOSIS);
    let group = group.into_iter().map(|(name, expr)| expr.alias(name));
    let plan = LogicalPlanBuilder::from(input).aggregate(group, vec![diagnosis])?;
    let told = COLUMNS.map(|name| told(name, &kind, &names).map(|expr| expr.alias(name)));
    let told: Result<Vec<Expr>> = told.into_iter().collect();
    let result = names.iter().map(|name| column(name)).chain(told?);
    let result = result.collect::<Vec<_>>();
    plan.project(result)?.alias(function)?.build()
}

fn has(schema: &DFSchema, name: &str) -> bool {
    schema.has_column_with_unqualified_name(name)
}

/// What tells series apart: `by`, or what the monitoring function has before its own columns; then metric and column.
fn group(call: &mut Call, schema: &DFSchema) -> Result<Vec<(String, Expr)>> {
    let mut group = vec![];
    for (name, sql) in named_by(call, schema)? {
        if COLUMNS.contains(&name.as_str()) {
            return plan_err!(
                "{}: argument 'by' holds a column called '{name}', which is a column of the result. Expected another name. \
                 Hint: by => {{'{name}_group': {name}}}",
                call.function()
            );
        }
        let expr = match sql {
            Some(sql) => by_expr(call, &name, &sql, schema)?.unalias(),
            None => column(&name),
        };
        group.push((name, expr));
    }
    for name in ["metric", "column_name"] {
        if has(schema, name) && group.iter().all(|(known, _)| known != name) {
            group.push((name.to_owned(), column(name)));
        }
    }
    Ok(group)
}

fn named_by(call: &mut Call, schema: &DFSchema) -> Result<Vec<(String, Option<SqlExpr>)>> {
    if call.sql("by").is_some() {
        let named = named_expressions(call, "by")?.into_iter();
        return Ok(named.map(|(name, sql)| (name, Some(sql))).collect());
    }
    if !(has(schema, "monitor") && has(schema, "dataset")) {
        return Ok(vec![]);
    }
    // the by columns of a monitoring function stand between these two
    let names = column_names(schema).into_iter();
    let until_dataset = names.take_while(|name| *name != "dataset");
    let own = until_dataset.filter(|name| *name == "monitor" || !RESULT_COLUMNS.contains(name));
    Ok(own.map(|name| (name.to_owned(), None)).collect())
}

/// The time of a chunk; NULL where the relation has none.
fn time(call: &mut Call, schema: &DFSchema) -> Result<Expr> {
    let time = match call.sql("timestamp") {
        Some(sql) => call.resolve("timestamp", sql, schema)?,
        None if has(schema, "chunk_start") => ident("chunk_start"),
        None => lit(ScalarValue::TimestampMicrosecond(None, None)),
    };
    let kind = time.get_type(schema)?;
    match kind {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Ok(time),
        DataType::Null => Ok(lit(ScalarValue::TimestampMicrosecond(None, None))),
        _ => plan_err!(
            "{}: argument 'timestamp' (`{time}`) has type {kind}. Expected a timestamp or a date. \
             Hint: timestamp => CAST({time} AS TIMESTAMP)",
            call.function()
        ),
    }
}

/// Microseconds since 1970, of an instant those of UTC.
fn microseconds(time: Expr, kind: &DataType) -> Expr {
    cast(cast(time, instant(kind)), DataType::Int64)
}

fn instant(kind: &DataType) -> DataType {
    match kind {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        _ => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// A column where the relation has it, else NULL.
fn known(schema: &DFSchema, name: &str, kind: &DataType) -> Expr {
    let absent = lit(ScalarValue::Null);
    cast(
        if has(schema, name) {
            column(name)
        } else {
            absent
        },
        kind.clone(),
    )
}

/// `value` or `sampling_error`, the latter NULL where the relation has none.
fn number(call: &mut Call, name: &str, schema: &DFSchema) -> Result<Expr> {
    let function = call.function();
    let expr = match call.sql(name) {
        Some(sql) => call.resolve(name, sql, schema)?,
        None if has(schema, name) => column(name),
        None if name == "value" => {
            return plan_err!(
                "{function}: the series has no column 'value'. {}. Hint: value => <column>",
                expected_one_of("value", &column_names(schema))
            );
        }
        None => lit(ScalarValue::Float64(None)),
    };
    let kind = expr.get_type(schema)?;
    match kind.is_numeric() || kind.is_null() {
        true => Ok(cast(expr, DataType::Float64)),
        false => plan_err!(
            "{function}: argument '{name}' (`{expr}`) has type {kind}. Expected a number. Hint: {name} => CAST({expr} AS DOUBLE)"
        ),
    }
}

/// False for a gap: a chunk that is not complete, or whose status says that its value is not to be trusted.
fn is_usable(call: &mut Call, schema: &DFSchema) -> Result<Expr> {
    let accepted = call.words("accept_status")?.unwrap_or_default();
    let unknown = accepted.iter().find(|name| Status::parse(name).is_none());
    if let Some(unknown) = unknown {
        return plan_err!(
            "{}: argument 'accept_status' holds the unknown status '{unknown}'. {}",
            call.function(),
            expected_one_of(unknown, &Status::ALL.map(Status::name))
        );
    }
    let complete = match has(schema, "complete") {
        true => column("complete").is_not_false(),
        false => lit(true),
    };
    if !has(schema, "status") {
        return Ok(complete);
    }
    let accepted = accepted.iter().map(|name| lit(name.as_str()));
    let fine = NOT_OF_CHUNKS.map(lit).into_iter().chain(accepted).collect();
    let status = cast(column("status"), DataType::Utf8);
    let fine = when(status.clone().is_null(), lit(true)).otherwise(status.in_list(fine, false))?;
    Ok(complete.and(fine))
}

fn search_price(call: &mut Call) -> Result<Expr> {
    let price = call.constant("search_price")?;
    Ok(lit(price.unwrap_or(ScalarValue::Float64(None))))
}

/// A column of the result.
fn told(name: &str, kind: &DataType, names: &[String]) -> Result<Expr> {
    let field = |name: &str| get_field(column(DIAGNOSIS), name);
    Ok(match name {
        "since" | "until" => {
            let time = field(&[name, "_time"].concat());
            cast(cast(time, instant(kind)), kind.clone())
        }
        // the sentence is of the metric and the column
        "explanation" => {
            let of = ["metric", "column_name"].into_iter();
            let of = of.filter(|of| names.iter().any(|name| name == of));
            let of: Vec<Expr> = of.map(column).collect();
            let subject = match of.is_empty() {
                true => vec![lit("The value")],
                false => of,
            };
            concat_ws(lit(" "), subject.into_iter().chain([field(name)]).collect())
        }
        _ => field(name),
    })
}
