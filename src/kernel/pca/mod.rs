//! How well the rows of a chunk keep the linear structure of the reference (principal components).
//!
//! A row becomes numbers ([`encoding`]), the reference's rows teach which directions carry its structure
//! ([`covariance`], [`projection`]), and the length of what lies in the other directions is the row's
//! reconstruction error, of which a chunk keeps the moments ([`error_profile`]).
//!
//! Definitions: `DataReconstructionDriftCalculator` of NannyML 0.13.1, over scikit-learn 1.5.
pub mod columns;
mod columns_moments;
pub mod covariance;
pub mod eigen;
pub mod encoding;
pub mod error_profile;
pub mod projection;

/// Numbers beyond have no square that could be summed.
const LARGEST: f64 = 1e150;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// NULL or NaN.
    Missing,
    /// A number, which may be infinite.
    Number(f64),
    /// A category.
    Text(&'a str),
}

impl Cell<'_> {
    /// A number; NaN is missing.
    pub fn number(x: f64) -> Self {
        if x.is_nan() {
            Self::Missing
        } else {
            Self::Number(x)
        }
    }

    /// Whether nothing can be computed from a row with this value: infinite, or too large to be squared.
    pub fn is_infinite(&self) -> bool {
        matches!(self, Self::Number(x) if x.abs() > LARGEST)
    }
}
