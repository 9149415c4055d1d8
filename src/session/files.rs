//! Files as named tables: a file, a directory, or a pattern of files.
use std::path::Path;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, TableReference};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::object_store::{self, ObjectMeta};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

/// Endings of files that can be registered, the ending of each format's directory listing first.
const ENDINGS: [&str; 6] = ["parquet", "csv", "tsv", "json", "ndjson", "jsonl"];

/// Registers files as the table `name`.
///
/// `location` is a file, a directory (hive partitions such as `day=2026-01-31/` become columns),
/// or a pattern such as `data/2026-*.parquet`. A path that exists is taken as it stands, even if
/// it holds characters of a pattern. `name` is taken as it stands too: SQL needs double quotes
/// around one with upper case, spaces or dots.
///
/// # Errors
/// When nothing is there, when the files are of several formats or of none that is known, when
/// a file cannot be read, or when `name` is taken.
pub async fn register_files(context: &SessionContext, name: &str, location: &str) -> Result<()> {
    let table = TableReference::bare(name);
    if context.table_exist(table.clone())? {
        return refuse(format!("table '{name}' is registered twice"));
    }
    let url = locate(location)?;
    let ending = common_ending(context, &url, location).await?;
    let options = ListingOptions::new(format_of(&ending)).with_file_extension(format!(".{ending}"));
    let state = context.state();
    let config = ListingTableConfig::new(url)
        .with_listing_options(options)
        .infer_partitions_from_path(&state)
        .await?
        .infer_schema(&state)
        .await
        .map_err(|error| error.context(format!("cannot read '{location}'")))?;
    if config
        .file_schema
        .as_ref()
        .is_none_or(|schema| schema.fields().is_empty())
    {
        return refuse(format!("cannot read '{location}': it has no columns"));
    }
    context.register_table(table, Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}

fn refuse<T>(why: String) -> Result<T> {
    Err(DataFusionError::Plan(why))
}

fn format_of(ending: &str) -> Arc<dyn FileFormat> {
    match ending {
        "parquet" => Arc::new(ParquetFormat::default()),
        "csv" => Arc::new(CsvFormat::default()),
        "tsv" => Arc::new(CsvFormat::default().with_delimiter(b'\t')),
        _ => Arc::new(JsonFormat::default()),
    }
}

fn locate(location: &str) -> Result<ListingTableUrl> {
    let Ok(path) = Path::new(location).canonicalize() else {
        return ListingTableUrl::parse(location);
    };
    let Some(text) = path.to_str() else {
        return refuse(format!("'{location}' leads to a path that is not UTF-8"));
    };
    let directory = if path.is_dir() { "/" } else { "" };
    ListingTableUrl::parse(format!("file://{}{directory}", percent_encoded(text)))
}

/// A path as part of a URL, in which `?`, `#`, `%`, `*` and spaces stand for themselves.
fn percent_encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

async fn common_ending(
    context: &SessionContext,
    url: &ListingTableUrl,
    location: &str,
) -> Result<String> {
    let known = ENDINGS.map(|ending| format!(".{ending}")).join(", ");
    let found = endings(context, url).await?;
    if found.is_empty() {
        return refuse(format!(
            "no file found at '{location}'. Expected a {known} file, a directory of them, \
             or a pattern such as 'data/*.parquet'"
        ));
    }
    let mut found: Vec<_> = found
        .into_iter()
        .filter(|e| ENDINGS.contains(&e.as_str()))
        .collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [ending] => Ok(ending.clone()),
        [] => refuse(format!("'{location}' has none of the endings {known}")),
        [first, ..] => refuse(format!(
            "'{location}' holds files of several formats ({}). \
             Hint: name one, as in '{location}/*.{first}'",
            found.join(", ")
        )),
    }
}

/// The ending of every file at `url`, empty where a file has none.
async fn endings(context: &SessionContext, url: &ListingTableUrl) -> Result<Vec<String>> {
    let store = context.runtime_env().object_store(url)?;
    let state = context.state();
    let files = url.list_all_files(&state, store.as_ref(), "").await?;
    let ending = |file: ObjectMeta| file.location.extension().unwrap_or_default().to_owned();
    match files.map_ok(ending).try_collect().await {
        Err(DataFusionError::ObjectStore(error))
            if matches!(*error, object_store::Error::NotFound { .. }) =>
        {
            Ok(vec![])
        }
        found => found,
    }
}
