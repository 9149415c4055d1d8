//! What `\h` says of a function, whoever registered it.
use crate::suggest::nearest;
use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write};

use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::Documentation;
use datafusion::prelude::SessionContext;

use crate::relation::{self, ArgumentWord, RelationSpec};

/// Where a function stands in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionKind {
    /// In `FROM`; its result is a relation.
    Table,
    /// Over the rows of a group or a window frame.
    Aggregate,
    /// On the values of one row.
    Scalar,
    /// With `OVER` only.
    Window,
    /// In an argument of a table function, and not a function by itself.
    Argument,
}

impl FunctionKind {
    fn title(self) -> &'static str {
        match self {
            Self::Table => "table function",
            Self::Aggregate => "aggregate function",
            Self::Scalar => "scalar function",
            Self::Window => "window function",
            Self::Argument => "argument of table functions",
        }
    }
}

/// Help on one function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionHelp {
    /// As it is written in SQL.
    pub name: String,
    /// Where it stands in a statement.
    pub kind: FunctionKind,
    /// How a call looks, such as `roc_auc(label, score)`.
    pub signature: String,
    /// What it answers.
    pub description: String,
    /// Name and meaning of each argument.
    pub arguments: Vec<(String, String)>,
    /// Name and meaning of each column of the result; empty where there is one value.
    pub columns: Vec<(String, String)>,
    /// A statement to try.
    pub example: Option<String>,
}

impl fmt::Display for FunctionHelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.signature, self.kind.title())?;
        if !self.description.is_empty() {
            write!(f, "\n{}\n", self.description)?;
        }
        for (title, lines) in [
            ("Arguments", &self.arguments),
            ("Result columns", &self.columns),
        ] {
            if lines.is_empty() {
                continue;
            }
            writeln!(f, "\n{title}")?;
            let widest = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, meaning) in lines {
                writeln!(f, "  {name:widest$}  {}", meaning.trim())?;
            }
        }
        match &self.example {
            Some(example) => write!(f, "\nExample\n{}\n", indented(example)),
            None => Ok(()),
        }
    }
}

impl From<&ArgumentWord> for FunctionHelp {
    fn from(word: &ArgumentWord) -> Self {
        Self {
            name: word.name.to_owned(),
            kind: FunctionKind::Argument,
            signature: word.syntax.to_owned(),
            description: word.description.to_owned(),
            arguments: vec![],
            columns: vec![],
            example: Some(word.example.to_owned()),
        }
    }
}

impl From<&RelationSpec> for FunctionHelp {
    fn from(spec: &RelationSpec) -> Self {
        let (first, named) = spec
            .arguments
            .split_at(spec.positional.min(spec.arguments.len()));
        let first = first.iter().map(|(name, _)| (*name).to_owned());
        let named = named.iter().map(|(name, _)| format!("{name} => ..."));
        let arguments: Vec<_> = first.chain(named).collect();
        Self {
            name: spec.name.to_owned(),
            kind: FunctionKind::Table,
            signature: format!("{}({})", spec.name, arguments.join(", ")),
            description: spec.description.trim().to_owned(),
            arguments: spec.argument_help(),
            columns: spec.column_help(),
            example: Some(spec.example.to_owned()),
        }
    }
}

/// Help on table functions and on words of their arguments, which a session cannot list itself.
pub fn of_relations() -> Vec<FunctionHelp> {
    let relations = relation::all().iter().map(|&spec| spec.into());
    let words = relation::ARGUMENT_WORDS.iter().map(|word| word.into());
    relations.chain(words).collect()
}

/// Help on every function that a session knows.
#[derive(Debug, Clone, Default)]
pub struct Manual {
    entries: BTreeMap<String, FunctionHelp>,
    /// Words of arguments, one of which is a function too.
    words: BTreeMap<String, FunctionHelp>,
    built_in: HashSet<String>,
}

