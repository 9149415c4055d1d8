//! How columns are handled on two sides: from one profile of each column on each side.
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};

use super::super::arguments::Call;
use super::super::session_functions::scalar;
use super::columns::SkewColumn;
use super::findings::Found;
use super::summary::{Report, Task};
use crate::kernel::skew::SkewCheck;

/// Checks that are read off the profiles of a column.
const OF_PROFILES: [SkewCheck; 7] = [
    SkewCheck::NullRate,
    SkewCheck::DefaultValue,
    SkewCheck::ConstantColumn,
    SkewCheck::UnitScale,
    SkewCheck::Rounding,
    SkewCheck::CategoryFormat,
    SkewCheck::UnseenCategory,
];

/// Why columns are not compared where there is nothing that is served.
pub const WITHOUT_SERVING: &str = "The relation serving is not given.";

/// Adds the checks of every column that training and serving can profile.
pub fn add(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let Some(compared) = task.sides.position("serving") else {
        let of_types = [SkewCheck::MissingColumn, SkewCheck::ColumnType];
        let mut all = of_types.into_iter().chain(OF_PROFILES);
        return all.try_for_each(|check| report.rows.not_run(check, task.asked, WITHOUT_SERVING));
    };
    schema(call, task, report, compared)?;
    if !task.asked.wants_any(&OF_PROFILES) {
        return Ok(());
    }
    for (i, feature) in task.columns.iter().enumerate() {
        let Some(both) = feature.profiled(0, compared) else {
            continue;
        };
        let mut profiles = vec![];
        for (side, value) in [0, compared].into_iter().zip(both) {
            let x = report.input(side, &format!("__x_{i}"), value);
            let name = format!("profile_{i}");
            let function = feature.kind.aggregate();
            profiles.push(report.profile(call, (side, &name), function, vec![x])?);
        }
        profiles.extend(decimals(call, task, report, (i, feature, compared))?);
        let arguments = profiles
            .into_iter()
            .chain([task.asked.min_effect()])
            .collect();
        let readings = scalar(call, "compare_columns", arguments)?;
        report.found.push(Found::of(&feature.name, readings));
    }
    Ok(())
}

/// Profiles of the decimals of both sides; NULL of whole numbers and of categories.
fn decimals(
    call: &Call,
    task: &Task,
    report: &mut Report,
    (i, feature, compared): (usize, &SkewColumn, usize),
) -> Result<Vec<Expr>> {
    let wanted = task.asked.wants(SkewCheck::Rounding) && feature.may_have_decimals(0, compared);
    let Some(numbers) = feature.comparable(0, compared).filter(|_| wanted) else {
        return Ok(vec![lit(ScalarValue::Null), lit(ScalarValue::Null)]);
    };
    let mut profiles = vec![];
    for (side, number) in [0, compared].into_iter().zip(numbers) {
        let places = scalar(call, "decimal_places", vec![number])?;
        let places = report.input(side, &format!("__places_{i}"), places);
        let name = format!("places_{i}");
        profiles.push(report.profile(call, (side, &name), "category_profile", vec![places])?);
    }
    Ok(profiles)
}

/// What the types of the relations tell before a row is read.
fn schema(call: &Call, task: &Task, report: &mut Report, compared: usize) -> Result<()> {
    let mut found = vec![];
    for feature in task.columns {
        for (check, differs, evidence) in told(feature, compared) {
            let arguments = vec![
                lit(check.name()),
                lit(i64::from(differs)),
                lit(1i64),
                lit(ScalarValue::Int64(None)),
                lit(ScalarValue::Int64(None)),
                lit(evidence),
                task.asked.min_effect(),
            ];
            let readings = scalar(call, "share_skew", arguments)?;
            found.push(Found::of(&feature.name, readings));
        }
    }
    let nothing = LogicalPlanBuilder::empty(true).build()?;
    report.rows.add(nothing, found)
}

/// Whether serving lacks a column or has another type of it, with the evidence.
fn told(feature: &SkewColumn, serving: usize) -> Vec<(SkewCheck, bool, String)> {
    let (Some(before), Some(after)) = (feature.sides.first(), feature.sides.get(serving)) else {
        return vec![];
    };
    let missing =
        |differs, evidence: &str| (SkewCheck::MissingColumn, differs, evidence.to_owned());
    match (&before.value, &after.value) {
        (Some(_), None) => vec![missing(true, "Training has it and serving has not.")],
        (None, _) => vec![missing(
            false,
            "Serving has it and training has not: the model does not know it.",
        )],
        (Some((_, a)), Some((_, b))) => {
            let types = format!("Its type is {a} in training and {b} in serving.");
            let differs = after.status == Some("changed_type");
            vec![
                missing(false, "Training and serving have it."),
                (SkewCheck::ColumnType, differs, types),
            ]
        }
    }
}
