//! `chunk_series` and `rank_evidence`: the two steps of `rank_columns` over rows of monitoring functions.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::scalar::scalar;
use super::spec::{FunctionSpec, Role};
use super::values::bytes;
use crate::accumulate::{Aggregation, Arguments, SeriesRows};
use crate::kernel::chunk_series::{ChunkSeries, SeriesPoint};
use crate::kernel::ranking::{AlertCount, DriftCorrelation, alert_count, drift_correlation};

static CHUNK_SERIES: FunctionSpec = FunctionSpec {
    name: "chunk_series",
    description: "The values and alerts of one column or metric, chunk by chunk; an error when a chunk comes twice.",
    arguments: &[
        (
            "is_reference",
            Role::Flag,
            "Whether the chunk is of the reference.",
        ),
        ("chunk", Role::Text, "Name of the chunk."),
        ("value", Role::Number, "Value on the chunk."),
        (
            "alert",
            Role::Flag,
            "Whether it is an alert; NULL where it was not judged.",
        ),
        (
            "source",
            Role::Text,
            "Where the rows come from, for the error.",
        ),
    ],
    required: 4,
    example: "SELECT column_name, chunk_series(dataset = 'reference', chunk, value, alert) FROM drift GROUP BY column_name",
};

static RANK_EVIDENCE: FunctionSpec = FunctionSpec {
    name: "rank_evidence",
    description: "What a ranking of columns rests on: the alerts of a column's drift, and the correlation of the drift with \
                  how far performance lies from its mean on the reference.",
    arguments: &[
        (
            "drift",
            Role::Bytes,
            "What chunk_series returned for a column.",
        ),
        (
            "performance",
            Role::Bytes,
            "What chunk_series returned for a metric of performance; NULL without.",
        ),
    ],
    required: 2,
    example: "SELECT rank_evidence(drift, performance)['correlation'] FROM series",
};

/// The fields of the result.
static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::from(vec![
        Field::new("alert_count", DataType::Int64, true),
        Field::new("judged_chunks", DataType::Int64, true),
        Field::new("alert_status", DataType::Utf8, true),
        Field::new("correlation", DataType::Float64, true),
        Field::new("p_value", DataType::Float64, true),
        Field::new("matched_chunks", DataType::Int64, true),
        Field::new("correlation_status", DataType::Utf8, true),
    ])
});

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<SeriesRows>(
        &CHUNK_SERIES,
        DataType::BinaryView,
        chunk_series,
    )?])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar(
        &RANK_EVIDENCE,
        DataType::Struct(FIELDS.clone()),
        rank_evidence,
    )?])
}

fn chunk_series(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<SeriesRows>> {
    let source = arguments.text(4, "source")?;
    let source = source.unwrap_or_else(|| spec.name.to_owned());
    Ok(Aggregation {
        arguments,
        empty: Arc::new(SeriesRows::default),
        read: Arc::new(move |rows| {
            let series = rows.series();
            match series.as_ref().and_then(ChunkSeries::repeated) {
                Some((first, second)) => refuse_repeated(&source, first, second),
                None => Ok(ScalarValue::BinaryView(
                    series.map(|series| series.to_bytes()),
                )),
            }
        }),
        output: DataType::BinaryView,
    })
}

/// Two rows for one chunk are of different groups, monitors or columns, and neither stands for the chunk.
fn refuse_repeated<T>(source: &str, first: &SeriesPoint, second: &SeriesPoint) -> Result<T> {
    let shown = |point: &SeriesPoint| {
        let value = point.value();
        value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
    };
    exec_err!(
        "{source}: chunk '{}' of the {} has more than one row (values {} and {}). Expected one for each column, metric \
         and chunk. Hint: name what tells them apart, as in by => [country], or filter the relation",
        first.chunk.as_deref().unwrap_or("NULL"),
        if first.is_reference {
            "reference"
        } else {
            "analysis"
        },
        shown(first),
        shown(second)
    )
}

fn rank_evidence(_: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let series = |position| {
        bytes(values, position)
            .map(ChunkSeries::from_bytes)
            .transpose()
    };
    let (drift, performance) = (series(0)?, series(1)?);
    let alerts = alert_count(drift.as_ref());
    let correlation = drift_correlation(drift.as_ref(), performance.as_ref());
    evidence(&alerts, &correlation)
}

fn evidence(alerts: &AlertCount, correlation: &DriftCorrelation) -> Result<ScalarValue> {
    let count = |n: Option<u64>| -> ArrayRef {
        let n = n.and_then(|n| i64::try_from(n).ok());
        Arc::new(Int64Array::from(vec![n]))
    };
    let number = |x: Option<f64>| -> ArrayRef { Arc::new(Float64Array::from(vec![x])) };
    let text = |name: &str| -> ArrayRef { Arc::new(StringArray::from(vec![name])) };
    let columns = vec![
        count(alerts.alerts),
        count(Some(alerts.judged)),
        text(alerts.status.name()),
        number(correlation.correlation),
        number(correlation.p_value),
        count(Some(correlation.matched)),
        text(correlation.status.name()),
    ];
    Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(
        FIELDS.clone(),
        columns,
        None,
    )?)))
}
