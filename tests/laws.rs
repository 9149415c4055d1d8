//! The laws of aggregation, checked for every aggregate of the registry: an entry needs no test code of its own.
//!
//! Every law asks for equality to the bit, floats included, for a result is a function of the rows alone.
//! Case generation is seeded; `PROPTEST_CASES` raises the number of cases per law and aggregate (256).
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, Float64Array, Int64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, AggregateUDF, EmitTo, GroupsAccumulator};
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{col, lit};
use modelwatch::functions::all_aggregates;
use modelwatch::kernel::score_profile::{ScoreProfile, class_of};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A profile with room for this many bins has to drop bits on most generated inputs.
const FEW_BINS: i64 = 16;

/// Counts rows with a NULL on purpose: a profile tells how many rows lacked what.
const COUNTS_NULL_ROWS: [&str; 1] = ["score_profile"];

#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    label: Option<bool>,
    prediction: Option<bool>,
    score: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Input {
    Label,
    Prediction,
    Score,
    Profile,
    MaxBins,
}

impl Input {
    fn named(function: &str, argument: &str) -> Self {
        match argument {
            "label" => Self::Label,
            "prediction" => Self::Prediction,
            "score" => Self::Score,
            "profile" => Self::Profile,
            "max_bins" => Self::MaxBins,
            other => panic!("{function}: teach tests/laws.rs to make rows for argument '{other}'"),
        }
    }

    fn kind(self) -> DataType {
        match self {
            Self::Label | Self::Prediction => DataType::Boolean,
            Self::Score => DataType::Float64,
            Self::Profile => DataType::BinaryView,
            Self::MaxBins => DataType::Int64,
        }
    }

    fn column(self, rows: &[Row]) -> ArrayRef {
        match self {
            Self::Label => Arc::new(rows.iter().map(|r| r.label).collect::<BooleanArray>()),
            Self::Prediction => {
                Arc::new(rows.iter().map(|r| r.prediction).collect::<BooleanArray>())
            }
            Self::Score => Arc::new(rows.iter().map(|r| r.score).collect::<Float64Array>()),
            Self::Profile => Arc::new(rows.iter().map(profile_of).collect::<BinaryViewArray>()),
            Self::MaxBins => Arc::new(Int64Array::from(vec![FEW_BINS; rows.len()])),
        }
    }

    fn is_null(self, row: &Row) -> bool {
        self.column(&[*row]).is_null(0)
    }
}

/// The profile of one row; a row without a score stands for a NULL profile.
fn profile_of(row: &Row) -> Option<Vec<u8>> {
    row.score?;
    let mut profile = ScoreProfile::default();
    profile.observe(class_of(row.prediction, row.label), row.score);
    Some(profile.to_bytes())
}

/// One way to call one aggregate.
struct Subject {
    name: String,
    function: Arc<AggregateUDF>,
    inputs: Vec<Input>,
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

    fn columns(&self, rows: &[Row]) -> Vec<ArrayRef> {
        self.inputs.iter().map(|input| input.column(rows)).collect()
    }

    fn single(&self) -> Box<dyn Accumulator> {
        self.call.create_accumulator().expect("an accumulator")
    }

    fn grouped(&self) -> Box<dyn GroupsAccumulator> {
        self.call
            .create_groups_accumulator()
            .expect("a grouped accumulator")
    }

    /// What the aggregate says of these rows, seen in one batch.
    fn result(&self, rows: &[Row]) -> Answer {
        let mut accumulator = self.single();
        answer(
            accumulator
                .update_batch(&self.columns(rows))
                .and_then(|()| accumulator.evaluate()),
        )
    }

    fn state(&self, rows: &[Row]) -> Vec<ArrayRef> {
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
        Input::MaxBins => lit(FEW_BINS),
        _ => col(&format!("c{i}"), &schema).expect("a column of the schema"),
    });
    AggregateExprBuilder::new(Arc::clone(function), arguments.collect())
        .schema(Arc::clone(&schema))
        .alias("result")
        .build()
        .expect("a valid call")
}

/// A result, or the text of the refusal; equal rows must be refused in equal words.
type Answer = std::result::Result<ScalarValue, String>;

fn answer(result: Result<ScalarValue>) -> Answer {
    result.map_err(|e| e.to_string())
}

fn at(array: Result<ArrayRef>, row: usize) -> Answer {
    answer(array.and_then(|array| ScalarValue::try_from_array(&array, row)))
}

