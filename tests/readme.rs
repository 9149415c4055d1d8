//! The README is true: each SQL block runs, in order, in one session, and gives the text block that follows it.
//!
//! `BLESS=1` rewrites the text blocks; read the change before it is committed.
use std::fmt::Write;
use std::path::PathBuf;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::DFParser;
use modelwatch::session::SessionSettings;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// What the README is made of.
enum Part {
    Prose(String),
    Sql(String),
    Output(String),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = vec![];
    let mut rest = text;
    while let Some(start) = rest.find("```") {
        let (prose, fenced) = rest.split_at(start);
        let end = fenced[3..].find("\n```").expect("a closing fence") + 3;
        let (block, after) = fenced.split_at(end + 4);
        let (language, body) = block[3..].split_once('\n').expect("a block");
        let body = body
            .strip_suffix("```")
            .expect("a closed block")
            .to_string();
        // output is the text that comes right after SQL; any other block is prose
        let follows_sql = matches!(parts.last(), Some(Part::Sql(_))) && prose.trim().is_empty();
        match language {
            "sql" => parts.extend([Part::Prose(prose.into()), Part::Sql(body)]),
            "text" if follows_sql => parts.push(Part::Output(body)),
            _ => parts.push(Part::Prose(format!("{prose}{block}"))),
        }
        rest = after;
    }
    parts.push(Part::Prose(rest.into()));
    parts
}

async fn run(ctx: &SessionContext, sql: &str) -> String {
    let mut shown = String::new();
    for statement in DFParser::parse_sql(sql).unwrap_or_else(|e| panic!("{sql}\n{e}")) {
        let frame = ctx
            .sql(&statement.to_string())
            .await
            .unwrap_or_else(|e| panic!("{sql}\n{e}"));
        let batches = frame
            .collect()
            .await
            .unwrap_or_else(|e| panic!("{sql}\n{e}"));
        if batches
            .iter()
            .any(|batch| batch.num_columns() > 1 || batch.num_rows() > 1)
        {
            let table = pretty_format_batches(&batches).expect("a printable result");
            writeln!(shown, "{table}").expect("written");
        }
    }
    shown
}

#[tokio::test]
async fn every_sql_block_runs_and_shows_what_follows_it() {
    let text = std::fs::read_to_string(path()).expect("a README");
    let ctx = SessionSettings::default().open().expect("a session");
    let (mut shown, mut written, mut checked) = (String::new(), String::new(), 0);
    for part in parts(&text) {
        match part {
            Part::Prose(prose) => written.push_str(&prose),
            Part::Sql(sql) => {
                shown = run(&ctx, &sql).await;
                write!(written, "```sql\n{sql}```").expect("written");
            }
            Part::Output(output) => {
                checked += 1;
                write!(written, "\n\n```text\n{shown}```").expect("written");
                if std::env::var_os("BLESS").is_none() {
                    assert_eq!(
                        output, shown,
                        "the output in the README is stale; BLESS=1 rewrites it"
                    );
                }
            }
        }
    }
    assert!(checked >= 4, "the README shows the results of its SQL");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path(), written).expect("rewritten");
    }
}

#[test]
fn the_readme_names_every_function() {
    let text = std::fs::read_to_string(path()).expect("a README");
    let aggregates = modelwatch::functions::all_aggregates().expect("a registry");
    let scalars = modelwatch::functions::all_scalars().expect("a registry");
    let names = aggregates.iter().map(|f| f.name().to_string());
    let names = names.chain(scalars.iter().map(|f| f.name().to_string()));
    let relations = modelwatch::relation::all()
        .iter()
        .map(|r| r.name.to_string());
    for name in names.chain(relations) {
        assert!(
            text.contains(&format!("`{name}")),
            "README.md does not name {name}"
        );
    }
}
