//! `diagnose_series`: the step of `diagnose` over the chunks of one series.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::arrays::{self, count, numbers, texts, wholes};
use super::series_points as points;
use super::series_points::{number_within, of_series};
use super::spec::{FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, DiagnosisRows};
use crate::kernel::diagnosis::{Diagnosis, Pattern, Sensitivity, Series};

static DIAGNOSE_SERIES: FunctionSpec = FunctionSpec {
    name: "diagnose_series",
    description: "The shape of a series of chunks: stable, sudden, gradual, temporary, recurring, recurring_sudden or \
                  recurring_gradual, with when, how large and how sure.",
    arguments: &[
        points::TIME,
        points::CHUNK_INDEX,
        points::IS_REFERENCE,
        points::CHUNK,
        points::VALUE,
        points::SAMPLING_ERROR,
        points::IS_USABLE,
        (
            "name",
            Role::Text,
            "What the values are, for the explanation.",
        ),
        (
            "search_price",
            Role::Number,
            "Parameters that searching a place or a period is worth, 2 by default; more: fewer false alarms, less power.",
        ),
    ],
    required: points::POINT_ARGUMENTS,
    example: "SELECT metric, diagnose_series(NULL, chunk_index, dataset = 'reference', chunk, value, sampling_error, status = 'ok')['pattern']\n\
              FROM estimates GROUP BY metric",
};

/// The fields of the result.
static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    arrays::nullable([
        ("pattern", DataType::Utf8),
        ("since_time", DataType::Int64),
        ("since_chunk", DataType::Utf8),
        ("until_time", DataType::Int64),
        ("until_chunk", DataType::Utf8),
        ("magnitude", DataType::Float64),
        ("magnitude_error", DataType::Float64),
        ("slope", DataType::Float64),
        ("cycle_length", DataType::Int64),
        ("confidence", DataType::Float64),
        ("runner_up", DataType::Utf8),
        ("dispersion", DataType::Float64),
        ("chunk_count", DataType::Int64),
        ("used_count", DataType::Int64),
        ("status", DataType::Utf8),
        ("explanation", DataType::Utf8),
    ])
});

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<DiagnosisRows>(
        &DIAGNOSE_SERIES,
        DataType::Struct(FIELDS.clone()),
        diagnose_series,
    )?])
}

fn diagnose_series(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<DiagnosisRows>> {
    let name = arguments.text(7, "name")?;
    let name = name.unwrap_or_else(|| "The value".to_owned());
    let usual = Sensitivity::default();
    let sensitivity = Sensitivity {
        search: number_within(&arguments, (8, "search_price"), 0.0..=100.0, usual.search)?,
    };
    let output = DataType::Struct(FIELDS.clone());
    Ok(of_series(spec, arguments, output, move |series| {
        row_of(&Diagnosis::of(series, sensitivity, &name), series)
    }))
}

fn row_of(found: &Diagnosis, series: &Series) -> Result<ScalarValue> {
    let point = |at: Option<usize>| at.and_then(|at| series.points().get(at));
    let (since, until) = (point(found.since), point(found.until));
    let explanation = Some(found.explanation.as_str()).filter(|text| !text.is_empty());
    let columns = vec![
        texts([found.pattern.map(Pattern::name)]),
        wholes([since.and_then(|point| point.time)]),
        texts([since.and_then(|point| point.chunk.as_deref())]),
        wholes([until.and_then(|point| point.time)]),
        texts([until.and_then(|point| point.chunk.as_deref())]),
        numbers([found.magnitude]),
        numbers([found.magnitude_error]),
        numbers([found.slope]),
        wholes([found.cycle_length.map(i64::from)]),
        numbers([found.confidence]),
        texts([found.runner_up.map(Pattern::name)]),
        numbers([found.dispersion]),
        wholes([count(series.points().len())]),
        wholes([count(found.used_count)]),
        texts([Some(found.status.name())]),
        texts([explanation]),
    ];
    arrays::row_of(&FIELDS, columns)
}
