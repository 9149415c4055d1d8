//! `kpi_divergence`: whether a KPI is still explained by the performance of the model that serves it.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, JoinType, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, when,
};

use super::RelationSpec;
use super::arguments::{Call, elements};
use super::by::{by_expr, comparable_groups, named_expressions};
use super::roles::{column, column_names};
use super::series_argument::{
    chunk_time, has, instant, is_usable, known, microseconds, number, series_keys, time_named,
    time_of,
};
use super::series_call::names_of;
use super::series_pairs::same_group;
use super::session_functions::{aggregate, says_reference, scalar};
use crate::functions::KPI_FIELDS;
use crate::suggest::expected_one_of;

pub static SPEC: RelationSpec = RelationSpec {
    name: "kpi_divergence",
    description: "Whether a KPI is still explained by the performance of the model, chunk by chunk: healthy, model_degradation, \
                  downstream_failure, kpi_insensitive or mixed; the KPI that was expected with a band, and how far off it is. \
                  What the KPI should be is learnt from the reference.",
    arguments: &[
        (
            "performance",
            "Rows of estimate_performance or realized_performance with one metric, or any relation with a value, one row a chunk in \
             each series; the result has a row for each.",
        ),
        (
            "kpi",
            "Relation with one row for each chunk, at its start. Rows before the first and after the last chunk are left out; a \
             chunk without one is a gap; another spacing is an error.",
        ),
        (
            "kpi_value",
            "The KPI, of relation kpi; default: column kpi.",
        ),
        (
            "kpi_timestamp",
            "Start of the chunk, of relation kpi; default: column chunk_start, or timestamp.",
        ),
        (
            "max_lag",
            "Most chunks by which the KPI comes later than the performance that explains it, 0 (default) to 24. The lag is learnt \
             from the reference.",
        ),
        (
            "controls",
            "Expressions over relation kpi that move the KPI as well, such as [visits, price].",
        ),
        ("value", "Performance; default: column value."),
        (
            "timestamp",
            "When the chunk of performance began; default: column chunk_start.",
        ),
        (
            "sampling_error",
            "Standard error of performance; default: column sampling_error, if there. It makes up for a link that noise hides. \
             0.0 where the KPI is made of the same rows as realized performance: the KPI then has the same noise, and nothing is \
             hidden.",
        ),
        (
            "by",
            "Columns of both relations that tell series apart; default: the by columns of the monitoring function. Series of \
             other metrics and columns are held against the same KPI.",
        ),
        (
            "accept_status",
            "Statuses of performance that make no gap, besides ok and those of limits and the whole reference.",
        ),
        (
            "reference_end",
            "Chunks that begin before this time are the reference; default: those whose dataset is 'reference'.",
        ),
        (
            "alpha",
            "Chance of any alert within the horizon where nothing is wrong; default: 0.05.",
        ),
        (
            "horizon",
            "Chunks of the analysis for which alpha holds; default: as many as there are. Given, limits do not move as chunks \
             are added.",
        ),
        (
            "side",
            "'both' (default), 'lower' or 'higher': on which side of what is expected the KPI alerts. Of a KPI that is better the higher, \
             such as revenue, 'lower' leaves out alerts of a KPI that does better than explained; of costs, 'higher' does.",
        ),
    ],
    positional: 2,
    example: "SELECT chunk_start, kpi, expected_kpi, z, verdict\n\
              FROM kpi_divergence(\n\
              \x20 (SELECT * FROM estimate_performance(reference, analysis, chunk => INTERVAL '1 week') WHERE metric = 'roc_auc'),\n\
              \x20 (SELECT date_trunc('week', day) AS week, sum(revenue) AS revenue, sum(visits) AS visits FROM sales GROUP BY 1),\n\
              \x20 kpi_value => revenue, kpi_timestamp => week, controls => [visits], max_lag => 2)\n\
              WHERE dataset = 'analysis'",
    expand,
};

