//! Whether a KPI is still explained by the performance of the model that serves it.
//!
//! The KPI of a chunk is a line of the performance `lag` chunks before and of controls, with errors that are a first-order
//! autoregression. Both sides are whitened, and each chunk of the analysis is held against what all chunks before it say:
//! recursive residuals (R. L. Brown, J. Durbin and J. M. Evans 1975, J. R. Stat. Soc. B 37, 149-192), which are independent of
//! each other where the coefficients are estimated, as residuals of one fit are not. They go to a limit and to a CUSUM (E. S.
//! Page 1954, Biometrika 41, 100-115) that together hold a rate of false alarms over the whole analysis.
mod chart;
mod control_limits;
mod divergence;
mod grids;
mod matched;
mod member;
mod predictor;
mod regression;
mod scaling;
#[cfg(test)]
mod tests;
mod timed;
mod verdict;

pub use super::side::Side;
pub use control_limits::ControlLimits;
pub use divergence::{KpiOptions, KpiRow, kpi_divergence};
pub use matched::{KpiChunk, match_chunks};
pub use timed::{TimedPoint, TimedSeries};
pub use verdict::{KpiStatus, Verdict};
