//! `evaluate_drift` and `benjamini_hochberg`: the steps of `univariate_drift` over the chunks of a column and over columns.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::WindowUDF;

use super::column_chunks::{Chunk, ColumnChunks, constant};
use super::spec::{FunctionSpec, Role};
use super::values::{text, texts};
use super::window::window;
use crate::kernel::drift::{
    Comparison, DriftMetric, DriftProfile, DriftReading, DriftSeries, benjamini_hochberg,
};
use crate::kernel::limits::Limits;
use crate::kernel::reading::Status;
use crate::kernel::threshold_text::{Judged, Thresholds};
use crate::suggest::expected_one_of;

/// Fields of what `evaluate_drift` returns for each metric.
pub static DRIFT_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    Fields::from(vec![
        Field::new("metric", DataType::Utf8, true),
        Field::new("status", DataType::Utf8, true),
        Field::new("used_count", DataType::Int64, true),
        number("value"),
        number("approx_error"),
        number("p_value"),
        number("lower_threshold"),
        number("upper_threshold"),
    ])
});

static EVALUATE_DRIFT: FunctionSpec = FunctionSpec {
    name: "evaluate_drift",
    description: "Distances of each chunk of a column from its reference, with limits: a window function over all chunks of the \
                  column. univariate_drift is made of it.",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "Profile of the column on the chunk.",
        ),
        (
            "column_status",
            Role::Text,
            "Why there is no profile: absent_column, changed_type or unsupported_type.",
        ),
        ("chunk_index", Role::Integer, "Number of the chunk."),
        (
            "is_reference",
            Role::Flag,
            "Whether the chunk is one of the reference.",
        ),
        (
            "dealt",
            Role::Flag,
            "Whether the chunk was dealt from rows without an order.",
        ),
        (
            "metrics",
            Role::Texts,
            "Names of distances; those that do not apply to the column are left out.",
        ),
        (
            "thresholds",
            Role::Text,
            "As in '*=false_alarm_rate(0.0027)'.",
        ),
        ("comparison", Role::Text, "'reference' or 'previous'."),
    ],
    required: 8,
    example: "SELECT evaluate_drift(profile, 'ok', chunk_index, chunk_index < 10, false, ['jensen_shannon'],\n\
              '*=false_alarm_rate(0.0027)', 'reference') OVER (PARTITION BY column_name) FROM stored_profiles",
};

static BENJAMINI_HOCHBERG: FunctionSpec = FunctionSpec {
    name: "benjamini_hochberg",
    description: "The q-value of each p-value of a family, which the window's partition is: among the findings with q below 0.05, \
                  at most 5 % are expected to be false (Benjamini and Hochberg 1995).",
    arguments: &[(
        "p_value",
        Role::Number,
        "A p-value; NULL belongs to no family.",
    )],
    required: 1,
    example: "SELECT column_name, benjamini_hochberg(p_value) OVER (PARTITION BY chunk) FROM drift",
};

pub(super) fn windows() -> Result<Vec<Arc<WindowUDF>>> {
    let list = DataType::new_list(DataType::Struct(DRIFT_FIELDS.clone()), true);
    Ok(vec![
        window(&EVALUATE_DRIFT, list, evaluate_drift)?,
        window(&BENJAMINI_HOCHBERG, DataType::Float64, q_values)?,
    ])
}

fn q_values(spec: &FunctionSpec, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
    let Some(p_values) = values.first() else {
        return exec_err!("{}: expected a p-value", spec.name);
    };
    let p_values: Vec<Option<f64>> = p_values.as_primitive::<Float64Type>().iter().collect();
    if let Some(wrong) = p_values
        .iter()
        .flatten()
        .find(|p| !(0.0..=1.0).contains(*p))
    {
        return exec_err!(
            "{}: a p-value is {wrong}. Expected a number from 0 to 1",
            spec.name
        );
    }
    Ok(Arc::new(Float64Array::from(benjamini_hochberg(&p_values))))
}

/// A distance of one chunk; no metric where the column has none.
type Evaluated = (Option<DriftMetric>, DriftReading);

fn evaluate_drift(spec: &FunctionSpec, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let chunks = ColumnChunks::read(spec, values)?;
    let series = series(spec, values)?;
    let mut found: Vec<Vec<Evaluated>> = vec![Vec::new(); rows];
    match chunks.is_continuous() {
        None => {
            for chunk in chunks.reference.iter().chain(&chunks.analysis) {
                keep(&mut found, chunk, None, without_profile(chunk));
            }
        }
        Some(continuous) => {
            for series in series {
                let metric = series.metric();
                let applies = match continuous {
                    true => metric.applies_to_continuous(),
                    false => metric.applies_to_categorical(),
                };
                if applies {
                    evaluate(&chunks, &series, &mut found)?;
                }
            }
        }
    }
    list_of(&found)
}

