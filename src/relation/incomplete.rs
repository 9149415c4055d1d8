//! `incomplete => 'merge'`: chunks that are not full join the one before.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::functions::core::expr_fn::least;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::expr_fn::{max, min, sum};
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    AggregateUDF, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition,
    cast, lit, when,
};
use std::sync::Arc;

use super::arguments::Call;
use super::chunk_arguments::ChunkArguments;
use super::chunked::last_complete;
use super::roles::column;
use super::session_functions::aggregate;
use crate::chunk::Chunking;

/// Adds the profiles of chunks that are not full to the one before, by the aggregate `merge` and under their `names`.
pub fn merge_chunks(
    call: &mut Call,
    profiled: LogicalPlan,
    by: &[String],
    arguments: &ChunkArguments,
    (merge, names): (&str, &[String]),
) -> Result<LogicalPlan> {
    let Some((profiled, moved)) = moved_key(call, profiled.clone(), by, arguments)? else {
        return Ok(profiled);
    };
    let mut columns: Vec<Expr> = by.iter().map(|name| column(name)).collect();
    columns.extend([moved.alias("__key"), column("row_count")]);
    let mut totals = vec![cast(sum(column("row_count")), DataType::Int64).alias("row_count")];
    for name in names {
        columns.push(column(name));
        totals.push(aggregate(call, merge, vec![column(name)])?.alias(name));
    }
    if !matches!(arguments.chunking, Chunking::Calendar(_)) {
        columns.extend([column("__first"), column("__last")]);
        totals.extend([
            min(column("__first")).alias("__first"),
            max(column("__last")).alias("__last"),
        ]);
    }
    let group = by.iter().map(|name| column(name)).chain([column("__key")]);
    LogicalPlanBuilder::from(profiled)
        .project(columns)?
        .aggregate(group, totals)?
        .build()
}

/// Gives the rows of chunks that are not full the key of the one before, for what cannot be merged once it is
/// aggregated. All rows of a group are held until the last is seen, as those of `parts(n)` are.
pub fn move_rows(
    call: &Call,
    keyed: LogicalPlan,
    by: &[String],
    arguments: &ChunkArguments,
) -> Result<LogicalPlan> {
    let columns = keyed.schema().columns();
    let kept = columns.into_iter().filter(|column| column.name != "__key");
    let kept: Vec<Expr> = kept.map(Expr::Column).collect();
    let counted = match arguments.chunking {
        Chunking::Rows(_) => {
            let chunk = by.iter().map(String::as_str).chain(["__key"]);
            let rows = over(count_udaf(), lit(1i64), chunk)?.alias("row_count");
            LogicalPlanBuilder::from(keyed.clone())
                .window(vec![rows])?
                .build()?
        }
        _ => keyed.clone(),
    };
    let Some((counted, moved)) = moved_key(call, counted, by, arguments)? else {
        return Ok(keyed);
    };
    LogicalPlanBuilder::from(counted)
        .project(kept.into_iter().chain([moved.alias("__key")]))?
        .build()
}

/// The key of the chunk that a row belongs to after merging, beside what it reads; `None` where every chunk is full.
///
/// The plan has `__key` and, of `rows(n)`, the `row_count` of the chunk.
fn moved_key(
    call: &Call,
    plan: LogicalPlan,
    by: &[String],
    arguments: &ChunkArguments,
) -> Result<Option<(LogicalPlan, Expr)>> {
    let key = column("__key");
    Ok(match &arguments.chunking {
        Chunking::Calendar(calendar) => {
            // only a chunk that exists can take rows in: a group that has none before keeps its own
            let last = last_complete(call, *calendar, arguments.as_of.clone())?;
            let complete = when(key.clone().lt_eq(last), key.clone()).end()?;
            let before = over(max_udaf(), complete, by.iter().map(String::as_str))?;
            let plan = LogicalPlanBuilder::from(plan).window(vec![before.alias("__before")])?;
            // least() leaves a NULL out, and a CASE without ELSE may be NULL for the logical and the physical
            // plan alike: about `CASE WHEN before IS NOT NULL THEN before ...` they disagree (DataFusion 55.2)
            let earlier = least(vec![key.clone(), column("__before")]);
            Some((plan.build()?, when(key.is_not_null(), earlier).end()?))
        }
        Chunking::Rows(n) => {
            let short = column("row_count")
                .lt(lit(*n))
                .and(key.clone().gt(lit(0i64)));
            Some((plan, when(short, key.clone() - lit(1i64)).otherwise(key)?))
        }
        Chunking::Parts(_) | Chunking::Dealt(_) | Chunking::Expression(_) => None,
    })
}

/// An aggregate over all rows of each partition.
fn over<'a>(
    function: Arc<AggregateUDF>,
    argument: Expr,
    partition: impl Iterator<Item = &'a str>,
) -> Result<Expr> {
    let function = WindowFunctionDefinition::AggregateUDF(function);
    Expr::from(WindowFunction::new(function, vec![argument]))
        .partition_by(partition.map(column).collect())
        .build()
}
