//! `fit_reference` and `evaluate_performance`: the steps of `estimate_performance` over chunk profiles.
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregate::aggregate;
use super::calibration::{calibration_mode, not_fitted};
use super::evaluate_realized::{EVALUATE_REALIZED, evaluate_realized, output};
use super::scalar::scalar;
use super::shared_arguments::{CONFIDENCE_LEVEL, METRICS};
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, flag, integer, number, texts, value_matrix};
use crate::accumulate::{Aggregation, Arguments, ReferenceRows};
use crate::kernel::calibrator::Calibrator;
use crate::kernel::estimate::Estimator;
use crate::kernel::metric::Metric;
use crate::kernel::reading::{Reading, Status};
use crate::kernel::realized::Realized;
use crate::kernel::reference::ReferenceFit;
use crate::kernel::score_profile::ScoreProfile;
use crate::suggest::expected_one_of;

static FIT_REFERENCE: FunctionSpec = FunctionSpec {
    name: "fit_reference",
    description: "Fits the reference of a group: a calibrator from all its chunks, and one without each tenth of them, for \
                  judging the reference's own chunks.",
    arguments: &[
        ("profile", Role::Bytes, "Score profile of a chunk."),
        ("chunk_index", Role::Integer, "Number of the chunk."),
        (
            "is_reference",
            Role::Flag,
            "Whether the chunk is of the reference; others are left out.",
        ),
        (
            "calibrate",
            Role::Text,
            "'auto' (default), 'always' or 'never'.",
        ),
    ],
    required: 3,
    example: "SELECT fit_reference(profile, chunk_index, true) FROM profiles(reference)",
};

static EVALUATE_PERFORMANCE: FunctionSpec = FunctionSpec {
    name: "evaluate_performance",
    description: "Estimated and realized metrics of a chunk, one element each.",
    arguments: &[
        ("profile", Role::Bytes, "Score profile of the chunk."),
        ("reference", Role::Bytes, "What fit_reference returned."),
        ("chunk_index", Role::Integer, "Number of the chunk."),
        (
            "is_reference",
            Role::Flag,
            "Whether the chunk is of the reference itself.",
        ),
        METRICS,
        (
            "value_matrix",
            Role::Numbers,
            "Value of a row by outcome [tn, fp, fn, tp]; NULL without business values.",
        ),
        CONFIDENCE_LEVEL,
        (
            "labelled",
            Role::Flag,
            "Whether the rows with a label are also estimated by themselves; false by default.",
        ),
    ],
    required: 7,
    example: "SELECT evaluate_performance(profile, (SELECT fit_reference(profile, chunk_index, true) FROM profiles(reference)),\n\
              \x20      chunk_index, false, ['roc_auc'], NULL, 0.95) FROM profiles(analysis)",
};

const TEXTS: [&str; 3] = ["metric", "column_name", "status"];
const COUNTS: [&str; 3] = ["used_count", "labelled_count", "labelled_used_count"];
/// `limit_value` and its `row_sampling_error` are what limits are learnt from: `value` but on reference chunks. The four before
/// the last are what realized values are held against.
const NUMBERS: [&str; 13] = [
    "value",
    "sampling_error",
    "limit_value",
    "row_sampling_error",
    "lower_bound",
    "upper_bound",
    "realized",
    "approx_error",
    "realized_estimate",
    "realized_error",
    "labelled_estimate",
    "labelled_error",
    "p_value",
];

/// The fields of an element of the result: texts, counts, numbers.
pub static EVALUATION_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let of = |names: &[&str], kind: DataType| {
        let fields = names
            .iter()
            .map(|name| Arc::new(Field::new(*name, kind.clone(), true)));
        fields.collect::<Vec<_>>()
    };
    let groups = [
        of(&TEXTS, DataType::Utf8),
        of(&COUNTS, DataType::Int64),
        of(&NUMBERS, DataType::Float64),
    ];
    Fields::from(groups.concat())
});

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<ReferenceRows>(
        &FIT_REFERENCE,
        // a window makes an array of every partition's result, and an array of views takes a block of 8 kB at least:
        // 5 GB for 280,000 groups and metrics
        DataType::LargeBinary,
        fit_reference,
    )?])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![
        scalar(&EVALUATE_PERFORMANCE, output(), evaluate_performance)?,
        scalar(&EVALUATE_REALIZED, output(), evaluate_realized)?,
    ])
}

fn fit_reference(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<ReferenceRows>> {
    let mode = calibration_mode(spec.name, arguments.text(3, "calibrate")?.as_deref())?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(ReferenceRows::default),
        read: Arc::new(move |rows| {
            let fit =
                ReferenceFit::fit(rows.chunks()?, mode).map_err(|e| not_fitted(spec.name, &e))?;
            Ok(ScalarValue::LargeBinary(Some(fit.to_bytes())))
        }),
        output: DataType::LargeBinary,
    })
}

