//! Faults that are put into clean splits, one at a time, and what finds each.

/// A fault.
pub struct Fault {
    /// What was done.
    pub name: &'static str,
    /// Relations in place of `training`, `test` and `serving`; empty for the clean one.
    pub relations: [&'static str; 3],
    /// The check that finds it.
    pub check: &'static str,
    /// The column that it names; empty for none.
    pub column: &'static str,
    /// Other checks that may tell the same fault of this column or, of rows and of the model, of none.
    pub also: &'static [&'static str],
}

const fn fault(
    name: &'static str,
    (check, column): (&'static str, &'static str),
    relations: [&'static str; 3],
    also: &'static [&'static str],
) -> Fault {
    Fault {
        name,
        relations,
        check,
        column,
        also,
    }
}

/// A fault in serving, which trees may see too.
const fn served(
    name: &'static str,
    check: &'static str,
    column: &'static str,
    serving: &'static str,
    also: &'static [&'static str],
) -> Fault {
    fault(name, (check, column), ["", "", serving], also)
}

macro_rules! with {
    ($from:literal, $expr:literal) => {
        concat!("(SELECT * REPLACE (", $expr, ") FROM ", $from, ")")
    };
    ($expr:literal) => {
        with!("serving", $expr)
    };
}

/// Every fault.
pub const FAULTS: [Fault; 40] = [
    served(
        "twice the missing values",
        "null_rate",
        "balance",
        with!("CASE WHEN id % 11 = 0 THEN NULL ELSE balance END AS balance"),
        &[],
    ),
    served(
        "missing texts",
        "null_rate",
        "country",
        with!("CASE WHEN id % 25 = 0 THEN NULL ELSE country END AS country"),
        &[],
    ),
    served(
        "missing values drawn from elsewhere",
        "null_rate",
        "balance",
        with!("coalesce(balance, 600 * ratio) AS balance"),
        &[],
    ),
    served(
        "missing values as 0",
        "default_value",
        "balance",
        with!("coalesce(balance, 0) AS balance"),
        &["null_rate"],
    ),
    served(
        "missing values as -999",
        "default_value",
        "balance",
        with!("coalesce(balance, -999) AS balance"),
        &["null_rate"],
    ),
    served(
        "a default in complete rows",
        "default_value",
        "income",
        with!("CASE WHEN id % 13 = 0 THEN 0 ELSE income END AS income"),
        &[],
    ),
    served(
        "a clipped range",
        "default_value",
        "income",
        with!("least(income, 3500.0) AS income"),
        &[],
    ),
    served(
        "a default category",
        "unseen_category",
        "plan",
        with!("CASE WHEN id % 9 = 0 THEN 'unknown' ELSE plan END AS plan"),
        &["default_value"],
    ),
    served(
        "one category",
        "constant_column",
        "plan",
        with!("'basic' AS plan"),
        &[],
    ),
    served(
        "one number",
        "constant_column",
        "tenure",
        with!("0 AS tenure"),
        &[],
    ),
    served(
        "a join that lost every match",
        "constant_column",
        "balance",
        with!("CAST(NULL AS DOUBLE) AS balance"),
        &["null_rate"],
    ),
    served(
        "thousands",
        "unit_scale",
        "income",
        with!("income / 1000 AS income"),
        &[],
    ),
    served(
        "cents",
        "unit_scale",
        "income",
        with!("income * 100 AS income"),
        &[],
    ),
    served(
        "percent",
        "unit_scale",
        "ratio",
        with!("ratio * 100 AS ratio"),
        &[],
    ),
    served(
        "Fahrenheit",
        "unit_scale",
        "temperature",
        with!("1.8 * temperature + 32 AS temperature"),
        &[],
    ),
    served(
        "pounds, rounded",
        "unit_scale",
        "weight",
        with!("round(weight / 0.45359237, 1) AS weight"),
        &[],
    ),
    served(
        "months",
        "unit_scale",
        "tenure",
        with!("12 * tenure AS tenure"),
        &[],
    ),
    served(
        "a logarithm",
        "unit_scale",
        "income",
        with!("ln(income) AS income"),
        &[],
    ),
    served(
        "standardized twice",
        "unit_scale",
        "weight",
        with!("(weight - 80) / 15 AS weight"),
        &[],
    ),
    served(
        "negatives",
        "unit_scale",
        "balance",
        with!("-balance AS balance"),
        &[],
    ),
    served(
        "lower case",
        "category_format",
        "country",
        with!("lower(country) AS country"),
        &[],
    ),
    served(
        "blanks",
        "category_format",
        "plan",
        with!("concat(plan, '  ') AS plan"),
        &[],
    ),
    served(
        "numbers as texts with a decimal",
        "category_format",
        "code",
        with!("concat(code, '.0') AS code"),
        &[],
    ),
    served(
        "one source in lower case",
        "category_format",
        "country",
        with!("CASE WHEN id % 14 = 0 THEN lower(country) ELSE country END AS country"),
        &[],
    ),
    served(
        "a new category",
        "unseen_category",
        "country",
        with!("CASE WHEN id % 20 = 0 THEN 'LU' ELSE country END AS country"),
        &["default_value"],
    ),
    served(
        "one decimal",
        "rounding",
        "ratio",
        with!("round(ratio, 1) AS ratio"),
        &[],
    ),
    served(
        "single precision",
        "rounding",
        "balance",
        with!("CAST(CAST(balance AS FLOAT) AS DOUBLE) AS balance"),
        &[],
    ),
    served(
        "local time",
        "time_zone_offset",
        "timestamp",
        with!("timestamp + INTERVAL '2 hours' AS timestamp"),
        &[],
    ),
    served(
        "local time of a feature",
        "time_zone_offset",
        "seen_at",
        with!("seen_at - INTERVAL '330 minutes' AS seen_at"),
        &[],
    ),
    served(
        "a column that is not served",
        "missing_column",
        "plan",
        "(SELECT * EXCEPT (plan) FROM serving)",
        &[],
    ),
    served(
        "a number served as text",
        "column_type",
        "age",
        with!("CAST(age AS VARCHAR) AS age"),
        &[],
    ),
    served(
        "columns that no longer go together",
        "adversarial_validation",
        "",
        with!("CAST(floor(15 * abs(sin(id * 12.9898) * 43758.5453) % 15) AS BIGINT) AS tenure"),
        &[],
    ),
    served(
        "a model that was deployed wrongly",
        "deployment_drop",
        "",
        with!("ratio AS y_pred_proba"),
        &[],
    ),
    served(
        "scores without contrast, no labels",
        "deployment_drop",
        "",
        "(SELECT * EXCEPT (y_true) REPLACE (0.5 + 0.3 * (y_pred_proba - 0.5) AS y_pred_proba) FROM serving)",
        &[],
    ),
    served(
        "repeated rows",
        "duplicate_key",
        "id",
        "(SELECT * FROM serving UNION ALL SELECT * FROM serving WHERE id % 200 = 0)",
        &[],
    ),
    served(
        "values recomputed differently",
        "key_parity",
        "income",
        "(SELECT * REPLACE (CASE WHEN id % 50 = 0 THEN income + 10 ELSE income END AS income) FROM training)",
        &[],
    ),
    fault(
        "a feature that is known later",
        ("future_timestamp", "seen_at"),
        [
            with!(
                "training",
                "CASE WHEN id % 40 = 0 THEN timestamp + INTERVAL '1 hour' ELSE seen_at END AS seen_at"
            ),
            "",
            "",
        ],
        &[],
    ),
    fault(
        "a feature made from the label",
        ("target_leakage", "balance"),
        [
            with!("training", "3 * y_true + ratio AS balance"),
            with!("test", "3 * y_true + ratio AS balance"),
            with!("3 * y_true + ratio AS balance"),
        ],
        &[],
    ),
    fault(
        "test rows among training rows",
        ("row_overlap", ""),
        [
            "(SELECT * FROM training UNION ALL SELECT * FROM test WHERE id % 10 = 0)",
            "",
            "",
        ],
        &[],
    ),
    fault(
        "a model that knows its training rows",
        ("overfit", ""),
        [
            with!(
                "training",
                "0.5 * y_pred_proba + 0.5 * y_true AS y_pred_proba"
            ),
            "",
            "",
        ],
        &[],
    ),
];
