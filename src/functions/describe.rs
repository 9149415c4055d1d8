//! `describe_profile`: what is in a profile, readable.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use super::scalar::scalar;
use super::spec::{FunctionSpec, Role};
use super::values::bytes;
use crate::kernel::bins::{Cell, ScoreBins};
use crate::kernel::score_profile::ScoreProfile;

static DESCRIBE_PROFILE: FunctionSpec = FunctionSpec {
    name: "describe_profile",
    description: "What a score profile holds: rows, rows with a score, a label, a prediction, the positive ones, bins, the \
                  number of low bits dropped (0 while exact), and the range and mean of the scores.",
    arguments: &[("profile", Role::Bytes, "A score profile.")],
    required: 1,
    example: "SELECT describe_profile(score_profile(y_true, y_pred, y_pred_proba)) FROM predictions",
};

pub(super) fn all() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![scalar(
        &DESCRIBE_PROFILE,
        DataType::Struct(fields()),
        describe,
    )?])
}

fn fields() -> Fields {
    let count = |name: &str| Field::new(name, DataType::Int64, true);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    Fields::from(vec![
        count("row_count"),
        count("scored_count"),
        count("not_finite_count"),
        count("labelled_count"),
        count("positive_label_count"),
        count("predicted_count"),
        count("positive_prediction_count"),
        count("bins"),
        count("level"),
        Field::new("exact", DataType::Boolean, true),
        number("min"),
        number("max"),
        number("mean"),
    ])
}

fn describe(_: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(profile) = bytes(values, 0) else {
        return ScalarValue::try_from(DataType::Struct(fields()));
    };
    let mut profile = ScoreProfile::from_bytes(profile)?;
    let level = profile.level();
    let bins = profile.bins();
    let rows = |keep: fn(usize, usize) -> bool| count(&bins, keep);
    let scored: u64 = cells(&bins).map(|(_, cell)| cell.count).sum();
    let sum: f64 = cells(&bins).map(|(_, cell)| cell.sum).sum();
    let mean = (scored > 0).then(|| sum / scored as f64);
    let counts = [
        profile.rows(),
        scored,
        bins.not_finite.as_flattened().iter().sum(),
        rows(|_, label| label < 2),
        rows(|_, label| label == 1),
        rows(|prediction, _| prediction < 2),
        rows(|prediction, _| prediction == 1),
        bins.bins.len() as u64,
        u64::from(level),
    ];
    let mut columns: Vec<ArrayRef> = Vec::new();
    for count in counts {
        columns.push(Arc::new(Int64Array::from(vec![i64::try_from(count).ok()])));
    }
    columns.push(Arc::new(BooleanArray::from(vec![level == 0])));
    for number in [
        bins.bins.first().map(|b| b.lower),
        bins.bins.last().map(|b| b.upper),
        mean,
    ] {
        columns.push(Arc::new(Float64Array::from(vec![number])));
    }
    Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(
        fields(),
        columns,
        None,
    )?)))
}

/// Cells with their class, `3 * prediction + label`.
fn cells(bins: &ScoreBins) -> impl Iterator<Item = (usize, &Cell)> {
    bins.bins
        .iter()
        .flat_map(|bin| bin.cells.as_flattened().iter().enumerate())
}

fn count(bins: &ScoreBins, keep: fn(usize, usize) -> bool) -> u64 {
    let apart = bins
        .unscored
        .as_flattened()
        .iter()
        .zip(bins.not_finite.as_flattened());
    let apart = apart.enumerate().map(|(class, (a, b))| (class, a + b));
    let scored = cells(bins).map(|(class, cell)| (class, cell.count));
    scored
        .chain(apart)
        .filter(|(class, _)| keep(class / 3, class % 3))
        .map(|(_, count)| count)
        .sum()
}
