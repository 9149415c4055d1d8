//! Relation arguments: a table, `TABLE(x)`, a CTE, a subquery or another table function.
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result, TableReference, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    TableFactor, TableFunctionArgs, Value,
};
use futures::FutureExt;

use super::arguments::{Call, is_named};

impl Call<'_> {
    /// Plans a relation argument; `None` when it is not given.
    pub fn relation(&mut self, name: &str) -> Result<Option<LogicalPlan>> {
        let Some(sql) = self.sql(name) else {
            return Ok(None);
        };
        self.relation_of(name, sql).map(Some)
    }

    fn relation_of(&mut self, name: &str, sql: SqlExpr) -> Result<LogicalPlan> {
        match sql {
            SqlExpr::Nested(inner) => self.relation_of(name, *inner),
            SqlExpr::Subquery(subquery) => self.context.plan(TableFactor::Derived {
                lateral: false,
                subquery,
                alias: None,
                sample: None,
            }),
            SqlExpr::Identifier(ident) => self.named_relation(ObjectName::from(vec![ident])),
            SqlExpr::CompoundIdentifier(idents) => self.named_relation(ObjectName::from(idents)),
            SqlExpr::Value(value) => match value.value {
                Value::SingleQuotedString(path) => {
                    self.named_relation(ObjectName::from(vec![Ident::with_quote('"', path)]))
                }
                other => self.not_a_relation(name, &other.to_string()),
            },
            SqlExpr::Function(call) if is_named(&call, "table") => match only_argument(&call) {
                Some(inner) => self.relation_of(name, inner),
                None => self.not_a_relation(name, &call.to_string()),
            },
            SqlExpr::Function(call) => self
                .context
                .plan(table_factor(call.name, list_of(call.args))),
            other => self.not_a_relation(name, &other.to_string()),
        }
    }

    fn not_a_relation<T>(&self, name: &str, found: &str) -> Result<T> {
        plan_err!(
            "{}: argument '{name}' is `{found}`. Expected a table name, TABLE(name), a CTE, a table function or \
             (SELECT ...). Hint: write {name} => (SELECT * FROM ...)",
            self.function()
        )
    }

    /// A CTE or a table. DataFusion looks up the tables of a statement before it plans, but does not see
    /// names that stand as arguments, so those are looked up here.
    fn named_relation(&mut self, name: ObjectName) -> Result<LogicalPlan> {
        let reference = self.context.object_name_to_table_reference(name.clone())?;
        let error = match self.context.plan(table_factor(name, None)) {
            Ok(plan) => return Ok(plan),
            Err(error) => error,
        };
        let found = match &self.session {
            Some(state) => lookup(state, &reference)?,
            None => None,
        };
        match found {
            Some(table) => {
                LogicalPlanBuilder::scan(reference, provider_as_source(table), None)?.build()
            }
            None => Err(error.context(format!(
                "{}: relation argument '{reference}'",
                self.function()
            ))),
        }
    }
}

fn lookup(state: &SessionState, name: &TableReference) -> Result<Option<Arc<dyn TableProvider>>> {
    let defaults = &state.config_options().catalog;
    let name = name
        .clone()
        .resolve(&defaults.default_catalog, &defaults.default_schema);
    let catalog = state.catalog_list().catalog(&name.catalog);
    let Some(schema) = catalog.and_then(|catalog| catalog.schema(&name.schema)) else {
        return Ok(None);
    };
    // memory and listing schemas answer at once; a remote one needs a runtime of its own to wait in
    if let Some(answer) = schema.table(&name.table).now_or_never() {
        return answer;
    }
    let wait = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(schema.table(&name.table))
    };
    std::thread::scope(|scope| scope.spawn(wait).join()).unwrap_or_else(|_| {
        Err(DataFusionError::Plan(format!(
            "looking up '{}' failed",
            name.table
        )))
    })
}

fn table_factor(name: ObjectName, args: Option<TableFunctionArgs>) -> TableFactor {
    TableFactor::Table {
        name,
        args,
        alias: None,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    }
}

fn list_of(args: FunctionArguments) -> Option<TableFunctionArgs> {
    let args = match args {
        FunctionArguments::List(list) => list.args,
        FunctionArguments::None | FunctionArguments::Subquery(_) => vec![],
    };
    Some(TableFunctionArgs {
        args,
        settings: None,
    })
}

fn only_argument(call: &Function) -> Option<SqlExpr> {
    let FunctionArguments::List(list) = &call.args else {
        return None;
    };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(sql))] => Some(sql.clone()),
        _ => None,
    }
}
