//! The demo's tables as Parquet files.
use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};

use super::rows::{ANALYSIS_ROWS, REFERENCE_ROWS, Row, row};
use crate::cli::failure::Failure;

/// Goes up whenever the rows change, so that files of an older demo are written anew.
const VERSION: &str = "1";

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
    let mut wrote = false;
    if directory.is_file() {
        let message = format!(
            "{} is a file. Expected a directory. Hint: name another, as in modelwatch demo NEW_DIRECTORY",
            shown(directory)
        );
        return Err(Failure::at("demo", message));
    }
    fs::create_dir_all(directory).map_err(|error| Failure::at(shown(directory), error))?;
    for (name, rows) in TABLES {
        let file = directory.join(format!("{name}.parquet"));
        match look(&file) {
            Found::ThisDemo => continue,
            Found::SomethingElse => {
                let refused = "is there already and is not of this demo. \
                    Hint: name another directory, as in modelwatch demo NEW_DIRECTORY";
                return Err(Failure::at(shown(&file), refused));
            }
            Found::Nothing | Found::OlderDemo => {}
        }
        // under another name until it is whole: what carries the final name is complete
        let partial = directory.join(format!("{name}.parquet.partial"));
        write(&partial, rows).map_err(|error| Failure::at(shown(&partial), error))?;
        fs::rename(&partial, &file).map_err(|error| Failure::at(shown(&file), error))?;
        wrote = true;
    }
    Ok(wrote)
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

fn write(file: &Path, ids: Range<u64>) -> Result<(), ParquetError> {
    let schema = batch(&[])?.schema();
    let mut writer = ArrowWriter::try_new(File::create(file)?, schema, Some(properties()))?;
    let mut start = ids.start;
    while start < ids.end {
        let end = ids.end.min(start + ROW_GROUP / 8);
        let rows: Vec<_> = (start..end).map(row).collect();
        writer.write(&batch(&rows)?)?;
        start = end;
    }
    writer.close()?;
    Ok(())
}

fn batch(rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let integers = |value: fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(value).collect::<Int64Array>())
    };
    let numbers = |value: fn(&Row) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(value)))
    };
    let words = |value: fn(&Row) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let times = rows.iter().map(|row| row.timestamp);
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times));
    RecordBatch::try_from_iter_with_nullable([
        ("id", integers(|row| Some(row.id)), false),
        ("timestamp", times, false),
        ("country", words(|row| row.country), false),
        ("channel", words(|row| row.channel), false),
        ("income", numbers(|row| row.income), false),
        ("debt_ratio", numbers(|row| row.debt_ratio), false),
        (
            "tenure_months",
            integers(|row| Some(row.tenure_months)),
            false,
        ),
        ("y_pred_proba", numbers(|row| row.y_pred_proba), false),
        ("y_pred", integers(|row| Some(row.y_pred)), false),
        ("y_true", integers(|row| row.y_true), true),
    ])
}
