//! `score_profile`, `value_profile`, `category_profile` and `merge_profiles`: the aggregates whose result is a profile.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, MergedProfile, Summary};
use crate::kernel::category_profile::CategoryProfile;
use crate::kernel::digest::DigestLimits;
use crate::kernel::profile::Profile;
use crate::kernel::score_profile::ScoreProfile;
use crate::kernel::value_profile::ValueProfile;

static SCORE_PROFILE: FunctionSpec = FunctionSpec {
    name: "score_profile",
    description: "A bounded, mergeable summary of scores by prediction and label, from which every estimate and \
                  realized value of a binary classifier follows. Exact up to max_bins distinct scores; it then \
                  contains the scores themselves, so treat it as personal data if they are.",
    arguments: &[
        (
            "label",
            Role::Class,
            "Realized class, 0/1 or boolean; NULL where not known yet.",
        ),
        (
            "prediction",
            Role::Class,
            "Predicted class, 0/1 or boolean; NULL where there is none.",
        ),
        (
            "score",
            Role::Number,
            "Model output, higher for the positive class; NULL rows are counted apart.",
        ),
        (
            "max_bins",
            Role::Integer,
            "Most bins to keep; 6144 by default.",
        ),
        (
            "min_level",
            Role::Integer,
            "Low bits to drop from every score, 0 (default) to 60: coarsens, so that no score is kept.",
        ),
    ],
    required: 3,
    example: "SELECT date_trunc('month', timestamp) AS month, score_profile(y_true, y_pred, y_pred_proba) AS profile\n\
              FROM predictions GROUP BY 1",
};

const MAX_BINS: Argument = (
    "max_bins",
    Role::Integer,
    "Most bins to keep; 6144 by default.",
);

static VALUE_PROFILE: FunctionSpec = FunctionSpec {
    name: "value_profile",
    description: "A bounded, mergeable summary of a column of numbers, from which drift, quantiles, moments and data quality \
                  follow. Exact up to max_bins distinct numbers; it then contains the numbers themselves, so treat it \
                  as personal data if they are.",
    arguments: &[
        (
            "x",
            Role::Number,
            "A number; NULL, NaN and infinities are counted apart.",
        ),
        MAX_BINS,
        (
            "min_level",
            Role::Integer,
            "Low bits to drop from every number, 0 (default) to 60: coarsens, so that no number is kept.",
        ),
    ],
    required: 1,
    example: "SELECT date_trunc('month', timestamp) AS month, value_profile(y_pred_proba) AS profile FROM predictions GROUP BY 1",
};

static CATEGORY_PROFILE: FunctionSpec = FunctionSpec {
    name: "category_profile",
    description: "A bounded, mergeable summary of a column of categories: the count of each while there are at most max_bins, \
                  then of groups that bound it from above. It contains the categories, so treat it as personal data \
                  if they are.",
    arguments: &[
        (
            "x",
            Role::Category,
            "A text, boolean or number; NULL is counted apart.",
        ),
        MAX_BINS,
        (
            "min_level",
            Role::Integer,
            "Above 0 the profile keeps hashes of categories and no texts.",
        ),
    ],
    required: 1,
    example: "SELECT date_trunc('month', timestamp) AS month, category_profile(y_pred) AS profile FROM predictions GROUP BY 1",
};

static MERGE_PROFILES: FunctionSpec = FunctionSpec {
    name: "merge_profiles",
    description: "The profile of all rows behind the given profiles, to the bit: hours become days, days months.",
    arguments: &[("profile", Role::Bytes, "A profile; NULL is left out.")],
    required: 1,
    example: "SELECT date_trunc('quarter', chunk_start), merge_profiles(profile) FROM stored_profiles GROUP BY 1",
};

static ONLY_PROFILE: FunctionSpec = FunctionSpec {
    name: "only_profile",
    description: "The profile of a stored chunk; an error when the chunk is stored more than once, for its rows would then \
                  count more than once.",
    arguments: &[
        ("profile", Role::Bytes, "A stored profile."),
        ("chunk", Role::Text, "The chunk, for the error."),
    ],
    required: 2,
    example: "SELECT chunk, only_profile(profile, chunk) FROM stored_profiles GROUP BY chunk",
};

