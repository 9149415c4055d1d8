//! What the window functions over the chunks of a column return: for each chunk a list of metrics, with their limits.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, ListArray, StringArray, StructArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

use super::column_chunks::Chunk;
use crate::kernel::column::ColumnReading;
use crate::kernel::reading::Status;

/// Fields of each metric.
pub static COLUMN_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    Fields::from(vec![
        Field::new("metric", DataType::Utf8, true),
        Field::new("status", DataType::Utf8, true),
        Field::new("used_count", DataType::Int64, true),
        number("value"),
        number("approx_error"),
        number("sampling_error"),
        number("lower_bound"),
        number("upper_bound"),
        number("p_value"),
        number("lower_threshold"),
        number("upper_threshold"),
    ])
});

/// The type of [`lists`].
pub(super) fn list_type(fields: &Fields) -> DataType {
    DataType::new_list(DataType::Struct(fields.clone()), true)
}

/// Readings of each chunk of a partition, in the order of its rows.
pub(super) struct Readings {
    of_rows: Vec<Vec<(Option<&'static str>, ColumnReading)>>,
}

impl Readings {
    pub fn of(rows: usize) -> Self {
        Self {
            of_rows: vec![Vec::new(); rows],
        }
    }

    /// Adds the reading of a metric to a chunk; without a name where the column has no metric.
    pub fn add(&mut self, chunk: &Chunk, metric: Option<&'static str>, reading: ColumnReading) {
        if let Some(of_row) = self.of_rows.get_mut(chunk.row) {
            of_row.push((metric, reading));
        }
    }

    /// The column of lists.
    pub fn finish(self) -> Result<ArrayRef> {
        let readings = || self.of_rows.iter().flatten();
        let number = |of: fn(&ColumnReading) -> Option<f64>| -> ArrayRef {
            Arc::new(
                readings()
                    .map(|(_, reading)| of(reading))
                    .collect::<Float64Array>(),
            )
        };
        let names = readings().map(|(metric, _)| *metric);
        let statuses = readings().map(|(_, reading)| Some(status(reading).name()));
        let counts = readings().map(|(_, reading)| i64::try_from(reading.used_count).ok());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(names.collect::<StringArray>()),
            Arc::new(statuses.collect::<StringArray>()),
            Arc::new(counts.collect::<Int64Array>()),
            number(|reading| reading.value),
            number(|reading| reading.approx_error),
            number(|reading| reading.sampling_error),
            number(|reading| reading.lower_bound),
            number(|reading| reading.upper_bound),
            number(|reading| reading.p_value),
            number(|reading| reading.limits.lower),
            number(|reading| reading.limits.upper),
        ];
        lists(&COLUMN_FIELDS, columns, self.of_rows.iter().map(Vec::len))
    }
}

/// Lists of structs with `fields`, from the columns of all elements and the length of each list.
pub(super) fn lists(
    fields: &Fields,
    columns: Vec<ArrayRef>,
    lengths: impl IntoIterator<Item = usize>,
) -> Result<ArrayRef> {
    let elements = StructArray::try_new(fields.clone(), columns, None)?;
    let field = Field::new_list_field(DataType::Struct(fields.clone()), true);
    let lengths = OffsetBuffer::from_lengths(lengths);
    let lists = ListArray::try_new(Arc::new(field), lengths, Arc::new(elements), None)?;
    Ok(Arc::new(lists))
}

/// The status of the value, or else that of its limits.
fn status(reading: &ColumnReading) -> Status {
    match reading.status {
        Status::Ok => reading.limits.status,
        status => status,
    }
}
