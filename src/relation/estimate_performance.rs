//! `estimate_performance`: performance per chunk before the labels arrive.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinType, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::RelationSpec;
use super::arguments::Call;
use super::by::{by_columns, comparable_groups};
use super::chunked::CHUNK_COLUMNS;
use super::comparable::{COMPARABLE, is_comparable};
use super::estimate_classes;
use super::estimate_regression;
use super::late_labels::with_labels;
use super::problem::{CLASSES, PROBLEM_TYPE, Problem, named_metrics};
use super::profiles::chunk_profiles;
use super::result::{judge, shared_shape};
use super::roles::column;
use super::session_functions::{is_reference, over_all, scalar};
use super::shared_arguments;
use super::side::Side;
use super::stored::common_time;
use super::threshold_arguments::thresholds;
use crate::kernel::metric::Metric;

pub static SPEC: RelationSpec = RelationSpec {
    name: "estimate_performance",
    description: "Performance of a classifier (CBPE) or a regression (direct loss estimation) per chunk, estimated without labels, with error bars, thresholds \
                  of a stated false-alarm rate, and the realized value beside it where labels are known.",
    arguments: &[
        (
            "reference",
            "Rows with labels on which the model was accepted, or their profiles.",
        ),
        ("analysis", "Rows to be judged, or their profiles."),
        (
            "score",
            "Score, higher for the positive class, or a struct of scores by class; default: column y_pred_proba.",
        ),
        (
            "prediction",
            "Predicted class, 0/1 or boolean, or the name of one of several; default: column y_pred, if there.",
        ),
        (
            "label",
            "Realized class, 0/1 or boolean, or the name of one of several, NULL where not known; default: column y_true.",
        ),
        shared_arguments::LABELS,
        shared_arguments::KEY,
        shared_arguments::LABEL_DELAY,
        shared_arguments::TIMESTAMP,
        PROBLEM_TYPE,
        CLASSES,
        (
            "positive_label",
            "The value of label that stands for the positive class, and of a prediction that is a text.",
        ),
        (
            "by",
            "Columns that group the rows; each group has its own calibrator and thresholds.",
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
        (
            "columns",
            "Of a regression: columns from which its losses are learnt, besides the prediction; default: all that have no other \
             part in the call.",
        ),
        shared_arguments::EXCLUDE,
        shared_arguments::TREAT_AS_CATEGORICAL,
        shared_arguments::TREAT_AS_CONTINUOUS,
        (
            "calibrate",
            "'auto' (default), 'always' or 'never'; of several classes also a list, in their order.",
        ),
        shared_arguments::THRESHOLDS,
        (
            "direction",
            "'both' (default) or 'worse': on which side a value alerts.",
        ),
        ("confidence_level", "Of the bounds; default: 0.95."),
        COMPARABLE,
        shared_arguments::NAME,
    ],
    positional: 2,
    example: "SELECT chunk, metric, value, lower_bound, upper_bound, alert\n\
              FROM estimate_performance(reference, analysis, chunk => INTERVAL '1 month', metrics => ['roc_auc', 'f1'])\n\
              WHERE dataset = 'analysis'",
    expand,
};

/// Squares of a value, which its errors need, and their sums over any number of rows stay finite.
const GREATEST_VALUE: f64 = 1e100;

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let by = by_columns(call)?;
    let (reference, mut analysis) = Side::reference_and_analysis(call)?;
    with_labels(call, &mut analysis)?;
    match Problem::read(call, &[&reference, &analysis])? {
        Problem::Multiclass => return estimate_classes::expand(call, &by, [reference, analysis]),
        Problem::Regression => {
            return estimate_regression::expand(call, &by, [reference, analysis]);
        }
        Problem::Binary => (),
    }
    let reference = chunk_profiles(call, reference, &by, Problem::Binary)?;
    let analysis = chunk_profiles(call, analysis, &by, Problem::Binary)?;
    let names: Vec<String> = by.into_iter().map(|(name, _)| name).collect();
    let has_prediction = reference.has_prediction && analysis.has_prediction;
    let metrics = metrics(call, has_prediction, true)?;
    let thresholds = thresholds(call, &metrics)?;
    let chunks = both_sides(call, reference.plan, analysis.plan, &names)?;
    let fitted = fit(call, chunks, &names)?;
    let evaluated = evaluate(call, fitted, &names, &metrics)?;
    let judged = judge(call, evaluated, &names, &thresholds)?;
    let function = call.function();
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

/// The chunks of both relations under one another, at least one of the analysis where there are no groups.
pub fn both_sides(
    call: &Call,
    reference: LogicalPlan,
    analysis: LogicalPlan,
    by: &[String],
) -> Result<LogicalPlanBuilder> {
    both_sides_of(call, reference, analysis, by, &CHUNK_COLUMNS)
}

/// The same for chunks of these columns.
pub fn both_sides_of(
    call: &Call,
    reference: LogicalPlan,
    analysis: LogicalPlan,
    by: &[String],
    columns: &[&str],
) -> Result<LogicalPlanBuilder> {
    let sides = [
        ("reference", reference.schema().as_ref()),
        ("analysis", analysis.schema().as_ref()),
    ];
    comparable_groups(call, sides, by)?;
    let analysis = match by.is_empty() {
        true => at_least_one(analysis, columns)?,
        // without rows it is not known which groups there should be
        false => analysis,
    };
    union(reference, analysis, by, columns)
}

/// The chunks or, where a relation has no rows, one chunk of none: a report on an empty table says so by a status
/// instead of looking healthy.
fn at_least_one(chunks: LogicalPlan, columns: &[&str]) -> Result<LogicalPlan> {
    let columns = columns.iter().map(|&name| match name {
        "row_count" => coalesce(vec![column(name), lit(0i64)]).alias(name),
        "complete" | "dealt" => coalesce(vec![column(name), lit(false)]).alias(name),
        _ => column(name),
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::empty(true)
        .project(vec![lit(1i64).alias("__one")])?
        .join_on(chunks, JoinType::Left, [lit(true)])?
        .project(columns)?
        .build()
}

/// A bound of a chunk as `time`; one without a zone is UTC, beside one with a zone.
fn instant(plan: &LogicalPlan, name: &str, time: &DataType) -> Expr {
    let naive = matches!(
        plan.schema()
            .field_with_unqualified_name(name)
            .map(|field| field.data_type()),
        Ok(DataType::Timestamp(_, None))
    );
    match time {
        DataType::Timestamp(unit, Some(_)) if naive => {
            let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
            cast(cast(column(name), utc), time.clone())
        }
        _ => cast(column(name), time.clone()),
    }
}

/// Both relations under one another, told apart by `dataset`.
pub fn union(
    reference: LogicalPlan,
    analysis: LogicalPlan,
    by: &[String],
    columns: &[&str],
) -> Result<LogicalPlanBuilder> {
    let time = common_time(reference.schema(), analysis.schema());
    let side = |plan: LogicalPlan, dataset: &str| {
        let columns = columns.iter().map(|&name| match name {
            "chunk_start" | "chunk_end" => instant(&plan, name, &time).alias(name),
            _ => column(name),
        });
        let names = by.iter().map(|name| column(name));
        let columns: Vec<Expr> = names
            .chain([lit(dataset).alias("dataset")])
            .chain(columns)
            .collect();
        LogicalPlanBuilder::from(plan).project(columns)?.build()
    };
    let analysis = side(analysis, "analysis")?;
    LogicalPlanBuilder::from(side(reference, "reference")?).union(analysis)
}

/// `calibrate`, checked.
fn calibration_word(call: &mut Call) -> Result<String> {
    match calibration_words(call)?.as_slice() {
        [word] => Ok(word.clone()),
        words => plan_err!(
            "{}: argument 'calibrate' has {} words. Expected one: 'auto', 'always' or 'never'",
            call.function(),
            words.len()
        ),
    }
}

/// The words of `calibrate`, checked; 'auto' without it.
pub fn calibration_words(call: &mut Call) -> Result<Vec<String>> {
    let function = call.function();
    let words = call
        .words("calibrate")?
        .unwrap_or_else(|| vec!["auto".into()]);
    let unknown = words
        .iter()
        .find(|word| !["auto", "always", "never"].contains(&word.as_str()));
    match unknown {
        None => Ok(words),
        Some(word) => plan_err!(
            "{function}: argument 'calibrate' is '{word}'. Expected 'auto', 'always' or 'never'"
        ),
    }
}

/// The fitted reference beside every chunk of its group.
fn fit(call: &mut Call, chunks: LogicalPlanBuilder, by: &[String]) -> Result<LogicalPlanBuilder> {
    let mode = calibration_word(call)?;
    let args = vec![
        column("profile"),
        column("chunk_index"),
        is_reference(),
        lit(mode),
    ];
    let partition: Vec<&str> = by.iter().map(String::as_str).collect();
    let fitted = over_all(call, "fit_reference", args, &partition)?;
    chunks.window(vec![fitted.alias("__reference")])
}

/// One row for each metric of each chunk.
fn evaluate(
    call: &mut Call,
    fitted: LogicalPlanBuilder,
    by: &[String],
    metrics: &[Metric],
) -> Result<LogicalPlanBuilder> {
    let mut args = vec![
        column("profile"),
        column("__reference"),
        column("chunk_index"),
        is_reference(),
        texts_of(
            &metrics
                .iter()
                .map(|metric| metric.name())
                .collect::<Vec<_>>(),
        ),
        matrix_of(call)?,
        lit(confidence_level(call)?),
    ];
    args.extend(is_comparable(call)?.then(|| lit(true)));
    let readings = scalar(call, "evaluate_performance", args)?;
    unnest_metrics(fitted, by, readings)
}

/// Names of metrics as a literal list.
pub fn texts_of(metrics: &[&str]) -> Expr {
    let texts = metrics
        .iter()
        .map(|name| ScalarValue::from(*name))
        .collect::<Vec<_>>();
    lit(ScalarValue::List(ScalarValue::new_list_nullable(
        &texts,
        &DataType::Utf8,
    )))
}

/// `value_matrix` as a literal list.
pub fn matrix_of(call: &mut Call) -> Result<Expr> {
    Ok(lit(match call.numbers("value_matrix")? {
        None => ScalarValue::Null,
        Some(numbers) => list_of_numbers(&numbers),
    }))
}

/// Numbers as a list.
pub fn list_of_numbers(numbers: &[f64]) -> ScalarValue {
    let numbers: Vec<ScalarValue> = numbers.iter().copied().map(ScalarValue::from).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&numbers, &DataType::Float64))
}

/// One row for each element of the `readings` of a chunk.
pub fn unnest_metrics(
    chunks: LogicalPlanBuilder,
    by: &[String],
    readings: Expr,
) -> Result<LogicalPlanBuilder> {
    let names = described(by);
    let columns: Vec<Expr> = names.clone().chain([readings.alias("__reading")]).collect();
    let unnested = chunks.project(columns)?.unnest_column("__reading")?;
    let fields = crate::functions::EVALUATION_FIELDS
        .iter()
        .map(|field| get_field(column("__reading"), field.name().as_str()).alias(field.name()));
    unnested.project(names.chain(fields).collect::<Vec<_>>())
}

/// A row for the only `reading` of a chunk.
pub fn with_reading(
    chunks: LogicalPlanBuilder,
    by: &[String],
    reading: Expr,
) -> Result<LogicalPlanBuilder> {
    let names = described(by);
    let columns: Vec<Expr> = names.clone().chain([reading.alias("__reading")]).collect();
    // fields of a struct are its columns then; `get_field` here, below the windows, and above an outer join, is what
    // the optimizer of DataFusion 55.2 cannot move (push_down_leaf_projections: duplicate unqualified field name)
    let unnested = chunks.project(columns)?.unnest_column("__reading")?;
    let fields = crate::functions::EVALUATION_FIELDS.iter();
    let fields =
        fields.map(|field| column(&format!("__reading.{}", field.name())).alias(field.name()));
    unnested.project(names.chain(fields).collect::<Vec<_>>())
}

/// The columns of a chunk without its profile.
fn described(by: &[String]) -> impl Iterator<Item = Expr> + Clone {
    let chunk = CHUNK_COLUMNS.iter().filter(|name| **name != "profile");
    let chunk = ["dataset"].into_iter().chain(chunk.copied());
    by.iter().map(String::as_str).chain(chunk).map(column)
}

/// The value of each outcome, if it is given.
fn value_matrix(call: &mut Call) -> Result<Option<Vec<f64>>> {
    let function = call.function();
    let matrix = call.numbers("value_matrix")?;
    if let Some(matrix) = &matrix
        && matrix.len() != 4
    {
        return plan_err!(
            "{function}: argument 'value_matrix' has {} numbers. Expected four: [tn, fp, fn, tp]",
            matrix.len()
        );
    }
    if let Some(value) = matrix.iter().flatten().find(|v| v.abs() > GREATEST_VALUE) {
        return plan_err!(
            "{function}: argument 'value_matrix' holds {value:e}, and sums of it are beyond all numbers. \
             Expected values of at most {GREATEST_VALUE:e}. Hint: state them in a larger unit"
        );
    }
    Ok(matrix)
}

/// The metrics that are asked for, or all that the columns allow.
pub fn metrics(call: &mut Call, has_prediction: bool, has_score: bool) -> Result<Vec<Metric>> {
    let function = call.function();
    let matrix = value_matrix(call)?;
    let all = || -> Vec<Metric> {
        let applies = |m: &Metric| {
            (matrix.is_some() || !m.needs_value_matrix())
                && (has_prediction || !m.needs_prediction())
                && (has_score || m.needs_prediction())
        };
        Metric::ALL.into_iter().filter(applies).collect()
    };
    let default = all();
    let metrics = named_metrics(call, &default, &default)?;
    if metrics.is_empty() {
        return plan_err!(
            "{function}: one relation has no score and the other no prediction, so there is no metric of both. \
             Expected y_pred_proba or y_pred in both. Hint: score => <column>"
        );
    }
    for &metric in &metrics {
        if metric.needs_value_matrix() && matrix.is_none() {
            return plan_err!(
                "{function}: metric {metric} needs the value of each outcome. Expected value_matrix. \
                 Hint: value_matrix => [0, -10, -50, 100] for [tn, fp, fn, tp]"
            );
        }
        if metric.needs_prediction() && !has_prediction {
            return plan_err!(
                "{function}: metric {metric} needs a prediction, and a relation has no column 'y_pred'. \
                 Expected prediction. Hint: prediction => <column>, or prediction => y_pred_proba >= 0.5"
            );
        }
        if !metric.needs_prediction() && !has_score {
            return plan_err!(
                "{function}: metric {metric} needs a score, and a relation has no column 'y_pred_proba'. \
                 Expected score. Hint: score => <column>"
            );
        }
    }
    Ok(metrics)
}

pub fn confidence_level(call: &mut Call) -> Result<f64> {
    let function = call.function();
    match call.number("confidence_level")? {
        None => Ok(call.options().confidence_level),
        Some(level) if level > 0.0 && level < 1.0 => Ok(level),
        Some(level) => plan_err!(
            "{function}: argument 'confidence_level' is {level}. Expected a number between 0 and 1, such as 0.95"
        ),
    }
}
