//! Columns of training that tell its labels too well.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit, not, scalar_subquery, when};

use super::super::arguments::Call;
use super::super::columns::ColumnKind;
use super::super::problem::Problem;
use super::super::roles::{Kind, column};
use super::super::session_functions::{aggregate, scalar};
use super::columns::record;
use super::findings::Found;
use super::sides::{Relation, type_of};
use super::summary::{Report, Task, rows_with};
use crate::kernel::skew::SkewCheck;

/// Adds `target_leakage` of every column of training.
pub fn add(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let check = SkewCheck::TargetLeakage;
    let training = task.sides.all.first();
    let Some((training, label)) = training.and_then(|of| Some((of, of.roles.label.clone()?)))
    else {
        return report
            .rows
            .not_run(check, task.asked, "Training has no labels.");
    };
    if !task.asked.wants(check) {
        return Ok(());
    }
    let positive = positive(call, task.sides.problem, training, label)?;
    let positive = report.input(0, "__positive", positive);
    let half = half(call, task)?;
    for (i, feature) in task.columns.iter().enumerate() {
        let of_training = feature.sides.first();
        let Some(value) = of_training.and_then(|of| of.profiled.clone()) else {
            continue;
        };
        let x = report.input(0, &format!("__x_{i}"), value);
        let mut arguments = vec![lit(check.name())];
        if feature.kind == ColumnKind::Continuous {
            let unknown = lit(ScalarValue::Boolean(None));
            let inputs = vec![positive.clone(), unknown, x];
            let name = format!("leakage_{i}");
            arguments.push(report.profile(call, (0, &name), "score_profile", inputs)?);
            arguments.extend([(); 3].map(|()| lit(ScalarValue::Null)));
        } else {
            let half = report.input(0, "__half", half.clone());
            arguments.extend(by_class(call, report, i, [&x, &positive, &half])?);
        }
        arguments.push(task.asked.min_effect());
        let readings = scalar(call, "ranking_skew", arguments)?;
        report.found.push(Found::of(&feature.name, readings));
    }
    Ok(())
}

/// Profiles of a column of categories by class, first those from which the order is learnt, then those that it is judged by.
fn by_class(
    call: &Call,
    report: &mut Report,
    i: usize,
    [x, positive, half]: [&Expr; 3],
) -> Result<Vec<Expr>> {
    let mut profiles = vec![];
    for (part, learnt) in [("learnt", half.clone()), ("judged", not(half.clone()))] {
        for (class, is_class) in [
            ("positive", positive.clone()),
            ("negative", not(positive.clone())),
        ] {
            let name = format!("{part}_{class}_{i}");
            let bounds = report.bounds();
            let bounds = [
                lit(bounds.max_bins as i64),
                lit(i64::from(bounds.min_level)),
            ];
            let arguments = [x.clone()].into_iter().chain(bounds).collect();
            let profile = aggregate(call, "category_profile", arguments)?;
            let of_class = is_class.and(learnt.clone());
            let profile = super::performance::filtered(profile, Some(of_class))?;
            profiles.push(report.aggregate(0, &name, profile));
        }
    }
    Ok(profiles)
}

/// Whether a row belongs to the half from which the order of categories is learnt: by its hash, so that it does not depend on the
/// order of rows, and equal rows stay together.
fn half(call: &Call, task: &Task) -> Result<Expr> {
    let values = task.columns.iter().filter_map(|feature| {
        let [value, _] = feature.comparable(0, 0)?;
        Some((feature.name.as_str(), value))
    });
    let values: Vec<(&str, Expr)> = values.collect();
    if values.is_empty() {
        return Ok(lit(true));
    }
    let hash = scalar(call, "row_hash", vec![record(values)])?;
    Ok((hash % lit(2i64)).eq(lit(0i64)))
}

/// Whether a label is positive: of several classes, the last in order against all others; of numbers, one above the median.
fn positive(call: &Call, problem: Problem, training: &Relation, label: Expr) -> Result<Expr> {
    let found = type_of(&label, &training.side)?;
    let whole = |found: Expr| -> Result<Expr> {
        let rows = rows_with(&training.side.input, vec![label.clone().alias("__label")])?;
        let plan = LogicalPlanBuilder::from(rows)
            .aggregate(Vec::<Expr>::new(), vec![found.alias("__found")])?;
        let plan = match problem {
            Problem::Regression => {
                let median = scalar(call, "quantile", vec![column("__found"), lit(0.5)])?;
                plan.project(vec![median.alias("__found")])?
            }
            _ => plan,
        };
        Ok(scalar_subquery(Arc::new(plan.build()?)))
    };
    let label_column = column("__label");
    Ok(match problem {
        Problem::Regression => {
            let profile = aggregate(call, "value_profile", vec![label_column])?;
            label.clone().gt(whole(profile)?)
        }
        Problem::Multiclass => label.clone().eq(whole(max(label_column))?),
        Problem::Binary if Kind::of(&found) == Kind::Boolean => label,
        Problem::Binary => {
            let number = cast(label, DataType::Float64);
            when(number.clone().is_not_null(), number.eq(lit(1.0))).end()?
        }
    })
}
