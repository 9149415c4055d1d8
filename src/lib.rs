//! modelwatch
pub mod kernel;
