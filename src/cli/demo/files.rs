//! The demo's tables as Parquet files.
use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};

use super::features::{Features, features};
use super::rows::{ANALYSIS_ROWS, REFERENCE_ROWS, Row, row};
use crate::cli::failure::Failure;

/// Goes up whenever the rows change, so that files of an older demo are written anew.
const VERSION: &str = "2";

/// Under this key a file says which demo wrote it.
const MARK: &str = "modelwatch.demo";

const ROW_GROUP: u64 = 1 << 17;

/// Name and rows of each table.
pub const TABLES: [(&str, Range<u64>); 2] = [
    ("reference", 0..REFERENCE_ROWS),
    ("analysis", REFERENCE_ROWS..REFERENCE_ROWS + ANALYSIS_ROWS),
];

/// What is there already.
#[derive(Debug, PartialEq)]
enum Found {
    Nothing,
    ThisDemo,
    OlderDemo,
    SomethingElse,
}

/// Writes the tables that `directory` does not have yet; says whether it wrote any.
///
/// # Errors
/// When a file cannot be written, or would replace one that is not of the demo.
pub fn write_tables(directory: &Path) -> Result<bool, Failure> {
    make(directory)?;
    let mut wrote = false;
    for (name, rows) in TABLES {
        if is_due(directory, name)? {
            put(directory, name, |file| write(file, rows))?;
            wrote = true;
        }
    }
    Ok(wrote)
}

fn make(directory: &Path) -> Result<(), Failure> {
    if directory.is_file() {
        let message = format!(
            "{} is a file. Expected a directory. Hint: name another, as in modelwatch demo NEW_DIRECTORY",
            shown(directory)
        );
        return Err(Failure::at("demo", message));
    }
    fs::create_dir_all(directory).map_err(|error| Failure::at(shown(directory), error))
}

/// Whether a table is still to be written, or was written by an older demo.
///
/// # Errors
/// When its file is not of the demo.
pub fn is_due(directory: &Path, name: &str) -> Result<bool, Failure> {
    let file = directory.join(format!("{name}.parquet"));
    match look(&file) {
        Found::ThisDemo => Ok(false),
        Found::Nothing | Found::OlderDemo => Ok(true),
        Found::SomethingElse => {
            let refused = "is there already and is not of this demo. \
                Hint: name another directory, as in modelwatch demo NEW_DIRECTORY";
            Err(Failure::at(shown(&file), refused))
        }
    }
}

/// Writes rows that are there already as the file of a table.
///
/// # Errors
/// When the file cannot be written.
pub fn put_rows(
    directory: &Path,
    name: &str,
    schema: &SchemaRef,
    rows: &[RecordBatch],
) -> Result<(), Failure> {
    put(directory, name, |file| {
        let mut writer = writer(file, schema)?;
        for batch in rows {
            writer.write(batch)?;
        }
        writer.close().map(drop)
    })
}

fn put(
    directory: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> Result<(), ParquetError>,
) -> Result<(), Failure> {
    let file = directory.join(format!("{name}.parquet"));
    // under another name until it is whole: what carries the final name is complete
    let partial = directory.join(format!("{name}.parquet.partial"));
    write(&partial).map_err(|error| Failure::at(shown(&partial), error))?;
    fs::rename(&partial, &file).map_err(|error| Failure::at(shown(&file), error))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn look(file: &Path) -> Found {
    if !file.exists() {
        return Found::Nothing;
    }
    let reader = File::open(file)
        .map_err(ParquetError::from)
        .and_then(SerializedFileReader::new);
    let Ok(reader) = reader else {
        return Found::SomethingElse;
    };
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    match pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == MARK)) {
        Some(mark) if mark.value.as_deref() == Some(VERSION) => Found::ThisDemo,
        Some(_) => Found::OlderDemo,
        None => Found::SomethingElse,
    }
}

/// Everything that could change the bytes is fixed here.
fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP as usize))
        .set_created_by(format!("modelwatch demo {VERSION}"))
        .set_key_value_metadata(Some(vec![KeyValue::new(
            MARK.to_owned(),
            VERSION.to_owned(),
        )]))
        .build()
}

fn writer(file: &Path, schema: &SchemaRef) -> Result<ArrowWriter<File>, ParquetError> {
    ArrowWriter::try_new(File::create(file)?, Arc::clone(schema), Some(properties()))
}

fn write(file: &Path, ids: Range<u64>) -> Result<(), ParquetError> {
    let mut writer = writer(file, &batch(0..0)?.schema())?;
    let mut start = ids.start;
    while start < ids.end {
        let end = ids.end.min(start + ROW_GROUP / 8);
        writer.write(&batch(start..end)?)?;
        start = end;
    }
    writer.close()?;
    Ok(())
}

/// A column: its name, values, and whether some may be missing.
type Column = (&'static str, ArrayRef, bool);

fn batch(ids: Range<u64>) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<_> = ids.clone().map(row).collect();
    let mut columns = scored(&rows);
    columns.extend(described(&ids.map(features).collect::<Vec<_>>()));
    RecordBatch::try_from_iter_with_nullable(columns)
}

fn integers<T>(rows: &[T], value: fn(&T) -> Option<i64>) -> ArrayRef {
    Arc::new(rows.iter().map(value).collect::<Int64Array>())
}

fn numbers<T>(rows: &[T], value: fn(&T) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.iter().map(value)))
}

fn words<T>(rows: &[T], value: fn(&T) -> &'static str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
}

/// The columns of the model: what it reads, what it says, and what was true.
fn scored(rows: &[Row]) -> Vec<Column> {
    let times = rows.iter().map(|row| row.timestamp);
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times));
    vec![
        ("id", integers(rows, |row| Some(row.id)), false),
        ("timestamp", times, false),
        ("country", words(rows, |row| row.country), false),
        ("channel", words(rows, |row| row.channel), false),
        ("income", numbers(rows, |row| row.income), false),
        ("debt_ratio", numbers(rows, |row| row.debt_ratio), false),
        (
            "tenure_months",
            integers(rows, |row| Some(row.tenure_months)),
            false,
        ),
        ("y_pred_proba", numbers(rows, |row| row.y_pred_proba), false),
        ("y_pred", integers(rows, |row| Some(row.y_pred)), false),
        ("y_true", integers(rows, |row| row.y_true), true),
    ]
}

/// The columns that the model does not read.
fn described(rows: &[Features]) -> Vec<Column> {
    let flags = rows.iter().map(|row| Some(row.has_guarantor));
    let flags: ArrayRef = Arc::new(flags.collect::<BooleanArray>());
    vec![
        ("age", integers(rows, |row| Some(row.age)), false),
        ("loan_amount", numbers(rows, |row| row.loan_amount), false),
        ("savings", numbers(rows, |row| row.savings), false),
        ("bureau_score", integers(rows, |row| row.bureau_score), true),
        ("employment", words(rows, |row| row.employment), false),
        ("device", words(rows, |row| row.device), false),
        ("has_guarantor", flags, false),
    ]
}
