//! Performance of a model that predicts one of several classes.
mod average;
mod joint;
mod matrix;
mod metric;
mod profile;
mod profile_bytes;
mod ranking;
mod reading;
#[cfg(test)]
mod tests;

pub use metric::{Average, MulticlassMetric};
pub use profile::{MAGIC, MOST_CLASSES, MulticlassProfile};
pub use reading::{ClassReading, RealizedClasses};
