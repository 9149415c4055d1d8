//! Files as named tables: a file, a directory, or a pattern of files.
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, DataFusionError, Result, TableReference};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use datafusion::object_store::{self, ObjectMeta, ObjectStoreExt};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

use super::pattern::{Matched, expand, has_variable_folder, is_pattern, pattern_of};

/// Endings of files that can be registered.
const ENDINGS: [&str; 6] = ["parquet", "csv", "tsv", "json", "ndjson", "jsonl"];

/// Enough of a file to see past blanks at its start.
const GLANCE: u64 = 64;

/// Registers files as the table `name`.
///
/// `location` is a file, a directory (hive partitions such as `day=2026-01-31/` become columns),
/// or a pattern such as `data/2026-*.parquet` or `data/month=2026-*/`. A path that exists is taken as it stands, even if
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
    let found = look(context, location).await?;
    let state = context.state();
    let format = format_of(&found.ending, found.array, &state)?;
    let options = ListingOptions::new(format).with_file_extension(format!(".{}", found.ending));
    for url in &found.urls {
        same_partitions(&options, &state, &found.urls, url, location).await?;
    }
    let schema = schema_of(context, &options, &found).await;
    let schema = schema.map_err(|error| error.context(format!("cannot read '{location}'")))?;
    if schema.fields().is_empty() {
        return refuse(format!("cannot read '{location}': it has no columns"));
    }
    let config = ListingTableConfig::new_with_multi_paths(found.urls)
        .with_listing_options(options)
        .infer_partitions_from_path(&state)
        .await?
        .with_schema(schema);
    let files: Arc<dyn TableProvider> = Arc::new(ListingTable::try_new(config)?);
    context.register_table(table, chosen(files, &found.partitions)?)?;
    Ok(())
}

pub(super) fn refuse<T>(why: String) -> Result<T> {
    Err(DataFusionError::Plan(why))
}

/// The partitions of the first folder are taken for all; files of another layout would be left out without a word.
async fn same_partitions(
    options: &ListingOptions,
    state: &SessionState,
    urls: &[ListingTableUrl],
    url: &ListingTableUrl,
    location: &str,
) -> Result<()> {
    let (Some(first), true) = (urls.first(), urls.len() > 1) else {
        return Ok(());
    };
    let expected = options.infer_partitions(state, first).await?;
    let found = options.infer_partitions(state, url).await?;
    if found == expected {
        return Ok(());
    }
    refuse(format!(
        "'{location}' matches folders with the partitions ({}) and ({}). Expected the same in each",
        expected.join(", "),
        found.join(", ")
    ))
}

/// The columns of all files together.
async fn schema_of(
    context: &SessionContext,
    options: &ListingOptions,
    found: &Found,
) -> Result<SchemaRef> {
    let Some(url) = found.urls.first() else {
        return refuse("no file".to_owned());
    };
    let store = context.runtime_env().object_store(url)?;
    // an empty file has no columns to tell
    let files: Vec<_> = found
        .files
        .iter()
        .filter(|file| file.size > 0)
        .cloned()
        .collect();
    let state = context.state();
    options.format.infer_schema(&state, &store, &files).await
}

/// The rows of the partitions that a pattern chose; of all where it chose none.
fn chosen(
    files: Arc<dyn TableProvider>,
    partitions: &[(String, Vec<String>)],
) -> Result<Arc<dyn TableProvider>> {
    if partitions.is_empty() {
        return Ok(files);
    }
    let mut rows = LogicalPlanBuilder::scan("files", provider_as_source(files), None)?;
    for (key, values) in partitions {
        let column = Expr::Column(Column::from_name(key));
        let values = values.iter().map(|value| lit(value.as_str())).collect();
        rows = rows.filter(column.in_list(values, false))?;
    }
    Ok(Arc::new(ViewTable::new(rows.build()?, None)))
}

/// The format with the options of the session, as `CREATE EXTERNAL TABLE` would have it.
fn format_of(ending: &str, array: bool, state: &SessionState) -> Result<Arc<dyn FileFormat>> {
    let ending = ending.to_ascii_lowercase();
    let (name, option) = match ending.as_str() {
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

/// Files and folders that a location names, and the partitions that it chooses among them.
async fn locate(context: &SessionContext, location: &str) -> Result<Matched> {
    let one = |url| Matched {
        urls: vec![url],
        partitions: vec![],
    };
    if Path::new(location).exists() {
        return Ok(one(url_of(Path::new(location), location)?));
    }
    let local = is_pattern(location) && !location.contains("://");
    if local && has_variable_folder(location) {
        return expand(location);
    }
    if local {
        pattern_of(location.rsplit('/').next().unwrap_or(location))?;
    }
    let url = ListingTableUrl::parse(location)?;
    if local && files(context, &url).await?.is_empty() {
        return expand(location);
    }
    Ok(one(url))
}

/// The URL of a path that exists; `location` is how it was named.
pub(super) fn url_of(path: &Path, location: &str) -> Result<ListingTableUrl> {
    let path = path.canonicalize()?;
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

/// What is at a location.
struct Found {
    urls: Vec<ListingTableUrl>,
    partitions: Vec<(String, Vec<String>)>,
    /// The files to be read.
    files: Vec<ObjectMeta>,
    /// Their common ending, as they spell it.
    ending: String,
    /// Whether the first starts a JSON array.
    array: bool,
}

fn known_endings() -> String {
    ENDINGS.map(|ending| format!(".{ending}")).join(", ")
}

fn ending(file: &ObjectMeta) -> String {
    file.location.extension().unwrap_or_default().to_owned()
}

async fn look(context: &SessionContext, location: &str) -> Result<Found> {
    let known = known_endings();
    let Matched { urls, partitions } = locate(context, location).await?;
    let mut listed = Vec::with_capacity(urls.len());
    for url in urls {
        let files = files(context, &url).await?;
        listed.push((url, files));
    }
    if listed.iter().all(|(_, files)| files.is_empty()) {
        return refuse(format!(
            "no file found at '{location}'. Expected a {known} file, a directory of them, or a pattern such as \
             'data/*.parquet' or 'data/month=2026-*/', in which * stands for a part of one name"
        ));
    }
    for (_, files) in &mut listed {
        files.retain(|file| ENDINGS.contains(&ending(file).to_ascii_lowercase().as_str()));
    }
    listed.retain(|(_, files)| !files.is_empty());
    let (urls, files): (Vec<_>, Vec<_>) = listed.into_iter().unzip();
    let files = files.concat();
    let found: BTreeSet<String> = files.iter().map(ending).collect();
    let found: Vec<String> = found.into_iter().collect();
    match (found.as_slice(), urls.first(), files.first()) {
        ([only], Some(url), Some(first)) => {
            let array =
                only.eq_ignore_ascii_case("json") && starts_array(context, url, first).await?;
            let ending = only.clone();
            Ok(Found {
                urls,
                partitions,
                files,
                ending,
                array,
            })
        }
        ([first, ..], ..) => refuse(format!(
            "'{location}' holds files of several formats ({}). \
             Hint: name one, as in '{location}/*.{first}'",
            found.join(", ")
        )),
        _ => refuse(format!("'{location}' has none of the endings {known}")),
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
