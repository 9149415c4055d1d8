//! The same aggregates as SQL sees them: calls, types, frames, partitions.
use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use modelwatch::functions::{all_aggregates, all_scalars};

use super::subject::{Answer, Input, Row, Subject, subjects};

/// Rows with NULLs, ties and both classes, scores in eighths, so that narrower types hold them exactly.
fn sample(count: usize) -> Vec<Row> {
    let every = |i: usize, n: usize| i % n == n - 1;
    let row = |i: usize| Row {
        label: (!every(i, 11)).then_some((i * 7) % 5 < 2),
        prediction: (!every(i, 13)).then_some((i * 5) % 9 > 3),
        score: (!every(i, 17)).then_some((i * 29 % 9) as f64 / 8.0),
    };
    (0..count).map(row).collect()
}

/// The subject's columns `a0, a1, ...` as a table, with the row number `i`.
fn table(columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let number: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
    let named = columns
        .into_iter()
        .enumerate()
        .map(|(i, c)| (format!("a{i}"), c));
    let named: Vec<(String, ArrayRef)> = named.chain([("i".to_string(), number)]).collect();
    let fields = named
        .iter()
        .map(|(name, c)| Field::new(name, c.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, named.into_iter().map(|(_, c)| c).collect()).expect("a table")
}

fn arguments(subject: &Subject) -> String {
    let texts = subject
        .inputs
        .iter()
        .enumerate()
        .map(|(i, input)| match input {
            Input::Constant(ScalarValue::Utf8(Some(text))) => format!("'{text}'"),
            Input::Constant(value) => value.to_string(),
            _ => format!("a{i}"),
        });
    texts.collect::<Vec<_>>().join(", ")
}

struct Session(SessionContext, tokio::runtime::Runtime);

impl Session {
    fn new(batch: &RecordBatch, partitions: usize, batch_size: usize) -> Self {
        let config = SessionConfig::new()
            .with_target_partitions(partitions)
            .with_batch_size(batch_size);
        let session = SessionContext::new_with_config(config);
        modelwatch::register_all(&session).expect("registration");
        let rows = batch.num_rows().div_ceil(partitions).max(1);
        let starts = (0..batch.num_rows()).step_by(rows);
        let parts =
            starts.map(|start| vec![batch.slice(start, rows.min(batch.num_rows() - start))]);
        let memory = MemTable::try_new(batch.schema(), parts.collect()).expect("a table");
        session
            .register_table("t", Arc::new(memory))
            .expect("registration");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Self(session, runtime.expect("a runtime"))
    }

    /// The first column of the result.
    fn column(&self, sql: &str) -> Result<Vec<ScalarValue>, String> {
        let run = async { self.0.sql(sql).await?.collect().await };
        let batches = self.1.block_on(run).map_err(|e| e.to_string())?;
        let cells = batches
            .iter()
            .flat_map(|b| (0..b.num_rows()).map(move |row| (b, row)));
        cells
            .map(|(b, row)| {
                ScalarValue::try_from_array(b.column(0), row).map_err(|e| e.to_string())
            })
            .collect()
    }

    fn value(&self, sql: &str) -> Answer {
        self.column(sql)
            .map(|column| column.into_iter().next().expect("a row"))
    }
}

/// DataFusion itself removes duplicates of a single argument; otherwise an accumulator would have to.
#[test]
fn distinct_is_right_or_refused_with_a_hint() {
    for subject in subjects() {
        let batch = table(subject.columns(&sample(20)), 20);
        let session = Session::new(&batch, 2, 8192);
        let (name, arguments) = (subject.function.name(), arguments(&subject));
        let distinct = format!("SELECT {name}({arguments}) FROM (SELECT DISTINCT a0 FROM t)");
        for tail in ["", " GROUP BY 1 + 1"] {
            match session.value(&format!("SELECT {name}(DISTINCT {arguments}) FROM t{tail}")) {
                Ok(value) => assert_eq!(Ok(value), session.value(&distinct), "{}", subject.name),
                Err(message) => {
                    let told = message.contains(name) && message.contains("DISTINCT");
                    assert!(
                        told && message.contains("Hint"),
                        "{}: {message}",
                        subject.name
                    );
                }
            }
        }
    }
}

#[test]
fn a_growing_frame_equals_the_rows_so_far() {
    let rows = sample(40);
    for subject in subjects() {
        let session = Session::new(&table(subject.columns(&rows), rows.len()), 2, 8192);
        let name = subject.function.name();
        let sql = format!(
            "SELECT {name}({}) OVER (ORDER BY i) FROM t ORDER BY i",
            arguments(&subject)
        );
        // a refusal of the first rows refuses the whole query
        let found = match session.column(&sql) {
            Ok(found) => found,
            Err(message) => {
                let refused = (1..=rows.len()).any(|n| subject.result(&rows[..n]).is_err());
                assert!(refused, "{}: {message}", subject.name);
                continue;
            }
        };
        for (i, value) in found.into_iter().enumerate() {
            assert_eq!(
                Ok(value),
                subject.result(&rows[..=i]),
                "{} at row {i}",
                subject.name
            );
        }
    }
}

#[test]
fn a_sliding_frame_is_right_or_refused_with_a_hint() {
    let rows = sample(40);
    for subject in subjects() {
        let session = Session::new(&table(subject.columns(&rows), rows.len()), 1, 8192);
        let frame = "OVER (ORDER BY i ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)";
        let sql = format!(
            "SELECT {}({}) {frame} FROM t ORDER BY i",
            subject.function.name(),
            arguments(&subject)
        );
        match session.column(&sql) {
            Err(message) => assert!(message.contains("Hint"), "{}: {message}", subject.name),
            Ok(found) => {
                for (i, value) in found.into_iter().enumerate() {
                    let frame = &rows[i.saturating_sub(5)..=i];
                    assert_eq!(
                        Ok(value),
                        subject.result(frame),
                        "{} at row {i}",
                        subject.name
                    );
                }
            }
        }
    }
}

#[test]
fn partitions_and_batch_sizes_do_not_matter() {
    let rows = sample(3_000);
    for subject in subjects() {
        let batch = table(subject.columns(&rows), rows.len());
        let name = subject.function.name();
        let sql = format!(
            "SELECT {name}({}) FROM t GROUP BY i % 11 ORDER BY i % 11",
            arguments(&subject)
        );
        let group = |g: usize| -> Vec<Row> { rows.iter().skip(g).step_by(11).copied().collect() };
        let groups: Vec<Answer> = (0..11).map(|g| subject.result(&group(g))).collect();
        for (partitions, batch_size) in [(1, 8192), (1, 3), (2, 3), (7, 8192), (16, 100)] {
            let found = Session::new(&batch, partitions, batch_size).column(&sql);
            let right = match &found {
                Ok(values) => {
                    groups
                        .iter()
                        .eq(values.iter().cloned().map(Ok).collect::<Vec<_>>().iter())
                }
                // a refusal of any group refuses the statement, and which is met first depends on the partitions
                Err(refusal) => groups.contains(&Err(refusal.clone())),
            };
            assert!(
                right,
                "{} at {partitions} partitions, batches of {batch_size}: {found:?}",
                subject.name
            );
        }
    }
}

fn other_types(input: &Input) -> Vec<DataType> {
    use DataType::*;
    let of = |key: DataType, value: DataType| Dictionary(Box::new(key), Box::new(value));
    let whole = [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64];
    match input {
        Input::Label | Input::Prediction | Input::OtherPrediction => [
            &whole[..],
            &[
                Float32,
                Float64,
                Decimal128(5, 1),
                Utf8,
                LargeUtf8,
                Utf8View,
                of(Int32, Utf8),
                of(Int8, Int64),
            ],
        ]
        .concat(),
        Input::Score | Input::Number | Input::Weight | Input::OtherScore => vec![
            Float32,
            Decimal128(6, 3),
            Decimal256(20, 3),
            of(Int32, Float64),
        ],
        Input::Profile | Input::Fitted(_) | Input::Errors | Input::Totals => {
            vec![Binary, LargeBinary, of(Int32, Binary)]
        }
        Input::Whole => whole.to_vec(),
        Input::Name | Input::LabelName | Input::PredictionName => {
            vec![LargeUtf8, Utf8View, of(Int32, Utf8)]
        }
        Input::Category => vec![Utf8, LargeUtf8, of(Int32, Utf8)],
        Input::Record
        | Input::Scores
        | Input::Losses
        | Input::Numbers
        | Input::Instant
        | Input::Constant(_) => {
            vec![]
        }
    }
}

#[test]
fn every_type_that_holds_the_values_is_accepted() {
    let rows = sample(200);
    for subject in subjects() {
        let columns = subject.columns(&rows);
        let sql = format!(
            "SELECT {}({}) FROM t",
            subject.function.name(),
            arguments(&subject)
        );
        for (i, input) in subject.inputs.iter().enumerate() {
            for kind in other_types(input) {
                // flags are flags; only classes are told in other types
                let has_flags = [Input::Whole, Input::Name]
                    .iter()
                    .any(|i| subject.inputs.contains(i));
                if has_flags && *input == Input::Prediction {
                    continue;
                }
                let mut columns = columns.clone();
                // a boolean has no decimal; 0 and 1 do
                let whole = match input.kind() {
                    DataType::Boolean => cast(&columns[i], &DataType::Int8).expect("a cast"),
                    _ => Arc::clone(&columns[i]),
                };
                columns[i] = cast(&whole, &kind).unwrap_or_else(|e| panic!("{kind}: {e}"));
                let session = Session::new(&table(columns, rows.len()), 2, 8192);
                assert_eq!(
                    session.value(&sql),
                    subject.result(&rows),
                    "{} with argument {i} as {kind}",
                    subject.name
                );
            }
        }
    }
}

#[test]
fn a_type_that_cannot_serve_is_refused_by_name() {
    for subject in subjects() {
        let session = Session::new(&table(subject.columns(&sample(5)), 5), 1, 8192);
        for i in 0..subject.inputs.len() {
            let arguments = arguments(&subject);
            let mut texts: Vec<&str> = arguments.split(", ").collect();
            texts[i] = "INTERVAL '1 day'";
            let sql = format!(
                "SELECT {}({}) FROM t",
                subject.function.name(),
                texts.join(", ")
            );
            let message = session
                .value(&sql)
                .expect_err("an interval must be refused");
            assert!(message.contains("Expected"), "{}: {message}", subject.name);
        }
        // more than the options of any aggregate
        let too_many = ", NULL".repeat(8);
        for wrong in ["", &[arguments(&subject), too_many].concat()] {
            let sql = format!("SELECT {}({wrong}) FROM t", subject.function.name());
            session
                .value(&sql)
                .expect_err("a wrong number of arguments must be refused");
        }
    }
}

#[test]
fn functions_are_documented_and_names_are_unique() {
    let mut names = HashSet::new();
    let aggregates = all_aggregates().expect("the registry");
    let scalars = all_scalars().expect("the registry");
    let documented = aggregates
        .iter()
        .map(|f| (f.name(), f.documentation()))
        .chain(scalars.iter().map(|f| (f.name(), f.documentation())));
    for (name, documentation) in documented {
        assert!(
            names.insert(name.to_string()),
            "two functions are called {name}"
        );
        let documentation = documentation.unwrap_or_else(|| panic!("{name} has no documentation"));
        assert!(documentation.sql_example.is_some(), "{name} has no example");
        assert!(
            documentation
                .arguments
                .as_ref()
                .is_some_and(|a| !a.is_empty()),
            "{name}: arguments"
        );
    }
    assert!(names.len() > 15);
}
