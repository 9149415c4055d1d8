//! Readings of training-serving skew: the steps of `training_serving_skew` over profiles and counts of two relations.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Fields, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF};

use super::arrays::{self, flags, numbers, texts};
use super::column_chunks::{Read, read};
use super::scalar::{scalar, scalar_of_batch};
use super::skew_arguments::{
    COMPARE_CLOCKS, COMPARE_COLUMNS, DECIMAL_PLACES, PERFORMANCE_GAP, RANKING_SKEW, SHARE_SKEW,
    effects,
};
use super::spec::FunctionSpec;
use super::values::{bytes, flag, integer, number, text};
use crate::kernel::profile::Profile;
use crate::kernel::skew::{
    ClassProfiles, Column, ColumnValues, Counted, FALSE_ALARM_RATE, Gap, SkewCheck, SkewReading,
    category_leakage, compare_clocks, compare_columns, compare_counts, decimal_places,
    deployment_drop, domain_auc, overfit, score_leakage, stated,
};
use crate::kernel::values::{CategoryGroups, ValueBins};
use crate::suggest::expected_one_of;

/// The fields of a reading.
pub static SKEW_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    arrays::nullable([
        ("check_name", DataType::Utf8),
        ("severity", DataType::Utf8),
        ("statistic", DataType::Utf8),
        ("value", DataType::Float64),
        ("threshold", DataType::Float64),
        ("p_value", DataType::Float64),
        ("has_pattern", DataType::Boolean),
        ("evidence", DataType::Utf8),
        ("suggestion", DataType::Utf8),
    ])
});

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    let readings = || DataType::new_list(DataType::Struct(SKEW_FIELDS.clone()), true);
    Ok(vec![
        scalar(&COMPARE_COLUMNS, readings(), columns)?,
        scalar(&COMPARE_CLOCKS, readings(), clocks)?,
        scalar(&RANKING_SKEW, readings(), leakage)?,
        scalar(&SHARE_SKEW, readings(), shares)?,
        scalar(&PERFORMANCE_GAP, readings(), gaps)?,
        scalar_of_batch(&DECIMAL_PLACES, DataType::Int64, places, places_of_batch)?,
    ])
}

/// A text that says something.
fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Readings as a list of structs.
fn list_of(readings: &[SkewReading]) -> Result<ScalarValue> {
    let columns = vec![
        texts(readings.iter().map(|r| known(r.check.name()))),
        texts(readings.iter().map(|r| known(r.severity()?.name()))),
        texts(readings.iter().map(|r| known(r.statistic))),
        numbers(readings.iter().map(|r| r.value)),
        numbers(readings.iter().map(|r| Some(r.threshold))),
        numbers(readings.iter().map(|r| r.p_value)),
        flags(readings.iter().map(|r| Some(r.has_pattern))),
        texts(readings.iter().map(|r| known(&r.evidence))),
        texts(readings.iter().map(|r| known(r.suggestion))),
    ];
    arrays::list_of(&SKEW_FIELDS, columns)
}

fn places(_: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let places = number(values, 0).and_then(decimal_places);
    Ok(ScalarValue::Int64(places.map(i64::from)))
}

fn places_of_batch(_: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let [ColumnarValue::Array(numbers)] = values else {
        return Ok(None);
    };
    let numbers = numbers.as_primitive::<Float64Type>().iter();
    let places = numbers.map(|x| x.and_then(decimal_places).map(i64::from));
    Ok(Some(Arc::new(places.collect::<Int64Array>())))
}

/// A profile of a column; an empty one where there were no rows.
fn side(spec: &FunctionSpec, values: &[ScalarValue], position: usize) -> Result<Option<Read>> {
    bytes(values, position)
        .map(|profile| read(spec, profile))
        .transpose()
}

fn columns(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let effects = effects(spec, values, 4)?;
    let sides = [side(spec, values, 0)?, side(spec, values, 1)?];
    // a side without rows is of the kind of the other
    let of_numbers = sides.iter().flatten().any(Read::is_continuous);
    let (no_numbers, no_categories) = (ValueBins::default(), CategoryGroups::default());
    let [training, serving] = sides.each_ref().map(|side| match side {
        Some(Read::Values(values)) => ColumnValues::Numbers(values),
        Some(Read::Categories(groups)) => ColumnValues::Categories(groups),
        None if of_numbers => ColumnValues::Numbers(&no_numbers),
        None => ColumnValues::Categories(&no_categories),
    });
    let decimals = [2, 3].map(|position| match bytes(values, position) {
        None => Ok(None),
        Some(_) => groups(spec, values, position).map(Some),
    });
    let [of_training, of_serving] = decimals;
    let (of_training, of_serving) = (of_training?, of_serving?);
    let column = |values, decimals| Column { values, decimals };
    let training = column(training, of_training.as_ref());
    let serving = column(serving, of_serving.as_ref());
    let readings = compare_columns(&training, &serving, &effects);
    match readings.is_empty() {
        true => exec_err!(
            "{}: one profile holds numbers and the other categories. Expected two of one kind",
            spec.name
        ),
        false => list_of(&readings),
    }
}

