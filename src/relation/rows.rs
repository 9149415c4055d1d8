//! Rows of a relation, before they are chunks.
use std::collections::BTreeSet;

use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::{by_exprs_and, named_expressions};
use super::chunk_arguments::ChunkArguments;
use super::chunked::ChunkedRows;
use super::profiled::{Bounds, Profiled};
use super::side::Side;
use crate::chunk::Chunking;

/// A relation of rows, when they happened, and how they are chunked.
pub struct Rows {
    /// The relation.
    pub side: Side,
    timestamp: Option<Expr>,
    chunks: ChunkArguments,
}

/// Refuses stored profiles; `why` says what they lack.
pub fn require_rows(call: &Call, side: &Side, why: &str) -> Result<()> {
    if !side.is_stored() {
        return Ok(());
    }
    plan_err!(
        "{}: argument '{}' holds profiles, {why}. Expected rows",
        call.function(),
        side.argument
    )
}

impl Rows {
    /// Reads how the relation is chunked.
    pub fn read(call: &mut Call, side: Side, timestamp: Option<Expr>) -> Result<Self> {
        let chunks = ChunkArguments::read(call, &side, timestamp.as_ref())?;
        Ok(Self {
            side,
            timestamp,
            chunks,
        })
    }

    /// How chunks are told.
    pub fn chunking(&self) -> &Chunking {
        &self.chunks.chunking
    }

    /// Columns that say when a row was, how it was judged, and which chunk and group it is in.
    pub fn named_columns(
        &self,
        call: &mut Call,
        by: &[(String, SqlExpr)],
    ) -> Result<BTreeSet<String>> {
        let mut exprs: Vec<Expr> = self.timestamp.iter().cloned().collect();
        exprs.extend(self.chunks.order_by.iter().cloned());
        if let Chunking::Expression(expr) = self.chunking() {
            exprs.push(expr.clone());
        }
        exprs.extend(by_exprs_and(call, by, self.side.schema(), [])?);
        let columns = exprs.iter().flat_map(Expr::column_refs);
        let mut names: BTreeSet<String> = columns.map(|column| column.name.clone()).collect();
        for (role, default) in [
            ("label", "y_true"),
            ("prediction", "y_pred"),
            ("score", "y_pred_proba"),
        ] {
            let given = call.columns_read(role, self.side.schema())?;
            names.extend(given.unwrap_or_else(|| vec![default.to_string()]));
        }
        // what labels are joined by tells rows apart, not models
        let key = named_expressions(call, "key")?.into_iter();
        names.extend(key.map(|(name, _)| name));
        Ok(names)
    }

    /// Its chunks with what is profiled of their rows.
    pub fn plan(
        self,
        call: &mut Call,
        by: &[(String, SqlExpr)],
        profiled: Profiled,
    ) -> Result<LogicalPlan> {
        let chunked = ChunkedRows {
            bounds: Bounds::of(call, self.side.dataset),
            input: self.side.input,
            timestamp: self.timestamp,
            profiled,
            by,
            arguments: self.chunks,
        };
        chunked.plan(call)
    }
}
