//! `detect_changes`: when each series of a monitoring function left what was to be expected.
use datafusion::common::Result;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::RelationSpec;
use super::arguments::Call;
use super::roles::column;
use super::series_call::{
    ACCEPT_STATUS, BY, SAMPLING_ERROR, SERIES, SeriesCall, TIMESTAMP, VALUE, names_of, option,
};
use crate::functions::CHANGE_FIELDS;

pub static SPEC: RelationSpec = RelationSpec {
    name: "detect_changes",
    description: "Control charts over series of chunks: of each chunk, whether the series has left the level of the reference by \
                  then, and since when; or segments of equal level, in hindsight.",
    arguments: &[
        SERIES,
        (
            "method",
            "'cusum' (default) for small shifts that last, 'page_hinkley' the same without a reference, 'ewma', 'western_electric', \
             or 'pelt' for segments of the whole series.",
        ),
        (
            "average_run_length",
            "Chunks between false alarms of a series that does not change, on average, for cusum, page_hinkley and ewma; default: 370. \
             Of western_electric it is 92.",
        ),
        (
            "allowance",
            "Half the shift to be found soonest, in standard deviations of a chunk, for cusum and page_hinkley; default: 0.5.",
        ),
        (
            "weight",
            "Weight of the newest chunk, for ewma; default: 0.2.",
        ),
        (
            "penalty",
            "Price of a change in logarithms of the number of chunks, for pelt; default: 3.",
        ),
        (
            "warm_up",
            "First chunks that show the level of a series without reference rows; default: 8.",
        ),
        (
            "side",
            "'both' (default), 'lower' or 'higher': which changes alert.",
        ),
        VALUE,
        TIMESTAMP,
        SAMPLING_ERROR,
        BY,
        ACCEPT_STATUS,
    ],
    positional: 1,
    example: "SELECT metric, chunk, value, expected, statistic, statistic_limit, since_chunk\n\
              FROM detect_changes((SELECT * FROM estimate_performance(reference, analysis, chunk => INTERVAL '1 week')))\n\
              WHERE alert",
    expand,
};

const OPTIONS: [&str; 7] = [
    "method",
    "average_run_length",
    "allowance",
    "weight",
    "penalty",
    "warm_up",
    "side",
];

const ROW: &str = "__row";

/// Columns of the result after those that tell series apart.
pub fn columns() -> Vec<&'static str> {
    names_of(&CHANGE_FIELDS)
}

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let series = SeriesCall::read(call, &columns())?;
    let options: Result<Vec<Expr>> = OPTIONS.map(|name| option(call, name)).into_iter().collect();
    let rows = series.aggregated(call, "detect_series_changes", options?, ROW)?;
    let told = columns().into_iter().map(|name| {
        let field = get_field(column(ROW), name);
        let of = match name {
            "chunk_start" | "since" => series.instant_of(field),
            _ => field,
        };
        of.alias(name)
    });
    let names = series.names();
    let keys = names.iter().map(|name| column(name));
    rows.unnest_column(ROW)?
        .project(keys.chain(told).collect::<Vec<_>>())?
        .alias(call.function())?
        .build()
}
