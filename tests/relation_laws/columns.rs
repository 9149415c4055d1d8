//! The same laws for the functions that look at columns one by one.
use super::*;

const COLUMNS: &str = "columns => {'score': y_pred_proba, 'predicted': y_pred, 'kind': 'k' || (id % 37), 'id': id}, treat_as_categorical => predicted";

/// Each function with its arguments, and the keys of its rows beside country, chunk and column.
fn calls(arguments: &str) -> [(String, &'static str); 4] {
    let call = |name: &str, more: &str| {
        format!("{name}(reference, analysis, by => country, {COLUMNS}, {arguments}{more})")
    };
    [
        (
            call("univariate_drift", ", metrics => '*'"),
            "dataset, metric",
        ),
        (
            call(
                "drift_bins",
                ", metrics => ['jensen_shannon', 'psi', 'kolmogorov_smirnov']",
            ),
            "metric, bin",
        ),
        (call("data_quality", ""), "dataset, metric"),
        (call("summary_statistics", ""), "dataset, metric"),
    ]
}

const MONTHS: &str = "chunk => INTERVAL '1 month', as_of => '2024-07-20'";

#[tokio::test]
async fn filtering_columns_never_changes_a_row() {
    for partitions in [1, 4] {
        let ctx = in_memory(SessionConfig::new().with_target_partitions(partitions));
        for (call, keys) in calls(MONTHS) {
            let keys = format!("ORDER BY country, chunk_index, column_name, {keys}");
            let whole = collect(&ctx, &format!("SELECT * FROM {call}")).await;
            let table = MemTable::try_new(whole.schema(), vec![vec![whole]]).expect("a table");
            ctx.deregister_table("whole").expect("gone");
            ctx.register_table("whole", Arc::new(table))
                .expect("registered");
            for predicate in [
                "column_name = 'score'",
                "column_name = 'kind' AND country = 'BE'",
                "column_name IN ('predicted', 'kind') AND chunk = '2024-06'",
                "country = 'BE' AND chunk_index = 292",
                "metric IN ('jensen_shannon', 'missing', 'mean')",
                "column_name = 'score' AND metric IN ('psi', 'out_of_range', 'std') AND country = 'BE' AND chunk = '2024-05'",
                "status <> 'ok'",
            ] {
                let filtered = async |relation: &str| {
                    let sql =
                        format!("SELECT * FROM {relation} WHERE {predicate} {keys} LIMIT 400");
                    text(&collect(&ctx, &sql).await)
                };
                let (pushed, after) = (filtered(&call).await, filtered("whole").await);
                assert!(
                    !after.is_empty() || predicate.starts_with("status"),
                    "{call}: {predicate} keeps nothing, so it tests nothing"
                );
                assert_eq!(pushed, after, "{call}: {predicate}");
            }
        }
    }
}

#[tokio::test]
async fn profiles_of_columns_stand_for_their_rows() {
    let ctx = in_memory(SessionConfig::new());
    ctx.sql("SET monitor.max_bins = 64").await.expect("set");
    for arguments in [
        MONTHS,
        "chunk => rows(150), order_by => [timestamp, id]",
        "chunk => 'remainder ' || (id % 5)",
    ] {
        for dataset in ["reference", "analysis"] {
            let sql = format!(
                "CREATE OR REPLACE TABLE {dataset}_profiles AS SELECT * FROM \
                 profiles({dataset}, dataset => '{dataset}', by => country, {COLUMNS}, {arguments})"
            );
            collect(&ctx, &sql).await;
        }
        for (call, keys) in calls(arguments) {
            let answer = async |call: &str| {
                let sql = format!(
                    "SELECT * FROM {call} ORDER BY country, chunk_index, column_name, {keys}"
                );
                text(&collect(&ctx, &sql).await)
            };
            let want = answer(&call).await;
            assert!(want.len() > 100, "{call}");
            for (rows, stored) in [
                ("(reference, analysis,", "(reference_profiles, analysis,"),
                ("(reference, analysis,", "(reference, analysis_profiles,"),
            ] {
                let call = call.replace(rows, stored);
                assert_eq!(answer(&call).await, want, "{call}");
            }
        }
    }
}

#[tokio::test]
async fn columns_do_not_depend_on_partitions_batches_files_or_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = [("ordered", false), ("reversed", true)];
    for (name, reversed) in orders {
        write_files(&folder.path().join(name), reversed).await;
    }
    for (call, keys) in calls(MONTHS) {
        let sql =
            format!("SELECT * FROM {call} ORDER BY country, chunk_index, column_name, {keys}");
        let mut want: Option<Vec<String>> = None;
        for (name, _) in orders {
            for (partitions, batch_size) in [(1, 8192), (2, 3), (7, 100), (16, 8192)] {
                let config = SessionConfig::new()
                    .with_target_partitions(partitions)
                    .with_batch_size(batch_size)
                    .with_repartition_file_min_size(0);
                let ctx = session(config);
                // few bins, so that levels rise at other moments in every split
                ctx.sql("SET monitor.max_bins = 32").await.expect("set");
                register_files(&ctx, &folder.path().join(name)).await;
                let got = text(&collect(&ctx, &sql).await);
                assert!(got.len() > 100);
                let want = want.get_or_insert_with(|| got.clone());
                assert_eq!(
                    &got, want,
                    "{call}: {name}, {partitions} partitions, batches of {batch_size}"
                );
            }
        }
    }
}

#[tokio::test]
async fn all_columns_are_one_scan() {
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path(), false).await;
    let ctx = session(SessionConfig::new());
    register_files(&ctx, folder.path()).await;
    for arguments in [
        MONTHS,
        "chunk => rows(150), order_by => [timestamp, id], incomplete => 'merge'",
    ] {
        for (call, _) in calls(arguments) {
            let plan = explain(&ctx, &format!("SELECT * FROM {call}")).await;
            assert_eq!(count(&plan, "TableScan: "), 2, "{plan}");
            assert_eq!(count(&plan, "DataSourceExec"), 2, "{plan}");
        }
    }
    let two = "SELECT * FROM data_quality(reference, analysis, columns => [y_pred, id], chunk => INTERVAL '1 month')";
    let plan = explain(&ctx, two).await;
    let scan = "TableScan: analysis projection=[id, timestamp, y_pred]";
    assert!(plan.contains(scan), "other columns are not read: {plan}");
}
