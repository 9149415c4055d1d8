//! `chunk`, `reference_chunk`, `incomplete`, `time_zone`, `as_of` and `order_by` of a call.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::now;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Function};

use super::arguments::{Call, arguments_of, elements, is_named};
use super::side::{Other, Side};
use crate::chunk::{Calendar, Chunking, Incomplete, TIMESTAMP, TimeZone};
use crate::suggest::{expected_one_of, nearest};

/// Chunks by count, which only look like functions.
const SIZES: [&str; 2] = ["rows", "parts"];

/// How a relation is chunked, and what else the calendar needs to know.
#[derive(Debug, Clone)]
pub struct ChunkArguments {
    /// How rows are split.
    pub chunking: Chunking,
    /// What becomes of chunks that are not full.
    pub incomplete: Incomplete,
    /// The zone of the calendar.
    pub time_zone: TimeZone,
    /// Wall-clock time after which no chunk is complete.
    pub as_of: Expr,
    /// The total order of rows, for `rows` and `parts`.
    pub order_by: Vec<Expr>,
}

impl ChunkArguments {
    /// Reads the arguments for a relation of rows.
    pub fn read(call: &mut Call, side: &Side, timestamp: Option<&Expr>) -> Result<Self> {
        let (schema, dataset) = (side.schema(), side.dataset);
        let function = call.function();
        let time_zone = time_zone(call)?;
        let order_by: Vec<Expr> = match call.sql("order_by") {
            None => timestamp.into_iter().cloned().collect(),
            Some(sql) => elements(&sql)
                .into_iter()
                .map(|element| call.resolve("order_by", element, schema))
                .collect::<Result<_>>()?,
        };
        let chunking = chunking(call, side, timestamp.is_some())?;
        if matches!(chunking, Chunking::Rows(_) | Chunking::Parts(_)) && order_by.is_empty() {
            return plan_err!(
                "{function}: rows(n) and parts(n) need an order, and the {dataset} relation has no timestamp. \
                 Expected order_by or timestamp. Hint: order_by => id"
            );
        }
        Ok(Self {
            chunking,
            incomplete: incomplete(call)?,
            as_of: as_of(call, &time_zone)?,
            time_zone,
            order_by,
        })
    }
}

/// What becomes of chunks that are not full, for stored profiles: the other chunk arguments are not used by
/// them, which lets profiles take the place of rows in the same call, but what is wrong by itself is refused.
pub fn check_unread(call: &mut Call) -> Result<Incomplete> {
    let time_zone = time_zone(call)?;
    as_of(call, &time_zone)?;
    incomplete(call)
}

/// `time_zone`, checked.
pub fn time_zone(call: &mut Call) -> Result<TimeZone> {
    let zone = TimeZone::new(call.text("time_zone")?);
    zone.map_err(|e| e.context(call.function().to_string()))
}

fn incomplete(call: &mut Call) -> Result<Incomplete> {
    let function = call.function();
    match call.text("incomplete")? {
        None => Ok(Incomplete::Keep),
        Some(word) => match Incomplete::parse(&word) {
            Some(incomplete) => Ok(incomplete),
            None => plan_err!(
                "{function}: argument 'incomplete' is '{word}'. {}",
                expected_one_of(&word, &Incomplete::NAMES)
            ),
        },
    }
}

/// `as_of`, now by default, as wall-clock time.
pub fn as_of(call: &mut Call, time_zone: &TimeZone) -> Result<Expr> {
    let empty = DFSchema::empty();
    let instant = match call.sql("as_of") {
        None => now(),
        Some(sql) => match call.resolve("as_of", sql, &empty)? {
            // a parameter has no type of its own
            parameter @ Expr::Placeholder(_) => cast(parameter, TIMESTAMP),
            // a text stands for a timestamp, as in a comparison
            Expr::Literal(text @ (ScalarValue::Utf8(_) | ScalarValue::Utf8View(_)), _) => {
                match text.cast_to(&TIMESTAMP) {
                    Ok(instant) => lit(instant),
                    Err(_) => {
                        return plan_err!(
                            "{}: argument 'as_of' is {text}. Expected a timestamp. Hint: as_of => TIMESTAMP '2025-01-31'",
                            call.function()
                        );
                    }
                }
            }
            other => other,
        },
    };
    let function = call.function();
    time_zone
        .local("as_of", instant, &empty)
        .map_err(|e| e.context(function.to_string()))
}

