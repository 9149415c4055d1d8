//! `diagnose`: which shape each series of a monitoring function has.
use datafusion::common::Result;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions::expr_fn::concat_ws;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::roles::column;
use super::series_call::{
    ACCEPT_STATUS, BY, SAMPLING_ERROR, SERIES, SeriesCall, TIMESTAMP, VALUE, option, subject,
};

pub static SPEC: RelationSpec = RelationSpec {
    name: "diagnose",
    description: "The shape of each series of chunks: stable, changed suddenly, gradually or for a time, or going in cycles; when, \
                  how large, how sure, and one sentence that says so.",
    arguments: &[
        SERIES,
        VALUE,
        TIMESTAMP,
        SAMPLING_ERROR,
        BY,
        ACCEPT_STATUS,
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
pub const COLUMNS: [&str; 16] = [
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
    let series = SeriesCall::read(call, &COLUMNS)?;
    // the sentence begins with what the values are
    let options = vec![lit(""), option(call, "search_price")?];
    let rows = series.aggregated(call, "diagnose_series", options, DIAGNOSIS)?;
    let names = series.names();
    let field = |name: &str| get_field(column(DIAGNOSIS), name);
    let told = COLUMNS.into_iter().map(|name| {
        let of = match name {
            "since" | "until" => series.instant_of(field(&[name, "_time"].concat())),
            "explanation" => {
                let words = subject(&names).into_iter().chain([field(name)]);
                concat_ws(lit(" "), words.collect())
            }
            _ => field(name),
        };
        of.alias(name)
    });
    let result: Vec<Expr> = names.iter().map(|name| column(name)).chain(told).collect();
    rows.project(result)?.alias(call.function())?.build()
}
