//! A session with the rows of a data set, and what is read from its results.
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use modelwatch::options::MonitorOptions;

use crate::record::{Chunking, Failure};

/// Enough for every fixture, so that profiles are exact.
pub const MAX_BINS: u32 = 1 << 20;

/// A session with tables of a folder.
pub async fn open(folder: &Path, tables: &[&str]) -> Result<SessionContext, Failure> {
    let config = SessionConfig::new()
        .with_target_partitions(2)
        .with_option_extension(MonitorOptions::default());
    let session = SessionContext::new_with_config(config);
    modelwatch::register_all(&session)?;
    for table in tables {
        let path = folder.join(format!("{table}.parquet"));
        let path = path.to_str().ok_or("a path that is not UTF-8")?;
        session
            .register_parquet(*table, path, ParquetReadOptions::default())
            .await?;
    }
    for setting in ["max_bins", "reference_max_bins"] {
        let sql = format!("SET monitor.{setting} = {MAX_BINS}");
        session.sql(&sql).await?;
    }
    Ok(session)
}

/// What cuts a relation into the chunks of NannyML.
pub async fn chunk(
    session: &SessionContext,
    chunking: &Chunking,
    relation: &str,
) -> Result<String, Failure> {
    Ok(match chunking {
        Chunking::Size(size) => format!("rows({size})"),
        Chunking::Number(parts) => {
            let count = format!("SELECT count(*) AS n FROM {relation}");
            let batches = session.sql(&count).await?.collect().await?;
            let rows = number(&batches[0], "n", 0)?.unwrap_or_default() as u64;
            match rows % parts {
                0 => format!("parts({parts})"),
                // known issue A21: NannyML adds a chunk for the remainder
                _ => format!("rows({})", rows / parts),
            }
        }
        Chunking::Period(alias) => format!("INTERVAL '{}'", unit(alias)?.0),
    })
}

/// The same as an expression over the rows.
pub fn key(chunking: &Chunking, relation: &str, order: &str) -> Result<String, Failure> {
    let rows =
        |size: &str| format!("(CAST(row_number() OVER (ORDER BY {order}) AS BIGINT) - 1) / {size}");
    Ok(match chunking {
        Chunking::Period(alias) => format!("date_trunc('{}', timestamp)", unit(alias)?.1),
        Chunking::Size(size) => rows(&size.to_string()),
        Chunking::Number(parts) => rows(&format!("(SELECT count(*) / {parts} FROM {relation})")),
    })
}

/// An interval and a `date_trunc` unit for a pandas period alias.
fn unit(alias: &str) -> Result<(&'static str, &'static str), Failure> {
    Ok(match alias {
        "D" => ("1 day", "day"),
        "W" => ("1 week", "week"),
        "M" => ("1 month", "month"),
        "Q" => ("3 months", "quarter"),
        "Y" => ("1 year", "year"),
        other => return Err(format!("teach the harness about period '{other}'").into()),
    })
}

/// Names as a list of SQL's texts.
pub fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(", ")
}

pub fn cell(batch: &RecordBatch, name: &str, row: usize) -> Result<ScalarValue, Failure> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| format!("no column {name}"))?;
    Ok(ScalarValue::try_from_array(column, row)?)
}

pub fn text(batch: &RecordBatch, name: &str, row: usize) -> Result<String, Failure> {
    Ok(cell(batch, name, row)?.to_string())
}

pub fn number(batch: &RecordBatch, name: &str, row: usize) -> Result<Option<f64>, Failure> {
    match cell(batch, name, row)?.cast_to(&DataType::Float64)? {
        ScalarValue::Float64(Some(x)) if !x.is_finite() => Err(format!("{name} is {x}").into()),
        ScalarValue::Float64(number) => Ok(number),
        other => Err(format!("{name} is {other}").into()),
    }
}

pub fn flag(batch: &RecordBatch, name: &str, row: usize) -> Result<Option<bool>, Failure> {
    match cell(batch, name, row)? {
        ScalarValue::Boolean(flag) => Ok(flag),
        other => Err(format!("{name} is {other}").into()),
    }
}
