//! Chunks whose rows are not independent: what the rows of a cluster do to the metrics is added up before it is squared.
//!
//! Influences follow from the profile of the whole chunk, so the rows are read once for the profile and once more for them.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, NullEquality, Result, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::arguments::Call;
use super::roles::column;
use super::session_functions::{aggregate, scalar};

/// The column of the cluster.
pub const CLUSTER: &str = "__cluster";
const ASKED: &str = "__asked";
const TOTALS: &str = "__totals";
const SQUARES: &str = "__squares";

/// What is asked of clusters.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// The cluster of a row; NULL is one, too.
    pub cluster: Expr,
    /// Names of metrics as a list.
    pub metrics: Expr,
    /// Their value matrix.
    pub matrix: Expr,
}

/// The aggregate of influences, and what it reads of a row.
pub struct Influences {
    /// Its name.
    pub function: &'static str,
    /// Columns from the label to the weight.
    pub columns: Vec<Expr>,
    /// Constants after the profile.
    pub constants: Vec<Expr>,
}

impl Clusters {
    /// `chunks` with what the clusters of their `rows` tell in their `profile`; both have the columns of `keys`.
    pub fn told(
        &self,
        call: &Call,
        rows: LogicalPlan,
        chunks: LogicalPlan,
        keys: &[String],
        influences: Influences,
    ) -> Result<LogicalPlan> {
        let by_key = || keys.iter().map(|name| column(name));
        let unknown = ScalarValue::new_null_list(DataType::Float64, true, 1);
        let asked = self.profile(call, lit(unknown))?.alias(ASKED);
        let asked = LogicalPlanBuilder::from(chunks.clone())
            .project(by_key().chain([asked]).collect::<Vec<_>>())?
            .build()?;
        let rows = beside(rows, asked, keys, ASKED)?;
        let arguments = influences.columns.into_iter().chain([column(ASKED)]);
        let arguments = arguments.chain(influences.constants).collect();
        let totals = aggregate(call, influences.function, arguments)?.alias(TOTALS);
        let squares = aggregate(call, "cluster_squares", vec![column(TOTALS)])?.alias(SQUARES);
        let squares = LogicalPlanBuilder::from(rows)
            .aggregate(by_key().chain([column(CLUSTER)]), vec![totals])?
            .aggregate(by_key(), vec![squares])?
            .build()?;
        let columns = chunks.schema().columns();
        let chunks = beside(chunks, squares, keys, SQUARES)?;
        let told = columns.into_iter().map(|found| match found.name.as_str() {
            "profile" => Ok(self.profile(call, column(SQUARES))?.alias("profile")),
            _ => Ok(Expr::Column(found)),
        });
        let told: Result<Vec<Expr>> = told.collect();
        LogicalPlanBuilder::from(chunks).project(told?)?.build()
    }

    fn profile(&self, call: &Call, squares: Expr) -> Result<Expr> {
        let arguments = vec![
            column("profile"),
            self.metrics.clone(),
            self.matrix.clone(),
            squares,
        ];
        scalar(call, "clustered_profile", arguments)
    }
}

/// `rows` with a column of `groups`, which has a row for each of the `keys`; NULL is a key like any other.
pub fn beside(
    rows: LogicalPlan,
    groups: LogicalPlan,
    keys: &[String],
    name: &str,
) -> Result<LogicalPlan> {
    let kept = rows.schema().columns().into_iter().map(Expr::Column);
    let kept: Vec<Expr> = kept.chain([column(name)]).collect();
    let renamed = |i: usize| format!("__group_{i}");
    let named = keys.iter().enumerate();
    let group = named.map(|(i, key)| column(key).alias(renamed(i)));
    let groups = LogicalPlanBuilder::from(groups)
        .project(group.chain([column(name)]).collect::<Vec<_>>())?
        .build()?;
    let left = keys.iter().map(Column::from_name).collect::<Vec<_>>();
    let right: Vec<Column> = (0..keys.len())
        .map(|i| Column::from_name(renamed(i)))
        .collect();
    LogicalPlanBuilder::from(rows)
        .join_detailed(
            groups,
            JoinType::Left,
            (left, right),
            None,
            NullEquality::NullEqualsNull,
        )?
        .project(kept)?
        .build()
}
