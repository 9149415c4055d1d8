//! modelwatch
#[cfg(feature = "cli")]
pub mod cli;
pub mod kernel;
pub mod options;
pub mod session;

use datafusion::common::Result;
use datafusion::prelude::SessionContext;

/// Registers every function of this crate on `ctx`.
///
/// # Errors
/// When `ctx` refuses a function.
pub fn register_all(_ctx: &SessionContext) -> Result<()> {
    Ok(())
}
