//! Relation arguments: a table, `TABLE(x)`, a CTE, a subquery or another table function.
use std::sync::Arc;

use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{
    DataFusionError, ResolvedTableReference, Result, TableReference, plan_err,
};
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    TableFactor, TableFunctionArgs, Value,
};
use futures::FutureExt;

use super::arguments::{Call, is_named};
use crate::suggest::nearest;

impl Call<'_> {
    /// Plans a relation argument; `None` when it is not given.
    pub fn relation(&mut self, name: &str) -> Result<Option<LogicalPlan>> {
        let Some(sql) = self.sql(name) else {
            return Ok(None);
        };
        self.relation_of(name, sql).map(Some)
    }

    /// Plans a relation argument whose SQL is `sql`.
    pub fn relation_of(&mut self, name: &str, sql: SqlExpr) -> Result<LogicalPlan> {
        match sql {
            SqlExpr::Nested(inner) => self.relation_of(name, *inner),
            SqlExpr::Subquery(subquery) => self.context.plan(TableFactor::Derived {
                lateral: false,
                subquery,
                alias: None,
                sample: None,
            }),
            SqlExpr::Identifier(ident) => self.named_relation(name, ObjectName::from(vec![ident])),
            SqlExpr::CompoundIdentifier(idents) => {
                self.named_relation(name, ObjectName::from(idents))
            }
            SqlExpr::Value(value) => match value.value {
                Value::SingleQuotedString(path) => {
                    let path = Ident::with_quote('"', path);
                    self.named_relation(name, ObjectName::from(vec![path]))
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
    fn named_relation(&mut self, argument: &str, name: ObjectName) -> Result<LogicalPlan> {
        let reference = self.context.object_name_to_table_reference(name.clone())?;
        if let Ok(plan) = self.context.plan(table_factor(name, None)) {
            return Ok(plan);
        }
        let told = format!(
            "{}: argument '{argument}' is `{reference}`",
            self.function()
        );
        let found = match &self.session {
            Some(state) => lookup(state, &reference).map_err(|e| e.context(told.clone()))?,
            None => None,
        };
        if let Some(table) = found {
            return LogicalPlanBuilder::scan(reference, provider_as_source(table), None)?.build();
        }
        let names = self
            .session
            .as_ref()
            .map(|state| table_names(state, &reference));
        let names = names.unwrap_or_default();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let meant = nearest(reference.table(), &names);
        let meant = meant.map_or_else(String::new, |name| format!("Did you mean '{name}'? "));
        plan_err!(
            "{told}, and there is no table, view, CTE or file of this name. {meant}Expected a relation. \
             Hint: {argument} => (SELECT * FROM ...)"
        )
    }
}

fn schema_of(
    state: &SessionState,
    name: &TableReference,
) -> Option<(ResolvedTableReference, Arc<dyn SchemaProvider>)> {
    let defaults = &state.config_options().catalog;
    let name = name
        .clone()
        .resolve(&defaults.default_catalog, &defaults.default_schema);
    let catalog = state.catalog_list().catalog(&name.catalog)?;
    let schema = catalog.schema(&name.schema)?;
    Some((name, schema))
}

/// The tables beside `name`.
fn table_names(state: &SessionState, name: &TableReference) -> Vec<String> {
    schema_of(state, name).map_or_else(Vec::new, |(_, schema)| schema.table_names())
}

fn lookup(state: &SessionState, name: &TableReference) -> Result<Option<Arc<dyn TableProvider>>> {
    let Some((name, schema)) = schema_of(state, name) else {
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
