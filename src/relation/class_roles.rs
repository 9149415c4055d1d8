//! Labels, predictions and scores of a classifier of several classes.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::{Call, elements};
use super::roles::{Kind, column};

/// Squares of a value, which its errors need, and their sums over any number of rows stay finite.
const GREATEST_VALUE: f64 = 1e100;

/// The classes of a model and their scores in a relation.
#[derive(Debug, Clone, Default)]
pub struct ClassScores {
    /// Names of the classes in order.
    pub classes: Vec<String>,
    /// Their scores; none where there are none.
    pub scores: Vec<Expr>,
}

impl ClassScores {
    /// From the score, a struct by class that the argument `name` gives, and `classes`; `None` where the relation has no score.
    pub fn of(call: &mut Call, name: &str, score: Option<Expr>, schema: &DFSchema) -> Result<Self> {
        let function = call.function();
        let given = call.words("classes")?;
        let Some(score) = score else {
            return match given {
                Some(classes) => Ok(Self {
                    classes,
                    scores: vec![],
                }),
                None => plan_err!(
                    "{function}: there are neither scores by class nor names of classes. Expected one of them. \
                     Hint: score => {{'basic': p_basic, 'pro': p_pro}}, or classes => ['basic', 'pro']"
                ),
            };
        };
        let found = score.get_type(schema)?;
        let DataType::Struct(fields) = &found else {
            return plan_err!(
                "{function}: argument '{name}' (`{score}`) has type {found}. Expected a struct by class. \
                 Hint: {name} => {{'basic': p_basic, 'pro': p_pro}}"
            );
        };
        let mut scores = Vec::with_capacity(fields.len());
        for field in fields {
            let number = field.data_type().is_null() || Kind::of(field.data_type()) == Kind::Number;
            if !number {
                return plan_err!(
                    "{function}: argument '{name}' has type {} for class '{}'. Expected a number",
                    field.data_type(),
                    field.name()
                );
            }
            let score = get_field(score.clone(), field.name().as_str());
            scores.push(cast(score, DataType::Float64));
        }
        let classes: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        match given {
            Some(given) if given != classes => plan_err!(
                "{function}: argument 'classes' names {}, and the score has {}. Expected the same, or no classes",
                given.join(", "),
                classes.join(", ")
            ),
            _ => Ok(Self { classes, scores }),
        }
    }
}

impl ClassScores {
    /// The scores by class, of columns named by [`score_name`]; NULL where there are none.
    pub fn record(&self) -> Expr {
        self.record_of(score_name)
    }

    /// The same of columns that are named by position.
    pub fn record_of(&self, name: fn(usize) -> String) -> Expr {
        let named = self.classes.iter().enumerate();
        let fields = named.flat_map(|(i, class)| [lit(class.as_str()), column(&name(i))]);
        match self.scores.is_empty() {
            true => lit(ScalarValue::Null),
            false => named_struct(fields.collect()),
        }
    }
}

/// The column of the score of the class at a position.
pub fn score_name(position: usize) -> String {
    format!("__score_{position}")
}

/// A label or prediction as the name of its class.
pub fn as_class_name(call: &Call, name: &str, expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let found = expr.get_type(schema)?;
    match Kind::of(&found) {
        Kind::Other => plan_err!(
            "{}: argument '{name}' (`{expr}`) has type {found}. Expected the name of a class",
            call.function()
        ),
        _ => Ok(cast(expr, DataType::Utf8View)),
    }
}

/// `value_matrix` of several classes: a row for each label, a column for each prediction, as lists or one after the other.
pub fn value_matrix(call: &mut Call, classes: usize) -> Result<Option<Vec<f64>>> {
    let function = call.function();
    let Some(sql) = call.sql("value_matrix") else {
        return Ok(None);
    };
    let rows = elements(&sql);
    let mut values = Vec::with_capacity(classes * classes);
    for row in &rows {
        let cells = elements(row);
        if is_list(row) && cells.len() != classes {
            return plan_err!(
                "{function}: argument 'value_matrix' has a row of {}. Expected {classes} numbers in each of {classes} rows",
                cells.len()
            );
        }
        values.extend(cells);
    }
    if values.len() != classes * classes {
        return plan_err!(
            "{function}: argument 'value_matrix' has {} numbers. Expected {classes} rows of {classes}, a row for each label and \
             a column for each prediction, in the order of the classes",
            values.len()
        );
    }
    let number = |value: SqlExpr, call: &mut Call| -> Result<f64> {
        let value = call.constant_of("value_matrix", value)?;
        match value.cast_to(&DataType::Float64)? {
            ScalarValue::Float64(Some(x)) if x.abs() <= GREATEST_VALUE => Ok(x),
            _ => plan_err!(
                "{function}: argument 'value_matrix' holds {value}. Expected numbers of at most {GREATEST_VALUE:e}"
            ),
        }
    };
    let values: Result<Vec<f64>> = values
        .into_iter()
        .map(|value| number(value, call))
        .collect();
    values.map(Some)
}

fn is_list(sql: &SqlExpr) -> bool {
    elements(sql).first() != Some(sql)
}
