//! `evaluate_realized`: the step of `realized_performance` over chunk profiles of any kind of model.
use std::borrow::Cow;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};

use super::evaluate::{Evaluated, binary_metrics, list_of};
use super::shared_arguments::CONFIDENCE_LEVEL;
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, number, numbers, texts, value_matrix};
use crate::kernel::clustered::ClusteredProfile;
use crate::kernel::metric::Metric;
use crate::kernel::multiclass::{ClassReading, MulticlassMetric, RealizedClasses};
use crate::kernel::paired::PairedProfile;
use crate::kernel::performance::{PerformanceMetric, difference_name};
use crate::kernel::profile::Profile;
use crate::kernel::reading::{Reading, Status};
use crate::kernel::realized::Realized;
use crate::kernel::regression::{RealizedRegression, RegressionMetric};
use crate::kernel::score_profile::ScoreProfile;
use crate::kernel::threshold_text::Judged;
use crate::kernel::weighted_profile::RealizedModel;
use crate::suggest::expected_one_of;

pub(super) static EVALUATE_REALIZED: FunctionSpec = FunctionSpec {
    name: "evaluate_realized",
    description: "Realized metrics of a chunk's labelled rows, one element each.",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "Profile of the chunk: of scores, of several classes or of a regression.",
        ),
        (
            "metrics",
            Role::Texts,
            "Names of metrics of such a profile.",
        ),
        (
            "value_matrix",
            Role::Numbers,
            "Value of a row by outcome [tn, fp, fn, tp], of several classes by label, then by prediction; NULL without business values.",
        ),
        CONFIDENCE_LEVEL,
    ],
    required: 4,
    example: "SELECT chunk, evaluate_realized(profile, ['roc_auc'], NULL, 0.95) FROM profiles(predictions)",
};

/// Every value as it was realized: limits are learnt from realized values, too.
pub(super) fn evaluate_realized(
    spec: &FunctionSpec,
    values: &[ScalarValue],
) -> Result<ScalarValue> {
    let confidence = number(values, 3).unwrap_or(0.95);
    if !(confidence > 0.0 && confidence < 1.0) {
        return exec_err!(
            "{}: confidence_level is {confidence}. Expected a number between 0 and 1, such as 0.95",
            spec.name
        );
    }
    let profile = match bytes(values, 0) {
        Some(bytes) => Profile::from_bytes(bytes)?,
        None => empty(values),
    };
    list_of(&of_profile(spec, values, profile, confidence)?)
}

fn of_profile(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    profile: Profile,
    confidence: f64,
) -> Result<Vec<Evaluated>> {
    match profile {
        Profile::Score(mut profile) => {
            of_scores(spec, values, &Realized::new(&profile.bins()), confidence)
        }
        Profile::Multiclass(mut profile) => of_classes(
            spec,
            values,
            &RealizedClasses::new(&mut profile),
            confidence,
        ),
        Profile::Regression(mut profile) => of_regression(
            spec,
            values,
            &RealizedRegression::new(&mut profile),
            confidence,
        ),
        Profile::Weighted(profile) => {
            let realized = RealizedModel::weighted(&profile)?;
            of_model(spec, values, &realized, confidence)
        }
        Profile::Clustered(profile) => of_clusters(spec, values, &profile, confidence),
        Profile::Paired(pair) => of_pair(spec, values, &pair, confidence),
        other => exec_err!(
            "{}: the profile is a {} profile. Expected one of a model. \
             Hint: profiles(...) without columns",
            spec.name,
            other.kind()
        ),
    }
}

fn of_clusters(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    profile: &ClusteredProfile,
    confidence: f64,
) -> Result<Vec<Evaluated>> {
    let realized = profile.realized()?;
    let Some(clusters) = profile.cluster_count() else {
        return of_model(spec, values, &realized, confidence);
    };
    let found = of_model(spec, values, &realized, clusters.normal_level(confidence))?;
    let reserved = |mut found: Evaluated| {
        for reading in [&mut found.estimate, &mut found.judged, &mut found.realized] {
            *reading = clusters.reserved(*reading);
        }
        found
    };
    Ok(found.into_iter().map(reserved).collect())
}

