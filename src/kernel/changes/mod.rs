//! When a series of chunks left what was to be expected: control charts chunk by chunk, and segments in hindsight.
//!
//! A chart says of each chunk, from it and those before it, whether to be alarmed; its limit is set so that a series that does
//! not change has so many chunks between alarms. Segments tell of a whole series where its level changed.
mod chart;
mod detect;
mod in_control;
mod method;
mod pelt;
mod run_length;
#[cfg(test)]
mod tests;

pub use detect::{ChangeRow, ChangeStatus, Detector};
pub use method::{ChangeOptions, Method};
pub use run_length::WESTERN_ELECTRIC_RUN_LENGTH;
