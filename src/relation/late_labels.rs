//! Labels that live in another relation, or that are not final before some time has passed.
use datafusion::arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::{JoinType, Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::concat_ws;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, ident, lit, when,
};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::named_expressions;
use super::chunk_arguments::{as_of, time_zone};
use super::roles::{Roles, column, column_names, is_text};
use super::session_functions::scalar;
use super::side::Side;
use crate::suggest::expected_one_of;

/// The column of labels that the arguments name.
fn label_name(call: &Call) -> Result<String> {
    match call.sql("label") {
        None => Ok("y_true".into()),
        Some(SqlExpr::Identifier(name)) => Ok(call.context.normalize_ident(name)),
        Some(other) => plan_err!(
            "{}: argument 'label' is `{other}`. Beside 'labels', expected the name of its column. \
             Hint: labels => (SELECT id, {other} AS y_true FROM ...)",
            call.function()
        ),
    }
}

/// Rows with their labels from the relation `labels`, where it is given: joined by `key`, a row without one keeps NULL.
/// A label column that the rows had of their own is replaced.
pub fn with_labels(call: &mut Call, side: &mut Side) -> Result<()> {
    let function = call.function();
    let Some(labels) = call.relation("labels")? else {
        return match call.sql("key") {
            Some(key) => plan_err!(
                "{function}: argument 'key' is `{key}`, and there is no relation to join. Expected labels. \
                 Hint: labels => table_of_labels"
            ),
            None => Ok(()),
        };
    };
    if side.is_stored() {
        return plan_err!(
            "{function}: argument 'labels' cannot be joined to stored profiles. Expected rows as '{}'",
            side.argument
        );
    }
    let keys = named_expressions(call, "key")?;
    if keys.is_empty() {
        return plan_err!(
            "{function}: argument 'labels' needs a key. Expected columns that both relations have. Hint: key => id"
        );
    }
    let label = label_name(call)?;
    if !labels.schema().has_column_with_unqualified_name(&label) {
        return plan_err!(
            "{function}: the relation 'labels' has no column '{label}'. {}. Hint: label => <column>",
            expected_one_of(&label, &column_names(labels.schema()))
        );
    }
    side.input = joined(call, side, labels, &keys, &label)?;
    Ok(())
}

fn joined(
    call: &mut Call,
    side: &Side,
    labels: LogicalPlan,
    keys: &[(String, SqlExpr)],
    label: &str,
) -> Result<LogicalPlan> {
    let mut of_labels = Vec::with_capacity(keys.len());
    let mut pairs = Vec::with_capacity(keys.len());
    let mut present = lit(true);
    let mut shown = Vec::with_capacity(keys.len());
    for (i, (name, sql)) in keys.iter().enumerate() {
        let own = call.resolve("key", sql.clone(), side.schema())?;
        let other = call.resolve("key", sql.clone(), labels.schema())?;
        let types = (
            own.get_type(side.schema())?,
            other.get_type(labels.schema())?,
        );
        let common = common_type(call.function(), name, &types)?;
        let key = format!("__key_{i}");
        present = present.and(other.clone().is_not_null());
        of_labels.push(cast(other, common.clone()).alias(&key));
        shown.push(key_text(&common, column(&key)));
        pairs.push(cast(own, common).eq(column(&key)));
    }
    let value = ident(label);
    let ends = [
        min(value.clone()).alias("__least"),
        max(value).alias("__greatest"),
    ];
    let labels = LogicalPlanBuilder::from(labels)
        .filter(present)?
        .aggregate(of_labels, ends)?
        .build()?;
    // a label that comes twice for a key is one label; two labels are an error, for neither is known to be right; keys
    // without a row do not matter
    let agree = column("__least").not_eq(column("__greatest"));
    let is_one = scalar(
        call,
        "one_label",
        vec![agree.is_not_true(), concat_ws(lit(", "), shown)],
    )?;
    let one = when(is_one, column("__least")).end()?;
    let kept = side.schema().columns().into_iter();
    let kept = kept.filter(|column| column.name != label).map(Expr::Column);
    let kept: Vec<Expr> = kept.chain([one.alias(label)]).collect();
    LogicalPlanBuilder::from(side.input.clone())
        .join_on(labels, JoinType::Left, pairs)?
        .project(kept)?
        .build()
}

/// The type in which keys are compared. A text and a number are compared as numbers, and then `'042'` would be `42`.
fn common_type(function: &str, key: &str, types: &(DataType, DataType)) -> Result<DataType> {
    let (own, other) = types;
    let mixed = is_text(own) != is_text(other);
    match type_union_coercion(own, other).filter(|_| !mixed) {
        Some(common) => Ok(common),
        None => plan_err!(
            "{function}: argument 'key': '{key}' has type {own} in the analysis and {other} in the labels. \
             Expected one type. Hint: labels => (SELECT CAST({key} AS ...) AS {key}, ... FROM ...)"
        ),
    }
}

/// A key for an error.
fn key_text(kind: &DataType, key: Expr) -> Expr {
    match kind.is_binary() || kind.is_nested() {
        true => lit("(binary)"),
        false => cast(key, DataType::Utf8),
    }
}

/// Refuses `label_delay` beside stored profiles.
pub fn refuse_delay(call: &Call, side: &Side) -> Result<()> {
    match side.dataset == "analysis" && call.sql("label_delay").is_some() {
        false => Ok(()),
        true => plan_err!(
            "{}: argument 'label_delay' cannot be kept with stored profiles, whose labels are counted already. \
             Expected rows as 'analysis'",
            call.function()
        ),
    }
}

/// The label of an analysis row, unknown where it is younger than `label_delay`.
pub fn delayed(call: &mut Call, side: &Side, roles: &mut Roles) -> Result<()> {
    if side.dataset != "analysis" {
        return Ok(());
    }
    let function = call.function();
    let Some(delay) = call.constant("label_delay")? else {
        return Ok(());
    };
    if !matches!(delay.data_type(), DataType::Interval(_)) {
        return plan_err!(
            "{function}: argument 'label_delay' is {delay}. Expected an interval. Hint: label_delay => INTERVAL '60 days'"
        );
    }
    if is_negative(&delay)? {
        return plan_err!(
            "{function}: argument 'label_delay' is {delay}. Expected an interval that is not negative. \
             Hint: label_delay => INTERVAL '60 days'"
        );
    }
    let Some(timestamp) = roles.timestamp.clone() else {
        return plan_err!(
            "{function}: argument 'label_delay' needs the time of a row. Expected timestamp. Hint: timestamp => <column>"
        );
    };
    if let Some(label) = roles.label.take() {
        let zone = time_zone(call)?;
        let due = as_of(call, &zone)? - lit(delay);
        let time = zone.local("timestamp", timestamp, side.schema())?;
        roles.label = Some(when(time.lt_eq(due), label).end()?);
    }
    Ok(())
}

fn is_negative(delay: &ScalarValue) -> Result<bool> {
    let months = delay.cast_to(&DataType::Interval(IntervalUnit::MonthDayNano))?;
    Ok(match months {
        ScalarValue::IntervalMonthDayNano(Some(delay)) => {
            delay.months < 0 || delay.days < 0 || delay.nanoseconds < 0
        }
        _ => false,
    })
}
