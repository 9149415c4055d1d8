//! `trend` and `seasonality`: whether each series of a monitoring function goes one way, and whether it repeats.
use datafusion::common::Result;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions::expr_fn::concat_ws;
use datafusion::logical_expr::{LogicalPlan, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::roles::column;
use super::series_call::{
    ACCEPT_STATUS, BY, SERIES, SeriesCall, TIMESTAMP, VALUE, names_of, option, subject,
};
use crate::functions::{SEASONALITY_FIELDS, TREND_FIELDS};

pub static TREND: RelationSpec = RelationSpec {
    name: "trend",
    description: "Whether each series of chunks goes one way, and how fast: the test of Mann and Kendall, with autocorrelation \
                  allowed for, and the slope of Theil and Sen.",
    arguments: &[
        SERIES,
        VALUE,
        TIMESTAMP,
        BY,
        ACCEPT_STATUS,
        (
            "confidence_level",
            "Of the bounds of the slope and of the direction; default: 0.95.",
        ),
    ],
    positional: 1,
    example: "SELECT metric, direction, slope, p_value, explanation\n\
              FROM trend((SELECT * FROM estimate_performance(reference, analysis, chunk => INTERVAL '1 week')))",
    expand: |call| expand(call, "series_trend", "confidence_level", &trend_columns()),
};

pub static SEASONALITY: RelationSpec = RelationSpec {
    name: "seasonality",
    description: "Whether each series of chunks repeats, after how many of them, and how much of its variation that is.",
    arguments: &[
        SERIES,
        VALUE,
        TIMESTAMP,
        BY,
        ACCEPT_STATUS,
        (
            "alpha",
            "Chance of a cycle where there is none; default: 0.01.",
        ),
    ],
    positional: 1,
    example: "SELECT metric, is_seasonal, cycle_length, strength, explanation\n\
              FROM seasonality((SELECT * FROM estimate_performance(reference, analysis, chunk => INTERVAL '1 day')))",
    expand: |call| expand(call, "series_seasonality", "alpha", &seasonality_columns()),
};

const TOLD: &str = "__told";

/// Columns of the result of `trend` after those that tell series apart.
pub fn trend_columns() -> Vec<&'static str> {
    names_of(&TREND_FIELDS)
}

/// The same of `seasonality`.
pub fn seasonality_columns() -> Vec<&'static str> {
    names_of(&SEASONALITY_FIELDS)
}

fn expand(call: &mut Call, step: &str, dial: &str, columns: &[&str]) -> Result<LogicalPlan> {
    let series = SeriesCall::read(call, columns)?;
    let dial = option(call, dial)?;
    let rows = series.aggregated(call, step, vec![dial], TOLD)?;
    let names = series.names();
    let told = columns.iter().map(|&name| {
        let field = get_field(column(TOLD), name);
        let of = match name {
            "explanation" => {
                let words = subject(&names).into_iter().chain([field]);
                concat_ws(lit(" "), words.collect())
            }
            _ => field,
        };
        of.alias(name)
    });
    let result: Vec<_> = names.iter().map(|name| column(name)).chain(told).collect();
    rows.project(result)?.alias(call.function())?.build()
}
