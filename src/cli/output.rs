//! Results as text: a table for people, CSV, TSV, JSON and NDJSON for programs.
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

use clap::ValueEnum;
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::failure::Trouble;
use super::table::Table;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns side by side; NULL is written NULL
    Table,
    /// Comma-separated with a header; NULL is an empty field
    Csv,
    /// Tab-separated with a header; NULL is an empty field
    Tsv,
    /// One array of objects for each result
    Json,
    /// One object a line
    Ndjson,
}

/// What was printed of one result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Printed {
    /// Rows of the result.
    pub rows: usize,
    /// Rows that the table left out because it has a limit.
    pub hidden: usize,
    /// Whether a column `alert` was true in any row.
    pub alert: bool,
}

/// Prints one result, batch by batch.
pub struct Printer<'a> {
    out: &'a mut dyn Write,
    format: Format,
    schema: SchemaRef,
    table: Table,
    printed: Printed,
}

impl<'a> Printer<'a> {
    /// A printer for one result; a table shows at most `limit` rows.
    pub fn new(out: &'a mut dyn Write, format: Format, schema: SchemaRef, limit: usize) -> Self {
        Self {
            out,
            format,
            table: Table::new(Arc::clone(&schema), limit),
            schema,
            printed: Printed::default(),
        }
    }

    /// Whether printing `batch` writes something at once.
    pub fn writes(&self, batch: &RecordBatch) -> bool {
        self.format != Format::Table || self.table.writes(batch.num_rows())
    }

    /// # Errors
    /// When a value cannot be written in the format, or the output does not take it.
    pub fn print(&mut self, batch: &RecordBatch) -> Result<(), Trouble> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let first = self.printed.rows == 0;
        match self.format {
            Format::Table => {
                let shown = self.table.push(batch, self.out)?;
                self.printed.hidden += batch.num_rows() - shown;
            }
            Format::Csv => self.out.write_all(&separated(batch, b',', first)?)?,
            Format::Tsv => self.out.write_all(&separated(batch, b'\t', first)?)?,
            Format::Json => {
                let array = objects::<json::writer::JsonArray>(batch)?;
                // the writer opens an array for each batch; a result is one array
                let rows = array.strip_prefix(b"[").unwrap_or(&array);
                self.out.write_all(if first { b"[" } else { b",\n" })?;
                self.out.write_all(rows)?;
            }
            Format::Ndjson => {
                self.out
                    .write_all(&objects::<json::writer::LineDelimited>(batch)?)?;
            }
        }
        self.printed.rows += batch.num_rows();
        self.printed.alert |= has_alert(batch);
        Ok(())
    }

    /// Writes what only the end of a result shows.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub fn finish(mut self) -> Result<Printed, Trouble> {
        let empty = self.printed.rows == 0;
        match self.format {
            // a statement such as SET has no columns, and nothing to show
            _ if self.schema.fields().is_empty() => {}
            Format::Table => self.table.finish(self.out)?,
            Format::Csv if empty => self.out.write_all(&self.header(b',')?)?,
            Format::Tsv if empty => self.out.write_all(&self.header(b'\t')?)?,
            Format::Json if empty => self.out.write_all(b"[]\n")?,
            Format::Json => self.out.write_all(b"]\n")?,
            _ => {}
        }
        self.out.flush()?;
        Ok(self.printed)
    }

    fn header(&self, delimiter: u8) -> Result<Vec<u8>, ArrowError> {
        separated(
            &RecordBatch::new_empty(Arc::clone(&self.schema)),
            delimiter,
            true,
        )
    }
}

fn has_alert(batch: &RecordBatch) -> bool {
    batch
        .column_by_name("alert")
        .and_then(|column| column.as_boolean_opt())
        .is_some_and(|alerts| alerts.true_count() > 0)
}

fn separated(batch: &RecordBatch, delimiter: u8, header: bool) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = vec![];
    csv::WriterBuilder::new()
        .with_delimiter(delimiter)
        .with_header(header)
        .build(&mut bytes)
        .write(&flat(batch)?)?;
    Ok(bytes)
}

/// The batch with lists, structs and maps as text, since a separated file has only fields.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let (fields, columns): (Vec<_>, Vec<_>) = columns
        .map(|(field, column)| {
            if !field.data_type().is_nested() {
                return Ok((Arc::clone(field), Arc::clone(column)));
            }
            let text = Field::new(field.name(), DataType::Utf8, true);
            Ok((Arc::new(text), as_text(column)?))
        })
        .collect::<Result<Vec<_>, ArrowError>>()?
        .into_iter()
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = FormatOptions::default().with_null("NULL");
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let text: StringArray = (0..column.len())
        .map(|row| {
            column
                .is_valid(row)
                .then(|| formatter.value(row).try_to_string())
                .transpose()
        })
        .collect::<Result<Vec<_>, _>>()?
        .into();
    Ok(Arc::new(text))
}

/// The rows as JSON objects, NULL as null; an array is opened and not closed.
fn objects<F: json::writer::JsonFormat>(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = vec![];
    let mut writer = json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, F>(&mut bytes);
    writer.write(&uniquely_named(batch)?)?;
    Ok(bytes)
}

/// A join may give two columns one name; an object would keep only one of them.
fn uniquely_named(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let mut taken: HashSet<_> = schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    if taken.len() == schema.fields().len() {
        return Ok(batch.clone());
    }
    let mut seen = HashSet::new();
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| {
            if seen.insert(field.name().clone()) {
                return field.as_ref().clone();
            }
            let free = (2..).map(|n| format!("{}_{n}", field.name()));
            let name = free.into_iter().find(|name| taken.insert(name.clone()));
            field.as_ref().clone().with_name(name.unwrap_or_default())
        })
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), batch.columns().to_vec())
}
