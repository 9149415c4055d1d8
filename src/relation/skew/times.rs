//! Times of day on two sides, and features that were known too late.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::{coalesce, concat};
use datafusion::functions_aggregate::expr_fn::{count, min};
use datafusion::logical_expr::{Expr, cast, lit, when};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::super::arguments::Call;
use super::super::by::named_expressions;
use super::super::roles::column_names;
use super::super::session_functions::scalar;
use super::findings::Found;
use super::handling::WITHOUT_SERVING;
use super::sides::{Relation, type_of};
use super::summary::{Report, Task};
use crate::chunk::TimeZone;
use crate::kernel::skew::SkewCheck;
use crate::suggest::expected_one_of;

const DAY: i64 = 86_400_000_000;
const HALF_HOUR: i64 = 1_800_000_000;

/// Adds `time_zone_offset` of the time of the prediction, and of every column of timestamps.
pub fn clocks(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let check = SkewCheck::TimeZoneOffset;
    if !task.asked.wants(check) {
        return Ok(());
    }
    let Some(compared) = task.sides.position("serving") else {
        return report.rows.not_run(check, task.asked, WITHOUT_SERVING);
    };
    let clocks = all_clocks(task, compared);
    for (i, (name, both)) in clocks.iter().enumerate() {
        let mut arguments = vec![];
        for (side, slot) in [0, compared].into_iter().zip(both.clone()) {
            let slot = report.input(side, &format!("__slot_{i}"), slot);
            let name = format!("clock_{i}");
            arguments.push(report.profile(call, (side, &name), "category_profile", vec![slot])?);
        }
        arguments.push(task.asked.min_effect());
        let readings = scalar(call, "compare_clocks", arguments)?;
        report.found.push(Found::of(name, readings));
    }
    match clocks.is_empty() {
        true => report
            .rows
            .not_run(check, task.asked, "No column is a timestamp on both sides."),
        false => Ok(()),
    }
}

/// The time of the prediction and every column of timestamps, by half hours of the day in training and serving.
fn all_clocks(task: &Task, compared: usize) -> Vec<(String, [Expr; 2])> {
    let mut clocks: Vec<(String, [Expr; 2])> = vec![];
    let of_role = |side: usize| {
        let relation = task.sides.all.get(side)?;
        let time = relation.roles.timestamp.clone()?;
        let found = type_of(&time, &relation.side).ok()?;
        Some((time, found))
    };
    if let (Some((time, a)), Some((other, b))) = (of_role(0), of_role(compared)) {
        let name = match &time {
            Expr::Column(column) => column.name.clone(),
            _ => "timestamp".to_owned(),
        };
        add_clock(&mut clocks, name, [(time, a), (other, b)]);
    }
    for feature in task.columns {
        let of = |side: usize| feature.sides.get(side)?.value.clone();
        if let (Some(training), Some(serving)) = (of(0), of(compared)) {
            add_clock(&mut clocks, feature.name.clone(), [training, serving]);
        }
    }
    clocks
}

/// The half hours of the day of two timestamps; a date has none.
fn add_clock(clocks: &mut Vec<(String, [Expr; 2])>, name: String, both: [(Expr, DataType); 2]) {
    let is_clock = |found: &DataType| matches!(found, DataType::Timestamp(..));
    if both.iter().all(|(_, found)| is_clock(found)) {
        let slot = |(time, _): (Expr, DataType)| {
            let time = cast(cast(time, crate::chunk::TIMESTAMP), DataType::Int64);
            // before 1970 a remainder is negative
            let of_day = (time % lit(DAY) + lit(DAY)) % lit(DAY);
            of_day / lit(HALF_HOUR)
        };
        clocks.push((name, both.map(slot)));
    }
}

/// Adds `future_timestamp` of each of `feature_timestamps`, over the rows of all relations.
pub fn future(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let check = SkewCheck::FutureTimestamp;
    let named = named_expressions(call, "feature_timestamps")?;
    if named.is_empty() {
        return report
            .rows
            .not_run(check, task.asked, "No feature_timestamps are given.");
    }
    if task.sides.all.iter().all(|of| of.time.is_none()) {
        return plan_err!(
            "{}: argument 'feature_timestamps' needs the time of the prediction. Expected timestamp. Hint: timestamp => <column>",
            call.function()
        );
    }
    for (i, (name, sql)) in named.into_iter().enumerate() {
        let mut found = vec![];
        for (side, relation) in task.sides.all.iter().enumerate() {
            found.extend(late_rows(call, report, (side, relation), (i, &sql))?);
        }
        let Some([count, rows, example]) = in_all(found) else {
            return no_column(call, task, &name);
        };
        let arguments = vec![
            lit(check.name()),
            count,
            rows,
            lit(ScalarValue::Int64(None)),
            lit(ScalarValue::Int64(None)),
            example,
            task.asked.min_effect(),
        ];
        let readings = scalar(call, "share_skew", arguments)?;
        report.found.push(Found::of(&name, readings));
    }
    Ok(())
}

fn no_column(call: &Call, task: &Task, name: &str) -> Result<()> {
    let names = task.sides.all.first();
    let names = names.map(|of| column_names(of.side.schema()));
    plan_err!(
        "{}: argument 'feature_timestamps': there is no column '{name}' in a relation that has the time of the prediction. {}",
        call.function(),
        expected_one_of(name, &names.unwrap_or_default())
    )
}

/// Late rows, rows and the first example of several relations; `None` without any.
fn in_all(found: Vec<[Expr; 3]>) -> Option<[Expr; 3]> {
    let examples = found.iter().map(|[_, _, example]| example.clone());
    let example = coalesce(examples.collect());
    let totals = found.into_iter().map(|[late, rows, _]| [late, rows]);
    let [late, rows] =
        totals.reduce(|[late, rows], [more, others]| [late + more, rows + others])?;
    Some([late, rows, example])
}

/// Rows of a relation in which a feature was known later than its prediction, rows that have both times, and an example; `None`
/// where the relation does not have them.
fn late_rows(
    call: &mut Call,
    report: &mut Report,
    (side, relation): (usize, &Relation),
    (i, sql): (usize, &SqlExpr),
) -> Result<Option<[Expr; 3]>> {
    let schema = relation.side.schema();
    let resolved = call.resolve("feature_timestamps", sql.clone(), schema);
    let (Ok(known), Some(time)) = (resolved, relation.time.clone()) else {
        return Ok(None);
    };
    let known = TimeZone::utc("feature_timestamps", known, schema);
    let known = known.map_err(|e| e.context(call.function()))?;
    let known = report.input(side, &format!("__known_{i}"), known);
    let time = report.input(side, "__time", time);
    let late = known.clone().gt(time.clone());
    let text = |time: Expr| cast(time, DataType::Utf8);
    let of = [" in ", relation.side.dataset].concat();
    let example = concat(vec![
        text(known),
        lit(" for a prediction of "),
        text(time),
        lit(of),
    ]);
    let example = min(when(late.clone(), example).end()?);
    let both = when(late.clone().is_not_null(), lit(1i64)).end()?;
    let late = when(late, lit(1i64)).end()?;
    Ok(Some([
        report.aggregate(side, &format!("late_{i}"), count(late)),
        report.aggregate(side, &format!("timed_{i}"), count(both)),
        report.aggregate(side, &format!("late_example_{i}"), example),
    ]))
}
