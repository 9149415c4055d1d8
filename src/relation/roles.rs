//! Which column of a relation is the score, the prediction, the label, the time, and what it is grouped by.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, ExprSchemable, ident, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::{Call, elements, fields, literal_text};
use super::chunked::CHUNK_COLUMNS;
use super::result::RESULT_COLUMNS;
use crate::suggest::expected_one_of;

/// The columns of a relation by what they stand for.
#[derive(Debug, Clone)]
pub struct Roles {
    /// The score; `None` when neither named nor there.
    pub score: Option<Expr>,
    /// The prediction.
    pub prediction: Option<Expr>,
    /// The label.
    pub label: Option<Expr>,
    /// The timestamp.
    pub timestamp: Option<Expr>,
}

impl Roles {
    /// Resolves the roles against `schema`. A label that the relation does not have is unknown there.
    pub fn resolve(call: &mut Call, schema: &DFSchema, dataset: &str) -> Result<Self> {
        let positive = call.constant("positive_label")?;
        let score = role(call, "score", "y_pred_proba", schema)?;
        let timestamp = role(call, "timestamp", "timestamp", schema);
        let timestamp = if dataset == "reference" {
            optional(call, "timestamp", timestamp, schema)?
        } else {
            timestamp?
        };
        let label = role(call, "label", "y_true", schema);
        let label = if dataset == "analysis" {
            optional(call, "label", label, schema)?
        } else {
            label?
        };
        let prediction = role(call, "prediction", "y_pred", schema)?;
        let class = |name: &str, expr: Option<Expr>| match expr {
            Some(expr) => {
                as_class(call.function(), name, expr, schema, positive.as_ref()).map(Some)
            }
            None => Ok(None),
        };
        Ok(Self {
            score,
            prediction: class("prediction", prediction)?,
            label: class("label", label)?,
            timestamp,
        })
    }
}

/// The expression that an argument names, or the default column where the relation has it.
fn role(call: &mut Call, name: &str, default: &str, schema: &DFSchema) -> Result<Option<Expr>> {
    match call.sql(name) {
        Some(sql) => call.resolve(name, sql, schema).map(Some),
        None if schema.has_column_with_unqualified_name(default) => Ok(Some(ident(default))),
        None => Ok(None),
    }
}

/// Turns the error of a plain column that the relation lacks into its absence; other errors stay.
fn optional(
    call: &Call,
    name: &str,
    found: Result<Option<Expr>>,
    schema: &DFSchema,
) -> Result<Option<Expr>> {
    let missing = match call.sql(name) {
        Some(SqlExpr::Identifier(ident)) => {
            !schema.has_column_with_unqualified_name(&call.context.normalize_ident(ident))
        }
        _ => false,
    };
    match found {
        Err(_) if missing => Ok(None),
        found => found,
    }
}

/// A label or prediction that the profile can read.
///
/// `positive_label` says which value of the label is positive, and of a prediction that is a text. A prediction
/// of numbers or booleans must be 0/1 by itself: compared with a label's code it could be false throughout.
fn as_class(
    function: &str,
    name: &str,
    expr: Expr,
    schema: &DFSchema,
    positive: Option<&ScalarValue>,
) -> Result<Expr> {
    let found = expr.get_type(schema)?;
    let kind = Kind::of(&found);
    match positive {
        Some(positive)
            if kind == Kind::of(&positive.data_type())
                && (name == "label" || kind == Kind::Text) =>
        {
            return Ok(expr.eq(lit(positive.clone())));
        }
        Some(positive) if name == "label" => {
            return plan_err!(
                "{function}: argument 'positive_label' is {positive}, and the label (`{expr}`) has type {found}. \
                 Expected a value of the label's type"
            );
        }
        _ => (),
    }
    match kind {
        Kind::Number | Kind::Boolean => Ok(expr),
        Kind::Text | Kind::Other => plan_err!(
            "{function}: argument '{name}' (`{expr}`) has type {found}. Expected 0/1 or boolean. \
             Hint: positive_label => '<the positive value>'"
        ),
    }
}

/// Families of types that can be compared with one another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Boolean,
    Text,
    Other,
}

impl Kind {
    fn of(found: &DataType) -> Self {
        match found {
            DataType::Dictionary(_, value) => Self::of(value),
            DataType::Boolean | DataType::Null => Self::Boolean,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            number if number.is_numeric() => Self::Number,
            _ => Self::Other,
        }
    }
}

/// Name and SQL of each `by` column.
pub fn by_columns(call: &mut Call) -> Result<Vec<(String, SqlExpr)>> {
    let Some(sql) = call.sql("by") else {
        return Ok(vec![]);
    };
    let function = call.function();
    let named = match fields(&sql) {
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
                    "{function}: argument 'by' holds `{element}`, which has no name. Expected column names. \
                     Hint: by => {{'name': {element}}}"
                ),
            })
            .collect::<Result<_>>()?,
    };
    for (position, (name, _)) in named.iter().enumerate() {
        if RESULT_COLUMNS.contains(&name.as_str()) || CHUNK_COLUMNS.contains(&name.as_str()) {
            return plan_err!(
                "{function}: argument 'by' holds a column called '{name}', which is a column of the result. \
                 Expected another name. Hint: by => {{'{name}_group': {name}}}"
            );
        }
        if named.iter().take(position).any(|(other, _)| other == name) {
            return plan_err!(
                "{function}: argument 'by' names '{name}' twice. Expected each column once"
            );
        }
    }
    Ok(named)
}

/// The expression of a `by` column in a relation, under its name.
pub fn by_expr(call: &mut Call, name: &str, sql: &SqlExpr, schema: &DFSchema) -> Result<Expr> {
    if let SqlExpr::Identifier(ident) = sql {
        let column = call.context.normalize_ident(ident.clone());
        if !schema.has_column_with_unqualified_name(&column) {
            let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            return plan_err!(
                "{}: argument 'by': there is no column '{column}'. {}",
                call.function(),
                expected_one_of(&column, &columns)
            );
        }
    }
    Ok(call.resolve("by", sql.clone(), schema)?.alias(name))
}

/// A column by its exact name.
pub fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}
