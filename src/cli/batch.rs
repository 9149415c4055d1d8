//! Statements that run one after the other without anybody watching.
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use datafusion::prelude::SessionContext;

use super::args::Source;
use super::failure::{Failure, Trouble};
use super::help::{Manual, of_relations};
use super::query::{self, Console};
use super::repl::commands::Command;
use super::script::Script;

/// Columns of help, which may go to a file.
const WIDTH: usize = 80;

/// Runs all statements of all sources in order and says whether a result had a true `alert`.
///
/// # Errors
/// The first statement that fails ends the run; the failure names its file and line.
pub async fn run(
    context: &SessionContext,
    sources: &[Source],
    console: &mut Console<'_>,
) -> Result<bool, Failure> {
    let mut alert = false;
    let commands = sources
        .iter()
        .filter(|source| matches!(source, Source::Command(..)))
        .count();
    for source in sources {
        let (place, text) = read(source, commands)?;
        if let Some(help) = help_asked_for(context, &text) {
            let help = help.map_err(|why| Failure::at(&place, why))?;
            console
                .write(&help)
                .map_err(|error| Failure::at(&place, error))?;
            continue;
        }
        alert |= run_text(context, &place, text, console).await?;
    }
    Ok(alert)
}

/// What `\h` or `\h NAME` alone in a text asks for, so that help is at hand without a prompt.
fn help_asked_for(context: &SessionContext, text: &str) -> Option<Result<String, String>> {
    let line = text.trim();
    if !line.starts_with("\\h") || line.contains('\n') {
        return None;
    }
    let manual = Manual::of(context, of_relations());
    match Command::parse(line) {
        Ok(Command::Functions) => Some(Ok(manual.list(WIDTH))),
        Ok(Command::Function(name)) => Some(manual.show(&name)),
        _ => None,
    }
}

/// Runs the statements of one text; `place` is the name of the text in messages.
///
/// # Errors
/// As [`run`].
pub async fn run_text(
    context: &SessionContext,
    place: &str,
    text: String,
    console: &mut Console<'_>,
) -> Result<bool, Failure> {
    let mut script = Script::new(text);
    let mut alert = false;
    loop {
        let piece = script
            .next(context)
            .map_err(|error| Trouble::from(error).at(place))?;
        let Some(piece) = piece else {
            return Ok(alert);
        };
        let place = format!("{place}:{}", piece.line);
        let done = query::run(context, piece, console).await;
        alert |= done.map_err(|trouble| trouble.at(&place))?.0.alert;
    }
}

/// The name of a source in messages, and its text.
fn read(source: &Source, commands: usize) -> Result<(String, String), Failure> {
    match source {
        Source::Command(_, text) if commands == 1 => Ok(("-c".to_owned(), text.clone())),
        Source::Command(number, text) => Ok((format!("-c[{number}]"), text.clone())),
        Source::File(path) if path == Path::new("-") => {
            let mut text = String::new();
            let read = io::stdin().read_to_string(&mut text);
            read.map_err(|error| Failure::at("<stdin>", error))?;
            Ok(("<stdin>".to_owned(), text))
        }
        Source::File(path) => {
            let place = path.display().to_string();
            let text = fs::read_to_string(path).map_err(|error| Failure::at(&place, error))?;
            Ok((place, text))
        }
    }
}