/// The categories of a profile; none for NULL.
fn groups(spec: &FunctionSpec, values: &[ScalarValue], position: usize) -> Result<CategoryGroups> {
    match side(spec, values, position)? {
        None => Ok(CategoryGroups::default()),
        Some(Read::Categories(groups)) => Ok(groups),
        Some(Read::Values(_)) => exec_err!(
            "{}: a profile holds numbers. Expected categories, as category_profile(x) gives",
            spec.name
        ),
    }
}

fn clocks(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let effects = effects(spec, values, 2)?;
    let (training, serving) = (groups(spec, values, 0)?, groups(spec, values, 1)?);
    list_of(&[compare_clocks(&training, &serving, &effects)])
}

fn leakage(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let effects = effects(spec, values, 5)?;
    let check = check(
        spec,
        values,
        &[SkewCheck::TargetLeakage, SkewCheck::AdversarialValidation],
    )?;
    let Some(profile) = bytes(values, 1) else {
        let why = "There are no rows.";
        return list_of(&[SkewReading::not_run(check, &effects, why)]);
    };
    if let Profile::Score(mut profile) = Profile::from_bytes(profile)? {
        let bins = profile.bins();
        return list_of(&[match check {
            SkewCheck::TargetLeakage => score_leakage(&bins, &effects),
            _ => domain_auc(&bins, &effects),
        }]);
    }
    if check != SkewCheck::TargetLeakage {
        return exec_err!(
            "{}: the profile of {check} is of a column. Expected a score profile, as score_profile(label, NULL, score) gives",
            spec.name
        );
    }
    let of = |position| groups(spec, values, position);
    let (positive, negative) = (of(1)?, of(2)?);
    let (other_positive, other_negative) = (of(3)?, of(4)?);
    let learnt = ClassProfiles {
        positive: &positive,
        negative: &negative,
    };
    let judged = ClassProfiles {
        positive: &other_positive,
        negative: &other_negative,
    };
    list_of(&[category_leakage(learnt, judged, &effects)])
}

/// The check that the first argument names, one of `known`.
fn check(spec: &FunctionSpec, values: &[ScalarValue], known: &[SkewCheck]) -> Result<SkewCheck> {
    let name = text(values, 0).unwrap_or_default();
    match known.iter().find(|check| check.name() == name) {
        Some(check) => Ok(*check),
        None => {
            let names: Vec<&str> = known.iter().map(|check| check.name()).collect();
            exec_err!(
                "{}: check_name is '{name}'. {}",
                spec.name,
                expected_one_of(name, &names)
            )
        }
    }
}

fn shares(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let effects = effects(spec, values, 6)?;
    let known = [
        SkewCheck::RowOverlap,
        SkewCheck::FutureTimestamp,
        SkewCheck::MissingColumn,
        SkewCheck::ColumnType,
        SkewCheck::KeyParity,
        SkewCheck::DuplicateKey,
    ];
    let check = check(spec, values, &known)?;
    let first = counted(spec, values, 1)?;
    list_of(&[match check {
        SkewCheck::RowOverlap => compare_counts(check, first, counted(spec, values, 3)?, &effects),
        _ => stated(check, first, text(values, 5).unwrap_or_default(), &effects),
    }])
}

/// A count and its rows at `position` and the one after; NULL is 0.
fn counted(spec: &FunctionSpec, values: &[ScalarValue], position: usize) -> Result<Counted> {
    let of = |position| integer(values, position).unwrap_or_default();
    let (count, rows) = (of(position), of(position + 1));
    match (u64::try_from(count), u64::try_from(rows)) {
        (Ok(count), Ok(rows)) if count <= rows => Ok(Counted { count, rows }),
        _ => exec_err!(
            "{}: {count} of {rows} rows are counted. Expected a count from 0 to the number of rows",
            spec.name
        ),
    }
}

fn gaps(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let effects = effects(spec, values, 9)?;
    let check = check(
        spec,
        values,
        &[SkewCheck::Overfit, SkewCheck::DeploymentDrop],
    )?;
    let metric = text(values, 1).unwrap_or("performance");
    let gap = |position| -> Result<Gap> {
        let (value, error) = (number(values, position), number(values, position + 1));
        match error.is_none_or(|error| error >= 0.0) {
            true => Ok(Gap { value, error }),
            false => exec_err!(
                "{}: a sampling error is {}. Expected 0 or more",
                spec.name,
                error.unwrap_or_default()
            ),
        }
    };
    let (before, after, later) = (gap(2)?, gap(4)?, gap(6)?);
    list_of(&[match check {
        SkewCheck::Overfit => overfit(metric, before, after, &effects),
        _ => {
            let level = false_alarm_rate(spec, values, 10)?;
            let parts = (before, after, later);
            deployment_drop(metric, parts, flag(values, 8), level, &effects)
        }
    }])
}

/// The probability at `position`, or the usual one.
fn false_alarm_rate(spec: &FunctionSpec, values: &[ScalarValue], position: usize) -> Result<f64> {
    match number(values, position) {
        None => Ok(FALSE_ALARM_RATE),
        Some(rate) if rate > 0.0 && rate < 1.0 => Ok(rate),
        Some(rate) => exec_err!(
            "{}: false_alarm_rate is {rate}. Expected a number between 0 and 1, such as {FALSE_ALARM_RATE}",
            spec.name
        ),
    }
}