/// Columns of the result after those that tell series apart.
pub fn columns() -> Vec<&'static str> {
    names_of(&KPI_FIELDS)
}

const PERFORMANCE: &str = "__performance";
const KPI: &str = "__kpi";
const ROW: &str = "__row";
/// Columns of performance that say nothing of which KPI it is to be held against.
const NOT_OF_KPI: [&str; 3] = ["monitor", "metric", "column_name"];

/// What a column holds that other results do not have, or have with another meaning.
pub fn meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "performance" => {
            "Performance of the chunk; NULL where its status says that it must not be used."
        }
        "kpi" => "The KPI of the chunk.",
        "expected_kpi" => {
            "What the KPI was expected to be before it was seen: by the performance lag chunks before, controls, and the KPI of the \
             chunk before."
        }
        "lower_bound" => "A KPI below it alerts by itself.",
        "upper_bound" => "A KPI above it alerts by itself.",
        "z" => {
            "How far the KPI is from what was expected: standard normal where nothing is wrong, from -8 to 8."
        }
        "cusum" => {
            "Sum of z that a shift adds up in: below 0 of losses, above 0 of gains, up to twice cusum_limit."
        }
        "cusum_limit" => "A cusum further from 0 alerts.",
        "lag" => "Chunks by which the KPI comes later than the performance that explains it.",
        "performance_effect" => {
            "By how much performance moves the KPI from where it was on average in the reference."
        }
        "unexplained" => {
            "The KPI less what performance and controls make it, as the reference says."
        }
        "verdict" => {
            "healthy; model_degradation: performance alerts and explains the KPI, so alert is false; downstream_failure: the KPI alerts, \
             performance does not; kpi_insensitive: performance alerts and the KPI does not follow; mixed: both alert. NULL on the \
             reference and where status says why."
        }
        "alert" => "Whether the KPI is not explained: by itself, or as its cusum.",
        "status" => {
            "ok; noisy_performance: its sampling error may be more than half of what it moved by, so the link is a guess; why there \
             is no verdict: unjudged_performance (its alert is NULL), missing_performance, missing_kpi, missing_control, \
             split_chunk (it goes on in the analysis), constant_kpi, insufficient_history (fewer than 24 usable chunks of the \
             reference, and one for each control)."
        }
        _ => return None,
    })
}

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let (performance, kind) = performance_series(call)?;
    let schema = performance.schema().clone();
    let names = column_names(&schema).into_iter();
    let names: Vec<&str> = names.filter(|name| *name != PERFORMANCE).collect();
    let of_kpi: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !NOT_OF_KPI.contains(name))
        .collect();
    let kpi = kpi_series(call, &of_kpi)?;
    let sides = [
        ("performance", schema.as_ref()),
        ("kpi", kpi.schema().as_ref()),
    ];
    comparable_groups(call, sides, &of_kpi)?;
    let mut on: Vec<Expr> = of_kpi
        .iter()
        .map(|name| same_group(name, &inner(name)))
        .collect();
    if on.is_empty() {
        on.push(lit(true));
    }
    let renamed = of_kpi.iter().map(|name| column(name).alias(inner(name)));
    let renamed: Vec<Expr> = renamed.chain([column(KPI)]).collect();
    let kpi = LogicalPlanBuilder::from(kpi).project(renamed)?.build()?;
    let rows = evaluated(call)?.alias(ROW);
    let keys = || names.iter().map(|name| column(name));
    let told = columns().into_iter();
    let told = told.map(|name| told_as(name, &kind).alias(name));
    LogicalPlanBuilder::from(performance)
        .join_on(kpi, JoinType::Left, on)?
        .project(keys().chain([rows]).collect::<Vec<_>>())?
        .unnest_column(ROW)?
        .project(keys().chain(told).collect::<Vec<_>>())?
        .alias(call.function())?
        .build()
}

/// Name of a key of the KPI beside that of performance.
fn inner(name: &str) -> String {
    format!("__kpi_{name}")
}