pub(super) fn all() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![
        aggregate::<ScoreProfile>(&SCORE_PROFILE, DataType::BinaryView, score_profile)?,
        aggregate::<ValueProfile>(&VALUE_PROFILE, DataType::BinaryView, value_profile)?,
        aggregate::<CategoryProfile>(&CATEGORY_PROFILE, DataType::BinaryView, category_profile)?,
        aggregate::<MergedProfile>(&MERGE_PROFILES, DataType::BinaryView, merge_profiles)?,
        aggregate::<MergedProfile>(&ONLY_PROFILE, DataType::BinaryView, only_profile)?,
    ])
}

fn score_profile(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<ScoreProfile>> {
    let limits = digest_limits(&arguments, 3)?;
    Ok(profile_of(arguments, move || ScoreProfile::new(limits)))
}

fn value_profile(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<ValueProfile>> {
    let limits = digest_limits(&arguments, 1)?;
    Ok(profile_of(arguments, move || ValueProfile::new(limits)))
}

fn category_profile(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<CategoryProfile>> {
    let limits = digest_limits(&arguments, 1)?;
    Ok(profile_of(arguments, move || CategoryProfile::new(limits)))
}

/// An aggregation whose result is its state, a profile; NULL where there are no bytes, for there were no rows.
pub(super) fn profile_of<S: Summary>(
    arguments: Arguments,
    empty: impl Fn() -> S + Send + Sync + 'static,
) -> Aggregation<S> {
    Aggregation {
        arguments,
        empty: Arc::new(empty),
        read: Arc::new(|summary| {
            let bytes = Some(summary.state()).filter(|bytes| !bytes.is_empty());
            Ok(ScalarValue::BinaryView(bytes))
        }),
        output: DataType::BinaryView,
    }
}

fn merge_profiles(
    _: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<MergedProfile>> {
    Ok(Aggregation {
        arguments,
        empty: Arc::new(MergedProfile::default),
        read: Arc::new(|merged| {
            Ok(ScalarValue::BinaryView(
                merged.profile.as_mut().map(Profile::to_bytes),
            ))
        }),
        output: DataType::BinaryView,
    })
}

fn only_profile(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<MergedProfile>> {
    let merge = merge_profiles(spec, arguments)?;
    Ok(Aggregation {
        read: Arc::new(|merged| match merged.merged {
            0 | 1 => Ok(ScalarValue::BinaryView(
                merged.profile.as_mut().map(Profile::to_bytes),
            )),
            times => exec_err!(
                "a relation of profiles holds chunk '{}' {times} times, so its rows would count {times} times. \
                 Expected one profile for each (by, chunk). Hint: replace a stored profile, or merge parts with \
                 merge_profiles(profile) GROUP BY chunk first",
                merged.chunk.as_deref().unwrap_or_default()
            ),
        }),
        ..merge
    })
}

/// Reads `max_bins` and `min_level` at `position` and the one after.
pub(super) fn digest_limits(arguments: &Arguments, position: usize) -> Result<DigestLimits> {
    let default = DigestLimits::default();
    let bins = arguments.integer(position, "max_bins", i64::from(default.max_bins))?;
    let level = arguments.integer(position + 1, "min_level", i64::from(default.min_level))?;
    let (fewest, most) = (DigestLimits::FEWEST_BINS, DigestLimits::MOST_BINS);
    match (u32::try_from(bins), u8::try_from(level)) {
        (Ok(max_bins), Ok(min_level))
            if (fewest..=most).contains(&max_bins) && min_level <= DigestLimits::HIGHEST_LEVEL =>
        {
            Ok(DigestLimits {
                max_bins,
                min_level,
            })
        }
        _ => plan_err!(
            "{}: max_bins is {bins} and min_level {level}. Expected {fewest} to {most} bins and a level of 0 to {}",
            arguments.function,
            DigestLimits::HIGHEST_LEVEL
        ),
    }
}
