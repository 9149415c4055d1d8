//! Ways to call the aggregates of the registry, rows to call them with, and what a law is.
use std::sync::Arc;

use super::fitted::{asked, calibrators, encoding, projection, totals_of};
use datafusion::arrow::array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, Float64Array, Int64Array, ListArray,
    StringArray, StringViewArray, StructArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Float64Type, Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, AggregateUDF, GroupsAccumulator};
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{col, lit};
use modelwatch::functions::all_aggregates;
use modelwatch::kernel::pca::error_profile::ErrorProfile;
use modelwatch::kernel::reading::Status;
use modelwatch::kernel::regression::RegressionMetric;
use modelwatch::kernel::score_profile::{ScoreProfile, class_of};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A profile with room for this many bins has to drop bits on most generated inputs.
const FEW_BINS: i64 = 16;

/// Aggregates of classifiers of several classes.
const OF_CLASSES: [&str; 5] = [
    "class_influences",
    "class_difference_influences",
    "multiclass_profile",
    "weighted_multiclass_profile",
    "class_estimates",
];

/// Profiles of regressions.
const OF_REGRESSIONS: [&str; 4] = [
    "regression_profile",
    "regression_difference_influences",
    "weighted_regression_profile",
    "regression_influences",
];

const THRESHOLDS: [&str; 3] = [
    "*=stddev(3,3)",
    "*=false_alarm_rate(0.01)",
    "*=constant(0.2,0.9)",
];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub label: Option<bool>,
    pub prediction: Option<bool>,
    pub score: Option<f64>,
}

/// What stands for one argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    Label,
    Prediction,
    Score,
    /// Another number than the score, known where the score is.
    Number,
    /// Totals of influences of one row.
    Totals,
    /// A weight, known where the prediction is.
    Weight,
    /// A score of another model, known where the score is.
    OtherScore,
    /// A prediction of another model, known where the score is.
    OtherPrediction,
    /// The label as the name of a class.
    LabelName,
    /// The prediction as one.
    PredictionName,
    /// An expected loss.
    Losses,
    /// A score for each label, which is true or false.
    Scores,
    Profile,
    /// Score and label as a struct.
    Record,
    /// A value that was fitted to such structs, the same in every row.
    Fitted(Vec<u8>),
    /// Reconstruction profiles.
    Errors,
    /// A list of the score.
    Numbers,
    /// A small whole number that rows share.
    Whole,
    /// Another for each score.
    Instant,
    /// A text for each score.
    Name,
    /// The same as a view.
    Category,
    Constant(ScalarValue),
}

impl Input {
    fn named(function: &str, argument: &str) -> Self {
        let metric = function.strip_suffix("_difference").unwrap_or(function);
        let is_regression =
            RegressionMetric::parse(metric).is_some() || OF_REGRESSIONS.contains(&function);
        let of_classes = OF_CLASSES.contains(&function);
        match argument {
            "prediction_a" if is_regression => Self::Number,
            "prediction_b" if is_regression => Self::OtherScore,
            "prediction_a" if of_classes => Self::PredictionName,
            "prediction_b" if of_classes => Self::LabelName,
            "scores_a" | "scores_b" => Self::Scores,
            "prediction_a" => Self::Prediction,
            "prediction_b" => Self::OtherPrediction,
            "score_a" => Self::Score,
            "score_b" => Self::OtherScore,
            "label" if is_regression => Self::Score,
            "prediction" if is_regression => Self::Number,
            "weight" if function.starts_with("weighted_") || function.ends_with("_influences") => {
                Self::Weight
            }
            "profile" | "pair" if function.ends_with("_influences") => {
                Self::Fitted(asked(function))
            }
            "totals" => Self::Totals,
            "label" if function == "loss_estimates" => Self::Score,
            "prediction" if function == "loss_estimates" => Self::Number,
            "expected" => Self::Losses,
            "scores" => Self::Scores,
            "calibrators" => Self::Fitted(calibrators().to_bytes()),
            "label" if of_classes => Self::LabelName,
            "prediction" if of_classes => Self::PredictionName,
            "label" => Self::Label,
            "prediction" | "is_reference" | "alert" => Self::Prediction,
            "score" | "value" | "sampling_error" | "realized" | "target" => Self::Score,
            "profile" if function == "merge_reconstruction_profiles" => Self::Errors,
            "profile" => Self::Profile,
            "row" | "features" => Self::Record,
            "encoding" => Self::Fitted(encoding().to_bytes()),
            "pca" => Self::Fitted(projection().to_bytes()),
            "x" if function == "category_profile" => Self::Category,
            "x" => Self::Score,
            "chunk_index" | "used_count" => Self::Whole,
            "thresholds" => Self::Constant(THRESHOLDS[0].into()),
            "chunk" if function.ends_with("_series") => Self::Name,
            "controls" => Self::Numbers,
            "time" => Self::Instant,
            "is_usable" => Self::Prediction,
            "chunk" => Self::Constant("2024-05".into()),
            "direction" => Self::Constant("both".into()),
            "metric" => Self::Constant("accuracy".into()),
            other => panic!("{function}: teach tests/laws to make rows for argument '{other}'"),
        }
    }

