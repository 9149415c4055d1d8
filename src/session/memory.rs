//! What to do when a query with profiles runs out of memory.
use std::collections::HashSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFunctionDefinition};

use crate::functions::all_aggregates;

/// What to do about an error of a plan that ran out of memory over profiles; `None` for every other error and
/// for every plan without a profile.
///
/// DataFusion reports that memory is exhausted, and only this crate knows that its profiles are what grew. The
/// program prints the hint below the error.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> datafusion::common::Result<()> {
/// use modelwatch::session::{SessionSettings, out_of_memory_hint};
///
/// let context = SessionSettings { memory_limit: Some(1 << 20), ..Default::default() }.open()?;
/// let sql = "SELECT value % 10, score_profile(NULL, NULL, value) FROM generate_series(1, 100000) GROUP BY 1";
/// let frame = context.sql(sql).await?;
/// let plan = frame.logical_plan().clone();
/// let error = frame.collect().await.unwrap_err();
/// assert!(out_of_memory_hint(&error, &plan).is_some_and(|hint| hint.contains("max_bins")));
/// # Ok(())
/// # }
/// ```
pub fn out_of_memory_hint(error: &DataFusionError, plan: &LogicalPlan) -> Option<&'static str> {
    let exhausted = matches!(error.find_root(), DataFusionError::ResourcesExhausted(_));
    // a plan that cannot be read has no hint; its error is told all the same
    (exhausted && has_profiles(plan).unwrap_or(false)).then_some(
        "profiles take memory for each group and chunk, up to max_bins x 48 bytes. \
         Hint: a longer chunk, fewer columns in by, SET monitor.max_bins = 1024, or a higher --memory-limit",
    )
}

fn has_profiles(plan: &LogicalPlan) -> Result<bool> {
    let aggregates = all_aggregates()?;
    let names = aggregates.iter().map(|aggregate| aggregate.name());
    calls_any(plan, &names.collect())
}

/// Whether a plan, with its views and subqueries, calls an aggregate of one of the names.
fn calls_any(plan: &LogicalPlan, names: &HashSet<&str>) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Some(view) = scan.source.get_logical_plan()
        {
            found |= calls_any(&view, names)?;
        }
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| Ok(is_call(expr, names)))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}

fn is_call(expr: &Expr, names: &HashSet<&str>) -> bool {
    match expr {
        Expr::AggregateFunction(call) => names.contains(call.func.name()),
        Expr::WindowFunction(call) => match &call.fun {
            WindowFunctionDefinition::AggregateUDF(function) => names.contains(function.name()),
            WindowFunctionDefinition::WindowUDF(_) => false,
        },
        _ => false,
    }
}
