//! `monitor_metric`: chunks, thresholds and alerts for an aggregate expression of the user's own.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::RelationSpec;
use super::arguments::{Call, elements};
use super::by::by_columns;
use super::custom_metric::{CustomMetric, ERROR, TOLD, VALUE, metric_columns};
use super::estimate_performance::{both_sides_of, confidence_level, with_reading};
use super::profiled::Profiled;
use super::result::{judge_on, shared_shape};
use super::roles::{Roles, column};
use super::rows::{Rows, require_rows};
use super::session_functions::scalar;
use super::shared_arguments;
use super::side::Side;
use super::threshold_arguments::{direction, thresholds_of};
use crate::chunk::Chunking;
use crate::kernel::custom_metric::Domain;
use crate::kernel::link::Link;
use crate::kernel::metric::Direction;
use crate::kernel::threshold::{MetricScale, Threshold};
use crate::kernel::threshold_text::Thresholds;
use crate::suggest::expected_one_of;

pub static SPEC: RelationSpec = RelationSpec {
    name: "monitor_metric",
    description: "Any aggregate expression per chunk, with thresholds of a stated false-alarm rate and alerts: what \
                  SELECT <metric> FROM analysis GROUP BY <chunk> gives, judged by its values on the reference.",
    arguments: &[
        ("reference", "Rows that say what is usual."),
        ("analysis", "Rows to be judged."),
        (
            "metric",
            "Aggregate expression, as in sum(x) / sum(y), with any aggregates of the session, FILTER, CASE and arithmetic.",
        ),
        (
            "sampling_error",
            "Aggregate expression: standard error of the metric from sampling rows, as in stddev(x) / sqrt(count(x)). Without \
             it there are no bounds, and limits come from the scatter of the reference chunks alone.",
        ),
        (
            "metric_name",
            "Text for column metric; default: the expression.",
        ),
        (
            "better",
            "'higher', 'lower' or 'neither' (default): the better side, for direction => 'worse'.",
        ),
        (
            "domain",
            "[lower, upper]: values that the metric can have, NULL for an open end; bounds and limits stay inside.",
        ),
        shared_arguments::TIMESTAMP,
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
            "thresholds",
            "false_alarm_rate(rate [, season => 'day_of_week']) (default), stddev(k) or constant(lower, upper).",
        ),
        shared_arguments::DIRECTION,
        shared_arguments::CONFIDENCE_LEVEL,
        shared_arguments::NAME,
    ],
    positional: 2,
    example: "SELECT chunk, value, upper_threshold, alert\n\
              FROM monitor_metric(reference, analysis, metric => sum(loss) / sum(amount), chunk => INTERVAL '1 month')\n\
              WHERE dataset = 'analysis'",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let by = by_columns(call)?;
    let names: Vec<String> = by.iter().map(|(name, _)| name.clone()).collect();
    let (reference, analysis) = Side::reference_and_analysis(call)?;
    let reference = Measured::read(call, reference)?;
    let analysis = Measured::read(call, analysis)?;
    let metric = metric_name(call)?;
    let scale = scale(call)?;
    let thresholds = thresholds_of(call, &metric, &scale)?;
    require_variation(call, &reference, &thresholds)?;
    let arguments = vec![
        lit(metric),
        column(TOLD),
        column(VALUE),
        column(ERROR),
        column("row_count"),
        domain_of(&scale),
        lit(confidence_level(call)?),
    ];
    let reference = reference.chunks(call, &by)?;
    let analysis = analysis.chunks(call, &by)?;
    let chunks = both_sides_of(call, reference, analysis, &names, &metric_columns())?;
    let reading = scalar(call, "evaluate_metric", arguments)?;
    let evaluated = with_reading(chunks, &names, reading)?;
    let judged = judge_on(call, evaluated, &names, &thresholds, Some(&scale))?;
    let function = call.function();
    shared_shape(call, judged, &names)?.alias(function)?.build()
}

/// One relation, before its chunks, and the metric over its columns.
struct Measured {
    rows: Rows,
    metric: CustomMetric,
}

impl Measured {
    fn read(call: &mut Call, side: Side) -> Result<Self> {
        let why = "of which an aggregate of rows cannot be computed";
        require_rows(call, &side, why)?;
        let mut metric = CustomMetric::read(call, &side)?;
        let timestamp = Roles::timestamp(call, &side)?;
        let rows = Rows::read(call, side, timestamp)?;
        if matches!(rows.chunking(), Chunking::Calendar(_)) {
            metric.told_by = "chunk_start";
        }
        Ok(Self { rows, metric })
    }

