//! Files as tables, and what files can do to a program; and the demo.
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_modelwatch"))
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

/// The only value of `SELECT expression FROM table` over what `register` names.
#[track_caller]
fn answer(folder: &Path, register: &str, sql: &str) -> String {
    let output = run_in(
        folder,
        &["--register", register, "--format", "csv", "-c", sql],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
        .lines()
        .nth(1)
        .unwrap_or_default()
        .to_owned()
}

#[track_caller]
fn refusal(folder: &Path, register: &str) -> String {
    let output = run_in(folder, &["--register", register, "-c", "SELECT 1"]);
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(1), "")
    );
    stderr(&output)
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

#[test]
fn every_format_is_registered() {
    let folder = folder_with(&[
        ("a.csv", "n,s\n1,x\n2,y\n"),
        ("b.tsv", "n\ts\n3\tx\n"),
        ("c.json", "{\"n\":4}\n"),
        ("d.ndjson", "{\"n\":5}\n"),
        ("e.json", "\n [{\"n\":6},\n{\"n\":7}]\n"),
    ]);
    let cases = [
        ("t=a.csv", "3"),
        ("t=b.tsv", "3"),
        ("t=c.json", "4"),
        ("t=d.ndjson", "5"),
        ("t=e.json", "13"),
    ];
    for (register, sum) in cases {
        assert_eq!(
            answer(folder.path(), register, "SELECT sum(n) FROM t"),
            sum,
            "{register}"
        );
    }
    let copy = "COPY (SELECT 6 AS n) TO 'e.parquet'";
    assert_eq!(run_in(folder.path(), &["-c", copy]).status.code(), Some(0));
    assert_eq!(
        answer(folder.path(), "t=e.parquet", "SELECT sum(n) FROM t"),
        "6"
    );
    assert_eq!(
        answer(folder.path(), "t=a.csv", "SELECT sum(n) FROM 'e.parquet'"),
        "6"
    );
}

#[test]
fn folders_patterns_and_hive_partitions_are_registered() {
    let folder = folder_with(&[
        ("data/a.csv", "n\n1\n"),
        ("data/b.csv", "n\n2\n"),
        ("data/README", "not a table"),
        ("hive/day=2026-01-01/a.csv", "n\n3\n"),
        ("hive/day=2026-01-02/a.csv", "n\n4\n"),
    ]);
    assert_eq!(answer(folder.path(), "t=data", "SELECT sum(n) FROM t"), "3");
    assert_eq!(
        answer(folder.path(), "t=data/", "SELECT sum(n) FROM t"),
        "3"
    );
    assert_eq!(
        answer(folder.path(), "t=data/b*.csv", "SELECT sum(n) FROM t"),
        "2"
    );
    let day = "SELECT sum(n) FROM t WHERE day = '2026-01-02'";
    assert_eq!(answer(folder.path(), "t=hive", day), "4");
}

#[test]
fn a_pattern_may_have_variable_folders() {
    let mut files = vec![("hive/README".to_owned(), "not a table".to_owned())];
    for (month, day, n) in [
        ("2024-01", 1, 1),
        ("2024-01", 2, 2),
        ("2024-02", 1, 4),
        ("2025-02", 1, 8),
    ] {
        let file = format!("hive/month={month}/day={day}/a.csv");
        files.push((file, format!("n\n{n}\n")));
        files.push((format!("plain/{month}/{day}/a.csv"), format!("n\n{n}\n")));
    }
    files.push(("odd/k=a b%20c/a.csv".to_owned(), "n\n16\n".to_owned()));
    let files: Vec<_> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let folder = folder_with(&files);
    let sum = "SELECT sum(n) FROM t";
    for (pattern, expected) in [
        ("hive/*/*/*.csv", "15"),
        ("hive/*/*/a.csv", "15"),
        ("hive/**/*.csv", "15"),
        ("hive/month=2024-01/*/*.csv", "3"),
        ("hive/month=2024-0*", "7"),
        ("hive/month=2024-0*/", "7"),
        ("hive/month=2024-0[2-9]/day=1", "4"),
        ("hive/*/day=1/", "13"),
        ("hive/*/", "15"),
        ("./hive/*/*/", "15"),
        ("hive/month=*/day=2/*", "2"),
        ("plain/*/1/*.csv", "13"),
        ("plain/2024-*/*", "7"),
        ("plain/*/*/", "15"),
        ("plain/**/*.csv", "15"),
        ("*/2024-??/1/a.csv", "5"),
        ("odd/k=a*/", "16"),
    ] {
        let found = answer(folder.path(), &format!("t={pattern}"), sum);
        assert_eq!(found, expected, "{pattern}");
    }
    // folders of the pattern are columns, as below a directory
    let days = "SELECT min(month) || min(day) || max(month) FROM t";
    for pattern in ["hive/*/*/*.csv", "hive/*/", "hive/month=202*"] {
        let found = answer(folder.path(), &format!("t={pattern}"), days);
        assert_eq!(found, "2024-0112025-02", "{pattern}");
    }
    assert_eq!(
        answer(folder.path(), "t=odd/k=*/", "SELECT k FROM t"),
        "a b c"
    );
    let message = refusal(folder.path(), "t=hive/month=2023-*/");
    assert!(
        message.contains("no file found at 'hive/month=2023-*/'"),
        "{message}"
    );
    for broken in ["t=hive/[/a.csv", "t=hive/["] {
        let message = refusal(folder.path(), broken);
        assert!(message.contains("'[' is not a pattern"), "{message}");
    }
    let message = refusal(folder.path(), "t=*/*/*/a.csv");
    assert!(
        message.contains("the partitions (month, day) and ()"),
        "{message}"
    );
}

