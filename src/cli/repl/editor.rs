//! The line editor: history, several lines to a statement, completion.
use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use datafusion::prelude::SessionContext;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper, Highlighter, Hinter, Result};

use super::commands;
use super::vocabulary::Vocabulary;
use crate::cli::script::is_complete;

/// An editor of SQL.
pub type SqlEditor = Editor<SqlHelper, FileHistory>;

/// What the editor asks while a statement is typed.
#[derive(Helper, Highlighter, Hinter)]
pub struct SqlHelper {
    context: SessionContext,
    files: FilenameCompleter,
    /// What Tab offers; refreshed after every statement.
    pub vocabulary: Vocabulary,
}

/// An editor for statements on `context`.
///
/// # Errors
/// When the terminal cannot be used.
pub fn editor(context: &SessionContext) -> Result<SqlEditor> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(SqlHelper {
        context: context.clone(),
        files: FilenameCompleter::new(),
        vocabulary: Vocabulary::default(),
    }));
    Ok(editor)
}

impl Completer for SqlHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        context: &Context<'_>,
    ) -> Result<(usize, Vec<Pair>)> {
        let before = line.get(..pos).unwrap_or(line);
        let in_string = before.matches('\'').count() % 2 == 1;
        if in_string || before.starts_with("\\i ") {
            return self.files.complete(line, pos, context);
        }
        let (start, offers) = if before.starts_with('\\') {
            commands::complete(before, &self.vocabulary)
        } else {
            self.vocabulary.complete(before)
        };
        let pair = |offer: String| Pair {
            display: offer.clone(),
            replacement: offer,
        };
        Ok((start, offers.into_iter().map(pair).collect()))
    }
}

impl Validator for SqlHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let input = context.input();
        let command = input.starts_with('\\') || commands::Command::of_word(input).is_some();
        if command || is_complete(input, &self.context) {
            return Ok(ValidationResult::Valid(None));
        }
        Ok(ValidationResult::Incomplete)
    }
}

/// Where this user's history is kept: `$XDG_STATE_HOME`, else `~/.local/state`, and on Windows
/// the local application data. `None` where there is no such place.
pub fn history_file() -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let state = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")))
    };
    Some(state?.join("modelwatch/history"))
}

/// Makes the folder of the history, for its user only: statements can hold secrets.
///
/// # Errors
/// When the folder can neither be found nor made.
pub fn make_folder(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
