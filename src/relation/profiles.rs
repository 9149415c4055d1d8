//! `profiles`: the chunk profiles of a relation, to be stored and used in place of its rows.
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::chunk_arguments::ChunkArguments;
use super::chunked::{CHUNK_COLUMNS, ChunkedRows};
use super::roles::{Roles, by_columns, column};
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
    let dataset = match call.text("dataset")? {
        None => "analysis".to_string(),
        Some(word) if word == "analysis" || word == "reference" => word,
        Some(word) => {
            return plan_err!(
                "{function}: argument 'dataset' is '{word}'. {}",
                expected_one_of(&word, &["analysis", "reference"])
            );
        }
    };
    let by = by_columns(call)?;
    let chunks = chunk_profiles(call, "relation", &dataset, &by)?;
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

/// The chunk profiles of a relation argument, from rows or as they were stored.
pub fn chunk_profiles(
    call: &mut Call,
    argument: &str,
    dataset: &str,
    by: &[(String, SqlExpr)],
) -> Result<ChunkProfiles> {
    let Some(input) = call.relation(argument)? else {
        return plan_err!(
            "{0}: argument '{argument}' is missing. Expected a relation. Hint: {0}({argument} => table_name, ...)",
            call.function()
        );
    };
    if stored::holds_profiles(input.schema()) {
        let plan = stored::plan(call, input, by)?;
        return Ok(ChunkProfiles {
            plan,
            has_prediction: true,
        });
    }
    let schema = input.schema().clone();
    let roles = Roles::resolve(call, &schema, dataset)?;
    let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    if roles.score.is_none() {
        return plan_err!(
            "{}: the {dataset} relation has no column 'y_pred_proba'. Expected a score. Hint: score => <column>. {}",
            call.function(),
            expected_one_of("y_pred_proba", &columns)
        );
    }
    if dataset == "reference" && argument == "reference" && roles.label.is_none() {
        return plan_err!(
            "{}: the reference relation has no column 'y_true'. Expected labels to learn from. Hint: label => <column>. {}",
            call.function(),
            expected_one_of("y_true", &columns)
        );
    }
    let arguments = ChunkArguments::read(call, dataset, &roles, &schema)?;
    let options = call.options();
    let max_bins = if dataset == "reference" {
        options.reference_max_bins
    } else {
        options.max_bins
    };
    let has_prediction = roles.prediction.is_some();
    let rows = ChunkedRows {
        input,
        roles,
        by,
        arguments,
        max_bins,
        min_level: options.min_level,
    };
    Ok(ChunkProfiles {
        plan: rows.plan(call)?,
        has_prediction,
    })
}
