//! `chunk`, `reference_chunk`, `incomplete`, `time_zone`, `as_of` and `order_by` of a call.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::now;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Function};

use super::arguments::{Call, arguments_of, elements, is_named};
use super::roles::Roles;
use crate::chunk::{Calendar, Chunking, Incomplete, TIMESTAMP, TimeZone};
use crate::suggest::expected_one_of;

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
    /// Reads the arguments for a relation with `schema`.
    pub fn read(call: &mut Call, dataset: &str, roles: &Roles, schema: &DFSchema) -> Result<Self> {
        let function = call.function();
        let time_zone =
            TimeZone::new(call.text("time_zone")?).map_err(|e| e.context(function.to_string()))?;
        let order_by: Vec<Expr> = match call.sql("order_by") {
            None => roles.timestamp.iter().cloned().collect(),
            Some(sql) => elements(&sql)
                .into_iter()
                .map(|element| call.resolve("order_by", element, schema))
                .collect::<Result<_>>()?,
        };
        let chunking = chunking(call, dataset, roles, schema)?;
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

fn as_of(call: &mut Call, time_zone: &TimeZone) -> Result<Expr> {
    let empty = DFSchema::empty();
    let instant = match call.sql("as_of") {
        None => now(),
        Some(sql) => match call.resolve("as_of", sql, &empty)? {
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

fn chunking(call: &mut Call, dataset: &str, roles: &Roles, schema: &DFSchema) -> Result<Chunking> {
    let timed = roles.timestamp.is_some();
    let (name, sql) = match (dataset, call.sql("reference_chunk")) {
        ("reference", Some(sql)) => ("reference_chunk", Some(sql)),
        _ => ("chunk", call.sql("chunk")),
    };
    let Some(sql) = sql else {
        return match (timed, call.sql("order_by").is_some()) {
            (true, _) => Ok(Chunking::Calendar(Calendar::week())),
            (false, true) => Ok(Chunking::Parts(10)),
            (false, false) if dataset == "reference" => Ok(Chunking::Dealt(10)),
            (false, false) => plan_err!(
                "{}: the {dataset} relation has no column 'timestamp', so it has no chunks. \
                 Expected timestamp, order_by or chunk. Hint: timestamp => <column>, or chunk => <expression>",
                call.function()
            ),
        };
    };
    let parsed = parse(call, name, &sql, schema);
    // an expression over columns that only the analysis has; that side tells when it is misspelt
    let elsewhere = !matches!(sql, SqlExpr::Function(ref f) if is_named(f, "rows") || is_named(f, "parts"))
        && call.sql("analysis").is_some();
    let shared = dataset == "reference" && !timed && name == "chunk";
    match parsed {
        Err(error) if !(shared && elsewhere) => Err(error),
        // a chunk argument that reads the timestamp cannot serve a reference without one
        Ok(Chunking::Calendar(_)) | Err(_) if shared => Ok(if call.sql("order_by").is_some() {
            Chunking::Parts(10)
        } else {
            Chunking::Dealt(10)
        }),
        Ok(Chunking::Rows(_) | Chunking::Parts(_))
            if dataset == "reference"
                && !timed
                && name == "chunk"
                && call.sql("order_by").is_none() =>
        {
            Ok(Chunking::Dealt(10))
        }
        Ok(Chunking::Calendar(_)) if !timed => plan_err!(
            "{}: argument '{name}' is an interval, and the {dataset} relation has no timestamp. Expected timestamp. \
             Hint: timestamp => <column>",
            call.function()
        ),
        parsed => parsed,
    }
}

fn parse(call: &mut Call, name: &str, sql: &SqlExpr, schema: &DFSchema) -> Result<Chunking> {
    match sql {
        SqlExpr::Nested(inner) => parse(call, name, inner, schema),
        SqlExpr::Function(f) if is_named(f, "rows") => size(call, name, f).map(Chunking::Rows),
        SqlExpr::Function(f) if is_named(f, "parts") => size(call, name, f).map(Chunking::Parts),
        other => match call.resolve(name, other.clone(), schema)? {
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
            expression => Ok(Chunking::Expression(expression)),
        },
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
