//! The features of the relations.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit, when};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident};

use super::super::arguments::Call;
use super::super::by::named_expressions;
use super::super::columns::{ColumnKind, ProfiledColumn, Unsupported, profiled_columns};
use super::super::roles::Kind;
use super::sides::{Sides, other_parts};

/// A feature.
pub struct SkewColumn {
    /// Its name.
    pub name: String,
    /// How it is read, as training says.
    pub kind: ColumnKind,
    /// As each relation has it, in their order.
    pub sides: Vec<OfSide>,
}

/// A feature as one relation has it.
pub struct OfSide {
    /// What is profiled; `None` where it cannot be.
    pub profiled: Option<Expr>,
    /// `absent_column`, `changed_type` or `unsupported_type`.
    pub status: Option<&'static str>,
    /// The value itself with its type, where the relation has it.
    pub value: Option<(Expr, DataType)>,
}

impl SkewColumn {
    /// The expressions that are profiled on two sides, where both are.
    pub fn profiled(&self, first: usize, second: usize) -> Option<[Expr; 2]> {
        let of = |side: usize| self.sides.get(side)?.profiled.clone();
        Some([of(first)?, of(second)?])
    }

    /// The values on two sides as they are compared one by one: numbers as DOUBLE, all else as text; `None` where a side has none,
    /// or one that cannot be compared.
    pub fn comparable(&self, first: usize, second: usize) -> Option<[Expr; 2]> {
        let of = |side: usize| {
            let of_side = self.sides.get(side)?;
            let is_usable = of_side.profiled.is_some() || self.kind == ColumnKind::Presence;
            let (value, found) = of_side.value.clone().filter(|_| is_usable)?;
            plain(self.kind, value, &found)
        };
        Some([of(first)?, of(second)?])
    }

    /// Whether whole numbers are not all that both sides can hold.
    pub fn may_have_decimals(&self, first: usize, second: usize) -> bool {
        let of = |side: usize| self.sides.get(side)?.value.as_ref();
        let has = |of: Option<&(Expr, DataType)>| of.is_some_and(|(_, found)| !found.is_integer());
        self.kind == ColumnKind::Continuous && (has(of(first)) || has(of(second)))
    }
}

/// A number as DOUBLE, or all else as text; `None` for what is neither.
fn plain(kind: ColumnKind, value: Expr, found: &DataType) -> Option<Expr> {
    match (kind, Kind::of(found)) {
        (ColumnKind::Continuous, Kind::Number) => Some(cast(value, DataType::Float64)),
        (ColumnKind::Continuous, Kind::Boolean) => {
            Some(cast(cast(value, DataType::Int64), DataType::Float64))
        }
        _ if found.is_nested() || found.is_binary() => None,
        _ => Some(cast(value, DataType::Utf8)),
    }
}

/// A struct of values named by `name` and position, for hashes and trees.
pub fn record<'a>(values: impl IntoIterator<Item = (&'a str, Expr)>) -> Expr {
    let fields = values.into_iter();
    named_struct(
        fields
            .flat_map(|(name, value)| [lit(name), value])
            .collect(),
    )
}

/// The columns that `columns` and `exclude` choose; by default all but roles and keys.
pub fn skew_columns(call: &mut Call, sides: &Sides) -> Result<Vec<SkewColumn>> {
    let relations: Vec<_> = sides.all.iter().map(|of| &of.side).collect();
    let others = other_parts(call)?;
    let by_side = profiled_columns(call, &relations, &others, Unsupported::Presence)?;
    let named = match call.sql("columns") {
        Some(_) => named_expressions(call, "columns")?,
        None => vec![],
    };
    let Some((first, _)) = by_side.split_first() else {
        return Ok(vec![]);
    };
    let mut columns = Vec::with_capacity(first.len());
    for (position, of_training) in first.iter().enumerate() {
        let name = of_training.name.clone();
        let given = named.iter().find(|(known, _)| *known == name);
        let column = || SqlExpr::Identifier(Ident::with_quote('"', name.clone()));
        let sql = given.map_or_else(column, |(_, sql)| sql.clone());
        let mut of_sides = Vec::with_capacity(by_side.len());
        for (side, columns) in relations.iter().zip(&by_side) {
            if let Some(found) = columns.get(position) {
                of_sides.push(of_side(call, side.schema(), found, sql.clone())?);
            }
        }
        columns.push(SkewColumn {
            name,
            kind: of_training.kind,
            sides: of_sides,
        });
    }
    Ok(columns)
}

/// A feature as the relation of a schema has it.
fn of_side(
    call: &mut Call,
    schema: &DFSchema,
    found: &ProfiledColumn,
    sql: SqlExpr,
) -> Result<OfSide> {
    let value = call.resolve("columns", sql, schema).ok();
    let value = value.and_then(|value| {
        let found = value.get_type(schema).ok()?;
        Some((value, found))
    });
    Ok(OfSide {
        profiled: match (found.kind, &value) {
            // what is profiled of it says itself what it is
            (ColumnKind::Presence, Some((value, _))) => {
                Some(when(value.clone().is_not_null(), lit("not NULL")).end()?)
            }
            _ => found.expr.clone(),
        },
        status: found.status,
        value,
    })
}
