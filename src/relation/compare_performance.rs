//! `compare_performance`: estimates held against what the labels said.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};

use super::RelationSpec;
use super::arguments::Call;
use super::compared_rows::{Compared, KEYS, TIMES, common_columns, compared_rows, inner};
use super::roles::column;
use super::series_pairs::same_group;
use crate::kernel::reading::Status;

pub static SPEC: RelationSpec = RelationSpec {
    name: "compare_performance",
    description: "How far estimates can be trusted: each beside the realized value of the same rows, with their difference, its error \
                  (label noise and calibrator) and z. Run again, the same statement fills in as labels arrive.",
    arguments: &[
        (
            "estimated",
            "Rows of estimate_performance; of a table, a CTE or a larger query, made with comparable => true. Labels that are known \
             of a part of the rows only must be known to both sides: the same label, labels, key, label_delay and as_of.",
        ),
        (
            "realized",
            "Rows of realized_performance. Rows are matched by dataset, chunk, metric, column_name, and all other columns that both \
             relations have besides those of every result, as by ones.",
        ),
    ],
    positional: 2,
    example: "SELECT chunk, metric, labelled_estimate, realized, difference, z, status\n\
              FROM compare_performance(\n\
              \x20 estimated => estimate_performance(reference, analysis, labels => labels, key => id, chunk => INTERVAL '1 month'),\n\
              \x20 realized => realized_performance(reference, analysis, labels => labels, key => id, chunk => INTERVAL '1 month'))\n\
              WHERE dataset = 'analysis' ORDER BY metric, chunk_index",
    expand,
};

/// The columns of the result; `by` columns come after the first.
pub const COLUMNS: [&str; 19] = [
    "monitor",
    "dataset",
    "chunk",
    "chunk_index",
    "chunk_start",
    "chunk_end",
    "complete",
    "row_count",
    "used_count",
    "labelled_count",
    "column_name",
    "metric",
    "estimated",
    "labelled_estimate",
    "realized",
    "difference",
    "difference_error",
    "z",
    "status",
];

/// What a column holds that other results do not have, or have with another meaning.
pub fn meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "used_count" => "Labelled rows that entered the realized value.",
        "estimated" => "The estimate from all rows of the chunk.",
        "labelled_estimate" => {
            "The estimate from its labelled rows alone: what realized is expected to be. NULL where status says why."
        }
        "difference" => "labelled_estimate - realized.",
        "difference_error" => {
            "Standard error of difference where the estimator is right: label noise and calibrator."
        }
        "z" => "difference / difference_error: about standard normal where the estimator is right.",
        "status" => {
            "Why there is no difference: no_realized (no such row in realized), repeated_chunk (several rows on a side), other_rows \
             (not the same rows have labels), partly_labelled (of several classes: estimate the labelled rows alone), or the \
             status of the value that is missing; no_error where there is no z. Else the gravest reserve of both sides, or \
             unestimated_rows: realized counts rows that the estimate cannot, such as those without a score."
        }
        _ => return None,
    })
}

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let estimated = compared_rows(call, Compared::Estimated)?;
    let realized = compared_rows(call, Compared::Realized)?;
    let by = common_columns(call, &estimated, &realized)?;
    let keys = || by.iter().map(String::as_str).chain(KEYS);
    let estimated = Compared::Estimated.one_row_each(estimated, &by)?;
    let realized = Compared::Realized.one_row_each(realized, &by)?;
    let matched = LogicalPlanBuilder::from(estimated).join_on(
        realized,
        JoinType::Left,
        keys().map(|key| same_group(key, &inner(key))),
    )?;
    let mut names: Vec<&str> = COLUMNS.to_vec();
    names.splice(1..1, by.iter().map(String::as_str));
    let held = held_against(matched)?;
    let result: Vec<Expr> = names.into_iter().map(column).collect();
    standardized(held)?
        .project(result)?
        .alias(call.function())?
        .build()
}

/// Of the realized side.
fn realized(name: &str) -> Expr {
    column(&inner(name))
}

