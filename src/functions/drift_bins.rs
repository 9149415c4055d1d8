//! `evaluate_drift_bins`: the bins behind the distances of a column, which `drift_bins` returns.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::WindowUDF;

use super::column_chunks::{
    CHUNK_INDEX, COLUMN_STATUS, COMPARISON, Chunk, ColumnChunks, DEALT, IS_REFERENCE, METRICS,
    PROFILE, constant, metrics_of,
};
use super::column_readings::{list_type, lists};
use super::drift::comparison;
use super::spec::FunctionSpec;
use super::values::{text, texts};
use super::window::window;
use crate::kernel::column::ColumnMetric;
use crate::kernel::drift::{BinLabel, Comparison, DriftBin, DriftMetric, DriftReference};
use crate::kernel::reading::Status;

/// Fields of each bin.
pub static BIN_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let count = |name: &str| Field::new(name, DataType::Int64, true);
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![
        text("metric"),
        count("bin"),
        text("bin_label"),
        number("bin_lower"),
        number("bin_upper"),
        count("reference_count"),
        number("count"),
        number("reference_share"),
        number("share"),
        number("contribution"),
        text("status"),
    ])
});

static EVALUATE: FunctionSpec = FunctionSpec {
    name: "evaluate_drift_bins",
    description: "The bins of a column's reference with the rows of each analysis chunk in them, and what each adds to a distance: a \
                  window function over all chunks of the column. drift_bins is made of it.",
    arguments: &[
        PROFILE,
        COLUMN_STATUS,
        CHUNK_INDEX,
        IS_REFERENCE,
        DEALT,
        METRICS,
        COMPARISON,
    ],
    required: 7,
    example: "SELECT evaluate_drift_bins(profile, 'ok', chunk_index, chunk_index < 10, false, ['psi'], 'reference')\n\
              OVER (PARTITION BY column_name) FROM stored_profiles",
};

pub(super) fn windows() -> Result<Vec<Arc<WindowUDF>>> {
    Ok(vec![window(&EVALUATE, list_type(&BIN_FIELDS), evaluate)?])
}

/// A bin of one distance; no bin where there is none, and the status says why.
struct Row {
    metric: Option<&'static str>,
    bin: Option<(usize, DriftBin)>,
    status: Status,
}

fn evaluate(spec: &FunctionSpec, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let chunks = ColumnChunks::read(spec, values)?;
    let constants = [constant(values, 5)?, constant(values, 6)?];
    let metrics: Vec<DriftMetric> = metrics_of(spec, &texts(&constants, 0))?;
    let comparison = comparison(spec, text(&constants, 1))?;
    let mut found: Vec<Vec<Row>> = Vec::new();
    found.resize_with(rows, Vec::new);
    let whole = chunks.fitted();
    let mut before = match comparison {
        Comparison::Reference => None,
        Comparison::Previous => chunks.reference.iter().rev().find_map(reference),
    };
    let metrics: Vec<DriftMetric> = match chunks.is_continuous() {
        None => vec![],
        Some(continuous) => metrics
            .into_iter()
            .filter(|metric| metric.applies_to(continuous))
            .collect(),
    };
    let no_reference = chunks.without_reference();
    for chunk in &chunks.analysis {
        let against = match comparison {
            Comparison::Reference => whole.as_ref(),
            Comparison::Previous => before.as_ref(),
        };
        if let Some(of_chunk) = found.get_mut(chunk.row) {
            *of_chunk = bins(chunk, against.ok_or(no_reference), &metrics);
        }
        if comparison == Comparison::Previous {
            before = reference(chunk).or(before);
        }
    }
    list_of(&found)
}

fn reference(chunk: &Chunk) -> Option<DriftReference> {
    let read = chunk.profile.as_ref().ok()?;
    Some(DriftReference::of(read.as_profile()))
}