    fn chunks(self, call: &mut Call, by: &[(String, SqlExpr)]) -> Result<LogicalPlan> {
        let profiled = Profiled::Metric(Box::new(self.metric));
        self.rows.plan(call, by, profiled)
    }
}

/// `metric_name`, or the expression itself.
fn metric_name(call: &mut Call) -> Result<String> {
    match call.text("metric_name")? {
        Some(name) if name.trim().is_empty() => plan_err!(
            "{}: argument 'metric_name' is empty. Expected a name. Hint: metric_name => 'approval_rate'",
            call.function()
        ),
        Some(name) => Ok(name),
        None => Ok(call
            .sql("metric")
            .map_or_else(String::new, |sql| sql.to_string())),
    }
}

/// What a threshold must know about the metric: `better` and `domain`.
fn scale(call: &mut Call) -> Result<MetricScale> {
    let function = call.function();
    let better = match call.text("better")? {
        Some(word) => match Direction::parse(&word) {
            Some(better) => better,
            None => {
                return plan_err!(
                    "{function}: argument 'better' is '{word}'. {}",
                    expected_one_of(&word, &Direction::NAMES)
                );
            }
        },
        None if direction(call)? == "worse" => {
            return plan_err!(
                "{function}: argument 'direction' is 'worse', and nothing tells which side is worse. \
                 Expected better. Hint: better => 'higher' where a high value is good, or better => 'lower'"
            );
        }
        None => Direction::Neither,
    };
    let domain = domain(call)?;
    Ok(MetricScale {
        link: Link::Identity,
        lower: domain.lower,
        upper: domain.upper,
        better,
        total: false,
    })
}

/// `domain`, open where it is not given.
fn domain(call: &mut Call) -> Result<Domain> {
    let Some(sql) = call.sql("domain") else {
        return Ok(Domain::default());
    };
    let wrong = format!("{}: argument 'domain' is `{sql}`", call.function());
    let mut ends = Vec::new();
    for element in elements(&sql) {
        let value = call.constant_of("domain", element)?;
        let kind = value.data_type();
        ends.push(match value.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(None)) => None,
            Ok(ScalarValue::Float64(Some(end))) if end.is_finite() && kind.is_numeric() => Some(end),
            _ => return plan_err!("{wrong}. Expected finite numbers, or NULL for an open end. Hint: domain => [0, NULL]"),
        });
    }
    match *ends.as_slice() {
        [Some(lower), Some(upper)] if lower >= upper => {
            plan_err!("{wrong}. Expected a lower end below the upper one. Hint: domain => [0, 1]")
        }
        [lower, upper] => Ok(Domain { lower, upper }),
        // NULL alone is an argument that is not given
        [None] => Ok(Domain::default()),
        _ => plan_err!(
            "{wrong}. Expected [lower, upper], NULL for an open end. Hint: domain => [0, 1]"
        ),
    }
}

fn domain_of(scale: &MetricScale) -> Expr {
    let ends = [scale.lower, scale.upper].map(ScalarValue::Float64);
    lit(ScalarValue::List(ScalarValue::new_list_nullable(
        &ends,
        &DataType::Float64,
    )))
}

/// Refuses limits that nothing can tell: chunks that are dealt without an order do not differ as chunks of time do.
fn require_variation(call: &Call, reference: &Measured, thresholds: &Thresholds) -> Result<()> {
    let unordered = matches!(reference.rows.chunking(), Chunking::Dealt(_));
    let what = match thresholds.default {
        Threshold::StandardDeviation { .. } => "argument 'thresholds': stddev(k) takes limits",
        Threshold::FalseAlarmRate { .. } if !reference.metric.has_error() => {
            "argument 'sampling_error' is missing, so limits come"
        }
        Threshold::FalseAlarmRate { .. } | Threshold::Constant { .. } => return Ok(()),
    };
    if !unordered {
        return Ok(());
    }
    plan_err!(
        "{}: {what} from how reference chunks differ over time, and the reference has neither timestamp nor order_by. \
         Expected an order, false_alarm_rate(rate) with a sampling error, or constant limits. \
         Hint: order_by => id, sampling_error => stddev(x) / sqrt(count(x)), or thresholds => constant(lower, upper)",
        call.function()
    )
}
