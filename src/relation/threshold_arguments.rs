//! `thresholds` and `direction` of a call.
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Function};

use super::arguments::{Call, arguments_of, fields};
use super::season::without_season;
use crate::kernel::threshold::{MetricScale, Threshold};
use crate::kernel::threshold_text::{Judged, Thresholds};
use crate::suggest::expected_one_of;

/// The kinds that every function has.
const KINDS: [&str; 3] = ["false_alarm_rate", "stddev", "constant"];

/// Reads `thresholds => kind(...)` or `thresholds => {'metric': kind(...)}`.
pub fn thresholds<M: Judged>(call: &mut Call, metrics: &[M]) -> Result<Thresholds<M>> {
    let rate = call.options().false_alarm_rate;
    let mut thresholds = Thresholds {
        by_metric: vec![],
        default: Threshold::false_alarm_rate(rate).map_err(|e| refuse(call.function(), &e))?,
    };
    let Some(sql) = call.sql("thresholds") else {
        return Ok(thresholds);
    };
    let Some(entries) = fields(&sql) else {
        thresholds.default = one(call, &sql)?;
        for &metric in metrics {
            check(call, metric, &thresholds.default)?;
        }
        return Ok(thresholds);
    };
    for (name, sql) in entries {
        let metric = metric_of::<M>(call.function(), "thresholds", &name)?;
        require_computed(call, metric, metrics)?;
        let threshold = one(call, &sql)?;
        check(call, metric, &threshold)?;
        if thresholds
            .by_metric
            .iter()
            .any(|(given, _)| *given == metric)
        {
            return plan_err!(
                "{}: argument 'thresholds' names {metric} twice. Expected each metric once",
                call.function()
            );
        }
        thresholds.by_metric.push((metric, threshold));
    }
    Ok(thresholds)
}

/// The same for a function whose only metric is `name`.
pub fn thresholds_of(call: &mut Call, name: &str, scale: &MetricScale) -> Result<Thresholds> {
    let rate = call.options().false_alarm_rate;
    let function = call.function();
    let default = match call.sql("thresholds") {
        None => Threshold::false_alarm_rate(rate).map_err(|e| refuse(function, &e))?,
        Some(sql) => match fields(&sql).as_deref() {
            None => one(call, &sql)?,
            Some([(given, sql)]) if given == name => one(call, sql)?,
            Some(_) => {
                return plan_err!(
                    "{function}: argument 'thresholds' is `{sql}`, and the only metric is {name}. \
                     Expected a threshold, or {{'{name}': ...}}"
                );
            }
        },
    };
    let fits = default.fits(scale);
    fits.map_err(|e| plan_datafusion_err!("{function}: argument 'thresholds' for {name}: {e}"))?;
    Ok(Thresholds {
        by_metric: vec![],
        default,
    })
}

/// Limits of a metric that nobody asked for would be ignored.
pub fn require_computed<M: Judged>(call: &Call, metric: M, metrics: &[M]) -> Result<()> {
    if metrics.contains(&metric) {
        return Ok(());
    }
    let names: Vec<String> = metrics.iter().map(M::to_string).collect();
    plan_err!(
        "{}: argument 'thresholds' has limits for {metric}, which is not computed. Expected one of: {}. \
         Hint: name {metric} in metrics too",
        call.function(),
        names.join(", ")
    )
}

fn check<M: Judged>(call: &Call, metric: M, threshold: &Threshold) -> Result<()> {
    let fits = threshold.fits(&metric.scale());
    fits.map_err(|e| {
        plan_datafusion_err!(
            "{}: argument 'thresholds' for {metric}: {e}",
            call.function()
        )
    })
}

/// The metric of a name, or an error with the nearest.
pub fn metric_of<M: Judged>(function: &str, argument: &str, name: &str) -> Result<M> {
    match M::parse(name) {
        Some(metric) => Ok(metric),
        None => plan_err!(
            "{function}: argument '{argument}' names the unknown metric '{name}'. {}",
            expected_one_of(name, &M::names())
        ),
    }
}

fn refuse(function: &str, error: &dyn std::fmt::Display) -> datafusion::error::DataFusionError {
    plan_datafusion_err!("{function}: argument 'thresholds': {error}")
}

fn one(call: &mut Call, sql: &SqlExpr) -> Result<Threshold> {
    let function = call.function();
    match sql {
        SqlExpr::Nested(inner) => one(call, inner),
        SqlExpr::Function(kind) => of_kind(call, kind),
        other => plan_err!(
            "{function}: argument 'thresholds' is `{other}`. Expected false_alarm_rate(rate), stddev(k) or \
             constant(lower, upper). A cut-off that turns a score into a class belongs to the prediction. \
             Hint: prediction => score >= 0.5, thresholds => constant(0.7, NULL)"
        ),
    }
}

fn of_kind(call: &mut Call, kind: &Function) -> Result<Threshold> {
    let function = call.function();
    let name = kind.name.to_string().to_ascii_lowercase();
    let mut numbers = Vec::new();
    for argument in arguments_of(&without_season(kind)).unwrap_or_default() {
        let value = call.constant_of("thresholds", argument.clone())?;
        let number = match value.cast_to(&datafusion::arrow::datatypes::DataType::Float64) {
            Ok(datafusion::common::ScalarValue::Float64(number)) => number,
            _ => {
                return plan_err!(
                    "{function}: argument 'thresholds' holds `{argument}`. Expected a number or NULL"
                );
            }
        };
        numbers.push(number);
    }
    let threshold = match (name.as_str(), numbers.as_slice()) {
        ("false_alarm_rate", [Some(rate)]) => Threshold::false_alarm_rate(*rate),
        ("stddev", [Some(k)]) => Threshold::standard_deviation(Some(*k), Some(*k)),
        ("stddev", [lower, upper]) => Threshold::standard_deviation(*lower, *upper),
        ("constant", [lower, upper]) => Threshold::constant(*lower, *upper),
        ("false_alarm_rate" | "stddev" | "constant", _) => {
            return plan_err!(
                "{function}: argument 'thresholds' is `{kind}`. Expected false_alarm_rate(rate), \
                 false_alarm_rate(rate, season => 'day_of_week'), stddev(k), stddev(lower_k, upper_k) or constant(lower, upper)"
            );
        }
        _ => {
            return plan_err!(
                "{function}: argument 'thresholds' names the unknown kind '{name}'. {}",
                expected_one_of(&name, &KINDS)
            );
        }
    };
    threshold.map_err(|e| refuse(function, &e))
}

/// Reads `direction`, checked.
pub fn direction(call: &mut Call) -> Result<String> {
    let function = call.function();
    match call.text("direction")? {
        None => Ok("both".into()),
        Some(word) if word == "both" || word == "worse" => Ok(word),
        Some(word) => plan_err!(
            "{function}: argument 'direction' is '{word}'. {}",
            expected_one_of(&word, &["both", "worse"])
        ),
    }
}
