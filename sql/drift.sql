-- What moved between the reference and each month: columns, one by one and together, and which to look at first.
--
-- Purpose
--   The columns that a model reads are compared with those of the reference year, before any label is
--   there. Three answers, each a relation of its own: how far each column lies from the reference, with the
--   false discovery rate held over all columns of a month; whether columns still go together as they did;
--   and which columns' drift goes along with the estimated performance.
--
-- Run
--   modelwatch demo                               writes the tables and this report
--   cd modelwatch-demo && modelwatch -f drift.sql
--   modelwatch --register reference=... --register analysis=... -f drift.sql
--                                                 the same on tables of your own
--   The exit code is 3 when a row has a true alert.
--
-- Parameters (arguments of the calls below)
--   columns, exclude                              which columns; labels, predictions and keys are no inputs
--   metrics                                       jensen_shannon, hellinger, kolmogorov_smirnov, wasserstein,
--                                                 wasserstein_robust, psi, l_infinity, chi2
--   chunk                                         what is judged as one: INTERVAL '1 week', rows(5000), ...
--   thresholds                                    fdr(rate, least distance): of the columns that alert, at
--                                                 most this share does so by chance; false_alarm_rate(0.0027)
--                                                 judges each column by itself
--
-- Output of the first statement: one row for each column that alerts in a month
--   since, months                the first such month, and how many there are
--   largest                      largest distance of a month; 0 says the same, jensen_shannon at most 1
-- Output of the second: one row for each month, value the mean reconstruction error
-- Output of the third: one row for each column, ranked by correlation with the change of roc_auc
CREATE EXTERNAL TABLE IF NOT EXISTS reference STORED AS PARQUET LOCATION 'reference.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS analysis STORED AS PARQUET LOCATION 'analysis.parquet';

SELECT column_name, min(chunk) AS since, count(*) AS months, round(max(value), 4) AS largest, bool_or(alert) AS alert
FROM univariate_drift(
    reference => reference,
    analysis => analysis,
    exclude => [id, y_true],
    chunk => INTERVAL '1 month',
    thresholds => fdr(0.01, 0.05))
WHERE alert
GROUP BY column_name
ORDER BY largest DESC;

SELECT chunk, round(value, 4) AS value, round(lower_threshold, 4) AS lower, round(upper_threshold, 4) AS upper, alert
FROM multivariate_drift(
    reference => reference,
    analysis => analysis,
    exclude => [id],
    chunk => INTERVAL '1 month')
WHERE dataset = 'analysis'
ORDER BY chunk_index;

SELECT rank, column_name, round(correlation, 4) AS correlation, matched_chunks, status
FROM rank_columns(
    drift => (SELECT * FROM univariate_drift(reference, analysis, exclude => [id, y_true], chunk => INTERVAL '1 month')),
    performance => (SELECT * FROM estimate_performance(reference, analysis, metrics => 'roc_auc', chunk => INTERVAL '1 month')))
ORDER BY rank;
