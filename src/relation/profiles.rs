//! `profiles`: the chunk profiles of a relation, to be stored and used in place of its rows.
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::by::by_columns;
use super::chunk_arguments::ChunkArguments;
use super::chunked::{CHUNK_COLUMNS, ChunkedRows, Payload};
use super::roles::{Roles, column, column_names};
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
        ("score", "Score; default: column y_pred_proba."),
        (
            "prediction",
            "Predicted class, 0/1 or boolean; default: column y_pred, if there.",
        ),
        (
            "label",
            "Realized class, 0/1 or boolean, NULL where not known; default: column y_true, if there.",
        ),
        (
            "timestamp",
            "Time of the row; default: column timestamp, if there.",
        ),
        (
            "positive_label",
            "The value of label that stands for the positive class, and of a prediction that is a text.",
        ),
        ("by", "Columns that group the rows."),
        (
            "chunk",
            "INTERVAL '1 week' (default with a timestamp), rows(n), parts(n) or an expression.",
        ),
        ("reference_chunk", "The same for dataset => 'reference'."),
        (
            "order_by",
            "Total order of the rows, for rows(n) and parts(n); default: timestamp.",
        ),
        (
            "incomplete",
            "'keep' (default), 'merge' or 'drop' chunks that are not full.",
        ),
        ("time_zone", "Zone of the calendar; default: UTC."),
        (
            "as_of",
            "Calendar chunks that end later are not complete; default: now.",
        ),
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
    let chunks = chunk_profiles(call, side, &by)?;
    let names = by.iter().map(|(name, _)| column(name));
    let columns = names
        .chain([lit(dataset).alias("dataset")])
        .chain(CHUNK_COLUMNS.map(column))
        .collect::<Vec<_>>();
    LogicalPlanBuilder::from(chunks.plan)
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
) -> Result<ChunkProfiles> {
    if side.is_stored() {
        return Ok(ChunkProfiles {
            plan: stored::plan(call, side, by)?,
            has_prediction: true,
        });
    }
    let roles = Roles::resolve(call, &side)?;
    require_columns(call, &side, &roles)?;
    let arguments = ChunkArguments::read(call, &side, &roles)?;
    let options = call.options();
    let max_bins = if side.dataset == "reference" {
        options.reference_max_bins
    } else {
        options.max_bins
    };
    let has_prediction = roles.prediction.is_some();
    let rows = ChunkedRows {
        input: side.input,
        payload: Payload::scores(call, &roles, max_bins, options.min_level)?,
        timestamp: roles.timestamp,
        by,
        arguments,
    };
    Ok(ChunkProfiles {
        plan: rows.plan(call)?,
        has_prediction,
    })
}

/// Refuses rows without a score, and a reference without labels.
fn require_columns(call: &Call, side: &Side, roles: &Roles) -> Result<()> {
    let (schema, dataset) = (side.schema(), side.dataset);
    let columns = column_names(schema);
    if roles.score.is_none() {
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