    pub fn kind(&self) -> DataType {
        match self {
            Self::Label | Self::Prediction | Self::OtherPrediction => DataType::Boolean,
            Self::Score | Self::Number | Self::Weight | Self::OtherScore => DataType::Float64,
            Self::LabelName | Self::PredictionName => DataType::Utf8,
            Self::Losses => DataType::Struct(losses_fields()),
            Self::Scores => DataType::Struct(scores_fields()),
            Self::Profile | Self::Fitted(_) | Self::Errors | Self::Totals => DataType::BinaryView,
            Self::Record => DataType::Struct(record_fields()),
            Self::Numbers => DataType::new_list(DataType::Float64, true),
            Self::Whole | Self::Instant => DataType::Int64,
            Self::Name => DataType::Utf8,
            Self::Category => DataType::Utf8View,
            Self::Constant(value) => value.data_type(),
        }
    }

    pub fn column(&self, rows: &[Row]) -> ArrayRef {
        match self {
            Self::Label => Arc::new(rows.iter().map(|r| r.label).collect::<BooleanArray>()),
            Self::Prediction => {
                Arc::new(rows.iter().map(|r| r.prediction).collect::<BooleanArray>())
            }
            Self::Score => Arc::new(rows.iter().map(|r| r.score).collect::<Float64Array>()),
            Self::Number => {
                let number = |row: &Row| row.score.map(|score| 4.0 * score + 0.5);
                Arc::new(rows.iter().map(number).collect::<Float64Array>())
            }
            Self::Totals => {
                let totals = |row: &Row| Some(totals_of((row.label, row.prediction), row.score?));
                Arc::new(rows.iter().map(totals).collect::<BinaryViewArray>())
            }
            Self::Weight => {
                let weight = |row: &Row| row.prediction.map(|p| if p { 2.5 } else { 1.0 });
                Arc::new(rows.iter().map(weight).collect::<Float64Array>())
            }
            Self::OtherScore => {
                // eighths stay eighths, which narrower types hold
                let other = |row: &Row| row.score.map(|score| (5.0 * score).fract());
                Arc::new(rows.iter().map(other).collect::<Float64Array>())
            }
            Self::OtherPrediction => {
                let other = |row: &Row| row.score.map(|score| score >= 0.5);
                Arc::new(rows.iter().map(other).collect::<BooleanArray>())
            }
            Self::LabelName => Arc::new(
                rows.iter()
                    .map(|r| class_name(r.label))
                    .collect::<StringArray>(),
            ),
            Self::PredictionName => Arc::new(
                rows.iter()
                    .map(|r| class_name(r.prediction))
                    .collect::<StringArray>(),
            ),
            Self::Losses => {
                let columns = vec![Self::Score.column(rows)];
                Arc::new(StructArray::new(losses_fields(), columns, None))
            }
            Self::Scores => {
                let of = |is: bool| -> ArrayRef {
                    let score =
                        |row: &Row| row.score.map(|score| if is { score } else { 1.0 - score });
                    Arc::new(rows.iter().map(score).collect::<Float64Array>())
                };
                let columns = vec![of(false), of(true)];
                Arc::new(StructArray::new(scores_fields(), columns, None))
            }
            Self::Profile => Arc::new(rows.iter().map(profile_of).collect::<BinaryViewArray>()),
            Self::Record => {
                let columns = vec![Self::Score.column(rows), Self::Label.column(rows)];
                Arc::new(StructArray::new(record_fields(), columns, None))
            }
            Self::Fitted(bytes) => Arc::new(
                rows.iter()
                    .map(|_| Some(bytes))
                    .collect::<BinaryViewArray>(),
            ),
            Self::Errors => Arc::new(rows.iter().map(errors_of).collect::<BinaryViewArray>()),
            Self::Numbers => {
                let lists = rows.iter().map(|row| row.score.map(|score| [Some(score)]));
                Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists))
            }
            Self::Whole => {
                let whole = |row: &Row| row.score.map(|score| (score * 9.0) as i64);
                Arc::new(rows.iter().map(whole).collect::<Int64Array>())
            }
            Self::Instant => {
                let instant = |row: &Row| row.score.map(|score| (score * 1e12) as i64);
                Arc::new(rows.iter().map(instant).collect::<Int64Array>())
            }
            Self::Name => Arc::new(rows.iter().map(name_of).collect::<StringArray>()),
            Self::Category => Arc::new(rows.iter().map(name_of).collect::<StringViewArray>()),
            Self::Constant(value) => value.to_array_of_size(rows.len()).expect("a column"),
        }
    }
}

