//! Monitoring of machine-learning models in SQL, on Apache DataFusion.
//!
//! Layers, each importing only from those above it in this list (`tests/layers.rs` enforces it):
//!
//! | layer | holds |
//! |---|---|
//! | [`kernel`] | statistics: slices and profiles in, numbers out; no Arrow, no DataFusion |
//! | [`error`] | the one mapping to DataFusion's errors |
//! | [`accumulate`] | Arrow glue: a summary becomes the row accumulator and the grouped accumulator |
//! | [`functions`] | SQL aggregate and scalar functions; one registry |
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]
pub mod accumulate;
pub mod error;
pub mod functions;
pub mod kernel;

use datafusion::common::Result;
use datafusion::prelude::SessionContext;

/// Registers every function and table function of the crate on `ctx`.
pub fn register_all(ctx: &SessionContext) -> Result<()> {
    functions::register(&mut ctx.clone())
}
