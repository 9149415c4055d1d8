//! `diagnose_series`: the step of `diagnose` over the chunks of one series.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::spec::{FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, DiagnosisRows};
use crate::kernel::diagnosis::{Diagnosis, Pattern, Sensitivity, Series};

static DIAGNOSE_SERIES: FunctionSpec = FunctionSpec {
    name: "diagnose_series",
    description: "The shape of a series of chunks: stable, sudden, gradual, temporary, recurring, recurring_sudden or \
                  recurring_gradual, with when, how large and how sure.",
    arguments: &[
        (
            "time",
            Role::Integer,
            "When the chunk began, in microseconds since 1970; NULL where that is not known.",
        ),
        ("chunk_index", Role::Integer, "Number of the chunk."),
        (
            "is_reference",
            Role::Flag,
            "Whether the chunk is of the reference, which comes first where times are not known.",
        ),
        ("chunk", Role::Text, "Name of the chunk."),
        ("value", Role::Number, "Value on the chunk."),
        (
            "sampling_error",
            Role::Number,
            "Its standard error; NULL in every chunk where none is known.",
        ),
        (
            "is_usable",
            Role::Flag,
            "false: the chunk is a gap, whatever its value.",
        ),
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
    required: 7,
    example: "SELECT metric, diagnose_series(NULL, chunk_index, dataset = 'reference', chunk, value, sampling_error, status = 'ok')['pattern']\n\
              FROM estimates GROUP BY metric",
};

/// The fields of the result.
static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let of = |(name, kind): (&str, DataType)| Field::new(name, kind, true);
    let fields = [
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
    ];
    fields.into_iter().map(of).collect()
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
    let mut sensitivity = Sensitivity::default();
    if let Some(price) = arguments.constant(8, "search_price")? {
        match price.cast_to(&DataType::Float64)? {
            ScalarValue::Float64(Some(price)) if (0.0..=100.0).contains(&price) => {
                sensitivity.search = price;
            }
            other => {
                return plan_err!(
                    "{}: argument 'search_price' is {other}. Expected a number from 0 to 100",
                    spec.name
                );
            }
        }
    }
    Ok(Aggregation {
        arguments,
        empty: Arc::new(DiagnosisRows::default),
        read: Arc::new(move |rows| {
            let told = |error| exec_datafusion_err!("{}: {error}", spec.name);
            let series = rows.series().map_err(told)?;
            let found = Diagnosis::of(&series, sensitivity, &name);
            row_of(&found, &series)
        }),
        output: DataType::Struct(FIELDS.clone()),
    })
}

fn row_of(found: &Diagnosis, series: &Series) -> Result<ScalarValue> {
    let point = |at: Option<usize>| at.and_then(|at| series.points().get(at));
    let (since, until) = (point(found.since), point(found.until));
    let text = |text: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let number = |x: Option<f64>| -> ArrayRef { Arc::new(Float64Array::from(vec![x])) };
    let whole = |n: Option<i64>| -> ArrayRef { Arc::new(Int64Array::from(vec![n])) };
    let count = |n: usize| whole(i64::try_from(n).ok());
    let explanation = Some(found.explanation.as_str()).filter(|text| !text.is_empty());
    let columns = vec![
        text(found.pattern.map(Pattern::name)),
        whole(since.and_then(|point| point.time)),
        text(since.and_then(|point| point.chunk.as_deref())),
        whole(until.and_then(|point| point.time)),
        text(until.and_then(|point| point.chunk.as_deref())),
        number(found.magnitude),
        number(found.magnitude_error),
        number(found.slope),
        whole(found.cycle_length.map(i64::from)),
        number(found.confidence),
        text(found.runner_up.map(Pattern::name)),
        number(found.dispersion),
        count(series.points().len()),
        count(found.used_count),
        text(Some(found.status.name())),
        text(explanation),
    ];
    let row = StructArray::try_new(FIELDS.clone(), columns, None)?;
    Ok(ScalarValue::Struct(Arc::new(row)))
}
