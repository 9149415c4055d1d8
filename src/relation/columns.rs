//! Which columns of the relations are profiled, and whether as numbers or as categories.
use std::collections::HashSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit, when};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident};

use super::arguments::Call;
use super::by::named_expressions;
use super::roles::{column_names, is_text};
use super::side::Side;
use crate::suggest::expected_one_of;

/// The arguments that choose columns.
pub const COLUMN_ARGUMENTS: [&str; 4] = [
    "columns",
    "exclude",
    "treat_as_categorical",
    "treat_as_continuous",
];

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// As numbers.
    Continuous,
    /// As categories.
    Categorical,
    /// By which rows are NULL, and no more.
    Presence,
}

/// What becomes of a column whose type cannot be profiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// Its rows say so.
    Told,
    /// It is profiled by which of its rows are NULL.
    Presence,
}

impl ColumnKind {
    /// The aggregate that profiles it.
    pub fn aggregate(self) -> &'static str {
        match self {
            Self::Continuous => "value_profile",
            Self::Categorical | Self::Presence => "category_profile",
        }
    }

    /// How a type is read unless the call says otherwise; `None` for one that cannot be profiled.
    fn of(found: &DataType) -> Option<Self> {
        match found {
            DataType::Dictionary(_, value) => Self::of(value),
            DataType::RunEndEncoded(_, values) => Self::of(values.data_type()),
            DataType::Boolean => Some(Self::Categorical),
            text if is_text(text) => Some(Self::Categorical),
            number if number.is_numeric() => Some(Self::Continuous),
            _ => None,
        }
    }

    /// Whether values of this type can be read so.
    fn can_read(self, found: &DataType) -> bool {
        match self {
            Self::Continuous => found.is_numeric() || *found == DataType::Boolean,
            Self::Categorical => !found.is_nested() && !found.is_binary(),
            Self::Presence => true,
        }
    }
}

/// A column of one relation.
#[derive(Debug, Clone)]
pub struct ProfiledColumn {
    /// Its name in results.
    pub name: String,
    /// How it is read.
    pub kind: ColumnKind,
    /// Its value; `None` where it cannot be profiled, and then `status` says why.
    pub expr: Option<Expr>,
    /// `unsupported_type`, `changed_type` or `absent_column`.
    pub status: Option<&'static str>,
}

impl ProfiledColumn {
    /// Of a type that cannot be profiled it is known all the same which rows are NULL.
    fn read_presence(&mut self, value: Option<Expr>) -> Result<()> {
        if let (Some("unsupported_type"), Some(value)) = (self.status, value) {
            self.kind = ColumnKind::Presence;
            self.expr = Some(when(value.is_not_null(), lit(true)).end()?);
        }
        Ok(())
    }
}

/// The columns of each side, the same names in the same order. A side that holds stored profiles has none.
pub fn profiled_columns(
    call: &mut Call,
    sides: &[&Side],
    by: &[(String, SqlExpr)],
    unsupported: Unsupported,
) -> Result<Vec<Vec<ProfiledColumn>>> {
    let named = chosen(call, sides, by)?;
    let categorical = overrides(call, "treat_as_categorical", &named)?;
    let continuous = overrides(call, "treat_as_continuous", &named)?;
    if let Some(both) = categorical.intersection(&continuous).next() {
        return plan_err!(
            "{}: column '{both}' is in treat_as_categorical and in treat_as_continuous. Expected one of the two",
            call.function()
        );
    }
    let mut columns: Vec<Vec<ProfiledColumn>> = sides.iter().map(|_| Vec::new()).collect();
    for (name, sql) in &named {
        let told = match (categorical.contains(name), continuous.contains(name)) {
            (true, _) => Some(ColumnKind::Categorical),
            (_, true) => Some(ColumnKind::Continuous),
            _ => None,
        };
        let found = resolve(call, sides, name, sql)?;
        // the first relation, which is the reference where there are two, says how a column is read
        let first = found
            .iter()
            .flatten()
            .next()
            .map(|(_, found)| found.clone());
        let kind = told.or_else(|| first.as_ref().and_then(ColumnKind::of));
        for ((side, of_side), found) in sides.iter().zip(&mut columns).zip(found) {
            if !side.is_stored() {
                let value = found.clone().map(|(expr, _)| expr);
                let mut column = profiled(call, name, found, kind, told.is_some())?;
                if unsupported == Unsupported::Presence {
                    column.read_presence(value)?;
                }
                of_side.push(column);
            }
        }
    }
    Ok(columns)
}

/// A column as one relation has it.
fn profiled(
    call: &Call,
    name: &str,
    found: Option<(Expr, DataType)>,
    kind: Option<ColumnKind>,
    told: bool,
) -> Result<ProfiledColumn> {
    let column = |kind, expr, status| ProfiledColumn {
        name: name.to_string(),
        kind,
        expr,
        status,
    };
    let reserve = kind.unwrap_or(ColumnKind::Categorical);
    let Some((expr, found)) = found else {
        return Ok(column(reserve, None, Some("absent_column")));
    };
    let Some(kind) = kind else {
        let status = match ColumnKind::of(&found) {
            Some(_) => "changed_type",
            None => "unsupported_type",
        };
        return Ok(column(reserve, None, Some(status)));
    };
    if found == DataType::Null {
        return Ok(column(kind, Some(cast(expr, DataType::Boolean)), None));
    }
    match ColumnKind::of(&found) {
        _ if told && !kind.can_read(&found) => {
            let (word, expected) = match kind {
                ColumnKind::Continuous => ("continuous", "a number or a boolean"),
                _ => ("categorical", "a text, a number, a boolean or a time"),
            };
            plan_err!(
                "{}: column '{name}' has type {found} and cannot be read as {word}. Expected {expected}. \
                 Hint: columns => {{'{name}': <expression over {name}>}}",
                call.function()
            )
        }
        _ if told => Ok(column(kind, Some(readable(expr, &found)), None)),
        Some(own) if own == kind => Ok(column(kind, Some(expr), None)),
        _ => Ok(column(kind, None, Some("changed_type"))),
    }
}

