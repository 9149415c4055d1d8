//! What SQL users see of a function: one description from which signature, help and docs follow.
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::logical_expr::{DocSection, Documentation, Signature, Volatility};

/// What an argument stands for; decides which types it takes and to which it is cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A label or a prediction: boolean, 0/1 of any width, or their texts.
    Class,
    /// A number of any width, or a boolean.
    Number,
    /// A text, also in a dictionary, a boolean or a number.
    Category,
    /// A profile, calibrator or other fitted value.
    Bytes,
    /// A whole number.
    Integer,
    /// A truth value.
    Flag,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A list of numbers.
    Numbers,
    /// A point in time.
    Time,
    /// A struct of numbers, texts and booleans.
    Record,
}

/// One argument: name, role and meaning.
pub type Argument = (&'static str, Role, &'static str);

/// A function as SQL sees it.
#[derive(Debug)]
pub struct FunctionSpec {
    /// Name in SQL.
    pub name: &'static str,
    /// One or two sentences.
    pub description: &'static str,
    /// Arguments in order.
    pub arguments: &'static [Argument],
    /// How many of them must be given.
    pub required: usize,
    /// A query that shows the function.
    pub example: &'static str,
}

/// Steps of table functions, each with the table function: whoever wrote that has not heard of its steps.
const STEPS: [(&str, &str); 5] = [
    ("diagnose_series", "diagnose"),
    ("detect_series_changes", "detect_changes"),
    ("series_trend", "trend"),
    ("series_seasonality", "seasonality"),
    ("evaluate_kpi", "kpi_divergence"),
];

static SECTION: LazyLock<DocSection> = LazyLock::new(|| DocSection {
    include: true,
    label: "Model Monitoring",
    description: None,
});

impl FunctionSpec {
    /// What errors call it: the table function of which it is a step, or itself.
    pub fn told(&self) -> &'static str {
        let step = STEPS.iter().find(|(step, _)| *step == self.name);
        step.map_or(self.name, |(_, whole)| *whole)
    }

    /// The signature with parameter names, so that arguments can be given by name.
    pub fn signature(&self, volatility: Volatility) -> Result<Signature> {
        let names = self.arguments.iter().map(|(name, ..)| *name).collect();
        Signature::user_defined(volatility).with_parameter_names(names)
    }

    /// The documentation that `\h` and the information schema show.
    pub fn documentation(&self) -> Documentation {
        let names: Vec<&str> = self.arguments.iter().map(|(name, ..)| *name).collect();
        let (required, optional) = names.split_at(self.required.min(names.len()));
        let mut syntax = format!("{}({}", self.name, required.join(", "));
        for name in optional {
            syntax.push_str(&format!("[, {name}]"));
        }
        syntax.push(')');
        let start = Documentation::builder(SECTION.clone(), self.description, syntax);
        self.arguments
            .iter()
            .fold(start, |doc, (name, _, meaning)| {
                doc.with_argument(*name, *meaning)
            })
            .with_sql_example(self.example)
            .build()
    }

    /// The types to which a call's arguments are cast; errors say what was expected.
    pub fn coerce(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len() < self.required || types.len() > self.arguments.len() {
            return plan_err!(
                "{}: {} arguments given. Expected {}",
                self.name,
                types.len(),
                self.documentation().syntax_example
            );
        }
        types
            .iter()
            .zip(self.arguments)
            .map(|(found, (name, role, _))| {
                role.accept(found).ok_or_else(|| {
                    plan_datafusion_err!(
                        "{}: argument '{name}' has type {found}. Expected {}",
                        self.told(),
                        role.expected()
                    )
                })
            })
            .collect()
    }
}