fn evaluate_performance(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let metrics = binary_metrics(spec, values, 4)?;
    let matrix = value_matrix(spec, values, 5, &metrics)?;
    let confidence = number(values, 6).unwrap_or(0.95);
    let mut profile = match bytes(values, 0) {
        Some(bytes) => ScoreProfile::from_bytes(bytes)?,
        None => ScoreProfile::default(),
    };
    let fit = bytes(values, 1).map(ReferenceFit::from_bytes).transpose()?;
    let bins = profile.bins();
    let reserve = fit
        .as_ref()
        .map_or(Status::NoReference, ReferenceFit::status);
    let index = flag(values, 3).then(|| integer(values, 2));
    let known = calibrators(fit.as_ref(), index);
    let [estimator, of_limits] =
        known.map(|known| known.map(|calibrator| Estimator::new(&bins, calibrator)));
    let labelled = flag(values, 7).then(|| bins.labelled());
    let [of_chunk, _] = known;
    let of_labelled = labelled.as_ref().zip(of_chunk);
    let of_labelled = of_labelled.map(|(bins, calibrator)| Estimator::new(bins, calibrator));
    let realized = Realized::new(&bins);
    let readings: Vec<Evaluated> = metrics
        .into_iter()
        .map(|metric| {
            let realized = realized.reading(metric, matrix, confidence);
            let mut estimate = match &estimator {
                Some(estimator) => estimator.reading(metric, matrix, confidence),
                None => Reading::undefined(reserve, 0, realized.labelled_count),
            };
            estimate.status = estimate.status.worst(reserve);
            if estimate.is_coarse() || realized.is_coarse() {
                estimate.status = estimate.status.worst(Status::Coarse);
            }
            let judged = match &of_limits {
                Some(estimator) => estimator.reading(metric, matrix, confidence),
                None => estimate,
            };
            Evaluated {
                metric: metric.name().into(),
                column_name: None,
                estimate,
                judged,
                realized,
                labelled: of_labelled
                    .as_ref()
                    .map_or_else(Reading::default, |estimator| {
                        estimator.reading(metric, matrix, confidence)
                    }),
                p_value: None,
            }
        })
        .collect();
    list_of(&readings)
}

/// The metrics of a binary classifier that an argument names.
pub(super) fn binary_metrics(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    position: usize,
) -> Result<Vec<Metric>> {
    let parse = |name: String| match Metric::parse(&name) {
        Some(metric) => Ok(metric),
        None => exec_err!(
            "{}: unknown metric '{name}'. {}",
            spec.name,
            expected_one_of(&name, &Metric::ALL.map(Metric::name))
        ),
    };
    texts(values, position).into_iter().map(parse).collect()
}

/// The calibrator of the estimate and, on a reference chunk, that of the estimate which limits are learnt from.
///
/// `reference_chunk`: its index, which may be NULL, where the chunk is one of the reference.
fn calibrators(
    fit: Option<&ReferenceFit>,
    reference_chunk: Option<Option<i64>>,
) -> [Option<&Calibrator>; 2] {
    match (fit, reference_chunk) {
        (Some(fit), Some(index)) => [fit.calibrator_without(index), fit.calibrator_of_limits()],
        (Some(fit), None) => [fit.calibrator(), None],
        (None, _) => [None, None],
    }
}

/// A metric of a chunk.
pub(super) struct Evaluated {
    pub metric: Cow<'static, str>,
    /// The class, or label and prediction, that the value is of; `None` of the whole.
    pub column_name: Option<String>,
    pub estimate: Reading,
    /// The estimate that limits are learnt from.
    pub judged: Reading,
    pub realized: Reading,
    /// The estimate of the rows with a label, where it was asked for.
    pub labelled: Reading,
    /// Of the hypothesis that there is nothing to be seen, where the value is a difference.
    pub p_value: Option<f64>,
}

/// The elements of a result.
pub(super) fn list_of(readings: &[Evaluated]) -> Result<ScalarValue> {
    let text = |of: fn(&Evaluated) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(readings.iter().map(of)))
    };
    let count = |of: fn(&Evaluated) -> u64| -> ArrayRef {
        Arc::new(
            readings
                .iter()
                .map(|r| i64::try_from(of(r)).ok())
                .collect::<Int64Array>(),
        )
    };
    let number = |of: fn(&Evaluated) -> Option<f64>| -> ArrayRef {
        Arc::new(readings.iter().map(of).collect::<Float64Array>())
    };
    let columns = vec![
        text(|row| &row.metric),
        Arc::new(
            readings
                .iter()
                .map(|row| row.column_name.as_deref())
                .collect::<StringArray>(),
        ),
        text(|row| row.estimate.status.name()),
        count(|row| row.estimate.used_count),
        count(|row| row.estimate.labelled_count),
        count(|row| row.labelled.used_count),
        number(|row| row.estimate.value),
        number(|row| row.estimate.sampling_error),
        number(|row| row.judged.value),
        number(|row| row.judged.row_sampling_error),
        number(|row| row.estimate.lower_bound),
        number(|row| row.estimate.upper_bound),
        number(|row| row.realized.value),
        number(|row| row.estimate.approx_error),
        number(|row| row.estimate.expectation.map(|found| found.value)),
        number(|row| row.estimate.expectation.map(|found| found.error)),
        number(|row| row.labelled.expectation.map(|found| found.value)),
        number(|row| row.labelled.expectation.map(|found| found.error)),
        number(|row| row.p_value),
    ];
    let elements = StructArray::try_new(EVALUATION_FIELDS.clone(), columns, None)?;
    Ok(SingleRowListArrayBuilder::new(Arc::new(elements)).build_list_scalar())
}
