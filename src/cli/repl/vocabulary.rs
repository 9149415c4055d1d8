//! What the Tab key offers: keywords, tables, columns, functions and settings.
use std::collections::HashMap;

use datafusion::prelude::SessionContext;

use crate::cli::help::{FunctionKind, Manual};

/// Words that statements are made of, besides names.
const KEYWORDS: &str = "\
    ALL ANALYZE AND ANY AS ASC BETWEEN BY CASE CAST COPY CREATE CROSS CURRENT DATE DELETE DESC \
    DESCRIBE DISTINCT DROP ELSE END EXCEPT EXCLUDE EXISTS EXPLAIN EXTERNAL EXTRACT FALSE \
    FILTER FIRST FOLLOWING FORMAT FROM FULL FUNCTION GROUP GROUPING HAVING IF ILIKE IN INNER \
    INSERT INTERSECT INTERVAL INTO IS JOIN LAST LATERAL LEFT LIKE LIMIT LOCATION NATURAL NOT \
    NULL NULLS OFFSET ON OPTIONS OR ORDER OUTER OVER PARTITION PARTITIONED PRECEDING QUALIFY \
    RANGE REPLACE RIGHT ROLLUP ROW ROWS SELECT SET SETS SHOW SIMILAR STORED TABLE TABLES THEN \
    TIMESTAMP TRUE UNBOUNDED UNION UNNEST USING VALUES VIEW WHEN WHERE WITH";

/// After these, a relation follows.
const BEFORE_RELATION: [&str; 7] = ["FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "VIEW", "COPY"];

/// A table and its columns, as they are written in SQL.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    name: String,
    columns: Vec<String>,
}

/// Everything that can be completed in one session at one moment.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    tables: Vec<Table>,
    functions: Vec<(String, FunctionKind)>,
    arguments: HashMap<String, Vec<String>>,
    settings: Vec<String>,
}

impl Vocabulary {
    /// What `context` has now, and the functions of `manual`.
    pub async fn of(context: &SessionContext, manual: &Manual) -> Self {
        let functions = manual
            .functions()
            .map(|(name, kind)| (name.to_owned(), kind))
            .collect();
        let options = context.copied_config();
        let mut settings: Vec<_> = options
            .options()
            .entries()
            .into_iter()
            .map(|entry| entry.key)
            .collect();
        settings.sort_unstable();
        let arguments = manual.named_arguments();
        let arguments = arguments
            .map(|(name, arguments)| (name.to_owned(), arguments))
            .collect();
        Self {
            tables: tables(context).await,
            functions,
            arguments,
            settings,
        }
    }

    /// Tables and table functions, or only tables.
    pub fn relations(&self, typed: &str, with_functions: bool) -> Vec<String> {
        let tables = self.tables.iter().map(|table| table.name.clone());
        let functions = self
            .functions
            .iter()
            .filter(|(_, kind)| *kind == FunctionKind::Table);
        let functions = functions
            .filter(|_| with_functions)
            .map(|(name, _)| format!("{name}("));
        matching(tables.chain(functions), typed)
    }

    /// Functions of every kind, without a parenthesis.
    pub fn functions(&self, typed: &str) -> Vec<String> {
        matching(self.functions.iter().map(|(name, _)| name.clone()), typed)
    }

    /// Completions of the last word of `before`, and where in `before` that word starts.
    pub fn complete(&self, before: &str) -> (usize, Vec<String>) {
        let start = word_start(before);
        let (earlier, word) = before.split_at(start);
        let first = earlier
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_uppercase();
        if ["SET", "SHOW", "RESET"].contains(&first.as_str()) {
            return (start, matching(self.settings.iter().cloned(), word));
        }
        let previous = earlier
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_uppercase();
        if BEFORE_RELATION.contains(&previous.as_str()) {
            return (start, self.relations(word, true));
        }
        if let Some((owner, column)) = word.rsplit_once('.') {
            return (start + owner.len() + 1, self.columns_of(owner, column));
        }
        (start, self.anything(before, word))
    }

    fn columns_of(&self, owner: &str, typed: &str) -> Vec<String> {
        let owner = self
            .tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(owner));
        let columns = owner.map(|table| table.columns.clone()).unwrap_or_default();
        matching(columns.into_iter(), typed)
    }

    fn anything(&self, statement: &str, word: &str) -> Vec<String> {
        // columns of the tables that the statement names; of all tables while it names none
        let named: Vec<_> = self
            .tables
            .iter()
            .filter(|table| statement.contains(&table.name))
            .collect();
        let tables = if named.is_empty() {
            self.tables.iter().collect()
        } else {
            named
        };
        let columns = tables
            .iter()
            .flat_map(|table| table.columns.iter().cloned());
        let arguments = enclosing_call(statement).and_then(|name| self.arguments.get(&name));
        let arguments = arguments
            .into_iter()
            .flatten()
            .map(|name| format!("{name} => "));
        let mut offers = matching(arguments, word);
        offers.extend(matching(columns, word));
        if word.is_empty() {
            return offers;
        }
        let lower = !word.contains(|c: char| c.is_ascii_uppercase());
        let keywords = KEYWORDS.split_whitespace().map(|keyword| match lower {
            true => keyword.to_lowercase(),
            false => keyword.to_owned(),
        });
        offers.extend(matching(keywords, word));
        offers.extend(matching(
            self.functions.iter().map(|(name, _)| format!("{name}(")),
            word,
        ));
        offers.extend(self.relations(word, false));
        offers
    }
}

