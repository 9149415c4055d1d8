//! Relations of stored profiles, in place of rows.
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::functions_aggregate::expr_fn::{bool_and, bool_or, max, min, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::{by_expr, named_expressions};
use super::chunk_arguments::check_unread;
use super::chunked::CHUNK_COLUMNS;
use super::roles::column;
use super::session_functions::aggregate;
use super::side::{Other, Side};
use crate::chunk::Incomplete;

/// Whether a relation holds profiles rather than rows.
pub fn holds_profiles(schema: &DFSchema) -> bool {
    let binary = |kind: &DataType| {
        matches!(
            kind,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        )
    };
    let profile = schema.field_with_unqualified_name("profile");
    profile.is_ok_and(|field| binary(field.data_type()))
        && schema.has_column_with_unqualified_name("chunk_index")
}

/// The plan with the `by` columns and [`CHUNK_COLUMNS`], a row for each stored chunk; `of_columns`: with those of
/// columns, a row for each chunk and column.
///
/// Chunks stay as they were stored. The same chunk stored twice would count its rows twice, so the merge
/// refuses it: a store replaces a profile by its (by, chunk).
pub fn plan(
    call: &mut Call,
    side: Side,
    by: &[(String, SqlExpr)],
    of_columns: bool,
) -> Result<LogicalPlan> {
    let Side { input, other, .. } = side;
    let schema = input.schema().clone();
    let function = call.function();
    for name in CHUNK_COLUMNS {
        if !schema.has_column_with_unqualified_name(name) {
            return plan_err!(
                "{function}: a relation of profiles has no column '{name}'. Expected what profiles(...) returns"
            );
        }
    }
    check_kind(call, &schema, of_columns)?;
    let mut group = group_columns(call, by, &schema)?;
    group.push(cast(column("chunk"), DataType::Utf8).alias("chunk"));
    group.push(cast(column("chunk_index"), DataType::Int64).alias("chunk_index"));
    let profile = aggregate(
        call,
        "only_profile",
        vec![column("profile"), column("chunk")],
    )?;
    let rows = cast(column("row_count"), DataType::Int64);
    let mut totals = vec![
        min(column("chunk_start")).alias("chunk_start"),
        max(column("chunk_end")).alias("chunk_end"),
        bool_and(column("complete")).alias("complete"),
        sum(rows).alias("row_count"),
        bool_or(column("dealt")).alias("dealt"),
        profile.alias("profile"),
    ];
    let mut chunks = LogicalPlanBuilder::from(input);
    if of_columns {
        group.push(cast(column("column_name"), DataType::Utf8).alias("column_name"));
        totals.push(min(cast(column("column_status"), DataType::Utf8)).alias("column_status"));
        if let Some(chosen) = chosen_names(call)? {
            let chosen = chosen.into_iter().map(lit).collect();
            chunks = chunks.filter(column("column_name").in_list(chosen, false))?;
        }
    }
    let chunks = chunks.aggregate(group, totals)?;
    match check_unread(call)? {
        Incomplete::Drop => chunks.filter(column("complete"))?.build(),
        Incomplete::Merge if other != Other::Rows => plan_err!(
            "{function}: argument 'incomplete' is 'merge', and no relation holds rows: the chunks of profiles are fixed. \
             Expected 'keep' or 'drop'. Hint: profiles(..., incomplete => 'merge') when they are made"
        ),
        // merging is for the rows of the other relation
        Incomplete::Keep | Incomplete::Merge => chunks.build(),
    }
}

/// The `by` columns: profiles keep a group under its name, even where it was an expression over rows.
/// Refuses profiles of columns where those of scores are needed, and the other way round.
fn check_kind(call: &Call, schema: &DFSchema, of_columns: bool) -> Result<()> {
    let function = call.function();
    let found = schema.has_column_with_unqualified_name("column_name");
    match (found, of_columns) {
        (true, false) => plan_err!(
            "{function}: a relation holds profiles of columns. Expected profiles of scores. \
             Hint: profiles(...) without columns"
        ),
        (false, true) => plan_err!(
            "{function}: a relation holds profiles of scores. Expected profiles of columns. \
             Hint: profiles(..., columns => '*')"
        ),
        _ => Ok(()),
    }
}

/// The names that `columns` gives; `None` for all.
fn chosen_names(call: &Call) -> Result<Option<Vec<String>>> {
    let named = named_expressions(call, "columns")?;
    let names: Vec<String> = named.into_iter().map(|(name, _)| name).collect();
    Ok(Some(names).filter(|names| !names.is_empty() && *names != ["*"]))
}

fn group_columns(
    call: &mut Call,
    by: &[(String, SqlExpr)],
    schema: &DFSchema,
) -> Result<Vec<Expr>> {
    let of = |(name, sql): &(String, SqlExpr)| match schema.has_column_with_unqualified_name(name) {
        true => Ok(column(name)),
        false => by_expr(call, name, sql, schema),
    };
    by.iter().map(of).collect()
}

/// The type for the timestamps of both sides: microseconds, in the zone that a side names.
pub fn common_time(reference: &DFSchema, analysis: &DFSchema) -> DataType {
    let zone = |schema: &DFSchema| match schema
        .field_with_unqualified_name("chunk_start")
        .map(|f| f.data_type().clone())
    {
        Ok(DataType::Timestamp(_, zone)) => zone,
        _ => None,
    };
    DataType::Timestamp(
        TimeUnit::Microsecond,
        zone(analysis).or_else(|| zone(reference)),
    )
}
