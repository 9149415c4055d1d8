//! Test rows that are training rows.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, not, when};

use super::super::arguments::Call;
use super::super::roles::column;
use super::super::session_functions::scalar;
use super::columns::record;
use super::findings::Found;
use super::sides::Relation;
use super::summary::{Report, Task, rows_with};
use crate::kernel::skew::SkewCheck;

/// Adds `row_overlap`: rows are equal where all columns that both relations have, label and time included, are.
pub fn add(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let check = SkewCheck::RowOverlap;
    let test = task.sides.position("test").zip(task.sides.of("test"));
    let (Some(training), Some((position, test))) = (task.sides.all.first(), test) else {
        return report
            .rows
            .not_run(check, task.asked, "The relation test is not given.");
    };
    let shared: Vec<(&str, [Expr; 2])> = shared(task, (training, test), position);
    if shared.is_empty() {
        return report.rows.not_run(
            check,
            task.asked,
            "Training and test share no column that can be compared.",
        );
    }
    if !task.asked.wants(check) {
        return Ok(());
    }
    let side = |relation: &Relation, of: usize| -> Result<LogicalPlan> {
        let values = shared.iter();
        let values = values.filter_map(|(name, both)| Some((*name, both.get(of)?.clone())));
        let hash = scalar(call, "row_hash", vec![record(values)])?;
        let inputs = vec![hash.alias("__row"), lit(of == 1).alias("__of_test")];
        rows_with(&relation.side.input, inputs)
    };
    let plan = counted(side(training, 0)?, side(test, 1)?)?;
    let counts = ["__shared", "__tested", "__twice", "__trained"].map(column);
    let arguments = [lit(check.name())].into_iter().chain(counts);
    let arguments = arguments
        .chain([lit(""), task.asked.min_effect()])
        .collect();
    let readings = scalar(call, "share_skew", arguments)?;
    report.rows.add(plan, vec![Found::of_rows(readings)])
}

/// Test rows that stand in training, training rows that stand there twice, and all of both.
fn counted(training: LogicalPlan, test: LogicalPlan) -> Result<LogicalPlan> {
    let of_test = column("__of_test");
    let count_of =
        |condition: Expr| -> Result<Expr> { Ok(count(when(condition, lit(1i64)).end()?)) };
    let groups = vec![
        count_of(of_test.clone())?.alias("__test"),
        count_of(not(of_test))?.alias("__training"),
    ];
    let (tested, trained) = (column("__test"), column("__training"));
    let of = |rows: &Expr, more: i64| -> Result<Expr> {
        let known = trained.clone().gt(lit(more));
        Ok(sum(when(known, rows.clone()).end()?))
    };
    let totals = vec![
        of(&tested, 0)?.alias("__shared"),
        sum(tested.clone()).alias("__tested"),
        of(&trained, 1)?.alias("__twice"),
        sum(trained.clone()).alias("__trained"),
    ];
    LogicalPlanBuilder::from(training)
        .union(test)?
        .aggregate(vec![column("__row")], groups)?
        .aggregate(Vec::<Expr>::new(), totals)?
        .build()
}

/// The values that are compared, of training and of test.
fn shared<'a>(
    task: &Task<'a>,
    (training, test): (&Relation, &Relation),
    position: usize,
) -> Vec<(&'a str, [Expr; 2])> {
    let features = task.columns.iter();
    let features = features.filter_map(|feature| {
        let both = feature.comparable(0, position)?;
        Some((feature.name.as_str(), both))
    });
    let text = |expr: &Option<Expr>| expr.clone().map(|expr| cast(expr, DataType::Utf8));
    let both = |name, a: &Option<Expr>, b: &Option<Expr>| Some((name, [text(a)?, text(b)?]));
    let mut shared: Vec<(&str, [Expr; 2])> = features.collect();
    if !shared.is_empty() {
        shared.extend(both("__label", &training.roles.label, &test.roles.label));
        shared.extend(both("__time", &training.time, &test.time));
    }
    shared
}
