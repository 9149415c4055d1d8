//! Drift of one column: how far a chunk lies from the reference, whether chance explains it, and when to alert.
//!
//! [`DriftReference`] is what a reference fixes: the edges of histograms, deciles, the interquartile range. It
//! compares any chunk, [`DriftSeries`] a series of them with limits. NULL and NaN are missing values and are left
//! out everywhere. Infinite numbers are rows beyond the range of all others; only
//! [`DriftMetric::Wasserstein`] has no value with them.
mod benjamini_hochberg;
mod between;
mod bins;
mod bridge;
mod categories;
mod cells;
mod continuous;
mod cumulative;
mod divergence;
mod gamma;
mod homogeneity;
mod kolmogorov;
mod largest;
mod law;
mod metric;
mod partition;
mod quartiles;
mod reference;
mod sampling;
mod series;
mod series_limits;
mod tied;

pub use benjamini_hochberg::benjamini_hochberg;
pub use bins::{BinLabel, DriftBin};
pub use metric::DriftMetric;
pub use quartiles::{quantile, share_up_to};
pub use reference::{Distance, DriftProfile, DriftReference};
pub use series::{Comparison, DriftReading, DriftReadings, DriftSeries};
