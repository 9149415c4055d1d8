//! `series_trend` and `series_seasonality`: the steps of `trend` and `seasonality` over the chunks of one series.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::arrays::{self, count, flags, numbers, texts, wholes};
use super::series_points as points;
use super::series_points::{number_within, of_series};
use super::spec::{FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, DiagnosisRows};
use crate::kernel::diagnosis::Series;
use crate::kernel::seasonality::Seasonality;
use crate::kernel::trend::{Direction, Trend};

static SERIES_TREND: FunctionSpec = FunctionSpec {
    name: "series_trend",
    description: "Whether a series of chunks goes one way, and how fast: the test of Mann and Kendall, the slope of Theil and Sen.",
    arguments: &[
        points::TIME,
        points::CHUNK_INDEX,
        points::IS_REFERENCE,
        points::CHUNK,
        points::VALUE,
        points::SAMPLING_ERROR,
        points::IS_USABLE,
        (
            "confidence_level",
            Role::Number,
            "Of the bounds of the slope and of the direction, 0.95 by default.",
        ),
    ],
    required: points::POINT_ARGUMENTS,
    example: "SELECT metric, series_trend(NULL, chunk_index, dataset = 'reference', chunk, value, sampling_error, status = 'ok')['slope']\n\
              FROM estimates GROUP BY metric",
};

static SERIES_SEASONALITY: FunctionSpec = FunctionSpec {
    name: "series_seasonality",
    description: "Whether a series of chunks repeats, after how many of them, and how much of its variation that is.",
    arguments: &[
        points::TIME,
        points::CHUNK_INDEX,
        points::IS_REFERENCE,
        points::CHUNK,
        points::VALUE,
        points::SAMPLING_ERROR,
        points::IS_USABLE,
        (
            "alpha",
            Role::Number,
            "Chance of a cycle where there is none, 0.01 by default.",
        ),
    ],
    required: points::POINT_ARGUMENTS,
    example: "SELECT metric, series_seasonality(NULL, chunk_index, dataset = 'reference', chunk, value, sampling_error, status = 'ok')['cycle_length']\n\
              FROM estimates GROUP BY metric",
};

/// The fields of a trend.
pub static TREND_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    arrays::nullable([
        ("direction", DataType::Utf8),
        ("slope", DataType::Float64),
        ("slope_lower_bound", DataType::Float64),
        ("slope_upper_bound", DataType::Float64),
        ("change", DataType::Float64),
        ("kendall_tau", DataType::Float64),
        ("z", DataType::Float64),
        ("p_value", DataType::Float64),
        ("variance_inflation", DataType::Float64),
        ("chunk_count", DataType::Int64),
        ("used_count", DataType::Int64),
        ("status", DataType::Utf8),
        ("explanation", DataType::Utf8),
    ])
});

/// The fields of a cycle.
pub static SEASONALITY_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    arrays::nullable([
        ("is_seasonal", DataType::Boolean),
        ("cycle_length", DataType::Int64),
        ("strength", DataType::Float64),
        ("amplitude", DataType::Float64),
        ("autocorrelation", DataType::Float64),
        ("p_value", DataType::Float64),
        ("highest_chunk", DataType::Utf8),
        ("lowest_chunk", DataType::Utf8),
        ("chunk_count", DataType::Int64),
        ("used_count", DataType::Int64),
        ("status", DataType::Utf8),
        ("explanation", DataType::Utf8),
    ])
});

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    let trend = DataType::Struct(TREND_FIELDS.clone());
    let seasonality = DataType::Struct(SEASONALITY_FIELDS.clone());
    Ok(vec![
        aggregate::<DiagnosisRows>(&SERIES_TREND, trend, series_trend)?,
        aggregate::<DiagnosisRows>(&SERIES_SEASONALITY, seasonality, series_seasonality)?,
    ])
}

fn series_trend(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<DiagnosisRows>> {
    let at = (points::POINT_ARGUMENTS, "confidence_level");
    let level = number_within(&arguments, at, 0.5..=0.9999, 0.95)?;
    let output = DataType::Struct(TREND_FIELDS.clone());
    Ok(of_series(spec, arguments, output, move |series| {
        trend_row(&Trend::of(series, level), series)
    }))
}

fn series_seasonality(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<DiagnosisRows>> {
    let at = (points::POINT_ARGUMENTS, "alpha");
    let alpha = number_within(&arguments, at, 1e-6..=0.5, 0.01)?;
    let output = DataType::Struct(SEASONALITY_FIELDS.clone());
    Ok(of_series(spec, arguments, output, move |series| {
        seasonality_row(&Seasonality::of(series, alpha), series)
    }))
}

fn trend_row(found: &Trend, series: &Series) -> Result<ScalarValue> {
    let columns = vec![
        texts([found.direction.map(Direction::name)]),
        numbers([found.slope]),
        numbers([found.bounds.map(|(lower, _)| lower)]),
        numbers([found.bounds.map(|(_, upper)| upper)]),
        numbers([found.change]),
        numbers([found.kendall_tau]),
        numbers([found.z]),
        numbers([found.p_value]),
        numbers([found.variance_inflation]),
        wholes([count(series.points().len())]),
        wholes([count(found.used_count)]),
        texts([Some(found.status.name())]),
        texts([Some(found.sentence())]),
    ];
    arrays::row_of(&TREND_FIELDS, columns)
}

fn seasonality_row(found: &Seasonality, series: &Series) -> Result<ScalarValue> {
    let name = |at: usize| {
        series
            .points()
            .get(at)
            .and_then(|point| point.chunk.clone())
    };
    let columns = vec![
        flags([found.is_seasonal]),
        wholes([found.cycle_length.map(i64::from)]),
        numbers([found.strength]),
        numbers([found.amplitude]),
        numbers([found.autocorrelation]),
        numbers([found.p_value]),
        texts([found.highest.and_then(name)]),
        texts([found.lowest.and_then(name)]),
        wholes([count(series.points().len())]),
        wholes([count(found.used_count)]),
        texts([Some(found.status.name())]),
        texts([Some(found.sentence(name))]),
    ];
    arrays::row_of(&SEASONALITY_FIELDS, columns)
}
