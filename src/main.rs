//! The `modelwatch` program.
use std::process::ExitCode;

fn main() -> ExitCode {
    modelwatch::cli::run()
}