impl Manual {
    /// Help on the functions registered on `context`, and on the table functions and words of arguments
    /// `relations`, which a session cannot list itself.
    pub fn of(context: &SessionContext, relations: Vec<FunctionHelp>) -> Self {
        let state = context.state();
        let mut manual = Self {
            built_in: built_in_names(),
            ..Self::default()
        };
        for (name, function) in state.scalar_functions() {
            manual.add(name, FunctionKind::Scalar, function.documentation());
        }
        for (name, function) in state.higher_order_functions() {
            manual.add(name, FunctionKind::Scalar, function.documentation());
        }
        for (name, function) in state.window_functions() {
            manual.add(name, FunctionKind::Window, function.documentation());
        }
        for (name, function) in state.aggregate_functions() {
            manual.add(name, FunctionKind::Aggregate, function.documentation());
        }
        for name in state.table_functions().keys() {
            manual.add(name, FunctionKind::Table, None);
        }
        for help in relations {
            let of_kind = match help.kind {
                FunctionKind::Argument => &mut manual.words,
                _ => &mut manual.entries,
            };
            of_kind.insert(help.name.clone(), help);
        }
        manual
    }

    fn add(&mut self, name: &str, kind: FunctionKind, documentation: Option<&Documentation>) {
        let help = match documentation {
            Some(documentation) => FunctionHelp {
                name: name.to_owned(),
                kind,
                signature: documentation.syntax_example.clone(),
                description: documentation.description.trim().to_owned(),
                arguments: documentation.arguments.clone().unwrap_or_default(),
                columns: vec![],
                example: documentation.sql_example.clone(),
            },
            None => FunctionHelp {
                name: name.to_owned(),
                kind,
                signature: format!("{name}(...)"),
                description: String::new(),
                arguments: vec![],
                columns: vec![],
                example: None,
            },
        };
        self.entries.insert(name.to_owned(), help);
    }

    /// Names and kinds, in order of names.
    pub fn functions(&self) -> impl Iterator<Item = (&str, FunctionKind)> {
        self.entries
            .values()
            .map(|help| (help.name.as_str(), help.kind))
    }

    /// Names of the arguments of each table function.
    pub fn named_arguments(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        let relations = self
            .entries
            .values()
            .filter(|help| help.kind == FunctionKind::Table);
        relations.map(|help| {
            let names = help.arguments.iter().map(|(name, _)| name.clone());
            (help.name.as_str(), names.collect())
        })
    }

