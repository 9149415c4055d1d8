//! Rows of a monitoring function, or of any relation like them, as one argument: what series they are, and of each row its
//! time, its number and whether that may be used.
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::concat;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, ident, lit, when};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::{Call, literal_text};
use super::by::{by_expr, named_expressions};
use super::result::RESULT_COLUMNS;
use super::roles::{column, column_names};
use crate::kernel::reading::Status;
use crate::suggest::expected_one_of;

/// Says of limits or of the whole reference, not of a chunk's value.
const NOT_OF_CHUNKS: [&str; 5] = [
    "ok",
    "few_reference_chunks",
    "small_reference",
    "reference_undefined",
    "no_reference",
];

/// Whether a relation has a column.
pub fn has(schema: &DFSchema, name: &str) -> bool {
    schema.has_column_with_unqualified_name(name)
}

/// What tells series apart: `by`, or what the monitoring function has before its own columns; then metric and column.
///
/// `taken` are the columns of the result, which no key may be called.
pub fn series_keys(
    call: &mut Call,
    schema: &DFSchema,
    taken: &[&str],
) -> Result<Vec<(String, Expr)>> {
    let mut group: Vec<(String, Expr)> = vec![];
    for (name, sql) in named_by(call, schema)? {
        if group.iter().any(|(known, _)| *known == name) {
            return plan_err!(
                "{}: argument 'by' names '{name}' twice. Expected each column once",
                call.function()
            );
        }
        if taken.contains(&name.as_str()) {
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

/// An argument that is a time.
pub fn time_of(call: &mut Call, argument: &str, sql: SqlExpr, schema: &DFSchema) -> Result<Expr> {
    let time = call.resolve(argument, sql, schema)?;
    checked_time(call, argument, time, schema)
}

/// A column that is the default of an argument and a time.
pub fn time_named(call: &Call, argument: &str, name: &str, schema: &DFSchema) -> Result<Expr> {
    checked_time(call, argument, ident(name), schema)
}

/// The time of a chunk of a monitoring function: argument `timestamp`, else column `chunk_start`, else NULL.
pub fn chunk_time(call: &mut Call, schema: &DFSchema) -> Result<Expr> {
    match call.sql("timestamp") {
        Some(sql) => time_of(call, "timestamp", sql, schema),
        None if has(schema, "chunk_start") => time_named(call, "timestamp", "chunk_start", schema),
        None => Ok(no_time()),
    }
}

fn checked_time(call: &Call, argument: &str, time: Expr, schema: &DFSchema) -> Result<Expr> {
    let kind = time.get_type(schema)?;
    match kind {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Ok(time),
        DataType::Null => Ok(no_time()),
        _ => plan_err!(
            "{}: argument '{argument}' (`{time}`) has type {kind}. Expected a timestamp or a date. \
             Hint: {argument} => CAST({time} AS TIMESTAMP)",
            call.function()
        ),
    }
}

fn no_time() -> Expr {
    lit(ScalarValue::TimestampMicrosecond(None, None))
}

/// Microseconds since 1970, of an instant those of UTC.
pub fn microseconds(time: Expr, kind: &DataType) -> Expr {
    cast(cast(time, instant(kind)), DataType::Int64)
}

/// The type of times in microseconds, of instants those of UTC.
pub fn instant(kind: &DataType) -> DataType {
    match kind {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        _ => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// The name of a chunk: column `chunk`, else when it began, a day without its time of day, else its number.
pub fn chunk_name(schema: &DFSchema, time: &Expr, kind: &DataType) -> Result<Expr> {
    if has(schema, "chunk") {
        return Ok(known(schema, "chunk", &DataType::Utf8));
    }
    let number = concat(vec![
        lit("chunk "),
        cast(column("chunk_index"), DataType::Utf8),
    ]);
    let number = match has(schema, "chunk_index") {
        true => when(column("chunk_index").is_not_null(), number).end()?,
        false => lit(ScalarValue::Utf8(None)),
    };
    let day = cast(time.clone(), DataType::Date32);
    let is_day = cast(day.clone(), instant(kind)).eq(cast(time.clone(), instant(kind)));
    when(time.clone().is_null(), number)
        .when(is_day, cast(day, DataType::Utf8))
        .otherwise(cast(time.clone(), DataType::Utf8))
}

/// A column where the relation has it, else NULL.
pub fn known(schema: &DFSchema, name: &str, kind: &DataType) -> Expr {
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
pub fn number(call: &mut Call, name: &str, schema: &DFSchema) -> Result<Expr> {
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
    let text = call.sql(name).and_then(|sql| literal_text(&sql));
    if let (Expr::Literal(..), Some(text)) = (&expr, text) {
        return plan_err!(
            "{function}: argument '{name}' is the text '{text}'. Expected a number. {}",
            expected_one_of(&text, &column_names(schema))
        );
    }
    match kind.is_numeric() || kind.is_null() {
        true => Ok(cast(expr, DataType::Float64)),
        false => plan_err!(
            "{function}: argument '{name}' (`{expr}`) has type {kind}. Expected a number. Hint: {name} => CAST({expr} AS DOUBLE)"
        ),
    }
}

/// False for a gap: a chunk that is not complete, or whose status says that its value is not to be trusted.
pub fn is_usable(call: &mut Call, schema: &DFSchema) -> Result<Expr> {
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
