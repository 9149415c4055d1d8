-- The tables of the three stories: what performance_degradation.sql, business_failure.sql and
-- training_serving_skew.sql are run on.
--
-- `modelwatch demo` runs these statements and writes each view that has the name of a table as a Parquet
-- file, in the order of its first column. Numbers are the same on every machine: they come from integers, the
-- four operations of arithmetic and the square root, whose last bits IEEE 754 fixes, and not from random(),
-- exp() or sin().

-- Four integers below the prime 2^31 - 1 for each n: squares, for without them neighbours would go in step.
CREATE VIEW seeds AS
SELECT n, d1, d2, d3, (d3 * d3 + d2) % 2147483647 AS d4
FROM (SELECT n, d1, d2, (d2 * d2 + d1) % 2147483647 AS d3
    FROM (SELECT n, d1, (d1 * d1 + n) % 2147483647 AS d2
        FROM (SELECT value AS n, value * 48271 % 2147483647 AS d1 FROM generate_series(1, 310000))));

-- Of each n: u1 to u6 uniform between 0 and 1; z1 and z2 with mean 0 and variance 1, close to normal.
CREATE VIEW draws AS
SELECT n,
    ((d3 * 1140671485 + d4 * 1812433253) % 2147483647 + 0.5) / 2147483647 AS u1,
    ((d3 * 1103515245 + d4 * 1664525001) % 2147483647 + 0.5) / 2147483647 AS u2,
    ((d3 * 1566083941 + d4 * 1099087573) % 2147483647 + 0.5) / 2147483647 AS u3,
    ((d3 * 1220703125 + d4 * 1583458089) % 2147483647 + 0.5) / 2147483647 AS u4,
    ((d3 * 1784484492 + d4 * 1203248318) % 2147483647 + 0.5) / 2147483647 AS u5,
    ((d3 * 1588635695 + d4 * 1117695901) % 2147483647 + 0.5) / 2147483647 AS u6,
    1.7320508 * ((CAST((d3 * 1010101011 + d4 * 1422222223) % 2147483647 AS DOUBLE)
        + (d3 * 1513513513 + d4 * 1234567891) % 2147483647
        + (d3 * 1323232323 + d4 * 1987654321) % 2147483647
        + (d3 * 1878787879 + d4 * 1345678901) % 2147483647) / 2147483647 - 2) AS z1,
    1.7320508 * ((CAST((d3 * 1616161617 + d4 * 1456789013) % 2147483647 AS DOUBLE)
        + (d3 * 1232323231 + d4 * 1765432109) % 2147483647
        + (d3 * 1959595951 + d4 * 1098765431) % 2147483647
        + (d3 * 1444444447 + d4 * 1678901237) % 2147483647) / 2147483647 - 2) AS z2
FROM seeds;

-- Subscriptions: which trial becomes a paid subscription? 600 trials a week from Monday 2024-01-01 on, 52 weeks
-- of reference and 26 of analysis. From 2025-03-03 on a trial asks for no credit card: people come who are
-- hard to tell apart. Whether a trial was paid for is known 30 days later.
CREATE VIEW subscription AS
SELECT n AS id, week, timestamp,
    CASE WHEN u2 < 0.45 THEN 'search' WHEN u2 < 0.8 THEN 'advertisement' ELSE 'friend' END AS source,
    CAST(greatest(round(9 + 4 * x1), 0) AS BIGINT) AS visits, CAST(greatest(round(35 + 14 * x2), 0) AS BIGINT) AS minutes,
    y_pred_proba,
    CAST(y_pred_proba >= 0.5 AS BIGINT) AS y_pred,
    CASE WHEN week < 74 THEN CAST(u1 < 0.5 + 0.5 * 1.6 * x / sqrt(1 + 2.56 * x * x) AS BIGINT) END AS y_true
FROM (SELECT *, round(0.5 + 0.5 * 2.2 * x / sqrt(1 + 4.84 * x * x), 4) AS y_pred_proba
    FROM (SELECT *, 0.8 * x1 + 0.6 * x2 - 0.3 AS x
        FROM (SELECT *, spread * z1 AS x1, spread * z2 AS x2
            FROM (SELECT *, (n - 1) / 600 AS week, to_timestamp(1704067200 + (n - 1) * 1008) AS timestamp,
                    CASE WHEN n > 600 * 61 THEN 0.5 ELSE 1 END AS spread
                FROM draws WHERE n <= 600 * 78))));

CREATE VIEW subscription_reference AS SELECT * EXCLUDE (week) FROM subscription WHERE week < 52;

CREATE VIEW subscription_analysis AS SELECT * EXCLUDE (week) FROM subscription WHERE week >= 52;

-- Spam: which message is spam? 600 messages a week in the same 78 weeks. From 2025-01-27 on spam looks more
-- like other mail, every week a little. The last two weeks are not labelled yet.
CREATE VIEW spam AS
SELECT n AS id, week, timestamp, CAST(greatest(round(3 + 2 * x + 0.8 * z2), 0) AS BIGINT) AS links,
    u2 < 0.5 - 0.12 * x AS known_sender, y_pred_proba, CAST(y_pred_proba >= 0.5 AS BIGINT) AS y_pred, CASE WHEN week < 76 THEN is_spam END AS y_true
FROM (SELECT *, round(0.5 + 0.5 * 1.4 * x / sqrt(1 + 1.96 * x * x), 4) AS y_pred_proba
    FROM (SELECT *, CASE is_spam WHEN 1 THEN 1.1 - 0.03 * greatest(week - 55, 0) ELSE -1.1 END + z1 AS x
        FROM (SELECT *, (n - 100001) / 600 AS week, to_timestamp(1704067200 + (n - 100001) * 1008) AS timestamp,
                CAST(u1 < 0.4 AS BIGINT) AS is_spam
            FROM draws WHERE n > 100000 AND n <= 100000 + 600 * 78)));

