//! Rows of the shared shape, sorted into series.
use std::collections::BTreeMap;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::arrow::error::ArrowError;

use crate::relation::RESULT_COLUMNS;

/// One metric of one group over its chunks, reference first.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name of the monitor; empty where the rows have none.
    pub monitor: String,
    /// `by` columns and their values.
    pub group: Vec<(String, String)>,
    /// The column that a drift row is about.
    pub column_name: Option<String>,
    /// Name of the metric or drift method.
    pub metric: String,
    /// One point a chunk, in order.
    pub points: Vec<Point>,
}

impl Series {
    /// The metric and what it is about: `jensen_shannon of income, country = DE`.
    pub fn title(&self) -> String {
        let mut title = self.metric.clone();
        if let Some(column) = &self.column_name {
            title.push_str(&format!(" of {column}"));
        }
        for (name, value) in &self.group {
            title.push_str(&format!(", {name} = {value}"));
        }
        if !self.monitor.is_empty() {
            title.push_str(&format!(" ({})", self.monitor));
        }
        title
    }
}

/// One row of the shared shape. What is NULL or missing is `None`; numbers are finite.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Point {
    /// `reference` or `analysis`.
    pub dataset: String,
    /// Key of the chunk.
    pub chunk: String,
    /// Its place among the chunks of the dataset.
    pub chunk_index: Option<i64>,
    /// False when the chunk may still grow.
    pub complete: Option<bool>,
    /// The estimate, realized value, or distance.
    pub value: Option<f64>,
    /// Bounds of the interval around `value`.
    pub bounds: (Option<f64>, Option<f64>),
    /// Beyond these, strictly, is an alert.
    pub thresholds: (Option<f64>, Option<f64>),
    /// The value from labels.
    pub realized: Option<f64>,
    /// Whether `value` is beyond a threshold.
    pub alert: bool,
    /// Why there is no value, or what to know of it.
    pub status: Option<String>,
}

/// Sorts rows into series: by monitor, group, metric and column.
///
/// # Errors
/// When there is no column `value`, or a column of the shared shape has a type that does not fit.
pub fn series(batches: &[RecordBatch]) -> Result<Vec<Series>, ArrowError> {
    type Key = (String, Vec<(String, String)>, String, Option<String>);
    let mut found: BTreeMap<Key, Vec<Point>> = BTreeMap::new();
    for batch in batches {
        let columns = Columns::of(batch)?;
        for row in 0..batch.num_rows() {
            let key = (
                text(&columns.monitor, row).unwrap_or_default(),
                columns.group(row),
                text(&columns.metric, row).unwrap_or_else(|| "value".to_owned()),
                text(&columns.column_name, row),
            );
            found.entry(key).or_default().push(columns.point(row));
        }
    }
    let sorted = found
        .into_iter()
        .map(|((monitor, group, metric, column_name), mut points)| {
            points.sort_by_key(|point| {
                let later = point.dataset != "reference";
                (
                    later,
                    point.dataset.clone(),
                    point.chunk_index,
                    point.chunk.clone(),
                )
            });
            Series {
                monitor,
                group,
                column_name,
                metric,
                points,
            }
        });
    Ok(sorted.collect())
}

