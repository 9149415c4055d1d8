-- What is wrong with the values of the columns, month by month, and what the columns look like.
--
-- Purpose
--   Missing values, categories that the reference does not have, numbers out of its range, columns that
--   became constant, or are new, absent or of another type. The first statement tells what alerts; the second
--   shows statistics of the columns that alert in it, so that one sees what happened: a unit that changed, a source that
--   answers less and less.
--
-- Run
--   modelwatch demo                               writes the tables and this report
--   cd modelwatch-demo && modelwatch -f data_quality.sql
--   modelwatch --register reference=... --register analysis=... -f data_quality.sql
--                                                 the same on tables of your own
--   The exit code is 3 when a row has a true alert.
--
-- Parameters (arguments of the calls below)
--   columns, exclude                              which columns
--   metrics                                       missing, unseen, out_of_range, nan, infinite, empty_text,
--                                                 constant, schema_change; of the statistics count, sum, mean,
--                                                 std, median, min, max, distinct
--   thresholds                                    by default at most 0.27 % of healthy chunks raise an
--                                                 alert; 'any unseen value alerts' is {'unseen': constant(NULL, 0)}
--
-- Output of the first statement: one row for each column and metric that alerts in a month
--   since, months                the first such month, and how many there are
--   largest, least_threshold     largest share of all rows of a month; least limit
-- Output of the second: one row for each column, statistic and month
CREATE EXTERNAL TABLE IF NOT EXISTS reference STORED AS PARQUET LOCATION 'reference.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS analysis STORED AS PARQUET LOCATION 'analysis.parquet';

SELECT column_name, metric, min(chunk) AS since, count(*) AS months, round(max(value), 4) AS largest,
       round(min(upper_threshold), 5) AS least_threshold, bool_or(alert) AS alert
FROM data_quality(
    reference => reference,
    analysis => analysis,
    exclude => [id, y_true],
    chunk => INTERVAL '1 month')
WHERE alert
GROUP BY column_name, metric
ORDER BY largest DESC;

SELECT chunk, column_name, metric, round(value, 2) AS value, round(sampling_error, 2) AS error,
       round(lower_threshold, 2) AS lower, round(upper_threshold, 2) AS upper, alert
FROM summary_statistics(
    reference => reference,
    analysis => analysis,
    columns => [savings, bureau_score],
    metrics => ['median', 'mean'],
    chunk => INTERVAL '1 month')
WHERE dataset = 'analysis'
ORDER BY column_name, metric, chunk_index;
