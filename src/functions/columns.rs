//! `evaluate_quality` and `evaluate_summary`: the steps of `data_quality` and `summary_statistics` over the chunks of
//! a column.
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::WindowUDF;

use super::column_chunks::{
    CHUNK_INDEX, COLUMN_STATUS, Chunk, ColumnChunks, DEALT, IS_REFERENCE, METRICS, PROFILE, Read,
    THRESHOLDS, any_dealt, constant, metrics_of,
};
use super::column_readings::{COLUMN_FIELDS, Readings, list_type};
use super::shared_arguments::CONFIDENCE_LEVEL;
use super::spec::{Argument, FunctionSpec, Role};
use super::values::{number, text, texts};
use super::window::window;
use crate::kernel::column::{
    ColumnChunk, ColumnMetric, ColumnReading, ColumnSeries, QualityMetric, SeriesMetric,
    SummaryMetric,
};
use crate::kernel::reading::Status;
use crate::kernel::threshold::{Direction, Threshold};
use crate::kernel::threshold_text::Thresholds;

const ARGUMENTS: &[Argument] = &[
    PROFILE,
    COLUMN_STATUS,
    CHUNK_INDEX,
    IS_REFERENCE,
    DEALT,
    METRICS,
    THRESHOLDS,
    ("direction", Role::Text, "'both' or 'worse'."),
    CONFIDENCE_LEVEL,
];

static EVALUATE_QUALITY: FunctionSpec = FunctionSpec {
    name: "evaluate_quality",
    description: "Missing, unseen, out-of-range and otherwise odd values of each chunk of a column, with limits: a window function \
                  over all chunks of the column. data_quality is made of it.",
    arguments: ARGUMENTS,
    required: 9,
    example: "SELECT evaluate_quality(profile, 'ok', chunk_index, chunk_index < 10, false, ['missing'],\n\
              '*=false_alarm_rate(0.0027)', 'both', 0.95) OVER (PARTITION BY column_name) FROM stored_profiles",
};

static EVALUATE_SUMMARY: FunctionSpec = FunctionSpec {
    name: "evaluate_summary",
    description: "Count, sum, mean and other statistics of each chunk of a column, with errors and limits: a window function over \
                  all chunks of the column. summary_statistics is made of it.",
    arguments: ARGUMENTS,
    required: 9,
    example: "SELECT evaluate_summary(profile, 'ok', chunk_index, chunk_index < 10, false, ['mean'],\n\
              '*=false_alarm_rate(0.0027)', 'both', 0.95) OVER (PARTITION BY column_name) FROM stored_profiles",
};

pub(super) fn windows() -> Result<Vec<Arc<WindowUDF>>> {
    Ok(vec![
        window(
            &EVALUATE_QUALITY,
            list_type(&COLUMN_FIELDS),
            evaluate::<QualityMetric>,
        )?,
        window(
            &EVALUATE_SUMMARY,
            list_type(&COLUMN_FIELDS),
            evaluate::<SummaryMetric>,
        )?,
    ])
}

/// What the constant arguments say.
struct Asked<M> {
    metrics: Vec<M>,
    thresholds: Thresholds<M>,
    direction: Direction,
    confidence_level: f64,
    dealt: bool,
}

impl<M: ColumnMetric> Asked<M> {
    fn read(spec: &FunctionSpec, values: &[ArrayRef]) -> Result<Self> {
        let mut constants = Vec::with_capacity(4);
        for position in 5..9 {
            constants.push(constant(values, position)?);
        }
        let direction = match text(&constants, 2) {
            None | Some("both") => Direction::Both,
            Some("worse") => Direction::Worse,
            Some(word) => {
                return exec_err!(
                    "{}: direction is '{word}'. Expected 'both' or 'worse'",
                    spec.name
                );
            }
        };
        let confidence_level = number(&constants, 3).unwrap_or(0.95);
        if !(confidence_level > 0.0 && confidence_level < 1.0) {
            return exec_err!(
                "{}: confidence_level is {confidence_level}. Expected a number between 0 and 1, such as 0.95",
                spec.name
            );
        }
        Ok(Self {
            metrics: metrics_of(spec, &texts(&constants, 0))?,
            thresholds: Thresholds::parse(text(&constants, 1).unwrap_or_default())?,
            direction,
            confidence_level,
            dealt: any_dealt(values.get(4)),
        })
    }

    /// Limits from the scatter of chunks make no sense where chunks were dealt.
    fn series(&self, metric: M) -> Result<ColumnSeries<M>> {
        let threshold = self.thresholds.of(metric);
        if self.dealt && matches!(threshold, Threshold::StandardDeviation { .. }) {
            return exec_err!(
                "threshold of {metric}: stddev(k) takes limits from how reference chunks differ over time, and these had \
                 neither timestamp nor order_by. Expected an order. \
                 Hint: order_by => id, or thresholds => false_alarm_rate(0.0027)"
            );
        }
        Ok(ColumnSeries {
            metric,
            threshold,
            direction: self.direction,
            confidence_level: self.confidence_level,
            dealt: self.dealt,
        })
    }
}

/// Reads all chunks of a column by each metric that applies to it.
fn evaluate<M: SeriesMetric>(
    spec: &FunctionSpec,
    values: &[ArrayRef],
    rows: usize,
) -> Result<ArrayRef> {
    let chunks = ColumnChunks::read(spec, values)?;
    let asked: Asked<M> = Asked::read(spec, values)?;
    let (reference, analysis) = (profiles(&chunks.reference), profiles(&chunks.analysis));
    let whole = chunks.whole.as_ref().map(Read::as_profile);
    let mut found = Readings::of(rows);
    let all = || chunks.reference.iter().chain(&chunks.analysis);
    let applies = |metric: M| match (chunks.of_presence, chunks.is_continuous()) {
        (true, _) => metric.applies_to_presence(),
        (false, Some(continuous)) => metric.applies_to(continuous),
        (false, None) => metric.applies_to_presence(),
    };
    let is_new = chunks.without_reference() == Status::NewColumn;
    let mut told = false;
    for metric in asked.metrics.iter().copied().filter(|m| applies(*m)) {
        let readings = asked.series(metric)?.read(whole, &reference, &analysis)?;
        let in_order = readings.reference.into_iter().chain(readings.analysis);
        for (chunk, mut reading) in all().zip(in_order) {
            let known = reading.value.is_some() && reading.limits.status == Status::Ok;
            if is_new && chunk.profile.is_ok() && !known {
                reading.status = Status::NewColumn;
            }
            found.add(chunk, Some(metric.name()), reading);
        }
        told = true;
    }
    // a column of which nothing can be said is told all the same
    if !told && chunks.is_continuous().is_none() {
        for chunk in all() {
            let status = chunk.profile.as_ref().err().copied();
            let status = status.unwrap_or(Status::InsufficientData);
            found.add(chunk, None, ColumnReading::undefined(status, 0));
        }
    }
    found.finish()
}

fn profiles(side: &[Chunk]) -> Vec<ColumnChunk<'_>> {
    let profiles = side.iter().map(|chunk| match &chunk.profile {
        Ok(read) => Ok(read.as_profile()),
        Err(status) => Err(*status),
    });
    profiles.collect()
}
