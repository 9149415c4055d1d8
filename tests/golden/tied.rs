//! The order in which NannyML puts tied scores of a class, which moves a ranking metric of several classes: a row's
//! probabilities depend on all its scores, so rows that share one differ.
//!
//! NannyML takes `numpy.argsort` of the scores backwards, which is not stable. The golden figures were made where numpy 1.26
//! sorts with AVX-512: up to 64 numbers by one sorting network, which is repeated here. More are first split around pivots,
//! which is not; ties of so many rows move a figure by less than the bar. Without AVX-512 numpy orders ties in another way.
use std::collections::HashMap;

use datafusion::prelude::SessionContext;
use modelwatch::kernel::multiclass::ClassCalibrators;

use crate::models;
use crate::record::{Failure, Record};
use crate::session::{number, text};

/// Most rows that numpy sorts by the network alone.
const NETWORK: usize = 64;

/// A row's score of a class, and its probability.
type Scored = (f64, f64);

/// Scores of the rows of each small chunk by the text of its key, in the order of time.
pub async fn small_chunks(
    session: &SessionContext,
    record: &Record,
    relation: &str,
    key: &str,
) -> Result<HashMap<String, Vec<Vec<f64>>>, Failure> {
    let columns = models::score_columns(record);
    let sql = format!(
        "SELECT key, {} FROM (SELECT *, count(*) OVER (PARTITION BY key) AS chunk_rows \
         FROM (SELECT *, {key} AS key FROM {relation})) \
         WHERE chunk_rows <= {NETWORK} ORDER BY key, timestamp",
        columns.join(", "),
    );
    let mut found: HashMap<String, Vec<Vec<f64>>> = HashMap::new();
    for batch in session.sql(&sql).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let mut scores = vec![];
            for column in &columns {
                scores.extend(number(&batch, column, row)?);
            }
            // rows that miss a score are left out
            if scores.len() == columns.len() {
                let chunk = found.entry(text(&batch, "key", row)?).or_default();
                chunk.push(scores);
            }
        }
    }
    Ok(found)
}

/// How far NannyML's order of ties moves a metric of a small chunk, from where tied rows share their mean probability.
pub fn shift(rows: &[Vec<f64>], calibrators: &ClassCalibrators, metric: &str) -> f64 {
    let value = match metric {
        "roc_auc" => roc_auc,
        _ => average_precision,
    };
    let classes = by_class(rows, calibrators);
    let count = classes.len() as f64;
    let shifts = classes.into_iter().map(|mut class| {
        sort_as_numpy(&mut class);
        class.reverse();
        let own: Vec<f64> = class.iter().map(|(_, p)| *p).collect();
        value(&own) - value(&shared(&class))
    });
    shifts.sum::<f64>() / count
}

/// The rows of a chunk as each class has them.
fn by_class(rows: &[Vec<f64>], calibrators: &ClassCalibrators) -> Vec<Vec<Scored>> {
    let side = calibrators.classes().len();
    let mut classes = vec![vec![]; side];
    let mut probabilities = vec![0.0; side];
    for scores in rows {
        if calibrators.probabilities(scores, &mut probabilities) {
            let scored = scores.iter().copied().zip(probabilities.iter().copied());
            for (class, row) in classes.iter_mut().zip(scored) {
                class.push(row);
            }
        }
    }
    classes
}

/// The bitonic network of numpy's `avx512-64bit-keyvalue-networks.hpp`, without the infinities that fill its registers.
fn sort_as_numpy(rows: &mut [Scored]) {
    let mut half = 1;
    while half < rows.len() {
        // two sorted halves: each row with its mirror image, then with ever nearer ones
        exchange(rows, 2 * half - 1);
        let mut distance = half / 2;
        while distance > 0 {
            exchange(rows, distance);
            distance /= 2;
        }
        half *= 2;
    }
}

/// Swaps pairs whose positions differ in these bits where they are out of order; tied ones stay.
fn exchange(rows: &mut [Scored], bits: usize) {
    for low in 0..rows.len() {
        let high = low ^ bits;
        if low < high && high < rows.len() && rows[high].0 < rows[low].0 {
            rows.swap(low, high);
        }
    }
}

/// Probabilities of sorted rows, tied ones with their mean.
fn shared(rows: &[Scored]) -> Vec<f64> {
    let ties = rows.chunk_by(|a, b| a.0 == b.0);
    let means = ties.map(|ties| {
        let sum: f64 = ties.iter().map(|(_, p)| p).sum();
        vec![sum / ties.len() as f64; ties.len()]
    });
    means.collect::<Vec<_>>().concat()
}

/// What NannyML sums over rows of descending scores (`confidence_based/metrics.py:596`).
fn average_precision(probabilities: &[f64]) -> f64 {
    let (mut rows, mut above, mut sum) = (0.0, 0.0, 0.0);
    for p in probabilities {
        rows += 1.0;
        above += p;
        sum += p * above / rows;
    }
    sum / above
}

/// The same of ROC AUC (`confidence_based/metrics.py:444`).
fn roc_auc(probabilities: &[f64]) -> f64 {
    let (mut above, mut sum) = (0.0, 0.0);
    for p in probabilities {
        sum += (1.0 - p) * (above + p / 2.0);
        above += p;
    }
    sum / above / (probabilities.len() as f64 - above)
}