#[test]
fn an_ending_may_be_in_upper_case() {
    let folder = folder_with(&[
        ("A.CSV", "n\n1\n"),
        ("b/B.JSON", "[{\"n\":2}]"),
        ("b/x.txt", "x"),
    ]);
    assert_eq!(answer(folder.path(), "t=A.CSV", "SELECT n FROM t"), "1");
    assert_eq!(answer(folder.path(), "t=b", "SELECT n FROM t"), "2");
    let copy = "COPY (SELECT 6 AS n) TO 'e.parquet'";
    assert_eq!(run_in(folder.path(), &["-c", copy]).status.code(), Some(0));
    fs::rename(
        folder.path().join("e.parquet"),
        folder.path().join("E.PARQUET"),
    )
    .unwrap();
    assert_eq!(answer(folder.path(), "t=E.PARQUET", "SELECT n FROM t"), "6");
    assert_eq!(
        answer(folder.path(), "t=A.CSV", "SELECT n FROM 'E.PARQUET'"),
        "6"
    );
}

#[test]
fn hostile_file_names_are_only_names() {
    let names = [
        "a b.csv",
        "it's.csv",
        "a\"b.csv",
        "a[1].csv",
        "what?.csv",
        "a*b.csv",
        "100%.csv",
        "a%20b.csv",
        "a#b.csv",
        "a=b.csv",
        "a;DROP TABLE t.csv",
        "ü 測試.csv",
        "-c.csv",
        "file:a.csv",
        "$HOME.csv",
    ];
    for (i, name) in names.iter().enumerate() {
        let folder = folder_with(&[(name, &format!("n\n{i}\n")), ("ab.csv", "n\n-1\n")]);
        let register = format!("t={name}");
        let sum = answer(folder.path(), &register, "SELECT sum(n) FROM t");
        assert_eq!(sum, i.to_string(), "{name}");
    }
}

