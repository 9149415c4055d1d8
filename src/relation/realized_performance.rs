//! `realized_performance`: performance per chunk from labels.
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::RelationSpec;
use super::arguments::Call;
use super::by::by_columns;
use super::class_roles::value_matrix;
use super::estimate_classes::same_classes;
use super::estimate_performance::{
    both_sides, confidence_level, list_of_numbers, matrix_of, metrics, texts_of, unnest_metrics,
};
use super::late_labels::{delayed, with_labels};
use super::problem::{Asked, CLASSES, PROBLEM_TYPE, Problem};
use super::profiles::{ChunkProfiles, chunk_profiles, profiles_of};
use super::result::{judge, shared_shape};
use super::roles::{Roles, column, column_names};
use super::session_functions::scalar;
use super::shared_arguments;
use super::side::Side;
use crate::kernel::metric::Metric;
use crate::suggest::expected_one_of;

pub static SPEC: RelationSpec = RelationSpec {
    name: "realized_performance",
    description: "Performance of a classifier or a regression per chunk from labels, complete, partial or late, with confidence intervals and \
                  thresholds of a stated false-alarm rate.",
    arguments: &[
        (
            "reference",
            "Rows with labels that say what is usual, or their profiles.",
        ),
        ("analysis", "Rows to be judged, or their profiles."),
        (
            "score",
            "Score, higher for the positive class, or a struct of scores by class; default: column y_pred_proba, if there.",
        ),
        (
            "prediction",
            "Predicted class, 0/1 or boolean (the name of one of several, a number); default: column y_pred, if there.",
        ),
        (
            "label",
            "Realized class, 0/1 or boolean (the name of one of several, a number), NULL where not known; default: column y_true.",
        ),
        shared_arguments::LABELS,
        shared_arguments::KEY,
        shared_arguments::LABEL_DELAY,
        (
            "weight",
            "What a row counts, a number from 1e-6 to 1e9; rows of NULL or 0 are not used. Errors are those of rows that were drawn \
             with unequal chances (linearization).",
        ),
        shared_arguments::TIMESTAMP,
        PROBLEM_TYPE,
        CLASSES,
        (
            "positive_label",
            "The value of label that stands for the positive class, and of a prediction that is a text.",
        ),
        (
            "by",
            "Columns that group the rows; each group has its own thresholds.",
        ),
        shared_arguments::CHUNK,
        shared_arguments::REFERENCE_CHUNK,
        shared_arguments::ORDER_BY,
        shared_arguments::INCOMPLETE,
        shared_arguments::TIME_ZONE,
        shared_arguments::AS_OF,
        (
            "metrics",
            "Names of metrics; default: all that the given columns allow.",
        ),
        (
            "value_matrix",
            "Value of a row by outcome [tn, fp, fn, tp], of several classes a row for each label, for business_value and business_value_per_row.",
        ),
        shared_arguments::COLUMN_THRESHOLDS,
        shared_arguments::DIRECTION,
        shared_arguments::CONFIDENCE_LEVEL,
        shared_arguments::NAME,
    ],
    positional: 2,
    example: "SELECT chunk, metric, value, labelled_count, alert\n\
              FROM realized_performance(reference, analysis, labels => labels, key => id, chunk => INTERVAL '1 month', metrics => 'f1')\n\
              WHERE dataset = 'analysis'",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let by = by_columns(call)?;
    let (reference, mut analysis) = Side::reference_and_analysis(call)?;
    with_labels(call, &mut analysis)?;
    let problem = Problem::read(call, &[&reference, &analysis])?;
    let reference = labelled_profiles(call, reference, &by, problem)?;
    let analysis = labelled_profiles(call, analysis, &by, problem)?;
    let names: Vec<String> = by.into_iter().map(|(name, _)| name).collect();
    let asked = match problem {
        Problem::Binary => {
            let has_prediction = reference.has_prediction && analysis.has_prediction;
            let has_score = reference.has_score && analysis.has_score;
            let metrics = metrics(call, has_prediction, has_score)?;
            Asked::new(call, &metrics, Metric::name)?
        }
        Problem::Multiclass => {
            let has_prediction = reference.has_prediction && analysis.has_prediction;
            let has_score = reference.has_score && analysis.has_score;
            Asked::of_classes(
                call,
                has_prediction,
                has_score,
                call.sql("value_matrix").is_some(),
            )?
        }
        Problem::Regression => Asked::of_regression(call)?,
    };
    let matrix = match problem {
        Problem::Multiclass => values_of(call, [&reference.classes, &analysis.classes])?,
        Problem::Binary | Problem::Regression => matrix_of(call)?,
    };
    let chunks = both_sides(call, reference.plan, analysis.plan, &names)?;
    let args = vec![
        column("profile"),
        texts_of(&asked.metrics),
        matrix,
        lit(confidence_level(call)?),
    ];
    let readings = scalar(call, "evaluate_realized", args)?;
    let evaluated = unnest_metrics(chunks, &names, readings)?;
    let judged = judge(call, evaluated, &names, &asked.thresholds)?;
    let function = call.function();
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

/// `value_matrix` of several classes as a literal list; the classes of both relations must be the same.
fn values_of(call: &mut Call, [reference, analysis]: [&Vec<String>; 2]) -> Result<Expr> {
    same_classes(call, reference, analysis)?;
    let classes = reference.len().max(analysis.len());
    if classes == 0 {
        return matrix_of(call);
    }
    let values = value_matrix(call, classes)?;
    Ok(lit(values.map_or(ScalarValue::Null, |values| {
        list_of_numbers(&values)
    })))
}

/// Chunk profiles of rows that have labels, and a score or a prediction.
fn labelled_profiles(
    call: &mut Call,
    side: Side,
    by: &[(String, SqlExpr)],
    problem: Problem,
) -> Result<ChunkProfiles> {
    if side.is_stored() {
        if call.sql("weight").is_some() {
            return plan_err!(
                "{}: argument 'weight' cannot be applied to stored profiles, whose rows are counted already. Expected rows as '{}'",
                call.function(),
                side.argument
            );
        }
        return chunk_profiles(call, side, by, problem);
    }
    let mut roles = Roles::resolve(call, &side, problem)?.with_weight(call, &side)?;
    let (function, dataset) = (call.function(), side.dataset);
    let names = column_names(side.schema());
    if roles.label.is_none() {
        return plan_err!(
            "{function}: the {dataset} relation has no column 'y_true'. Expected labels. Hint: label => <column>, or \
             labels => <relation>, key => <column>. {}",
            expected_one_of("y_true", &names)
        );
    }
    if problem == Problem::Regression && roles.prediction.is_none() {
        return plan_err!(
            "{function}: the {dataset} relation has no column 'y_pred'. Expected a prediction. Hint: prediction => <column>. {}",
            expected_one_of("y_pred", &names)
        );
    }
    if roles.score.is_none() && roles.by_class.scores.is_empty() && roles.prediction.is_none() {
        return plan_err!(
            "{function}: the {dataset} relation has neither a column 'y_pred_proba' nor 'y_pred'. Expected a score or a \
             prediction. Hint: score => <column>. {}",
            expected_one_of("y_pred_proba", &names)
        );
    }
    delayed(call, &side, &mut roles)?;
    profiles_of(call, side, by, roles, problem)
}