impl Role {
    /// The type to which a value of type `found` is cast, or `None` when it cannot serve.
    fn accept(self, found: &DataType) -> Option<DataType> {
        if self == Self::Category {
            return category(found);
        }
        let found = match found {
            DataType::Dictionary(_, values) => values,
            DataType::RunEndEncoded(_, values) => values.data_type(),
            other => other,
        };
        let text = is_text(found);
        let null = *found == DataType::Null;
        let accepted = match self {
            Self::Class if null || *found == DataType::Boolean => DataType::Boolean,
            Self::Class if found.is_integer() => DataType::Int64,
            Self::Class if found.is_numeric() => DataType::Float64,
            Self::Class if text => DataType::Utf8View,
            Self::Number if null || found.is_numeric() || *found == DataType::Boolean => {
                DataType::Float64
            }
            Self::Bytes if null => DataType::BinaryView,
            Self::Bytes
                if matches!(
                    found,
                    DataType::Binary | DataType::LargeBinary | DataType::BinaryView
                ) =>
            {
                DataType::BinaryView
            }
            Self::Integer if null || found.is_integer() => DataType::Int64,
            Self::Flag if null || *found == DataType::Boolean => DataType::Boolean,
            Self::Text if null || text => DataType::Utf8,
            Self::Texts => list_of(found, &DataType::Utf8)?,
            Self::Numbers => list_of(found, &DataType::Float64)?,
            Self::Time
                if null
                    || matches!(
                        found,
                        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
                    ) =>
            {
                found.clone()
            }
            Self::Record => record_of(found)?,
            _ => return None,
        };
        Some(accepted)
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Class => "a boolean, a number that is 0 or 1, or NULL",
            Self::Number => "a number",
            Self::Category => "a text, a boolean or a number",
            Self::Bytes => "a profile or fitted value (BinaryView)",
            Self::Integer => "a whole number",
            Self::Flag => "a boolean",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
            Self::Numbers => "a list of numbers",
            Self::Time => "a timestamp or a date",
            Self::Record => {
                "a struct of numbers, texts and booleans, as in {'age': age, 'plan': plan}"
            }
        }
    }
}

/// Texts as views and in dictionaries are read as they are; what is neither text, boolean nor whole is written as text.
fn category(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Dictionary(_, values) if is_text(values) => Some(DataType::Dictionary(
            Box::new(DataType::Int32),
            Box::new(DataType::Utf8View),
        )),
        DataType::Dictionary(_, values) => category(values),
        DataType::RunEndEncoded(_, values) => category(values.data_type()),
        DataType::Null | DataType::Boolean => Some(DataType::Boolean),
        DataType::UInt64 => Some(DataType::Utf8View),
        whole if whole.is_integer() => Some(DataType::Int64),
        DataType::Float16 | DataType::Float32 => Some(DataType::Float64),
        DataType::Float64 => Some(DataType::Float64),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Some(DataType::Utf8View),
        other if is_text(other) || other.is_numeric() => Some(DataType::Utf8View),
        _ => None,
    }
}

fn is_text(found: &DataType) -> bool {
    matches!(
        found,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn list_of(found: &DataType, element: &DataType) -> Option<DataType> {
    let list = || DataType::new_list(element.clone(), true);
    match found {
        DataType::Null
        | DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..) => Some(list()),
        _ => None,
    }
}

/// Numbers of any width become one type, and so do texts.
fn record_of(found: &DataType) -> Option<DataType> {
    let DataType::Struct(fields) = found else {
        return found.is_null().then_some(DataType::Null);
    };
    let field = |field: &Arc<Field>| {
        let kind = match field.data_type() {
            DataType::Null => DataType::Null,
            DataType::Boolean => DataType::Boolean,
            other => {
                let number = Role::Number.accept(other);
                number.or_else(|| Role::Text.accept(other).map(|_| DataType::Utf8View))?
            }
        };
        Some(Field::new(field.name(), kind, true))
    };
    Some(DataType::Struct(
        fields.iter().map(field).collect::<Option<Fields>>()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{all_aggregates, all_scalars};

    #[test]
    fn errors_of_a_step_begin_with_the_table_function() {
        let spec = |name| FunctionSpec {
            name,
            description: "",
            arguments: &[("alpha", Role::Number, "")],
            required: 1,
            example: "",
        };
        let error = |name| spec(name).coerce(&[DataType::Utf8]).unwrap_err();
        let told = error("evaluate_kpi").to_string();
        assert!(
            told.contains("kpi_divergence: argument 'alpha' has type Utf8"),
            "{told}"
        );
        assert!(error("psi").to_string().contains("psi: argument 'alpha'"));
    }

    #[test]
    fn steps_are_functions() {
        let aggregates = all_aggregates().unwrap();
        let scalars = all_scalars().unwrap();
        let names = aggregates.iter().map(|of| of.name());
        let names: Vec<&str> = names.chain(scalars.iter().map(|of| of.name())).collect();
        for (step, _) in STEPS {
            assert!(names.contains(&step), "{step}");
        }
    }
}
