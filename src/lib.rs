//! Monitoring of machine-learning models in SQL, on Apache DataFusion.
//!
//! Layers, each importing only from those above it in this list (`tests/layers.rs` enforces it):
//!
//! | layer | holds |
//! |---|---|
//! | [`kernel`] | statistics: slices and profiles in, numbers out; no Arrow, no DataFusion |
//! | [`error`], [`options`] | the one mapping to DataFusion's errors; the `monitor.*` settings |
//! | [`accumulate`] | Arrow glue: a summary becomes the row accumulator and the grouped accumulator |
//! | [`functions`] | SQL aggregate and scalar functions; one registry |
//! | [`chunk`] | chunk arguments become key expressions |
//! | [`relation`] | table functions: each a plan of standard operators |
//! | [`session`] | a ready session: settings, memory limits, files as tables |
//! | [`report`] | charts and alert lists of what monitoring functions return |
#![cfg_attr(feature = "cli", doc = "| [`cli`] | the program |")]
// here and not in Cargo.toml, for tests and benches may unwrap and print
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]
pub mod accumulate;
pub mod chunk;
#[cfg(feature = "cli")]
pub mod cli;
pub mod error;
pub mod functions;
pub mod kernel;
pub mod options;
pub mod relation;
pub mod report;
pub mod session;
mod suggest;

use datafusion::common::Result;
use datafusion::prelude::SessionContext;

/// Registers every function and table function of the crate on `ctx`.
///
/// `SET monitor.*` needs the settings too: `SessionConfig::with_option_extension(MonitorOptions::default())`
/// when the session is configured; [`session::SessionSettings`] does both.
///
/// # Errors
/// When `ctx` refuses a function.
pub fn register_all(ctx: &SessionContext) -> Result<()> {
    functions::register(&mut ctx.clone())?;
    ctx.register_relation_planner(relation::planner(ctx))
}
