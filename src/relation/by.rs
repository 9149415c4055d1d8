//! The columns by which rows are grouped, each group with a calibrator and limits of its own.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::{Call, elements, fields, literal_text};
use super::chunked::CHUNK_COLUMNS;
use super::result::{COMPARABLE_COLUMNS, LIMIT_VALUE, RESULT_COLUMNS, ROW_SAMPLING_ERROR};
use super::roles::{column_names, is_text};
use crate::suggest::expected_one_of;

/// Name and SQL of each `by` column.
pub fn by_columns(call: &mut Call) -> Result<Vec<(String, SqlExpr)>> {
    let named = named_expressions(call, "by")?;
    check_names(call.function(), &named)?;
    Ok(named)
}

/// Name and SQL of each expression of a list argument; empty where it is not given.
pub fn named_expressions(call: &Call, argument: &str) -> Result<Vec<(String, SqlExpr)>> {
    let Some(sql) = call.sql(argument) else {
        return Ok(vec![]);
    };
    let function = call.function();
    Ok(match fields(&sql) {
        Some(fields) => fields,
        None => elements(&sql)
            .into_iter()
            .map(|element| match (&element, literal_text(&element)) {
                (SqlExpr::Identifier(ident), _) => Ok((call.context.normalize_ident(ident.clone()), element)),
                (SqlExpr::CompoundIdentifier(parts), _) if !parts.is_empty() => {
                    let last = parts.last().cloned();
                    Ok((last.map_or_else(String::new, |l| call.context.normalize_ident(l)), element))
                }
                // a text names the column exactly as it is spelt
                (_, Some(name)) => {
                    let quoted = datafusion::sql::sqlparser::ast::Ident::with_quote('"', name.clone());
                    Ok((name, SqlExpr::Identifier(quoted)))
                }
                (SqlExpr::Named { expr, name }, _) => {
                    Ok((call.context.normalize_ident(name.clone()), (**expr).clone()))
                }
                _ => plan_err!(
                    "{function}: argument '{argument}' holds `{element}`, which has no name. Expected column names. \
                     Hint: {argument} => {{'name': {element}}}"
                ),
            })
            .collect::<Result<_>>()?,
    })
}

fn check_names(function: &str, named: &[(String, SqlExpr)]) -> Result<()> {
    for (position, (name, sql)) in named.iter().enumerate() {
        if let Some(taken) = taken(name) {
            let free = name.trim_start_matches('_');
            return plan_err!(
                "{function}: argument 'by' holds a column called '{name}', which is {taken}. \
                 Expected another name. Hint: by => {{'{free}_group': {sql}}}"
            );
        }
        if named.iter().take(position).any(|(other, _)| other == name) {
            return plan_err!(
                "{function}: argument 'by' names '{name}' twice. Expected each column once"
            );
        }
    }
    Ok(())
}

/// What already has this name, if anything.
fn taken(name: &str) -> Option<&'static str> {
    if RESULT_COLUMNS.contains(&name) || COMPARABLE_COLUMNS.contains(&name) {
        return Some("a column of the result");
    }
    if CHUNK_COLUMNS.contains(&name) {
        return Some("a column of profiles");
    }
    let inside = name.starts_with("__") || [LIMIT_VALUE, ROW_SAMPLING_ERROR].contains(&name);
    inside.then_some("a name inside of the plan")
}

/// The expression of a `by` column in a relation, under its name.
pub fn by_expr(call: &mut Call, name: &str, sql: &SqlExpr, schema: &DFSchema) -> Result<Expr> {
    if let SqlExpr::Identifier(ident) = sql {
        let column = call.context.normalize_ident(ident.clone());
        if !schema.has_column_with_unqualified_name(&column) {
            return plan_err!(
                "{}: argument 'by': there is no column '{column}'. {}",
                call.function(),
                expected_one_of(&column, &column_names(schema))
            );
        }
    }
    Ok(call.resolve("by", sql.clone(), schema)?.alias(name))
}

/// The expressions of all `by` columns, then others, each under its name.
pub fn by_exprs_and(
    call: &mut Call,
    by: &[(String, SqlExpr)],
    schema: &DFSchema,
    inputs: impl IntoIterator<Item = (String, Expr)>,
) -> Result<Vec<Expr>> {
    let mut exprs = Vec::new();
    for (name, sql) in by {
        exprs.push(by_expr(call, name, sql, schema)?);
    }
    let inputs = inputs.into_iter();
    exprs.extend(inputs.map(|(name, expr)| expr.alias(name)));
    Ok(exprs)
}

/// Whether values of two types can be compared. A text beside a number would be read as one, row by row, until one is not.
pub fn comparable_types(left: &DataType, right: &DataType) -> bool {
    let mixed = is_text(left) != is_text(right) && !left.is_null() && !right.is_null();
    !mixed && type_union_coercion(left, right).is_some()
}

/// Refuses `by` columns whose types in two relations, each with its name, have nothing in common.
pub fn comparable_groups(
    call: &Call,
    sides: [(&str, &DFSchema); 2],
    by: &[impl AsRef<str>],
) -> Result<()> {
    let [(first, _), (second, _)] = sides;
    for name in by.iter().map(AsRef::as_ref) {
        let [left, right] = sides.map(|(_, schema)| {
            let field = schema.field_with_unqualified_name(name);
            field.map(|field| field.data_type().clone())
        });
        let (left, right) = (left?, right?);
        if !comparable_types(&left, &right) {
            return plan_err!(
                "{}: argument 'by': '{name}' has type {left} in the {first} and type {right} in the {second}. \
                 Expected values that can be compared. Hint: by => {{'{name}': CAST({name} AS VARCHAR)}}",
                call.function()
            );
        }
    }
    Ok(())
}
