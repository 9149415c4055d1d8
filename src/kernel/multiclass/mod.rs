//! Performance of a model that predicts one of several classes.
mod add_computed;
mod average;
mod block;
mod calibrators;
mod class_masses;
mod computed;
mod estimate;
mod estimate_order;
mod estimates;
mod expected_joint;
mod influences;
mod joint;
mod mass_digest;
mod mass_front;
mod matrix;
mod metric;
mod pair_front;
mod profile;
mod profile_bytes;
mod ranking;
mod reading;
#[cfg(test)]
mod tests;
mod weighted;

pub use block::ScoredRows;
pub use calibrators::ClassCalibrators;
pub use estimate::ClassEstimator;
pub use estimates::{ClassEstimates, MAGIC as ESTIMATES_MAGIC};
pub(super) use influences::ClassInfluences;
pub use metric::{Average, MulticlassMetric};
pub use profile::{MAGIC, MOST_CLASSES, MulticlassProfile};
pub use reading::{ClassReading, RealizedClasses};
pub use weighted::{MAGIC as WEIGHTED_MAGIC, WeightedClasses};