/// Times have no text form of their own in a profile.
fn readable(expr: Expr, found: &DataType) -> Expr {
    match found.is_temporal() {
        true => cast(expr, DataType::Utf8View),
        false => expr,
    }
}

/// The column in each relation; an error where no relation has it.
fn resolve(
    call: &mut Call,
    sides: &[&Side],
    name: &str,
    sql: &SqlExpr,
) -> Result<Vec<Option<(Expr, DataType)>>> {
    let mut found = Vec::with_capacity(sides.len());
    let mut refused = None;
    for side in sides {
        let schema = side.schema();
        let resolved = match side.is_stored() {
            true => None,
            false => match call.resolve("columns", sql.clone(), schema) {
                Ok(expr) => Some((expr.clone(), expr.get_type(schema)?)),
                Err(error) => {
                    refused.get_or_insert(error);
                    None
                }
            },
        };
        found.push(resolved);
    }
    match refused {
        Some(error) if found.iter().all(Option::is_none) => match sql {
            SqlExpr::Identifier(_) => {
                let schema = sides.iter().find(|side| !side.is_stored());
                let names = schema
                    .map(|side| column_names(side.schema()))
                    .unwrap_or_default();
                plan_err!(
                    "{}: argument 'columns': there is no column '{name}'. {}",
                    call.function(),
                    expected_one_of(name, &names)
                )
            }
            _ => Err(error),
        },
        _ => Ok(found),
    }
}

/// Name and SQL of each column: as `columns` says, or all that have no other part in the call.
fn chosen(
    call: &mut Call,
    sides: &[&Side],
    by: &[(String, SqlExpr)],
) -> Result<Vec<(String, SqlExpr)>> {
    let excluded = call.words("exclude")?.unwrap_or_default();
    let given = match call.sql("columns") {
        Some(_)
            if call
                .words("columns")
                .is_ok_and(|words| words.as_deref() == Some(&["*".to_string()])) =>
        {
            None
        }
        Some(_) => Some(named_expressions(call, "columns")?),
        None => None,
    };
    let known: Vec<String> = match &given {
        Some(given) => given.iter().map(|(name, _)| name.clone()).collect(),
        None => all_names(sides),
    };
    for name in &excluded {
        if !known.contains(name) {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            return plan_err!(
                "{}: argument 'exclude' names '{name}', which is no column. {}",
                call.function(),
                expected_one_of(name, &names)
            );
        }
    }
    let named = match given {
        Some(given) => given,
        None => {
            let taken = other_parts(call, sides, by);
            let free = known.into_iter().filter(|name| !taken.contains(name));
            free.map(|name| {
                let sql = SqlExpr::Identifier(Ident::with_quote('"', name.clone()));
                (name, sql)
            })
            .collect()
        }
    };
    let named: Vec<_> = named
        .into_iter()
        .filter(|(name, _)| !excluded.contains(name))
        .collect();
    if let Some(twice) = named
        .iter()
        .enumerate()
        .find(|(i, (name, _))| named.iter().skip(i + 1).any(|(other, _)| other == name))
    {
        return plan_err!(
            "{}: argument 'columns' names '{}' twice. Expected each column once, each name for one expression",
            call.function(),
            twice.1.0
        );
    }
    if named.is_empty() && sides.iter().any(|side| !side.is_stored()) {
        return plan_err!(
            "{}: no column is left to be profiled. Expected columns besides timestamp, by and chunk",
            call.function()
        );
    }
    Ok(named)
}

/// Names of the columns of all relations of rows, each once.
fn all_names(sides: &[&Side]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for side in sides.iter().filter(|side| !side.is_stored()) {
        for name in column_names(side.schema()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_string());
            }
        }
    }
    names
}

/// Columns that the call reads for something else: time, groups, chunks and order.
fn other_parts(call: &mut Call, sides: &[&Side], by: &[(String, SqlExpr)]) -> HashSet<String> {
    let mut taken = HashSet::new();
    if call.sql("timestamp").is_none() {
        taken.insert("timestamp".into());
    }
    for side in sides.iter().filter(|side| !side.is_stored()) {
        for (_, sql) in by {
            taken.extend(referenced(call, "by", sql.clone(), side.schema()));
        }
        for argument in ["timestamp", "chunk", "reference_chunk", "order_by"] {
            for sql in call
                .sql(argument)
                .iter()
                .flat_map(super::arguments::elements)
            {
                taken.extend(referenced(call, argument, sql, side.schema()));
            }
        }
    }
    taken
}

/// The columns that an expression reads; none where it does not belong to this relation.
fn referenced(call: &mut Call, argument: &str, sql: SqlExpr, schema: &DFSchema) -> Vec<String> {
    match call.resolve(argument, sql, schema) {
        Ok(expr) => expr.column_refs().iter().map(|c| c.name.clone()).collect(),
        Err(_) => vec![],
    }
}

/// The columns that a `treat_as_` argument names.
fn overrides(
    call: &mut Call,
    argument: &str,
    named: &[(String, SqlExpr)],
) -> Result<HashSet<String>> {
    let names = call.words(argument)?.unwrap_or_default();
    let known: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => plan_err!(
            "{}: argument '{argument}' names '{name}', which is not among the columns. {}",
            call.function(),
            expected_one_of(name, &known)
        ),
        None => Ok(names.into_iter().collect()),
    }
}