fn name_of(row: &Row) -> Option<String> {
    row.score.map(|score| score.to_string())
}

/// The profile of one row; a row without a score stands for a NULL profile.
fn profile_of(row: &Row) -> Option<Vec<u8>> {
    row.score?;
    let mut profile = ScoreProfile::default();
    profile.observe(class_of(row.prediction, row.label), row.score);
    Some(profile.to_bytes())
}

fn class_name(class: Option<bool>) -> Option<String> {
    class.map(|class| class.to_string())
}

fn record_fields() -> Fields {
    let number = Field::new("score", DataType::Float64, true);
    Fields::from(vec![number, Field::new("label", DataType::Boolean, true)])
}

fn losses_fields() -> Fields {
    Fields::from(vec![Field::new("absolute", DataType::Float64, true)])
}

fn scores_fields() -> Fields {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    Fields::from(vec![number("false"), number("true")])
}

/// The reconstruction profile of one row; a row without a score stands for a NULL profile.
fn errors_of(row: &Row) -> Option<Vec<u8>> {
    let mut profile = ErrorProfile::default();
    profile.observe(Status::Ok, Some(row.score?));
    Some(profile.to_bytes())
}

/// One way to call one aggregate.
pub struct Subject {
    pub name: String,
    pub function: Arc<AggregateUDF>,
    pub inputs: Vec<Input>,
    call: AggregateFunctionExpr,
}

impl Subject {
    fn new(function: &Arc<AggregateUDF>, inputs: &[Input], how: &str) -> Self {
        Self {
            name: format!("{}{how}", function.name()),
            function: Arc::clone(function),
            inputs: inputs.to_vec(),
            call: call(function, inputs),
        }
    }

    pub fn columns(&self, rows: &[Row]) -> Vec<ArrayRef> {
        self.inputs.iter().map(|input| input.column(rows)).collect()
    }

    pub fn is_complete(&self, row: &Row) -> bool {
        self.inputs
            .iter()
            .all(|input| !input.column(&[*row]).is_null(0))
    }

    pub fn single(&self) -> Box<dyn Accumulator> {
        self.call.create_accumulator().expect("an accumulator")
    }

    pub fn grouped(&self) -> Box<dyn GroupsAccumulator> {
        self.call
            .create_groups_accumulator()
            .expect("a grouped accumulator")
    }

    /// What the aggregate says of these rows, seen in one batch.
    pub fn result(&self, rows: &[Row]) -> Answer {
        let mut accumulator = self.single();
        answer(
            accumulator
                .update_batch(&self.columns(rows))
                .and_then(|()| accumulator.evaluate()),
        )
    }

    pub fn state(&self, rows: &[Row]) -> Vec<ArrayRef> {
        let mut accumulator = self.single();
        accumulator
            .update_batch(&self.columns(rows))
            .expect("an update");
        let state = accumulator.state().expect("a state");
        state
            .iter()
            .map(|s| s.to_array().expect("a state column"))
            .collect()
    }
}

/// The call as a plan would build it; few bins as the literal argument that they are.
fn call(function: &Arc<AggregateUDF>, inputs: &[Input]) -> AggregateFunctionExpr {
    let fields = inputs.iter().enumerate();
    let schema: SchemaRef = Arc::new(Schema::new(
        fields
            .map(|(i, input)| Field::new(format!("c{i}"), input.kind(), true))
            .collect::<Vec<_>>(),
    ));
    let arguments = inputs.iter().enumerate().map(|(i, input)| match input {
        Input::Constant(value) => lit(value.clone()),
        _ => col(&format!("c{i}"), &schema).expect("a column of the schema"),
    });
    AggregateExprBuilder::new(Arc::clone(function), arguments.collect())
        .schema(Arc::clone(&schema))
        .alias("result")
        .build()
        .expect("a valid call")
}

