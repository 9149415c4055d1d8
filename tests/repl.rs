//! The prompt, through a terminal.
#![cfg(unix)]
use std::fs;
use std::path::Path;
use std::process::Command;

use rexpect::process::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

/// More than any answer takes on a busy machine.
const PATIENCE: u64 = 60_000;

const PROMPT: &str = "modelwatch> ";

fn open_in(folder: &Path, arguments: &[&str]) -> PtySession {
    let mut command = Command::new(env!("CARGO_BIN_EXE_modelwatch"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("TERM", "xterm")
        .env("XDG_STATE_HOME", folder.join("state"));
    let mut session = spawn_command(command, Some(PATIENCE)).unwrap();
    session.exp_string(PROMPT).unwrap();
    session
}

fn leave(mut session: PtySession) {
    session.send_line("\\q").unwrap();
    session.exp_eof().unwrap();
    let status = session.process().wait().unwrap();
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
}

/// Types a line, waits for each of `parts` of the answer, and for the next prompt.
///
/// The editor draws its prompt anew with every key, so that what precedes the answer says nothing.
#[track_caller]
fn ask(session: &mut PtySession, line: &str, parts: &[&str]) {
    session.send_line(line).unwrap();
    for part in parts {
        if let Err(error) = session.exp_string(part) {
            panic!("no '{part}' after '{line}': {error}");
        }
    }
    session.exp_string(PROMPT).unwrap();
}

#[test]
fn a_statement_may_span_lines() {
    let folder = TempDir::new().unwrap();
    let mut session = open_in(folder.path(), &[]);
    session.send_line("SELECT ';' AS a,").unwrap();
    session.send_line("  40 + 2 AS b").unwrap();
    ask(&mut session, ";", &["| a | b  |", "| ; | 42 |", "(1 row, "]);
    ask(
        &mut session,
        "SELECT 7 AS x; SELECT 8 AS y;",
        &["| x |", "(1 row, ", "| y |", "(1 row, "],
    );
    leave(session);
}

#[test]
fn words_of_other_programs_are_understood() {
    let folder = TempDir::new().unwrap();
    for word in ["exit", "QUIT;"] {
        let mut session = open_in(folder.path(), &[]);
        ask(&mut session, "help", &["Statements end with a semicolon"]);
        session.send_line(word).unwrap();
        session.exp_eof().unwrap();
    }
}

#[test]
fn an_error_is_told_and_the_prompt_goes_on() {
    let folder = TempDir::new().unwrap();
    let mut session = open_in(folder.path(), &[]);
    ask(
        &mut session,
        "SELECT oops;",
        &["error: ", "No field named oops"],
    );
    ask(&mut session, "SELEC 1;", &["error: ", "SELEC"]);
    ask(
        &mut session,
        "\\i absent.sql",
        &["absent.sql: No such file"],
    );
    ask(&mut session, "\\x", &["there is no command '\\x'"]);
    ask(&mut session, "SELECT 6 * 7 AS n;", &["| 42 |"]);
    leave(session);
}

#[test]
fn tab_completes_names_and_keywords() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.csv"), "y_true,Y Pred\n1,2\n").unwrap();
    let arguments = [
        "--register",
        "predictions=a.csv",
        "--register",
        "My Table=a.csv",
    ];
    let mut session = open_in(folder.path(), &arguments);
    ask(
        &mut session,
        "sel\t y_t\t from predic\t;",
        &["| y_true |", "| 1      |"],
    );
    ask(
        &mut session,
        "select count(*) as n from My\t;",
        &["| n |", "| 1 |"],
    );
    ask(
        &mut session,
        "select date_tr\t'year', timestamp '2026-05-01') as d;",
        &["2026-01-01T00"],
    );
    ask(
        &mut session,
        "select estimate_per\t;",
        &["estimate_performance("],
    );
    ask(&mut session, "\\d predic\t", &["| y_true "]);
    ask(
        &mut session,
        "set monitor.max\t = 99; show monitor.max_b\t;",
        &["| 99 "],
    );
    leave(session);
}

#[test]
fn tables_and_columns_are_described() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.csv"), "y_true\n1\n").unwrap();
    let names = ["My Table", "a.b", "UPPER", "q\"x", "plain"];
    let register: Vec<_> = names.iter().map(|name| format!("{name}=a.csv")).collect();
    let arguments: Vec<_> = register
        .iter()
        .flat_map(|r| ["--register", r.as_str()])
        .collect();
    let mut session = open_in(folder.path(), &arguments);
    ask(
        &mut session,
        "\\d",
        &["My Table", "UPPER", "a.b", "plain", "q\"x"],
    );
    for name in names {
        ask(
            &mut session,
            &format!("\\d {name}"),
            &["| y_true      | Int64     | YES "],
        );
    }
    ask(&mut session, "\\d \"My Table\"", &["| y_true "]);
    ask(&mut session, "\\d absent", &["error: ", "absent"]);
    leave(session);
}

