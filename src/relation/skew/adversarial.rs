//! Can trees tell served rows from training rows?
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, scalar_subquery};

use super::super::arguments::Call;
use super::super::columns::ColumnKind;
use super::super::roles::column;
use super::super::session_functions::{aggregate, scalar};
use super::columns::record;
use super::findings::Found;
use super::handling::WITHOUT_SERVING;
use super::performance::filtered;
use super::summary::{Report, Task, rows_with};
use crate::kernel::skew::SkewCheck;

/// Small trees on few rows: what they are to see is coarse, and the other half of the rows judges them.
const OPTIONS: [(&str, f64); 3] = [("trees", 25.0), ("leaves", 15.0), ("max_rows", 20_000.0)];

/// Adds `adversarial_validation`: trees are fitted on the rows of one half of the hashes, and judged by the other.
pub fn add(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let check = SkewCheck::AdversarialValidation;
    let serving = task.sides.of("serving").zip(task.sides.position("serving"));
    let (Some(training), Some((serving, position))) = (task.sides.all.first(), serving) else {
        return report.rows.not_run(check, task.asked, WITHOUT_SERVING);
    };
    let features: Vec<(&str, [Expr; 2])> = task
        .columns
        .iter()
        .filter(|feature| feature.kind != ColumnKind::Presence)
        .filter_map(|feature| Some((feature.name.as_str(), feature.comparable(0, position)?)))
        .collect();
    if features.is_empty() {
        return report.rows.not_run(
            check,
            task.asked,
            "The relations share no column of numbers or categories.",
        );
    }
    if !task.asked.wants(check) {
        return Ok(());
    }
    let rows = halved(call, [&training.side.input, &serving.side.input], &features)?;
    let plan = judged(call, rows)?;
    let arguments = [lit(check.name()), column("__profile")].into_iter();
    let unused = (0..3).map(|_| lit(ScalarValue::Null));
    let arguments = arguments.chain(unused).chain([task.asked.min_effect()]);
    let readings = scalar(call, "ranking_skew", arguments.collect())?;
    report.rows.add(plan, vec![Found::of_rows(readings)])
}

/// The rows of both relations as records, each with the one that it is of and whether trees are fitted on it.
fn halved(
    call: &Call,
    inputs: [&LogicalPlan; 2],
    features: &[(&str, [Expr; 2])],
) -> Result<LogicalPlan> {
    let side = |input: &LogicalPlan, of: usize| -> Result<LogicalPlan> {
        let values = features.iter();
        let values = values.filter_map(|(name, both)| Some((*name, both.get(of)?.clone())));
        let inputs = vec![
            record(values).alias("__record"),
            lit(of == 1).alias("__served"),
        ];
        rows_with(input, inputs)
    };
    let [training, serving] = inputs;
    let hash = scalar(call, "row_hash", vec![column("__record")])?;
    let fitted = (hash % lit(2i64)).eq(lit(0i64)).alias("__fitted");
    LogicalPlanBuilder::from(side(training, 0)?)
        .union(side(serving, 1)?)?
        .project(vec![column("__record"), column("__served"), fitted])?
        .build()
}

/// The scores that trees of one half give to the other, as a profile.
fn judged(call: &Call, rows: LogicalPlan) -> Result<LogicalPlan> {
    let options = OPTIONS
        .iter()
        .flat_map(|(name, value)| [lit(*name), lit(*value)]);
    let arguments = vec![
        cast(column("__served"), DataType::Int64),
        column("__record"),
        lit(ScalarValue::Float64(None)),
        lit("logistic"),
        named_struct(options.collect()),
    ];
    let fit = filtered(
        aggregate(call, "fit_gbdt", arguments)?,
        Some(column("__fitted")),
    )?;
    let fit = LogicalPlanBuilder::from(rows.clone())
        .aggregate(Vec::<Expr>::new(), vec![fit.alias("__model")])?
        .build()?;
    let model = scalar_subquery(Arc::new(fit));
    let score = scalar(call, "predict_gbdt", vec![model, column("__record")])?;
    let unknown = lit(ScalarValue::Boolean(None));
    let profile = aggregate(
        call,
        "score_profile",
        vec![column("__served"), unknown, column("__score")],
    )?;
    LogicalPlanBuilder::from(rows)
        .filter(datafusion::logical_expr::not(column("__fitted")))?
        .project(vec![column("__served"), score.alias("__score")])?
        .aggregate(Vec::<Expr>::new(), vec![profile.alias("__profile")])?
        .build()
}
