//! Performance on training, test and served rows.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::functions_nested::expr_fn::array_element;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlanBuilder, cast, lit, not, scalar_subquery, when,
};

use super::super::arguments::Call;
use super::super::estimate_performance::texts_of;
use super::super::problem::Problem;
use super::super::profiled::Profiled;
use super::super::roles::{Roles, column};
use super::super::session_functions::{over_everything, scalar};
use super::findings::Found;
use super::sides::Relation;
use super::summary::{Report, Task, rows_with};
use crate::kernel::skew::SkewCheck;

/// Bounds of intervals, which nothing here reads.
const CONFIDENCE: f64 = 0.95;

/// An aggregate over the rows of which a condition is true.
pub fn filtered(aggregate: Expr, condition: Option<Expr>) -> Result<Expr> {
    match condition {
        None => Ok(aggregate.unalias()),
        Some(condition) => aggregate.unalias().filter(condition).build(),
    }
}

/// Adds `overfit` and `deployment_drop`, where labels allow them.
pub fn add(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    if !task
        .asked
        .wants_any(&[SkewCheck::Overfit, SkewCheck::DeploymentDrop])
    {
        return Ok(());
    }
    overfit(call, task, report)?;
    deployment_drop(call, task, report)
}

/// The metric that both relations allow, where larger is better.
fn metric(problem: Problem, relations: [&Relation; 2]) -> Option<&'static str> {
    let all = |of: fn(&Roles) -> bool| relations.iter().all(|relation| of(&relation.roles));
    match problem {
        Problem::Binary if all(|roles| roles.score.is_some()) => Some("roc_auc"),
        Problem::Binary => all(|roles| roles.prediction.is_some()).then_some("accuracy"),
        Problem::Regression => all(|roles| roles.prediction.is_some()).then_some("r2"),
        Problem::Multiclass if all(|roles| roles.by_class.classes.is_empty()) => None,
        Problem::Multiclass if all(|roles| roles.prediction.is_some()) => Some("accuracy"),
        Problem::Multiclass => all(|roles| !roles.by_class.scores.is_empty()).then_some("roc_auc"),
    }
}

/// What profiles of the rows of a relation are made of.
fn profiled(problem: Problem, roles: &Roles) -> Profiled {
    let roles = Box::new(roles.clone());
    match problem {
        Problem::Binary => Profiled::Scores(roles),
        Problem::Multiclass => Profiled::Classes(roles),
        Problem::Regression => Profiled::Regression(roles),
    }
}

/// Profile of the model on the rows of a relation.
fn profile(
    call: &mut Call,
    task: &Task,
    report: &mut Report,
    (side, name): (usize, &str),
    condition: Option<Expr>,
) -> Result<Expr> {
    let Some(relation) = task.sides.all.get(side) else {
        return Ok(lit(ScalarValue::Null));
    };
    let profiled = profiled(task.sides.problem, &relation.roles);
    for (name, expr) in profiled.inputs() {
        report.input(side, &name, expr);
    }
    let profiles = profiled.aggregates(call, report.bounds())?.into_iter();
    let Some(profile) = profiles.take(1).next() else {
        return Ok(lit(ScalarValue::Null));
    };
    Ok(report.aggregate(side, name, filtered(profile, condition)?))
}

/// Value and sampling error of the only element of a list of readings.
fn value_and_error(readings: &Expr) -> [Expr; 2] {
    ["value", "sampling_error"].map(|name| {
        let first = array_element(readings.clone(), lit(1i64));
        get_field(first, name)
    })
}

/// Value and sampling error of a metric, as labels say.
fn realized(call: &Call, profile: &Expr, metric: &str) -> Result<[Expr; 2]> {
    let arguments = vec![
        profile.clone(),
        texts_of(&[metric]),
        lit(ScalarValue::Null),
        lit(CONFIDENCE),
    ];
    Ok(value_and_error(&scalar(
        call,
        "evaluate_realized",
        arguments,
    )?))
}

fn overfit(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let check = SkewCheck::Overfit;
    let sides = task.sides;
    let (Some(training), Some((position, test))) = (sides.all.first(), test_of(task)) else {
        return report
            .rows
            .not_run(check, task.asked, "The relation test is not given.");
    };
    if training.roles.label.is_none() || test.roles.label.is_none() {
        return report
            .rows
            .not_run(check, task.asked, "Training or test has no labels.");
    }
    let Some(metric) = metric(sides.problem, [training, test]) else {
        return report.rows.not_run(check, task.asked, WITHOUT_OUTPUT);
    };
    let mut arguments = vec![lit(check.name()), lit(metric)];
    for side in [0, position] {
        let profile = profile(call, task, report, (side, "model"), None)?;
        arguments.extend(realized(call, &profile, metric)?);
    }
    let unknown = || lit(ScalarValue::Float64(None));
    arguments.extend([unknown(), unknown(), lit(false), task.asked.min_effect()]);
    let readings = scalar(call, "performance_gap", arguments)?;
    report.found.push(Found::of_rows(readings));
    Ok(())
}

const WITHOUT_OUTPUT: &str = "The model's output is not known on both sides: there is no score and no prediction (of several classes, \
                              no scores by class and no classes).";

const WITHOUT_LABELS: &str =
    "Serving has no labels, and only the ROC AUC of two classes is estimated without.";

fn test_of<'a>(task: &Task<'a>) -> Option<(usize, &'a Relation)> {
    Some((task.sides.position("test")?, task.sides.of("test")?))
}

