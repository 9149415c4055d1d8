//! What kind of model a call is about, and the metrics that it asks for.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ExprSchemable;

use super::arguments::{Call, fields};
use super::challenger::{self, Outputs};
use super::side::Side;
use super::threshold_arguments::{metric_of, thresholds};
use crate::kernel::metric::Metric;
use crate::kernel::multiclass::MulticlassMetric;
use crate::kernel::performance::Compared;
use crate::kernel::regression::RegressionMetric;
use crate::kernel::threshold_text::Judged;
use crate::suggest::expected_one_of;

/// Name and meaning of the argument that says it.
pub const PROBLEM_TYPE: (&str, &str) = (
    "problem_type",
    "'binary', 'multiclass' or 'regression'; default: as scores by class, classes or a metric of regression say, else binary.",
);

/// Name and meaning of the argument that names classes where there are no scores.
pub const CLASSES: (&str, &str) = (
    "classes",
    "Of several classes: their names in order, where there are no scores by class.",
);

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
    /// A number.
    Regression,
}

const NAMES: [&str; 3] = ["binary", "multiclass", "regression"];

impl Problem {
    /// As `problem_type` says, or else as the score and the metrics do.
    pub fn read(call: &mut Call, sides: &[&Side]) -> Result<Self> {
        match call.text("problem_type")?.as_deref() {
            Some("binary") => return Ok(Self::Binary),
            Some("multiclass") => return Ok(Self::Multiclass),
            Some("regression") => return Ok(Self::Regression),
            Some(other) => {
                return plan_err!(
                    "{}: argument 'problem_type' is '{other}'. {}",
                    call.function(),
                    expected_one_of(other, &NAMES)
                );
            }
            None => (),
        }
        let names = metric_names(call)?;
        let only = |of: fn(&str) -> bool| {
            names
                .iter()
                .any(|name| of(name) && Metric::parse(name).is_none())
        };
        if call.sql("classes").is_some()
            || only(|name| MulticlassMetric::parse(name).is_some())
            || has_scores_by_class(call, sides)
        {
            return Ok(Self::Multiclass);
        }
        Ok(match only(|name| RegressionMetric::parse(name).is_some()) {
            true => Self::Regression,
            false => Self::Binary,
        })
    }
}

/// Metrics that `metrics` and `thresholds` name.
fn metric_names(call: &mut Call) -> Result<Vec<String>> {
    let mut names = call.words("metrics")?.unwrap_or_default();
    let judged = call.sql("thresholds").as_ref().and_then(fields);
    names.extend(judged.into_iter().flatten().map(|(name, _)| name));
    Ok(names)
}

/// Whether the score is a struct in a relation of rows; what is wrong with it is told where it is read.
fn has_scores_by_class(call: &mut Call, sides: &[&Side]) -> bool {
    let Some(sql) = call.sql("score") else {
        return false;
    };
    sides.iter().filter(|side| !side.is_stored()).any(|side| {
        let score = call.resolve("score", sql.clone(), side.schema());
        let kind = score.and_then(|score| score.get_type(side.schema()));
        matches!(kind, Ok(DataType::Struct(_)))
    })
}

/// Metrics that a call asks for, and how they are judged.
pub struct Asked {
    /// Their names, in the order in which results list them.
    pub metrics: Vec<&'static str>,
    /// Those whose difference between two models is asked for, too.
    pub differences: Vec<&'static str>,
    /// Their thresholds as text.
    pub thresholds: String,
}

