//! A value that is fitted to the reference, beside the rows that need it.
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, NullEquality, Result, plan_datafusion_err};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, scalar_subquery};

use super::roles::column;

/// The column of the fitted value.
pub const FIT: &str = "__fit";
const FITS: &str = "__fits";

/// A plan with the `by` columns and [`FIT`], a row for each group; without `by`, one row.
#[derive(Debug, Clone)]
pub struct Fit(pub LogicalPlan);

impl Fit {
    /// Rows with the fit of their group as [`FIT`], NULL for a group that the reference lacks.
    ///
    /// Without `by` it is a subquery in a projection: however often a plan holds it, it is evaluated once. With `by`
    /// it is a join, which a plan evaluates as often as it holds it. Filters on a `by` column reach the scan of the
    /// rows, but not that of the fit: a join in which NULL equals NULL passes none on.
    pub fn beside(&self, rows: LogicalPlan, by: &[String]) -> Result<LogicalPlan> {
        let all = |plan: &LogicalPlan| -> Vec<Expr> {
            plan.schema()
                .columns()
                .into_iter()
                .map(Expr::Column)
                .collect()
        };
        if by.is_empty() {
            let fit = scalar_subquery(Arc::new(self.0.clone())).alias(FIT);
            let columns: Vec<Expr> = all(&rows).into_iter().chain([fit]).collect();
            return LogicalPlanBuilder::from(rows).project(columns)?.build();
        }
        let kept = all(&rows);
        let mut left = kept.clone();
        let mut right = vec![make_array(vec![column(FIT)]).alias(FITS)];
        let (mut left_keys, mut right_keys) = (vec![], vec![]);
        for (i, name) in by.iter().enumerate() {
            let common = common_type(&rows, &self.0, name)?;
            let key = |side: &str| format!("__{side}_{i}");
            left.push(cast(column(name), common.clone()).alias(key("row")));
            right.push(cast(column(name), common).alias(key("group")));
            left_keys.push(Column::from_name(key("row")));
            right_keys.push(Column::from_name(key("group")));
        }
        // a hash join holds its left side and streams the other, and puts on the left what statistics call smaller:
        // they overrate the number of groups, so they are hidden behind an unnest
        let groups = LogicalPlanBuilder::from(self.0.clone())
            .project(right)?
            .unnest_column(FITS)?;
        let rows = LogicalPlanBuilder::from(rows).project(left)?.build()?;
        groups
            .join_detailed(
                rows,
                JoinType::Right,
                (right_keys, left_keys),
                None,
                // a NULL is a group like any other
                NullEquality::NullEqualsNull,
            )?
            .project(
                kept.into_iter()
                    .chain([column(FITS).alias(FIT)])
                    .collect::<Vec<_>>(),
            )?
            .build()
    }
}

fn common_type(rows: &LogicalPlan, groups: &LogicalPlan, name: &str) -> Result<DataType> {
    let of = |plan: &LogicalPlan| -> Result<DataType> {
        let field = plan.schema().field_with_unqualified_name(name)?;
        Ok(field.data_type().clone())
    };
    let (left, right) = (of(rows)?, of(groups)?);
    if left == right {
        return Ok(left);
    }
    // `comparable_groups` has told the user
    type_union_coercion(&left, &right)
        .ok_or_else(|| plan_datafusion_err!("'{name}' has types {left} and {right}"))
}
