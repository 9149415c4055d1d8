//! What kind of model a call is about.
use datafusion::common::{Result, plan_err};

use super::arguments::{Call, fields};
use super::threshold_arguments::{metric_of, thresholds};
use crate::kernel::metric::Metric;
use crate::kernel::regression::RegressionMetric;
use crate::kernel::threshold_text::Judged;
use crate::suggest::expected_one_of;

/// Name and meaning of the argument that says it.
pub const PROBLEM_TYPE: (&str, &str) = (
    "problem_type",
    "'binary' (default) or 'regression'; without it a metric of regression says so, too.",
);

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// One of two classes.
    Binary,
    /// A number.
    Regression,
}

const NAMES: [&str; 2] = ["binary", "regression"];

impl Problem {
    /// As `problem_type` says, or else as the metrics do.
    pub fn read(call: &mut Call) -> Result<Self> {
        match call.text("problem_type")?.as_deref() {
            Some("binary") => return Ok(Self::Binary),
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
        let mut names = call.words("metrics")?.unwrap_or_default();
        let judged = call.sql("thresholds").as_ref().and_then(fields);
        names.extend(judged.into_iter().flatten().map(|(name, _)| name));
        let is_regression = |name: &String| {
            RegressionMetric::parse(name).is_some() && Metric::parse(name).is_none()
        };
        Ok(match names.iter().any(is_regression) {
            true => Self::Regression,
            false => Self::Binary,
        })
    }
}

/// Metrics that a call asks for, and how they are judged.
pub struct Asked {
    /// Their names, in the order in which results list them.
    pub metrics: Vec<&'static str>,
    /// Their thresholds as text.
    pub thresholds: String,
}

impl Asked {
    /// With the thresholds of the call.
    pub fn new<M: Judged>(
        call: &mut Call,
        metrics: &[M],
        name: fn(M) -> &'static str,
    ) -> Result<Self> {
        Ok(Self {
            metrics: metrics.iter().map(|metric| name(*metric)).collect(),
            thresholds: thresholds(call, metrics)?.to_string(),
        })
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
