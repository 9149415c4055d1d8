//! Statistics: slices and profiles in, numbers out.
//!
//! Nothing in here names Arrow or DataFusion, reads a clock, or draws an unseeded random number.
//! A number that does not exist is `None`, never NaN; every loop is bounded.
pub mod bins;
pub mod calendar;
pub mod codec;
mod dense;
pub mod digest;
pub mod error;
pub mod key;
pub mod score_profile;

pub use error::KernelError;
