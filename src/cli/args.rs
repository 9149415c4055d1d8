//! The command line.
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::failure::Failure;
use super::output::Format;

/// Monitor machine-learning models in SQL.
///
/// Without -c, -f or a subcommand: an interactive prompt, or the statements on standard input
/// when that is not a terminal. Results go to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "modelwatch", version)]
#[command(
    after_help = "Functions: -c '\\h' lists them, -c '\\h NAME' explains one.\n\nExit codes: 0 nothing to tell, 1 a statement or a file failed, \
    2 usage, 3 a printed result has a true `alert`, 130 cancelled by Ctrl-C."
)]
pub struct Args {
    /// Run these statements; may be repeated, and mixed with -f in the order given
    #[arg(short, long, value_name = "SQL", allow_hyphen_values = true)]
    pub command: Vec<String>,

    /// Run the statements of this file ('-': standard input); may be repeated
    #[arg(short, long, value_name = "FILE")]
    pub file: Vec<PathBuf>,

    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,

    /// Name a file, a directory or a pattern of files as a table; may be repeated. The name is
    /// taken as it stands (SQL needs double quotes around one with upper case, spaces or dots).
    /// In a pattern *, ? and [a-z] stand for parts of one name and ** for any folders, as in
    /// 'data/*.parquet' or 'data/month=2026-*/'
    #[arg(long, value_name = "NAME=PATH", value_parser = parse_registration)]
    pub register: Vec<(String, String)>,

    /// Memory that queries may use before they spill to disk, such as 500MB or 2GB
    /// (K, M, G, T are powers of 1024)
    #[arg(long, value_name = "SIZE", value_parser = parse_size, global = true)]
    pub memory_limit: Option<usize>,

    /// What to do instead of running statements
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// What `modelwatch` does besides running statements.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Write a prediction table of a million rows, and report on it
    ///
    /// The table is made up, and the same on every machine: a year of reference, 18 months of
    /// analysis, an over-confident score, drifting inputs, one sudden and one gradual
    /// degradation, and no labels yet for the last three months. Exits with 0 although the
    /// report has alerts; 1 if something failed.
    Demo {
        /// Directory for the files; created if missing, reused if it holds this demo
        #[arg(default_value = "modelwatch-demo")]
        directory: PathBuf,
    },
}

/// Where statements come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `-c`: its number among the `-c` options, and the text.
    Command(usize, String),
    /// `-f`.
    File(PathBuf),
}

impl Args {
    /// The arguments of this process, and its `-c` and `-f` in the order in which they stand.
    ///
    /// # Errors
    /// [`clap::Error`], which also stands for `--help` and `--version`.
    pub fn read() -> Result<(Self, Vec<Source>), clap::Error> {
        let mut matches = Self::command().try_get_matches()?;
        let positions = |id| {
            matches
                .indices_of(id)
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        let (commands, files) = (positions("command"), positions("file"));
        let args = Self::from_arg_matches_mut(&mut matches)?;
        let numbered = args.command.iter().cloned().enumerate();
        let sources = numbered.map(|(i, sql)| Source::Command(i + 1, sql));
        let mut placed: Vec<_> = commands.into_iter().zip(sources).collect();
        placed.extend(
            files
                .into_iter()
                .zip(args.file.iter().cloned().map(Source::File)),
        );
        placed.sort_by_key(|(position, _)| *position);
        Ok((args, placed.into_iter().map(|(_, source)| source).collect()))
    }
}

fn parse_registration(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), path.to_owned()))
        }
        _ => Err("expected NAME=PATH, such as predictions=data/predictions.parquet".to_owned()),
    }
}

fn parse_size(text: &str) -> Result<usize, String> {
    let refused = || "expected a size above 0, such as 500MB or 2GB".to_owned();
    let unit_at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return Err(refused()),
    };
    let number: f64 = number.trim().parse().map_err(|_| refused())?;
    let bytes = number * (1_u64 << shift) as f64;
    if bytes >= 1.0 && bytes < usize::MAX as f64 {
        Ok(bytes as usize)
    } else {
        Err(refused())
    }
}

/// What each argument for itself does not show: the demo brings its own tables and statements, and
/// two registrations of one name leave open which of them a statement means.
///
/// # Errors
/// [`Failure::Usage`] naming what is too much.
pub fn check(args: &Args) -> Result<(), Failure> {
    let register = &args.register;
    let none = args.command.is_empty() && args.file.is_empty() && register.is_empty();
    if args.action.is_some() && !none {
        return Err(Failure::Usage(
            "demo takes no -c, -f or --register".to_owned(),
        ));
    }
    let twice = register
        .iter()
        .enumerate()
        .find(|(i, (name, _))| register.iter().take(*i).any(|(earlier, _)| earlier == name));
    match twice {
        Some((_, (name, _))) => Err(Failure::Usage(format!(
            "--register names the table '{name}' twice"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("2GB"), Ok(2 << 30));
        assert_eq!(parse_size("1.5g"), Ok(3 << 29));
        assert_eq!(parse_size("500 MiB"), Ok(500 << 20));
        assert_eq!(parse_size("4096"), Ok(4096));
        for bad in [
            "",
            "GB",
            "-1GB",
            "0",
            "2XB",
            "inf",
            "NaN",
            "1e300",
            "2GB2",
            "99999999T",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_registration_splits_at_the_first_equals_sign() {
        let parsed = parse_registration("t=dir/day=2026-01-31/x.parquet");
        assert_eq!(
            parsed,
            Ok(("t".to_owned(), "dir/day=2026-01-31/x.parquet".to_owned()))
        );
        for bad in ["t", "=x", "t=", ""] {
            assert!(parse_registration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
