//! The distances of numbers as NannyML estimates them against large references, its known issues A9 and A12 included.
use std::collections::HashMap;

use datafusion::prelude::SessionContext;

use crate::record::{Failure, Record};
use crate::session::{self, cell, number};

/// From so many reference rows on NannyML estimates, unless told otherwise.
const LARGE: usize = 10_000;
const BINS: usize = 10_000;

/// Estimates of one column: of each chunk, and their limit.
pub struct Estimates {
    values: HashMap<&'static str, Vec<Option<f64>>>,
    reference_chunks: usize,
}

impl Estimates {
    /// `None` where NannyML compares all rows.
    pub async fn of(
        session: &SessionContext,
        record: &Record,
        column: &str,
    ) -> Result<Option<Self>, Failure> {
        let chunks = chunks(session, record, column, "reference").await?;
        let mut reference: Vec<f64> = chunks.concat();
        let told = record.parameters["computation_params"]["calculation_method"].as_str();
        if reference.is_empty()
            || told == Some("exact")
            || (told != Some("estimated") && reference.len() < LARGE)
        {
            return Ok(None);
        }
        reference.sort_by(f64::total_cmp);
        let reference_chunks = chunks.len();
        let analysis = self::chunks(session, record, column, "analysis").await?;
        let all: Vec<&Vec<f64>> = chunks.iter().chain(&analysis).collect();
        let values = [
            ("kolmogorov_smirnov", Bins::kolmogorov_smirnov as Distance),
            ("wasserstein", Bins::wasserstein),
        ]
        .map(|(metric, distance)| {
            let bins = Bins::over(&reference);
            let values = all.iter().map(|chunk| distance(&bins, chunk));
            (metric, values.collect())
        });
        Ok(Some(Self {
            values: values.into(),
            reference_chunks,
        }))
    }

    /// The figure of a row of the golden file.
    pub fn figure(&self, metric: &str, field: &str, row: usize) -> Option<f64> {
        let values = self.values.get(metric)?;
        match field {
            "value" => *values.get(row)?,
            "upper_threshold" => {
                let known: Vec<f64> = values
                    .iter()
                    .take(self.reference_chunks)
                    .flatten()
                    .copied()
                    .collect();
                let count = known.len() as f64;
                let mean = known.iter().sum::<f64>() / count;
                let squares = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
                Some(mean + 3.0 * (squares / count).sqrt())
            }
            _ => None,
        }
    }
}

/// Sorted values of each chunk, without NULL and NaN.
async fn chunks(
    session: &SessionContext,
    record: &Record,
    column: &str,
    relation: &str,
) -> Result<Vec<Vec<f64>>, Failure> {
    let key = session::key(&record.chunking, relation, "timestamp")?;
    let sql = format!(
        "SELECT key, nanvl(CAST(value AS DOUBLE), NULL) AS value \
         FROM (SELECT \"{column}\" AS value, {key} AS key FROM {relation}) ORDER BY key, value"
    );
    let mut found: Vec<Vec<f64>> = vec![];
    let mut last = None;
    for batch in session.sql(&sql).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let key = cell(&batch, "key", row)?;
            if last.as_ref() != Some(&key) {
                found.push(vec![]);
                last = Some(key);
            }
            if let Some(chunk) = found.last_mut() {
                chunk.extend(number(&batch, "value", row)?);
            }
        }
    }
    Ok(found)
}

type Distance = fn(&Bins, &[f64]) -> Option<f64>;

/// Bins of equal width over the range of the reference.
struct Bins {
    edges: Vec<f64>,
    /// Share of the reference up to the end of each bin.
    shares: Vec<f64>,
}

impl Bins {
    fn over(reference: &[f64]) -> Self {
        let (least, most) = (reference[0], reference[reference.len() - 1]);
        let step = (most - least) / BINS as f64;
        let mut edges: Vec<f64> = (0..BINS).map(|i| i as f64 * step + least).collect();
        edges.push(most);
        let shares = cumulated(&edges, reference);
        Self { edges, shares }
    }

    /// The chunk's values below the range of the reference.
    fn below<'a>(&self, chunk: &'a [f64]) -> &'a [f64] {
        &chunk[..chunk.partition_point(|x| *x < self.edges[0])]
    }

    /// A12: at the edges of bins of equal width.
    fn kolmogorov_smirnov(&self, chunk: &[f64]) -> Option<f64> {
        let below = self.below(chunk).len() as f64 / chunk.len() as f64;
        let pairs = self.shares.iter().zip(cumulated(&self.edges, chunk));
        pairs
            .map(|(reference, share)| (reference - below - share).abs())
            .max_by(f64::total_cmp)
            .filter(|_| !chunk.is_empty())
    }

    /// A9: a row more than there are below the range is counted there.
    fn wasserstein(&self, chunk: &[f64]) -> Option<f64> {
        let (least, most) = (self.edges[0], self.edges[BINS]);
        let below = self.below(chunk);
        let rows = chunk.len() as f64;
        let offset = match below.len() {
            0 => 0.0,
            count => (count + 1) as f64 / rows,
        };
        let pairs = self.shares.iter().zip(cumulated(&self.edges, chunk));
        let within: f64 = pairs
            .map(|(reference, share)| (reference - share - offset).abs())
            .sum();
        let short: f64 = below.iter().map(|x| least - x).sum();
        let above: f64 = chunk.iter().map(|x| (x - most).max(0.0)).sum();
        (!chunk.is_empty()).then(|| within * (self.edges[1] - least) + short / rows + above / rows)
    }
}

/// Share of sorted values from the first edge up to the end of each bin; the last bin holds its end.
fn cumulated(edges: &[f64], values: &[f64]) -> Vec<f64> {
    let below = |edge: f64| values.partition_point(|x| *x < edge);
    let start = below(edges[0]);
    let last = edges[edges.len() - 1];
    let ends = edges[1..edges.len() - 1]
        .iter()
        .map(|&edge| below(edge))
        .chain([values.partition_point(|x| *x <= last)]);
    ends.map(|end| (end - start) as f64 / values.len() as f64)
        .collect()
}