/// The series of each metric, as the constant arguments say.
fn series(spec: &FunctionSpec, values: &[ArrayRef]) -> Result<Vec<DriftSeries>> {
    let constants = [
        constant(values, 5)?,
        constant(values, 6)?,
        constant(values, 7)?,
    ];
    let thresholds: Thresholds<DriftMetric> =
        Thresholds::parse(text(&constants, 1).unwrap_or_default())?;
    let comparison = match text(&constants, 2) {
        None | Some("reference") => Comparison::Reference,
        Some("previous") => Comparison::Previous,
        Some(word) => {
            return exec_err!(
                "{}: comparison is '{word}'. {}",
                spec.name,
                expected_one_of(word, &["reference", "previous"])
            );
        }
    };
    let dealt = values.get(4).is_some_and(|dealt| {
        let dealt = dealt.as_boolean();
        (0..dealt.len()).any(|row| dealt.is_valid(row) && dealt.value(row))
    });
    let of_name = |name: String| {
        let Some(metric) = DriftMetric::parse(&name) else {
            return exec_err!(
                "{}: unknown metric '{name}'. {}",
                spec.name,
                expected_one_of(&name, &DriftMetric::names())
            );
        };
        let series = DriftSeries::new(metric, thresholds.of(metric))?;
        Ok(series
            .with_comparison(comparison)
            .with_dealt_reference(dealt))
    };
    texts(&constants, 0).into_iter().map(of_name).collect()
}

fn evaluate(
    chunks: &ColumnChunks,
    series: &DriftSeries,
    found: &mut [Vec<Evaluated>],
) -> Result<()> {
    let metric = Some(series.metric());
    for chunk in chunks.reference.iter().chain(&chunks.analysis) {
        if chunk.profile.is_err() {
            keep(found, chunk, metric, without_profile(chunk));
        }
    }
    let [reference, analysis] = [&chunks.reference, &chunks.analysis].map(|side| known(side));
    let Some(fitted) = chunks.fitted() else {
        for (chunk, profile) in analysis {
            let reading = undefined(Status::NoReference, profile.used_count());
            keep(found, chunk, metric, reading);
        }
        return Ok(());
    };
    let [of_reference, of_analysis] = [&reference, &analysis]
        .map(|side| -> Vec<DriftProfile> { side.iter().map(|(_, profile)| *profile).collect() });
    let readings = series.read(&fitted, &of_reference, &of_analysis)?;
    let both = reference.iter().zip(readings.reference);
    for ((chunk, _), reading) in both.chain(analysis.iter().zip(readings.analysis)) {
        keep(found, chunk, metric, reading);
    }
    Ok(())
}

/// Chunks with a profile.
fn known(side: &[Chunk]) -> Vec<(&Chunk, DriftProfile<'_>)> {
    let with_profile = side.iter().filter_map(|chunk| {
        let profile = chunk.profile.as_ref().ok()?;
        Some((chunk, profile.as_profile()))
    });
    with_profile.collect()
}

fn keep(
    found: &mut [Vec<Evaluated>],
    chunk: &Chunk,
    metric: Option<DriftMetric>,
    reading: DriftReading,
) {
    if let Some(of_row) = found.get_mut(chunk.row) {
        of_row.push((metric, reading));
    }
}

fn without_profile(chunk: &Chunk) -> DriftReading {
    let status = chunk.profile.as_ref().err().copied();
    undefined(status.unwrap_or(Status::InsufficientData), 0)
}

fn undefined(status: Status, used_count: u64) -> DriftReading {
    DriftReading {
        value: None,
        approx_error: None,
        p_value: None,
        used_count,
        limits: Limits {
            lower: None,
            upper: None,
            status,
        },
        status,
    }
}

/// The status of the value, or else that of its limits.
fn status(reading: &DriftReading) -> Status {
    match reading.status {
        Status::Ok => reading.limits.status,
        status => status,
    }
}

fn list_of(found: &[Vec<Evaluated>]) -> Result<ArrayRef> {
    let readings = || found.iter().flatten();
    let number = |of: fn(&DriftReading) -> Option<f64>| -> ArrayRef {
        Arc::new(
            readings()
                .map(|(_, reading)| of(reading))
                .collect::<Float64Array>(),
        )
    };
    let names = readings().map(|(metric, _)| metric.map(DriftMetric::name));
    let statuses = readings().map(|(_, reading)| Some(status(reading).name()));
    let counts = readings().map(|(_, reading)| i64::try_from(reading.used_count).ok());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(names.collect::<StringArray>()),
        Arc::new(statuses.collect::<StringArray>()),
        Arc::new(counts.collect::<Int64Array>()),
        number(|reading| reading.value),
        number(|reading| reading.approx_error),
        number(|reading| reading.p_value),
        number(|reading| reading.limits.lower),
        number(|reading| reading.limits.upper),
    ];
    let elements = StructArray::try_new(DRIFT_FIELDS.clone(), columns, None)?;
    let field = Field::new_list_field(DataType::Struct(DRIFT_FIELDS.clone()), true);
    let lengths = OffsetBuffer::from_lengths(found.iter().map(Vec::len));
    Ok(Arc::new(ListArray::try_new(
        Arc::new(field),
        lengths,
        Arc::new(elements),
        None,
    )?))
}
