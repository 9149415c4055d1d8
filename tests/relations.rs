//! Laws of the table functions: a result is a function of the rows, however they are stored, split or filtered.
#[path = "relation_laws/columns.rs"]
mod columns;
#[path = "relation_laws/custom_metric.rs"]
mod custom_metric;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::datasource::MemTable;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use modelwatch::options::MonitorOptions;
use modelwatch::register_all;

const DAY: i64 = 86_400_000_000;
const START_2024: i64 = 19_723 * DAY;
const CALL: &str = "estimate_performance(reference => reference, analysis => analysis, by => country, \
                    chunk => INTERVAL '1 month', as_of => '2024-07-20', value_matrix => [0, -10, -50, 100])";
const KEYS: &str = "ORDER BY country, dataset, chunk_index, metric";

fn session(config: SessionConfig) -> SessionContext {
    let ctx =
        SessionContext::new_with_config(config.with_option_extension(MonitorOptions::default()));
    register_all(&ctx).expect("registered");
    ctx
}

/// Rows with NULLs, three countries of unequal size (one absent from the reference) and a shift in June.
fn rows(first: i64, n: i64, dataset: &str) -> RecordBatch {
    let mixed = |i: i64, salt: u64| {
        let mut x = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ salt.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 29)) >> 11) as f64 / (1u64 << 53) as f64
    };
    let ids: Vec<i64> = (first..first + n).collect();
    let time = |i: &i64| START_2024 + (i - first) * 200 * DAY / n;
    let score = |i: i64| {
        let spread = if dataset == "analysis" && i - first > n * 3 / 4 {
            2.0
        } else {
            6.0
        };
        1.0 / (1.0 + (-spread * (mixed(i, 1) + mixed(i, 2) - 1.0)).exp())
    };
    let country = |i: &i64| match mixed(*i, 3) {
        u if u < 0.55 => "BE",
        u if u < 0.9 || dataset == "reference" => "L'Île \"X\"",
        _ => "LU",
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(ids.clone()))),
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                ids.iter().map(time),
            )),
        ),
        (
            "country",
            Arc::new(StringArray::from_iter_values(ids.iter().map(country))),
        ),
        (
            "y_pred_proba",
            Arc::new(
                ids.iter()
                    .map(|&i| (mixed(i, 4) > 0.02).then(|| score(i)))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "y_pred",
            Arc::new(
                ids.iter()
                    .map(|&i| (mixed(i, 5) > 0.02).then(|| i64::from(score(i) > 0.5)))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "y_true",
            Arc::new(
                ids.iter()
                    .map(|&i| (mixed(i, 6) > 0.1).then(|| mixed(i, 7) < score(i).powf(1.3)))
                    .collect::<BooleanArray>(),
            ),
        ),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

async fn collect(ctx: &SessionContext, sql: &str) -> RecordBatch {
    let frame = ctx.sql(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let schema = Arc::clone(frame.schema().inner());
    let batches = frame
        .collect()
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
    concat_batches(&schema, &batches).expect("one schema")
}

/// One text for each row; floats are written so that they read back to the same bits.
fn text(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter> = batch
        .columns()
        .iter()
        .map(|c| ArrayFormatter::try_new(c, &options).expect("a printable column"))
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|c| c.value(row).to_string())
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect()
}

fn in_memory(config: SessionConfig) -> SessionContext {
    let ctx = session(config);
    ctx.register_batch("reference", rows(0, 4_000, "reference"))
        .expect("registered");
    ctx.register_batch("analysis", rows(100_000, 3_000, "analysis"))
        .expect("registered");
    ctx
}

#[tokio::test]
async fn filtering_the_result_never_changes_a_row_of_it() {
    let ctx = in_memory(SessionConfig::new());
    let whole = collect(&ctx, &format!("SELECT * FROM {CALL}")).await;
    assert!(whole.num_rows() > 100);
    let table = MemTable::try_new(whole.schema(), vec![vec![whole]]).expect("a table");
    ctx.register_table("whole", Arc::new(table))
        .expect("registered");
    for predicate in [
        "country = 'BE'",
        "country IN ('BE', 'LU')",
        "country <> 'BE' AND dataset = 'analysis'",
        "dataset = 'analysis'",
        "dataset = 'reference'",
        "metric = 'roc_auc'",
        "metric IN ('f1', 'business_value') AND country = 'BE'",
        "chunk_start >= TIMESTAMP '2024-05-01'",
        "chunk_index = 292",
        "chunk = '2024-06' AND dataset = 'analysis'",
        "alert",
        "status <> 'ok'",
        "row_count > 30 AND NOT complete",
    ] {
        let pushed = collect(
            &ctx,
            &format!("SELECT * FROM {CALL} WHERE {predicate} {KEYS}"),
        )
        .await;
        let after = collect(
            &ctx,
            &format!("SELECT * FROM whole WHERE {predicate} {KEYS}"),
        )
        .await;
        assert!(
            after.num_rows() > 0,
            "{predicate} keeps nothing, so it tests nothing"
        );
        assert_eq!(text(&pushed), text(&after), "{predicate}");
    }
}

/// How chunks are made, in a call and in the profiles that stand for its rows.
const CHUNKINGS: [&str; 11] = [
    "chunk => INTERVAL '1 month', as_of => '2024-07-20'",
    "chunk => INTERVAL '1 month', as_of => '2024-06-20', incomplete => 'merge'",
    "chunk => INTERVAL '1 month', as_of => '2024-06-20', incomplete => 'drop'",
    "chunk => INTERVAL '1 month', as_of => '2024-07-20', time_zone => 'America/New_York'",
    "chunk => INTERVAL '1 week', as_of => '2024-07-20', time_zone => 'Europe/Brussels', incomplete => 'merge'",
    "chunk => rows(150)",
    "chunk => rows(150), incomplete => 'merge'",
    "chunk => rows(150), order_by => -id, incomplete => 'drop'",
    "chunk => parts(7), order_by => [timestamp, id]",
    "chunk => 'remainder ' || (id % 5)",
    "chunk => extract(dow FROM timestamp), time_zone => 'Asia/Tokyo'",
];

async fn store(ctx: &SessionContext, arguments: &str) {
    for dataset in ["reference", "analysis"] {
        let sql = format!(
            "CREATE OR REPLACE TABLE {dataset}_profiles AS \
             SELECT * FROM profiles({dataset}, dataset => '{dataset}', by => country, {arguments})"
        );
        collect(ctx, &sql).await;
    }
}

#[tokio::test]
async fn rows_and_their_stored_profiles_give_the_same_answer_to_the_bit() {
    let ctx = in_memory(SessionConfig::new());
    ctx.sql("SET monitor.max_bins = 64").await.expect("set");
    for arguments in CHUNKINGS {
        store(&ctx, arguments).await;
        let answer = async |reference: &str, analysis: &str, arguments: &str| {
            let sql = format!(
                "SELECT * FROM estimate_performance({reference}, {analysis}, by => country, {arguments}, \
                 value_matrix => [0, -10, -50, 100]) {KEYS}"
            );
            text(&collect(&ctx, &sql).await)
        };
        let want = answer("reference", "analysis", arguments).await;
        assert!(want.len() > 100, "{arguments}");
        for (reference, analysis) in [
            ("reference_profiles", "analysis"),
            ("reference", "analysis_profiles"),
        ] {
            let got = answer(reference, analysis, arguments).await;
            assert_eq!(got, want, "{reference}, {analysis}, {arguments}");
        }
        // without rows there is nothing to merge, and a call that asks for it is refused
        let kept = arguments.replace("'merge'", "'keep'");
        let (reference, analysis) = (
            "(SELECT * FROM reference_profiles ORDER BY profile)",
            "TABLE(analysis_profiles)",
        );
        let got = answer(reference, analysis, &kept).await;
        assert_eq!(got, want, "{reference}, {analysis}, {kept}");
    }
}

#[tokio::test]
async fn a_chunk_that_is_stored_twice_is_refused() {
    let ctx = in_memory(SessionConfig::new());
    let stored =
        "CREATE TABLE stored AS SELECT * FROM profiles(analysis, chunk => INTERVAL '1 month')";
    ctx.sql(stored)
        .await
        .expect("planned")
        .collect()
        .await
        .expect("stored");
    let twice = "SELECT * FROM estimate_performance(reference, (SELECT * FROM stored UNION ALL SELECT * FROM stored), \
                 chunk => INTERVAL '1 month')";
    let error = ctx
        .sql(twice)
        .await
        .expect("planned")
        .collect()
        .await
        .expect_err("refused")
        .to_string();
    assert!(
        error.contains("2 times, so its rows would count 2 times"),
        "{error}"
    );
}

/// Writes the rows as five files, in order or reversed, so that scans split and arrive differently.
async fn write_files(folder: &Path, reversed: bool) {
    let ctx = session(SessionConfig::new());
    for (table, batch) in [
        ("reference", rows(0, 800, "reference")),
        ("analysis", rows(100_000, 600, "analysis")),
    ] {
        let folder = folder.join(table);
        std::fs::create_dir_all(&folder).expect("a folder");
        let size = batch.num_rows() / 5;
        for part in 0..5 {
            let number = if reversed { 4 - part } else { part };
            let path = folder
                .join(format!("{number}.parquet"))
                .display()
                .to_string();
            let frame = ctx
                .read_batch(batch.slice(part * size, size))
                .expect("a frame");
            let options = DataFrameWriteOptions::new().with_single_file_output(true);
            frame
                .write_parquet(&path, options, None)
                .await
                .expect("written");
        }
    }
}

async fn register_files(ctx: &SessionContext, folder: &Path) {
    for table in ["reference", "analysis"] {
        let path = folder.join(table).display().to_string();
        ctx.register_parquet(table, &path, ParquetReadOptions::default())
            .await
            .expect("registered");
    }
}

#[tokio::test]
async fn results_do_not_depend_on_partitions_batches_files_or_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = [("ordered", false), ("reversed", true)];
    for (name, reversed) in orders {
        write_files(&folder.path().join(name), reversed).await;
    }
    let ordered = CALL.replace(
        "chunk => INTERVAL '1 month'",
        "chunk => rows(100), order_by => timestamp",
    );
    for (call, runs) in [(CALL, 10), (ordered.as_str(), 2)] {
        let mut want: Option<Vec<String>> = None;
        for (name, _) in orders {
            for partitions in [1, 2, 7, 16] {
                for batch_size in [3, 8192] {
                    let config = SessionConfig::new()
                        .with_target_partitions(partitions)
                        .with_batch_size(batch_size)
                        .with_repartition_file_min_size(0);
                    let ctx = session(config);
                    // few bins, so that levels rise at other moments in every split
                    ctx.sql("SET monitor.max_bins = 32").await.expect("set");
                    register_files(&ctx, &folder.path().join(name)).await;
                    for run in 0..runs {
                        let got =
                            text(&collect(&ctx, &format!("SELECT * FROM {call} {KEYS}")).await);
                        let want = want.get_or_insert_with(|| got.clone());
                        assert!(got.len() > 100);
                        assert_eq!(
                            &got, want,
                            "{name}, {partitions} partitions, batches of {batch_size}, run {run}"
                        );
                    }
                }
            }
        }
    }
}

fn count(plan: &str, what: &str) -> usize {
    plan.matches(what).count()
}

async fn explain(ctx: &SessionContext, sql: &str) -> String {
    text(&collect(ctx, &format!("EXPLAIN {sql}")).await).join("\n")
}

#[tokio::test]
async fn each_relation_is_scanned_once_and_only_for_what_is_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path(), false).await;
    let ctx = session(SessionConfig::new());
    register_files(&ctx, folder.path()).await;
    for chunk in [
        "INTERVAL '1 month'",
        "rows(500)",
        "parts(10)",
        "y_pred_proba > 0.5",
    ] {
        for incomplete in ["keep", "merge", "drop"] {
            let sql = format!(
                "SELECT * FROM estimate_performance(reference, analysis, chunk => {chunk}, incomplete => '{incomplete}')"
            );
            let plan = explain(&ctx, &sql).await;
            assert_eq!(count(&plan, "TableScan: "), 2, "{plan}");
            assert_eq!(count(&plan, "DataSourceExec"), 2, "{plan}");
        }
    }
    let pruned = explain(
        &ctx,
        "SELECT chunk, value FROM estimate_performance(reference, analysis)",
    )
    .await;
    let scan = "TableScan: analysis projection=[timestamp, y_pred_proba, y_pred, y_true]";
    assert!(
        pruned.contains(scan),
        "columns that no role names are not read: {pruned}"
    );
    assert!(
        !pruned.contains("fit_threshold"),
        "limits that nobody asks for are not computed: {pruned}"
    );
    let by = format!("SELECT * FROM {CALL} WHERE country = 'BE'");
    let by = explain(&ctx, &by).await;
    for table in ["reference", "analysis"] {
        let pushed = format!("partial_filters=[{table}.country = ");
        assert!(by.contains(&pushed), "{by}");
    }
    let range = "SELECT * FROM estimate_performance(reference, (SELECT * FROM analysis WHERE timestamp >= '2024-05-01'))";
    let range = explain(&ctx, range).await;
    assert!(
        range.contains("pruning_predicate=timestamp_null_count"),
        "{range}"
    );
}
