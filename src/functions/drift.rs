//! `evaluate_drift` and `benjamini_hochberg`: the steps of `univariate_drift` over the chunks of a column and over columns.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::WindowUDF;

use super::column_chunks::{
    CHUNK_INDEX, COLUMN_STATUS, COMPARISON, Chunk, ColumnChunks, DEALT, IS_REFERENCE, METRICS,
    PROFILE, THRESHOLDS, any_dealt, constant, metrics_of,
};
use super::column_readings::{COLUMN_FIELDS, Readings, list_type};
use super::spec::{FunctionSpec, Role};
use super::values::{text, texts};
use super::window::window;
use crate::kernel::column::{ColumnMetric, ColumnReading};
use crate::kernel::drift::{
    Comparison, DriftMetric, DriftProfile, DriftReading, DriftSeries, benjamini_hochberg,
};
use crate::kernel::reading::Status;
use crate::kernel::threshold_text::Thresholds;
use crate::suggest::expected_one_of;

static EVALUATE_DRIFT: FunctionSpec = FunctionSpec {
    name: "evaluate_drift",
    description: "Distances of each chunk of a column from its reference, with limits: a window function over all chunks of the \
                  column. univariate_drift is made of it.",
    arguments: &[
        PROFILE,
        COLUMN_STATUS,
        CHUNK_INDEX,
        IS_REFERENCE,
        DEALT,
        METRICS,
        THRESHOLDS,
        COMPARISON,
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
    Ok(vec![
        window(&EVALUATE_DRIFT, list_type(&COLUMN_FIELDS), evaluate_drift)?,
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

fn evaluate_drift(spec: &FunctionSpec, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let chunks = ColumnChunks::read(spec, values)?;
    let series = series(spec, values)?;
    let mut found = Readings::of(rows);
    match chunks.is_continuous() {
        None => {
            for chunk in chunks.reference.iter().chain(&chunks.analysis) {
                found.add(chunk, None, without_profile(chunk));
            }
        }
        Some(continuous) => {
            for series in series {
                if series.metric().applies_to(continuous) {
                    evaluate(&chunks, &series, &mut found)?;
                }
            }
        }
    }
    found.finish()
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
    let comparison = comparison(spec, text(&constants, 2))?;
    let dealt = any_dealt(values.get(4));
    let of = |metric: DriftMetric| {
        let series = DriftSeries::new(metric, thresholds.of(metric))?;
        Ok(series
            .with_comparison(comparison)
            .with_dealt_reference(dealt))
    };
    let metrics = metrics_of(spec, &texts(&constants, 0))?;
    metrics.into_iter().map(of).collect()
}

/// What a chunk is compared with.
pub(super) fn comparison(spec: &FunctionSpec, word: Option<&str>) -> Result<Comparison> {
    match word {
        None | Some("reference") => Ok(Comparison::Reference),
        Some("previous") => Ok(Comparison::Previous),
        Some(word) => exec_err!(
            "{}: comparison is '{word}'. {}",
            spec.name,
            expected_one_of(word, &["reference", "previous"])
        ),
    }
}

fn evaluate(chunks: &ColumnChunks, series: &DriftSeries, found: &mut Readings) -> Result<()> {
    let metric = Some(series.metric().name());
    for chunk in chunks.reference.iter().chain(&chunks.analysis) {
        if chunk.profile.is_err() {
            found.add(chunk, metric, without_profile(chunk));
        }
    }
    let [reference, analysis] = [&chunks.reference, &chunks.analysis].map(|side| known(side));
    let Some(fitted) = chunks.fitted() else {
        for (chunk, profile) in analysis {
            let status = chunks.without_reference();
            let reading = ColumnReading::undefined(status, profile.used_count());
            found.add(chunk, metric, reading);
        }
        return Ok(());
    };
    let [of_reference, of_analysis] = [&reference, &analysis]
        .map(|side| -> Vec<DriftProfile> { side.iter().map(|(_, profile)| *profile).collect() });
    let readings = series.read(&fitted, &of_reference, &of_analysis)?;
    let both = reference.iter().zip(readings.reference);
    for ((chunk, _), reading) in both.chain(analysis.iter().zip(readings.analysis)) {
        found.add(chunk, metric, of_distance(&reading));
    }
    Ok(())
}

fn of_distance(reading: &DriftReading) -> ColumnReading {
    let status = match reading.status {
        Status::Ok | Status::FewReferenceChunks if bins_decide(reading) => Status::Coarse,
        status => status,
    };
    ColumnReading {
        value: reading.value,
        approx_error: reading.approx_error,
        p_value: reading.p_value,
        limits: reading.limits,
        ..ColumnReading::undefined(status, reading.used_count)
    }
}

/// Whether the distance of all rows may lie on the other side of the limit.
fn bins_decide(reading: &DriftReading) -> bool {
    match (reading.value, reading.approx_error, reading.limits.upper) {
        (Some(value), Some(error), Some(upper)) => error > 1e-9 && (value - upper).abs() <= error,
        _ => false,
    }
}

/// Chunks with a profile.
fn known(side: &[Chunk]) -> Vec<(&Chunk, DriftProfile<'_>)> {
    let with_profile = side.iter().filter_map(|chunk| {
        let profile = chunk.profile.as_ref().ok()?;
        Some((chunk, profile.as_profile()))
    });
    with_profile.collect()
}

/// Why a chunk has no profile.
fn without_profile(chunk: &Chunk) -> ColumnReading {
    let status = chunk.profile.as_ref().err().copied();
    ColumnReading::undefined(status.unwrap_or(Status::InsufficientData), 0)
}
