//! Gradient-boosted trees: `fit_gbdt`, `predict_gbdt`, `describe_gbdt`.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray, StructArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion::common::{
    Result, ScalarValue, exec_datafusion_err, exec_err, plan_datafusion_err, plan_err,
};
use datafusion::logical_expr::{AggregateUDF, ColumnarValue, ScalarUDF};

use super::aggregate::aggregate;
use super::scalar::{scalar, scalar_of_batch};
use super::spec::{FunctionSpec, Role};
use super::values::bytes;
use crate::accumulate::{Aggregation, Arguments, GbdtRows, predicted};
use crate::kernel::gbdt::model::Model;
use crate::kernel::gbdt::options::{Objective, Options, max_rows};
use crate::kernel::gbdt::rows::Rows;
use crate::kernel::gbdt::tree::Tree;
use crate::suggest::expected_one_of;

/// Most distinct rows that are kept where the call does not say.
const MAX_ROWS: usize = 1_000_000;

static FIT: FunctionSpec = FunctionSpec {
    name: "fit_gbdt",
    description: "Gradient-boosted decision trees that predict a number, or a probability, from the columns of a row: a value that \
                  predict_gbdt applies, and that can be stored. The same bytes for the same rows, in any order and in any parts. \
                  Rows whose target, weight or features are NULL are left out; NULL without rows. A feature may be NULL or NaN: \
                  missing numbers go where they fit better, a missing category is one of its own; an infinite number is \
                  larger or smaller than all others.",
    arguments: &[
        (
            "target",
            Role::Number,
            "What is to be predicted: a finite number; 0, 1 or a boolean for objective 'logistic'.",
        ),
        (
            "features",
            Role::Record,
            "The columns to predict it from, as in {'age': age, 'plan': plan}: numbers, texts and booleans.",
        ),
        (
            "weight",
            Role::Number,
            "How many rows a row stands for: 2 is the same as the row twice, 0 leaves it out; NULL (default) is 1 for all.",
        ),
        (
            "objective",
            Role::Text,
            "'squared' (default) predicts the mean, 'logistic' the probability of 1.",
        ),
        (
            "options",
            Role::Record,
            "A struct with any of: trees (100), leaves of a tree (31, at most 64), learning_rate (0.1), min_rows in a leaf (a 300th \
             of all, from 20 to 200), l2 (0), max_bins of a column of numbers (255), max_rows (1000000): of more distinct rows \
             those with the smallest hash are used, a sample that depends on nothing but the rows.",
        ),
    ],
    required: 2,
    example: "SELECT fit_gbdt(abs(y_true - y_pred), {'age': age, 'plan': plan, 'y_pred': y_pred}) FROM reference",
};

const MODEL: (&str, Role, &str) = ("model", Role::Bytes, "What fit_gbdt returned.");

static PREDICT: FunctionSpec = FunctionSpec {
    name: "predict_gbdt",
    description: "What fitted trees predict of a row: a number, or with objective 'logistic' a probability. The features are found by \
                  name, in any order and among others; a category that the fit did not know is treated as its rare ones. NULL \
                  where model or features are NULL.",
    arguments: &[
        MODEL,
        (
            "features",
            Role::Record,
            "The columns that the model was fitted on, as in {'age': age, 'plan': plan}.",
        ),
    ],
    required: 2,
    example: "SELECT avg(predict_gbdt((SELECT model FROM fitted), {'age': age, 'plan': plan, 'y_pred': y_pred})) FROM analysis",
};

static DESCRIBE: FunctionSpec = FunctionSpec {
    name: "describe_gbdt",
    description: "What is in fitted trees: objective, rows that were seen and that they were fitted on (fewer beyond max_rows distinct \
                  ones), the weight of the latter, the prediction before the first tree, trees, leaves and features.",
    arguments: &[MODEL],
    required: 1,
    example: "SELECT describe_gbdt(model)['fitted_row_count'] FROM fitted",
};

pub(super) fn aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    Ok(vec![aggregate::<GbdtRows>(
        &FIT,
        DataType::BinaryView,
        fit,
    )?])
}

pub(super) fn scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    let description = DataType::Struct(DESCRIPTION.clone());
    Ok(vec![
        scalar_of_batch(&PREDICT, DataType::Float64, predict_row, predict_batch)?,
        scalar(&DESCRIBE, description, describe)?,
    ])
}

