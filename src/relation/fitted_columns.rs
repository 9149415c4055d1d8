//! The columns that multivariate drift looks at, and what they are taken for.
use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;

use super::arguments::Call;
use super::roles::{Kind, column, column_names};
use super::rows::Rows;
use crate::kernel::pca::covariance::MOST_COLUMNS;
use crate::suggest::expected_one_of;

/// A column in both relations.
pub struct FittedColumn {
    name: String,
    reference: Expr,
    analysis: Expr,
}

/// The columns, in order.
pub struct FittedColumns(Vec<FittedColumn>);

impl FittedColumns {
    /// Names and expressions over the rows of a side.
    pub fn of(&self, dataset: &str) -> Vec<(String, Expr)> {
        let expr = |column: &FittedColumn| match dataset {
            "reference" => column.reference.clone(),
            _ => column.analysis.clone(),
        };
        let columns = self.0.iter().enumerate();
        columns
            .map(|(i, column)| (inside(i), expr(column)))
            .collect()
    }

    /// A row as one struct, from the columns that [`Self::of`] named.
    pub fn record(&self) -> Expr {
        self.record_with(&[])
    }

    /// The same with more fields.
    pub fn record_with(&self, more: &[(&str, Expr)]) -> Expr {
        let fields = self.0.iter().enumerate();
        let fields = fields.flat_map(|(i, field)| [lit(field.name.clone()), column(&inside(i))]);
        let more = more
            .iter()
            .flat_map(|(name, expr)| [lit(*name), expr.clone()]);
        named_struct(fields.chain(more).collect())
    }
}

fn inside(position: usize) -> String {
    format!("__x{position}")
}

/// Reads `columns`, `exclude`, `treat_as_categorical` and `treat_as_continuous`; [`Rows::named_columns`] are left out by
/// default, and fewer than `least` are refused.
pub fn fitted_columns(
    call: &mut Call,
    relations: [&Rows; 2],
    by: &[(String, SqlExpr)],
    least: usize,
) -> Result<FittedColumns> {
    let function = call.function();
    let mut named = BTreeSet::new();
    for rows in relations {
        named.extend(rows.named_columns(call, by)?);
    }
    let sides = relations.map(|rows| rows.side.schema());
    for role in ["label", "prediction", "score"] {
        let [first, _] = sides;
        for name in call.columns_read(role, first)?.unwrap_or_default() {
            require_somewhere(call, role, &name, sides)?;
        }
    }
    let excluded = call.words("exclude")?.unwrap_or_default();
    for name in &excluded {
        require_somewhere(call, "exclude", name, sides)?;
    }
    let given = call
        .words("columns")?
        .filter(|names| !names.iter().any(|name| name == "*"));
    let candidates = match &given {
        Some(names) => names.clone(),
        None => {
            let mut all: Vec<String> = vec![];
            for name in sides.into_iter().flat_map(column_names) {
                if !named.contains(name) && !all.iter().any(|known| known == name) {
                    all.push(name.to_string());
                }
            }
            all
        }
    };
    let names: Vec<String> = candidates
        .into_iter()
        .filter(|name| !excluded.contains(name))
        .collect();
    let as_text = treated(call, "treat_as_categorical", &names)?;
    let as_number = treated(call, "treat_as_continuous", &names)?;
    if let Some(both) = as_text.iter().find(|name| as_number.contains(name)) {
        return plan_err!(
            "{function}: '{both}' is in treat_as_categorical and in treat_as_continuous. Expected it in one of them"
        );
    }
    let mut columns: Vec<FittedColumn> = vec![];
    for name in names {
        if columns.iter().any(|known| known.name == name) {
            return plan_err!(
                "{function}: argument 'columns' names '{name}' twice. Expected each column once"
            );
        }
        let treat = (as_text.contains(&name), as_number.contains(&name));
        columns.push(fitted_column(call, name, sides, treat, given.is_some())?);
    }
    match columns.len() {
        many if (least..=MOST_COLUMNS).contains(&many) => Ok(FittedColumns(columns)),
        few if few < least => plan_err!(
            "{function}: {} column is left to look at, and how columns go together takes two at least. Expected more columns. \
             Columns that say when, by which model and in which group a row is are left out by default. \
             Hint: columns => [a, b]",
            match columns.first() {
                Some(only) => format!("only '{}'", only.name),
                None => "no".into(),
            }
        ),
        many => plan_err!(
            "{function}: there are {many} columns. Expected at most {MOST_COLUMNS}. Hint: columns => [...] or exclude => [...]"
        ),
    }
}

