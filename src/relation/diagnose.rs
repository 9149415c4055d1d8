//! `diagnose`: which shape each series of a monitoring function has.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions::expr_fn::concat_ws;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::roles::column;
use super::series_argument::{
    chunk_time, has, instant, is_usable, known, microseconds, number, series_keys,
};
use super::session_functions::aggregate;

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
    let group = series_keys(call, &schema, &COLUMNS)?;
    let names: Vec<String> = group.iter().map(|(name, _)| name.clone()).collect();
    let time = chunk_time(call, &schema)?;
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