fn chunking(call: &mut Call, side: &Side, timed: bool) -> Result<Chunking> {
    let is_reference = side.dataset == "reference";
    let ordered = call.sql("order_by").is_some();
    let tenths = if ordered {
        Chunking::Parts(10)
    } else {
        Chunking::Dealt(10)
    };
    let (name, sql) = match call.sql("reference_chunk") {
        Some(sql) if is_reference => ("reference_chunk", Some(sql)),
        _ => ("chunk", call.sql("chunk")),
    };
    let Some(sql) = sql else {
        return match timed {
            true => Ok(Chunking::Calendar(Calendar::week())),
            false if is_reference || ordered => Ok(tenths),
            false => plan_err!(
                "{}: the {} relation has no column 'timestamp', so it has no chunks. \
                 Expected timestamp, order_by or chunk. Hint: timestamp => <column>, or chunk => <expression>",
                call.function(),
                side.dataset
            ),
        };
    };
    let parsed = parse(call, name, &sql, side.schema());
    // a reference without timestamp beside a chunk argument that is meant for the analysis
    let shared = is_reference && !timed && name == "chunk";
    match parsed {
        // an expression over columns that only the analysis has; its rows tell when it is misspelt
        Err(_) if shared && side.other == Other::Rows && !is_size(&sql) => Ok(tenths),
        Ok(Chunking::Calendar(_)) if shared => Ok(tenths),
        Ok(Chunking::Rows(_) | Chunking::Parts(_)) if shared && !ordered => Ok(tenths),
        Ok(Chunking::Calendar(_)) if !timed => plan_err!(
            "{}: argument '{name}' is an interval, and the {} relation has no timestamp. Expected timestamp. \
             Hint: timestamp => <column>",
            call.function(),
            side.dataset
        ),
        parsed => parsed,
    }
}

fn is_size(sql: &SqlExpr) -> bool {
    matches!(sql, SqlExpr::Function(f) if SIZES.iter().any(|size| is_named(f, size)))
}

fn parse(call: &mut Call, name: &str, sql: &SqlExpr, schema: &DFSchema) -> Result<Chunking> {
    match sql {
        SqlExpr::Nested(inner) => parse(call, name, inner, schema),
        SqlExpr::Function(f) if is_named(f, "rows") => size(call, name, f).map(Chunking::Rows),
        SqlExpr::Function(f) if is_named(f, "parts") => size(call, name, f).map(Chunking::Parts),
        other => {
            refuse_misspelt_size(call, name, other)?;
            match call.resolve(name, other.clone(), schema)? {
                Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => {
                    Calendar::new(interval)
                        .map(Chunking::Calendar)
                        .map_err(|e| e.context(call.function().to_string()))
                }
                Expr::Literal(value, _) => plan_err!(
                    "{}: argument '{name}' is {value}, which puts every row into one chunk. \
                     Expected INTERVAL '1 month', rows(n), parts(n) or an expression over columns",
                    call.function()
                ),
                Expr::Placeholder(_) => plan_err!(
                    "{}: argument '{name}' is `{other}`. Expected INTERVAL '1 month', rows(n), parts(n) or an expression \
                     over columns (the plan depends on it, so a parameter cannot stand here)",
                    call.function()
                ),
                expression => of_expression(call, name, expression, schema),
            }
        }
    }
}

/// The value of an expression as chunk; it becomes a text, which a list or a struct cannot.
fn of_expression(call: &Call, name: &str, expression: Expr, schema: &DFSchema) -> Result<Chunking> {
    let found = expression.get_type(schema)?;
    if found.is_nested() {
        return plan_err!(
            "{}: argument '{name}' (`{expression}`) has type {found}. Expected a value that can be written as a text. \
             Hint: {name} => one column",
            call.function()
        );
    }
    Ok(Chunking::Expression(expression))
}

/// `row(100)` is a struct to DataFusion, and `part(5)` is nothing.
fn refuse_misspelt_size(call: &Call, name: &str, sql: &SqlExpr) -> Result<()> {
    let SqlExpr::Function(function) = sql else {
        return Ok(());
    };
    let given = function.name.to_string().to_ascii_lowercase();
    let known = call.context.context_provider().get_function_meta(&given);
    match nearest(&given, &SIZES) {
        Some(meant) if known.is_none() || given == "row" => plan_err!(
            "{}: argument '{name}' is `{sql}`. Did you mean '{meant}'? \
             Expected INTERVAL '1 month', rows(n), parts(n) or an expression over columns",
            call.function()
        ),
        _ => Ok(()),
    }
}

fn size(call: &mut Call, name: &str, function: &Function) -> Result<i64> {
    let arguments = arguments_of(function).unwrap_or_default();
    let found = match arguments.as_slice() {
        [only] => {
            let value = call.constant_of(name, only.clone())?;
            let whole = value.data_type().is_integer();
            value.cast_to(&DataType::Int64).ok().filter(|_| whole)
        }
        _ => None,
    };
    match found {
        Some(ScalarValue::Int64(Some(n @ 1..))) => Ok(n),
        _ => plan_err!(
            "{}: argument '{name}' is `{function}`. Expected {}(n) with a whole number of at least 1",
            call.function(),
            function.name
        ),
    }
}
