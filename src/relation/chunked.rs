//! Rows of a relation become chunk profiles, in one ordinary aggregate.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::expr_fn::{get_field, least};
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::functions_window::expr_fn::{dense_rank, ntile, row_number};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition, cast, lit,
    when,
};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::by_expr;
use super::chunk_arguments::ChunkArguments;
use super::profiled::{Bounds, Profiled};
use super::roles::column;
use super::session_functions::{aggregate, scalar};
use crate::chunk::{Calendar, Chunking, Incomplete, TIMESTAMP, TimeZone};
use crate::kernel::calendar::Step;

/// Columns of a chunk relation after the `by` columns; `profile` is the last.
pub const CHUNK_COLUMNS: [&str; 8] = [
    "chunk",
    "chunk_index",
    "chunk_start",
    "chunk_end",
    "complete",
    "row_count",
    "dealt",
    "profile",
];

/// One relation on its way to chunk profiles.
pub struct ChunkedRows<'a> {
    /// Its rows.
    pub input: LogicalPlan,
    /// When its rows happened.
    pub timestamp: Option<Expr>,
    /// What is profiled of them.
    pub profiled: Profiled,
    /// Name and SQL of each `by` column.
    pub by: &'a [(String, SqlExpr)],
    /// How it is chunked.
    pub arguments: ChunkArguments,
    /// Bounds of a profile.
    pub bounds: Bounds,
}