/// The columns of a batch in the types in which they are read; `None` where there is none.
struct Columns {
    monitor: Option<StringArray>,
    by: Vec<(String, StringArray)>,
    dataset: Option<StringArray>,
    chunk: Option<StringArray>,
    chunk_index: Option<Int64Array>,
    complete: Option<BooleanArray>,
    column_name: Option<StringArray>,
    metric: Option<StringArray>,
    value: Option<Float64Array>,
    bounds: [Option<Float64Array>; 2],
    thresholds: [Option<Float64Array>; 2],
    realized: Option<Float64Array>,
    alert: Option<BooleanArray>,
    status: Option<StringArray>,
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let value = numbers(batch, "value")?;
        if value.is_none() {
            let needed = "rows of a monitoring function need a column 'value'".to_owned();
            return Err(ArrowError::SchemaError(needed));
        }
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let by = names
            .filter(|name| !RESULT_COLUMNS.contains(name))
            .map(|name| {
                let column = strings(batch, name)?.unwrap_or_else(|| StringArray::new_null(0));
                Ok((name.to_owned(), column))
            });
        Ok(Self {
            monitor: strings(batch, "monitor")?,
            by: by.collect::<Result<_, ArrowError>>()?,
            dataset: strings(batch, "dataset")?,
            chunk: strings(batch, "chunk")?,
            chunk_index: column(batch, "chunk_index", &DataType::Int64)?
                .map(|column| column.as_primitive::<Int64Type>().clone()),
            complete: booleans(batch, "complete")?,
            column_name: strings(batch, "column_name")?,
            metric: strings(batch, "metric")?,
            value,
            bounds: [
                numbers(batch, "lower_bound")?,
                numbers(batch, "upper_bound")?,
            ],
            thresholds: [
                numbers(batch, "lower_threshold")?,
                numbers(batch, "upper_threshold")?,
            ],
            realized: numbers(batch, "realized")?,
            alert: booleans(batch, "alert")?,
            status: strings(batch, "status")?,
        })
    }

    fn group(&self, row: usize) -> Vec<(String, String)> {
        let value = |column: &StringArray| match column.is_valid(row) {
            true => column.value(row).to_owned(),
            false => "NULL".to_owned(),
        };
        self.by
            .iter()
            .map(|(name, column)| (name.clone(), value(column)))
            .collect()
    }

    fn point(&self, row: usize) -> Point {
        let chunk_index = self
            .chunk_index
            .as_ref()
            .and_then(|column| column.is_valid(row).then(|| column.value(row)));
        let index_text = || {
            chunk_index
                .map(|index| index.to_string())
                .unwrap_or_default()
        };
        let [lower_bound, upper_bound] = &self.bounds;
        let [lower_threshold, upper_threshold] = &self.thresholds;
        Point {
            dataset: text(&self.dataset, row).unwrap_or_default(),
            chunk: text(&self.chunk, row).unwrap_or_else(index_text),
            chunk_index,
            complete: truth(&self.complete, row),
            value: number(&self.value, row),
            bounds: (number(lower_bound, row), number(upper_bound, row)),
            thresholds: (number(lower_threshold, row), number(upper_threshold, row)),
            realized: number(&self.realized, row),
            alert: truth(&self.alert, row) == Some(true),
            status: text(&self.status, row),
        }
    }
}

fn column(
    batch: &RecordBatch,
    name: &str,
    data_type: &DataType,
) -> Result<Option<ArrayRef>, ArrowError> {
    batch
        .column_by_name(name)
        .map(|column| cast(column, data_type))
        .transpose()
}

fn strings(batch: &RecordBatch, name: &str) -> Result<Option<StringArray>, ArrowError> {
    let column = column(batch, name, &DataType::Utf8)?;
    Ok(column.map(|column| column.as_string::<i32>().clone()))
}

fn numbers(batch: &RecordBatch, name: &str) -> Result<Option<Float64Array>, ArrowError> {
    let column = column(batch, name, &DataType::Float64)?;
    Ok(column.map(|column| column.as_primitive::<Float64Type>().clone()))
}

fn booleans(batch: &RecordBatch, name: &str) -> Result<Option<BooleanArray>, ArrowError> {
    let column = column(batch, name, &DataType::Boolean)?;
    Ok(column.map(|column| column.as_boolean().clone()))
}

fn text(column: &Option<StringArray>, row: usize) -> Option<String> {
    let column = column.as_ref()?;
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn number(column: &Option<Float64Array>, row: usize) -> Option<f64> {
    let column = column.as_ref()?;
    column
        .is_valid(row)
        .then(|| column.value(row))
        .filter(|value| value.is_finite())
}

fn truth(column: &Option<BooleanArray>, row: usize) -> Option<bool> {
    let column = column.as_ref()?;
    column.is_valid(row).then(|| column.value(row))
}
