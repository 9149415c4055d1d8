//! Every `sql` block of README.md runs, in order, in one session; a `text` block after it is its output.
//!
//! `BLESS=1` writes the output into the README; read the difference before committing it.
use std::path::Path;

use datafusion::arrow::util::display::FormatOptions;
use datafusion::arrow::util::pretty::pretty_format_batches_with_options;
use datafusion::prelude::{SessionConfig, SessionContext};
use modelwatch::kernel::reading::Status;
use modelwatch::options::MonitorOptions;

/// A fenced block: its language and the lines between the fences, by index.
struct Block {
    language: String,
    first: usize,
    end: usize,
}

fn blocks(lines: &[&str]) -> Vec<Block> {
    let mut found = vec![];
    let mut open: Option<(String, usize)> = None;
    for (i, line) in lines.iter().enumerate() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        match open.take() {
            None => open = Some((language.trim().to_string(), i + 1)),
            Some((language, first)) => found.push(Block {
                language,
                first,
                end: i,
            }),
        }
    }
    assert!(open.is_none(), "README.md: a block is not closed");
    found
}

/// Statements end with a semicolon at the end of a line.
fn statements(sql: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in sql.lines() {
        let last = found.last_mut().expect("never empty");
        last.push_str(line);
        last.push('\n');
        if line.trim_end().ends_with(';') {
            found.push(String::new());
        }
    }
    found.retain(|statement| !statement.trim().is_empty());
    found
}

/// Output of the last statement.
async fn run(session: &SessionContext, sql: &str) -> Result<String, String> {
    let mut output = String::new();
    for statement in statements(sql) {
        let frame = session
            .sql(&statement)
            .await
            .map_err(|e| format!("{e}\nin: {statement}"))?;
        let batches = frame
            .collect()
            .await
            .map_err(|e| format!("{e}\nin: {statement}"))?;
        // as the program prints it
        let options = FormatOptions::default().with_null("NULL");
        output = pretty_format_batches_with_options(&batches, &options)
            .map_err(|e| e.to_string())?
            .to_string();
    }
    Ok(output)
}

/// The README with every output as the engine gives it.
async fn executed(text: &str) -> Result<(String, usize), String> {
    let config = SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(2)
        .with_option_extension(MonitorOptions::default());
    let session = SessionContext::new_with_config(config);
    modelwatch::register_all(&session).map_err(|e| e.to_string())?;
    let lines: Vec<&str> = text.lines().collect();
    let blocks = blocks(&lines);
    let (mut written, mut at, mut outputs) = (vec![], 0, 0);
    for (i, block) in blocks.iter().enumerate() {
        if block.language != "sql" {
            continue;
        }
        let output = run(&session, &lines[block.first..block.end].join("\n")).await?;
        // nothing but blank lines between a statement and its output
        let answer = blocks.get(i + 1).filter(|next| {
            let between = &lines[block.end + 1..next.first - 1];
            next.language == "text" && between.iter().all(|line| line.trim().is_empty())
        });
        if let Some(answer) = answer {
            written.extend(lines[at..answer.first].iter().map(ToString::to_string));
            written.extend(output.lines().map(str::to_string));
            at = answer.end;
            outputs += 1;
        }
    }
    written.extend(lines[at..].iter().map(ToString::to_string));
    Ok((written.join("\n") + "\n", outputs))
}

#[tokio::test]
async fn every_statement_of_the_readme_runs_and_says_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).expect("README.md");
    let (written, outputs) = executed(&text).await.unwrap_or_else(|e| panic!("{e}"));
    assert!(outputs > 0, "README.md shows no output");
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(&path, written).expect("README.md can be written");
    }
    for (i, (found, wanted)) in written.lines().zip(text.lines()).enumerate() {
        assert_eq!(
            found,
            wanted,
            "README.md line {}: BLESS=1 rewrites it",
            i + 1
        );
    }
    assert_eq!(written, text);
}

/// One row of the table for each status, in the order of gravity.
#[test]
fn every_status_is_explained() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).expect("README.md");
    let (_, table) = text
        .split_once("| `status` | meaning |")
        .expect("a table of statuses");
    let listed: Vec<&str> = table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(listed, Status::ALL.map(Status::name));
}