fn deployment_drop(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let check = SkewCheck::DeploymentDrop;
    let sides = task.sides;
    let both = test_of(task).zip(sides.of("serving").zip(sides.position("serving")));
    let Some(((test, of_test), (of_serving, serving))) = both else {
        return report.rows.not_run(
            check,
            task.asked,
            "The relation test or serving is not given.",
        );
    };
    let (metric, can_estimate) = match metric_of_drop(sides.problem, of_test, of_serving) {
        Ok(metric) => metric,
        Err(why) => return report.rows.not_run(check, task.asked, why),
    };
    let tested = profile(call, task, report, (test, "model"), None)?;
    let parts = served(call, task, report, (serving, of_serving))?;
    let fit = match can_estimate {
        true => Some(fit(call, report, &tested)?),
        false => None,
    };
    let mut arguments = vec![lit(check.name()), lit(metric)];
    arguments.extend(realized(call, &tested, metric)?);
    let (values, estimated) = values_of(call, &parts, fit.as_ref(), metric)?;
    arguments.extend(values);
    // without times there are no later rows
    arguments.resize(8, lit(ScalarValue::Float64(None)));
    let rate = lit(task.asked.false_alarm_rate);
    arguments.extend([estimated, task.asked.min_effect(), rate]);
    let readings = scalar(call, "performance_gap", arguments)?;
    report.found.push(Found::of_rows(readings));
    Ok(())
}

/// The metric of test and served rows, and whether it is estimated where those have no labels; or why there is none.
fn metric_of_drop(
    problem: Problem,
    test: &Relation,
    serving: &Relation,
) -> Result<(&'static str, bool), &'static str> {
    if test.roles.label.is_none() {
        return Err("Test has no labels.");
    }
    let metric = metric(problem, [test, serving]).ok_or(WITHOUT_OUTPUT)?;
    let can_estimate = metric == "roc_auc" && problem == Problem::Binary;
    match serving.roles.label.is_some() || can_estimate {
        true => Ok((metric, can_estimate)),
        false => Err(WITHOUT_LABELS),
    }
}

/// Value and sampling error on each part of the served rows, by labels or else estimated, and whether the first is estimated.
fn values_of(
    call: &Call,
    parts: &[Expr],
    fit: Option<&Expr>,
    metric: &str,
) -> Result<(Vec<Expr>, Expr)> {
    let (mut arguments, mut estimated) = (vec![], lit(false));
    for (i, part) in parts.iter().enumerate() {
        let [value, error] = realized(call, part, metric)?;
        let Some(fit) = fit else {
            arguments.extend([value, error]);
            continue;
        };
        let [estimate, its_error] = estimate(call, part, fit, metric)?;
        let unknown = value.clone().is_null();
        if i == 0 {
            estimated = unknown.clone();
        }
        arguments.push(coalesce(vec![value, estimate]));
        arguments.push(when(unknown, its_error).otherwise(error)?);
    }
    Ok((arguments, estimated))
}

/// Profiles of the first and of the later served rows, or of all where rows have no time.
fn served(
    call: &mut Call,
    task: &Task,
    report: &mut Report,
    (serving, relation): (usize, &Relation),
) -> Result<Vec<Expr>> {
    let Some(is_first) = is_first(task, relation)? else {
        return Ok(vec![profile(call, task, report, (serving, "model"), None)?]);
    };
    let is_first = report.input(serving, "__first", is_first);
    let later = not(is_first.clone());
    Ok(vec![
        profile(call, task, report, (serving, "model_first"), Some(is_first))?,
        profile(call, task, report, (serving, "model_later"), Some(later))?,
    ])
}

/// What test rows teach of the scores.
fn fit(call: &Call, report: &mut Report, tested: &Expr) -> Result<Expr> {
    let arguments = vec![tested.clone(), lit(0i64), lit(true), lit("auto")];
    let fit = over_everything(call, "fit_reference", arguments, &[])?;
    Ok(report.window("__fit", fit))
}

/// Value and sampling error of a metric without labels, by the calibrator of test rows.
fn estimate(call: &Call, profile: &Expr, fit: &Expr, metric: &str) -> Result<[Expr; 2]> {
    let arguments = vec![
        profile.clone(),
        fit.clone(),
        lit(0i64),
        lit(false),
        texts_of(&[metric]),
        lit(ScalarValue::Null),
        lit(CONFIDENCE),
    ];
    Ok(value_and_error(&scalar(
        call,
        "evaluate_performance",
        arguments,
    )?))
}

/// Whether a served row is of the first part of the time span of serving; `None` where rows have no time.
fn is_first(task: &Task, serving: &Relation) -> Result<Option<Expr>> {
    let Some(time) = serving.time.clone() else {
        return Ok(None);
    };
    let whole = |time: Expr| cast(time, DataType::Int64);
    let rows = rows_with(
        &serving.side.input,
        vec![whole(time.clone()).alias("__time")],
    )?;
    let ends = [
        min(column("__time")).alias("__from"),
        max(column("__time")).alias("__until"),
    ];
    let number = |name: &str| cast(column(name), DataType::Float64);
    let span = (number("__until") - number("__from")) * lit(task.asked.first_share);
    let end = column("__from") + cast(span, DataType::Int64);
    let plan = LogicalPlanBuilder::from(rows)
        .aggregate(Vec::<Expr>::new(), ends)?
        .project(vec![end.alias("__end")])?
        .build()?;
    Ok(Some(whole(time).lt_eq(scalar_subquery(Arc::new(plan)))))
}
