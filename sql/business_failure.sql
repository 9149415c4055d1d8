-- A campaign that fails while the model behind it is right. Is it the model, or what comes after it?
--
-- Purpose
--   A model says which customers are about to leave, and they get an offer. When fewer of them stay, the
--   model is blamed. kpi_divergence learns on the reference how the success of the offers follows the
--   performance of the model, and tells for each week whether it still does; diagnose tells the shape of both.
--
-- Run
--   modelwatch demo                               writes the tables and this report
--   cd modelwatch-demo && modelwatch -f business_failure.sql
--   modelwatch --register churn_reference=... --register churn_analysis=... --register retention_campaign=...
--              -f business_failure.sql            the same on tables of your own
--   The exit code is 3 when a row has a true alert.
--
-- Parameters (arguments of the calls below)
--   metrics                                       the performance that should move the KPI: precision, for offers
--                                                 are made to those who are predicted to leave
--   chunk                                         as often as the KPI has rows, here a week
--   kpi_value, kpi_timestamp                      the KPI and the start of its week
--   controls                                      what else moves it, such as the number of offers
--   max_lag                                       weeks by which the KPI may come after the performance
--   alpha                                         chance of any alert where nothing is wrong: 0.05
--
-- Output of the first statement: one row for each month
--   success_rate, expected       mean of its weeks, and what the model's performance makes it
--   healthy, downstream_failure  weeks of each verdict
-- Output of the second: the shape of the model's performance and of the success rate
-- Output of the third: the weeks around the first failure
CREATE EXTERNAL TABLE IF NOT EXISTS churn_reference STORED AS PARQUET LOCATION 'churn_reference.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS churn_analysis STORED AS PARQUET LOCATION 'churn_analysis.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS retention_campaign STORED AS PARQUET LOCATION 'retention_campaign.parquet';

CREATE OR REPLACE VIEW churn_performance AS
SELECT *
FROM estimate_performance(
    reference => churn_reference,
    analysis => churn_analysis,
    chunk => INTERVAL '1 week',
    metrics => 'precision');

CREATE OR REPLACE VIEW divergence AS
SELECT *
FROM kpi_divergence(
    performance => churn_performance,
    kpi => retention_campaign,
    kpi_value => success_rate,
    kpi_timestamp => week);

SELECT to_char(chunk_start, '%Y-%m') AS month, count(*) AS weeks, round(avg(performance), 3) AS precision,
       round(avg(kpi), 3) AS success_rate, round(avg(kpi - unexplained), 3) AS expected,
       count(*) FILTER (WHERE verdict = 'healthy') AS healthy,
       count(*) FILTER (WHERE verdict = 'downstream_failure') AS downstream_failure, bool_or(alert) AS alert
FROM divergence
WHERE dataset = 'analysis'
GROUP BY 1
ORDER BY month;

SELECT metric, pattern, since_chunk AS since, round(confidence, 2) AS confidence, explanation
FROM diagnose((
    SELECT metric, chunk, chunk_start, value, sampling_error, status FROM churn_performance
    UNION ALL
    SELECT 'success_rate', chunk, chunk_start, kpi, NULL, status FROM divergence))
ORDER BY metric;

SELECT chunk, round(performance, 4) AS precision, round(kpi, 3) AS success_rate, round(expected_kpi, 3) AS expected,
       round(lower_bound, 3) AS lower, round(upper_bound, 3) AS upper, round(z, 1) AS z, round(cusum, 1) AS cusum,
       verdict, alert, status
FROM divergence
CROSS JOIN (SELECT min(chunk_start) FILTER (WHERE verdict = 'downstream_failure') AS first_failure FROM divergence)
WHERE chunk_start BETWEEN first_failure - INTERVAL '28 days' AND first_failure + INTERVAL '28 days'
ORDER BY chunk_start;
