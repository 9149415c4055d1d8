//! Readings as rows, and the one place that decides which of them is a finding.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, not, when};

use super::super::arguments::Call;
use super::super::roles::column;
use super::super::session_functions::over_everything;
use super::arguments::Asked;
use crate::functions::SKEW_FIELDS;
use crate::kernel::skew::SkewCheck;

/// Columns of the result.
pub const COLUMNS: [&str; 10] = [
    "check_name",
    "severity",
    "column_name",
    "statistic",
    "value",
    "threshold",
    "p_value",
    "status",
    "evidence",
    "suggestion",
];

/// What a column of the result holds.
pub fn meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "check_name" => "What was checked.",
        "severity" => "critical, warning or info; NULL unless it is a finding.",
        "column_name" => "The column; NULL for checks of rows or of the model.",
        "statistic" => "What value is.",
        "value" => "How large the effect is; NULL where the check could not be made.",
        "threshold" => "What the value of a finding exceeds; min_effect sets it.",
        "p_value" => {
            "Probability of such an effect without skew; a finding's is at most false_alarm_rate divided by the number of tests. NULL \
             where chance has no part."
        }
        "status" => "finding, passed or not_run.",
        "evidence" => "A sentence with the numbers, or why the check could not be made.",
        "suggestion" => "What to do; NULL unless it is a finding.",
        _ => return None,
    })
}

/// A list of readings over the columns of a plan of one row.
pub struct Found {
    /// The column that they are of.
    pub column: Option<String>,
    /// The list.
    pub readings: Expr,
}

impl Found {
    /// Of a column.
    pub fn of(column: &str, readings: Expr) -> Self {
        Self {
            column: Some(column.to_owned()),
            readings,
        }
    }

    /// Of no column.
    pub fn of_rows(readings: Expr) -> Self {
        Self {
            column: None,
            readings,
        }
    }
}

/// Rows of readings.
#[derive(Default)]
pub struct Rows(Option<LogicalPlanBuilder>);

impl Rows {
    /// Adds the readings of a plan of one row.
    pub fn add(&mut self, plan: LogicalPlan, found: Vec<Found>) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let element = |found: Found| {
            let name = lit(ScalarValue::Utf8(found.column));
            named_struct(vec![
                lit("column_name"),
                name,
                lit("readings"),
                found.readings,
            ])
        };
        let elements = found.into_iter().map(element).collect();
        let of = |name: &str| get_field(column("__found"), name);
        let field = |name: &str| get_field(column("__reading"), name).alias(name);
        let fields = SKEW_FIELDS.iter().map(|known| field(known.name()));
        let rows = LogicalPlanBuilder::from(plan)
            .project(vec![make_array(elements).alias("__found")])?
            .unnest_column("__found")?
            .project(vec![
                of("column_name").alias("column_name"),
                of("readings").alias("__reading"),
            ])?
            .unnest_column("__reading")?
            .project(
                [column("column_name")]
                    .into_iter()
                    .chain(fields)
                    .collect::<Vec<_>>(),
            )?;
        self.union(rows)
    }

    /// Adds a row for a check that the relations or arguments do not allow.
    pub fn not_run(&mut self, check: SkewCheck, asked: &Asked, why: &str) -> Result<()> {
        if !asked.wants(check) {
            return Ok(());
        }
        let value = |name: &str, kind: &DataType| {
            Ok(match name {
                "check_name" => ScalarValue::from(check.name()),
                "threshold" => ScalarValue::from(asked.least(check)),
                "has_pattern" => ScalarValue::from(false),
                "evidence" => ScalarValue::from(why),
                _ => ScalarValue::try_from(kind)?,
            })
        };
        let mut columns = vec![lit(ScalarValue::Utf8(None)).alias("column_name")];
        for field in SKEW_FIELDS.iter() {
            let value: Result<ScalarValue> = value(field.name(), field.data_type());
            columns.push(lit(value?).alias(field.name()));
        }
        self.union(LogicalPlanBuilder::empty(true).project(columns)?)
    }

    fn union(&mut self, rows: LogicalPlanBuilder) -> Result<()> {
        self.0 = Some(match self.0.take() {
            None => rows,
            Some(known) => known.union(rows.build()?)?,
        });
        Ok(())
    }
}

/// The result: of the checks that are asked for, the findings, or all rows with what became of them.
///
/// A finding has the pattern of its check, exceeds its threshold, and is not explained by chance: its p-value is at most
/// `false_alarm_rate` divided by the number of p-values (Bonferroni), whatever goes together with what.
pub fn judged(call: &Call, rows: Rows, asked: &Asked) -> Result<LogicalPlan> {
    let Some(rows) = rows.0 else {
        return plan_err!(
            "{}: none of the checks ({}) can be made of these relations. Expected others, or no 'checks'",
            call.function(),
            asked
                .checks()
                .iter()
                .map(|check| check.name())
                .collect::<Vec<_>>()
                .join(", ")
        );
    };
    let names = asked.checks().iter().map(|check| lit(check.name()));
    let names = names.collect();
    let tests = over_everything(call, "count", vec![column("p_value")], &["check_name"])?;
    let status = status(asked)?;
    let finding = || column("status").eq(lit("finding"));
    let only_finding = |name: &str| when(finding(), column(name)).end();
    let kept = rows.schema().columns().into_iter().map(Expr::Column);
    let kept: Vec<Expr> = kept.collect();
    let judged = rows
        .filter(column("check_name").in_list(names, false))?
        .window(vec![tests.alias("__tests")])?
        .project(
            kept.into_iter()
                .chain([status.alias("status")])
                .collect::<Vec<_>>(),
        )?;
    let judged = match asked.include_passed {
        true => judged,
        false => {
            // what was asked for by name, or would have been checked with more data, is not passed over in silence
            let is_told = column("status").eq(lit("not_run"));
            let is_told = match asked.is_named {
                true => is_told,
                false => is_told.and(column("has_pattern")),
            };
            judged.filter(finding().or(is_told))?
        }
    };
    let result = COLUMNS.map(|name| match name {
        "severity" | "suggestion" => only_finding(name).map(|expr| expr.alias(name)),
        _ => Ok(column(name)),
    });
    let result: Result<Vec<Expr>> = result.into_iter().collect();
    judged.project(result?)?.alias(call.function())?.build()
}

/// What became of a check, beside the number of p-values.
fn status(asked: &Asked) -> Result<Expr> {
    let level = lit(asked.false_alarm_rate) / cast(column("__tests"), DataType::Float64);
    let by_chance = column("p_value").gt(level).is_true();
    let is_finding = column("value")
        .gt(column("threshold"))
        .and(column("has_pattern"))
        .and(not(by_chance));
    when(column("value").is_null(), lit("not_run"))
        .when(is_finding, lit("finding"))
        .otherwise(lit("passed"))
}
