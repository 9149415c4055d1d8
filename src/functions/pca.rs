//! Multivariate drift by principal components: `fit_encoding`, `fit_pca`, `reconstruction_error` and what follows.
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{
    Result, ScalarValue, exec_datafusion_err, exec_err, plan_datafusion_err, plan_err,
};
use datafusion::logical_expr::{AggregateUDF, ColumnarValue, ScalarUDF};

use super::EVALUATION_FIELDS;
use super::aggregate::aggregate;
use super::evaluation_row::row_of;
use super::scalar::{scalar, scalar_of_batch};
use super::spec::{FunctionSpec, Role};
use super::values::{bytes, number};
use crate::accumulate::{
    Aggregation, Arguments, CovarianceRows, EncodingRows, ErrorRows, MergedErrors, projected,
};
use crate::kernel::digest::DigestLimits;
use crate::kernel::monitored::RECONSTRUCTION_ERROR;
use crate::kernel::pca::columns::{ImputeNumber, ImputeText};
use crate::kernel::pca::error_profile::ErrorProfile;
use crate::kernel::pca::projection::{Components, Projection};
use crate::suggest::expected_one_of;

const ROW: (&str, Role, &str) = (
    "row",
    Role::Record,
    "The columns of a row as a struct, as in {'age': age, 'plan': plan}: numbers, texts and booleans.",
);
const PCA: (&str, Role, &str) = ("pca", Role::Bytes, "What fit_pca returned.");

static FIT_ENCODING: FunctionSpec = FunctionSpec {
    name: "fit_encoding",
    description: "How rows become numbers of comparable size: a number is scaled by mean and standard deviation, a text or \
                  boolean becomes its relative frequency first, and what stands for NULL. NULL without rows; rows with an \
                  infinite value are left out.",
    arguments: &[
        ROW,
        (
            "impute_continuous",
            Role::Text,
            "What stands for a missing number: 'mean' (default) or 'median'.",
        ),
        (
            "impute_categorical",
            Role::Text,
            "What stands for a missing category: 'most_frequent' (default), or 'missing' for one of its own.",
        ),
        (
            "max_bins",
            Role::Integer,
            "For the median: it is exact up to so many distinct numbers; 8192 by default.",
        ),
    ],
    required: 1,
    example: "SELECT fit_encoding({'age': age, 'plan': plan}) FROM reference",
};

static FIT_PCA: FunctionSpec = FunctionSpec {
    name: "fit_pca",
    description: "The principal components of encoded rows, together with their encoding: what reconstruction_error needs, \
                  and can be stored.",
    arguments: &[
        ROW,
        (
            "encoding",
            Role::Bytes,
            "What fit_encoding returned for the same rows.",
        ),
        (
            "n_components",
            Role::Number,
            "0.65 (default): as few components as carry more than this share of the variance; or their number.",
        ),
    ],
    required: 2,
    example: "SELECT fit_pca({'age': age, 'plan': plan}, (SELECT fit_encoding({'age': age, 'plan': plan}) FROM reference))\n\
              FROM reference",
};

static RECONSTRUCTION: FunctionSpec = FunctionSpec {
    name: RECONSTRUCTION_ERROR,
    description: "How far a row is from what the components of the reference can represent, in standard deviations of the \
                  columns: rows whose values do not go together as they did there. NULL where a value is infinite.",
    arguments: &[ROW, PCA],
    required: 2,
    example: "SELECT *, reconstruction_error({'age': age, 'plan': plan}, (SELECT pca FROM fitted)) AS error FROM analysis",
};

static RECONSTRUCTION_PROFILE: FunctionSpec = FunctionSpec {
    name: "reconstruction_profile",
    description: "Number and exact moments of the reconstruction errors of rows.",
    arguments: &[ROW, PCA],
    required: 2,
    example: "SELECT week, reconstruction_profile({'age': age, 'plan': plan}, (SELECT pca FROM fitted)) AS profile\n\
              FROM analysis GROUP BY week",
};

static MERGE: FunctionSpec = FunctionSpec {
    name: "merge_reconstruction_profiles",
    description: "One reconstruction profile of the rows of all.",
    arguments: &[(
        "profile",
        Role::Bytes,
        "What reconstruction_profile returned.",
    )],
    required: 1,
    example: "SELECT merge_reconstruction_profiles(profile) FROM weeks",
};

static EVALUATE: FunctionSpec = FunctionSpec {
    name: "evaluate_reconstruction",
    description: "The mean reconstruction error of a profile's rows, with its error and bounds.",
    arguments: &[
        (
            "profile",
            Role::Bytes,
            "What reconstruction_profile returned.",
        ),
        (
            "confidence_level",
            Role::Number,
            "Confidence level of the bounds; 0.95 by default.",
        ),
    ],
    required: 1,
    example: "SELECT week, evaluate_reconstruction(profile)['value'] FROM weeks",
};

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![
        aggregate::<EncodingRows>(&FIT_ENCODING, DataType::BinaryView, fit_encoding)?,
        aggregate::<CovarianceRows>(&FIT_PCA, DataType::BinaryView, fit_pca)?,
        aggregate::<ErrorRows>(&RECONSTRUCTION_PROFILE, DataType::BinaryView, profile)?,
        aggregate::<MergedErrors>(&MERGE, DataType::BinaryView, merge)?,
    ])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![
        scalar_of_batch(
            &RECONSTRUCTION,
            DataType::Float64,
            error_of_row,
            error_of_batch,
        )?,
        scalar(
            &EVALUATE,
            DataType::Struct(EVALUATION_FIELDS.clone()),
            evaluate,
        )?,
    ])
}

