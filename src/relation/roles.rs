//! Which column of a relation is the score, the prediction, the label and the time.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{
    Column, DFSchema, DataFusionError, Result, ScalarValue, SchemaError, plan_err,
};
use datafusion::logical_expr::{Expr, ExprSchemable, cast, ident, lit};

use super::arguments::Call;
use super::challenger::Challenger;
use super::class_roles::{ClassScores, as_class_name};
use super::clusters::Clusters;
use super::problem::Problem;
use super::session_functions::scalar;
use super::side::{Other, Side};
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
    /// Of several classes, in place of the score.
    pub by_class: ClassScores,
    /// What a row counts, where rows count unequally.
    pub weight: Option<Expr>,
    /// Which rows belong together, where rows are not independent.
    pub clusters: Option<Clusters>,
    /// What another model says of the same rows.
    pub challenger: Option<Challenger>,
}

impl Roles {
    /// Resolves the roles. The labels of an analysis and the timestamps of a reference may be absent.
    pub fn resolve(call: &mut Call, side: &Side, problem: Problem) -> Result<Self> {
        let schema = side.schema();
        let positive = call.constant("positive_label")?;
        refuse_classes(call, problem)?;
        let label = Role::new("label", "y_true", side.dataset != "reference");
        let roles = Self {
            score: match problem {
                Problem::Binary => Role::new("score", "y_pred_proba", false).resolve(call, side)?,
                Problem::Multiclass | Problem::Regression => None,
            },
            prediction: Role::new("prediction", "y_pred", false).resolve(call, side)?,
            label: label.resolve(call, side)?,
            timestamp: Self::timestamp(call, side)?,
            by_class: match problem {
                Problem::Multiclass => {
                    let score = Role::new("score", "y_pred_proba", false).resolve(call, side)?;
                    ClassScores::of(call, "score", score, schema)?
                }
                Problem::Binary | Problem::Regression => ClassScores::default(),
            },
            weight: None,
            clusters: None,
            challenger: None,
        };
        if let Some(score) = &roles.score {
            check_score(call, "score", score, schema)?;
        }
        let class = |name: &str, expr: Option<Expr>| match expr {
            Some(expr) => outcome(call, name, expr, schema, problem, positive.as_ref()).map(Some),
            None => Ok(None),
        };
        Ok(Self {
            prediction: class("prediction", roles.prediction)?,
            label: class("label", roles.label)?,
            ..roles
        })
    }

    /// With the weights that the call gives, if it does.
    pub fn with_weight(mut self, call: &mut Call, side: &Side) -> Result<Self> {
        if let Some(sql) = call.sql("weight") {
            let weight = call.resolve("weight", sql, side.schema())?;
            self.weight = Some(as_number(call, "weight", weight, side.schema())?);
        }
        Ok(self)
    }

    /// The timestamp, which a reference may lack.
    pub fn timestamp(call: &mut Call, side: &Side) -> Result<Option<Expr>> {
        Role::new("timestamp", "timestamp", side.dataset == "reference").resolve(call, side)
    }
}

/// An argument that stands for a column.
pub struct Role {
    name: &'static str,
    /// The column that is taken where the argument is not given.
    default: &'static str,
    /// Whether this relation can do without.
    may_lack: bool,
}

impl Role {
    /// The argument, the column without it, and whether this relation can do without.
    pub fn new(name: &'static str, default: &'static str, may_lack: bool) -> Self {
        Self {
            name,
            default,
            may_lack,
        }
    }

    /// The expression that the argument gives, or the default column where the relation has it.
    pub fn resolve(&self, call: &mut Call, side: &Side) -> Result<Option<Expr>> {
        let Self { name, default, .. } = *self;
        let schema = side.schema();
        let Some(sql) = call.sql(name) else {
            let found = schema.has_column_with_unqualified_name(default);
            return Ok(found.then(|| ident(default)));
        };
        match call.resolve(name, sql.clone(), schema) {
            Err(error) if self.may_lack && names_an_absent_column(&error) => match side.other {
                Other::Rows => Ok(None),
                Other::Nothing => plan_err!(
                    "{}: argument '{name}' is `{sql}`, and the {} relation has no such column. {}. Hint: leave {name} out \
                     where there is none",
                    call.function(),
                    side.dataset,
                    expected_one_of(&sql.to_string(), &column_names(schema))
                ),
                Other::Profiles => plan_err!(
                    "{}: argument '{name}' is `{sql}`, and the {} relation has no such column. Where the other relation \
                     holds profiles, nothing tells whether it is misspelt. Expected one of: {}. Hint: leave {name} out",
                    call.function(),
                    side.dataset,
                    column_names(schema).join(", ")
                ),
            },
            found => found.map(Some),
        }
    }
}

fn names_an_absent_column(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::SchemaError(error, _) => {
            matches!(**error, SchemaError::FieldNotFound { .. })
        }
        _ => false,
    }
}

/// Names of all columns, for errors.
pub fn column_names(schema: &DFSchema) -> Vec<&str> {
    schema.fields().iter().map(|f| f.name().as_str()).collect()
}

