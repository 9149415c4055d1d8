//! What SQL users see of the functions that read training-serving skew.
use datafusion::arrow::array::Array;
use datafusion::common::{Result, ScalarValue, exec_err};

use super::spec::{Argument, FunctionSpec, Role};
use super::values::numbers;
use crate::kernel::skew::{Effects, SkewCheck};

const MIN_EFFECT: Argument = (
    "min_effect",
    Role::Numbers,
    "What a finding of each check exceeds, eighteen numbers in the order of the checks; NULL (default) for the defaults.",
);

pub(super) static COMPARE_COLUMNS: FunctionSpec = FunctionSpec {
    name: "compare_columns",
    description: "How differently a column is handled in training and serving: readings of null_rate, default_value, constant_column; \
                  of numbers unit_scale and rounding, of categories category_format and unseen_category.",
    arguments: &[
        (
            "training",
            Role::Bytes,
            "Profile of the column in training, as value_profile(x) or category_profile(x) gives; NULL without rows.",
        ),
        (
            "serving",
            Role::Bytes,
            "Profile of the same kind of the column in serving.",
        ),
        (
            "training_decimals",
            Role::Bytes,
            "Category profile of decimal_places(x) in training; NULL (default): rounding is not read.",
        ),
        ("serving_decimals", Role::Bytes, "The same of serving."),
        MIN_EFFECT,
    ],
    required: 2,
    example: "SELECT unnest(compare_columns((SELECT value_profile(income) FROM training), (SELECT value_profile(income) FROM serving)))",
};

pub(super) static COMPARE_CLOCKS: FunctionSpec = FunctionSpec {
    name: "compare_clocks",
    description: "Whether the times of day in serving are those of training, some hours off: a reading of time_zone_offset.",
    arguments: &[
        (
            "training",
            Role::Bytes,
            "Profile of the half hour of the day, 0 to 47, as a category; NULL without rows.",
        ),
        ("serving", Role::Bytes, "The same of serving."),
        MIN_EFFECT,
    ],
    required: 2,
    example: "SELECT compare_clocks((SELECT category_profile(date_part('hour', ts) * 2) FROM training),\n\
              \x20 (SELECT category_profile(date_part('hour', ts) * 2) FROM serving))[1]['evidence']",
};

pub(super) static RANKING_SKEW: FunctionSpec = FunctionSpec {
    name: "ranking_skew",
    description: "Whether something ranks rows too well: a reading of target_leakage (one column ranks the label) or \
                  adversarial_validation (trees rank served rows above those of training).",
    arguments: &[
        (
            "check_name",
            Role::Text,
            "'target_leakage' or 'adversarial_validation'.",
        ),
        (
            "profile",
            Role::Bytes,
            "Score profile of label and column; of a column of categories, its category profile on positive rows. NULL: not run.",
        ),
        (
            "negative",
            Role::Bytes,
            "Of categories: profile on negative rows.",
        ),
        (
            "other_positive",
            Role::Bytes,
            "Of categories: profile on other positive rows, which the order of categories was not learnt from.",
        ),
        (
            "other_negative",
            Role::Bytes,
            "Of categories: profile on other negative rows.",
        ),
        MIN_EFFECT,
    ],
    required: 2,
    example: "SELECT ranking_skew('target_leakage', (SELECT score_profile(y_true, NULL, income) FROM training))[1]['value']",
};

pub(super) static SHARE_SKEW: FunctionSpec = FunctionSpec {
    name: "share_skew",
    description: "Whether rows contradict what they should be: a reading of row_overlap, future_timestamp, missing_column, \
                  column_type, key_parity or duplicate_key from counts.",
    arguments: &[
        ("check_name", Role::Text, "The check."),
        (
            "count",
            Role::Integer,
            "Rows that contradict; of row_overlap, test rows that are training rows.",
        ),
        ("rows", Role::Integer, "All rows."),
        (
            "other_count",
            Role::Integer,
            "Of row_overlap: training rows that stand there more than once.",
        ),
        (
            "other_rows",
            Role::Integer,
            "Of row_overlap: all training rows.",
        ),
        (
            "example",
            Role::Text,
            "One of the rows that are counted, for the evidence; of missing_column and column_type, the evidence.",
        ),
        MIN_EFFECT,
    ],
    required: 3,
    example: "SELECT share_skew('row_overlap', 120, 4000, 3, 16000)[1]['p_value']",
};

pub(super) static PERFORMANCE_GAP: FunctionSpec = FunctionSpec {
    name: "performance_gap",
    description: "Whether performance is worse than it was: a reading of overfit (training against test rows) or deployment_drop (test \
                  rows against the first served ones, told apart from later decay). Larger values are better.",
    arguments: &[
        ("check_name", Role::Text, "'overfit' or 'deployment_drop'."),
        (
            "metric",
            Role::Text,
            "Name of the metric, for the evidence.",
        ),
        (
            "value",
            Role::Number,
            "On training rows; of deployment_drop, on test rows.",
        ),
        ("sampling_error", Role::Number, "Its standard error."),
        (
            "other_value",
            Role::Number,
            "On test rows; of deployment_drop, on the first served rows.",
        ),
        ("other_sampling_error", Role::Number, "Its standard error."),
        (
            "later_value",
            Role::Number,
            "Of deployment_drop: on later served rows; NULL where not known.",
        ),
        ("later_sampling_error", Role::Number, "Its standard error."),
        (
            "estimated",
            Role::Flag,
            "Of deployment_drop: whether values of served rows are estimates without labels.",
        ),
        MIN_EFFECT,
        (
            "false_alarm_rate",
            Role::Number,
            "Of deployment_drop: the evidence speaks of a drop where the p-value is at most this, 0.01 by default.",
        ),
    ],
    required: 6,
    example: "SELECT performance_gap('overfit', 'roc_auc', 0.95, 0.004, 0.80, 0.003)[1]['evidence']",
};

pub(super) static DECIMAL_PLACES: FunctionSpec = FunctionSpec {
    name: "decimal_places",
    description: "The fewest decimals that give a number, 0 to 3; else 4 where single precision gives it, or 5. NULL for NULL, NaN \
                  and infinities.",
    arguments: &[("x", Role::Number, "A number.")],
    required: 1,
    example: "SELECT decimal_places(income), count(*) FROM training GROUP BY 1",
};

/// The list of least effects at `position`; the defaults for NULL.
pub(super) fn effects(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    position: usize,
) -> Result<Effects> {
    match values.get(position) {
        None | Some(ScalarValue::Null) => Ok(Effects::default()),
        Some(ScalarValue::List(list)) if list.is_null(0) => Ok(Effects::default()),
        _ => match Effects::new(&numbers(values, position)) {
            Some(effects) => Ok(effects),
            None => exec_err!(
                "{}: min_effect is not a list of {} numbers that are 0 or more, one for each check. Hint: NULL for the defaults",
                spec.name,
                SkewCheck::ALL.len()
            ),
        },
    }
}
