//! `describe_profile`: what is in a profile, readable.
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StructArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use super::scalar::scalar;
use super::spec::{FunctionSpec, Role};
use super::values::bytes;
use crate::kernel::bins::{Cell, ScoreBins};
use crate::kernel::multiclass::MulticlassProfile;
use crate::kernel::profile::Profile;
use crate::kernel::regression::RegressionProfile;
use crate::kernel::score_profile::ScoreProfile;
use crate::kernel::values::{CategoryGroups, ValueBins};
use crate::kernel::weighted_profile::WeightedProfile;

static DESCRIBE_PROFILE: FunctionSpec = FunctionSpec {
    name: "describe_profile",
    description: "What a profile holds: its kind, rows, rows with a score (a number, a category), a label, a prediction, the \
                  positive ones, bins, the number of low bits dropped (0 while exact), and the range and mean of the \
                  numbers. What its kind does not have is NULL.",
    arguments: &[("profile", Role::Bytes, "A profile.")],
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
    let counts = COUNTS.iter().map(|name| count(name));
    let end = [
        Field::new("exact", DataType::Boolean, true),
        number("min"),
        number("max"),
        number("mean"),
    ];
    let kind = Field::new("kind", DataType::Utf8, true);
    [kind].into_iter().chain(counts).chain(end).collect()
}

const COUNTS: [&str; 9] = [
    "row_count",
    "scored_count",
    "not_finite_count",
    "labelled_count",
    "positive_label_count",
    "predicted_count",
    "positive_prediction_count",
    "bins",
    "level",
];

/// What is in a profile; `None` is what its kind does not have.
#[derive(Default)]
struct Contents {
    /// In the order of [`COUNTS`].
    counts: [Option<u64>; 9],
    exact: bool,
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
}

fn describe(_: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(profile) = bytes(values, 0) else {
        return ScalarValue::try_from(DataType::Struct(fields()));
    };
    let mut profile = Profile::from_bytes(profile)?;
    let kind = profile.kind();
    let contents = match &mut profile {
        Profile::Score(profile) => of_scores(profile),
        Profile::Value(profile) => of_values(&profile.bins()),
        Profile::Category(profile) => of_categories(&profile.groups()),
        Profile::Estimates(profile) => of_classes(profile.realized()),
        Profile::Multiclass(profile) => of_classes(profile),
        Profile::Losses(profile) => of_regression(profile.realized()),
        Profile::Regression(profile) => of_regression(profile),
        Profile::Weighted(profile) => of_weighted(profile),
        Profile::Clustered(profile) => of_weighted(profile.profile()),
        Profile::Paired(pair) => of_weighted(pair.profile()),
    };
    let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec![kind]))];
    for count in contents.counts {
        let count = count.and_then(|count| i64::try_from(count).ok());
        columns.push(Arc::new(Int64Array::from(vec![count])));
    }
    columns.push(Arc::new(BooleanArray::from(vec![contents.exact])));
    for number in [contents.min, contents.max, contents.mean] {
        columns.push(Arc::new(Float64Array::from(vec![number])));
    }
    let described = StructArray::try_new(fields(), columns, None)?;
    Ok(ScalarValue::Struct(Arc::new(described)))
}

fn of_scores(profile: &mut ScoreProfile) -> Contents {
    let level = profile.level();
    let bins = profile.bins();
    let rows = |keep: fn(usize, usize) -> bool| count(&bins, keep);
    let scored: u64 = cells(&bins).map(|(_, cell)| cell.count).sum();
    let sum: f64 = cells(&bins).map(|(_, cell)| cell.sum).sum();
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
    Contents {
        counts: counts.map(Some),
        exact: level == 0,
        min: bins.bins.first().map(|b| b.lower),
        max: bins.bins.last().map(|b| b.upper),
        mean: (scored > 0).then(|| sum / scored as f64),
    }
}

fn of_values(bins: &ValueBins) -> Contents {
    let rows = bins.rows();
    let not_finite = bins.nans + bins.positive_infinities + bins.negative_infinities;
    let all = [
        Some(rows + not_finite + bins.nulls),
        Some(rows),
        Some(not_finite),
    ];
    let size = [Some(bins.bins.len() as u64), Some(u64::from(bins.level))];
    let sum: f64 = bins.bins.iter().map(|bin| bin.sum).sum();
    Contents {
        counts: nine(&all, &size),
        exact: bins.level == 0,
        min: bins.bins.first().map(|b| b.lower),
        max: bins.bins.last().map(|b| b.upper),
        mean: (rows > 0).then(|| sum / rows as f64),
    }
}

fn of_categories(groups: &CategoryGroups) -> Contents {
    let rows = groups.rows();
    let dropped = 64 - groups.bits.min(64);
    let all = [Some(rows + groups.nulls), Some(rows), None];
    let size = [Some(groups.groups.len() as u64), Some(u64::from(dropped))];
    Contents {
        counts: nine(&all, &size),
        exact: dropped == 0,
        ..Contents::default()
    }
}

/// Bins and level are those of the class that has most.
fn of_classes(profile: &mut MulticlassProfile) -> Contents {
    let classes: Vec<Option<usize>> = (0..profile.classes().len()).map(Some).collect();
    let any: Vec<Option<usize>> = classes.iter().copied().chain([None]).collect();
    let rows = |labels: &[Option<usize>], predictions: &[Option<usize>]| -> u64 {
        let pairs = labels
            .iter()
            .flat_map(|label| predictions.iter().map(move |p| (*label, *p)));
        pairs
            .map(|(label, prediction)| profile.rows(label, prediction))
            .sum()
    };
    let counts = [
        Some(rows(&any, &any)),
        None,
        Some(profile.invalid_rows()),
        Some(rows(&classes, &any)),
        None,
        Some(rows(&any, &classes)),
        None,
    ];
    let (bins, level) = profile.bins_and_level();
    let mut all = [None; 9];
    let size = [Some(bins as u64), Some(u64::from(level))];
    for (at, count) in all.iter_mut().zip(counts.into_iter().chain(size)) {
        *at = count;
    }
    Contents {
        counts: all,
        exact: level == 0,
        ..Contents::default()
    }
}

/// Range and mean are those of absolute errors.
fn of_regression(profile: &mut RegressionProfile) -> Contents {
    let [rows, labelled, not_finite] = profile.row_counts();
    let errors = of_values(&profile.absolute_errors());
    let [_, used, .., bins, level] = errors.counts;
    let mut counts = nine(&[Some(rows), used, Some(not_finite)], &[bins, level]);
    if let Some(count) = counts.get_mut(3) {
        *count = Some(labelled);
    }
    Contents { counts, ..errors }
}

/// Rows without a label leave nothing in a weighted profile.
fn of_weighted(profile: &WeightedProfile) -> Contents {
    let [labelled, not_finite] = profile.row_counts();
    let level = profile.level();
    let mut counts = nine(
        &[None, None, Some(not_finite)],
        &[None, Some(u64::from(level))],
    );
    if let Some(count) = counts.get_mut(3) {
        *count = Some(labelled);
    }
    Contents {
        counts,
        exact: level == 0,
        ..Contents::default()
    }
}

/// Counts of a profile that knows neither labels nor predictions.
fn nine(
    [rows, used, not_finite]: &[Option<u64>; 3],
    [bins, level]: &[Option<u64>; 2],
) -> [Option<u64>; 9] {
    [
        *rows,
        *used,
        *not_finite,
        None,
        None,
        None,
        None,
        *bins,
        *level,
    ]
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