/// All columns but those of these names, and these.
fn with(plan: LogicalPlanBuilder, computed: &[(&str, Expr)]) -> Result<LogicalPlanBuilder> {
    let kept = plan.schema().columns().into_iter();
    let kept = kept.filter(|kept| !computed.iter().any(|(name, _)| *name == kept.name));
    let computed = computed
        .iter()
        .map(|(name, expr)| expr.clone().alias(*name));
    let columns: Vec<Expr> = kept.map(Expr::Column).chain(computed).collect();
    plan.project(columns)
}

/// The estimate of those rows that the realized value is of, with its error and their number.
fn held_against(matched: LogicalPlanBuilder) -> Result<LogicalPlanBuilder> {
    let once = column(TIMES)
        .eq(lit(1i64))
        .and(realized(TIMES).eq(lit(1i64)));
    let labelled = realized("labelled_count");
    let any = once.clone().and(labelled.clone().gt(lit(0i64)));
    // rows that had labels have them still, so the same number is of the same rows
    let same = any
        .clone()
        .and(column("labelled_count").eq(labelled.clone()));
    let all = any
        .and(labelled.eq(realized("row_count")))
        .and(column("row_count").eq(realized("row_count")));
    let all = all.or(same
        .clone()
        .and(column("labelled_count").eq(column("row_count"))));
    let flagged = with(
        matched,
        &[("__once", once), ("__same", same), ("__all", all)],
    )?;
    let alone = column("__same").and(column("labelled_estimate").is_not_null());
    let of = |labelled: &str, whole: &str| {
        when(alone.clone(), column(labelled))
            .when(column("__all"), column(whole))
            .end()
    };
    let computed = [
        (
            "labelled_estimate",
            of("labelled_estimate", "realized_estimate")?,
        ),
        ("__error", of("labelled_error", "realized_error")?),
        ("__held_count", of("labelled_used_count", "used_count")?),
        (
            "estimated",
            when(column(TIMES).eq(lit(1i64)), column("value")).end()?,
        ),
        ("realized", when(column("__once"), realized("value")).end()?),
        (
            "used_count",
            when(column("__once"), realized("used_count")).end()?,
        ),
        (
            "labelled_count",
            when(column("__once"), realized("labelled_count")).end()?,
        ),
    ];
    with(flagged, &computed)
}

/// The difference in units of its error, and the status.
fn standardized(held: LogicalPlanBuilder) -> Result<LogicalPlanBuilder> {
    let difference = column("labelled_estimate") - column("realized");
    let held = with(held, &[("difference", difference)])?;
    let known = column("difference").is_not_null();
    let error = when(known, column("__error")).end()?;
    let held = with(held, &[("difference_error", error)])?;
    let error = column("difference_error");
    let z = when(error.clone().gt(lit(0.0)), column("difference") / error).end()?;
    let held = with(held, &[("z", z)])?;
    let status = status()?;
    with(held, &[("status", status)])
}

/// Why there is no difference or no z, or else the gravest reserve of both sides.
fn status() -> Result<Expr> {
    let unestimated = column("used_count").not_eq(column("__held_count"));
    let mut status = when(realized(TIMES).is_null(), lit("no_realized"));
    let mut status = status
        .when(column("__once").is_not_true(), lit("repeated_chunk"))
        .when(column("realized").is_null(), realized("status"))
        .when(column("estimated").is_null(), column("status"))
        .when(
            column("labelled_estimate").is_null().and(column("__same")),
            lit("partly_labelled"),
        )
        .when(column("labelled_estimate").is_null(), lit("other_rows"))
        .when(column("z").is_null(), lit("no_error"))
        .when(unestimated, lit("unestimated_rows"));
    // of what thresholds rest on nothing is said here, and what is graver has no value
    let reserves = Status::ALL
        .into_iter()
        .rev()
        .filter(|status| (Status::SmallReference..Status::SingleClass).contains(status));
    for reserve in reserves {
        let told = |status: Expr| status.eq(lit(reserve.name()));
        let either = told(column("status")).or(told(realized("status")));
        status = status.when(either, lit(reserve.name()));
    }
    Ok(cast(
        status.otherwise(lit(Status::Ok.name()))?,
        DataType::Utf8,
    ))
}
