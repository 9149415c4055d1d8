//! `realized_performance`: performance per chunk from labels.
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::RelationSpec;
use super::arguments::Call;
use super::by::by_columns;
use super::challenger;
use super::class_roles::value_matrix;
use super::clusters::Clusters;
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
        shared_arguments::WEIGHT,
        (
            "cluster",
            "Which rows belong together, such as a customer; default: rows are independent. Errors are then those of clusters that \
             were drawn, values are the same; NULL is one cluster.",
        ),
        challenger::SCORE,
        challenger::PREDICTION,
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
        shared_arguments::THRESHOLDS,
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
    let reference = Labelled::read(call, reference, problem)?;
    let analysis = Labelled::read(call, analysis, problem)?;
    let asked = asked(call, problem, [&reference, &analysis])?;
    let matrix = match problem {
        Problem::Multiclass => values_of(call, [reference.classes(), analysis.classes()])?,
        Problem::Binary | Problem::Regression => matrix_of(call)?,
    };
    let metrics = texts_of(&asked.metrics);
    let wanted = Wanted {
        metrics: metrics.clone(),
        differences: texts_of(&asked.differences),
        matrix: matrix.clone(),
    };
    let reference = reference.profiles(call, &by, problem, &wanted)?;
    let analysis = analysis.profiles(call, &by, problem, &wanted)?;
    let names: Vec<String> = by.into_iter().map(|(name, _)| name).collect();
    let chunks = both_sides(call, reference.plan, analysis.plan, &names)?;
    let args = vec![
        column("profile"),
        metrics,
        matrix,
        lit(confidence_level(call)?),
    ];
    let readings = scalar(call, "evaluate_realized", args)?;
    let evaluated = unnest_metrics(chunks, &names, readings)?;
    let judged = judge(call, evaluated, &names, &asked.thresholds)?;
    let function = call.function();
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

/// The metrics that both relations allow.
fn asked(call: &mut Call, problem: Problem, sides: [&Labelled; 2]) -> Result<Asked> {
    let both = |of: fn(&Roles) -> bool| {
        let roles = sides.iter().filter_map(|side| side.roles.as_ref());
        roles.into_iter().all(of)
    };
    let has_prediction = both(|roles| roles.prediction.is_some());
    let has_score = both(|roles| roles.score.is_some() || !roles.by_class.scores.is_empty());
    match problem {
        Problem::Binary => {
            let metrics = metrics(call, has_prediction, has_score)?;
            Asked::of_binary(call, &metrics)
        }
        Problem::Multiclass => {
            let has_values = call.sql("value_matrix").is_some();
            Asked::of_classes(call, has_prediction, has_score, has_values)
        }
        Problem::Regression => Asked::of_regression(call),
    }
}

/// `value_matrix` of several classes as a literal list; the classes of both relations must be the same.
fn values_of(call: &mut Call, [reference, analysis]: [&[String]; 2]) -> Result<Expr> {
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

/// What is asked of the chunks of a relation.
struct Wanted {
    /// Names of metrics as a list.
    metrics: Expr,
    /// Of those whose difference to a challenger is asked for.
    differences: Expr,
    matrix: Expr,
}

/// A relation of rows with labels, and a score or a prediction; or of their profiles.
struct Labelled {
    side: Side,
    /// `None` of profiles.
    roles: Option<Roles>,
}

impl Labelled {
    fn read(call: &mut Call, side: Side, problem: Problem) -> Result<Self> {
        if side.is_stored() {
            let of_rows = [
                "weight",
                "cluster",
                challenger::SCORE.0,
                challenger::PREDICTION.0,
            ];
            if let Some(name) = of_rows.into_iter().find(|name| call.sql(name).is_some()) {
                return plan_err!(
                    "{}: argument '{name}' cannot be applied to stored profiles, whose rows are counted already. Expected rows as '{}'",
                    call.function(),
                    side.argument
                );
            }
            return Ok(Self { side, roles: None });
        }
        let mut roles = Roles::resolve(call, &side, problem)?
            .with_weight(call, &side)?
            .with_challenger(call, &side, problem)?;
        require_outcome(call, &side, &roles, problem)?;
        delayed(call, &side, &mut roles)?;
        let roles = Some(roles);
        Ok(Self { side, roles })
    }

    /// Names of the classes; those of stored profiles are not known yet.
    fn classes(&self) -> &[String] {
        let roles = self.roles.as_ref();
        roles.map_or(&[], |roles| roles.by_class.classes.as_slice())
    }

    /// Its chunk profiles; of clusters and of a challenger, with what they tell of what is wanted.
    fn profiles(
        self,
        call: &mut Call,
        by: &[(String, SqlExpr)],
        problem: Problem,
        wanted: &Wanted,
    ) -> Result<ChunkProfiles> {
        let Some(mut roles) = self.roles else {
            return chunk_profiles(call, self.side, by, problem);
        };
        if let Some(sql) = call.sql("cluster") {
            roles.clusters = Some(Clusters {
                cluster: call.resolve("cluster", sql, self.side.schema())?,
                metrics: wanted.metrics.clone(),
                matrix: wanted.matrix.clone(),
            });
            roles.weight.get_or_insert_with(|| lit(1.0));
        }
        if let Some(challenger) = &mut roles.challenger {
            challenger.asked = Some([wanted.differences.clone(), wanted.matrix.clone()]);
        }
        profiles_of(call, self.side, by, roles, problem)
    }
}

/// Refuses rows without labels, or with neither a score nor a prediction.
fn require_outcome(call: &Call, side: &Side, roles: &Roles, problem: Problem) -> Result<()> {
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
    Ok(())
}