#[test]
fn functions_are_explained() {
    let folder = TempDir::new().unwrap();
    let mut session = open_in(folder.path(), &[]);
    let list = [
        "Functions for monitoring",
        "estimate_performance",
        "roc_auc",
        "Words of their arguments",
        "Built-in aggregate",
    ];
    ask(&mut session, "\\h", &list);
    let relation = [
        "estimate_performance(reference, analysis",
        "Arguments",
        "Names: roc_auc, average_precision",
        "Result columns",
        "few_reference_chunks",
        "Example",
        "SELECT",
    ];
    ask(&mut session, "\\h estimate_performance", &relation);
    ask(&mut session, "\\h rows", &["chunk => rows(n)", "Example"]);
    let both = ["(aggregate function)", "thresholds => stddev(k)"];
    ask(&mut session, "\\h stddev", &both);
    ask(
        &mut session,
        "\\h roc_auc",
        &["(aggregate function)", "Arguments", "Example", "SELECT"],
    );
    ask(&mut session, "\\h roc_auk", &["Did you mean roc_auc?"]);
    ask(&mut session, "\\?", &["\\pset format", "Ctrl-D"]);
    leave(session);
}

#[test]
fn ctrl_c_cancels_the_query_and_not_the_program() {
    let folder = TempDir::new().unwrap();
    let mut session = open_in(folder.path(), &[]);
    for _ in 0..2 {
        session
            .send_line("SELECT count(*) FROM generate_series(1, 1000000000000);")
            .unwrap();
        session.exp_string("rows read").unwrap();
        session.send_control('c').unwrap();
        session.exp_string("cancelled").unwrap();
        session.exp_string(PROMPT).unwrap();
    }
    // at the prompt it takes back what was typed
    session.send("SELECT 'unfinished").unwrap();
    session.flush().unwrap();
    session.exp_string("unfinished").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("\r\n").unwrap();
    session.exp_string(PROMPT).unwrap();
    ask(&mut session, "SELECT 6 * 7 AS n;", &["| 42 |"]);
    leave(session);
}

#[test]
fn scripts_and_formats_can_be_switched() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("two words.sql"),
        "SELECT 1 AS n;\nSELECT absent;\n",
    )
    .unwrap();
    let mut session = open_in(folder.path(), &["--format", "ndjson"]);
    ask(&mut session, "SELECT 5 AS n;", &["{\"n\":5}"]);
    ask(&mut session, "\\pset format csv", &[]);
    ask(
        &mut session,
        "\\i two words.sql",
        &["n\r\n1\r\n", "two words.sql:2: "],
    );
    ask(
        &mut session,
        "\\pset format xml",
        &["expected \\pset format table"],
    );
    leave(session);
}

#[test]
fn long_tables_are_cut_on_the_screen() {
    let folder = TempDir::new().unwrap();
    let mut session = open_in(folder.path(), &[]);
    let sql = "SELECT value AS v FROM generate_series(1, 2500) ORDER BY v;";
    ask(
        &mut session,
        sql,
        &["| 1000 |", "(2500 rows, ", "The first 1000 are shown"],
    );
    leave(session);
}

#[test]
fn history_is_kept_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let mut session = open_in(folder.path(), &[]);
    ask(&mut session, "SELECT 40 + 1 AS n;", &["| 41 |"]);
    leave(session);
    let file = folder.path().join("state/modelwatch/history");
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("SELECT 40 + 1 AS n;")
    );
    let folder_mode = fs::metadata(file.parent().unwrap())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(folder_mode & 0o777, 0o700);
    let mut session = open_in(folder.path(), &[]);
    // twice up, past \q
    session.send("\u{1b}[A\u{1b}[A").unwrap();
    ask(&mut session, "", &["| 41 |"]);
    leave(session);
}

#[test]
fn a_prompt_works_without_a_home() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_modelwatch"));
    command.current_dir(folder.path()).env("TERM", "xterm");
    command.env_remove("HOME").env_remove("XDG_STATE_HOME");
    let mut session = spawn_command(command, Some(PATIENCE)).unwrap();
    session.exp_string(PROMPT).unwrap();
    ask(&mut session, "SELECT 6 * 7 AS n;", &["| 42 |"]);
    leave(session);
}
