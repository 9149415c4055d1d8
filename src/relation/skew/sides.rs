//! The relations of a call, and what their columns stand for.
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident};

use super::super::arguments::Call;
use super::super::by::named_expressions;
use super::super::class_roles::ClassScores;
use super::super::problem::Problem;
use super::super::roles::{Role, Roles, check_score, column_names, outcome};
use super::super::rows::require_rows;
use super::super::side::{Other, Side};
use crate::chunk::TimeZone;
use crate::suggest::expected_one_of;

/// Roles with the columns that they are where the call does not say.
const ROLES: [(&str, &str); 4] = [
    ("label", "y_true"),
    ("score", "y_pred_proba"),
    ("prediction", "y_pred"),
    ("timestamp", "timestamp"),
];

/// One relation.
pub struct Relation {
    /// Its rows.
    pub side: Side,
    /// What its columns stand for.
    pub roles: Roles,
    /// Time of the prediction, in UTC.
    pub time: Option<Expr>,
}

/// The relations, training first.
pub struct Sides {
    /// What kind of model it is.
    pub problem: Problem,
    /// Training, test, serving, as far as they are given.
    pub all: Vec<Relation>,
}

impl Sides {
    /// Reads the relations and their roles.
    pub fn read(call: &mut Call) -> Result<Self> {
        let function = call.function();
        let mut sides = vec![];
        for argument in ["training", "test", "serving"] {
            if let Some(input) = call.relation(argument)? {
                sides.push(Side {
                    argument,
                    dataset: argument,
                    input,
                    other: Other::Rows,
                });
            }
        }
        if sides.first().is_none_or(|side| side.dataset != "training") {
            return plan_err!(
                "{function}: argument 'training' is missing. Expected the rows that the model was trained on. \
                 Hint: {function}(training => table_name, ...)"
            );
        }
        if sides.len() < 2 {
            return plan_err!(
                "{function}: there is nothing to compare 'training' with. Expected test, serving, or both. \
                 Hint: serving => table_name"
            );
        }
        for side in &sides {
            require_rows(call, side, "which do not tell the columns of a row")?;
        }
        require_columns(call, &sides)?;
        let problem = Problem::read(call, &sides.iter().collect::<Vec<_>>())?;
        let all: Result<Vec<Relation>> = sides
            .into_iter()
            .map(|side| relation(call, side, problem))
            .collect();
        Ok(Self { problem, all: all? })
    }

    /// The relation of an argument, if it is given.
    pub fn of(&self, dataset: &str) -> Option<&Relation> {
        self.all.iter().find(|of| of.side.dataset == dataset)
    }

    /// Its position.
    pub fn position(&self, dataset: &str) -> Option<usize> {
        self.all.iter().position(|of| of.side.dataset == dataset)
    }
}

/// Refuses a role that is given and that no relation has, and timestamps of features that training does not have.
fn require_columns(call: &mut Call, sides: &[Side]) -> Result<()> {
    for (name, _) in ROLES {
        let Some(sql) = call.sql(name) else {
            continue;
        };
        let mut refused = None;
        let mut known = false;
        for side in sides {
            match call.resolve(name, sql.clone(), side.schema()) {
                Ok(_) => known = true,
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match (known, refused) {
            (false, Some(_)) if matches!(sql, SqlExpr::Identifier(_)) => {
                let names = sides.first().map(|side| column_names(side.schema()));
                return plan_err!(
                    "{}: argument '{name}' is `{sql}`, and no relation has such a column. {}",
                    call.function(),
                    expected_one_of(&sql.to_string(), &names.unwrap_or_default())
                );
            }
            (false, Some(error)) => return Err(error),
            _ => (),
        }
    }
    Ok(())
}

fn relation(call: &mut Call, side: Side, problem: Problem) -> Result<Relation> {
    let schema = side.schema();
    let positive = call.constant("positive_label")?;
    let [label, score, prediction, timestamp] =
        ROLES.map(|(name, default)| Role::new(name, default, true).resolve(call, &side));
    let (score, time) = (score?, timestamp?);
    let by_class = match problem {
        Problem::Multiclass if score.is_some() || call.sql("classes").is_some() => {
            ClassScores::of(call, "score", score.clone(), schema)?
        }
        _ => ClassScores::default(),
    };
    let score = score.filter(|_| problem == Problem::Binary);
    if let Some(score) = &score {
        check_score(call, "score", score, schema)?;
    }
    let class = |name: &str, expr: Option<Expr>| match expr {
        Some(expr) => outcome(call, name, expr, schema, problem, positive.as_ref()).map(Some),
        None => Ok(None),
    };
    let (prediction, label) = (class("prediction", prediction?)?, class("label", label?)?);
    let roles = Roles {
        score,
        prediction,
        label,
        timestamp: time.clone(),
        by_class,
        weight: None,
        clusters: None,
        challenger: None,
    };
    let in_utc = |time| TimeZone::utc("timestamp", time, schema);
    let told = |e: datafusion::common::DataFusionError| e.context(call.function());
    let time = time.map(in_utc).transpose().map_err(told)?;
    Ok(Relation { side, roles, time })
}

/// What is no feature: roles and keys, with their SQL.
pub fn other_parts(call: &Call) -> Result<Vec<(String, SqlExpr)>> {
    let mut named = vec![];
    for (name, default) in ROLES {
        let sql = call.sql(name);
        let column = || SqlExpr::Identifier(Ident::with_quote('"', default));
        named.push((name.to_owned(), sql.unwrap_or_else(column)));
    }
    named.extend(named_expressions(call, "key")?);
    Ok(named)
}

/// The type of an expression over a relation.
pub fn type_of(expr: &Expr, side: &Side) -> Result<datafusion::arrow::datatypes::DataType> {
    expr.get_type(side.schema())
}
