//! Rows of a relation become chunk profiles, in one ordinary aggregate.
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::functions_window::expr_fn::{dense_rank, ntile, row_number};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, when,
};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::by_exprs_and;
use super::chunk_arguments::ChunkArguments;
use super::incomplete::{merge_chunks, move_rows};
use super::profiled::{Bounds, Profiled};
use super::roles::column;
use super::session_functions::scalar;
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
        let merges = arguments.incomplete == Incomplete::Merge;
        let merge = self.profiled.merge();
        let mut keyed = self.profiled.fitted(self.keyed(call)?, &by)?;
        if merges && merge.is_none() {
            keyed = move_rows(call, keyed, &by, &arguments)?;
        }
        let profiled = self.aggregated(call, keyed.clone())?;
        let mut keys = by.clone();
        keys.push("__key".into());
        let profiled = self.profiled.told_by_rows(call, &keyed, profiled, &keys)?;
        let merged = match merge {
            Some(merge) if merges => {
                merge_chunks(call, profiled, &by, &arguments, (merge, &profiles))?
            }
            _ => profiled,
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
        let inputs = self.profiled.inputs();
        let mut columns = by_exprs_and(call, self.by, &schema, inputs.clone())?;
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
            Chunking::Calendar(calendar) => {
                let time = finest(time, &schema)?;
                columns.push(calendar_start(call, *calendar, time)?.alias("__key"));
            }
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
    of_calendar(call, "calendar_chunk", calendar, cast(start, TIMESTAMP))
}

/// A time in nanoseconds as it is: to make microseconds of it is a division for each row.
fn finest(time: Expr, schema: &DFSchema) -> Result<Expr> {
    let Expr::Cast(cast) = &time else {
        return Ok(time);
    };
    match cast.expr.get_type(schema)? {
        DataType::Timestamp(TimeUnit::Nanosecond, None) => Ok((*cast.expr).clone()),
        _ => Ok(time),
    }
}

/// The start of the calendar chunk that holds a wall-clock time.
pub fn calendar_start(call: &Call, calendar: Calendar, time: Expr) -> Result<Expr> {
    of_calendar(call, "calendar_start", calendar, time)
}

/// The start of the last calendar chunk that ends no later than `as_of`.
pub fn last_complete(call: &Call, calendar: Calendar, as_of: Expr) -> Result<Expr> {
    let instant = IntervalMonthDayNano::new(0, 0, 1000);
    let instant = lit(ScalarValue::IntervalMonthDayNano(Some(instant)));
    let start = calendar_start(call, calendar, as_of)?;
    calendar_start(call, calendar, start - instant)
}

fn of_calendar(call: &Call, function: &str, calendar: Calendar, time: Expr) -> Result<Expr> {
    let [months, days, micros] = match calendar.step() {
        Step::Months(n) => [n, 0, 0],
        Step::Days(n) => [0, n, 0],
        Step::Micros(n) => [0, 0, n],
    };
    scalar(
        call,
        function,
        vec![time, lit(months), lit(days), lit(micros)],
    )
}
