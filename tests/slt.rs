//! Runs every `tests/slt/*.slt` at 1, 2 and 7 partitions, each run in a session and a scratch folder of its own.
//!
//! In SQL and in results `$SCRATCH` stands for that folder and `$DATA` for `tests/data`. Floating-point numbers
//! print to 12 decimals. A line of EXPLAIN is a row. `BLESS=1` rewrites the expected results from what one
//! partition gives; read the difference before committing it.
use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::cast::as_float64_array;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use libtest_mimic::{Arguments, Failed, Trial};
use modelwatch::options::MonitorOptions;
use sqllogictest::{
    AsyncDB, ColumnType, DBOutput, QueryExpect, Record, Runner, StatementExpect,
    default_normalizer, default_validator,
};

const PARTITIONS: [usize; 3] = [1, 2, 7];

fn main() {
    let bless = std::env::var_os("BLESS").is_some();
    let counts = if bless {
        &PARTITIONS[..1]
    } else {
        &PARTITIONS[..]
    };
    let mut trials = vec![];
    for path in files() {
        for &partitions in counts {
            let stem = path.file_stem().expect("a file name").to_string_lossy();
            let path = path.clone();
            trials.push(Trial::test(
                format!("{stem}::partitions_{partitions}"),
                move || run(&path, partitions, bless).map_err(Failed::from),
            ));
        }
    }
    trials.push(Trial::test("every_name_has_its_records", || {
        every_name_has_its_records().map_err(Failed::from)
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A statement, the stem of its file, and whether it expects an error.
struct Written {
    file: String,
    sql: String,
    refused: bool,
}

fn written() -> Result<Vec<Written>, String> {
    let mut all = vec![];
    for path in files() {
        let file = path.file_stem().expect("a file name").to_string_lossy();
        for record in sqllogictest::parse_file::<Letter>(&path).map_err(|e| e.to_string())? {
            let (sql, refused) = match record {
                Record::Statement { sql, expected, .. } => {
                    (sql, matches!(expected, StatementExpect::Error(_)))
                }
                Record::Query { sql, expected, .. } => {
                    (sql, matches!(expected, QueryExpect::Error(_)))
                }
                _ => continue,
            };
            let file = file.to_string();
            all.push(Written { file, sql, refused });
        }
    }
    Ok(all)
}

/// At least ten records that call each SQL name, and a tenth of its files' that expect an error.
fn every_name_has_its_records() -> Result<(), String> {
    let records = written()?;
    let aggregates = modelwatch::functions::all_aggregates().map_err(|e| e.to_string())?;
    let scalars = modelwatch::functions::all_scalars().map_err(|e| e.to_string())?;
    let windows = modelwatch::functions::all_windows().map_err(|e| e.to_string())?;
    let names: Vec<&str> = aggregates
        .iter()
        .map(|f| f.name())
        .chain(scalars.iter().map(|f| f.name()))
        .chain(windows.iter().map(|f| f.name()))
        .chain(modelwatch::relation::all().iter().map(|r| r.name))
        .collect();
    for name in &names {
        let count = records.iter().filter(|r| calls(&r.sql, name)).count();
        if count < 10 {
            return Err(format!(
                "{name} is called in {count} records; ten are the least"
            ));
        }
        let own = records.iter().filter(|r| is_about(&r.file, name, &names));
        enough_errors(name, own)?;
    }
    println!("{} records", records.len());
    enough_errors("all files", records.iter())
}

/// Whether `sql` calls `name`, and not a function whose name ends with it.
fn calls(sql: &str, name: &str) -> bool {
    let call = format!("{name}(");
    sql.match_indices(&call).any(|(start, _)| {
        let before = sql[..start].chars().next_back();
        before.is_none_or(|letter| !(letter.is_alphanumeric() || letter == '_'))
    })
}

/// `f1.slt` is about f1; `estimate_performance_chunks.slt` about the longest name that it starts with.
fn is_about(file: &str, name: &str, names: &[&str]) -> bool {
    let starts = |name: &str| {
        let rest = file.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let longest = names.iter().filter(|name| starts(name));
    longest.max_by_key(|name| name.len()) == Some(&name)
}

fn enough_errors<'a>(of: &str, records: impl Iterator<Item = &'a Written>) -> Result<(), String> {
    let refused: Vec<bool> = records.map(|record| record.refused).collect();
    let errors = refused.iter().filter(|refused| **refused).count();
    match errors * 10 >= refused.len() {
        true => Ok(()),
        false => Err(format!(
            "{of}: {errors} of {} records expect an error; a tenth is the least",
            refused.len()
        )),
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("tests/slt exists")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "slt"))
        .collect();
    found.sort();
    found
}

fn run(path: &Path, partitions: usize, bless: bool) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|e| e.to_string())?;
    let folders = Folders {
        scratch: scratch.path().display().to_string(),
        data: format!("{}/tests/data", env!("CARGO_MANIFEST_DIR")),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let mut runner = Runner::new(move || {
        let folders = folders.clone();
        async move { Engine::start(partitions, folders) }
    });
    runner.with_column_validator(sqllogictest::strict_column_validator);
    if bless {
        let done = runner.update_test_file(
            path,
            " ",
            default_validator,
            default_normalizer,
            sqllogictest::strict_column_validator,
        );
        return runtime.block_on(done).map_err(|e| e.to_string());
    }
    runtime
        .block_on(runner.run_file_async(path))
        .map_err(|e| e.display(false).to_string())
}

#[derive(Debug, Clone)]
struct Folders {
    scratch: String,
    data: String,
}

impl Folders {
    fn fill(&self, sql: &str) -> String {
        sql.replace("$SCRATCH", &self.scratch)
            .replace("$DATA", &self.data)
    }

    /// The inverse; plans print object-store paths, which have no leading slash.
    fn mask(&self, text: &str) -> String {
        let bare = |path: &str| path.trim_start_matches('/').to_string();
        text.replace(&self.scratch, "$SCRATCH")
            .replace(&self.data, "$DATA")
            .replace(&bare(&self.scratch), "$SCRATCH")
            .replace(&bare(&self.data), "$DATA")
    }
}

struct Engine {
    session: SessionContext,
    folders: Folders,
}

impl Engine {
    fn start(partitions: usize, folders: Folders) -> Result<Self, Refused> {
        let config = SessionConfig::new()
            .with_information_schema(true)
            .with_option_extension(MonitorOptions::default())
            .with_target_partitions(partitions);
        let session = SessionContext::new_with_config(config);
        modelwatch::register_all(&session).map_err(|e| Refused(e.to_string()))?;
        Ok(Self { session, folders })
    }

    async fn answer(&self, sql: &str) -> Result<DBOutput<Letter>, DataFusionError> {
        let frame = self.session.sql(&self.folders.fill(sql)).await?;
        let schema = frame.schema().as_arrow().clone();
        let batches = frame.collect().await?;
        if schema.fields().is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        if is_explain(&schema) {
            return self.plan_lines(&batches);
        }
        let types = schema.fields().iter().map(|f| f.data_type().into());
        let mut rows = vec![];
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| cell(column, row));
                let cells = cells.map(|text| text.map(|t| self.folders.mask(&t)));
                rows.push(cells.collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(DBOutput::Rows {
            types: types.collect(),
            rows,
        })
    }

    /// One row per line, its depth kept visible although runs of blanks do not count.
    fn plan_lines(&self, batches: &[RecordBatch]) -> Result<DBOutput<Letter>, DataFusionError> {
        let mut rows = vec![];
        for batch in batches {
            for row in 0..batch.num_rows() {
                let (kind, plan) = (cell(batch.column(0), row)?, cell(batch.column(1), row)?);
                for line in self.folders.mask(&plan).trim_end().lines() {
                    let text = line.trim_start();
                    let depth = "-".repeat(line.len() - text.len());
                    rows.push(vec![kind.clone(), format!("{depth}{text}")]);
                }
            }
        }
        Ok(DBOutput::Rows {
            types: vec![Letter::Text, Letter::Text],
            rows,
        })
    }
}

#[async_trait]
impl AsyncDB for Engine {
    type Error = Refused;
    type ColumnType = Letter;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<Letter>, Refused> {
        self.answer(sql)
            .await
            .map_err(|e| Refused(self.folders.mask(&e.to_string())))
    }

    async fn shutdown(&mut self) {}
}

/// What the engine said, as a user reads it.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Column types as an slt header writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Letter {
    Boolean,
    Date,
    Integer,
    Timestamp,
    Real,
    Text,
    Other,
}

const LETTERS: [(char, Letter); 7] = [
    ('B', Letter::Boolean),
    ('D', Letter::Date),
    ('I', Letter::Integer),
    ('P', Letter::Timestamp),
    ('R', Letter::Real),
    ('T', Letter::Text),
    ('?', Letter::Other),
];

impl ColumnType for Letter {
    fn from_char(value: char) -> Option<Self> {
        let found = LETTERS.iter().find(|(letter, _)| *letter == value);
        found.map(|(_, kind)| kind.clone())
    }

    fn to_char(&self) -> char {
        let found = LETTERS.iter().find(|(_, kind)| kind == self);
        found.map_or('?', |(letter, _)| *letter)
    }
}

impl From<&DataType> for Letter {
    fn from(kind: &DataType) -> Self {
        match kind {
            DataType::Boolean => Self::Boolean,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(_, _) => Self::Timestamp,
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Self::Text,
            k if k.is_integer() => Self::Integer,
            k if k.is_floating() || k.is_decimal() => Self::Real,
            _ => Self::Other,
        }
    }
}

fn is_explain(schema: &Schema) -> bool {
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    names == ["plan_type", "plan"]
}

fn cell(column: &ArrayRef, row: usize) -> Result<String, DataFusionError> {
    if column.is_null(row) {
        return Ok("NULL".into());
    }
    if column.data_type() == &DataType::Float64 {
        return Ok(decimals(as_float64_array(column)?.value(row)));
    }
    let text = ArrayFormatter::try_new(column, &FormatOptions::default())?
        .value(row)
        .to_string();
    Ok(if text.is_empty() {
        "(empty)".into()
    } else {
        text
    })
}

fn decimals(value: f64) -> String {
    let text = format!("{value:.12}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        text
    }
}
