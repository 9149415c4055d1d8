//! Backslash commands.
use std::sync::Arc;

use clap::ValueEnum;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::{Result, TableReference};
use datafusion::prelude::SessionContext;

use super::vocabulary::Vocabulary;
use crate::cli::output::Format;

/// What a line that starts with a backslash asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `\d`
    Tables,
    /// `\d name`
    Columns(String),
    /// `\h`
    Functions,
    /// `\h name`
    Function(String),
    /// `\i file`
    Include(String),
    /// `\pset format name`
    Format(Format),
    /// `\?`
    Help,
    /// `\q`
    Quit,
}

/// What `\?` prints.
pub const HELP: &str = r"Statements end with a semicolon and may span lines. Ctrl-C cancels a query.

  \d                     tables and views
  \d NAME                columns of a table
  \h                     functions
  \h NAME                signature, description and example of a function
  \i FILE                run the statements of a file
  \pset format FORMAT    print results as table, csv, tsv, json or ndjson
  \?                     this help
  \q                     quit (also exit, quit, Ctrl-D)
";

const NAMES: [&str; 6] = ["\\?", "\\d", "\\h", "\\i", "\\pset format", "\\q"];

impl Command {
    /// What `exit`, `quit` or `help` alone on a line asks for.
    pub fn of_word(line: &str) -> Option<Self> {
        let word = line.trim().trim_end_matches(';').trim_end();
        match word.to_ascii_lowercase().as_str() {
            "exit" | "quit" => Some(Self::Quit),
            "help" => Some(Self::Help),
            _ => None,
        }
    }

    /// Reads a line that starts with a backslash; a semicolon at its end is forgiven.
    ///
    /// # Errors
    /// What to type instead.
    pub fn parse(line: &str) -> std::result::Result<Self, String> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match (name, rest) {
            ("\\d", "") => Ok(Self::Tables),
            ("\\d", table) => Ok(Self::Columns(table.to_owned())),
            ("\\h", "") => Ok(Self::Functions),
            ("\\h", function) => Ok(Self::Function(function.to_owned())),
            ("\\i", "") => Err("\\i needs a file".to_owned()),
            ("\\i", file) => Ok(Self::Include(unquoted(file).to_owned())),
            ("\\pset", setting) => parse_setting(setting),
            ("\\?", _) => Ok(Self::Help),
            ("\\q", _) => Ok(Self::Quit),
            _ => Err(format!("there is no command '{name}'. \\? lists all")),
        }
    }
}

fn parse_setting(setting: &str) -> std::result::Result<Command, String> {
    let expected = "expected \\pset format table, csv, tsv, json or ndjson".to_owned();
    let (name, value) = setting
        .split_once(char::is_whitespace)
        .unwrap_or((setting, ""));
    if name != "format" {
        return Err(expected);
    }
    Format::from_str(value.trim(), true)
        .map(Command::Format)
        .map_err(|_| expected)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .unwrap_or(text)
}

/// Completions of a line that starts with a backslash, and where they start in it.
pub fn complete(before: &str, vocabulary: &Vocabulary) -> (usize, Vec<String>) {
    let starting = |words: &[&str], typed: &str| {
        words
            .iter()
            .filter(|word| word.starts_with(typed))
            .map(|&word| word.to_owned())
            .collect()
    };
    if let Some(typed) = before.strip_prefix("\\pset format ") {
        return (
            before.len() - typed.len(),
            starting(&["csv", "json", "ndjson", "table", "tsv"], typed),
        );
    }
    match before.split_once(' ') {
        Some(("\\d", typed)) => (
            before.len() - typed.len(),
            vocabulary.relations(typed, false),
        ),
        Some(("\\h", typed)) => (before.len() - typed.len(), vocabulary.functions(typed)),
        _ => (0, starting(&NAMES, before)),
    }
}

/// The columns of a table: `name` as SQL would read it, or as it was registered.
///
/// # Errors
/// When there is no such table.
pub async fn columns(context: &SessionContext, name: &str) -> Result<RecordBatch> {
    let as_sql = context.table_provider(TableReference::from(name)).await;
    let provider = match as_sql {
        Ok(provider) => provider,
        Err(error) => {
            let literal = context
                .table_provider(TableReference::bare(unquoted(name)))
                .await;
            literal.map_err(|_| error)?
        }
    };
    let schema = provider.schema();
    let fields = schema.fields();
    let nullable = |nullable| if nullable { "YES" } else { "NO" };
    text_table([
        (
            "column_name",
            fields.iter().map(|field| field.name().clone()).collect(),
        ),
        (
            "data_type",
            fields
                .iter()
                .map(|field| field.data_type().to_string())
                .collect(),
        ),
        (
            "is_nullable",
            fields
                .iter()
                .map(|field| nullable(field.is_nullable()).to_owned())
                .collect(),
        ),
    ])
}

/// All tables and views but those of the information schema.
pub const TABLES: &str = "SELECT table_schema, table_name, table_type \
    FROM information_schema.tables WHERE table_schema <> 'information_schema' \
    ORDER BY table_schema, table_name";

fn text_table(columns: [(&str, Vec<String>); 3]) -> Result<RecordBatch> {
    let columns =
        columns.map(|(name, values)| (name, Arc::new(StringArray::from(values)) as ArrayRef));
    Ok(RecordBatch::try_from_iter(columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let cases = [
            ("\\d", Command::Tables),
            ("\\d;", Command::Tables),
            (
                "\\d  \"My Table\" ",
                Command::Columns("\"My Table\"".to_owned()),
            ),
            ("\\h roc_auc", Command::Function("roc_auc".to_owned())),
            ("\\i 'a b.sql'", Command::Include("a b.sql".to_owned())),
            ("\\pset format csv", Command::Format(Format::Csv)),
            ("\\?", Command::Help),
            ("\\q", Command::Quit),
        ];
        for (line, expected) in cases {
            assert_eq!(Command::parse(line), Ok(expected), "{line}");
        }
        assert_eq!(Command::of_word(" Exit; "), Some(Command::Quit));
        assert_eq!(Command::of_word("help"), Some(Command::Help));
        assert_eq!(Command::of_word("exit now"), None);
        for line in [
            "\\",
            "\\x",
            "\\i",
            "\\pset",
            "\\pset format",
            "\\pset format xml",
            "\\pset a b",
        ] {
            assert!(Command::parse(line).is_err(), "{line}");
        }
    }

    #[tokio::test]
    async fn columns_are_found_under_any_spelling() {
        let context = SessionContext::new();
        context
            .sql("CREATE TABLE \"My.Table\" AS SELECT 1 AS a")
            .await
            .unwrap();
        context
            .sql("CREATE TABLE plain AS SELECT 1 AS a")
            .await
            .unwrap();
        for name in ["My.Table", "\"My.Table\"", "plain", "PLAIN", "public.plain"] {
            assert_eq!(
                columns(&context, name).await.unwrap().num_rows(),
                1,
                "{name}"
            );
        }
        assert!(columns(&context, "absent").await.is_err());
    }
}