fn require_somewhere(call: &Call, argument: &str, name: &str, sides: [&DFSchema; 2]) -> Result<()> {
    let mut all: Vec<&str> = vec![];
    for name in sides.into_iter().flat_map(column_names) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    if all.contains(&name) {
        return Ok(());
    }
    plan_err!(
        "{}: argument '{argument}': there is no column '{name}'. {}",
        call.function(),
        expected_one_of(name, &all)
    )
}

fn treated(call: &mut Call, argument: &str, columns: &[String]) -> Result<Vec<String>> {
    let given = call.words(argument)?.unwrap_or_default();
    let known: Vec<&str> = columns.iter().map(String::as_str).collect();
    match given.iter().find(|name| !columns.contains(name)) {
        None => Ok(given),
        Some(name) => plan_err!(
            "{}: argument '{argument}': '{name}' is not one of the columns that are looked at. {}",
            call.function(),
            expected_one_of(name, &known)
        ),
    }
}

/// A column with its expressions: numbers as DOUBLE, categories as text or boolean.
fn fitted_column(
    call: &Call,
    name: String,
    sides: [&DFSchema; 2],
    (as_text, as_number): (bool, bool),
    listed: bool,
) -> Result<FittedColumn> {
    let function = call.function();
    let [reference, analysis] = sides.map(|schema| schema.field_with_unqualified_name(&name));
    let (reference, analysis) = match (reference, analysis) {
        (Ok(reference), Ok(analysis)) => (reference.data_type(), analysis.data_type()),
        (found, _) => {
            let (lacks, schema) = match (found.is_ok(), sides) {
                (true, [_, analysis]) => ("analysis", analysis),
                (false, [reference, _]) => ("reference", reference),
            };
            return match listed {
                true => plan_err!(
                    "{function}: argument 'columns': there is no column '{name}' in the {lacks}. {}",
                    expected_one_of(&name, &column_names(schema))
                ),
                false => plan_err!(
                    "{function}: the {lacks} has no column '{name}'. Expected the same columns in both relations. \
                     Hint: exclude => ['{name}'], or name it where it is the label, prediction or score"
                ),
            };
        }
    };
    let kinds = [reference, analysis].map(Kind::of);
    let mixed = || {
        plan_err!(
            "{function}: column '{name}' has type {reference} in the reference and type {analysis} in the analysis. \
             Expected numbers in both or texts in both. Hint: exclude => ['{name}'], or CAST it in a relation"
        )
    };
    let unsupported = |found: &DataType, expected: &str| {
        plan_err!(
            "{function}: column '{name}' has type {found}. Expected {expected}. Hint: exclude => ['{name}']{}",
            if as_text || as_number || found.is_nested() {
                String::new()
            } else {
                format!(", or treat_as_categorical => ['{name}']")
            }
        )
    };
    let expr = |to: &dyn Fn(Expr) -> Expr| to(column(&name));
    // a column of NULLs alone has the type of the other side
    let null = [reference, analysis].map(DataType::is_null);
    if as_text {
        if let Some(nested) = [reference, analysis]
            .into_iter()
            .find(|found| found.is_nested())
        {
            return unsupported(nested, "values that can be written as texts");
        }
        let Some(common) = type_union_coercion(reference, analysis) else {
            return mixed();
        };
        // 1 and 1.0 are one category
        if null == [false, false] && (kinds[0] == Kind::Text) != (kinds[1] == Kind::Text) {
            return mixed();
        }
        let text = |e: Expr| cast(cast(e, common.clone()), DataType::Utf8View);
        let (reference, analysis) = (expr(&text), expr(&text));
        return Ok(FittedColumn {
            name,
            reference,
            analysis,
        });
    }
    for (found, kind) in [reference, analysis].into_iter().zip(kinds) {
        if kind == Kind::Other {
            return unsupported(found, "numbers, texts or booleans");
        }
        if as_number && kind == Kind::Text {
            return unsupported(found, "numbers to treat as continuous");
        }
    }
    let number = |e: Expr, found: &DataType| match Kind::of(found) {
        // a boolean is not cast to DOUBLE directly
        Kind::Boolean => cast(cast(e, DataType::Int64), DataType::Float64),
        _ => cast(e, DataType::Float64),
    };
    let typed = |found: &DataType| {
        let other = if found.is_null() && found == reference {
            analysis
        } else {
            reference
        };
        let lead = if found.is_null() { other } else { found };
        let value = column(&name);
        match Kind::of(lead) {
            _ if as_number || lead.is_null() => number(value, lead),
            Kind::Text => cast(value, DataType::Utf8View),
            Kind::Boolean => cast(value, DataType::Boolean),
            _ => number(value, lead),
        }
    };
    if null == [false, false] && kinds[0] != kinds[1] && !as_number {
        return mixed();
    }
    let (reference, analysis) = (typed(reference), typed(analysis));
    Ok(FittedColumn {
        name,
        reference,
        analysis,
    })
}
