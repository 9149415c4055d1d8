//! The prompt.
pub(super) mod commands;
mod editor;
mod vocabulary;

use std::fs;
use std::io::{BufWriter, Write, stderr, stdout};
use std::path::PathBuf;

use datafusion::arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use rustyline::error::ReadlineError;
use tokio::runtime::Runtime;

use super::batch;
use super::failure::{Failure, Trouble};
use super::help::{FunctionHelp, Manual};
use super::output::{Format, Printed, Printer};
use super::query::{self, Console, Display};
use super::script::Script;

use commands::Command;
use editor::SqlEditor;
use vocabulary::Vocabulary;

const PROMPT: &str = "modelwatch> ";

/// Rows of a table that anybody reads on a screen.
const SHOWN_ROWS: usize = 1000;

/// Reads and runs statements until the user leaves.
///
/// # Errors
/// When the terminal cannot be used. What goes wrong in a statement is printed and not returned.
pub fn run(
    runtime: &Runtime,
    context: &SessionContext,
    format: Format,
    relations: Vec<FunctionHelp>,
) -> Result<(), Failure> {
    let terminal = |error: ReadlineError| Failure::at("terminal", error);
    let mut editor = editor::editor(context).map_err(terminal)?;
    let history = open_history(&mut editor);
    let mut prompt = Prompt::new(context, format, relations);
    let version = env!("CARGO_PKG_VERSION");
    say(format_args!(
        "modelwatch {version}. \\? for help, \\q to quit."
    ));
    loop {
        if let Some(helper) = editor.helper_mut() {
            helper.vocabulary = runtime.block_on(Vocabulary::of(context, &prompt.manual));
        }
        let line = match editor.readline(PROMPT) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(terminal(error)),
        };
        remember(&mut editor, history.as_ref(), &line);
        prompt.width = editor
            .dimensions()
            .map_or(prompt.width, |(columns, _)| columns.into());
        match runtime.block_on(prompt.obey(&line)) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(failure) => say(format_args!("{failure}")),
        }
    }
}

/// To standard error, which is where everything but results goes; a closed one is not an error.
fn say(message: std::fmt::Arguments<'_>) {
    let _ = writeln!(stderr().lock(), "{message}");
}

fn open_history(editor: &mut SqlEditor) -> Option<PathBuf> {
    let file = editor::history_file()?;
    if let Err(error) = editor::make_folder(&file) {
        say(format_args!("no history: {}: {error}", file.display()));
        return None;
    }
    if let (true, Err(error)) = (file.exists(), editor.load_history(&file)) {
        say(format_args!(
            "history not read: {}: {error}",
            file.display()
        ));
    }
    Some(file)
}

fn remember(editor: &mut SqlEditor, file: Option<&PathBuf>, line: &str) {
    let added = editor.add_history_entry(line).unwrap_or(false);
    // at once: a session that is killed keeps its history
    if let (true, Some(file)) = (added, file) {
        let _ = editor.append_history(file);
    }
}

struct Prompt {
    context: SessionContext,
    manual: Manual,
    display: Display,
    width: usize,
}

impl Prompt {
    fn new(context: &SessionContext, format: Format, relations: Vec<FunctionHelp>) -> Self {
        let display = Display {
            format,
            limit: SHOWN_ROWS,
        };
        let manual = Manual::of(context, relations);
        Self {
            context: context.clone(),
            manual,
            display,
            width: 80,
        }
    }

    /// Does what a line asks for; false to leave.
    async fn obey(&mut self, line: &str) -> Result<bool, Failure> {
        let refuse = |message: String| Failure::at("error", message);
        if let Some(command) = Command::of_word(line) {
            return self.command(command).await;
        }
        if line.trim_start().starts_with('\\') {
            return self.command(Command::parse(line).map_err(refuse)?).await;
        }
        let mut out = BufWriter::new(stdout().lock());
        let mut console = Console::open(self.display, &mut out)?;
        let mut script = Script::new(line.to_owned());
        loop {
            let next = script
                .next(&self.context)
                .map_err(|error| Trouble::from(error).at("error"))?;
            let Some(piece) = next else {
                return Ok(true);
            };
            let done = query::run(&self.context, piece, &mut console).await;
            let (printed, elapsed) = done.map_err(|trouble| trouble.at("error"))?;
            say(format_args!("{}", footer(printed, elapsed.as_secs_f64())));
        }
    }

    async fn command(&mut self, command: Command) -> Result<bool, Failure> {
        let mut out = BufWriter::new(stdout().lock());
        let refuse = |message: String| Failure::at("error", message);
        match command {
            Command::Quit => return Ok(false),
            Command::Help => write_text(&mut out, commands::HELP)?,
            Command::Functions => write_text(&mut out, &self.manual.list(self.width))?,
            Command::Function(name) => {
                write_text(&mut out, &self.manual.show(&name).map_err(refuse)?)?;
            }
            Command::Format(format) => self.display.format = format,
            Command::Columns(name) => {
                let columns = commands::columns(&self.context, &name).await;
                let columns = columns.map_err(|error| Trouble::from(error).at("error"))?;
                write_table(&mut out, &columns)?;
            }
            Command::Tables => {
                let display = Display {
                    format: Format::Table,
                    limit: usize::MAX,
                };
                let sql = commands::TABLES.to_owned();
                let mut console = Console::open(display, &mut out)?;
                batch::run_text(&self.context, "\\d", sql, &mut console).await?;
            }
            Command::Include(file) => {
                let text = fs::read_to_string(&file).map_err(|error| Failure::at(&file, error))?;
                let mut console = Console::open(self.display, &mut out)?;
                batch::run_text(&self.context, &file, text, &mut console).await?;
            }
        }
        Ok(true)
    }
}

fn write_text(out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Trouble::from(error).at("output"))
}

fn write_table(out: &mut dyn Write, batch: &RecordBatch) -> Result<(), Failure> {
    let mut printer = Printer::new(out, Format::Table, batch.schema(), usize::MAX);
    let printed = printer.print(batch).and_then(|()| printer.finish());
    printed.map(|_| ()).map_err(|trouble| trouble.at("output"))
}

fn footer(printed: Printed, seconds: f64) -> String {
    let plural = if printed.rows == 1 { "" } else { "s" };
    let mut text = format!("({} row{plural}, {seconds:.3} s)", printed.rows);
    if printed.hidden > 0 {
        let shown = printed.rows - printed.hidden;
        text.push_str(&format!(
            " The first {shown} are shown; \\pset format csv shows all."
        ));
    }
    text
}
