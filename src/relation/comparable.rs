//! Estimates that can be held against labels: what `compare_performance` asks of `estimate_performance`.
use datafusion::common::Result;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Ident,
    Query, SetExpr, TableFactor, TableWithJoins, Value,
};

use super::arguments::{Call, is_named};

/// Name and meaning of the argument that asks for it.
pub const COMPARABLE: (&str, &str) = (
    "comparable",
    "true: five more columns, for compare_performance: realized_estimate (of the realized value of all rows), realized_error, and \
     labelled_estimate, labelled_error, labelled_used_count of the rows with a label alone; default: false.",
);

/// The function that has it.
const ESTIMATE: &str = "estimate_performance";

/// Whether a call asks for the columns.
pub fn is_comparable(call: &mut Call) -> Result<bool> {
    Ok(call.flag(COMPARABLE.0)?.unwrap_or(false))
}

/// A relation argument, asked for the columns where it is a call of `estimate_performance`, alone or as all that
/// a subquery reads.
///
/// What is deeper stays as it is written: there, more columns may be too many, as in a UNION.
pub fn asked(sql: SqlExpr) -> SqlExpr {
    match sql {
        SqlExpr::Nested(inner) => SqlExpr::Nested(Box::new(asked(*inner))),
        SqlExpr::Function(mut call) => {
            if is_named(&call, ESTIMATE)
                && let FunctionArguments::List(list) = &mut call.args
            {
                ask(&mut list.args);
            }
            SqlExpr::Function(call)
        }
        SqlExpr::Subquery(mut query) => {
            if let Some(arguments) = only_call(&mut query) {
                ask(arguments);
            }
            SqlExpr::Subquery(query)
        }
        other => other,
    }
}

/// The arguments of the call that is all that a query reads.
fn only_call(query: &mut Query) -> Option<&mut Vec<FunctionArg>> {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return None;
    };
    let [TableWithJoins { relation, joins }] = select.from.as_mut_slice() else {
        return None;
    };
    match relation {
        TableFactor::Table {
            name,
            args: Some(arguments),
            ..
        } if joins.is_empty() && name.to_string().eq_ignore_ascii_case(ESTIMATE) => {
            Some(&mut arguments.args)
        }
        _ => None,
    }
}

fn ask(arguments: &mut Vec<FunctionArg>) {
    let is_given = |argument: &FunctionArg| match argument {
        FunctionArg::Named { name, .. }
        | FunctionArg::ExprNamed {
            name: SqlExpr::Identifier(name),
            ..
        } => name.value.eq_ignore_ascii_case(COMPARABLE.0),
        _ => false,
    };
    if !arguments.iter().any(is_given) {
        arguments.push(FunctionArg::Named {
            name: Ident::new(COMPARABLE.0),
            arg: FunctionArgExpr::Expr(SqlExpr::value(Value::Boolean(true))),
            operator: FunctionArgOperator::RightArrow,
        });
    }
}
