//! The program as others see it: exit codes, standard output, standard error.
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_modelwatch"))
}

fn run(arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn expect(output: &Output, code: i32, printed: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
    assert_eq!(stdout(output), printed);
}

/// Fails with `code`, prints nothing, and says each of `parts`.
#[track_caller]
fn expect_error(output: &Output, code: i32, parts: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert_eq!(stdout(output), "");
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

const ONE_ROW: &str = "SELECT 1 AS a, 'x;y' AS \"B c\", CAST(NULL AS INT) AS n, 0.1 + 0.2 AS f";

#[test]
fn tables_show_null() {
    let sql = "SELECT 1 AS a, 'x;y' AS \"B c\", CAST(NULL AS INT) AS n";
    let table = "+---+-----+------+\n| a | B c | n    |\n+---+-----+------+\n\
                 | 1 | x;y | NULL |\n+---+-----+------+\n";
    expect(&run(&["-c", sql]), 0, table);
}

#[test]
fn formats_for_programs_keep_every_digit() {
    let sql = ONE_ROW.replace("0.1 + 0.2", "CAST(0.1 AS DOUBLE) + CAST(0.2 AS DOUBLE)");
    let with = |format| run(&["--format", format, "-c", &sql]);
    expect(&with("csv"), 0, "a,B c,n,f\n1,x;y,,0.30000000000000004\n");
    expect(
        &with("tsv"),
        0,
        "a\tB c\tn\tf\n1\tx;y\t\t0.30000000000000004\n",
    );
    let object = "{\"a\":1,\"B c\":\"x;y\",\"n\":null,\"f\":0.30000000000000004}";
    expect(&with("ndjson"), 0, &format!("{object}\n"));
    expect(&with("json"), 0, &format!("[{object}]\n"));
}

#[test]
fn json_is_one_array_however_many_batches() {
    let sql = "SET datafusion.execution.batch_size = 3; \
               SELECT value AS v FROM generate_series(1, 10) ORDER BY v";
    let output = run(&["--format", "json", "-c", sql]);
    let parsed: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let values: Vec<_> = parsed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["v"].as_i64())
        .collect();
    assert_eq!(values, (1..=10).map(Some).collect::<Vec<_>>());
}

#[test]
fn an_empty_result_keeps_its_header() {
    let with = |format| {
        run(&[
            "--format",
            format,
            "-c",
            "SELECT 1 AS a, 2 AS b WHERE false",
        ])
    };
    expect(&with("csv"), 0, "a,b\n");
    expect(&with("json"), 0, "[]\n");
    expect(&with("ndjson"), 0, "");
    expect(
        &with("table"),
        0,
        "+---+---+\n| a | b |\n+---+---+\n+---+---+\n",
    );
}

#[test]
fn nested_values_and_repeated_names_lose_nothing() {
    let nested = "SELECT [1, NULL] AS l, named_struct('k', 'v') AS s, x'ff' AS b";
    expect(
        &run(&["--format", "csv", "-c", nested]),
        0,
        "l,s,b\n\"[1, NULL]\",{k: v},ff\n",
    );
    let twice = "SELECT t.x, u.x FROM (VALUES (1)) t(x) CROSS JOIN (VALUES (2)) u(x)";
    expect(
        &run(&["--format", "ndjson", "-c", twice]),
        0,
        "{\"x\":1,\"x_2\":2}\n",
    );
}

#[test]
fn data_cannot_steer_the_terminal() {
    let output = run(&["-c", "SELECT chr(27) || '[31mred' AS c"]);
    assert!(
        stdout(&output).contains("| \\u{1b}[31mred |"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_true_alert_is_exit_code_3_and_only_if_printed() {
    let rows = "FROM (VALUES (false), (true), (NULL)) AS t(alert)";
    let all = format!("SELECT 1 AS n, alert {rows}");
    let printed = "n,alert\n1,false\n1,true\n1,\n";
    expect(&run(&["--format", "csv", "-c", &all]), 3, printed);
    let quiet = format!("SELECT alert {rows} WHERE NOT alert");
    expect(
        &run(&["--format", "csv", "-c", &quiet]),
        0,
        "alert\nfalse\n",
    );
    let renamed = format!("SELECT alert AS fired {rows} WHERE alert");
    expect(
        &run(&["--format", "csv", "-c", &renamed]),
        0,
        "fired\ntrue\n",
    );
    let stored = format!("CREATE TABLE a AS SELECT alert {rows}; SELECT 1 AS one");
    expect(&run(&["--format", "csv", "-c", &stored]), 0, "one\n1\n");
    // an alert of an earlier statement counts, a failure counts more
    let earlier = "SELECT true AS alert; SELECT 1 AS one";
    expect(
        &run(&["--format", "ndjson", "-c", earlier]),
        3,
        "{\"alert\":true}\n{\"one\":1}\n",
    );
    assert_eq!(
        run(&["-c", "SELECT true AS alert; SELECT oops"])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn commands_and_files_run_in_the_order_given() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("two.sql"), "SELECT 2 AS n; -- done\n").unwrap();
    let arguments = [
        "--format",
        "ndjson",
        "-c",
        "SELECT 1 AS n",
        "-f",
        "two.sql",
        "-c",
        "SELECT 3 AS n",
    ];
    expect(
        &run_in(folder.path(), &arguments),
        0,
        "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n",
    );
}

#[test]
fn the_first_failure_stops_the_run_and_names_file_and_line() {
    let folder = TempDir::new().unwrap();
    let text = "SELECT 1 AS n;\n\n-- a ; comment\nSELECT ';'\n  FROM absent;\nSELECT 3 AS n;\n";
    fs::write(folder.path().join("my report.sql"), text).unwrap();
    let output = run_in(folder.path(), &["--format", "csv", "-f", "my report.sql"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "n\n1\n");
    let message = stderr(&output);
    assert!(
        message.starts_with("modelwatch: my report.sql:4: "),
        "{message}"
    );
    assert!(message.contains("absent"), "{message}");
}

#[test]
fn syntax_errors_name_the_line() {
    expect_error(
        &run(&["-c", "\n\nSELECT 1 2 3"]),
        1,
        &["modelwatch: -c:3: ", "Line: 3"],
    );
    expect_error(
        &run(&["-c", "SELECT 'open"]),
        1,
        &["-c:1: ", "Unterminated string literal"],
    );
    expect_error(&run(&["-c", "", "-c", "SELEC 1"]), 1, &["-c[2]:1: "]);
}

#[test]
fn statements_are_read_from_standard_input() {
    let mut child = program()
        .args(["--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"SELECT 1 AS n;\nSELECT oops;")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "n\n1\n");
    assert!(
        stderr(&output).starts_with("modelwatch: <stdin>:2: "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_closed_pipe_is_success() {
    let sql = "SELECT value FROM generate_series(1, 100000000)";
    let mut child = program()
        .args(["--format", "csv", "-c", sql])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 8];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    assert_eq!(&start, b"value\n1\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(0), "")
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_so() {
    let sql = "SELECT 1 AS n; SELECT count(*) FROM generate_series(1, 1000000000000)";
    let mut child = program()
        .args(["--format", "csv", "-c", sql])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 4];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert_eq!(&first, b"n\n1\n");
    // the first result is out: the second query is running, or about to
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(stderr(&output), "modelwatch: cancelled\n");
}

#[test]
fn bad_options_are_exit_code_2() {
    expect_error(&run(&["--formt", "csv"]), 2, &["--formt"]);
    expect_error(
        &run(&["--format", "xml", "-c", "SELECT 1"]),
        2,
        &["xml", "ndjson"],
    );
    expect_error(&run(&["--memory-limit", "lots"]), 2, &["lots", "500MB"]);
    expect_error(&run(&["--register", "nothing"]), 2, &["NAME=PATH"]);
    let twice = [
        "--register",
        "t=a.csv",
        "--register",
        "t=b.csv",
        "-c",
        "SELECT 1",
    ];
    expect_error(&run(&twice), 2, &["the table 't' twice"]);
    expect_error(
        &run(&["-c", "SELECT 1", "demo"]),
        2,
        &["demo takes no -c, -f or --register"],
    );
}

#[test]
fn help_and_version_are_not_errors() {
    let help = stdout(&run(&["--help"]));
    for part in ["--register", "--memory-limit", "Exit codes", "demo"] {
        assert!(help.contains(part), "{help}");
    }
    let version = concat!("modelwatch ", env!("CARGO_PKG_VERSION"), "\n");
    expect(&run(&["--version"]), 0, version);
}

#[test]
fn a_missing_script_is_named() {
    expect_error(
        &run(&["-f", "absent.sql"]),
        1,
        &["modelwatch: absent.sql: "],
    );
}

#[test]
fn a_memory_limit_is_an_error_and_not_a_crash() {
    let sql = "SELECT array_agg(value) FROM generate_series(1, 1000000)";
    expect_error(
        &run(&["--memory-limit", "1MB", "-c", sql]),
        1,
        &["-c:1: ", "Resources exhausted"],
    );
}

/// The hint is about profiles, so it stands where they ran out of memory and nowhere else.
#[test]
fn running_out_of_memory_over_profiles_says_what_makes_them_smaller() {
    let rows = "CREATE VIEW rows AS SELECT value AS c, sin(value) / 2 + 0.5 AS y_pred_proba, \
                value % 3 = 0 AS y_true FROM generate_series(1, 200000)";
    let hint = ["max_bins", "a longer chunk", "fewer columns in by"];
    for query in [
        "SELECT count(profile) FROM profiles(rows, chunk => c % 50)",
        "SELECT avg(value) FROM estimate_performance(rows, rows, chunk => c % 50)",
        "CREATE TABLE stored AS SELECT * FROM profiles(rows, chunk => c % 50)",
        "CREATE VIEW saved AS SELECT * FROM profiles(rows, chunk => c % 50); SELECT count(profile) FROM saved",
    ] {
        for (limit, enough) in [("2MB", false), ("1GB", true)] {
            let sql = format!("{rows}; {query}");
            let output = run(&["--memory-limit", limit, "-c", &sql]);
            if enough {
                assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
                continue;
            }
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{query}: {message}");
            for part in ["Resources exhausted"].iter().chain(&hint) {
                assert!(message.contains(part), "'{part}' is not in: {message}");
            }
        }
    }
    let sql = "SELECT array_agg(value) FROM generate_series(1, 1000000)";
    let output = run(&["--memory-limit", "1MB", "-c", sql]);
    assert!(!stderr(&output).contains("max_bins"), "{}", stderr(&output));
}

#[test]
fn settings_are_checked() {
    let sql = "SET monitor.max_bins = 64; SHOW monitor.max_bins";
    expect(
        &run(&["--format", "csv", "-c", sql]),
        0,
        "name,value\nmonitor.max_bins,64\n",
    );
    let parts = [
        "-c:1: ",
        "'many'",
        "16 to 1048576",
        "SET monitor.max_bins = 6144",
    ];
    expect_error(&run(&["-c", "SET monitor.max_bins = 'many'"]), 1, &parts);
    let parts = ["'max_bin'", "Did you mean 'max_bins'?"];
    expect_error(&run(&["-c", "SET monitor.max_bin = 64"]), 1, &parts);
}

#[test]
fn a_long_table_is_printed_as_it_comes() {
    let sql = "SELECT value AS v, 'x' AS s FROM generate_series(1, 100000000)";
    let mut child = program()
        .args(["--memory-limit", "100MB", "-c", sql])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 48];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let start = String::from_utf8_lossy(&start).into_owned();
    assert!(start.starts_with("+------+---+\n| v    | s |\n"), "{start}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sql = "SELECT value AS v, value = 3000 AS alert FROM generate_series(1, 3000) ORDER BY v";
    let output = run(&["-c", sql]);
    assert_eq!(output.status.code(), Some(3));
    let printed = stdout(&output);
    assert_eq!(printed.lines().count(), 3004);
    assert!(
        printed.ends_with("| 3000 | true  |\n+------+-------+\n"),
        "{printed}"
    );
}

#[test]
fn nested_nulls_are_empty_fields() {
    let sql = "SELECT CASE WHEN value = 1 THEN named_struct('k', 1) END AS s, CASE WHEN value = 1 THEN [1] END AS l, \
               value AS v FROM generate_series(1, 2) ORDER BY v";
    expect(
        &run(&["--format", "csv", "-c", sql]),
        0,
        "s,l,v\n{k: 1},[1],1\n,,2\n",
    );
}

#[test]
fn texts_that_are_nearly_sql_are_understood() {
    expect(&run(&["-c", "-- only a comment"]), 0, "");
    let folder = TempDir::new().unwrap();
    let text = "\u{feff}SELECT 1 AS n;\n";
    fs::write(folder.path().join("bom.sql"), text).unwrap();
    let printed = run_in(folder.path(), &["--format", "csv", "-f", "bom.sql"]);
    expect(&printed, 0, "n\n1\n");
    let parts = ["-c:1: ", "\\d is a command of the prompt", "SHOW TABLES"];
    expect_error(&run(&["-c", "\\d"]), 1, &parts);
    let sql = "SELECT * FROM profiles(t, order_by => timestamp desc)";
    expect_error(&run(&["-c", sql]), 1, &["found: desc", "order_by => -id"]);
}

#[test]
fn help_needs_no_prompt() {
    let list = run(&["-c", "\\h"]);
    let printed = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.status.success() && printed.contains("diagnose"));
    for name in ["diagnose", "false_alarm_rate"] {
        let help = run(&["-c", &format!("\\h {name};")]);
        let printed = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(help.status.success() && printed.contains(name), "{printed}");
    }
    expect_error(&run(&["-c", "\\h diagnos"]), 1, &["-c: ", "diagnose"]);
}

#[test]
fn refused_arguments_are_told_once() {
    let cases = [
        (
            "SELECT roc_auc(1)",
            "roc_auc: 1 arguments given. Expected roc_auc(label, score[, max_bins])",
        ),
        (
            "SELECT roc_auc(1, 'x')",
            "roc_auc: argument 'score' has type Utf8. Expected a number",
        ),
    ];
    for (sql, message) in cases {
        let output = run(&["-c", sql]);
        let expected = format!("modelwatch: -c:1: Error during planning: {message}\n");
        assert_eq!(stderr(&output), expected);
    }
}
