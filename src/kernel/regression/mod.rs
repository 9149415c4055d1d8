//! Performance of a model that predicts a number.
mod metric;
mod profile;
mod profile_bytes;
mod reading;
mod sums;

pub use metric::RegressionMetric;
pub use profile::{MAGIC, RegressionProfile};
pub use reading::RealizedRegression;