/// Refuses arguments that only a classifier has.
fn refuse_classes(call: &Call, problem: Problem) -> Result<()> {
    let given =
        |names: &[&'static str]| names.iter().copied().find(|name| call.sql(name).is_some());
    let of_classifiers = ["score", "positive_label", "value_matrix", "classes"];
    match problem {
        Problem::Regression => match given(&of_classifiers) {
            Some(name) => plan_err!(
                "{}: argument '{name}' is of a classifier, and the model is a regression. Expected label and prediction",
                call.function()
            ),
            None => Ok(()),
        },
        Problem::Multiclass if given(&["positive_label"]).is_some() => plan_err!(
            "{}: argument 'positive_label' is of two classes, and the model has several. Expected classes alone",
            call.function()
        ),
        Problem::Binary if given(&["classes"]).is_some() => plan_err!(
            "{}: argument 'classes' is of several classes, and problem_type is 'binary'. Expected problem_type => 'multiclass'",
            call.function()
        ),
        Problem::Multiclass | Problem::Binary => Ok(()),
    }
}

/// A label or a prediction that the profile of such a model can read.
pub fn outcome(
    call: &Call,
    name: &str,
    expr: Expr,
    schema: &DFSchema,
    problem: Problem,
    positive: Option<&ScalarValue>,
) -> Result<Expr> {
    match problem {
        Problem::Binary => as_class(call, name, expr, schema, positive),
        Problem::Multiclass => as_class_name(call, name, expr, schema),
        Problem::Regression => as_number(call, name, expr, schema),
    }
}

/// A label or prediction of a regression.
fn as_number(call: &Call, name: &str, expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let found = expr.get_type(schema)?;
    if found == DataType::Null || Kind::of(&found) == Kind::Number {
        return Ok(cast(expr, DataType::Float64));
    }
    let sql = call.sql(name).map(|sql| sql.to_string());
    let expr = sql.unwrap_or_else(|| expr.to_string());
    plan_err!(
        "{}: argument '{name}' (`{expr}`) has type {found}. Expected a number. Hint: {name} => CAST({expr} AS DOUBLE)",
        call.function()
    )
}

/// Refuses a score that is no number.
pub fn check_score(call: &Call, name: &str, score: &Expr, schema: &DFSchema) -> Result<()> {
    let found = score.get_type(schema)?;
    match Kind::of(&found) {
        Kind::Number | Kind::Boolean => Ok(()),
        Kind::Text | Kind::Other => {
            let sql = call.sql(name).map(|sql| sql.to_string());
            let sql = sql.unwrap_or_else(|| score.to_string());
            plan_err!(
                "{}: argument '{name}' (`{sql}`) has type {found}. Expected a number. \
                 Hint: {name} => CAST({sql} AS DOUBLE)",
                call.function()
            )
        }
    }
}

/// A label or prediction that the profile can read.
///
/// `positive_label` says which value of the label is positive, and of a prediction that is a text. A prediction
/// of numbers or booleans must be 0/1 by itself: compared with a label's code it could be false throughout.
fn as_class(
    call: &Call,
    name: &str,
    expr: Expr,
    schema: &DFSchema,
    positive: Option<&ScalarValue>,
) -> Result<Expr> {
    let function = call.function();
    let found = expr.get_type(schema)?;
    if found == DataType::Null {
        return Ok(lit(ScalarValue::Boolean(None)));
    }
    let kind = Kind::of(&found);
    if name != "label" {
        refuse_upside_down(function, name, &expr, kind, positive)?;
    }
    match positive {
        Some(positive)
            if kind == Kind::of(&positive.data_type())
                && (name == "label" || kind == Kind::Text) =>
        {
            let value = lit(positive.clone());
            return match kind {
                Kind::Text => scalar(call, "is_positive", vec![expr, value, lit(name)]),
                _ => Ok(expr.eq(value)),
            };
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

/// Refuses a bare 0/1 prediction where the label's 0 is positive: nothing tells whether its 1 says that the label is 1
/// or that the row is positive, and a wrong guess inverts every metric of predictions.
fn refuse_upside_down(
    function: &str,
    name: &str,
    prediction: &Expr,
    kind: Kind,
    positive: Option<&ScalarValue>,
) -> Result<()> {
    let Some(positive) = positive else {
        return Ok(());
    };
    let is_zero = match positive {
        ScalarValue::Boolean(Some(positive)) => !positive,
        number => {
            Kind::of(&number.data_type()) == Kind::Number
                && number.cast_to(&DataType::Float64)? == ScalarValue::Float64(Some(0.0))
        }
    };
    let (zero, one) = match kind {
        Kind::Number => ("0", "1"),
        Kind::Boolean => ("false", "true"),
        Kind::Text | Kind::Other => return Ok(()),
    };
    match bare_column(prediction) {
        Some(column) if is_zero => plan_err!(
            "{function}: argument 'positive_label' is {positive}, and the prediction is the column `{0}`, of which it does \
             not say the positive class. Expected a comparison. Hint: {name} => {0} = {zero}, or \
             {name} => {0} = {one} where {one} stands for the positive class",
            column.name
        ),
        _ => Ok(()),
    }
}

/// The column that an expression is, whatever its type or name.
fn bare_column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => bare_column(&alias.expr),
        Expr::Cast(cast) => bare_column(&cast.expr),
        Expr::TryCast(cast) => bare_column(&cast.expr),
        _ => None,
    }
}

/// Families of types that can be compared with one another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    Boolean,
    Text,
    Other,
}

/// True for a text, also as a dictionary.
pub fn is_text(found: &DataType) -> bool {
    Kind::of(found) == Kind::Text
}

impl Kind {
    pub fn of(found: &DataType) -> Self {
        match found {
            DataType::Dictionary(_, value) => Self::of(value),
            DataType::RunEndEncoded(_, values) => Self::of(values.data_type()),
            DataType::Boolean | DataType::Null => Self::Boolean,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            number if number.is_numeric() => Self::Number,
            _ => Self::Other,
        }
    }
}

/// A column by its exact name.
pub fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}
