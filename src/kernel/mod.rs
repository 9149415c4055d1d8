//! Statistics: slices and profiles in, numbers out.
//!
//! Nothing in here names Arrow or DataFusion, reads a clock, or draws an unseeded random number.
//! A number that does not exist is `None`, never NaN; every loop is bounded.
pub(crate) mod average_precision;
pub mod bins;
pub(crate) mod calibration_error;
pub mod calibrator;
mod calibrator_bytes;
pub(crate) mod confusion;
pub(crate) mod cross_fit;
pub mod error;
pub mod estimate;
pub(crate) mod estimate_confusion;
pub(crate) mod estimate_ranking;
pub(crate) mod expected;
pub(crate) mod group;
pub(crate) mod hull;
pub mod interval;
pub mod isotonic;
pub mod metric;
pub(crate) mod proper_scores;
pub mod reading;
pub mod realized;
pub(crate) mod roc_auc;
pub(crate) mod support;

pub use error::KernelError;
