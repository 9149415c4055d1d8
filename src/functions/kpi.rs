//! `timed_series` and `evaluate_kpi`: the two steps of `kpi_divergence`.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::arrays::{self, flags, numbers, texts, wholes};
use super::scalar::scalar;
use super::shared_arguments::side;
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, integer, number, text};
use crate::accumulate::{Aggregation, Arguments, TimedRows};
use crate::kernel::kpi::{
    KpiChunk, KpiOptions, KpiRow, TimedSeries, Verdict, kpi_divergence, match_chunks,
};

static TIMED_SERIES: FunctionSpec = FunctionSpec {
    name: "timed_series",
    description: "The numbers of a series with their times, such as those of a KPI or of a metric chunk by chunk.",
    arguments: &[
        (
            "time",
            Role::Integer,
            "When the chunk began, in microseconds since 1970.",
        ),
        (
            "value",
            Role::Number,
            "The number; NULL where it must not be used.",
        ),
        (
            "is_reference",
            Role::Flag,
            "Whether the chunk is of the reference; NULL is false.",
        ),
        ("chunk", Role::Text, "Name of the chunk."),
        (
            "sampling_error",
            Role::Number,
            "Standard error of the value; NULL where none is known.",
        ),
        (
            "alert",
            Role::Flag,
            "Whether it is an alert; NULL where it was not judged.",
        ),
        (
            "controls",
            Role::Numbers,
            "What else moves the value; NULL without.",
        ),
    ],
    required: 7,
    example: "SELECT country, timed_series(week, revenue, NULL, NULL, NULL, NULL, [visits]) FROM kpis GROUP BY country",
};

static EVALUATE_KPI: FunctionSpec = FunctionSpec {
    name: "evaluate_kpi",
    description: "Whether a KPI is still explained by performance: an element for each chunk of performance.",
    arguments: &[
        (
            "performance",
            Role::Bytes,
            "What timed_series returned for performance, with the reference first.",
        ),
        (
            "kpi",
            Role::Bytes,
            "What timed_series returned for the KPI; NULL without rows.",
        ),
        (
            "max_lag",
            Role::Integer,
            "Most chunks by which the KPI comes later, 0 to 24.",
        ),
        (
            "alpha",
            Role::Number,
            "Chance of any alarm within the horizon where nothing is wrong.",
        ),
        (
            "horizon",
            Role::Integer,
            "Chunks for which alpha holds; NULL: those of the analysis.",
        ),
        ("side", Role::Text, "'both', 'lower' or 'higher'."),
        (
            "reference_end",
            Role::Integer,
            "Chunks that begin before it are the reference, in microseconds since 1970; NULL: those that say so.",
        ),
    ],
    required: 7,
    example: "SELECT evaluate_kpi(performance, kpi, 0, 0.05, NULL, 'both', NULL) FROM series",
};

/// The fields of an element of the result.
pub static KPI_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    arrays::nullable([
        ("dataset", DataType::Utf8),
        ("chunk", DataType::Utf8),
        ("chunk_start", DataType::Int64),
        ("performance", DataType::Float64),
        ("kpi", DataType::Float64),
        ("expected_kpi", DataType::Float64),
        ("lower_bound", DataType::Float64),
        ("upper_bound", DataType::Float64),
        ("z", DataType::Float64),
        ("cusum", DataType::Float64),
        ("cusum_limit", DataType::Float64),
        ("lag", DataType::Int64),
        ("performance_effect", DataType::Float64),
        ("unexplained", DataType::Float64),
        ("verdict", DataType::Utf8),
        ("alert", DataType::Boolean),
        ("status", DataType::Utf8),
    ])
});

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<TimedRows>(
        &TIMED_SERIES,
        DataType::BinaryView,
        timed_series,
    )?])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    let output = DataType::new_list(DataType::Struct(KPI_FIELDS.clone()), true);
    Ok(vec![scalar(&EVALUATE_KPI, output, evaluate_kpi)?])
}

fn timed_series(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<TimedRows>> {
    Ok(Aggregation {
        arguments,
        empty: Arc::new(TimedRows::default),
        read: Arc::new(|rows| {
            let series = rows.series().map(|series| series.to_bytes());
            Ok(ScalarValue::BinaryView(series))
        }),
        output: DataType::BinaryView,
    })
}

fn evaluate_kpi(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let series = |position| {
        let series = bytes(values, position).map(TimedSeries::from_bytes);
        series.transpose().map(Option::unwrap_or_default)
    };
    let options = options(spec, values)?;
    let chunks = match_chunks(series(0)?, series(1)?, integer(values, 6))
        .map_err(|error| exec_datafusion_err!("{}: {error}", spec.told()))?;
    list_of(&chunks, &kpi_divergence(&chunks, &options))
}

fn options(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<KpiOptions> {
    let function = spec.told();
    let usual = KpiOptions::default();
    let whole = |position: usize, name: &str, least: u32, most: u32| {
        let Some(given) = integer(values, position) else {
            return Ok(None);
        };
        match u32::try_from(given) {
            Ok(whole) if (least..=most).contains(&whole) => Ok(Some(whole)),
            _ => exec_err!(
                "{function}: argument '{name}' is {given}. Expected a whole number from {least} to {most}"
            ),
        }
    };
    let alpha = number(values, 3).unwrap_or(usual.alpha);
    if !(1e-6..=0.5).contains(&alpha) {
        return exec_err!(
            "{function}: argument 'alpha' is {alpha}. Expected a number from 0.000001 to 0.5, such as 0.05"
        );
    }
    Ok(KpiOptions {
        max_lag: whole(2, "max_lag", 0, 24)?.unwrap_or(usual.max_lag),
        alpha,
        horizon: whole(4, "horizon", 1, 1_000_000)?,
        side: side(function, text(values, 5))?,
    })
}

fn list_of(chunks: &[KpiChunk], rows: &[KpiRow]) -> Result<ScalarValue> {
    let of_row = |of: fn(&KpiRow) -> Option<f64>| numbers(rows.iter().map(of));
    let of_chunk = |of: fn(&KpiChunk) -> Option<f64>| numbers(chunks.iter().map(of));
    let dataset = |chunk: &KpiChunk| match chunk.is_reference {
        true => "reference",
        false => "analysis",
    };
    let columns = vec![
        texts(chunks.iter().map(|chunk| Some(dataset(chunk)))),
        texts(chunks.iter().map(|chunk| chunk.chunk.as_deref())),
        wholes(chunks.iter().map(|chunk| Some(chunk.time))),
        of_chunk(|chunk| chunk.performance),
        of_chunk(|chunk| chunk.kpi),
        of_row(|row| row.expected),
        of_row(|row| row.lower),
        of_row(|row| row.upper),
        of_row(|row| row.z),
        of_row(|row| row.cusum),
        of_row(|row| row.cusum_limit),
        wholes(rows.iter().map(|row| row.lag.map(i64::from))),
        of_row(|row| row.performance_effect),
        of_row(|row| row.unexplained),
        texts(rows.iter().map(|row| row.verdict.map(Verdict::name))),
        flags(rows.iter().map(|row| row.alert)),
        texts(rows.iter().map(|row| Some(row.status.name()))),
    ];
    arrays::list_of(&KPI_FIELDS, columns)
}
