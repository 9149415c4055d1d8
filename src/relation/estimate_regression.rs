//! `estimate_performance` of a regression: a model of its losses, learnt on the reference, is applied to every row and averaged.
//!
//! Source of the idea: direct loss estimation, NannyML (`direct_loss_estimation`).
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, when};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::by_exprs_and;
use super::estimate_performance::{both_sides, confidence_level, texts_of, unnest_metrics};
use super::fit::{FIT, Fit};
use super::fitted_columns::{FittedColumns, fitted_columns};
use super::late_labels::delayed;
use super::problem::{Asked, Problem, named_metrics};
use super::profiled::{FittedRecord, Profiled, outcome};
use super::result::{judge, shared_shape};
use super::roles::{Roles, column, column_names};
use super::rows::{Rows, require_rows};
use super::session_functions::{aggregate, is_reference, over_all, scalar};
use super::side::Side;
use crate::kernel::regression::{Loss, RegressionMetric};
use crate::suggest::expected_one_of;

/// The name of the prediction among the features.
const PREDICTION: &str = "prediction";

/// One relation, before its chunks, and what its columns are.
struct Predicted {
    rows: Rows,
    roles: Roles,
}

/// The plan of a call.
pub fn expand(
    call: &mut Call,
    by: &[(String, SqlExpr)],
    [reference, analysis]: [Side; 2],
) -> Result<LogicalPlan> {
    let (reference, analysis) = (predicted(call, reference)?, predicted(call, analysis)?);
    let metrics = metrics(call)?;
    let asked = Asked::new(call, &metrics, RegressionMetric::name, |_| false)?;
    let mut losses: Vec<Loss> = vec![];
    for loss in metrics.iter().filter_map(|metric| Loss::of(*metric)) {
        if !losses.contains(&loss) {
            losses.push(loss);
        }
    }
    let columns = fitted_columns(call, [&reference.rows, &analysis.rows], by, 0)?;
    let names: Vec<String> = by.iter().map(|(name, _)| name.clone()).collect();
    let fit = fit(call, &reference, &columns, &losses, by)?;
    let reference = chunks(call, reference, &columns, &losses, by, &fit)?;
    let analysis = chunks(call, analysis, &columns, &losses, by, &fit)?;
    let chunks = both_sides(call, reference, analysis, &names)?;
    let partition: Vec<&str> = names.iter().map(String::as_str).collect();
    let of_reference = when(is_reference(), column("profile")).end()?;
    let learnt = over_all(call, "merge_profiles", vec![of_reference], &partition)?;
    let chunks = chunks.window(vec![learnt.alias("__reference")])?;
    let args = vec![
        column("profile"),
        column("__reference"),
        texts_of(&asked.metrics),
        lit(confidence_level(call)?),
    ];
    let readings = scalar(call, "evaluate_losses", args)?;
    let evaluated = unnest_metrics(chunks, &names, readings)?;
    let judged = judge(call, evaluated, &names, &asked.thresholds)?;
    let function = call.function();
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

/// The metrics that are means of losses; the others cannot be estimated row by row.
fn metrics(call: &mut Call) -> Result<Vec<RegressionMetric>> {
    let estimable: Vec<RegressionMetric> = RegressionMetric::ALL
        .into_iter()
        .filter(|metric| Loss::of(*metric).is_some())
        .collect();
    let metrics = named_metrics(call, &estimable, &estimable)?;
    match metrics.iter().find(|metric| !estimable.contains(metric)) {
        None => Ok(metrics),
        Some(other) => plan_err!(
            "{}: metric {other} is no mean of what single rows lose, so it cannot be estimated without labels. Expected one of: {}. \
             Hint: realized_performance(...)",
            call.function(),
            estimable
                .iter()
                .map(|metric| metric.name())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

fn predicted(call: &mut Call, side: Side) -> Result<Predicted> {
    let (function, dataset) = (call.function(), side.dataset);
    require_rows(call, &side, "which do not tell the columns of a row")?;
    let mut roles = Roles::resolve(call, &side, Problem::Regression)?;
    let names = column_names(side.schema());
    if roles.prediction.is_none() {
        return plan_err!(
            "{function}: the {dataset} relation has no column 'y_pred'. Expected a prediction. Hint: prediction => <column>. {}",
            expected_one_of("y_pred", &names)
        );
    }
    if dataset == "reference" && roles.label.is_none() {
        return plan_err!(
            "{function}: the reference relation has no column 'y_true'. Expected labels to learn from. Hint: label => <column>. {}",
            expected_one_of("y_true", &names)
        );
    }
    delayed(call, &side, &mut roles)?;
    let rows = Rows::read(call, side, roles.timestamp.clone())?;
    Ok(Predicted { rows, roles })
}

/// Features, prediction and label under names of their own.
fn inputs(of: &Predicted, features: &FittedColumns) -> Vec<(String, Expr)> {
    let mut inputs = features.of(of.rows.side.dataset);
    inputs.extend(outcome(&of.roles, &ScalarValue::Float64(None)));
    inputs
}

/// Models of the losses of each group, from one pass over the reference.
fn fit(
    call: &mut Call,
    reference: &Predicted,
    columns: &FittedColumns,
    losses: &[Loss],
    by: &[(String, SqlExpr)],
) -> Result<Fit> {
    let side = &reference.rows.side;
    let exprs = by_exprs_and(call, by, side.schema(), inputs(reference, columns))?;
    let group: Vec<Expr> = by.iter().map(|(name, _)| column(name)).collect();
    let (mut models, mut fields) = (vec![], vec![]);
    for loss in losses {
        let model = format!("__model_{}", loss.name());
        let args = vec![column("__label"), column("__prediction"), lit(loss.name())];
        let target = scalar(call, "regression_loss", args)?;
        let args = vec![target, record(columns)];
        models.push(aggregate(call, "fit_gbdt", args)?.alias(&model));
        fields.extend([lit(loss.name()), column(&model)]);
    }
    let fitted = LogicalPlanBuilder::from(side.input.clone())
        .project(exprs)?
        .aggregate(group.clone(), models)?
        .project(group.into_iter().chain([named_struct(fields).alias(FIT)]))?;
    Ok(Fit(fitted.build()?))
}

fn record(columns: &FittedColumns) -> Expr {
    columns.record_with(&[(PREDICTION, column("__prediction"))])
}

/// The chunks of a relation with what is expected of their rows.
fn chunks(
    call: &mut Call,
    of: Predicted,
    columns: &FittedColumns,
    losses: &[Loss],
    by: &[(String, SqlExpr)],
    fit: &Fit,
) -> Result<LogicalPlan> {
    let mut fields = vec![];
    for loss in losses {
        let model = get_field(column(FIT), loss.name());
        let expected = scalar(call, "predict_gbdt", vec![model, record(columns)])?;
        fields.extend([lit(loss.name()), expected]);
    }
    let fitted = FittedRecord {
        columns: inputs(&of, columns),
        record: named_struct(fields),
        fit: fit.clone(),
    };
    let profiled = Profiled::Losses(Box::new(fitted));
    of.rows.plan(call, by, profiled)
}