/// Sorted, without repetitions, and starting with what was typed, whatever its case and quotes.
fn matching(words: impl Iterator<Item = String>, typed: &str) -> Vec<String> {
    let typed = typed.trim_start_matches('"').to_lowercase();
    let mut words: Vec<_> = words
        .filter(|word| {
            word.trim_start_matches('"')
                .to_lowercase()
                .starts_with(&typed)
        })
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn word_start(before: &str) -> usize {
    let word = |c: char| c.is_alphanumeric() || ['_', '.', '"', '$'].contains(&c);
    before
        .char_indices()
        .rev()
        .take_while(|(_, c)| word(*c))
        .last()
        .map_or(before.len(), |(i, _)| i)
}

/// The function whose parentheses are open at the end of `before`, in lower case.
fn enclosing_call(before: &str) -> Option<String> {
    let mut closed = 0;
    for (i, c) in before.char_indices().rev() {
        match c {
            ')' => closed += 1,
            '(' if closed > 0 => closed -= 1,
            '(' => {
                let before = before.get(..i)?.trim_end();
                return before.get(word_start(before)..).map(str::to_lowercase);
            }
            _ => {}
        }
    }
    None
}

/// A name as SQL needs it: in double quotes unless it is plain.
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let reserved = KEYWORDS
        .split_whitespace()
        .any(|keyword| keyword.eq_ignore_ascii_case(name));
    if starts && name.chars().all(plain) && !reserved {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn tables(context: &SessionContext) -> Vec<Table> {
    let config = context.copied_config();
    let defaults = &config.options().catalog;
    let mut tables = vec![];
    for catalog_name in context.catalog_names() {
        let Some(catalog) = context.catalog(&catalog_name) else {
            continue;
        };
        for schema_name in catalog.schema_names() {
            let Some(schema) = catalog.schema(&schema_name) else {
                continue;
            };
            let mut prefix = String::new();
            if catalog_name != defaults.default_catalog {
                prefix = format!("{}.{}.", quoted(&catalog_name), quoted(&schema_name));
            } else if schema_name != defaults.default_schema {
                prefix = format!("{}.", quoted(&schema_name));
            }
            for table in schema.table_names() {
                let provider = schema.table(&table).await.ok().flatten();
                let fields = provider.map(|provider| provider.schema());
                let columns = fields.iter().flat_map(|schema| schema.fields().iter());
                let columns = columns.map(|field| quoted(field.name())).collect();
                tables.push(Table {
                    name: format!("{prefix}{}", quoted(&table)),
                    columns,
                });
            }
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::FunctionHelp;

    async fn vocabulary() -> Vocabulary {
        let context = SessionContext::new();
        for sql in [
            "CREATE TABLE predictions AS SELECT 1 AS y_true, 2 AS \"Y Pred\"",
            "CREATE TABLE \"Pre Views\" AS SELECT 3 AS year",
        ] {
            context.sql(sql).await.unwrap();
        }
        let relation = FunctionHelp {
            name: "drift".to_owned(),
            kind: FunctionKind::Table,
            signature: String::new(),
            description: String::new(),
            arguments: vec![
                ("score".to_owned(), String::new()),
                ("chunk".to_owned(), String::new()),
            ],
            columns: vec![],
            example: None,
        };
        Vocabulary::of(&context, &Manual::of(&context, vec![relation])).await
    }

    #[tokio::test]
    async fn arguments_are_offered_inside_their_call() {
        let (_, offered) = offers("SELECT * FROM drift((SELECT 1), sc").await;
        assert_eq!(offered, ["score => "]);
        let (_, offered) = offers("SELECT * FROM drift(predictions, ").await;
        assert_eq!(offered, ["chunk => ", "score => ", "\"Y Pred\"", "y_true"]);
        let (_, offered) = offers("SELECT * FROM drift(predictions) WHERE sc").await;
        assert_eq!(offered, Vec::<String>::new());
    }

    async fn offers(before: &str) -> (usize, Vec<String>) {
        vocabulary().await.complete(before)
    }

    #[tokio::test]
    async fn relations_follow_from() {
        let (start, offered) = offers("SELECT * FROM pre").await;
        assert_eq!(
            (start, offered),
            (
                14,
                vec!["\"Pre Views\"".to_owned(), "predictions".to_owned()]
            )
        );
        let (_, offered) = offers("SELECT * FROM gener").await;
        assert_eq!(offered, ["generate_series("]);
    }

    #[tokio::test]
    async fn columns_follow_their_table() {
        assert_eq!(
            offers("SELECT predictions.y_").await,
            (19, vec!["y_true".to_owned()])
        );
        let (_, offered) = offers("SELECT a FROM predictions WHERE y").await;
        assert_eq!(offered, ["\"Y Pred\"", "y_true"]);
        let (_, offered) = offers("SELECT \"y").await;
        assert_eq!(offered, ["\"Y Pred\"", "y_true", "year"]);
    }

    #[tokio::test]
    async fn keywords_keep_the_case_and_functions_open_a_parenthesis() {
        assert_eq!(offers("sel").await, (0, vec!["select".to_owned()]));
        assert_eq!(offers("Sel").await.1, ["SELECT"]);
        assert_eq!(offers("SELECT date_tr").await.1, ["date_trunc("]);
    }

    #[tokio::test]
    async fn settings_follow_set() {
        let (_, offered) = offers("SET datafusion.execution.batch").await;
        assert_eq!(offered, ["datafusion.execution.batch_size"]);
    }

    #[test]
    fn names_are_quoted_when_they_must() {
        let cases = [
            ("y_true", "y_true"),
            ("Y", "\"Y\""),
            ("a b", "\"a b\""),
            ("1a", "\"1a\""),
        ];
        for (name, expected) in cases {
            assert_eq!(quoted(name), expected);
        }
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted("select"), "\"select\"");
    }
}
