//! `fit_threshold` and `threshold_limits`: limits learnt from reference chunks, applied to each chunk.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::scalar::scalar;
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, integer, number};
use crate::accumulate::{Aggregation, Arguments, ThresholdRows};
use crate::kernel::limits::{ChunkPoint, Limits};
use crate::kernel::monitored::scale_of;
use crate::kernel::performance::{Compared, PerformanceMetric};
use crate::kernel::reading::Status;
use crate::kernel::seasonal_threshold::SeasonalThreshold;
use crate::kernel::threshold::{Direction, MetricScale, Threshold};
use crate::kernel::threshold_text::{Judged, Thresholds};

static FIT_THRESHOLD: FunctionSpec = FunctionSpec {
    name: "fit_threshold",
    description: "Learns the limits of a metric from its values on reference chunks.",
    arguments: &[
        (
            "thresholds",
            Role::Text,
            "Threshold of each metric, as in 'roc_auc=constant(0.7,);*=false_alarm_rate(0.0027)'.",
        ),
        ("direction", Role::Text, "'both' or 'worse'."),
        ("metric", Role::Text, "Name of the metric."),
        ("value", Role::Number, "Value on the chunk."),
        (
            "sampling_error",
            Role::Number,
            "Its standard error from sampling rows.",
        ),
        (
            "used_count",
            Role::Integer,
            "Rows that it was computed from.",
        ),
        (
            "realized",
            Role::Number,
            "Realized value on the chunk, on which stddev() is defined.",
        ),
        ("chunk_index", Role::Integer, "Number of the chunk."),
        (
            "is_reference",
            Role::Flag,
            "Whether the chunk is of the reference; others are left out.",
        ),
        (
            "dealt",
            Role::Flag,
            "Whether the chunk was dealt from rows without an order, so that scatter says nothing; false by default.",
        ),
        (
            "scale",
            Role::Text,
            "Link, domain and better side of a metric that is not known by its name, as in 'identity(0,1) higher'.",
        ),
        (
            "season",
            Role::Integer,
            "Which season the chunk is in; NULL without.",
        ),
    ],
    required: 9,
    example: "SELECT fit_threshold('*=false_alarm_rate(0.0027)', 'both', 'accuracy', value, error, n, NULL, i, true) FROM chunks",
};

static THRESHOLD_LIMITS: FunctionSpec = FunctionSpec {
    name: "threshold_limits",
    description: "The limits of a chunk at its own size.",
    arguments: &[
        ("threshold", Role::Bytes, "What fit_threshold returned."),
        ("value", Role::Number, "Value on the chunk."),
        (
            "sampling_error",
            Role::Number,
            "Its standard error from sampling rows.",
        ),
        (
            "used_count",
            Role::Integer,
            "Rows that it was computed from.",
        ),
        (
            "season",
            Role::Integer,
            "Which season the chunk is in; NULL without.",
        ),
    ],
    required: 4,
    example: "SELECT threshold_limits(threshold, value, error, n)['lower_threshold'] FROM chunks",
};

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<ThresholdRows>(
        &FIT_THRESHOLD,
        // not a view, for the reason that fit_reference has
        DataType::LargeBinary,
        fit_threshold,
    )?])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar(
        &THRESHOLD_LIMITS,
        DataType::Struct(fields()),
        threshold_limits,
    )?])
}

fn fit_threshold(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<ThresholdRows>> {
    let text = arguments.text(0, "thresholds")?.unwrap_or_default();
    let thresholds: Thresholds<Compared<PerformanceMetric>> = Thresholds::parse(&text)?;
    let direction = match arguments.text(1, "direction")?.as_deref() {
        None | Some("both") => Direction::Both,
        Some("worse") => Direction::Worse,
        Some(other) => {
            return exec_err!(
                "{}: direction is '{other}'. Expected 'both' or 'worse'",
                spec.name
            );
        }
    };
    let scale = arguments.text(10, "scale")?;
    let scale = scale.as_deref().map(MetricScale::parse).transpose()?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(ThresholdRows::default),
        read: Arc::new(move |rows| fit(&thresholds, direction, scale, rows)),
        output: DataType::LargeBinary,
    })
}

fn fit(
    thresholds: &Thresholds<Compared<PerformanceMetric>>,
    direction: Direction,
    own_scale: Option<MetricScale>,
    rows: &mut ThresholdRows,
) -> Result<ScalarValue> {
    let Some(name) = rows.metric.clone() else {
        return Ok(ScalarValue::LargeBinary(None));
    };
    let known = own_scale.or_else(|| scale_of(&name));
    let (threshold, scale, performance) = match (Compared::parse(&name), known) {
        (_, Some(scale)) if own_scale.is_some() => (thresholds.default, scale, false),
        (Some(metric), _) => (thresholds.of(metric), metric.scale(), true),
        (None, Some(scale)) => (thresholds.default, scale, false),
        (None, None) => return exec_err!("fit_threshold: unknown metric '{name}'"),
    };
    let of_scatter = matches!(threshold, Threshold::StandardDeviation { .. });
    // standard deviations of performance are those of realized values, as NannyML defines them
    let of_realized = of_scatter && performance;
    if of_scatter && rows.dealt {
        return exec_err!(
            "threshold of {name}: stddev(k) takes limits from how reference chunks differ over time, and these had \
             neither timestamp nor order_by. Expected an order. \
             Hint: order_by => id, or thresholds => false_alarm_rate(0.0027)"
        );
    }
    let points: Vec<(ChunkPoint, Option<i64>)> = rows
        .values()
        .iter()
        .map(|row| (row.judged_by(of_realized), row.season))
        .collect();
    let model = SeasonalThreshold::fit(threshold, direction, scale, &points, rows.dealt)
        .map_err(|e| exec_datafusion_err!("threshold of {name}: {e}"))?;
    Ok(ScalarValue::LargeBinary(Some(model.to_bytes())))
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("lower_threshold", DataType::Float64, true),
        Field::new("upper_threshold", DataType::Float64, true),
        Field::new("status", DataType::Utf8, true),
    ])
}

fn threshold_limits(_: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let limits = match bytes(values, 0) {
        None => Limits {
            lower: None,
            upper: None,
            status: Status::NoReference,
        },
        Some(model) => {
            let chunk = ChunkPoint {
                value: number(values, 1),
                sampling_error: number(values, 2),
                used_count: integer(values, 3)
                    .and_then(|n| u64::try_from(n).ok())
                    .unwrap_or(0),
            };
            SeasonalThreshold::from_bytes(model)?.limits(&chunk, integer(values, 4))
        }
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from(vec![limits.lower])),
        Arc::new(Float64Array::from(vec![limits.upper])),
        Arc::new(StringArray::from(vec![limits.status.name()])),
    ];
    Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(
        fields(),
        columns,
        None,
    )?)))
}
