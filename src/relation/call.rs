//! The only `RelationPlanner`: recognizes calls of the table functions and hands them their arguments.
use std::fmt;
use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, FunctionArg, FunctionArgExpr, ObjectName, TableFactor,
};

use super::RelationSpec;
use super::arguments::Call;
use crate::suggest::{expected_one_of, nearest};

/// A way to the session that does not keep it alive: planners belong to the session themselves.
type Session = Box<dyn Fn() -> Option<SessionState> + Send + Sync>;

/// Plans the calls of every table function of the registry.
pub struct MonitorPlanner {
    relations: &'static [&'static RelationSpec],
    session: Session,
}

impl fmt::Debug for MonitorPlanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.relations.iter().map(|r| r.name).collect();
        write!(f, "MonitorPlanner({})", names.join(", "))
    }
}

impl MonitorPlanner {
    /// A planner for `ctx`.
    pub fn new(ctx: &SessionContext, relations: &'static [&'static RelationSpec]) -> Arc<Self> {
        let state = ctx.state_weak_ref();
        Arc::new(Self {
            relations,
            session: Box::new(move || state.upgrade().map(|state| state.read().clone())),
        })
    }

    fn find(&self, name: &ObjectName) -> Option<&'static RelationSpec> {
        let [part] = name.0.as_slice() else {
            return None;
        };
        let called = &part.as_ident()?.value;
        let mut relations = self.relations.iter();
        relations
            .find(|r| called.eq_ignore_ascii_case(r.name))
            .copied()
    }

    /// Refuses a table function that nobody else plans and that is nearly one of ours: DataFusion's own answer
    /// is about the first argument that has a name.
    fn refuse_misspelt(&self, name: &ObjectName) -> Result<()> {
        let Some(state) = (self.session)() else {
            return Ok(());
        };
        let called = name.to_string();
        let known = state
            .table_functions()
            .contains_key(&called.to_ascii_lowercase());
        let names: Vec<&str> = self.relations.iter().map(|r| r.name).collect();
        match nearest(&called, &names) {
            Some(_) if !known && state.relation_planners().len() == 1 => plan_err!(
                "there is no table function '{called}'. {}",
                expected_one_of(&called, &names)
            ),
            _ => Ok(()),
        }
    }
}

impl RelationPlanner for MonitorPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let (spec, args, alias) = match &relation {
            TableFactor::Table {
                name,
                args: Some(args),
                alias,
                ..
            } => match self.find(name) {
                Some(spec) => (spec, &args.args, alias.clone()),
                None => {
                    self.refuse_misspelt(name)?;
                    return Ok(RelationPlanning::Original(Box::new(relation)));
                }
            },
            // `LATERAL f(...)`, and `f(...)` after a comma in some dialects
            TableFactor::Function { name, lateral, .. } => match self.find(name) {
                Some(spec) if *lateral => return refuse_lateral(spec),
                Some(spec) => {
                    return plan_err!(
                        "{}: expected the call in FROM, not behind LATERAL",
                        spec.name
                    );
                }
                None => return Ok(RelationPlanning::Original(Box::new(relation))),
            },
            _ => return Ok(RelationPlanning::Original(Box::new(relation))),
        };
        let arguments = named_arguments(spec, args, context)?;
        let state = (self.session)();
        let plan = (spec.expand)(&mut Call::new(spec, arguments, context, state))?;
        if !plan.all_out_ref_exprs().is_empty() {
            return refuse_lateral(spec);
        }
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
            plan, alias,
        ))))
    }
}

fn refuse_lateral<T>(spec: &RelationSpec) -> Result<T> {
    plan_err!(
        "{}: arguments that depend on an outer row (LATERAL or correlated) are not supported. \
         Expected relations that stand on their own. Hint: write by => [column] for one result per group",
        spec.name
    )
}

/// Arguments by lower-case name; positional ones take the names in order.
fn named_arguments(
    spec: &RelationSpec,
    args: &[FunctionArg],
    context: &dyn RelationPlannerContext,
) -> Result<Vec<(String, SqlExpr)>> {
    let mut found: Vec<(String, SqlExpr)> = Vec::with_capacity(args.len());
    for (position, arg) in args.iter().enumerate() {
        let (name, sql) = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(sql)) => (positional(spec, position, &found, sql)?, sql),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(sql), .. }
            // what the Postgres dialect yields for `name => value`
            | FunctionArg::ExprNamed {
                name: SqlExpr::Identifier(name),
                arg: FunctionArgExpr::Expr(sql),
                ..
            } => (context.normalize_ident(name.clone()).to_ascii_lowercase(), sql),
            other => return plan_err!("{}: cannot read argument `{other}`. Expected name => value", spec.name),
        };
        let names: Vec<&str> = spec.arguments.iter().map(|(name, _)| *name).collect();
        if !names.contains(&name.as_str()) {
            return plan_err!(
                "{}: unknown argument '{name}'. {}",
                spec.name,
                expected_one_of(&name, &names)
            );
        }
        if found.iter().any(|(given, _)| *given == name) {
            return plan_err!(
                "{}: argument '{name}' is given twice. Expected it once",
                spec.name
            );
        }
        found.push((name, sql.clone()));
    }
    Ok(found)
}

fn positional(
    spec: &RelationSpec,
    position: usize,
    found: &[(String, SqlExpr)],
    sql: &SqlExpr,
) -> Result<String> {
    match spec.arguments.get(position) {
        Some((name, _)) if position < spec.positional && position == found.len() => {
            Ok((*name).to_string())
        }
        _ => plan_err!(
            "{}: argument {} (`{sql}`) has no name. Expected name => value after the first {}",
            spec.name,
            position + 1,
            spec.positional
        ),
    }
}
