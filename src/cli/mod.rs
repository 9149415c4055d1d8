//! The `modelwatch` program: a prompt, one-shot commands, and the demo.
mod args;
mod batch;
mod demo;
mod failure;
pub mod help;
mod interrupt;
mod output;
mod progress;
mod query;
mod repl;
mod script;
mod table;

use std::io::{BufWriter, IsTerminal, Write, stderr, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use datafusion::prelude::SessionContext;
use tokio::runtime::Runtime;

use crate::report::{Chart, Glyphs};
use crate::session::{SessionSettings, register_files};

use args::{Action, Args, Source};
use failure::Failure;
use query::{Console, Display};

/// An alert fired in a result that was printed.
const ALERT: u8 = 3;

/// A hundred columns fit most terminals, and files that a terminal does not limit.
const CHART: Chart = Chart {
    width: 100,
    glyphs: Glyphs::Unicode,
};

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let (args, sources) = match Args::read() {
        Ok(read) => read,
        Err(refused) => {
            // clap knows which of its messages are help; a closed pipe is nobody's problem
            let _ = refused.print();
            return ExitCode::from(u8::try_from(refused.exit_code()).unwrap_or(2));
        }
    };
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::at("modelwatch", error))
        .and_then(|runtime| {
            let result = dispatch(&runtime, &args, sources);
            // a cancelled query may still be finishing its last batch
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(true) => ExitCode::from(ALERT),
        Ok(false) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::PipeClosed) {
                let _ = writeln!(stderr().lock(), "modelwatch: {failure}");
            }
            failure.exit_code()
        }
    }
}

/// Does what the arguments ask for, and says whether a printed result had a true `alert`.
fn dispatch(runtime: &Runtime, args: &Args, mut sources: Vec<Source>) -> Result<bool, Failure> {
    let context = runtime.block_on(open(args))?;
    let display = Display {
        format: args.format,
        limit: usize::MAX,
    };
    if let Some(Action::Demo { directory }) = &args.action {
        let mut out = BufWriter::new(stdout().lock());
        runtime.block_on(async {
            let mut console = Console::open(display, &mut out)?;
            demo::run(&context, directory, CHART, &mut console).await
        })?;
        return Ok(false);
    }
    if sources.is_empty() && stdin().is_terminal() {
        repl::run(runtime, &context, args.format, help::of_relations())?;
        return Ok(false);
    }
    if sources.is_empty() {
        sources.push(Source::File(PathBuf::from("-")));
    }
    let mut out = BufWriter::new(stdout().lock());
    runtime.block_on(async {
        let mut console = Console::open(display, &mut out)?;
        batch::run(&context, &sources, &mut console).await
    })
}

async fn open(args: &Args) -> Result<SessionContext, Failure> {
    args::check(args)?;
    let settings = SessionSettings {
        memory_limit: args.memory_limit,
        ..Default::default()
    };
    let context = settings
        .open()
        .map_err(|error| Failure::at("session", error))?;
    for (name, path) in &args.register {
        let registered = register_files(&context, name, path).await;
        registered
            .map_err(|error| Failure::at(format!("--register {name}"), error.strip_backtrace()))?;
    }
    Ok(context)
}
