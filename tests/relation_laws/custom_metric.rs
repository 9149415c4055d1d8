//! The same laws for metrics that the call gives as expressions.
use super::*;

/// Expressions whose results do not depend on the order of rows: counts, sums of whole numbers, and ours.
const METRICS: [&str; 4] = [
    "count(DISTINCT id % 50) / CAST(count(*) AS DOUBLE)",
    "sum(id) FILTER (WHERE y_true) / NULLIF(CAST(count(y_true) AS DOUBLE), 0), sampling_error => sqrt(CAST(count(*) AS DOUBLE))",
    "roc_auc(y_true, y_pred_proba) FILTER (WHERE y_pred = 1) - roc_auc(y_true, y_pred_proba)",
    "max(y_pred_proba) - min(y_pred_proba), better => 'higher', direction => 'worse', domain => [0, 1]",
];

fn call(metric: &str, arguments: &str) -> String {
    format!("monitor_metric(reference, analysis, metric => {metric}, by => country, {arguments})")
}

const MONTHS: &str = "chunk => INTERVAL '1 month', as_of => '2024-07-20'";
const ORDER: &str = "ORDER BY country, dataset, chunk_index";

#[tokio::test]
async fn filtering_a_metric_never_changes_a_row() {
    for partitions in [1, 4] {
        let ctx = in_memory(SessionConfig::new().with_target_partitions(partitions));
        for metric in METRICS {
            let call = call(metric, MONTHS);
            let whole = collect(&ctx, &format!("SELECT * FROM {call}")).await;
            let table = MemTable::try_new(whole.schema(), vec![vec![whole]]).expect("a table");
            ctx.deregister_table("whole").expect("gone");
            ctx.register_table("whole", Arc::new(table))
                .expect("registered");
            for predicate in [
                "country = 'BE'",
                "country <> 'BE' AND dataset = 'analysis'",
                "dataset = 'reference'",
                "chunk_index = 292",
                "chunk = '2024-06' AND country = 'BE'",
                "chunk_start >= TIMESTAMP '2024-05-01'",
                "row_count > 30 AND NOT complete",
            ] {
                let filtered = async |relation: &str| {
                    let sql = format!("SELECT * FROM {relation} WHERE {predicate} {ORDER}");
                    text(&collect(&ctx, &sql).await)
                };
                let (pushed, after) = (filtered(&call).await, filtered("whole").await);
                assert!(!after.is_empty(), "{call}: {predicate} keeps nothing");
                assert_eq!(pushed, after, "{call}: {predicate}");
            }
        }
    }
}

#[tokio::test]
async fn metrics_do_not_depend_on_partitions_batches_or_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = [("ordered", false), ("reversed", true)];
    for (name, reversed) in orders {
        write_files(&folder.path().join(name), reversed).await;
    }
    let merged = "chunk => rows(90), order_by => timestamp, incomplete => 'merge'";
    for (metric, arguments) in METRICS.iter().flat_map(|m| [(m, MONTHS), (m, merged)]) {
        let sql = format!("SELECT * FROM {} {ORDER}", call(metric, arguments));
        let mut want: Option<Vec<String>> = None;
        for (name, _) in orders {
            for (partitions, batch_size) in [(1, 8192), (7, 3)] {
                let config = SessionConfig::new()
                    .with_target_partitions(partitions)
                    .with_batch_size(batch_size)
                    .with_repartition_file_min_size(0);
                let ctx = session(config);
                register_files(&ctx, &folder.path().join(name)).await;
                let got = text(&collect(&ctx, &sql).await);
                let want = want.get_or_insert_with(|| got.clone());
                assert!(got.len() > 8);
                assert_eq!(&got, want, "{name}, {partitions} partitions, {sql}");
            }
        }
    }
}

#[tokio::test]
async fn each_relation_of_a_metric_is_scanned_once() {
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path(), false).await;
    let ctx = session(SessionConfig::new());
    register_files(&ctx, folder.path()).await;
    for metric in METRICS {
        for chunking in CHUNKINGS {
            let sql = format!("SELECT * FROM {}", call(metric, chunking));
            let plan = explain(&ctx, &sql).await;
            assert_eq!(count(&plan, "TableScan: "), 2, "{plan}");
            assert_eq!(count(&plan, "DataSourceExec"), 2, "{plan}");
        }
    }
    let of_one = format!(
        "SELECT chunk, value FROM {} WHERE country = 'BE'",
        call("sum(id)", MONTHS)
    );
    let plan = explain(&ctx, &of_one).await;
    for table in ["reference", "analysis"] {
        let scan = format!("TableScan: {table} projection=[id, timestamp, country]");
        assert!(plan.contains(&scan), "{plan}");
        let pushed = format!("partial_filters=[{table}.country = ");
        assert!(plan.contains(&pushed), "{plan}");
    }
}

#[tokio::test]
async fn chunks_of_a_metric_are_those_of_other_functions() {
    let ctx = in_memory(SessionConfig::new());
    let columns =
        "country, dataset, chunk, chunk_index, chunk_start, chunk_end, complete, row_count";
    for chunking in CHUNKINGS {
        let of = async |relation: String| {
            let sql = format!("SELECT DISTINCT {columns} FROM {relation} {ORDER}");
            text(&collect(&ctx, &sql).await)
        };
        let counted = of(call("count(*)", chunking)).await;
        let known =
            "realized_performance(reference, analysis, by => country, metrics => 'accuracy',";
        assert!(counted.len() > 10, "{chunking}");
        assert_eq!(
            counted,
            of(format!("{known} {chunking})")).await,
            "{chunking}"
        );
        let values = format!(
            "SELECT count(*) FROM {} WHERE value <> row_count OR value IS NULL",
            call("count(*)", chunking)
        );
        assert_eq!(text(&collect(&ctx, &values).await), ["0"], "{chunking}");
    }
}