/// What the champion's own profile says, where it is known, then the differences.
fn of_pair(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    pair: &PairedProfile,
    confidence: f64,
) -> Result<Vec<Evaluated>> {
    let mut found = match pair.champion() {
        [] => vec![],
        champion => of_profile(spec, values, Profile::from_bytes(champion)?, confidence)?,
    };
    for difference in pair.readings(confidence)? {
        let reading = difference.reading;
        let name = difference_name(&difference.metric);
        found.push(Evaluated {
            column_name: difference.column_name,
            p_value: reading.p_value,
            ..evaluated(
                name.into(),
                Reading {
                    value: reading.value,
                    approx_error: reading.approx_error,
                    sampling_error: reading.sampling_error,
                    row_sampling_error: reading.sampling_error,
                    lower_bound: reading.lower_bound,
                    upper_bound: reading.upper_bound,
                    expectation: None,
                    used_count: reading.used_count,
                    labelled_count: difference.labelled_count,
                    status: reading.status,
                },
            )
        });
    }
    Ok(found)
}

/// A chunk of no rows, of the kind that the metrics are of; several classes without rows say what two would.
fn empty(values: &[ScalarValue]) -> Profile {
    let first = texts(values, 1).into_iter().next();
    match first.as_deref().and_then(PerformanceMetric::parse) {
        Some(PerformanceMetric::Regression(_)) => Profile::Regression(Box::default()),
        _ => Profile::Score(ScoreProfile::default()),
    }
}

fn of_model(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    realized: &RealizedModel,
    confidence: f64,
) -> Result<Vec<Evaluated>> {
    match realized {
        RealizedModel::Scores(realized) => of_scores(spec, values, realized, confidence),
        RealizedModel::Classes(realized) => of_classes(spec, values, realized, confidence),
        RealizedModel::Regression(realized) => of_regression(spec, values, realized, confidence),
    }
}

fn of_scores(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    realized: &Realized,
    confidence: f64,
) -> Result<Vec<Evaluated>> {
    let metrics = binary_metrics(spec, values, 1)?;
    let matrix = value_matrix(spec, values, 2, &metrics)?;
    let of = |metric: Metric| {
        evaluated(
            metric.name().into(),
            realized.reading(metric, matrix, confidence),
        )
    };
    Ok(metrics.into_iter().map(of).collect())
}

fn of_regression(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    realized: &RealizedRegression,
    confidence: f64,
) -> Result<Vec<Evaluated>> {
    let of = |name: String| match RegressionMetric::parse(&name) {
        Some(metric) => Ok(evaluated(
            metric.name().into(),
            realized.reading(metric, confidence),
        )),
        None => exec_err!(
            "{}: '{name}' is no metric of a regression. {}",
            spec.name,
            expected_one_of(&name, &RegressionMetric::names())
        ),
    };
    texts(values, 1).into_iter().map(of).collect()
}

fn of_classes(
    spec: &FunctionSpec,
    values: &[ScalarValue],
    realized: &RealizedClasses,
    confidence: f64,
) -> Result<Vec<Evaluated>> {
    let matrix = numbers(values, 2);
    let cells = realized.classes().len() * realized.classes().len();
    let mut found = vec![];
    for name in texts(values, 1) {
        let Some(metric) = MulticlassMetric::parse(&name) else {
            return exec_err!(
                "{}: '{name}' is no metric of several classes. {}",
                spec.name,
                expected_one_of(&name, &MulticlassMetric::names())
            );
        };
        if metric.needs_value_matrix() && matrix.len() != cells {
            return exec_err!(
                "{}: metric {metric} needs the value of each label and prediction. Expected value_matrix with {cells} numbers, \
                 got {}",
                spec.name,
                matrix.len()
            );
        }
        for ClassReading {
            column_name,
            reading,
        } in realized.readings(metric, &matrix, confidence)
        {
            found.push(Evaluated {
                column_name,
                ..evaluated(metric.name().into(), reading)
            });
        }
    }
    Ok(found)
}

fn evaluated(metric: Cow<'static, str>, mut reading: Reading) -> Evaluated {
    if reading.is_coarse() {
        reading.status = reading.status.worst(Status::Coarse);
    }
    Evaluated {
        metric,
        column_name: None,
        estimate: reading,
        judged: reading,
        realized: reading,
        labelled: Reading::default(),
        p_value: None,
    }
}

/// The type of the result.
pub(super) fn output() -> DataType {
    DataType::new_list(
        DataType::Struct(super::evaluate::EVALUATION_FIELDS.clone()),
        true,
    )
}
