//! Two models on the same rows: for every metric that is an aggregate, the difference as one.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::AggregateUDF;

use super::aggregate::aggregate;
use super::readings::{LIMITS, MAX_BINS, limits};
use super::spec::{Argument, FunctionSpec, Role};
use crate::accumulate::{Aggregation, Arguments};
use crate::kernel::metric::{Direction, Metric};
use crate::kernel::paired::{PairedPredictions, PairedReading, PairedScores};
use crate::kernel::performance::{difference_name, difference_of};
use crate::kernel::regression::{PairedRegression, RegressionMetric};
use crate::kernel::threshold_text::Judged;

/// Of the interval in `lower_bound` and `upper_bound`.
const CONFIDENCE_LEVEL: f64 = 0.95;

const LABEL: Argument = ("label", Role::Class, "Realized class, 0/1 or boolean.");
const SCORE_A: Argument = ("score_a", Role::Number, "Score of model a, the champion.");
const SCORE_B: Argument = ("score_b", Role::Number, "Score of model b, the challenger.");
const PREDICTION_A: Argument = (
    "prediction_a",
    Role::Class,
    "Class that model a, the champion, predicts: 0/1 or boolean.",
);
const PREDICTION_B: Argument = (
    "prediction_b",
    Role::Class,
    "Class that model b, the challenger, predicts.",
);
const NUMBER: Argument = ("label", Role::Number, "Realized number.");
const NUMBER_A: Argument = (
    "prediction_a",
    Role::Number,
    "Number that model a, the champion, predicts.",
);
const NUMBER_B: Argument = (
    "prediction_b",
    Role::Number,
    "Number that model b, the challenger, predicts.",
);

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let numbers = [
        "value",
        "value_a",
        "value_b",
        "sampling_error",
        "lower_bound",
        "upper_bound",
        "z",
        "p_value",
        "approx_error",
    ];
    let mut fields: Vec<Field> = numbers.into_iter().map(number).collect();
    fields.push(Field::new("used_count", DataType::Int64, true));
    fields.push(Field::new("status", DataType::Utf8, true));
    Fields::from(fields)
});

/// What a family of metrics is called with.
struct Family {
    arguments: &'static [Argument],
    /// What the rows must have.
    needs: &'static str,
    columns: &'static str,
    note: &'static str,
}

const OF_SCORES: Family = Family {
    arguments: &[LABEL, SCORE_A, SCORE_B, MAX_BINS],
    needs: "a label and both scores",
    columns: "y_true, champion, challenger",
    note: " Exact up to max_bins distinct scores of a model and pairs of scores; above, approx_error bounds the value, \
           and the error is rather too large.",
};
const OF_PREDICTIONS: Family = Family {
    arguments: &[LABEL, PREDICTION_A, PREDICTION_B],
    needs: "a label and both predictions",
    columns: "y_true, champion >= 0.5, challenger >= 0.5",
    note: " few_positives: fewer than 20 rows are under a share, or make a difference.",
};
const OF_NUMBERS: Family = Family {
    arguments: &[NUMBER, NUMBER_A, NUMBER_B],
    needs: "a label and both predictions",
    columns: "y_true, champion, challenger",
    note: "",
};

fn spec(metric: &str, description: &str, better: Direction, family: &Family) -> FunctionSpec {
    let better = match better {
        Direction::Higher => ", above 0 where b is better",
        Direction::Lower => ", below 0 where b is better",
        Direction::Neither => "",
    };
    let Family {
        needs,
        columns,
        note,
        ..
    } = family;
    // once in a process: the registry is built from the metrics
    let name: &'static str = difference_name(metric).leak();
    FunctionSpec {
        name,
        description: format!(
            "{metric} of model b minus that of model a on the same rows{better}; with the error of the paired difference, \
             its 95 % interval, z and two-sided p-value. Only rows with {needs} count. {metric}: {description}{note}"
        )
        .leak(),
        arguments: family.arguments,
        required: 3,
        example: [
            "SELECT country, ",
            name,
            "(",
            columns,
            ") AS difference FROM predictions GROUP BY country",
        ]
        .concat()
        .leak(),
    }
}

