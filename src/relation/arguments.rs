//! The arguments of a call, still SQL, and how they become relations, expressions and constants.
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::sql::sqlparser::ast::{
    DictionaryField, Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, Value,
};
use std::sync::Arc;

use super::RelationSpec;
use crate::options::MonitorOptions;

/// A call of a table function.
pub struct Call<'a> {
    spec: &'static RelationSpec,
    arguments: Vec<(String, SqlExpr)>,
    pub(super) context: &'a mut dyn RelationPlannerContext,
    pub(super) session: Option<SessionState>,
}

impl<'a> Call<'a> {
    /// A call with its arguments by name.
    pub fn new(
        spec: &'static RelationSpec,
        arguments: Vec<(String, SqlExpr)>,
        context: &'a mut dyn RelationPlannerContext,
        session: Option<SessionState>,
    ) -> Self {
        Self {
            spec,
            arguments,
            context,
            session,
        }
    }

    /// Name of the table function, for errors.
    pub fn function(&self) -> &'static str {
        self.spec.name
    }

    /// Defaults of the session.
    pub fn options(&self) -> MonitorOptions {
        let extensions = &self.context.context_provider().options().extensions;
        extensions
            .get::<MonitorOptions>()
            .cloned()
            .unwrap_or_default()
    }

    /// The SQL of an argument, if it is given.
    pub fn sql(&self, name: &str) -> Option<SqlExpr> {
        let given = self.arguments.iter().find(|(given, _)| given == name);
        given.map(|(_, sql)| sql.clone())
    }

    /// Leaves those entries of a `{'name': value}` argument that `keep` refuses out of it, and an empty argument out of
    /// the call.
    pub fn leave_out(&mut self, name: &str, keep: impl Fn(&SqlExpr) -> bool) {
        let Some(entries) = self.sql(name).as_ref().and_then(fields) else {
            return;
        };
        self.arguments.retain(|(given, _)| given != name);
        let kept: Vec<_> = entries.into_iter().filter(|(_, sql)| keep(sql)).collect();
        if !kept.is_empty() {
            let entry = |(key, value): (String, SqlExpr)| DictionaryField {
                key: Ident::with_quote('\'', key),
                value: Box::new(value),
            };
            let entries = kept.into_iter().map(entry).collect();
            self.arguments
                .push((name.into(), SqlExpr::Dictionary(entries)));
        }
    }

    /// An argument as errors tell it.
    pub fn told(&self, name: &str, sql: &SqlExpr) -> String {
        format!("{}: argument '{name}' (`{sql}`)", self.spec.name)
    }

    /// Resolves an expression against a relation, whatever it reads; an error names the argument.
    pub fn resolve_any(&mut self, name: &str, sql: SqlExpr, schema: &DFSchema) -> Result<Expr> {
        let told = self.told(name, &sql);
        let resolved = self.context.sql_to_expr(sql, schema);
        resolved.map_err(|e| e.context(told))
    }

    /// Resolves an expression over a row of a relation; an error names the argument.
    pub fn resolve(&mut self, name: &str, sql: SqlExpr, schema: &DFSchema) -> Result<Expr> {
        let told = self.told(name, &sql);
        let expr = self.resolve_any(name, sql, schema)?;
        let over_rows = |e: &Expr| {
            Ok(matches!(
                e,
                Expr::AggregateFunction(_) | Expr::WindowFunction(_)
            ))
        };
        if expr.exists(over_rows)? {
            return plan_err!(
                "{told} reads more than its row. Expected an expression without aggregate and window functions. \
                 Hint: compute it in the relation, as in (SELECT *, avg(x) OVER () AS mean FROM ...)"
            );
        }
        Ok(expr)
    }

    /// The value of a constant argument; `None` when it is absent or NULL.
    pub fn constant(&mut self, name: &str) -> Result<Option<ScalarValue>> {
        match self.sql(name) {
            None => Ok(None),
            Some(sql) => Ok(Some(self.constant_of(name, sql)?).filter(|value| !value.is_null())),
        }
    }

    /// The value of a constant expression.
    pub fn constant_of(&mut self, name: &str, sql: SqlExpr) -> Result<ScalarValue> {
        let function = self.spec.name;
        let told = sql.to_string();
        let not_constant = || {
            plan_datafusion_err!(
                "{function}: argument '{name}' is `{told}`. Expected a literal or a constant expression \
                 (the plan depends on it, so a parameter or a column cannot stand here)"
            )
        };
        let schema = DFSchema::empty();
        let expr = self
            .context
            .sql_to_expr(sql, &schema)
            .map_err(|_| not_constant())?;
        if let Expr::Literal(value, _) = expr {
            return Ok(value);
        }
        let state = self.session.as_ref().ok_or_else(not_constant)?;
        let physical = state
            .create_physical_expr(expr, &schema)
            .map_err(|_| not_constant())?;
        let one_row = RecordBatchOptions::new().with_row_count(Some(1));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one_row)?;
        match physical.evaluate(&batch).map_err(|_| not_constant())? {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
        }
    }

    /// A constant text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        let function = self.spec.name;
        match self.constant(name)? {
            None => Ok(None),
            Some(value) => match value.try_as_str() {
                Some(Some(text)) => Ok(Some(text.to_string())),
                _ => plan_err!("{function}: argument '{name}' is {value}. Expected a text"),
            },
        }
    }

    /// A constant truth value.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        let function = self.spec.name;
        match self.constant(name)? {
            None => Ok(None),
            Some(ScalarValue::Boolean(flag)) => Ok(flag),
            Some(value) => {
                plan_err!("{function}: argument '{name}' is {value}. Expected true or false")
            }
        }
    }

    /// A constant number.
    pub fn number(&mut self, name: &str) -> Result<Option<f64>> {
        let function = self.spec.name;
        let Some(value) = self.constant(name)? else {
            return Ok(None);
        };
        match number_of(&value) {
            Some(number) => Ok(Some(number)),
            None => plan_err!("{function}: argument '{name}' is {value}. Expected a finite number"),
        }
    }

    /// A constant list of numbers.
    pub fn numbers(&mut self, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(sql) = self.sql(name) else {
            return Ok(None);
        };
        let function = self.spec.name;
        let numbers: Result<Vec<f64>> = elements(&sql)
            .into_iter()
            .map(|element| {
                let value = self.constant_of(name, element)?;
                number_of(&value).ok_or_else(|| {
                    plan_datafusion_err!(
                        "{function}: argument '{name}' holds {value}. Expected a finite number"
                    )
                })
            })
            .collect();
        numbers.map(Some)
    }

    /// One or several words: identifiers or texts, alone or in a list.
    pub fn words(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        let Some(sql) = self.sql(name) else {
            return Ok(None);
        };
        let words: Result<Vec<String>> = elements(&sql)
            .into_iter()
            .map(|element| match element {
                SqlExpr::Identifier(ident) => Ok(self.context.normalize_ident(ident)),
                other => match self.constant_of(name, other.clone())?.try_as_str() {
                    Some(Some(text)) => Ok(text.to_string()),
                    _ => plan_err!(
                        "{}: argument '{name}' holds `{other}`. Expected names",
                        self.spec.name
                    ),
                },
            })
            .collect();
        words.map(Some)
    }

    /// The columns that an argument is made of: words, or those that an expression over rows of a relation reads.
    pub fn columns_read(&mut self, name: &str, schema: &DFSchema) -> Result<Option<Vec<String>>> {
        let Some(sql) = self.sql(name) else {
            return Ok(None);
        };
        let is_word = |e: &SqlExpr| matches!(e, SqlExpr::Identifier(_) | SqlExpr::Value(_));
        if elements(&sql).iter().all(is_word) {
            return self.words(name);
        }
        let expr = self.resolve(name, sql, schema)?;
        let read = expr.column_refs().into_iter();
        Ok(Some(read.map(|column| column.name.clone()).collect()))
    }
}

