//! Relations of stored profiles, in place of rows.
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::chunked::{CHUNK_COLUMNS, aggregate};
use super::roles::{by_expr, column};

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

/// The plan with the `by` columns and [`CHUNK_COLUMNS`], a row for each stored chunk.
///
/// Chunks stay as they were stored. The same chunk stored twice would count its rows twice, so the merge
/// refuses it: a store replaces a profile by its (by, chunk).
pub fn plan(call: &mut Call, input: LogicalPlan, by: &[(String, SqlExpr)]) -> Result<LogicalPlan> {
    let schema = input.schema().clone();
    let function = call.function();
    for name in CHUNK_COLUMNS {
        if !schema.has_column_with_unqualified_name(name) {
            return plan_err!(
                "{function}: a relation of profiles has no column '{name}'. Expected what profiles(...) returns"
            );
        }
    }
    for argument in ["chunk", "reference_chunk", "order_by", "incomplete"] {
        if argument != "chunk" && argument != "reference_chunk" && call.sql(argument).is_some() {
            return plan_err!(
                "{function}: argument '{argument}' splits rows, and this relation holds profiles, whose chunks are fixed. \
                 Expected rows, or no '{argument}'"
            );
        }
    }
    let mut group = Vec::new();
    for (name, sql) in by {
        group.push(by_expr(call, name, sql, &schema)?);
    }
    group.extend(
        [
            "chunk",
            "chunk_index",
            "chunk_start",
            "chunk_end",
            "complete",
            "row_count",
        ]
        .map(plain),
    );
    let profile = aggregate(call, "only_profile", vec![plain("profile"), plain("chunk")])?;
    LogicalPlanBuilder::from(input)
        .aggregate(group, vec![profile.alias("profile")])?
        .build()
}

fn plain(name: &str) -> Expr {
    let expr = column(name);
    match name {
        "chunk_index" | "row_count" => cast(expr, DataType::Int64).alias(name),
        "chunk" => cast(expr, DataType::Utf8).alias(name),
        "chunk_start" | "chunk_end" => expr,
        _ => expr,
    }
}

/// Casts the timestamps of both sides to one type: microseconds, in the zone that a side names.
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
