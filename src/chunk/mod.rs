//! Chunk arguments become key expressions: which rows are judged as one.
mod calendar;
mod time;

pub use calendar::Calendar;
pub use time::{TIMESTAMP, TimeZone};

use datafusion::logical_expr::Expr;

/// How rows are split into chunks.
#[derive(Debug, Clone)]
pub enum Chunking {
    /// Calendar intervals of the timestamp.
    Calendar(Calendar),
    /// A fixed number of rows, in order.
    Rows(i64),
    /// A fixed number of chunks of equal size, in order.
    Parts(i64),
    /// A fixed number of chunks of rows without an order: rows are dealt out by score, prediction and label,
    /// so that equal rows are interchangeable and the result does not depend on their order.
    Dealt(i64),
    /// The value of an expression.
    Expression(Expr),
}

/// What becomes of a chunk that is not full: one that ends after `as_of`, or the last of `rows(n)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incomplete {
    /// It stays, marked as not complete.
    Keep,
    /// It joins the chunk before.
    Merge,
    /// It is left out.
    Drop,
}

impl Incomplete {
    /// The words for it in SQL.
    pub const NAMES: [&'static str; 3] = ["keep", "merge", "drop"];

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "keep" => Some(Self::Keep),
            "merge" => Some(Self::Merge),
            "drop" => Some(Self::Drop),
            _ => None,
        }
    }
}