/// The keys of series and [`PERFORMANCE`], with the type of its times.
fn performance_series(call: &mut Call) -> Result<(LogicalPlan, DataType)> {
    let function = call.function();
    let Some(input) = call.relation("performance")? else {
        return plan_err!(
            "{function}: argument 'performance' is missing. Expected rows of a monitoring function with one metric. \
             Hint: performance => (SELECT * FROM estimate_performance(...) WHERE metric = 'roc_auc')"
        );
    };
    let schema = input.schema().clone();
    let keys = series_keys(call, &schema, &columns())?;
    let time = chunk_time(call, &schema)?;
    let kind = time.get_type(&schema)?;
    let is_reference = match (has(&schema, "dataset"), call.sql("reference_end")) {
        (true, _) => says_reference(),
        (false, Some(_)) => lit(false),
        (false, None) => {
            return plan_err!(
                "{function}: nothing tells which chunks of performance are the reference, for it has no column 'dataset'. \
                 Expected that, or 'reference_end'. Hint: reference_end => TIMESTAMP '2024-01-01'"
            );
        }
    };
    let value = number(call, "value", &schema)?;
    let usable = is_usable(call, &schema)?;
    let arguments = vec![
        microseconds(time, &kind),
        when(usable, value).end()?,
        is_reference,
        known(&schema, "chunk", &DataType::Utf8),
        number(call, "sampling_error", &schema)?,
        known(&schema, "alert", &DataType::Boolean),
        lit(ScalarValue::Null),
    ];
    let series = aggregate(call, "timed_series", arguments)?.alias(PERFORMANCE);
    let keys = keys.into_iter().map(|(name, expr)| expr.alias(name));
    let plan = LogicalPlanBuilder::from(input).aggregate(keys, vec![series])?;
    Ok((plan.build()?, kind))
}

/// The series of the KPI for each group.
fn kpi_series(call: &mut Call, names: &[&str]) -> Result<LogicalPlan> {
    let function = call.function();
    let Some(input) = call.relation("kpi")? else {
        return plan_err!(
            "{function}: argument 'kpi' is missing. Expected a relation with one row for each chunk. \
             Hint: kpi => (SELECT date_trunc('week', day) AS week, sum(revenue) AS revenue FROM sales GROUP BY 1)"
        );
    };
    let schema = input.schema().clone();
    let given = named_expressions(call, "by")?;
    let mut group = vec![];
    for name in names {
        let sql = given.iter().find(|(given, _)| given == name);
        group.push(match sql {
            Some((_, sql)) => by_expr(call, name, sql, &schema)
                .map_err(|e| e.context(format!("{function}: argument 'kpi'")))?,
            None if has(&schema, name) => column(name),
            None => {
                return plan_err!(
                    "{function}: performance has a series for each '{name}', and 'kpi' has no such column. {}. \
                     Hint: filter performance to one series and write by => []",
                    expected_one_of(name, &column_names(&schema))
                );
            }
        });
    }
    let time = kpi_time(call, &schema)?;
    let kind = time.get_type(&schema)?;
    let absent = |kind: DataType| cast(lit(ScalarValue::Null), kind);
    let arguments = vec![
        microseconds(time, &kind),
        kpi_value(call, &schema)?,
        lit(false),
        absent(DataType::Utf8),
        absent(DataType::Float64),
        absent(DataType::Boolean),
        controls(call, &schema)?,
    ];
    let series = aggregate(call, "timed_series", arguments)?.alias(KPI);
    LogicalPlanBuilder::from(input)
        .aggregate(group, vec![series])?
        .build()
}