#[test]
fn hostile_table_names_are_taken_as_they_stand() {
    let folder = folder_with(&[("a.csv", "n\n7\n")]);
    let cases = [
        ("My Table", "\"My Table\""),
        ("a.b.c", "\"a.b.c\""),
        ("UPPER", "\"UPPER\""),
        ("quo\"te", "\"quo\"\"te\""),
        ("it's", "\"it's\""),
        ("select", "\"select\""),
        ("plain", "Plain"),
        ("; DROP TABLE x; --", "\"; DROP TABLE x; --\""),
    ];
    for (name, quoted) in cases {
        let sql = format!("SELECT sum(n) FROM {quoted}");
        assert_eq!(
            answer(folder.path(), &format!("{name}=a.csv"), &sql),
            "7",
            "{name}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    let folder = folder_with(&[
        ("broken.parquet", "this is not Parquet"),
        ("short.parquet", "PAR1"),
        ("empty.parquet", ""),
        ("empty.csv", ""),
        ("empty.json", ""),
        ("image.png", "x"),
        ("mixed/a.csv", "n\n1\n"),
        ("mixed/b.json", "{}"),
        ("nothing/.keep", ""),
    ]);
    fs::remove_file(folder.path().join("nothing/.keep")).unwrap();
    let cases = [
        ("t=absent.parquet", "no file found at 'absent.parquet'"),
        ("t=absent/*.csv", "no file found at 'absent/*.csv'"),
        ("t=nothing", "no file found at 'nothing'"),
        ("t=broken.parquet", "cannot read 'broken.parquet'"),
        ("t=short.parquet", "cannot read 'short.parquet'"),
        ("t=empty.parquet", "cannot read 'empty.parquet'"),
        ("t=empty.csv", "cannot read 'empty.csv'"),
        ("t=empty.json", "cannot read 'empty.json'"),
        ("t=image.png", "'image.png' has none of the endings"),
        ("t=mixed", "several formats (csv, json)"),
        ("t=s3://bucket/a.parquet", "s3://bucket"),
    ];
    for (register, part) in cases {
        let message = refusal(folder.path(), register);
        assert!(
            message.starts_with("modelwatch: --register t: "),
            "{message}"
        );
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

#[test]
fn a_relation_argument_that_is_no_relation_is_named() {
    let folder = folder_with(&[
        ("empty.parquet", ""),
        ("some.csv", "y_pred_proba,y_true\n0.5,1\n"),
    ]);
    for (analysis, parts) in [
        (
            "'empty.parquet'",
            [
                "`'empty.parquet'`, which has no columns",
                "an empty file has none",
            ],
        ),
        (
            "'absent.csv'",
            ["`absent.csv`", "no table, view, CTE or file of this name"],
        ),
        (
            "'somecsv'",
            ["`somecsv`", "Hint: analysis => (SELECT * FROM ...)"],
        ),
    ] {
        let sql =
            format!("SELECT * FROM estimate_performance('some.csv', {analysis}, chunk => y_true)");
        let output = run_in(folder.path(), &["-c", &sql]);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        for part in ["estimate_performance: argument 'analysis' is "]
            .iter()
            .chain(&parts)
        {
            assert!(message.contains(part), "'{part}' is not in: {message}");
        }
    }
}

#[test]
fn a_file_that_breaks_off_half_way_is_an_error() {
    let folder = TempDir::new().unwrap();
    let make = "COPY (SELECT value AS n FROM generate_series(1, 100000)) TO 'whole.parquet'";
    assert_eq!(run_in(folder.path(), &["-c", make]).status.code(), Some(0));
    let mut bytes = fs::read(folder.path().join("whole.parquet")).unwrap();
    // the footer is whole, and the pages it points to are not
    let half = bytes.len() / 2;
    bytes[4..half].fill(0xff);
    fs::write(folder.path().join("torn.parquet"), bytes).unwrap();
    let output = run_in(folder.path(), &["-c", "SELECT sum(n) FROM 'torn.parquet'"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(
        stderr(&output).starts_with("modelwatch: -c:1: "),
        "{}",
        stderr(&output)
    );
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}

#[test]
fn the_demo_is_the_same_everywhere_and_can_be_repeated() {
    let folder = TempDir::new().unwrap();
    let first = run_in(folder.path(), &["demo", "my demo"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let printed = stdout(&first);
    for part in ["roc_auc", "ALERT", "2024-08", "cd 'my demo'"] {
        assert!(printed.contains(part), "'{part}' is not in: {printed}");
    }
    let demo = folder.path().join("my demo");
    let checksum = |name: &str| crc32fast::hash(&fs::read(demo.join(name)).unwrap());
    let checksums = [checksum("reference.parquet"), checksum("analysis.parquet")];
    assert_eq!(checksums, [3_603_420_345, 1_102_970_216]);
    let again = run_in(folder.path(), &["demo", "my demo"]);
    assert_eq!(stdout(&again), printed);
    assert!(stderr(&again).contains("found in"), "{}", stderr(&again));
    // the report runs as it is, in the folder of the demo, and tells that there are alerts
    let report = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/estimate_performance.sql");
    let rows = run_in(&demo, &["-f", report, "--format", "csv"]);
    assert_eq!(rows.status.code(), Some(3), "{}", stderr(&rows));
    // 12 + 18 months and three metrics, and the header
    assert_eq!(stdout(&rows).lines().count(), 91);
    readme_shows_what_the_other_reports_print(&demo);
}

/// The README shows the first tables of each.
#[track_caller]
fn readme_shows_what_the_other_reports_print(demo: &Path) {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for (name, shown) in [
        ("drift.sql", 1),
        ("data_quality.sql", 1),
        ("custom_metric.sql", 1),
        ("performance_degradation.sql", 1),
        ("business_failure.sql", 2),
        ("training_serving_skew.sql", 1),
    ] {
        let shipped = format!("{}/sql/{name}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            fs::read(&shipped).unwrap(),
            fs::read(demo.join(name)).unwrap()
        );
        let rows = run_in(demo, &["-f", name]);
        assert_eq!(rows.status.code(), Some(3), "{}", stderr(&rows));
        let printed = stdout(&rows);
        let tables = tables(&printed);
        assert!(tables.len() >= shown, "{printed}");
        for table in &tables[..shown] {
            assert!(
                readme.contains(table),
                "README.md does not show what {name} prints:\n{table}"
            );
        }
    }
}

/// The tables of an output, each from the border above its header to the one below its rows.
fn tables(printed: &str) -> Vec<String> {
    let lines: Vec<&str> = printed.lines().collect();
    let borders: Vec<usize> = (0..lines.len())
        .filter(|&at| lines[at].starts_with("+-"))
        .collect();
    borders
        .chunks(3)
        .map(|of_table| lines[of_table[0]..=of_table[of_table.len() - 1]].join("\n"))
        .collect()
}

#[test]
fn the_demo_replaces_nobodys_files() {
    let folder = folder_with(&[("mine/analysis.parquet", "precious")]);
    let output = run_in(folder.path(), &["demo", "mine"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("is not of this demo"),
        "{}",
        stderr(&output)
    );
    let kept = fs::read_to_string(folder.path().join("mine/analysis.parquet")).unwrap();
    assert_eq!(kept, "precious");
    let file = folder_with(&[("file", "x")]);
    let output = run_in(file.path(), &["demo", "file"]);
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "file is a file. Expected a directory",
        "modelwatch demo NEW_DIRECTORY",
    ] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}
