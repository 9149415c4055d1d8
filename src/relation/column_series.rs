//! What the functions that look at columns one by one have in common: profiles of both sides, metrics, a row for each
//! metric of each column and chunk.
use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{JoinType, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{coalesce, get_field, named_struct};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::{by_columns, comparable_groups};
use super::columns::{ColumnKind, ProfiledColumn, Unsupported, profiled_columns};
use super::estimate_performance::{confidence_level, union};
use super::problem::named_metrics;
use super::profiles::{column_chunk_columns, column_profiles};
use super::result::shared_shape;
use super::roles::column;
use super::season::refuse_season;
use super::session_functions::{is_reference, over_partition};
use super::side::Side;
use super::threshold_arguments::{direction, thresholds};
use crate::functions::COLUMN_FIELDS;
use crate::kernel::column::ColumnMetric;

/// The two relations of a call and their columns.
pub struct ColumnSides {
    by: Vec<(String, SqlExpr)>,
    reference: Side,
    analysis: Side,
    /// Of the relations that hold rows.
    columns: [Vec<ProfiledColumn>; 2],
}

impl ColumnSides {
    /// Reads `reference`, `analysis`, `by` and the arguments that choose columns.
    pub fn read(call: &mut Call, unsupported: Unsupported) -> Result<Self> {
        let by = by_columns(call)?;
        let (reference, analysis) = Side::reference_and_analysis(call)?;
        let columns = profiled_columns(call, &[&reference, &analysis], &by, unsupported)?;
        Ok(Self {
            by,
            reference,
            analysis,
            columns: <[Vec<ProfiledColumn>; 2]>::try_from(columns).unwrap_or_default(),
        })
    }

    /// Names of the `by` columns.
    pub fn by(&self) -> Vec<String> {
        self.by.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The metrics that are asked for; an error for one that applies to no column.
    pub fn metrics<M: ColumnMetric>(&self, call: &mut Call, default: &[M]) -> Result<Vec<M>> {
        let function = call.function();
        let Some(_) = call.sql("metrics") else {
            return Ok(default.to_vec());
        };
        let all = M::all();
        let metrics = named_metrics(call, default, &all)?;
        if metrics == all {
            return Ok(all);
        }
        for &metric in &metrics {
            self.require_a_column(function, metric)?;
        }
        Ok(metrics)
    }

    fn require_a_column<M: ColumnMetric>(&self, function: &str, metric: M) -> Result<()> {
        // stored profiles do not tell their columns before they are read
        let stored = self.columns.iter().any(Vec::is_empty);
        let all = self.columns.iter().flatten();
        let mut known = all.filter(|column| column.expr.is_some());
        let applies = |kind: ColumnKind| match kind {
            ColumnKind::Continuous => metric.applies_to_continuous(),
            ColumnKind::Categorical => metric.applies_to_categorical(),
            ColumnKind::Presence => metric.applies_to_presence(),
        };
        if stored || known.any(|column| applies(column.kind)) {
            return Ok(());
        }
        let (kind, argument) = match metric.applies_to_continuous() {
            true => ("numbers", "treat_as_continuous"),
            false => ("categories", "treat_as_categorical"),
        };
        plan_err!(
            "{function}: metric {metric} applies to no column. Expected a column of {kind}. Hint: {argument} => <column>"
        )
    }

    /// The profiles of both sides under one another, a row for each chunk and column.
    pub fn chunks(self, call: &mut Call) -> Result<LogicalPlanBuilder> {
        let names = self.by();
        let [of_reference, of_analysis] = self.columns;
        // without rows it is not known which groups there should be
        let known = match self.by.is_empty() && !self.analysis.is_stored() {
            true => of_analysis
                .iter()
                .map(|c| (c.name.clone(), c.status))
                .collect(),
            false => vec![],
        };
        let reference = column_profiles(call, self.reference, &self.by, of_reference)?;
        let analysis = column_profiles(call, self.analysis, &self.by, of_analysis)?;
        let analysis = match known.is_empty() {
            true => analysis,
            false => each_at_least_once(analysis, &known)?,
        };
        let sides = [
            ("reference", reference.schema().as_ref()),
            ("analysis", analysis.schema().as_ref()),
        ];
        comparable_groups(call, sides, &names)?;
        union(reference, analysis, &names, &column_chunk_columns())
    }
}

/// The chunks of columns and, for a column of a relation without rows, one chunk of none: a report on an empty table says
/// so by a status instead of looking healthy.
fn each_at_least_once(
    chunks: LogicalPlan,
    known: &[(String, Option<&'static str>)],
) -> Result<LogicalPlan> {
    let names = known.iter().map(|(name, status)| {
        named_struct(vec![
            lit("name"),
            lit(name.as_str()),
            lit("status"),
            lit(status.unwrap_or("ok")),
        ])
    });
    let of_known = |name: &str| get_field(column("__known"), name);
    let columns = column_chunk_columns().into_iter().map(|name| match name {
        "column_name" => column("__name").alias(name),
        "column_status" => coalesce(vec![column(name), column("__status")]).alias(name),
        "row_count" => coalesce(vec![column(name), lit(0i64)]).alias(name),
        "complete" | "dealt" => coalesce(vec![column(name), lit(false)]).alias(name),
        _ => column(name),
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::empty(true)
        .project(vec![make_array(names.collect()).alias("__known")])?
        .unnest_column("__known")?
        .project(vec![
            of_known("name").alias("__name"),
            of_known("status").alias("__status"),
        ])?
        .join_on(
            chunks,
            JoinType::Left,
            [column("__name").eq(column("column_name"))],
        )?
        .project(columns)?
        .build()
}

/// The names of metrics as a literal list.
pub fn names_of<M: ColumnMetric>(metrics: &[M]) -> Expr {
    let names: Vec<ScalarValue> = metrics
        .iter()
        .map(|m| ScalarValue::from(m.name()))
        .collect();
    let names = ScalarValue::new_list_nullable(&names, &DataType::Utf8);
    lit(ScalarValue::List(names))
}

/// One row for each metric (or bin) of each chunk of each column, as the window function `name` reads the chunks of a column:
/// it returns lists of structs with `fields`. `arguments` are those after the five that all such functions have.
pub fn evaluate(
    call: &Call,
    chunks: LogicalPlanBuilder,
    by: &[String],
    (name, fields): (&str, &Fields),
    arguments: Vec<Expr>,
) -> Result<LogicalPlanBuilder> {
    let shared = [
        column("profile"),
        column("column_status"),
        column("chunk_index"),
        is_reference(),
        column("dealt"),
    ];
    let arguments = shared.into_iter().chain(arguments).collect();
    let mut partition: Vec<&str> = by.iter().map(String::as_str).collect();
    partition.push("column_name");
    let order = ["dataset", "chunk_index"];
    let readings = over_partition(call, name, arguments, &partition, &order)?.alias("__reading");
    let inside = ["profile", "column_status"];
    let kept = column_chunk_columns()
        .into_iter()
        .filter(|name| !inside.contains(name));
    let kept: Vec<Expr> = by
        .iter()
        .map(|name| column(name))
        .chain([column("dataset")])
        .chain(kept.map(column))
        .collect();
    let unnested = chunks
        .window(vec![readings])?
        .project(
            kept.iter()
                .cloned()
                .chain([column("__reading")])
                .collect::<Vec<_>>(),
        )?
        .unnest_column("__reading")?;
    let fields = fields
        .iter()
        .map(|field| get_field(column("__reading"), field.name().as_str()).alias(field.name()));
    unnested.project(kept.iter().cloned().chain(fields).collect::<Vec<_>>())
}

/// The plan with one more column.
pub fn with(plan: LogicalPlanBuilder, more: Expr) -> Result<LogicalPlanBuilder> {
    let kept = plan.schema().columns().into_iter().map(Expr::Column);
    let all: Vec<Expr> = kept.chain([more]).collect();
    plan.project(all)
}

/// The plan with limits as [`shared_shape`] reads them.
pub fn with_limits(
    plan: LogicalPlanBuilder,
    lower: Expr,
    upper: Expr,
) -> Result<LogicalPlanBuilder> {
    let limits = named_struct(vec![
        lit("lower_threshold"),
        lower,
        lit("upper_threshold"),
        upper,
        lit("status"),
        lit("ok"),
    ]);
    with(plan, limits.alias("__limits"))
}

/// The plan of a function whose window function judges every chunk itself: metrics, thresholds, direction and
/// confidence level are its arguments.
pub fn judged_columns<M: ColumnMetric>(
    call: &mut Call,
    unsupported: Unsupported,
    window: &str,
) -> Result<LogicalPlan> {
    let columns = ColumnSides::read(call, unsupported)?;
    let metrics = columns.metrics(call, &M::all())?;
    refuse_season(call)?;
    let thresholds = thresholds(call, &metrics)?;
    let arguments = vec![
        names_of(&metrics),
        lit(thresholds.to_string()),
        lit(direction(call)?),
        lit(confidence_level(call)?),
    ];
    let by = columns.by();
    let chunks = columns.chunks(call)?;
    let evaluated = evaluate(call, chunks, &by, (window, &COLUMN_FIELDS), arguments)?;
    let (lower, upper) = (column("lower_threshold"), column("upper_threshold"));
    let judged = with_limits(evaluated, lower, upper)?;
    let function = call.function();
    shared_shape(call, judged, &by)?.alias(function)?.build()
}
