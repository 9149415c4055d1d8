//! Monitoring inside a program of your own: register the functions, ask in SQL, read the batches.
//!
//! `cargo run --example embed`
use std::error::Error;
use std::io::{Write, stdout};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::prelude::{SessionConfig, SessionContext};
use modelwatch::options::MonitorOptions;

/// 40,000 scores in two halves: labels are known of the first, and the scores of the second are
/// less certain. Any table that DataFusion can read would do.
const PREDICTIONS: &str = "
    CREATE TABLE predictions AS
    SELECT
        id, id < 20000 AS reference, score, score >= 0.5 AS y_pred,
        CASE WHEN id < 20000 THEN (id * 7919) % 1000 < score * 1000 END AS y_true
    FROM (
        SELECT id, 0.5 + CASE WHEN id < 20000 THEN 0.49 ELSE 0.3 END * sin(id * id) AS score
        FROM generate_series(0, 39999) AS t(id)
    )";

const QUESTION: &str = "
    SELECT chunk, value, lower_bound, upper_bound, alert
    FROM estimate_performance(
        (SELECT * FROM predictions WHERE reference),
        (SELECT * FROM predictions WHERE NOT reference),
        score => score, order_by => id, chunk => rows(5000), metrics => 'roc_auc')
    WHERE dataset = 'analysis'
    ORDER BY chunk_index";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // any SessionContext will do; the options are needed for SET monitor.* only
    let config = SessionConfig::new().with_option_extension(MonitorOptions::default());
    let context = SessionContext::new_with_config(config);
    modelwatch::register_all(&context)?;
    context.sql(PREDICTIONS).await?;

    let mut out = stdout().lock();
    for batch in context.sql(QUESTION).await?.collect().await? {
        let column = |name: &str| {
            batch
                .column_by_name(name)
                .ok_or_else(|| format!("no column {name}"))
        };
        let values = column("value")?.as_primitive::<Float64Type>();
        let lower = column("lower_bound")?.as_primitive::<Float64Type>();
        let upper = column("upper_bound")?.as_primitive::<Float64Type>();
        let alerts = column("alert")?.as_boolean();
        for row in 0..batch.num_rows() {
            if values.is_null(row) {
                writeln!(out, "chunk {row}: no estimate")?;
                continue;
            }
            let (value, lower, upper) = (values.value(row), lower.value(row), upper.value(row));
            let alert = if alerts.is_valid(row) && alerts.value(row) {
                "  ALERT"
            } else {
                ""
            };
            writeln!(
                out,
                "chunk {row}: roc_auc {value:.4} ({lower:.4} to {upper:.4}){alert}"
            )?;
        }
    }
    Ok(())
}