impl ChunkedRows<'_> {
    /// The plan with the `by` columns and [`CHUNK_COLUMNS`], a row for each chunk; of columns, what
    /// [`Profiled::unpivot`] makes of them, a row for each chunk and column.
    pub fn plan(self, call: &mut Call) -> Result<LogicalPlan> {
        let by: Vec<String> = self.by.iter().map(|(name, _)| name.clone()).collect();
        let arguments = self.arguments.clone();
        let profiles = self.profiled.names();
        let keyed = self.profiled.fitted(self.keyed(call)?, &by)?;
        let profiled = self.aggregated(call, keyed)?;
        let merged = match arguments.incomplete {
            Incomplete::Merge => merge_incomplete(call, profiled, &by, &arguments, &self.profiled)?,
            Incomplete::Keep | Incomplete::Drop => profiled,
        };
        let chunks = describe(call, merged, &by, &arguments, &profiles)?;
        let chunks = match arguments.incomplete {
            Incomplete::Drop => LogicalPlanBuilder::from(chunks)
                .filter(column("complete"))?
                .build()?,
            Incomplete::Keep | Incomplete::Merge => chunks,
        };
        self.profiled.unpivot(chunks, &by)
    }

    /// Rows with `by` columns, roles and chunk key under names of their own.
    fn keyed(&self, call: &mut Call) -> Result<LogicalPlan> {
        let schema = self.input.schema().clone();
        let mut columns = Vec::new();
        for (name, sql) in self.by {
            columns.push(by_expr(call, name, sql, &schema)?);
        }
        let inputs = self.profiled.inputs();
        let named = inputs.iter().map(|(name, expr)| expr.clone().alias(name));
        columns.extend(named);
        let zone = &self.arguments.time_zone;
        let calendar = matches!(self.arguments.chunking, Chunking::Calendar(_));
        let time = match &self.timestamp {
            // first and last instants of other chunks must not lose the hour that a clock change repeats
            Some(time) if !calendar => TimeZone::utc("timestamp", time.clone(), &schema),
            Some(time) => zone.local("timestamp", time.clone(), &schema),
            None => Ok(lit(ScalarValue::TimestampMicrosecond(None, None))),
        };
        let time = time.map_err(|e| e.context(call.function().to_string()))?;
        let ordered = matches!(
            self.arguments.chunking,
            Chunking::Rows(_) | Chunking::Parts(_)
        );
        match &self.arguments.chunking {
            Chunking::Calendar(calendar) => columns.push(calendar.start_of(time).alias("__key")),
            Chunking::Expression(expression) => {
                columns.extend([expression.clone().alias("__key"), time.alias("__time")]);
            }
            Chunking::Rows(_) | Chunking::Parts(_) | Chunking::Dealt(_) => {
                columns.push(time.alias("__time"))
            }
        }
        if ordered {
            let orders = self.arguments.order_by.iter().enumerate();
            columns.extend(orders.map(|(i, order)| order.clone().alias(order_name(i))));
        }
        let plan = LogicalPlanBuilder::from(self.input.clone()).project(columns)?;
        let Some((number, key)) = self.numbering()? else {
            return plan.build();
        };
        let plan = plan.window(vec![number.alias("__number")])?;
        let named: Vec<Expr> = self.by.iter().map(|(name, _)| column(name)).collect();
        let kept = inputs.iter().map(|(name, _)| column(name));
        let kept = kept.chain([column("__time")]);
        plan.project(
            named
                .into_iter()
                .chain(kept)
                .chain([key.alias("__key")])
                .collect::<Vec<_>>(),
        )?
        .build()
    }

    /// For chunks that are counted: a window function, and the chunk's number from its result `__number`.
    fn numbering(&self) -> Result<Option<(Expr, Expr)>> {
        let by: Vec<Expr> = self.by.iter().map(|(name, _)| column(name)).collect();
        // ties are broken by all that a profile reads, so that tied rows are interchangeable
        let inputs = self.profiled.inputs();
        let ties = inputs.iter().map(|(name, _)| column(name));
        let ties = [column("__time")].into_iter().chain(ties);
        let orders = (0..self.arguments.order_by.len()).map(|i| column(&order_name(i)));
        let from_zero = cast(column("__number"), DataType::Int64) - lit(1i64);
        let (function, order, key): (Expr, Vec<Expr>, Expr) = match self.arguments.chunking {
            Chunking::Rows(n) => (
                row_number(),
                orders.chain(ties).collect(),
                from_zero / lit(n),
            ),
            Chunking::Parts(n) => (ntile(lit(n)), orders.chain(ties).collect(), from_zero),
            Chunking::Dealt(n) => (row_number(), ties.collect(), from_zero % lit(n)),
            Chunking::Calendar(_) | Chunking::Expression(_) => return Ok(None),
        };
        let sorted = order.into_iter().map(|e| e.sort(true, false)).collect();
        let number = function.partition_by(by).order_by(sorted).build()?;
        Ok(Some((number, key)))
    }

    /// One row for each `by` group and key.
    fn aggregated(&self, call: &mut Call, keyed: LogicalPlan) -> Result<LogicalPlan> {
        let group = self
            .by
            .iter()
            .map(|(name, _)| column(name))
            .chain([column("__key")]);
        let mut columns = self.profiled.aggregates(call, &self.bounds)?;
        columns.push(count(lit(1i64)).alias("row_count"));
        if !matches!(self.arguments.chunking, Chunking::Calendar(_)) {
            columns.push(min(column("__time")).alias("__first"));
            columns.push(max(column("__time")).alias("__last"));
        }
        LogicalPlanBuilder::from(keyed)
            .aggregate(group, columns)?
            .build()
    }
}

fn order_name(position: usize) -> String {
    format!("__order_{position}")
}