fn number_of(value: &ScalarValue) -> Option<f64> {
    match value.cast_to(&datafusion::arrow::datatypes::DataType::Float64) {
        Ok(ScalarValue::Float64(Some(number)))
            if number.is_finite() && value.data_type().is_numeric() =>
        {
            Some(number)
        }
        _ => None,
    }
}

/// The elements of a list, or the expression itself as the only one.
pub fn elements(sql: &SqlExpr) -> Vec<SqlExpr> {
    match sql {
        SqlExpr::Array(array) => array.elem.clone(),
        SqlExpr::Nested(inner) => elements(inner),
        SqlExpr::Function(f) if is_named(f, "make_array") => arguments_of(f).unwrap_or_default(),
        other => vec![other.clone()],
    }
}

/// Names and values of `{'name': value}`, `{name: value}` or `named_struct('name', value)`; `None` for another expression.
pub fn fields(sql: &SqlExpr) -> Option<Vec<(String, SqlExpr)>> {
    match sql {
        SqlExpr::Nested(inner) => fields(inner),
        SqlExpr::Dictionary(fields) => Some(
            fields
                .iter()
                .map(|f| (f.key.value.clone(), (*f.value).clone()))
                .collect(),
        ),
        SqlExpr::Function(f) if is_named(f, "named_struct") => {
            let arguments = arguments_of(f)?;
            let pairs = arguments.chunks_exact(2);
            if !pairs.remainder().is_empty() {
                return None;
            }
            pairs
                .map(|pair| match pair {
                    [name, value] => Some((literal_text(name)?, value.clone())),
                    _ => None,
                })
                .collect()
        }
        _ => None,
    }
}

/// True for a call of `name`, in any case.
pub fn is_named(function: &Function, name: &str) -> bool {
    function.name.to_string().eq_ignore_ascii_case(name)
}

/// Positional arguments of a function call; `None` when there are others.
pub fn arguments_of(function: &Function) -> Option<Vec<SqlExpr>> {
    match &function.args {
        FunctionArguments::None => Some(vec![]),
        FunctionArguments::List(list) => list
            .args
            .iter()
            .map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(sql)) => Some(sql.clone()),
                _ => None,
            })
            .collect(),
        FunctionArguments::Subquery(_) => None,
    }
}

/// The text of a literal or of an identifier.
pub fn literal_text(sql: &SqlExpr) -> Option<String> {
    match sql {
        SqlExpr::Identifier(Ident { value, .. }) => Some(value.clone()),
        SqlExpr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
