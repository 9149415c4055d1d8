-- Two models that get worse: one at once, one little by little. What happened, when, and how sure is that?
--
-- Purpose
--   An alert says that a week is bad. The shape of all weeks says what to look for: a fall on a date is an event
--   (a release, a source, an offer), a slow decline is a world that moves on. estimate_performance needs no labels,
--   which come late; realized_performance needs them. Where the two tell the same shape and differ in size, the
--   scores no longer mean what they meant in the reference.
--     subscription   which trial becomes a paid subscription; known 30 days later
--     spam           which message is spam; known two weeks later
--
-- Run
--   modelwatch demo                               writes the tables and this report
--   cd modelwatch-demo && modelwatch -f performance_degradation.sql
--   modelwatch --register subscription_reference=... --register subscription_analysis=...
--              --register spam_reference=... --register spam_analysis=... -f performance_degradation.sql
--                                                 the same on tables of your own
--   The exit code is 3 when a row has a true alert.
--
-- Parameters (arguments of the calls below)
--   chunk                                         what is judged as one: INTERVAL '1 week', rows(5000), ...
--   metrics                                       any of roc_auc, f1, accuracy, ...; each is a series
--   search_price                                  of diagnose: more than 2 asks for more evidence
--   accept_status                                 of diagnose: statuses whose values count all the same
--
-- Output of the first statement: one row for each model, from scores and from labels
--   monitor                      the model, and what its performance is known from
--   pattern                      stable, sudden, gradual, temporary, recurring, ...
--   since, magnitude             the week in which it began, and the change since
--   confidence                   of pattern against all others
--   alert                        whether the model changed and did not come back
-- Output of the second: the weeks around the change, and every fourth week after
--   estimated, realized          from scores alone, and from labels where they are known
--   threshold, alert             of the estimate
CREATE EXTERNAL TABLE IF NOT EXISTS subscription_reference STORED AS PARQUET LOCATION 'subscription_reference.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS subscription_analysis STORED AS PARQUET LOCATION 'subscription_analysis.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS spam_reference STORED AS PARQUET LOCATION 'spam_reference.parquet';
CREATE EXTERNAL TABLE IF NOT EXISTS spam_analysis STORED AS PARQUET LOCATION 'spam_analysis.parquet';

CREATE OR REPLACE VIEW weekly_performance AS
SELECT *
FROM estimate_performance(
    reference => subscription_reference,
    analysis => subscription_analysis,
    name => 'subscription, scores',
    chunk => INTERVAL '1 week',
    metrics => 'roc_auc')
UNION ALL
SELECT *
FROM realized_performance(
    reference => subscription_reference,
    analysis => subscription_analysis,
    name => 'subscription, labels',
    chunk => INTERVAL '1 week',
    metrics => 'roc_auc')
UNION ALL
SELECT *
FROM estimate_performance(
    reference => spam_reference,
    analysis => spam_analysis,
    name => 'spam, scores',
    chunk => INTERVAL '1 week',
    metrics => 'roc_auc')
UNION ALL
SELECT *
FROM realized_performance(
    reference => spam_reference,
    analysis => spam_analysis,
    name => 'spam, labels',
    chunk => INTERVAL '1 week',
    metrics => 'roc_auc');

CREATE OR REPLACE VIEW shapes AS
SELECT * FROM diagnose(weekly_performance);

SELECT monitor, pattern, since_chunk AS since, round(magnitude, 4) AS magnitude, round(confidence, 2) AS confidence,
       explanation, pattern NOT IN ('stable', 'temporary', 'recurring') AS alert
FROM shapes
ORDER BY monitor DESC;

SELECT monitor, chunk, round(value, 4) AS estimated, round(lower_bound, 4) AS lower, round(upper_bound, 4) AS upper,
       round(realized, 4) AS realized, round(lower_threshold, 4) AS threshold, alert, status
FROM (SELECT w.*, (to_unixtime(w.chunk_start) - to_unixtime(s.since)) / 604800 AS weeks_after
    FROM weekly_performance AS w JOIN shapes AS s USING (monitor)
    WHERE w.monitor IN ('subscription, scores', 'spam, scores'))
WHERE weeks_after BETWEEN -4 AND 4 OR weeks_after > 4 AND weeks_after % 4 = 0
ORDER BY monitor DESC, weeks_after;
