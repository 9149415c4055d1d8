//! `multivariate_drift`: whether columns still go together as they did in the reference.
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::RelationSpec;
use super::arguments::Call;
use super::by::{by_columns, by_exprs_and};
use super::estimate_performance::{both_sides, confidence_level, with_reading};
use super::fit::{FIT, Fit};
use super::fitted_columns::{FittedColumns, fitted_columns};
use super::profiled::{FittedRecord, Profiled};
use super::result::{judge, shared_shape};
use super::roles::{Roles, column};
use super::rows::{Rows, require_rows};
use super::session_functions::{aggregate, scalar};
use super::shared_arguments;
use super::side::Side;
use super::threshold_arguments::thresholds_of;
use crate::functions::imputation;
use crate::kernel::monitored::{RECONSTRUCTION_ERROR, scale_of};
use crate::kernel::pca::projection::Components;
use crate::suggest::expected_one_of;

pub static SPEC: RelationSpec = RelationSpec {
    name: "multivariate_drift",
    description: "Whether the columns of a chunk still go together as they did in the reference: the mean reconstruction error \
                  of its rows under the reference's principal components. It sees a change of correlations that no column \
                  shows by itself. The reference is read three times, the analysis once.",
    arguments: &[
        ("reference", "Rows on which the model was accepted."),
        ("analysis", "Rows to be judged."),
        (
            "columns",
            "Columns to look at; default: all but timestamp, label, prediction, score, by, chunk and order_by.",
        ),
        ("exclude", "Columns to leave out."),
        (
            "method",
            "'pca' (default): reconstruction error by principal components.",
        ),
        (
            "n_components",
            "0.65 (default): as few components as carry more than this share of the variance; or their number.",
        ),
        (
            "treat_as_categorical",
            "Columns of numbers, times or booleans whose values are categories.",
        ),
        (
            "treat_as_continuous",
            "Columns of booleans that are taken for the numbers 0 and 1.",
        ),
        (
            "impute_continuous",
            "What stands for a missing number: 'mean' (default) or 'median'.",
        ),
        (
            "impute_categorical",
            "What stands for a missing category: 'most_frequent' (default), or 'missing' for one of its own.",
        ),
        (
            "label",
            "Name of a column that is not looked at; default: y_true.",
        ),
        ("prediction", "The same; default: y_pred."),
        ("score", "The same; default: y_pred_proba."),
        shared_arguments::TIMESTAMP,
        (
            "by",
            "Columns that group the rows; each group has its own components and thresholds.",
        ),
        shared_arguments::CHUNK,
        shared_arguments::REFERENCE_CHUNK,
        shared_arguments::ORDER_BY,
        shared_arguments::INCOMPLETE,
        shared_arguments::TIME_ZONE,
        shared_arguments::AS_OF,
        (
            "thresholds",
            "false_alarm_rate(rate [, season => 'day_of_week']) (default), stddev(k) or constant(lower, upper).",
        ),
        (
            "direction",
            "'both' (default) or 'worse' (only an error that grows): on which side a value alerts.",
        ),
        ("confidence_level", "Of the bounds; default: 0.95."),
        shared_arguments::NAME,
    ],
    positional: 2,
    example: "SELECT chunk, value, upper_threshold, alert\n\
              FROM multivariate_drift(reference, analysis, chunk => INTERVAL '1 month', exclude => ['id'])\n\
              WHERE dataset = 'analysis'",
    expand,
};