/// Every aggregate with its required arguments, and with few bins where it has that argument.
fn subjects() -> Vec<Subject> {
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
            let inputs = [inputs, vec![Input::MaxBins]].concat();
            found.push(Subject::new(&function, &inputs, " with few bins"));
        }
    }
    assert!(!found.is_empty());
    found
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        5 => 0.0..=1.0f64,
        3 => (0..=20u32).prop_map(|k| f64::from(k) / 20.0),
        1 => prop::sample::select(vec![0.0, -0.0, 1.0, 1e-300, 0.5, 1.0 - f64::EPSILON]),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let class = || prop::option::weighted(0.9, any::<bool>());
    (class(), class(), prop::option::weighted(0.9, score())).prop_map(
        |(label, prediction, score)| Row {
            label,
            prediction,
            score,
        },
    )
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 0..120)
}

/// Runs a law on every subject, on cases that are the same in every run.
fn law<S: Strategy>(
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

#[test]
fn merging_parts_equals_one_pass() {
    law((rows(), 1..6usize), |subject, (rows, parts)| {
        let mut merged = subject.single();
        for part in rows.chunks(rows.len().div_ceil(parts).max(1)) {
            merged.merge_batch(&subject.state(part)).expect("a merge");
        }
        prop_assert_eq!(answer(merged.evaluate()), subject.result(&rows));
        Ok(())
    });
}

#[test]
fn merging_is_commutative_and_associative() {
    law((rows(), rows(), rows()), |subject, (a, b, c)| {
        let fold = |parts: &[&[Row]]| {
            let mut merged = subject.single();
            for part in parts {
                merged.merge_batch(&subject.state(part)).expect("a merge");
            }
            let state = merged.state().expect("a state");
            (state, answer(merged.evaluate()))
        };
        let left = fold(&[&a, &b, &c]);
        prop_assert_eq!(&left, &fold(&[&c, &a, &b]));
        // (b + c) first, then a
        let mut inner = subject.single();
        inner.merge_batch(&subject.state(&b)).expect("a merge");
        inner.merge_batch(&subject.state(&c)).expect("a merge");
        let inner: Vec<ArrayRef> = inner
            .state()
            .expect("a state")
            .iter()
            .map(|s| s.to_array().expect("a column"))
            .collect();
        let mut outer = subject.single();
        outer.merge_batch(&inner).expect("a merge");
        outer.merge_batch(&subject.state(&a)).expect("a merge");
        prop_assert_eq!(outer.state().expect("a state"), left.0);
        Ok(())
    });
}

#[test]
fn an_empty_state_is_neutral() {
    law(rows(), |subject, rows| {
        let mut merged = subject.single();
        for part in [&[][..], &rows, &[]] {
            merged.merge_batch(&subject.state(part)).expect("a merge");
        }
        prop_assert_eq!(answer(merged.evaluate()), subject.result(&rows));
        Ok(())
    });
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let shuffled = rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()));
    law(shuffled, |subject, (rows, shuffled)| {
        prop_assert_eq!(subject.result(&rows), subject.result(&shuffled));
        Ok(())
    });
}

#[test]
fn the_split_into_batches_does_not_matter() {
    law((rows(), 1..9usize), |subject, (rows, size)| {
        let mut accumulator = subject.single();
        for batch in rows.chunks(size) {
            accumulator
                .update_batch(&subject.columns(batch))
                .expect("an update");
        }
        prop_assert_eq!(answer(accumulator.evaluate()), subject.result(&rows));
        Ok(())
    });
}

#[test]
fn a_row_with_a_null_equals_its_absence() {
    law(rows(), |subject, rows| {
        let complete = |row: &&Row| subject.inputs.iter().all(|input| !input.is_null(row));
        let kept: Vec<Row> = rows.iter().filter(complete).copied().collect();
        if !COUNTS_NULL_ROWS.contains(&subject.function.name()) {
            prop_assert_eq!(subject.result(&rows), subject.result(&kept));
        }
        Ok(())
    });
}

#[test]
fn evaluating_twice_gives_the_same_and_more_rows_may_follow() {
    law((rows(), rows()), |subject, (first, second)| {
        let mut accumulator = subject.single();
        accumulator
            .update_batch(&subject.columns(&first))
            .expect("an update");
        let once = answer(accumulator.evaluate());
        prop_assert_eq!(&once, &answer(accumulator.evaluate()));
        prop_assert_eq!(&once, &subject.result(&first));
        accumulator
            .update_batch(&subject.columns(&second))
            .expect("an update");
        prop_assert_eq!(
            answer(accumulator.evaluate()),
            subject.result(&[first, second].concat())
        );
        Ok(())
    });
}

