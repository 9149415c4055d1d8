//! `estimate_performance` of a classifier of several classes: calibrators first, then the rows under them.
//!
//! The probabilities of a row depend on all of its scores, so a chunk is no profile that any calibrators can read later:
//! the reference is read once for the calibrators, and each relation once under them.
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::by_exprs_and;
use super::class_roles::value_matrix;
use super::estimate_performance::{
    both_sides, calibration_words, confidence_level, list_of_numbers, texts_of, unnest_metrics,
};
use super::fit::{FIT, Fit};
use super::late_labels::delayed;
use super::problem::{Asked, Problem};
use super::profiled::{Bounds, Profiled, class_arguments};
use super::result::{judge, shared_shape};
use super::roles::{Roles, column, column_names};
use super::rows::{Rows, require_rows};
use super::session_functions::{aggregate, scalar};
use super::side::Side;
use crate::suggest::expected_one_of;

/// The plan of a call.
pub fn expand(
    call: &mut Call,
    by: &[(String, SqlExpr)],
    [reference, analysis]: [Side; 2],
) -> Result<LogicalPlan> {
    let of_reference = roles(call, &reference)?;
    let mut of_analysis = roles(call, &analysis)?;
    delayed(call, &analysis, &mut of_analysis)?;
    let classes = of_reference.by_class.classes.clone();
    same_classes(call, &classes, &of_analysis.by_class.classes)?;
    let has_prediction = of_reference.prediction.is_some() && of_analysis.prediction.is_some();
    let has_values = call.sql("value_matrix").is_some();
    let asked = Asked::of_classes(call, has_prediction, true, has_values)?;
    let values = value_matrix(call, classes.len())?;
    let names: Vec<String> = by.iter().map(|(name, _)| name.clone()).collect();
    let fit = fit(call, &reference, &of_reference, by)?;
    let reference = chunks(call, reference, of_reference, by, &fit)?;
    let analysis = chunks(call, analysis, of_analysis, by, &fit)?;
    let chunks = both_sides(call, reference, analysis, &names)?.build()?;
    let fitted = LogicalPlanBuilder::from(fit.beside(chunks, &names)?);
    let args = vec![
        column("profile"),
        column(FIT),
        texts_of(&asked.metrics),
        lit(values.map_or(ScalarValue::Null, |values| list_of_numbers(&values))),
        lit(confidence_level(call)?),
    ];
    let readings = scalar(call, "evaluate_classes", args)?;
    let evaluated = unnest_metrics(fitted, &names, readings)?;
    let judged = judge(call, evaluated, &names, &asked.thresholds)?;
    let function = call.function();
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

fn roles(call: &mut Call, side: &Side) -> Result<Roles> {
    let (function, dataset) = (call.function(), side.dataset);
    let why = "and estimates for several classes depend on all scores of a row";
    require_rows(call, side, why)?;
    let roles = Roles::resolve(call, side, Problem::Multiclass)?;
    if roles.by_class.scores.is_empty() {
        return plan_err!(
            "{function}: the {dataset} relation has no scores by class. Expected score. \
             Hint: score => {{'basic': p_basic, 'pro': p_pro}}"
        );
    }
    if dataset == "reference" && roles.label.is_none() {
        return plan_err!(
            "{function}: the reference relation has no column 'y_true'. Expected labels to learn from. Hint: label => <column>. {}",
            expected_one_of("y_true", &column_names(side.schema()))
        );
    }
    Ok(roles)
}

/// Refuses relations whose scores are of other classes, or in another order.
pub fn same_classes(call: &Call, reference: &[String], analysis: &[String]) -> Result<()> {
    if reference.is_empty() || analysis.is_empty() || reference == analysis {
        return Ok(());
    }
    plan_err!(
        "{}: the classes of the reference are {}, those of the analysis {}. Expected the same in the same order. \
         Hint: score => {{'basic': p_basic, 'pro': p_pro}}",
        call.function(),
        reference.join(", "),
        analysis.join(", ")
    )
}

/// The calibrators of each group, from one pass over the reference.
fn fit(call: &mut Call, reference: &Side, roles: &Roles, by: &[(String, SqlExpr)]) -> Result<Fit> {
    let modes = calibration_words(call)?;
    let classes = roles.by_class.classes.len();
    if ![1, classes].contains(&modes.len()) {
        return plan_err!(
            "{}: argument 'calibrate' has {} words for {classes} classes. Expected one for all, or one for each",
            call.function(),
            modes.len()
        );
    }
    let profiled = Profiled::Classes(Box::new(roles.clone()));
    let exprs = by_exprs_and(call, by, reference.schema(), profiled.inputs())?;
    let bounds = Bounds::of(call, "reference");
    let profile = aggregate(call, "multiclass_profile", class_arguments(roles, &bounds))?;
    let group: Vec<Expr> = by.iter().map(|(name, _)| column(name)).collect();
    let fitted = scalar(
        call,
        "fit_class_calibrators",
        vec![column("profile"), lit(modes.join(","))],
    )?;
    let fitted = LogicalPlanBuilder::from(reference.input.clone())
        .project(exprs)?
        .aggregate(group.clone(), vec![profile.alias("profile")])?
        .project(group.into_iter().chain([fitted.alias(FIT)]))?;
    Ok(Fit(fitted.build()?))
}

/// The chunks of a relation under the calibrators.
fn chunks(
    call: &mut Call,
    side: Side,
    roles: Roles,
    by: &[(String, SqlExpr)],
    fit: &Fit,
) -> Result<LogicalPlan> {
    let rows = Rows::read(call, side, roles.timestamp.clone())?;
    let profiled = Profiled::ClassEstimates(Box::new(roles), fit.clone());
    rows.plan(call, by, profiled)
}