static OF_CLASSES: LazyLock<Vec<FunctionSpec>> = LazyLock::new(|| {
    let metrics = Metric::ALL.into_iter().filter(|m| m.is_aggregate());
    let spec = |m: Metric| {
        let family = match m.needs_prediction() {
            true => OF_PREDICTIONS,
            false => OF_SCORES,
        };
        spec(m.name(), m.description(), m.direction(), &family)
    };
    metrics.map(spec).collect()
});

static OF_REGRESSION: LazyLock<Vec<FunctionSpec>> = LazyLock::new(|| {
    let spec = |m: RegressionMetric| spec(m.name(), m.description(), m.scale().better, &OF_NUMBERS);
    RegressionMetric::ALL.into_iter().map(spec).collect()
});

pub(super) fn all() -> Result<Vec<Arc<AggregateUDF>>> {
    let output = || DataType::Struct(FIELDS.clone());
    let classes = OF_CLASSES.iter().map(|spec| match classes_metric(spec)? {
        metric if metric.needs_prediction() => aggregate(spec, output(), of_predictions),
        _ => aggregate(spec, output(), of_scores),
    });
    let regression = OF_REGRESSION
        .iter()
        .map(|spec| aggregate(spec, output(), of_numbers));
    classes.chain(regression).collect()
}

fn classes_metric(spec: &FunctionSpec) -> Result<Metric> {
    let metric = difference_of(spec.name).and_then(Metric::parse);
    metric.map_or_else(|| exec_err!("{}: is of no metric", spec.name), Ok)
}

fn of_scores(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<PairedScores>> {
    let (metric, limits) = (classes_metric(spec)?, limits(spec, &arguments, 3)?);
    Ok(Aggregation {
        arguments,
        empty: Arc::new(move || PairedScores::new(limits)),
        read: Arc::new(move |rows| row_of(&rows.reading(metric, CONFIDENCE_LEVEL))),
        output: DataType::Struct(FIELDS.clone()),
    })
}

fn of_predictions(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<PairedPredictions>> {
    let metric = classes_metric(spec)?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(PairedPredictions::default),
        read: Arc::new(move |rows| row_of(&rows.reading(metric, CONFIDENCE_LEVEL))),
        output: DataType::Struct(FIELDS.clone()),
    })
}

fn of_numbers(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<PairedRegression>> {
    let metric = difference_of(spec.name);
    let Some(metric) = metric.and_then(RegressionMetric::parse) else {
        return exec_err!("{}: is of no metric", spec.name);
    };
    Ok(Aggregation {
        arguments,
        empty: Arc::new(move || PairedRegression::new(metric, LIMITS)),
        read: Arc::new(|rows| row_of(&rows.reading(CONFIDENCE_LEVEL))),
        output: DataType::Struct(FIELDS.clone()),
    })
}

fn row_of(reading: &PairedReading) -> Result<ScalarValue> {
    let numbers = [
        reading.value,
        reading.value_a,
        reading.value_b,
        reading.sampling_error,
        reading.lower_bound,
        reading.upper_bound,
        reading.z,
        reading.p_value,
        reading.approx_error,
    ];
    let number = |x: Option<f64>| -> ArrayRef { Arc::new(Float64Array::from(vec![x])) };
    let mut columns: Vec<ArrayRef> = numbers.into_iter().map(number).collect();
    let used = i64::try_from(reading.used_count).ok();
    columns.push(Arc::new(Int64Array::from(vec![used])));
    columns.push(Arc::new(StringArray::from(vec![reading.status.name()])));
    let row = StructArray::try_new(FIELDS.clone(), columns, None)?;
    Ok(ScalarValue::Struct(Arc::new(row)))
}
