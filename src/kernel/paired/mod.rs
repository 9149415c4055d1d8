//! Two models on the same rows: the difference of a metric, and its error.
//!
//! Rows that both models find easy move both metrics alike, so the error of the difference follows from the difference
//! of the influences that a row has on either metric, not from the errors of the two.
mod apart;
mod influences;
mod predictions;
mod profile;
#[cfg(test)]
mod profile_tests;
mod reading;
mod scores;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

pub use influences::PairedInfluences;
pub use predictions::PairedPredictions;
pub use profile::{MAGIC as PROFILE_MAGIC, MetricDifference, PairedProfile};
pub use reading::PairedReading;
pub use scores::PairedScores;
