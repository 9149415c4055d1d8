//! One row for each relation: everything that one pass over it tells.
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::super::arguments::Call;
use super::super::profiled::Bounds;
use super::super::roles::column;
use super::super::session_functions::aggregate;
use super::arguments::Asked;
use super::columns::SkewColumn;
use super::findings::{Found, Rows};
use super::sides::Sides;

/// What a call is about.
pub struct Task<'a> {
    pub sides: &'a Sides,
    pub columns: &'a [SkewColumn],
    pub asked: &'a Asked,
}

/// What families of checks add to.
pub struct Report {
    /// Readings over the summaries of the relations.
    pub found: Vec<Found>,
    /// Readings of other plans.
    pub rows: Rows,
    summaries: Vec<Summary>,
    windows: Vec<Expr>,
    bounds: Bounds,
}

/// The columns that the pass over a relation reads, and its aggregates.
#[derive(Default)]
struct Summary {
    inputs: Vec<(String, Expr)>,
    aggregates: Vec<(String, Expr)>,
}

impl Report {
    /// An empty one.
    pub fn new(call: &Call, sides: &Sides) -> Self {
        Self {
            found: vec![],
            rows: Rows::default(),
            summaries: sides.all.iter().map(|_| Summary::default()).collect(),
            windows: vec![],
            bounds: Bounds::of(call, "reference"),
        }
    }

    /// Bounds of profiles, the same on all sides, for bins of one level are compared best.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// An expression over the rows of a relation, under a name; named once, it is read once.
    pub fn input(&mut self, side: usize, name: &str, expr: Expr) -> Expr {
        if let Some(summary) = self.summaries.get_mut(side)
            && summary.inputs.iter().all(|(known, _)| known != name)
        {
            summary.inputs.push((name.to_owned(), expr));
        }
        column(name)
    }

    /// An aggregate over these, as the summary names it.
    pub fn aggregate(&mut self, side: usize, name: &str, expr: Expr) -> Expr {
        let name = format!("__{side}_{name}");
        if let Some(summary) = self.summaries.get_mut(side)
            && summary.aggregates.iter().all(|(known, _)| *known != name)
        {
            summary.aggregates.push((name.clone(), expr));
        }
        column(&name)
    }

    /// A profile of a column.
    pub fn profile(
        &mut self,
        call: &Call,
        (side, name): (usize, &str),
        function: &str,
        inputs: Vec<Expr>,
    ) -> Result<Expr> {
        let bounds = [
            lit(self.bounds.max_bins as i64),
            lit(i64::from(self.bounds.min_level)),
        ];
        let profile = aggregate(call, function, inputs.into_iter().chain(bounds).collect())?;
        Ok(self.aggregate(side, name, profile))
    }

    /// A window function over the summaries, as a column beside them.
    pub fn window(&mut self, name: &str, expr: Expr) -> Expr {
        self.windows.push(expr.alias(name));
        column(name)
    }

    /// The readings over the summaries become rows too.
    pub fn into_rows(mut self, sides: &Sides) -> Result<Rows> {
        let mut joined: Option<LogicalPlanBuilder> = None;
        for (summary, relation) in self.summaries.into_iter().zip(&sides.all) {
            if summary.aggregates.is_empty() {
                continue;
            }
            let named = |exprs: Vec<(String, Expr)>| -> Vec<Expr> {
                exprs
                    .into_iter()
                    .map(|(name, expr)| expr.alias(name))
                    .collect()
            };
            let plan = LogicalPlanBuilder::from(relation.side.input.clone())
                .project(named(summary.inputs))?
                .aggregate(Vec::<Expr>::new(), named(summary.aggregates))?;
            joined = Some(match joined {
                None => plan,
                Some(joined) => joined.cross_join(plan.build()?)?,
            });
        }
        let plan = joined.unwrap_or_else(|| LogicalPlanBuilder::empty(true));
        let plan = match self.windows.is_empty() {
            true => plan,
            false => plan.window(self.windows)?,
        };
        self.rows.add(plan.build()?, self.found)?;
        Ok(self.rows)
    }
}

/// The plan of a relation, `inputs` under their names.
pub fn rows_with(input: &LogicalPlan, inputs: Vec<Expr>) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(input.clone())
        .project(inputs)?
        .build()
}
