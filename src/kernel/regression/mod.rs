//! Performance of a model that predicts a number.
mod estimate;
mod influences;
mod loss;
mod loss_estimates;
mod metric;
mod paired;
#[cfg(test)]
mod paired_tests;
mod profile;
mod profile_bytes;
mod reading;
mod sums;
#[cfg(test)]
mod tests;
mod unexplained;
mod weighted;
mod weighted_values;

pub use estimate::LossEstimator;
pub(super) use influences::RegressionInfluences;
pub use loss::Loss;
pub use loss_estimates::{LossEstimates, MAGIC as LOSSES_MAGIC};
pub use metric::RegressionMetric;
pub use paired::PairedRegression;
pub use profile::{LARGEST, MAGIC, RegressionProfile};
pub use reading::RealizedRegression;
pub use weighted::{MAGIC as WEIGHTED_MAGIC, WeightedRegression};
