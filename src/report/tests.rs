//! Charts and alert lists, character by character.
use datafusion::arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;

use super::{Chart, Glyphs, Series, alerts, series};

/// Two months of reference and four of analysis, out of order, and one row of another country.
const ROWS: &str = "
    SELECT 'm' AS monitor, country, dataset, chunk, chunk_index, complete, 'roc_auc' AS metric,
        value, lower_bound, upper_bound, realized, 0.74 AS lower_threshold,
        CAST(NULL AS DOUBLE) AS upper_threshold, alert, status
    FROM (VALUES
        ('DE', 'analysis', '2024-04', 51, false, 0.70, 0.68, 0.72, NULL, NULL, 'ok'),
        ('DE', 'reference', '2023-12', 47, true, 0.80, 0.79, 0.81, 0.805, NULL, 'ok'),
        ('DE', 'analysis', '2024-02', 49, true, 0.72, 0.70, 0.74, NULL, true, 'ok'),
        ('DE', 'analysis', '2024-01', 48, true, 0.79, 0.77, 0.81, 0.76, false, 'extrapolated'),
        ('DE', 'reference', '2023-11', 46, true, 0.81, 0.80, 0.82, 0.808, NULL, 'ok'),
        ('DE', 'analysis', '2024-03', 50, true, NULL, NULL, NULL, NULL, NULL, 'single_class'),
        ('FR', 'analysis', '2024-01', 48, true, 0.75, NULL, NULL, NULL, false, 'ok')
    ) AS t(country, dataset, chunk, chunk_index, complete, value, lower_bound, upper_bound,
           realized, alert, status)";

async fn batches(sql: &str) -> Vec<RecordBatch> {
    SessionContext::new()
        .sql(sql)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap()
}

async fn read(sql: &str) -> Vec<Series> {
    series(&batches(sql).await).unwrap()
}

fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn rows_become_a_chart() {
    let series = read(ROWS).await;
    assert_eq!(series.len(), 2);
    let chart = Chart {
        width: 80,
        glyphs: Glyphs::Unicode,
    };
    let expected = lines(&[
        "roc_auc, country = DE (m)",
        "                   0.68 0.70  0.72   0.74  0.76   0.78  0.80  0.82",
        "                   ┴──────┴─────┴──────┴─────┴──────┴─────┴──────┴",
        "reference",
        "  2023-11  0.8100                      ┊                  ├──○●──┤",
        "  2023-12  0.8000                      ┊               ├──●─○─┤",
        "analysis",
        "  2024-01  0.7900                      ┊     ○   ├─────●──────┤     extrapolated",
        "  2024-02  0.7200         ├─────◆──────┊                            ALERT",
        "  2024-03    NULL                      ┊                            single_class",
        "  2024-04  0.7000  ├──────●─────┤      ┊                            incomplete",
        "● value   ◆ alert   ├─┤ lower_bound to upper_bound   ┊ threshold   ○ realized",
    ]);
    assert_eq!(chart.draw(&series[0]), expected);
}

#[tokio::test]
async fn a_chart_keeps_to_its_width_and_to_ascii() {
    let series = read(ROWS).await;
    let chart = Chart {
        width: 60,
        glyphs: Glyphs::Ascii,
    };
    let expected = lines(&[
        "roc_auc, country = DE (m)",
        "                   0.68 0.72    0.76   0.80",
        "                   +---+--+---+---+---+--+---+",
        "reference",
        "  2023-11  0.8100             :          [-*-]",
        "  2023-12  0.8000             :        [-*o]",
        "analysis",
        "  2024-01  0.7900             :   o [--*---]    extrapolated",
        "  2024-02  0.7200      [--!---:                 ALERT",
        "  2024-03    NULL             :                 single_class",
        "  2024-04  0.7000  [---*--]   :                 incomplete",
        "* value   ! alert   [-] lower_bound to upper_bound   : threshold   o realized",
    ]);
    assert_eq!(chart.draw(&series[0]), expected);
}

#[tokio::test]
async fn alerts_are_listed() {
    let expected = lines(&[
        "1 alert in 4 values",
        "  2024-02  roc_auc, country = DE (m)  0.7200  below 0.7400, interval 0.7000 to 0.7400",
    ]);
    assert_eq!(alerts(&read(ROWS).await).to_string(), expected);
    let quiet: Vec<_> = read(ROWS).await.split_off(1);
    assert_eq!(alerts(&quiet).to_string(), "0 alerts in 1 value\n");
}

#[tokio::test]
async fn the_order_of_rows_does_not_matter() {
    let rows = batches(ROWS).await;
    let one_by_one =
        |batch: &RecordBatch| (0..batch.num_rows()).map(|i| batch.slice(i, 1)).collect();
    let mut backwards: Vec<_> = rows.iter().flat_map::<Vec<_>, _>(one_by_one).collect();
    backwards.reverse();
    assert_eq!(series(&rows).unwrap(), series(&backwards).unwrap());
}

#[tokio::test]
async fn a_flat_series_and_one_without_values_are_drawn() {
    let chart = Chart {
        width: 40,
        glyphs: Glyphs::Ascii,
    };
    let flat = "SELECT 'a' AS chunk, 0.5 AS value UNION ALL SELECT 'b', 0.5";
    let expected = lines(&[
        "value",
        "              0.496     0.500    0.504",
        "              --+----+----+---+----+--",
        "  a  0.50000              *",
        "  b  0.50000              *",
        "* value",
    ]);
    assert_eq!(chart.draw(&read(flat).await[0]), expected);
    let empty = "SELECT 'a' AS chunk, CAST(NULL AS DOUBLE) AS value, 'no_labels' AS status";
    let expected = lines(&[
        "value",
        "  a  NULL                      no_labels",
        "* value",
    ]);
    assert_eq!(chart.draw(&read(empty).await[0]), expected);
}

#[tokio::test]
async fn hostile_labels_stay_on_their_line() {
    let sql = "SELECT 'a' || chr(27) || '[2J' || chr(10) || repeat('x', 50) AS chunk, 'NaN'::double AS value";
    let drawn = Chart {
        width: 40,
        glyphs: Glyphs::Ascii,
    }
    .draw(&read(sql).await[0]);
    assert_eq!(
        drawn,
        lines(&["value", "  a\\u{1b}[2J\\nxxxxxxxxxxx…  NULL", "* value"])
    );
}

#[tokio::test]
async fn rows_without_a_value_column_are_refused() {
    let error = series(&batches("SELECT 1 AS chunk").await)
        .unwrap_err()
        .to_string();
    assert!(error.contains("need a column 'value'"), "{error}");
    assert_eq!(series(&[]).unwrap(), []);
}