fn bins(
    chunk: &Chunk,
    against: std::result::Result<&DriftReference, Status>,
    metrics: &[DriftMetric],
) -> Vec<Row> {
    let without = |metric, status| Row {
        metric,
        bin: None,
        status,
    };
    if metrics.is_empty() {
        let status = chunk.profile.as_ref().err().copied();
        return match status {
            Some(status) => vec![without(None, status)],
            None => vec![],
        };
    }
    let mut rows = Vec::new();
    for &metric in metrics {
        let name = Some(metric.name());
        let found = match (&chunk.profile, against) {
            (Err(status), _) => Err(*status),
            (_, Err(status)) => Err(status),
            (Ok(read), Ok(against)) => {
                let profile = read.as_profile();
                match against.compare(profile, metric) {
                    Err(status) => Err(status),
                    Ok(_) => Ok(against.bins(profile, metric)),
                }
            }
        };
        match found {
            Err(status) => rows.push(without(name, status)),
            Ok(bins) => rows.extend(bins.into_iter().enumerate().map(|bin| Row {
                metric: name,
                bin: Some(bin),
                status: Status::Ok,
            })),
        }
    }
    rows
}

/// What a bin holds, in words.
fn words(label: &BinLabel) -> String {
    match label {
        BinLabel::Range { lower, upper } => match (lower, upper) {
            (None, None) => "all".into(),
            (None, Some(upper)) => match edge(*upper) {
                (x, true) => format!("up to {x}"),
                (x, false) => format!("below {x}"),
            },
            (Some(lower), None) => match edge(*lower) {
                (x, true) => format!("above {x}"),
                (x, false) => format!("from {x}"),
            },
            (Some(lower), Some(upper)) => {
                let ((lower, after), (upper, through)) = (edge(*lower), edge(*upper));
                let (open, close) = (
                    if after { '(' } else { '[' },
                    if through { ']' } else { ')' },
                );
                format!("{open}{lower}, {upper}{close}")
            }
        },
        BinLabel::Outside => "out of range".into(),
        BinLabel::Category(category) => category.clone(),
        BinLabel::Group { prefix, bits } => format!("hash {prefix} of {bits} bits"),
        BinLabel::Unseen => "unseen".into(),
    }
}

/// A number to six digits, as people read it; `bin_lower` and `bin_upper` have all of them.
fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// An edge to six digits, and whether it is the first number after the one that is shown: edges lie behind the numbers of
/// the reference that they follow.
fn edge(x: f64) -> (f64, bool) {
    let before = x.next_down();
    let length = |x: f64| x.to_string().len();
    match length(before) + 4 < length(x) {
        true => (rounded(before), true),
        false => (rounded(x), false),
    }
}

fn ends(label: &BinLabel) -> (Option<f64>, Option<f64>) {
    match label {
        BinLabel::Range { lower, upper } => (*lower, *upper),
        _ => (None, None),
    }
}

fn list_of(found: &[Vec<Row>]) -> Result<ArrayRef> {
    let rows = || found.iter().flatten();
    let bin = |row: &'_ Row| row.bin.as_ref().map(|(_, bin)| bin.clone());
    let bins: Vec<Option<DriftBin>> = rows().map(bin).collect();
    let number = |of: &dyn Fn(&DriftBin) -> Option<f64>| -> ArrayRef {
        let numbers = bins.iter().map(|bin| bin.as_ref().and_then(of));
        Arc::new(numbers.collect::<Float64Array>())
    };
    let of_reference = |bin: &DriftBin| i64::try_from(bin.reference_count).ok();
    let counts = bins.iter().map(|bin| bin.as_ref().and_then(of_reference));
    let labels = bins.iter().map(|bin| bin.as_ref().map(|b| words(&b.label)));
    let place = |row: &Row| i64::try_from(row.bin.as_ref()?.0).ok();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows().map(|row| row.metric).collect::<StringArray>()),
        Arc::new(rows().map(place).collect::<Int64Array>()),
        Arc::new(labels.collect::<StringArray>()),
        number(&|bin| ends(&bin.label).0),
        number(&|bin| ends(&bin.label).1),
        Arc::new(counts.collect::<Int64Array>()),
        number(&|bin| Some(bin.chunk_count)),
        number(&|bin| Some(bin.reference_share)),
        number(&|bin| Some(bin.share)),
        number(&|bin| bin.contribution),
        Arc::new(
            rows()
                .map(|row| Some(row.status.name()))
                .collect::<StringArray>(),
        ),
    ];
    lists(&BIN_FIELDS, columns, found.iter().map(Vec::len))
}
