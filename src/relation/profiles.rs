//! `profiles`: the chunk profiles of a relation, to be stored and used in place of its rows.
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::by::by_columns;
use super::chunked::CHUNK_COLUMNS;
use super::columns::{COLUMN_ARGUMENTS, ProfiledColumn, Unsupported, profiled_columns};
use super::late_labels::{delayed, refuse_delay};
use super::problem::{CLASSES, PROBLEM_TYPE, Problem};
use super::profiled::{COLUMN_COLUMNS, Profiled};
use super::roles::{Roles, column, column_names};
use super::rows::Rows;
use super::shared_arguments;
use super::side::Side;
use super::stored;
use crate::suggest::expected_one_of;
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

pub static SPEC: RelationSpec = RelationSpec {
    name: "profiles",
    description: "One row for each chunk, with its score profile. A table of them can be kept with ordinary SQL, merged with \
                  merge_profiles, and given to monitoring functions in place of rows, with the same answer to the bit. \
                  A store replaces a profile by its (by, chunk).",
    arguments: &[
        (
            "relation",
            "Rows: a table, TABLE(name), a CTE, a table function or (SELECT ...).",
        ),
        (
            "dataset",
            "'analysis' (default) or 'reference', which has monitor.reference_max_bins and reference_chunk.",
        ),
        (
            "score",
            "Score, or a struct of them by class; default: column y_pred_proba.",
        ),
        (
            "prediction",
            "Predicted class, 0/1 or boolean; default: column y_pred, if there.",
        ),
        (
            "label",
            "Realized class, 0/1 or boolean, NULL where not known; default: column y_true, if there.",
        ),
        shared_arguments::WEIGHT,
        shared_arguments::TIMESTAMP,
        PROBLEM_TYPE,
        CLASSES,
        (
            "positive_label",
            "The value of label that stands for the positive class, and of a prediction that is a text.",
        ),
        ("by", "Columns that group the rows."),
        shared_arguments::CHUNK,
        ("reference_chunk", "The same for dataset => 'reference'."),
        shared_arguments::ORDER_BY,
        shared_arguments::INCOMPLETE,
        shared_arguments::TIME_ZONE,
        (
            "as_of",
            "Calendar chunks that end later are not complete; default: now.",
        ),
        (
            "columns",
            "Columns to profile one by one instead of the score: names, expressions by name, or '*'.",
        ),
        shared_arguments::EXCLUDE,
        shared_arguments::TREAT_AS_CATEGORICAL,
        shared_arguments::TREAT_AS_CONTINUOUS,
    ],
    positional: 1,
    example: "SELECT chunk, row_count, describe_profile(profile)['exact'] FROM profiles(predictions, chunk => INTERVAL '1 month')",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let function = call.function();
    let dataset = match call.text("dataset")?.as_deref() {
        None => "analysis",
        Some("analysis") => "analysis",
        Some("reference") => "reference",
        Some(word) => {
            return plan_err!(
                "{function}: argument 'dataset' is '{word}'. {}",
                expected_one_of(word, &["analysis", "reference"])
            );
        }
    };
    let by = by_columns(call)?;
    let side = Side::only(call, "relation", dataset)?;
    let of_columns = COLUMN_ARGUMENTS.iter().any(|name| call.sql(name).is_some());
    let (plan, columns) = if of_columns {
        let columns = profiled_columns(call, &[&side], &by, Unsupported::Told)?;
        let columns = columns.into_iter().next().unwrap_or_default();
        (
            column_profiles(call, side, &by, columns)?,
            column_chunk_columns(),
        )
    } else {
        let problem = Problem::read(call, &[&side])?;
        (
            chunk_profiles(call, side, &by, problem)?.plan,
            CHUNK_COLUMNS.to_vec(),
        )
    };
    let names = by.iter().map(|(name, _)| column(name));
    let columns = names
        .chain([lit(dataset).alias("dataset")])
        .chain(columns.into_iter().map(column))
        .collect::<Vec<_>>();
    LogicalPlanBuilder::from(plan)
        .project(columns)?
        .alias(function)?
        .build()
}

