//! `training_serving_skew`: is the model served what it was trained on, and was it ever as good as its training promised?
mod adversarial;
mod arguments;
mod columns;
mod findings;
mod handling;
mod leakage;
mod overlap;
mod parity;
mod performance;
mod sides;
mod summary;
mod times;

use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;

use super::RelationSpec;
use super::arguments::Call;
use super::problem::{CLASSES, PROBLEM_TYPE};
use super::shared_arguments;
use arguments::Asked;
use columns::skew_columns;
use findings::judged;
use sides::Sides;
use summary::{Report, Task};

pub use findings::{COLUMNS, meaning};

pub static SPEC: RelationSpec = RelationSpec {
    name: "training_serving_skew",
    description: "Whether a model is served what it was trained on: overfitting, a drop at deployment, leakage, and columns that are \
                  handled differently in training and serving, with a stated rate of false findings for the whole report.",
    arguments: &[
        ("training", "Rows that the model was trained on."),
        (
            "test",
            "Rows that it was tested on, with labels; needed for overfit, row_overlap and deployment_drop.",
        ),
        (
            "serving",
            "Rows that it was served with, whose columns are compared with those of training; to compare those of test, give test as serving.",
        ),
        (
            "label",
            "Realized class, 0/1 or boolean (the name of one of several, a number); default: column y_true, where there.",
        ),
        (
            "score",
            "Score, higher for the positive class, or a struct of scores by class; default: column y_pred_proba, where there.",
        ),
        (
            "prediction",
            "Predicted class, or number of a regression; default: column y_pred, where there.",
        ),
        (
            "timestamp",
            "Time of the prediction; default: column timestamp, where there.",
        ),
        (
            "key",
            "Columns that name an entity and a time in training and serving, for key_parity and duplicate_key.",
        ),
        (
            "feature_timestamps",
            "Columns that say when features became known, none of which may be after timestamp.",
        ),
        shared_arguments::COLUMNS,
        shared_arguments::EXCLUDE,
        shared_arguments::TREAT_AS_CATEGORICAL,
        shared_arguments::TREAT_AS_CONTINUOUS,
        PROBLEM_TYPE,
        CLASSES,
        (
            "positive_label",
            "The value of label that stands for the positive class, and of a prediction that is a text.",
        ),
        (
            "first_share",
            "Part of the time span of serving that counts as its start, for deployment_drop; default: 0.2.",
        ),
        (
            "checks",
            "Names of checks to make; default: all that the relations allow.",
        ),
        (
            "min_effect",
            "What a finding exceeds, by check, as in {'null_rate': 0.05}; the defaults are in the column threshold.",
        ),
        (
            "false_alarm_rate",
            "Probability of any finding where there is no skew, shared out over all tests that were made; default: 0.01.",
        ),
        (
            "include_passed",
            "true: also a row for each check that passed or could not be made; default: false, which still tells what data (an empty \
             table, no labels) or the relations kept from being made of the checks that are named.",
        ),
    ],
    positional: 3,
    example: "SELECT check_name, severity, column_name, evidence, suggestion\n\
              FROM training_serving_skew(training, test, serving, key => [customer, day])",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let asked = Asked::read(call)?;
    let sides = Sides::read(call)?;
    let columns = skew_columns(call, &sides)?;
    let task = Task {
        sides: &sides,
        columns: &columns,
        asked: &asked,
    };
    let mut report = Report::new(call, &sides);
    for add in FAMILIES {
        add(call, &task, &mut report)?;
    }
    let rows = report.into_rows(&sides)?;
    judged(call, rows, &asked)
}

/// Adds checks of a kind to a report.
type Family = fn(&mut Call, &Task, &mut Report) -> Result<()>;

const FAMILIES: [Family; 8] = [
    handling::add,
    times::clocks,
    times::future,
    leakage::add,
    performance::add,
    overlap::add,
    parity::add,
    adversarial::add,
];
