//! What a table function of the shared row shape says of columns, chunk by chunk.
use std::collections::HashMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;

use crate::record::{Failure, Record};
use crate::session::{self, flag, number, text};

/// Column and metric.
pub type Series = (String, String);

/// What a row of our result says.
#[derive(Debug, Default)]
pub struct Figures {
    pub value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub alert: Option<bool>,
    pub p_value: Option<f64>,
}

/// One chunk, with the figures of all columns.
#[derive(Debug, Default)]
pub struct Chunk {
    pub dataset: String,
    pub complete: bool,
    pub rows: f64,
    pub figures: HashMap<Series, Figures>,
}

/// Our chunks, reference first; `arguments` are those besides the relations, the timestamp and the chunks.
pub async fn answer(
    session: &SessionContext,
    record: &Record,
    function: &str,
    arguments: &str,
) -> Result<Vec<Chunk>, Failure> {
    let sql = format!(
        "SELECT * FROM {function}(reference, analysis, {arguments}, timestamp => timestamp, chunk => {}, reference_chunk => {}) \
         ORDER BY dataset DESC, chunk_index",
        session::chunk(session, &record.chunking, "analysis").await?,
        session::chunk(session, &record.chunking, "reference").await?,
    );
    let mut chunks: Vec<Chunk> = vec![];
    let mut last = None;
    for batch in session.sql(&sql).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let key = (
                text(&batch, "dataset", row)?,
                number(&batch, "chunk_index", row)?,
            );
            if last.as_ref() != Some(&key) {
                chunks.push(Chunk {
                    dataset: key.0.clone(),
                    complete: flag(&batch, "complete", row)?.unwrap_or_default(),
                    rows: number(&batch, "row_count", row)?.unwrap_or_default(),
                    ..Chunk::default()
                });
                last = Some(key);
            }
            let series = (
                text(&batch, "column_name", row)?,
                text(&batch, "metric", row)?,
            );
            if let Some(chunk) = chunks.last_mut() {
                chunk.figures.insert(series, figures(&batch, row)?);
            }
        }
    }
    Ok(chunks)
}

fn figures(batch: &RecordBatch, row: usize) -> Result<Figures, Failure> {
    Ok(Figures {
        value: number(batch, "value", row)?,
        lower: number(batch, "lower_threshold", row)?,
        upper: number(batch, "upper_threshold", row)?,
        alert: flag(batch, "alert", row)?,
        p_value: number(batch, "p_value", row)?,
    })
}