/// Chunk profiles on their way into a plan.
pub struct ChunkProfiles {
    /// The plan with the `by` columns and [`CHUNK_COLUMNS`].
    pub plan: LogicalPlan,
    /// False when no row can have a prediction.
    pub has_prediction: bool,
}

/// The chunk profiles of a relation, from rows or as they were stored.
pub fn chunk_profiles(
    call: &mut Call,
    side: Side,
    by: &[(String, SqlExpr)],
    problem: Problem,
) -> Result<ChunkProfiles> {
    if side.is_stored() {
        refuse_delay(call, &side)?;
        return Ok(ChunkProfiles {
            plan: stored::plan(call, side, by, false)?,
            has_prediction: true,
        });
    }
    let mut roles = Roles::resolve(call, &side, problem)?.with_weight(call, &side)?;
    require_columns(call, &side, &roles, problem)?;
    delayed(call, &side, &mut roles)?;
    profiles_of(call, side, by, roles, problem)
}

/// The chunk profiles of rows whose roles are known.
pub fn profiles_of(
    call: &mut Call,
    side: Side,
    by: &[(String, SqlExpr)],
    roles: Roles,
    problem: Problem,
) -> Result<ChunkProfiles> {
    let rows = Rows::read(call, side, roles.timestamp.clone())?;
    let has_prediction = roles.prediction.is_some();
    let roles = Box::new(roles);
    let profiled = match problem {
        Problem::Binary => Profiled::Scores(roles),
        Problem::Multiclass => Profiled::Classes(roles),
        Problem::Regression => Profiled::Regression(roles),
    };
    Ok(ChunkProfiles {
        plan: rows.plan(call, by, profiled)?,
        has_prediction,
    })
}

/// The profiles of columns, a row for each chunk and column, from rows or as they were stored.
///
/// The plan has the `by` columns and [`column_chunk_columns`].
pub fn column_profiles(
    call: &mut Call,
    side: Side,
    by: &[(String, SqlExpr)],
    columns: Vec<ProfiledColumn>,
) -> Result<LogicalPlan> {
    if side.is_stored() {
        return stored::plan(call, side, by, true);
    }
    let timestamp = Roles::timestamp(call, &side)?;
    let rows = Rows::read(call, side, timestamp)?;
    rows.plan(call, by, Profiled::Columns(columns))
}

/// [`CHUNK_COLUMNS`] with [`COLUMN_COLUMNS`] before the profile.
pub fn column_chunk_columns() -> Vec<&'static str> {
    let chunk = CHUNK_COLUMNS.into_iter().filter(|name| *name != "profile");
    chunk.chain(COLUMN_COLUMNS).chain(["profile"]).collect()
}

/// Refuses rows without a score, and a reference without labels.
fn require_columns(call: &Call, side: &Side, roles: &Roles, problem: Problem) -> Result<()> {
    let (schema, dataset) = (side.schema(), side.dataset);
    let columns = column_names(schema);
    if problem == Problem::Regression && roles.prediction.is_none() {
        return plan_err!(
            "{}: the {dataset} relation has no column 'y_pred'. Expected a prediction. Hint: prediction => <column>. {}",
            call.function(),
            expected_one_of("y_pred", &columns)
        );
    }
    if problem == Problem::Binary && roles.score.is_none() {
        return plan_err!(
            "{}: the {dataset} relation has no column 'y_pred_proba'. Expected a score. Hint: score => <column>. {}",
            call.function(),
            expected_one_of("y_pred_proba", &columns)
        );
    }
    if side.argument == "reference" && roles.label.is_none() {
        return plan_err!(
            "{}: the reference relation has no column 'y_true'. Expected labels to learn from. Hint: label => <column>. {}",
            call.function(),
            expected_one_of("y_true", &columns)
        );
    }
    Ok(())
}