impl Asked {
    /// With the thresholds of the call; `differs`: whether a challenger's outputs suffice for a metric.
    pub fn new<M: Judged>(
        call: &mut Call,
        metrics: &[M],
        name: fn(M) -> &'static str,
        differs: impl Fn(M) -> bool,
    ) -> Result<Self> {
        let differing = metrics.iter().copied().filter(|metric| differs(*metric));
        let differing: Vec<M> = differing.collect();
        let outputs = Outputs::of(call);
        if outputs.any() && differing.is_empty() {
            let names: Vec<String> = metrics.iter().map(M::to_string).collect();
            return plan_err!(
                "{}: none of the metrics ({}) can be told of what the challenger says. Expected {} for metrics of scores, {} for \
                 metrics of predictions",
                call.function(),
                names.join(", "),
                challenger::SCORE.0,
                challenger::PREDICTION.0
            );
        }
        let judged = metrics.iter().copied().map(Compared::Model);
        let judged = judged.chain(differing.iter().copied().map(Compared::Difference));
        let judged: Vec<Compared<M>> = judged.collect();
        Ok(Self {
            metrics: metrics.iter().map(|metric| name(*metric)).collect(),
            differences: differing.into_iter().map(name).collect(),
            thresholds: thresholds(call, &judged)?.to_string(),
        })
    }

    /// Of a classifier of two classes.
    pub fn of_binary(call: &mut Call, metrics: &[Metric]) -> Result<Self> {
        let outputs = Outputs::of(call);
        let differs = |metric: Metric| {
            let predicted = metric.needs_prediction();
            outputs.suffice(predicted, !predicted)
        };
        Self::new(call, metrics, Metric::name, differs)
    }

    /// Of a regression.
    pub fn of_regression(call: &mut Call) -> Result<Self> {
        let all = RegressionMetric::ALL;
        let metrics = named_metrics(call, &all, &all)?;
        let outputs = Outputs::of(call);
        let differs = |_| outputs.suffice(true, false);
        Self::new(call, &metrics, RegressionMetric::name, differs)
    }

    /// Of several classes; `matrix`: whether their values are given.
    pub fn of_classes(
        call: &mut Call,
        has_prediction: bool,
        has_score: bool,
        has_values: bool,
    ) -> Result<Self> {
        let function = call.function();
        let applies = |metric: &MulticlassMetric| {
            (has_values || !metric.needs_value_matrix())
                && (has_prediction || !metric.needs_prediction())
                && (has_score || !metric.needs_order())
        };
        let all: Vec<_> = MulticlassMetric::all().filter(applies).collect();
        let usual: Vec<_> = all
            .iter()
            .copied()
            .filter(|metric| metric.is_usual())
            .collect();
        let metrics = named_metrics(call, &usual, &all)?;
        let Some(missing) = metrics.iter().find(|metric| !applies(metric)) else {
            let outputs = Outputs::of(call);
            let differs = |metric: MulticlassMetric| {
                outputs.suffice(metric.needs_prediction(), metric.needs_order())
            };
            return Self::new(call, &metrics, MulticlassMetric::name, differs);
        };
        if missing.needs_value_matrix() && !has_values {
            return plan_err!(
                "{function}: metric {missing} needs the value of each label and prediction. Expected value_matrix. \
                 Hint: value_matrix => [[1, -1], [-1, 1]], a row for each label, a column for each prediction"
            );
        }
        match missing.needs_order() {
            true => plan_err!(
                "{function}: metric {missing} needs scores by class. Expected score. Hint: score => {{'basic': p_basic, 'pro': p_pro}}"
            ),
            false => plan_err!(
                "{function}: metric {missing} needs a prediction, and a relation has no column 'y_pred'. Expected prediction. \
                 Hint: prediction => <column>"
            ),
        }
    }
}

/// The metrics that `metrics` names: those of `default` without it, those of `all` for `'*'`.
pub fn named_metrics<M: Judged>(call: &mut Call, default: &[M], all: &[M]) -> Result<Vec<M>> {
    let function = call.function();
    let Some(names) = call.words("metrics")? else {
        return Ok(default.to_vec());
    };
    if names.iter().any(|name| name == "*") {
        return Ok(all.to_vec());
    }
    let mut metrics: Vec<M> = Vec::new();
    for name in &names {
        let metric = metric_of::<M>(function, "metrics", name)?;
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    if metrics.is_empty() {
        let some: Vec<&str> = M::names().into_iter().take(2).collect();
        return plan_err!(
            "{function}: argument 'metrics' is empty. Expected names, as in metrics => ['{}']",
            some.join("', '")
        );
    }
    Ok(metrics)
}
