-- A model that was never as good as its test. What is different between training and serving?
--
-- Purpose
--   A model of fraudulent claims was excellent on its test rows, and disappoints from the first day that it is
--   served. That is no drift: nothing has changed since. training_serving_skew compares the rows of training, of
--   the test and of serving, and has a row for each finding, with the numbers and what to do.
--
-- Run
--   modelwatch demo                               writes the tables and this report
--   cd modelwatch-demo && modelwatch -f training_serving_skew.sql
--   modelwatch --register claims_training=... --register claims_test=... --register claims_serving=...
--              -f training_serving_skew.sql       the same on tables of your own
--   The exit code is 3 when a row has a true alert.
--
-- Parameters (arguments of the call below)
--   training, test, serving                       the rows; one of the latter two may be left out
--   exclude                                       columns that are no inputs of the model, such as a number of the row
--   checks                                        which of the checks, ['deployment_drop', 'target_leakage', ...]
--   min_effect                                    how large a difference has to be, {'null_rate': 0.05}
--   false_alarm_rate                              chance of any finding where there is none: 0.01
--   include_passed                                true: what was looked at and is as it should be, too
--
-- Output of the first statement: one row for each finding, the gravest first, and those of the whole model before
-- those of a column
--   check_name, column_name      what was found, and where
--   evidence                     the numbers
--   alert                        whether its severity is critical
-- Output of the second: the same findings
--   value, threshold             how large each is, and what it had to exceed
--   suggestion                   what to do
CREATE EXTERNAL TABLE IF NOT EXISTS claims_training STORED AS PARQUET LOCATION 'claims_training.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS claims_test STORED AS PARQUET LOCATION 'claims_test.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS claims_serving STORED AS PARQUET LOCATION 'claims_serving.parquet';

CREATE OR REPLACE VIEW findings AS
SELECT *
FROM training_serving_skew(
    training => claims_training,
    test => claims_test,
    serving => claims_serving,
    exclude => [id]);

SELECT check_name, column_name, evidence, severity = 'critical' AS alert
FROM findings
ORDER BY severity <> 'critical', severity <> 'warning', column_name NULLS FIRST, check_name;

SELECT check_name, column_name, severity, round(value, 4) AS value, threshold, suggestion
FROM findings
ORDER BY severity <> 'critical', severity <> 'warning', column_name NULLS FIRST, check_name;