/// Adds chunks that are not full to the one before.
fn merge_incomplete(
    call: &mut Call,
    mut profiled: LogicalPlan,
    by: &[String],
    arguments: &ChunkArguments,
    of: &Profiled,
) -> Result<LogicalPlan> {
    let key = column("__key");
    let (moved, calendar) = match &arguments.chunking {
        Chunking::Calendar(calendar) => {
            // only a chunk that exists can take rows in: a group that has none before keeps its own
            let last = calendar.last_complete(arguments.as_of.clone());
            let complete = when(key.clone().lt_eq(last), key.clone()).end()?;
            let latest = WindowFunctionDefinition::AggregateUDF(max_udaf());
            let before = Expr::from(WindowFunction::new(latest, vec![complete]))
                .partition_by(by.iter().map(|name| column(name)).collect())
                .build()?
                .alias("__before");
            profiled = LogicalPlanBuilder::from(profiled)
                .window(vec![before])?
                .build()?;
            // least() leaves a NULL out, and a CASE without ELSE may be NULL for the logical and the physical
            // plan alike: about `CASE WHEN before IS NOT NULL THEN before ...` they disagree (DataFusion 55.2)
            let earlier = least(vec![key.clone(), column("__before")]);
            (when(key.is_not_null(), earlier).end()?, true)
        }
        Chunking::Rows(n) => {
            let short = column("row_count")
                .lt(lit(*n))
                .and(key.clone().gt(lit(0i64)));
            (when(short, key.clone() - lit(1i64)).otherwise(key)?, false)
        }
        Chunking::Parts(_) | Chunking::Dealt(_) | Chunking::Expression(_) => return Ok(profiled),
    };
    let mut columns: Vec<Expr> = by.iter().map(|name| column(name)).collect();
    columns.extend([moved.alias("__key"), column("row_count")]);
    let mut totals = vec![cast(sum(column("row_count")), DataType::Int64).alias("row_count")];
    for name in &of.names() {
        columns.push(column(name));
        totals.push(aggregate(call, of.merge(), vec![column(name)])?.alias(name));
    }
    if !calendar {
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

/// From the chunk key to the columns that results share.
fn describe(
    call: &mut Call,
    profiled: LogicalPlan,
    by: &[String],
    arguments: &ChunkArguments,
    profiles: &[String],
) -> Result<LogicalPlan> {
    let key = column("__key");
    let group = || by.iter().map(|name| column(name));
    let zone = &arguments.time_zone;
    let rows = column("row_count");
    let plan = LogicalPlanBuilder::from(profiled);
    let (plan, chunk, index, start, end, complete) = match &arguments.chunking {
        Chunking::Calendar(calendar) => {
            let end = calendar.end_of(key.clone());
            let complete = end.clone().lt_eq(arguments.as_of.clone());
            let text = calendar_chunk(call, *calendar, key.clone())?;
            let index = get_field(text.clone(), "chunk_index");
            (
                plan,
                get_field(text, "chunk"),
                index,
                zone.instant(key),
                zone.instant(end),
                complete,
            )
        }
        Chunking::Expression(_) => {
            let rank = dense_rank()
                .partition_by(group().collect::<Vec<_>>())
                .order_by(vec![key.clone().sort(true, false)])
                .build()?
                .alias("__rank");
            let plan = plan.window(vec![rank])?;
            let index = cast(column("__rank"), DataType::Int64) - lit(1i64);
            let (first, last) = (
                zone.of_utc(column("__first")),
                zone.of_utc(column("__last")),
            );
            (
                plan,
                cast(key, DataType::Utf8),
                index,
                first,
                last,
                lit(true),
            )
        }
        Chunking::Rows(_) | Chunking::Parts(_) | Chunking::Dealt(_) => {
            let complete = match &arguments.chunking {
                Chunking::Rows(n) => rows.clone().gt_eq(lit(*n)),
                _ => lit(true),
            };
            let (first, last) = (
                zone.of_utc(column("__first")),
                zone.of_utc(column("__last")),
            );
            (
                plan,
                cast(key.clone(), DataType::Utf8),
                key,
                first,
                last,
                complete,
            )
        }
    };
    let columns = [
        chunk.alias("chunk"),
        index.alias("chunk_index"),
        cast(start, zone.instant_type()).alias("chunk_start"),
        cast(end, zone.instant_type()).alias("chunk_end"),
        // a row without a timestamp is in no calendar chunk, so its chunk is never complete
        when(complete.clone().is_null(), lit(false))
            .otherwise(complete)?
            .alias("complete"),
        rows.alias("row_count"),
        // limits must know, also when the chunk comes from a store
        lit(matches!(arguments.chunking, Chunking::Dealt(_))).alias("dealt"),
    ];
    let profiles = profiles.iter().map(|name| column(name));
    plan.project(group().chain(columns).chain(profiles).collect::<Vec<_>>())?
        .build()
}

/// Number and text of a calendar chunk.
pub fn calendar_chunk(call: &Call, calendar: Calendar, start: Expr) -> Result<Expr> {
    let [months, days, micros] = match calendar.step() {
        Step::Months(n) => [n, 0, 0],
        Step::Days(n) => [0, n, 0],
        Step::Micros(n) => [0, 0, n],
    };
    let start = cast(start, TIMESTAMP);
    scalar(
        call,
        "calendar_chunk",
        vec![start, lit(months), lit(days), lit(micros)],
    )
}
