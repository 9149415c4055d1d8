//! Why a run stopped, and the exit code that says so.
use std::fmt;
use std::io;
use std::process::ExitCode;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;

/// Why the program, or one statement in the REPL, did not go on.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for something that cannot be.
    Usage(String),
    /// A statement or a file failed; `place` is the file and line, or the option.
    Execution {
        /// `report.sql:12`, `-c:1`, or `--register name`.
        place: String,
        /// What went wrong.
        message: String,
    },
    /// Ctrl-C.
    Interrupted,
    /// Whoever read our output has seen enough.
    PipeClosed,
}

impl Failure {
    /// A failure of what is written at `place`.
    pub fn at(place: impl Into<String>, error: impl fmt::Display) -> Self {
        Self::Execution {
            place: place.into(),
            message: error.to_string(),
        }
    }

    /// The exit code of a run that ended this way.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::PipeClosed => ExitCode::SUCCESS,
            Self::Execution { .. } => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            // the convention of shells: 128 and the number of the signal
            Self::Interrupted => ExitCode::from(130),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Execution { place, message } => write!(f, "{place}: {message}"),
            Self::Interrupted => f.write_str("cancelled"),
            Self::PipeClosed => f.write_str("output closed"),
        }
    }
}

/// What can go wrong between a parsed statement and its printed result.
#[derive(Debug)]
pub enum Trouble {
    /// Planning, execution, or the encoding of a result.
    Query {
        /// What went wrong.
        error: DataFusionError,
        /// What to do about it, where that is not in its text.
        hint: Option<&'static str>,
    },
    /// Writing to standard output.
    Output(io::Error),
    /// Ctrl-C.
    Interrupted,
}

impl Trouble {
    /// The same, with the place of the statement.
    pub fn at(self, place: &str) -> Failure {
        match self {
            Self::Query { error, hint } => {
                let hint = hint.map_or_else(String::new, |text| format!("\n{text}"));
                Failure::at(place, format!("{}{hint}", told(&error)))
            }
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::PipeClosed,
            Self::Output(error) => Failure::at("standard output", error),
            Self::Interrupted => Failure::Interrupted,
        }
    }
}

/// What DataFusion puts before and after the message of a function that refuses its arguments.
const WRAPPED: [&str; 2] = [
    "user-defined coercion failed with: ",
    " No function matches the given name and argument types",
];

/// The message of an error, without what is wrapped around that of a function about its arguments.
fn told(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let [before, after] = WRAPPED;
    let own = text.split_once(before).map(|(_, own)| own);
    match own.map(|own| own.split_once(after).map_or(own, |(own, _)| own)) {
        Some(own) => own.strip_suffix('.').unwrap_or(own).to_owned(),
        None => text,
    }
}

impl From<DataFusionError> for Trouble {
    fn from(error: DataFusionError) -> Self {
        Self::Query { error, hint: None }
    }
}

impl From<ArrowError> for Trouble {
    fn from(error: ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
