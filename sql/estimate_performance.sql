-- Performance of a binary classifier, month by month, before the labels arrive.
--
-- Purpose
--   The reference is a year in which labels are known. From it, a calibrator turns the model's
--   score into a probability, and the spread of its months sets the thresholds. Every month of
--   the analysis is then estimated from its scores alone; where labels have arrived since, the
--   realized value stands beside the estimate.
--
-- Run
--   modelwatch demo                               writes the tables, runs this, draws a chart
--   cd modelwatch-demo && modelwatch -f estimate_performance.sql
--   modelwatch --register reference=... --register analysis=... -f estimate_performance.sql
--                                                 the same on tables of your own
--   The exit code is 3 when a row has a true alert.
--
-- Parameters (arguments of the call below)
--   score, prediction, label, timestamp           columns, or expressions over columns
--   chunk                                         what is judged as one: INTERVAL '1 week',
--                                                 rows(5000), parts(10), or an expression
--   metrics                                       any of roc_auc, average_precision, f1,
--                                                 precision, recall, specificity, accuracy, ...
--   thresholds                                    by default at most 0.27 % of healthy chunks
--                                                 raise an alert: false_alarm_rate(0.0027)
--
-- Output: one row for each metric and month
--   dataset, chunk, chunk_index, chunk_start, chunk_end, complete      what the row is about
--   row_count, used_count, labelled_count                              rows, and how many served
--   metric, value, sampling_error, approx_error                        the estimate and its errors
--   lower_bound, upper_bound     where the realized value will lie, 95 times in 100
--   realized                     from the labels known so far; NULL without any
--   lower_threshold, upper_threshold, alert                            true strictly outside
--   status                       'ok', or what to know of the value
CREATE EXTERNAL TABLE IF NOT EXISTS reference STORED AS PARQUET LOCATION 'reference.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS analysis STORED AS PARQUET LOCATION 'analysis.parquet';

SELECT *
FROM estimate_performance(
    reference => reference,
    analysis => analysis,
    score => y_pred_proba,
    prediction => y_pred,
    label => y_true,
    timestamp => timestamp,
    chunk => INTERVAL '1 month',
    metrics => ['roc_auc', 'f1', 'accuracy'])
ORDER BY metric, dataset DESC, chunk_index;
