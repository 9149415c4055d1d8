//! `estimate_performance` of a regression: a model of its losses, learnt on the reference, is applied to every row and averaged.
//!
//! Source of the idea: direct loss estimation, NannyML (`direct_loss_estimation`).
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions::expr_fn::{abs, ln};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, when};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::by::{by_expr, named_expressions};
use super::chunk_arguments::ChunkArguments;
use super::chunked::ChunkedRows;
use super::estimate_performance::{both_sides, confidence_level, texts_of, unnest_metrics};
use super::fit::{FIT, Fit};
use super::fitted_columns::{FittedColumns, fitted_columns, named_columns};
use super::late_labels::delayed;
use super::problem::{Asked, Problem, named_metrics};
use super::profiled::{Bounds, FittedRecord, Profiled};
use super::result::{judge, shared_shape};
use super::roles::{Roles, column, column_names};
use super::session_functions::{aggregate, is_reference, over_all, scalar};
use super::side::Side;
use crate::kernel::regression::{Loss, RegressionMetric};
use crate::suggest::expected_one_of;

/// The name of the prediction among the features.
const PREDICTION: &str = "prediction";

/// One relation, before its chunks.
struct Rows {
    side: Side,
    roles: Roles,
    chunks: ChunkArguments,
}

/// The plan of a call.
pub fn expand(
    call: &mut Call,
    by: &[(String, SqlExpr)],
    [reference, analysis]: [Side; 2],
) -> Result<LogicalPlan> {
    let (reference, analysis) = (rows(call, reference)?, rows(call, analysis)?);
    let metrics = metrics(call)?;
    let asked = Asked::new(call, &metrics, RegressionMetric::name)?;
    let mut losses: Vec<Loss> = vec![];
    for loss in metrics.iter().filter_map(|metric| Loss::of(*metric)) {
        if !losses.contains(&loss) {
            losses.push(loss);
        }
    }
    let columns = features(call, &reference, &analysis, by)?;
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

fn rows(call: &mut Call, side: Side) -> Result<Rows> {
    let (function, dataset) = (call.function(), side.dataset);
    if side.is_stored() {
        return plan_err!(
            "{function}: argument '{}' holds profiles, which do not tell the columns of a row. Expected rows",
            side.argument
        );
    }
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
    let chunks = ChunkArguments::read(call, &side, roles.timestamp.as_ref())?;
    Ok(Rows {
        side,
        roles,
        chunks,
    })
}

/// The columns from which losses are learnt, besides the prediction.
fn features(
    call: &mut Call,
    reference: &Rows,
    analysis: &Rows,
    by: &[(String, SqlExpr)],
) -> Result<FittedColumns> {
    let mut named = std::collections::BTreeSet::new();
    for rows in [reference, analysis] {
        let timestamp = rows.roles.timestamp.as_ref();
        named.extend(named_columns(
            call,
            &rows.side,
            timestamp,
            &rows.chunks,
            by,
        )?);
    }
    // what labels are joined by tells rows apart, not losses
    named.extend(
        named_expressions(call, "key")?
            .into_iter()
            .map(|(name, _)| name),
    );
    let sides = [reference.side.schema(), analysis.side.schema()];
    fitted_columns(call, sides, &named, 0)
}

/// Features, prediction and label under names of their own.
fn inputs(rows: &Rows, columns: &FittedColumns) -> Vec<(String, Expr)> {
    let unknown = || lit(ScalarValue::Float64(None));
    let role = |expr: &Option<Expr>| expr.clone().unwrap_or_else(unknown);
    let mut inputs = columns.of(rows.side.dataset);
    inputs.push(("__prediction".into(), role(&rows.roles.prediction)));
    inputs.push(("__label".into(), role(&rows.roles.label)));
    inputs
}

/// A loss of a row; NULL where it has none, as [`Loss::at`] says.
fn loss_of(loss: Loss) -> Result<Expr> {
    let (label, prediction) = (column("__label"), column("__prediction"));
    let error = prediction.clone() - label.clone();
    let difference = |x: Expr| ln(lit(1.0) + x);
    let loss = match loss {
        Loss::Absolute => abs(error),
        Loss::Relative => when(error.clone().eq(lit(0.0)), lit(0.0))
            .when(label.clone().not_eq(lit(0.0)), abs(error / label))
            .end()?,
        Loss::Squared => error.clone() * error,
        Loss::Logarithmic => {
            let gap = difference(label.clone()) - difference(prediction.clone());
            let known = label.gt_eq(lit(0.0)).and(prediction.gt_eq(lit(0.0)));
            when(known, gap.clone() * gap).end()?
        }
        Loss::Signed => error,
    };
    // what is no number, and what has no square, is learnt from nothing
    let known = abs(loss.clone()).lt(lit(1e145));
    when(known, loss).end()
}

/// Models of the losses of each group, from one pass over the reference.
fn fit(
    call: &mut Call,
    reference: &Rows,
    columns: &FittedColumns,
    losses: &[Loss],
    by: &[(String, SqlExpr)],
) -> Result<Fit> {
    let mut exprs = Vec::new();
    for (name, sql) in by {
        exprs.push(by_expr(call, name, sql, reference.side.schema())?);
    }
    let inputs = inputs(reference, columns).into_iter();
    exprs.extend(inputs.map(|(name, expr)| expr.alias(name)));
    let group: Vec<Expr> = by.iter().map(|(name, _)| column(name)).collect();
    let (mut models, mut fields) = (vec![], vec![]);
    for loss in losses {
        let model = format!("__model_{}", loss.name());
        let args = vec![loss_of(*loss)?, record(columns)];
        models.push(aggregate(call, "fit_gbdt", args)?.alias(&model));
        fields.extend([lit(loss.name()), column(&model)]);
    }
    let fitted = LogicalPlanBuilder::from(reference.side.input.clone())
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
    rows: Rows,
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
        columns: inputs(&rows, columns),
        record: named_struct(fields),
        fit: fit.clone(),
    };
    let chunked = ChunkedRows {
        bounds: Bounds::of(call, rows.side.dataset),
        input: rows.side.input,
        timestamp: rows.roles.timestamp,
        profiled: Profiled::Losses(Box::new(fitted)),
        by,
        arguments: rows.chunks,
    };
    chunked.plan(call)
}