fn rows(call: &mut Call, side: Side) -> Result<Rows> {
    require_rows(call, &side, "which do not tell how columns go together")?;
    let timestamp = Roles::timestamp(call, &side)?;
    Rows::read(call, side, timestamp)
}

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let function = call.function();
    if let Some(method) = call.text("method")?
        && method != "pca"
    {
        return plan_err!(
            "{function}: argument 'method' is '{method}'. {}",
            expected_one_of(&method, &["pca"])
        );
    }
    let by = by_columns(call)?;
    let names: Vec<String> = by.iter().map(|(name, _)| name.clone()).collect();
    let (reference, analysis) = Side::reference_and_analysis(call)?;
    let (reference, analysis) = (rows(call, reference)?, rows(call, analysis)?);
    let columns = fitted_columns(call, [&reference, &analysis], &by, 2)?;
    let Some(scale) = scale_of(RECONSTRUCTION_ERROR) else {
        return plan_err!("{function}: metric {RECONSTRUCTION_ERROR} has no scale");
    };
    let thresholds = thresholds_of(call, RECONSTRUCTION_ERROR, &scale)?;
    let confidence = confidence_level(call)?;

    let fit = fit(call, &reference, &columns, &by)?;
    let reference = chunks(call, reference, &columns, &by, &fit)?;
    let analysis = chunks(call, analysis, &columns, &by, &fit)?;
    let chunks = both_sides(call, reference, analysis, &names)?;
    let evaluated = evaluate(call, chunks, &names, confidence)?;
    let judged = judge(call, evaluated, &names, &thresholds)?;
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

/// The fitted projection of each group: one pass over the reference for the encoding, without which no row is a
/// point in space, and one for the covariance of the encoded rows.
fn fit(
    call: &mut Call,
    reference: &Rows,
    columns: &FittedColumns,
    by: &[(String, SqlExpr)],
) -> Result<Fit> {
    let function = call.function();
    let components = match call.number("n_components")? {
        None => 0.65,
        Some(number) => {
            Components::of(number).map_err(|e| plan_datafusion_err!("{function}: argument {e}"))?;
            number
        }
    };
    let numbers = call.text("impute_continuous")?;
    let texts = call.text("impute_categorical")?;
    imputation(function, numbers.as_deref(), texts.as_deref(), 0)?;
    let exprs = by_exprs_and(call, by, reference.side.schema(), columns.of("reference"))?;
    let rows = LogicalPlanBuilder::from(reference.side.input.clone())
        .project(exprs)?
        .build()?;
    let names: Vec<String> = by.iter().map(|(name, _)| name.clone()).collect();
    let group = || names.iter().map(|name| column(name)).collect::<Vec<_>>();
    let arguments = vec![
        columns.record(),
        lit(numbers.unwrap_or_else(|| "mean".into())),
        lit(texts.unwrap_or_else(|| "most_frequent".into())),
        lit(call.options().reference_max_bins as i64),
    ];
    let encoding = aggregate(call, "fit_encoding", arguments)?.alias(FIT);
    let encoding = LogicalPlanBuilder::from(rows.clone()).aggregate(group(), vec![encoding])?;
    let encoded = Fit(encoding.build()?).beside(rows, &names)?;
    let arguments = vec![columns.record(), column(FIT), lit(components)];
    let pca = aggregate(call, "fit_pca", arguments)?.alias(FIT);
    let fitted = LogicalPlanBuilder::from(encoded).aggregate(group(), vec![pca])?;
    Ok(Fit(fitted.build()?))
}

/// The chunks of a relation with the errors of their rows.
fn chunks(
    call: &mut Call,
    rows: Rows,
    columns: &FittedColumns,
    by: &[(String, SqlExpr)],
    fit: &Fit,
) -> Result<LogicalPlan> {
    let fitted = FittedRecord {
        columns: columns.of(rows.side.dataset),
        record: columns.record(),
        fit: fit.clone(),
    };
    rows.plan(call, by, Profiled::Errors(Box::new(fitted)))
}

/// The mean error of each chunk.
fn evaluate(
    call: &Call,
    chunks: LogicalPlanBuilder,
    by: &[String],
    confidence: f64,
) -> Result<LogicalPlanBuilder> {
    let reading = scalar(
        call,
        "evaluate_reconstruction",
        vec![column("profile"), lit(confidence)],
    )?;
    with_reading(chunks, by, reading)
}