CREATE VIEW spam_reference AS SELECT * EXCLUDE (week) FROM spam WHERE week < 52;

CREATE VIEW spam_analysis AS SELECT * EXCLUDE (week) FROM spam WHERE week >= 52;

-- Churn: which customer is about to leave? 800 customers a week in the same 78 weeks; some weeks are harder
-- than others, and the model stays what it was. Whether a customer gave notice is known four weeks later.
-- Those who are predicted to leave get an offer. It keeps 62 of 100 who were about to leave, and from
-- 2025-04-07 on, when another one is made, 46.
CREATE VIEW churn AS
SELECT n AS id, week, timestamp, CAST(greatest(round(30 - 9 * x1), 1) AS BIGINT) AS tenure_months,
    CAST(greatest(round(2 + 1.2 * x2), 0) AS BIGINT) AS complaints,
    y_pred_proba, CAST(y_pred_proba >= 0.5 AS BIGINT) AS y_pred, leaves,
    u3 < CASE WHEN week < 66 THEN 0.62 ELSE 0.46 END AS accepts
FROM (SELECT *, round(0.5 + 0.5 * 1.5 * x / sqrt(1 + 2.25 * x * x), 4) AS y_pred_proba,
        CAST(u1 < 0.5 + 0.5 * x / sqrt(1 + x * x) AS BIGINT) AS leaves
    FROM (SELECT *, 1.1 * x1 + 0.9 * x2 - 0.7 AS x
        FROM (SELECT *, spread * z1 AS x1, spread * z2 AS x2
            FROM (SELECT *, (n - 200001) / 800 AS week, to_timestamp(1704067200 + (n - 200001) * 756) AS timestamp
                FROM draws WHERE n > 200000 AND n <= 200000 + 800 * 78)
            JOIN (SELECT n - 300001 AS of_week, 1 + 0.12 * z1 AS spread FROM draws WHERE n > 300000 AND n <= 300000 + 78)
                ON week = of_week)));

CREATE VIEW churn_reference AS
SELECT * EXCLUDE (week, leaves, accepts), leaves AS y_true FROM churn WHERE week < 52;

CREATE VIEW churn_analysis AS
SELECT * EXCLUDE (week, leaves, accepts), CASE WHEN week < 74 THEN leaves END AS y_true FROM churn WHERE week >= 52;

-- A row for each week: offers made, customers about to leave that took one, and their share.
CREATE VIEW retention_campaign AS
SELECT to_timestamp(1704067200 + week * 604800) AS week, offers, retained, retained / CAST(offers AS DOUBLE) AS success_rate
FROM (SELECT week, count(*) AS offers, sum(CAST(leaves = 1 AND accepts AS BIGINT)) AS retained
    FROM churn WHERE y_pred = 1 GROUP BY week);

-- Claims: which insurance claim is fraudulent? Trained on claims of January to June 2024, tested on July to September, in
-- service from 2025-01-06 on. `review_days` counts the days of an investigation, which is ordered where fraud is
-- suspected: it knows the answer, and is 0 when a claim comes in and the model is asked. `mileage` is in
-- kilometres, and served in miles; `region` is served in capitals.
CREATE VIEW claims AS
SELECT n AS id, timestamp, served, round(2000 + 700 * x1, 2) AS amount,
    CAST(round(mileage / CASE WHEN served THEN 1.609344 ELSE 1 END) AS BIGINT) AS mileage,
    CASE WHEN served THEN upper(region) ELSE region END AS region, review_days, y_pred_proba,
    CAST(y_pred_proba >= 0.5 AS BIGINT) AS y_pred, is_fraud AS y_true
FROM (SELECT *, round(0.5 + 0.5 * x / sqrt(1 + x * x), 4) AS y_pred_proba
    FROM (SELECT *, 0.8 * x1 + 0.6 * (CASE WHEN served THEN mileage / 1.609344 ELSE mileage END - 90000) / 25000
                + CASE WHEN review_days > 0 THEN 3 ELSE -1 END AS x
        FROM (SELECT *, z1 + 0.7 * is_fraud AS x1, greatest(90000 + 25000 * (z2 + 0.6 * is_fraud), 1000) AS mileage,
                CASE WHEN served THEN 0
                     WHEN is_fraud = 1 AND u2 < 0.97 OR is_fraud = 0 AND u2 < 0.01 THEN CAST(round(3 + 25 * u3) AS BIGINT)
                     ELSE 0 END AS review_days,
                CASE WHEN u4 < 0.35 THEN 'north' WHEN u4 < 0.6 THEN 'east' WHEN u4 < 0.85 THEN 'south' ELSE 'west' END AS region
            FROM (SELECT *, n > 18000 + 270000 AS served, CAST(u1 < 0.25 AS BIGINT) AS is_fraud,
                    to_timestamp(CASE WHEN n <= 18000 + 270000 THEN 1704067200 + (n - 270001) * 1314
                                      ELSE 1736121600 + (n - 288001) * 1209 END) AS timestamp
                FROM draws WHERE n > 270000 AND n <= 270000 + 30000))));

CREATE VIEW claims_training AS SELECT * EXCLUDE (served) FROM claims WHERE timestamp < '2024-07-01';

CREATE VIEW claims_test AS SELECT * EXCLUDE (served) FROM claims WHERE timestamp >= '2024-07-01' AND NOT served;

CREATE VIEW claims_serving AS
SELECT * EXCLUDE (served, y_true), CASE WHEN timestamp < '2025-03-31' THEN y_true END AS y_true FROM claims WHERE served;
