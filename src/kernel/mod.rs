//! Statistics: slices and profiles in, numbers out.
//!
//! Nothing in here names Arrow or DataFusion, reads a clock, or draws an unseeded random number.
//! A number that does not exist is `None`, never NaN; every loop is bounded.
pub(crate) mod average_precision;
mod between_chunks;
pub mod bins;
pub mod calendar;
pub(crate) mod calibration_error;
pub mod calibrator;
mod calibrator_bytes;
pub mod category_profile;
pub mod chunk_series;
pub mod codec;
pub mod column;
pub(crate) mod confusion;
pub(crate) mod cross_fit;
mod dense;
pub mod digest;
mod digest_bytes;
mod digest_limits;
mod digest_view;
pub mod drift;
pub mod error;
pub mod estimate;
pub(crate) mod estimate_confusion;
pub(crate) mod estimate_ranking;
pub mod exact_sum;
pub(crate) mod expected;
pub mod gbdt;
pub(crate) mod group;
pub(crate) mod hull;
pub mod interval;
pub mod isotonic;
pub mod key;
pub(crate) mod labelled;
pub mod limits;
pub mod link;
pub mod metric;
pub mod monitored;
pub mod pca;
pub(crate) mod prediction_interval;
pub mod profile;
pub(crate) mod proper_scores;
pub mod ranking;
pub mod reading;
pub mod realized;
pub(crate) mod realized_confusion;
pub(crate) mod realized_ranking;
pub mod reference;
pub(crate) mod roc_auc;
pub mod score_profile;
pub(crate) mod support;
#[cfg(test)]
pub(crate) mod testing;
pub mod threshold;
mod threshold_bytes;
pub mod threshold_model;
pub mod threshold_text;
pub mod value_profile;
pub mod values;
mod variance_model;

pub use error::KernelError;
