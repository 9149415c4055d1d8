//! `detect_series_changes`: the step of `detect_changes` over the chunks of one series.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::arrays::{self, flags, numbers, texts, wholes};
use super::series_points as points;
use super::series_points::{number_within, of_series};
use super::shared_arguments::side;
use super::spec::{FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments, DiagnosisRows};
use crate::kernel::changes::{ChangeOptions, ChangeRow, Detector, Method};
use crate::kernel::diagnosis::{Series, SeriesPoint};
use crate::suggest::expected_one_of;

static DETECT_SERIES_CHANGES: FunctionSpec = FunctionSpec {
    name: "detect_series_changes",
    description: "The chunks of a series, each with what a control chart says of it, or the segment of equal level it is in.",
    arguments: &[
        points::TIME,
        points::CHUNK_INDEX,
        points::IS_REFERENCE,
        points::CHUNK,
        points::VALUE,
        points::SAMPLING_ERROR,
        points::IS_USABLE,
        (
            "method",
            Role::Text,
            "'cusum' (default), 'page_hinkley', 'ewma', 'western_electric' or 'pelt'.",
        ),
        (
            "average_run_length",
            Role::Number,
            "Chunks between false alarms, 370 by default; of 'western_electric' (92) and 'pelt' it cannot be chosen.",
        ),
        (
            "allowance",
            Role::Number,
            "What sums take off each chunk, in standard deviations: half the shift to be found soonest; 0.5 by default.",
        ),
        (
            "weight",
            Role::Number,
            "Weight of the newest chunk in 'ewma', 0.2 by default.",
        ),
        (
            "penalty",
            Role::Number,
            "Price of a change in 'pelt', in logarithms of the number of chunks; 3 by default.",
        ),
        (
            "warm_up",
            Role::Integer,
            "Chunks that show the level of a series without reference, 8 by default.",
        ),
        ("side", Role::Text, "'both' (default), 'lower' or 'higher'."),
    ],
    required: points::POINT_ARGUMENTS,
    example: "SELECT metric, unnest(detect_series_changes(NULL, chunk_index, dataset = 'reference', chunk, value, sampling_error, status = 'ok'))\n\
              FROM estimates GROUP BY metric",
};

/// The fields of an element of the result.
pub static CHANGE_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    arrays::nullable([
        ("dataset", DataType::Utf8),
        ("chunk", DataType::Utf8),
        ("chunk_index", DataType::Int64),
        ("chunk_start", DataType::Int64),
        ("value", DataType::Float64),
        ("expected", DataType::Float64),
        ("z", DataType::Float64),
        ("statistic", DataType::Float64),
        ("statistic_limit", DataType::Float64),
        ("alert", DataType::Boolean),
        ("since", DataType::Int64),
        ("since_chunk", DataType::Utf8),
        ("rule", DataType::Utf8),
        ("segment", DataType::Int64),
        ("status", DataType::Utf8),
    ])
});

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<DiagnosisRows>(
        &DETECT_SERIES_CHANGES,
        list(),
        detect_series_changes,
    )?])
}

fn list() -> DataType {
    DataType::new_list(DataType::Struct(CHANGE_FIELDS.clone()), true)
}

fn detect_series_changes(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<DiagnosisRows>> {
    let detector = Detector::new(options(&arguments)?);
    Ok(of_series(spec, arguments, list(), move |series| {
        list_of(series, &detector.rows(series))
    }))
}

fn options(arguments: &Arguments) -> Result<ChangeOptions> {
    let function = arguments.function;
    let usual = ChangeOptions::default();
    let method = match arguments.text(7, "method")? {
        None => usual.method,
        Some(name) => match Method::parse(&name) {
            Some(method) => method,
            None => {
                return plan_err!(
                    "{function}: argument 'method' is '{name}'. {}",
                    expected_one_of(&name, &Method::ALL.map(Method::name))
                );
            }
        },
    };
    refuse_dials_of_others(arguments, method)?;
    let warm_up = arguments.integer(12, "warm_up", 8)?;
    let Some(warm_up) = usize::try_from(warm_up)
        .ok()
        .filter(|chunks| (4..=100_000).contains(chunks))
    else {
        return plan_err!(
            "{function}: argument 'warm_up' is {warm_up}. Expected a whole number from 4 to 100000, such as 8"
        );
    };
    let number = |position, name, bounds, default| {
        number_within(arguments, (position, name), bounds, default)
    };
    Ok(ChangeOptions {
        method,
        average_run_length: number(8, "average_run_length", 2.0..=1e6, usual.average_run_length)?,
        allowance: number(9, "allowance", 0.05..=5.0, usual.allowance)?,
        weight: number(10, "weight", 0.01..=1.0, usual.weight)?,
        penalty: number(11, "penalty", 0.1..=100.0, usual.penalty)?,
        warm_up,
        side: side(function, arguments.text(13, "side")?.as_deref())?,
    })
}

/// A dial that the method does not have would be without effect.
fn refuse_dials_of_others(arguments: &Arguments, method: Method) -> Result<()> {
    use Method::{Cusum, Ewma, PageHinkley, Pelt};
    let dials: [(usize, &str, &[Method]); 4] = [
        (8, "average_run_length", &[Cusum, PageHinkley, Ewma]),
        (9, "allowance", &[Cusum, PageHinkley]),
        (10, "weight", &[Ewma]),
        (11, "penalty", &[Pelt]),
    ];
    for (position, name, methods) in dials {
        if arguments.is_given(position) && !methods.contains(&method) {
            let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
            return plan_err!(
                "{}: argument '{name}' has no effect with method '{}'. Expected it with {} only. Hint: leave it out",
                arguments.function,
                method.name(),
                names.join(", ")
            );
        }
    }
    Ok(())
}

fn list_of(series: &Series, rows: &[ChangeRow]) -> Result<ScalarValue> {
    let told = series.points();
    let number = |of: fn(&ChangeRow) -> Option<f64>| numbers(rows.iter().map(of));
    let since = || rows.iter().map(|row| row.since.and_then(|at| told.get(at)));
    let dataset = |point: &SeriesPoint| match point.is_reference {
        true => "reference",
        false => "analysis",
    };
    let columns = vec![
        texts(told.iter().map(|point| Some(dataset(point)))),
        texts(told.iter().map(|point| point.chunk.as_deref())),
        wholes(told.iter().map(|point| point.index)),
        wholes(told.iter().map(|point| point.time)),
        numbers(
            told.iter()
                .map(|point| point.value.filter(|value| value.is_finite())),
        ),
        number(|row| row.expected),
        number(|row| row.z),
        number(|row| row.statistic),
        number(|row| row.limit),
        flags(rows.iter().map(|row| row.alert)),
        wholes(since().map(|point| point?.time)),
        texts(since().map(|point| point?.chunk.as_deref())),
        texts(rows.iter().map(|row| row.rule)),
        wholes(rows.iter().map(|row| row.segment.map(i64::from))),
        texts(rows.iter().map(|row| Some(row.status.name()))),
    ];
    arrays::list_of(&CHANGE_FIELDS, columns)
}
