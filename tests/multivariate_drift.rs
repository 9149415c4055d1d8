//! Laws of `multivariate_drift`: the same bytes however rows are stored and split, and how often they are read.
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use modelwatch::options::MonitorOptions;

const TABLES: [&str; 2] = ["reference", "analysis"];

fn session(partitions: usize, batch_size: usize) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_batch_size(batch_size)
        .with_repartition_file_min_size(0)
        .with_option_extension(MonitorOptions::default());
    let ctx = SessionContext::new_with_config(config);
    modelwatch::register_all(&ctx).expect("registered");
    ctx
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

fn text(batch: &RecordBatch) -> String {
    pretty_format_batches(std::slice::from_ref(batch))
        .expect("printable")
        .to_string()
}

/// Columns that hang together, numbers of sizes that lose bits when they are added, NULLs, an infinite value.
async fn write(folder: &Path, reversed: bool) {
    let ctx = session(1, 8192);
    for (table, first, rows) in [("reference", 0, 1500), ("analysis", 100_000, 900)] {
        let size = rows / 5;
        for part in 0..5 {
            let name = if reversed { 4 - part } else { part };
            let (from, to) = (first + part * size, first + (part + 1) * size - 1);
            let order = if reversed { "DESC" } else { "ASC" };
            let path = folder.join(table);
            std::fs::create_dir_all(&path).expect("a folder");
            let sql = format!(
                "COPY (SELECT i AS id, to_timestamp(1704067200 + (i - {first}) * 7200) AS timestamp, \
                 CASE i % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y' END AS country, \
                 CASE WHEN i % 17 > 0 THEN sin(i) * pow(10, i % 9) END AS a, \
                 CASE WHEN i = 100007 THEN CAST('Infinity' AS DOUBLE) ELSE sin(i) + cos(i * i) / 3 END AS b, \
                 i % 31 - cos(i) AS d, i % 11 = 0 AS flag, CASE WHEN i % 13 > 0 THEN 'p' || (i * i % 7) END AS plan \
                 FROM generate_series({from}, {to}) AS t(i) ORDER BY i {order}) TO '{}' STORED AS PARQUET",
                path.join(format!("{name}.parquet")).display()
            );
            collect(&ctx, &sql).await;
        }
    }
}

async fn open(ctx: &SessionContext, folder: &Path) {
    for table in TABLES {
        let path = folder.join(table).display().to_string();
        let options = ParquetReadOptions::default();
        ctx.register_parquet(table, &path, options)
            .await
            .expect("registered");
    }
}

const COMMON: &str = "as_of => '2030-01-01', columns => [a, b, d, flag, plan]";

#[tokio::test]
async fn results_do_not_depend_on_partitions_batches_or_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = [("ordered", false), ("reversed", true)];
    for (name, reversed) in orders {
        write(&folder.path().join(name), reversed).await;
    }
    for (arguments, keys) in [
        ("", "chunk_index"),
        (
            ", by => country, chunk => INTERVAL '1 month', impute_continuous => 'median'",
            "chunk_index, country",
        ),
        (
            ", chunk => rows(70), order_by => flag, incomplete => 'merge'",
            "chunk_index",
        ),
        (
            ", chunk => id % 4, reference_chunk => plan, treat_as_categorical => [d]",
            "chunk",
        ),
    ] {
        let mut want: Option<String> = None;
        for (name, _) in orders {
            for (partitions, batch_size) in [(1, 8192), (2, 3), (2, 8192), (7, 100), (16, 8192)] {
                let ctx = session(partitions, batch_size);
                open(&ctx, &folder.path().join(name)).await;
                let call = format!("multivariate_drift(reference, analysis, {COMMON}{arguments})");
                let sql = format!("SELECT * FROM {call} ORDER BY dataset, {keys}");
                let got = text(&collect(&ctx, &sql).await);
                assert!(
                    got.contains("reconstruction_error") && !got.contains("NaN"),
                    "{got}"
                );
                let want = want.get_or_insert_with(|| got.clone());
                assert_eq!(
                    &got, want,
                    "{arguments}: {name}, {partitions} partitions, batches of {batch_size}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_reference_is_read_three_times_and_the_analysis_once() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), false).await;
    let ctx = session(2, 8192);
    open(&ctx, folder.path()).await;
    let scans = async |arguments: &str| -> (Vec<usize>, String) {
        let sql = format!(
            "EXPLAIN SELECT * FROM multivariate_drift(reference, analysis, columns => [a, b, plan]{arguments})"
        );
        let plan = text(&collect(&ctx, &sql).await);
        let scans = TABLES.map(|table| plan.matches(&format!("{table}/0.parquet")).count());
        (scans.to_vec(), plan)
    };
    for chunk in [
        "",
        ", chunk => INTERVAL '1 month', incomplete => 'merge'",
        ", chunk => rows(100)",
        ", chunk => flag",
    ] {
        let (found, plan) = scans(chunk).await;
        assert_eq!(found, [3, 1], "{plan}");
    }
    let (found, plan) = scans(", by => country) WHERE country = 'x' AND (true").await;
    assert_eq!(found, [5, 1], "{plan}");
    // of relations too large to hold, the side that a join holds is that of the fits
    for limit in [
        "hash_join_single_partition_threshold",
        "hash_join_single_partition_threshold_rows",
    ] {
        collect(&ctx, &format!("SET datafusion.optimizer.{limit} = 0")).await;
    }
    let (_, plan) = scans(", by => country) WHERE country = 'x' AND (true").await;
    assert!(
        plan.contains("join_type=Right") && !plan.contains("join_type=Left"),
        "{plan}"
    );
    for table in TABLES {
        let filters = plan
            .matches(&format!("partial_filters=[{table}.country = "))
            .count();
        assert_eq!(filters, 1, "{plan}");
    }
}