/// A result, or the text of the refusal; equal rows must be refused in equal words.
pub type Answer = std::result::Result<ScalarValue, String>;

pub fn answer(result: Result<ScalarValue>) -> Answer {
    result.map_err(|e| e.to_string())
}

/// True when the groups' results are `expected`; a refusal of one group refuses them all.
pub fn equal(found: &Result<ArrayRef>, expected: &[Answer]) -> bool {
    match found {
        Ok(array) => {
            array.len() == expected.len()
                && expected
                    .iter()
                    .enumerate()
                    .all(|(i, want)| answer(ScalarValue::try_from_array(array, i)) == *want)
        }
        Err(refusal) => expected.contains(&Err(refusal.to_string())),
    }
}

pub fn at(array: Result<ArrayRef>, row: usize) -> Answer {
    answer(array.and_then(|array| ScalarValue::try_from_array(&array, row)))
}

/// Every aggregate with its required arguments, and with few bins where it has that argument.
pub fn subjects() -> Vec<Subject> {
    let mut found = vec![];
    for function in all_aggregates().expect("the registry") {
        let names = function
            .signature()
            .parameter_names
            .clone()
            .expect("named arguments");
        let syntax = function
            .documentation()
            .expect("documentation")
            .syntax_example
            .clone();
        let required = syntax
            .split('[')
            .next()
            .map_or(0, |head| head.matches(", ").count() + 1);
        let inputs: Vec<Input> = names
            .iter()
            .take(required)
            .map(|argument| Input::named(function.name(), argument))
            .collect();
        found.push(Subject::new(&function, &inputs, ""));
        if names.get(required).is_some_and(|n| n == "max_bins") {
            let few = Input::Constant(FEW_BINS.into());
            found.push(Subject::new(
                &function,
                &[inputs.clone(), vec![few]].concat(),
                " with few bins",
            ));
        }
        if inputs.contains(&Input::Constant(THRESHOLDS[0].into())) {
            for other in &THRESHOLDS[1..] {
                let mut inputs = inputs.clone();
                inputs[0] = Input::Constant((*other).into());
                found.push(Subject::new(&function, &inputs, &format!(" with {other}")));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Up to 120 rows from a seed: a strategy for each cell would take most of the time.
pub fn rows() -> impl Strategy<Value = Vec<Row>> {
    (0..120usize, any::<u64>()).prop_map(|(count, seed)| {
        let mut draws = Draws(seed);
        (0..count).map(|_| draws.row()).collect()
    })
}

/// SplitMix64 (Steele, Lea and Flood 2014, Fast splittable pseudorandom number generators).
pub struct Draws(pub u64);

impl Draws {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// True, false, or one time in ten NULL.
    pub fn class(&mut self) -> Option<bool> {
        (self.below(10) > 0).then(|| self.below(2) == 1)
    }

    fn score(&mut self) -> f64 {
        const SPECIAL: [f64; 6] = [0.0, -0.0, 1.0, 1e-300, 0.5, 1.0 - f64::EPSILON];
        match self.below(9) {
            0 => SPECIAL[self.below(6) as usize],
            1..=3 => self.below(21) as f64 / 20.0,
            _ => self.below(1 << 53) as f64 / (1u64 << 53) as f64,
        }
    }

    fn row(&mut self) -> Row {
        Row {
            label: self.class(),
            prediction: self.class(),
            score: (self.below(10) > 0).then(|| self.score()),
        }
    }
}

/// Runs a law on every subject, on cases that are the same in every run.
pub fn law<S: Strategy>(
    cases: S,
    holds: impl Fn(&Subject, S::Value) -> std::result::Result<(), TestCaseError>,
) {
    for subject in subjects() {
        let config = Config {
            failure_persistence: None,
            ..Config::default()
        };
        let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let outcome =
            TestRunner::new_with_rng(config, seed).run(&cases, |case| holds(&subject, case));
        if let Err(failure) = outcome {
            panic!("{}: {failure}", subject.name);
        }
    }
}
