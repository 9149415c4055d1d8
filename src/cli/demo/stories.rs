//! The tables of three stories of models that fail, one report for each; `stories.sql` makes them.
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext, ident};

use super::{files, rows_of_last};
use crate::cli::failure::{Failure, Trouble};
use crate::cli::query::Console;

const STATEMENTS: &str = include_str!("stories.sql");

const PLACE: &str = "stories.sql";

/// The views of the statements that become files.
const TABLES: [&str; 10] = [
    "subscription_reference",
    "subscription_analysis",
    "spam_reference",
    "spam_analysis",
    "churn_reference",
    "churn_analysis",
    "retention_campaign",
    "claims_training",
    "claims_test",
    "claims_serving",
];

/// Writes the tables that `directory`, which is there, does not have yet.
///
/// # Errors
/// When a file cannot be written, or would replace one that is not of the demo.
pub async fn write_tables(directory: &Path, console: &mut Console<'_>) -> Result<(), Failure> {
    let mut due = vec![];
    for name in TABLES {
        if files::is_due(directory, name)? {
            due.push(name);
        }
    }
    if due.is_empty() {
        return Ok(());
    }
    let context = one_by_one();
    rows_of_last(&context, (PLACE, STATEMENTS), console).await?;
    for name in due {
        let table = rows_in_order(&context, name).await;
        let (schema, rows) = table.map_err(|error| Trouble::from(error).at(name))?;
        files::put_rows(directory, name, &schema, &rows)?;
    }
    Ok(())
}

/// The rows of a view by its first column, for the engine may drop the order that a view gives itself.
async fn rows_in_order(
    context: &SessionContext,
    name: &str,
) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError> {
    let view = context.table(name).await?;
    let schema = Arc::clone(view.schema().inner());
    let first = ident(schema.field(0).name()).sort(true, false);
    Ok((schema, view.sort(vec![first])?.collect().await?))
}

/// A session of its own, with one partition and batches of one size: the files are the same everywhere.
fn one_by_one() -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(8192);
    SessionContext::new_with_config(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_table_has_its_rows() {
        let context = one_by_one();
        for statement in STATEMENTS.split_inclusive(";\n") {
            context.sql(statement).await.unwrap();
        }
        let mut rows = vec![];
        for name in TABLES {
            rows.push(context.table(name).await.unwrap().count().await.unwrap());
        }
        let of_weeks = [31_200, 15_600, 31_200, 15_600, 41_600, 20_800, 78];
        assert_eq!(rows[..7], of_weeks);
        assert_eq!(rows[7..], [11_968, 6_032, 12_000]);
    }
}