fn fit(spec: &'static FunctionSpec, arguments: Arguments) -> Result<Aggregation<GbdtRows>> {
    let objective = match arguments.text(3, "objective")? {
        None => Objective::default(),
        Some(word) => Objective::named(&word).ok_or_else(|| {
            let words = expected_one_of(&word, &Objective::NAMES);
            plan_datafusion_err!("{}: argument 'objective' is '{word}'. {words}", spec.name)
        })?,
    };
    let (options, most) = options(spec, arguments.constant(4, "options")?)?;
    Ok(Aggregation {
        arguments,
        empty: Arc::new(move || GbdtRows(Rows::new(objective, most))),
        read: Arc::new(move |rows| {
            let model = rows.0.fit(&options);
            Ok(ScalarValue::BinaryView(model.map(|model| model.to_bytes())))
        }),
        output: DataType::BinaryView,
    })
}

/// How trees are grown, and from how many distinct rows.
fn options(spec: &FunctionSpec, given: Option<&ScalarValue>) -> Result<(Options, usize)> {
    let (mut options, mut most) = (Options::default(), MAX_ROWS);
    let Some(given) = given else {
        return Ok((options, most));
    };
    let ScalarValue::Struct(given) = given else {
        return plan_err!(
            "{}: argument 'options' is {given}. Expected a struct. Hint: {{'trees': 50, 'leaves': 15}}",
            spec.name
        );
    };
    let told = |e| plan_datafusion_err!("{}: option {e}", spec.name);
    for (field, column) in given.fields().iter().zip(given.columns()) {
        let name = field.name().as_str();
        if name != "max_rows" && !Options::NAMES.contains(&name) {
            let names = [&Options::NAMES[..], &["max_rows"]].concat();
            let words = expected_one_of(name, &names);
            return plan_err!("{}: there is no option '{name}'. {words}", spec.name);
        }
        if column.is_null(0) || *column.data_type() == DataType::Null {
            continue;
        }
        let Some(numbers) = column.as_primitive_opt::<Float64Type>() else {
            let kind = column.data_type();
            return plan_err!(
                "{}: option {name} has type {kind}. Expected a number",
                spec.name
            );
        };
        match name {
            "max_rows" => most = max_rows(numbers.value(0)).map_err(told)?,
            _ => options = options.with(name, numbers.value(0)).map_err(told)?,
        }
    }
    Ok((options, most))
}

fn predict_row(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let [model, features] = values else {
        return exec_err!("{}: expected a model and features", spec.name);
    };
    let found = predicted(spec.name, &model.to_array()?, &features.to_array()?)?;
    ScalarValue::try_from_array(&found, 0)
}

fn predict_batch(spec: &FunctionSpec, values: &[ColumnarValue]) -> Result<Option<ArrayRef>> {
    let found = match values {
        [model, ColumnarValue::Array(features)] => {
            // one model for all rows is not copied to each
            let model = match model {
                ColumnarValue::Scalar(model) => model.to_array()?,
                ColumnarValue::Array(models) => Arc::clone(models),
            };
            predicted(spec.name, &model, features)?
        }
        [
            ColumnarValue::Array(models),
            ColumnarValue::Scalar(features),
        ] => predicted(spec.name, models, &features.to_array_of_size(models.len())?)?,
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(found)))
}

static DESCRIPTION: LazyLock<Fields> = LazyLock::new(|| {
    let field = |(name, kind): &(&str, DataType)| Field::new(*name, kind.clone(), true);
    let fields = [
        ("objective", DataType::Utf8),
        ("row_count", DataType::Int64),
        ("fitted_row_count", DataType::Int64),
        ("weight", DataType::Float64),
        ("base", DataType::Float64),
        ("trees", DataType::Int64),
        ("leaves", DataType::Int64),
        ("features", DataType::Utf8),
    ];
    fields.iter().map(field).collect()
});

fn describe(spec: &FunctionSpec, values: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(model) = bytes(values, 0) else {
        return ScalarValue::try_from(DataType::Struct(DESCRIPTION.clone()));
    };
    let model = Model::from_bytes(model).map_err(|e| exec_datafusion_err!("{}: {e}", spec.name))?;
    let training = model.training();
    let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let number = |x: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![x])) };
    let count = |n: u64| -> ArrayRef { Arc::new(Int64Array::from(vec![i64::try_from(n).ok()])) };
    let leaves: usize = model.trees().iter().map(Tree::leaves).sum();
    let features: Vec<&str> = model.columns().iter().map(|column| column.name()).collect();
    let columns = vec![
        text(model.objective().name()),
        count(training.row_count),
        count(training.fitted_row_count),
        number(training.weight),
        number(model.base()),
        count(model.trees().len() as u64),
        count(leaves as u64),
        text(&features.join(", ")),
    ];
    let row = StructArray::try_new(DESCRIPTION.clone(), columns, None)?;
    Ok(ScalarValue::Struct(Arc::new(row)))
}
