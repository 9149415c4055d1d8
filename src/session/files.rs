//! Files as named tables: a file, a directory, or a pattern of files.
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, TableReference};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::execution::SessionState;
use datafusion::object_store::{self, ObjectMeta, ObjectStoreExt};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

/// Endings of files that can be registered.
const ENDINGS: [&str; 6] = ["parquet", "csv", "tsv", "json", "ndjson", "jsonl"];

/// Enough of a file to see past blanks at its start.
const GLANCE: u64 = 64;

/// Registers files as the table `name`.
///
/// `location` is a file, a directory (hive partitions such as `day=2026-01-31/` become columns),
/// or a pattern such as `data/2026-*.parquet`. A path that exists is taken as it stands, even if
/// it holds characters of a pattern. A `.json` file holds one object a line, or one array of them.
/// `name` is taken as it stands too: SQL needs double quotes
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
    let (ending, array) = look(context, &url, location).await?;
    let state = context.state();
    let options = ListingOptions::new(format_of(&ending, array, &state)?)
        .with_file_extension(format!(".{ending}"));
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

/// The format with the options of the session, as `CREATE EXTERNAL TABLE` would have it.
fn format_of(ending: &str, array: bool, state: &SessionState) -> Result<Arc<dyn FileFormat>> {
    let (name, option) = match ending {
        "parquet" => ("parquet", None),
        "csv" => ("csv", None),
        "tsv" => ("csv", Some(("format.delimiter", "\t"))),
        _ if array => ("json", Some(("format.newline_delimited", "false"))),
        _ => ("json", None),
    };
    let Some(factory) = state.get_file_format_factory(name) else {
        return refuse(format!("this session does not read {name} files"));
    };
    let options = option.map(|(key, value)| (key.to_owned(), value.to_owned()));
    factory.create(state, &HashMap::from_iter(options))
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

/// The common ending of the files at `url`, and whether the first starts a JSON array.
async fn look(
    context: &SessionContext,
    url: &ListingTableUrl,
    location: &str,
) -> Result<(String, bool)> {
    let known = ENDINGS.map(|ending| format!(".{ending}")).join(", ");
    let files = files(context, url).await?;
    if files.is_empty() {
        return refuse(format!(
            "no file found at '{location}'. Expected a {known} file, a directory of them, \
             or a pattern such as 'data/*.parquet'"
        ));
    }
    let ending = |file: &ObjectMeta| file.location.extension().unwrap_or_default().to_owned();
    let mut found: Vec<_> = files.iter().map(ending).collect();
    found.retain(|ending| ENDINGS.contains(&ending.as_str()));
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [only] => {
            let first = files.iter().find(|file| ending(file) == *only);
            let array = match first {
                Some(first) if only == "json" => starts_array(context, url, first).await?,
                _ => false,
            };
            Ok((only.clone(), array))
        }
        [] => refuse(format!("'{location}' has none of the endings {known}")),
        [first, ..] => refuse(format!(
            "'{location}' holds files of several formats ({}). \
             Hint: name one, as in '{location}/*.{first}'",
            found.join(", ")
        )),
    }
}

async fn files(context: &SessionContext, url: &ListingTableUrl) -> Result<Vec<ObjectMeta>> {
    let store = context.runtime_env().object_store(url)?;
    let state = context.state();
    let files = url.list_all_files(&state, store.as_ref(), "").await?;
    match files.try_collect().await {
        Err(DataFusionError::ObjectStore(error))
            if matches!(*error, object_store::Error::NotFound { .. }) =>
        {
            Ok(vec![])
        }
        found => found,
    }
}

async fn starts_array(
    context: &SessionContext,
    url: &ListingTableUrl,
    file: &ObjectMeta,
) -> Result<bool> {
    if file.size == 0 {
        return Ok(false);
    }
    let store = context.runtime_env().object_store(url)?;
    let start = store
        .get_range(&file.location, 0..file.size.min(GLANCE))
        .await?;
    Ok(start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'['))
}