    /// All functions: those for monitoring with a line each, then the others by kind.
    pub fn list(&self, width: usize) -> String {
        let mut text = String::new();
        let mut ours: Vec<_> = self
            .entries
            .values()
            .filter(|help| !self.built_in.contains(&help.name))
            .collect();
        ours.sort_by_key(|help| (help.kind, help.name.clone()));
        let widest = ours.iter().map(|help| help.name.len()).max().unwrap_or(0);
        if !ours.is_empty() {
            text.push_str("Functions for monitoring\n");
        }
        for help in ours {
            let line = format!(
                "  {:widest$}  {}",
                help.name,
                first_sentence(&help.description)
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let words: Vec<&str> = self.words.keys().map(String::as_str).collect();
        if !words.is_empty() {
            let _ = write!(text, "Words of their arguments\n{}", columns(&words, width));
        }
        for kind in [
            FunctionKind::Aggregate,
            FunctionKind::Scalar,
            FunctionKind::Window,
            FunctionKind::Table,
        ] {
            let names: Vec<_> = self
                .functions()
                .filter(|(name, its)| *its == kind && self.built_in.contains(*name))
                .map(|(name, _)| name)
                .collect();
            let title = kind.title();
            let _ = write!(text, "Built-in {title}s\n{}", columns(&names, width));
        }
        text
    }

    /// Everything known of one function; the error names the nearest.
    ///
    /// # Errors
    /// When there is no function of this name.
    pub fn show(&self, name: &str) -> Result<String, String> {
        let name = name.trim().trim_end_matches("()").to_lowercase();
        let found = [self.entries.get(&name), self.words.get(&name)];
        let found: Vec<String> = found
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        if found.is_empty() {
            return Err(self.not_found(&name));
        }
        Ok(found.join("\n"))
    }

    fn not_found(&self, name: &str) -> String {
        let known = self.entries.keys().chain(self.words.keys());
        let known: Vec<&str> = known.map(String::as_str).collect();
        let nearest = nearest(name, &known);
        match nearest {
            Some(nearest) => {
                format!("there is no function '{name}'. Did you mean {nearest}? \\h lists all")
            }
            None => format!("there is no function '{name}'"),
        }
    }
}

fn built_in_names() -> HashSet<String> {
    let mut names = HashSet::new();
    for function in SessionStateDefaults::default_scalar_functions() {
        names.insert(function.name().to_owned());
        names.extend(function.aliases().iter().cloned());
    }
    for function in SessionStateDefaults::default_higher_order_functions() {
        names.insert(function.name().to_owned());
        names.extend(function.aliases().iter().cloned());
    }
    for function in SessionStateDefaults::default_aggregate_functions() {
        names.insert(function.name().to_owned());
        names.extend(function.aliases().iter().cloned());
    }
    for function in SessionStateDefaults::default_window_functions() {
        names.insert(function.name().to_owned());
        names.extend(function.aliases().iter().cloned());
    }
    for function in SessionStateDefaults::default_table_functions() {
        names.insert(function.name().to_owned());
    }
    names
}

fn first_sentence(description: &str) -> &str {
    let line = description.lines().next().unwrap_or_default();
    line.split_once(". ")
        .map_or(line, |(sentence, _)| sentence)
        .trim_end_matches('.')
}

fn indented(example: &str) -> String {
    let lines: Vec<_> = example
        .trim_matches('\n')
        .trim_end()
        .lines()
        .filter(|line| !line.trim().starts_with("```"))
        .collect();
    let shared = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let lines = lines
        .iter()
        .map(|line| format!("  {}", line.get(shared..).unwrap_or_default()));
    lines
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

fn columns(names: &[&str], width: usize) -> String {
    let widest = names.iter().map(|name| name.len()).max().unwrap_or(0) + 2;
    let across = (width.saturating_sub(2) / widest).max(1);
    let mut text = String::new();
    for line in names.chunks(across) {
        let cells: String = line.iter().map(|name| format!("{name:widest$}")).collect();
        let _ = writeln!(text, "  {}", cells.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manual() -> Manual {
        let relation = FunctionHelp {
            name: "estimate_performance".to_owned(),
            kind: FunctionKind::Table,
            signature: "estimate_performance(reference, analysis, ...)".to_owned(),
            description: "Performance without labels. More follows.".to_owned(),
            arguments: vec![("reference".to_owned(), "Rows with labels.".to_owned())],
            columns: vec![("alert".to_owned(), "Whether.".to_owned())],
            example: Some("    SELECT 1;\n      SELECT 2;".to_owned()),
        };
        let words = relation::ARGUMENT_WORDS.iter().map(|word| word.into());
        let help = words.chain([relation]).collect();
        Manual::of(&SessionContext::new(), help)
    }

    #[test]
    fn a_function_is_shown_with_signature_arguments_and_example() {
        let expected = "estimate_performance(reference, analysis, ...) (table function)\n\n\
            Performance without labels. More follows.\n\n\
            Arguments\n  reference  Rows with labels.\n\n\
            Result columns\n  alert  Whether.\n\n\
            Example\n  SELECT 1;\n    SELECT 2;\n";
        assert_eq!(manual().show("Estimate_Performance()").unwrap(), expected);
        let built_in = manual().show("corr").unwrap();
        assert!(
            built_in.starts_with("corr(expression1, expression2) (aggregate"),
            "{built_in}"
        );
    }

    #[test]
    fn the_list_starts_with_monitoring() {
        let list = manual().list(80);
        let start = "Functions for monitoring\n  estimate_performance  Performance without labels\n\
                     Words of their arguments\n  constant          false_alarm_rate  parts             rows\n  stddev\n\
                     Built-in aggregate functions\n  ";
        assert!(list.starts_with(start), "{list}");
        assert!(list.lines().all(|line| line.len() <= 80), "{list}");
    }

    #[test]
    fn words_of_arguments_are_explained() {
        for word in ["rows", "parts", "constant", "false_alarm_rate"] {
            let shown = manual().show(word).unwrap();
            assert!(shown.contains(&format!("=> {word}(")), "{shown}");
            assert!(shown.contains("(argument of table functions)"), "{shown}");
        }
        let both = manual().show("stddev").unwrap();
        for part in ["(aggregate function)", "thresholds => stddev(k)"] {
            assert!(both.contains(part), "{both}");
        }
    }

    #[test]
    fn a_misspelt_function_names_the_nearest() {
        let error = manual().show("estimate_performence").unwrap_err();
        assert!(
            error.contains("Did you mean estimate_performance?"),
            "{error}"
        );
    }
}
