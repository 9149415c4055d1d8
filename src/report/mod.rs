//! Results of monitoring functions, drawn for people.
//!
//! Everything here is a pure function from record batches of the shared row shape to text: the
//! same rows in any order give the same text. A batch may lack columns and may have more; what
//! is not part of the shared shape is taken for a `by` column, and makes series of its own.
mod alerts;
mod chart;
mod scale;
mod series;
#[cfg(test)]
mod tests;
mod text;

pub use alerts::{Alerts, alerts};
pub use chart::{Chart, Glyphs};
pub use series::{Point, Series, series};
pub use text::printable;