/// Reads what stands for missing values, with room for a median of `max_bins`.
pub fn imputation(
    function: &str,
    numbers: Option<&str>,
    texts: Option<&str>,
    max_bins: u32,
) -> Result<(ImputeNumber, ImputeText)> {
    let refuse = |argument: &str, word: &str, words: &[&str]| {
        plan_datafusion_err!(
            "{function}: argument '{argument}' is '{word}'. {}",
            expected_one_of(word, words)
        )
    };
    let numbers = match numbers {
        None | Some("mean") => ImputeNumber::Mean,
        Some("median") => ImputeNumber::Median(max_bins),
        Some(word) => return Err(refuse("impute_continuous", word, &["mean", "median"])),
    };
    let texts = match texts {
        None | Some("most_frequent") => ImputeText::MostFrequent,
        Some("missing") => ImputeText::Missing,
        Some(word) => {
            return Err(refuse(
                "impute_categorical",
                word,
                &["most_frequent", "missing"],
            ));
        }
    };
    Ok((numbers, texts))
}

fn fit_encoding(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<EncodingRows>> {
    let bins = arguments.integer(3, "max_bins", i64::from(DigestLimits::default().max_bins))?;
    let (fewest, most) = (DigestLimits::FEWEST_BINS, DigestLimits::MOST_BINS);
    let Some(max_bins) = u32::try_from(bins)
        .ok()
        .filter(|bins| (fewest..=most).contains(bins))
    else {
        return plan_err!(
            "{}: max_bins is {bins}. Expected {fewest} to {most}",
            spec.name
        );
    };
    let (numbers, texts) = imputation(
        spec.name,
        arguments.text(1, "impute_continuous")?.as_deref(),
        arguments.text(2, "impute_categorical")?.as_deref(),
        max_bins,
    )?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(move || EncodingRows::new(numbers)),
        read: Arc::new(move |rows| {
            let encoding = rows.summaries.encoding(texts);
            Ok(ScalarValue::BinaryView(
                encoding.map(|encoding| encoding.to_bytes()),
            ))
        }),
        output: DataType::BinaryView,
    })
}

fn fit_pca(
    spec: &'static FunctionSpec,
    arguments: Arguments,
) -> Result<Aggregation<CovarianceRows>> {
    let share = match arguments.constant(2, "n_components")? {
        None => 0.65,
        Some(ScalarValue::Float64(Some(number))) => *number,
        Some(other) => {
            return exec_err!("{}: n_components is {other}. Expected a number", spec.name);
        }
    };
    let components =
        Components::of(share).map_err(|e| plan_datafusion_err!("{}: {e}", spec.name))?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(CovarianceRows::default),
        read: Arc::new(move |rows| {
            let fit = rows.encoding.as_ref().map(|encoding| {
                Projection::fit(encoding.value.clone(), &rows.sums, components).to_bytes()
            });
            Ok(ScalarValue::BinaryView(fit))
        }),
        output: DataType::BinaryView,
    })
}

fn profile(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<ErrorRows>> {
    Ok(Aggregation {
        arguments,
        empty: Arc::new(ErrorRows::default),
        read: Arc::new(|rows| Ok(ScalarValue::BinaryView(Some(rows.profile.to_bytes())))),
        output: DataType::BinaryView,
    })
}

fn merge(_: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<MergedErrors>> {
    Ok(Aggregation {
        arguments,
        empty: Arc::new(MergedErrors::default),
        read: Arc::new(|rows| Ok(ScalarValue::BinaryView(Some(rows.0.to_bytes())))),
        output: DataType::BinaryView,
    })
}

fn errors(function: &str, row: &ArrayRef, pca: &ArrayRef) -> Result<Float64Array> {
    let (records, fits) = projected(function, row, pca)?;
    let mut z = Vec::new();
    let of_row = |row: usize| {
        let (cells, fit) = (records.row(row)?, fits.at(row)?);
        z.resize(fit.value.encoding().columns().len(), 0.0);
        fit.value.error(cells, &mut z)
    };
    Ok((0..records.rows()).map(of_row).collect())
}

fn error_of_row(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let [row, pca] = values else {
        return exec_err!("{}: expected a row and a fitted projection", spec.name);
    };
    let errors = errors(spec.name, &row.to_array()?, &pca.to_array()?)?;
    ScalarValue::try_from_array(&errors, 0)
}

fn error_of_batch(spec: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let rows = values.iter().find_map(|value| match value {
        ColumnarValue::Array(array) => Some(array.len()),
        ColumnarValue::Scalar(_) => None,
    });
    let (Some(rows), [row, pca]) = (rows, values) else {
        return Ok(None);
    };
    let errors = errors(spec.name, &row.to_array(rows)?, &pca.to_array(rows)?)?;
    Ok(Some(Arc::new(errors)))
}

fn evaluate(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let confidence = number(values, 1).unwrap_or(0.95);
    if !(confidence > 0.0 && confidence < 1.0) {
        return exec_err!(
            "{}: confidence_level is {confidence}. Expected a number between 0 and 1, such as 0.95",
            spec.name
        );
    }
    // an analysis without rows has a chunk without a profile
    let profile = match bytes(values, 0) {
        Some(bytes) => ErrorProfile::from_bytes(bytes)
            .map_err(|e| exec_datafusion_err!("{}: {e}", spec.name))?,
        None => ErrorProfile::default(),
    };
    let reading = profile.reading(confidence);
    // no label is read
    row_of(RECONSTRUCTION_ERROR, &reading)
}
