//! Statistics: slices and profiles in, numbers out.
//!
//! Nothing in here names Arrow or DataFusion, reads a clock, or draws an unseeded random number.
//! A number that does not exist is `None`, never NaN; every loop is bounded.
mod between_chunks;
pub mod bins;
pub mod error;
pub mod limits;
pub mod link;
pub mod threshold;
mod threshold_bytes;
pub mod threshold_model;
mod variance_model;

pub use error::KernelError;