#[test]
fn grouped_equals_row_by_row_with_groups_emitted_early() {
    law(
        (rows(), rows(), 1..6usize, 0..6usize),
        |subject, (before, after, groups, emitted)| {
            let emitted = emitted.min(groups);
            let group = |i: usize| (i * 7) % groups;
            let mut accumulator = subject.grouped();
            let indices: Vec<usize> = (0..before.len()).map(group).collect();
            accumulator
                .update_batch(&subject.columns(&before), &indices, None, groups)
                .expect("an update");
            let early = accumulator.evaluate(EmitTo::First(emitted));
            let early = early.expect("an early emit");
            prop_assert_eq!(early.len(), emitted);
            // the groups that stay move down, and rows go on arriving for them
            let late: Vec<(usize, Row)> = after
                .iter()
                .enumerate()
                .map(|(i, row)| (group(i), *row))
                .filter(|(g, _)| *g >= emitted)
                .collect();
            let indices: Vec<usize> = late.iter().map(|(g, _)| g - emitted).collect();
            let later: Vec<Row> = late.iter().map(|(_, row)| *row).collect();
            accumulator
                .update_batch(&subject.columns(&later), &indices, None, groups - emitted)
                .expect("an update");
            let rest = accumulator.evaluate(EmitTo::All).expect("the rest");
            prop_assert_eq!(rest.len(), groups - emitted);
            for g in 0..groups {
                let mut mine: Vec<Row> = before
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| group(*i) == g)
                    .map(|(_, row)| *row)
                    .collect();
                let got = if g < emitted {
                    at(Ok(Arc::clone(&early)), g)
                } else {
                    mine.extend(late.iter().filter(|(at, _)| *at == g).map(|(_, row)| *row));
                    at(Ok(Arc::clone(&rest)), g - emitted)
                };
                prop_assert_eq!(got, subject.result(&mine));
            }
            Ok(())
        },
    );
}

#[test]
fn a_filter_keeps_only_true() {
    let filtered = prop::collection::vec((row(), any::<Option<bool>>()), 0..120);
    law(filtered, |subject, pairs| {
        let rows: Vec<Row> = pairs.iter().map(|(row, _)| *row).collect();
        let filter: BooleanArray = pairs.iter().map(|(_, keep)| *keep).collect();
        let kept: Vec<Row> = pairs
            .iter()
            .filter(|(_, keep)| *keep == Some(true))
            .map(|(row, _)| *row)
            .collect();
        let zeros = vec![0; rows.len()];
        let mut grouped = subject.grouped();
        grouped
            .update_batch(&subject.columns(&rows), &zeros, Some(&filter), 1)
            .expect("an update");
        prop_assert_eq!(at(grouped.evaluate(EmitTo::All), 0), subject.result(&kept));
        let states = subject
            .grouped()
            .convert_to_state(&subject.columns(&rows), Some(&filter))
            .expect("states");
        let mut merged = subject.grouped();
        merged.merge_batch(&states, &zeros, 1).expect("a merge");
        prop_assert_eq!(at(merged.evaluate(EmitTo::All), 0), subject.result(&kept));
        Ok(())
    });
}

#[test]
fn states_of_both_accumulators_are_interchangeable() {
    law(rows(), |subject, rows| {
        let want = subject.result(&rows);
        let columns = subject.columns(&rows);
        let zeros = vec![0; rows.len()];
        let mut grouped = subject.grouped();
        grouped
            .update_batch(&columns, &zeros, None, 1)
            .expect("an update");
        let from_grouped = grouped.state(EmitTo::All).expect("a state");
        let converted = subject
            .grouped()
            .convert_to_state(&columns, None)
            .expect("states");
        for states in [subject.state(&rows), from_grouped, converted] {
            let mut single = subject.single();
            single.merge_batch(&states).expect("a merge");
            prop_assert_eq!(&answer(single.evaluate()), &want);
            let mut grouped = subject.grouped();
            let zeros = vec![0; states[0].len()];
            grouped.merge_batch(&states, &zeros, 1).expect("a merge");
            prop_assert_eq!(&at(grouped.evaluate(EmitTo::All), 0), &want);
        }
        Ok(())
    });
}

#[test]
fn a_damaged_state_is_refused_and_never_panics() {
    law(
        (rows(), any::<prop::sample::Index>(), 1..=255u8),
        |subject, (rows, place, flip)| {
            for column in subject.state(&rows) {
                let Some(ScalarValue::BinaryView(Some(mut bytes))) =
                    ScalarValue::try_from_array(&column, 0).ok()
                else {
                    continue;
                };
                if bytes.is_empty() {
                    continue;
                }
                let place = place.index(bytes.len());
                bytes[place] ^= flip;
                let damaged: ArrayRef = Arc::new(BinaryViewArray::from_iter_values([&bytes]));
                prop_assert!(subject.single().merge_batch(&[damaged]).is_err());
                let cut: ArrayRef = Arc::new(BinaryViewArray::from_iter_values([&bytes[..place]]));
                // the empty state of some aggregates has no bytes at all
                prop_assert!(place == 0 || subject.single().merge_batch(&[cut]).is_err());
            }
            Ok(())
        },
    );
}
