-- Metrics of one's own, month by month, with limits and alerts.
--
-- Purpose
--   What a business watches is rarely a metric of the textbook. Any aggregate expression will do: monitor_metric
--   gives it the chunks, limits and alerts that other metrics have. Here the model predicts who does not
--   pay a loan back (y_true = 1), and who is predicted to pay (y_pred = 0) is approved.
--     approval_rate         share of applicants that are approved
--     value_per_loan        mean value of an approved loan: 6 % of the amount where it was paid back, a loss of
--                           15 % where it was not; unknown until labels are there
--     web_advantage         how much better the model ranks applicants of the web than those of branches: the
--                           difference of two ROC AUCs
--
-- Run
--   modelwatch demo                               writes the tables and this report
--   cd modelwatch-demo && modelwatch -f custom_metric.sql
--   modelwatch --register reference=... --register analysis=... -f custom_metric.sql
--                                                 the same on tables of your own
--   The exit code is 3 when a row has a true alert.
--
-- Parameters (arguments of the calls below)
--   metric                                        the expression: any aggregates, FILTER, CASE, arithmetic
--   sampling_error                                its standard error from sampling rows, an aggregate expression too.
--                                                 With it limits fit the size of each chunk; without it,
--                                                 as of web_advantage, they come from the scatter of the reference's
--                                                 months alone and are wider
--   metric_name, domain, better                   its name, the values it can have, its better side
--   thresholds                                    by default at most 0.27 % of healthy chunks raise an
--                                                 alert; constant(0.5, NULL) for a limit of your own
--
-- Output of the first statement: one row for each metric
--   months, least, greatest      months of the analysis that have a value, and its range
--   since, alerts                the first month that alerts, and how many do
-- Output of the second: one row for each metric and month
--   error                        of value, NULL where none was given
--   status                       says why there is no value
CREATE EXTERNAL TABLE IF NOT EXISTS reference STORED AS PARQUET LOCATION 'reference.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS analysis STORED AS PARQUET LOCATION 'analysis.parquet';

CREATE OR REPLACE VIEW custom_metrics AS
SELECT * FROM monitor_metric(
    reference => reference,
    analysis => analysis,
    metric => avg(1.0 - y_pred),
    sampling_error => stddev(y_pred) / sqrt(count(*)),
    metric_name => 'approval_rate',
    domain => [0, 1],
    chunk => INTERVAL '1 month')
UNION ALL
SELECT * FROM monitor_metric(
    reference => reference,
    analysis => analysis,
    metric => avg(loan_amount * CASE y_true WHEN 0 THEN 0.06 WHEN 1 THEN -0.15 END) FILTER (WHERE y_pred = 0),
    sampling_error => stddev(loan_amount * CASE y_true WHEN 0 THEN 0.06 WHEN 1 THEN -0.15 END) FILTER (WHERE y_pred = 0)
        / sqrt(count(y_true) FILTER (WHERE y_pred = 0)),
    metric_name => 'value_per_loan',
    better => 'higher',
    direction => 'worse',
    chunk => INTERVAL '1 month')
UNION ALL
SELECT * FROM monitor_metric(
    reference => reference,
    analysis => analysis,
    metric => roc_auc(y_true, y_pred_proba) FILTER (WHERE channel = 'web')
              - roc_auc(y_true, y_pred_proba) FILTER (WHERE channel = 'branch'),
    metric_name => 'web_advantage',
    domain => [-1, 1],
    chunk => INTERVAL '1 month');

SELECT metric, count(value) AS months, round(min(value), 4) AS least, round(max(value), 4) AS greatest,
       min(chunk) FILTER (WHERE alert) AS since, count(*) FILTER (WHERE alert) AS alerts, bool_or(alert) AS alert
FROM custom_metrics
WHERE dataset = 'analysis'
GROUP BY metric
ORDER BY metric;

SELECT chunk, metric, round(value, 4) AS value, round(sampling_error, 4) AS error,
       round(lower_threshold, 4) AS lower, round(upper_threshold, 4) AS upper, alert, status
FROM custom_metrics
WHERE dataset = 'analysis'
ORDER BY metric, chunk_index;
