//! Which shape a series of chunks has: stable, changed suddenly, gradually or for a time, or going in cycles.
//!
//! Every shape is a weighted least-squares fit; the one is told whose `chi^2 + k ln T` is least, where `k` counts parameters and
//! two more for each place or period that was searched (G. Schwarz 1978, Ann. Stat. 6, 461-464, with a price for searching).
mod basis;
mod fit;
mod pattern;
mod search;
mod sentence;
mod series;
#[cfg(test)]
mod tests;

pub use fit::{Diagnosis, Sensitivity};
pub use pattern::{DiagnosisStatus, Pattern};
pub use series::{Observation, Series, SeriesPoint};