fn kpi_time(call: &mut Call, schema: &DFSchema) -> Result<Expr> {
    if let Some(sql) = call.sql("kpi_timestamp") {
        return time_of(call, "kpi_timestamp", sql, schema);
    }
    let usual = ["chunk_start", "timestamp"];
    match usual.into_iter().find(|name| has(schema, name)) {
        Some(name) => time_named(call, "kpi_timestamp", name, schema),
        None => plan_err!(
            "{}: argument 'kpi_timestamp' is missing, and 'kpi' has no column 'chunk_start' or 'timestamp'. {}. \
             Hint: kpi_timestamp => <column>",
            call.function(),
            expected_one_of("timestamp", &column_names(schema))
        ),
    }
}

fn kpi_value(call: &mut Call, schema: &DFSchema) -> Result<Expr> {
    let value = match call.sql("kpi_value") {
        Some(sql) => call.resolve("kpi_value", sql, schema)?,
        None if has(schema, "kpi") => column("kpi"),
        None => {
            return plan_err!(
                "{}: argument 'kpi_value' is missing, and 'kpi' has no column 'kpi'. {}. Hint: kpi_value => <column>",
                call.function(),
                expected_one_of("kpi", &column_names(schema))
            );
        }
    };
    as_number(call, "kpi_value", value, schema)
}

/// A list of numbers, NULL without.
fn controls(call: &mut Call, schema: &DFSchema) -> Result<Expr> {
    const MOST: usize = 20;
    let Some(sql) = call.sql("controls") else {
        return Ok(lit(ScalarValue::Null));
    };
    let given = elements(&sql);
    if given.len() > MOST {
        return plan_err!(
            "{}: argument 'controls' holds {} expressions. Expected {MOST} at most",
            call.function(),
            given.len()
        );
    }
    let kpi = call.sql("kpi_value");
    let mut numbers = vec![];
    for sql in given {
        if kpi.as_ref() == Some(&sql) {
            return plan_err!(
                "{}: argument 'controls' holds the KPI itself, `{sql}`, which explains everything. Expected what else moves it, such \
                 as a price or a number of visits",
                call.function()
            );
        }
        let control = call.resolve("controls", sql, schema)?;
        numbers.push(as_number(call, "controls", control, schema)?);
    }
    Ok(match numbers.is_empty() {
        true => lit(ScalarValue::Null),
        false => make_array(numbers),
    })
}

fn as_number(call: &Call, argument: &str, value: Expr, schema: &DFSchema) -> Result<Expr> {
    let kind = value.get_type(schema)?;
    match kind.is_numeric() || kind.is_null() || kind == DataType::Boolean {
        true => Ok(cast(value, DataType::Float64)),
        false => plan_err!(
            "{}: argument '{argument}' holds `{value}`, which has type {kind}. Expected a number. Hint: CAST({value} AS DOUBLE)",
            call.function()
        ),
    }
}

/// The rows of a group as a list.
fn evaluated(call: &mut Call) -> Result<Expr> {
    let end = reference_end(call)?;
    let mut constant = |name: &str| -> Result<Expr> {
        let given = call.constant(name)?;
        Ok(lit(given.unwrap_or(ScalarValue::Null)))
    };
    let arguments = vec![
        column(PERFORMANCE),
        column(KPI),
        constant("max_lag")?,
        constant("alpha")?,
        constant("horizon")?,
        constant("side")?,
        end,
    ];
    scalar(call, "evaluate_kpi", arguments)
}

/// In microseconds since 1970.
fn reference_end(call: &mut Call) -> Result<Expr> {
    let Some(end) = call.constant("reference_end")? else {
        return Ok(lit(ScalarValue::Null));
    };
    let kind = end.data_type();
    match kind {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            Ok(microseconds(lit(end), &kind))
        }
        _ => plan_err!(
            "{}: argument 'reference_end' is {end}. Expected a time. Hint: reference_end => TIMESTAMP '2024-01-01'",
            call.function()
        ),
    }
}

/// A column of the result.
fn told_as(name: &str, kind: &DataType) -> Expr {
    let field = get_field(column(ROW), name);
    match name {
        "chunk_start" => cast(cast(field, instant(kind)), kind.clone()),
        _ => field,
    }
}
