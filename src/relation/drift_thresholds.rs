//! The thresholds of drift: limits of distances, or a false discovery rate over the columns of a chunk.
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, lit, when};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Function};

use super::arguments::{Call, arguments_of, fields, is_named};
use super::result::alert;
use super::roles::column;
use super::season::refuse_season;
use super::session_functions::is_reference;
use super::threshold_arguments::{metric_of, require_computed, thresholds};
use crate::kernel::drift::DriftMetric;
use crate::kernel::threshold_text::Thresholds;

/// `fdr(rate, min_effect)`: among the columns of a chunk that alert, at most this share is expected to alert by chance.
#[derive(Debug, Clone, Copy)]
struct DiscoveryRate {
    metric: DriftMetric,
    rate: f64,
    /// A smaller distance is no alert, however sure.
    min_effect: Option<f64>,
}

/// How alerts of drift come about.
pub struct DriftThresholds {
    /// For metrics that are judged by limits.
    pub limits: Thresholds<DriftMetric>,
    discovery: Vec<DiscoveryRate>,
}

impl DriftThresholds {
    /// Reads `thresholds`.
    pub fn read(call: &mut Call, metrics: &[DriftMetric]) -> Result<Self> {
        refuse_season(call)?;
        let mut discovery = Vec::new();
        let Some(sql) = call.sql("thresholds") else {
            return Ok(Self {
                limits: thresholds(call, metrics)?,
                discovery,
            });
        };
        if let Some(function) = discovery_rate(&sql) {
            for &metric in metrics {
                discovery.push(Self::one(call, metric, function)?);
            }
            return Ok(Self {
                limits: Thresholds::default(),
                discovery,
            });
        }
        for (name, sql) in fields(&sql).unwrap_or_default() {
            if let Some(function) = discovery_rate(&sql) {
                let metric = metric_of::<DriftMetric>(call.function(), "thresholds", &name)?;
                require_computed(call, metric, metrics)?;
                discovery.push(Self::one(call, metric, function)?);
            }
        }
        if !discovery.is_empty() {
            call.leave_out("thresholds", |sql| discovery_rate(sql).is_none());
        }
        Ok(Self {
            limits: thresholds(call, metrics)?,
            discovery,
        })
    }

    fn one(call: &mut Call, metric: DriftMetric, function: &Function) -> Result<DiscoveryRate> {
        let told = call.function();
        let mut numbers = Vec::new();
        for argument in arguments_of(function).unwrap_or_default() {
            let value = call.constant_of("thresholds", argument)?;
            match value.cast_to(&datafusion::arrow::datatypes::DataType::Float64) {
                Ok(ScalarValue::Float64(number)) => numbers.push(number),
                _ => numbers.push(Some(f64::NAN)),
            }
        }
        let (rate, min_effect) = match numbers.as_slice() {
            [Some(rate)] => (*rate, None),
            [Some(rate), min_effect] => (*rate, *min_effect),
            _ => (f64::NAN, None),
        };
        let sensible = rate > 0.0 && rate < 1.0 && min_effect.is_none_or(|least| least >= 0.0);
        if !sensible {
            return plan_err!(
                "{told}: argument 'thresholds' is `{function}`. Expected fdr(rate) or fdr(rate, min_effect) with a rate \
                 between 0 and 1 and a distance of at least 0. Hint: fdr(0.05, 0.1)"
            );
        }
        Ok(DiscoveryRate {
            metric,
            rate,
            min_effect,
        })
    }

    /// A limit of `evaluate_drift`, unless the metric is judged by a discovery rate.
    pub fn limit(&self, name: &str) -> Result<Expr> {
        let mut limit = column(name);
        for judged in &self.discovery {
            let least = judged.min_effect.filter(|_| name == "upper_threshold");
            limit = when(of(judged.metric), lit(ScalarValue::Float64(least))).otherwise(limit)?;
        }
        Ok(limit)
    }

    /// The alerts, where a metric is judged by a discovery rate.
    pub fn alert(&self) -> Result<Option<Expr>> {
        if self.discovery.is_empty() {
            return Ok(None);
        }
        let mut found = alert()?;
        for judged in &self.discovery {
            let not_judged = is_reference()
                .or(column("complete").is_not_true())
                .or(column("value").is_null())
                .or(column("q_value").is_null());
            let mut sure = column("q_value").lt(lit(judged.rate));
            if let Some(least) = judged.min_effect {
                sure = sure.and(column("value").gt(lit(least)));
            }
            let own = when(not_judged, lit(ScalarValue::Boolean(None))).otherwise(sure)?;
            found = when(of(judged.metric), own).otherwise(found)?;
        }
        Ok(Some(found))
    }
}

fn of(metric: DriftMetric) -> Expr {
    column("metric").eq(lit(metric.name()))
}

fn discovery_rate(sql: &SqlExpr) -> Option<&Function> {
    match sql {
        SqlExpr::Nested(inner) => discovery_rate(inner),
        SqlExpr::Function(function) if is_named(function, "fdr") => Some(function),
        _ => None,
    }
}
