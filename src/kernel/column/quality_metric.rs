//! What can be wrong with the values of a column: one table, from which names and scales follow.
use std::fmt;

use super::super::link::Link;
use super::super::metric::Direction;
use super::super::threshold::MetricScale;
use super::metric::{ColumnMetric, ColumnSpec, Family};

/// A measure of the quality of a column's values on a chunk. Names are those of the SQL surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QualityMetric {
    /// Share of rows that are NULL.
    Missing,
    /// Share of rows with a category that the reference does not have.
    Unseen,
    /// Share of rows beyond the reference's smallest and largest number.
    OutOfRange,
    /// Share of rows that are NaN.
    Nan,
    /// Share of rows that are infinite.
    Infinite,
    /// Share of rows that are the empty text.
    EmptyText,
    /// 1 where all rows have one value.
    Constant,
    /// 1 where the column is new, absent, or of another type.
    SchemaChange,
}

impl Family for QualityMetric {
    const TABLE: &'static [ColumnSpec<Self>] = &[
        ColumnSpec {
            metric: Self::Missing,
            name: "missing",
            description: "Share of rows that are NULL.",
            continuous: true,
            categorical: true,
            presence: true,
        },
        ColumnSpec {
            metric: Self::Unseen,
            name: "unseen",
            description: "Share of rows with a category that the reference does not have; NULL is none.",
            continuous: false,
            categorical: true,
            presence: false,
        },
        ColumnSpec {
            metric: Self::OutOfRange,
            name: "out_of_range",
            description: "Share of rows below the smallest or above the largest number of the reference.",
            continuous: true,
            categorical: false,
            presence: false,
        },
        ColumnSpec {
            metric: Self::Nan,
            name: "nan",
            description: "Share of rows that are NaN.",
            continuous: true,
            categorical: false,
            presence: false,
        },
        ColumnSpec {
            metric: Self::Infinite,
            name: "infinite",
            description: "Share of rows that are plus or minus infinity.",
            continuous: true,
            categorical: false,
            presence: false,
        },
        ColumnSpec {
            metric: Self::EmptyText,
            name: "empty_text",
            description: "Share of rows that are the empty text.",
            continuous: false,
            categorical: true,
            presence: false,
        },
        ColumnSpec {
            metric: Self::Constant,
            name: "constant",
            description: "1 where all rows with a value have the same, else 0.",
            continuous: true,
            categorical: true,
            presence: false,
        },
        ColumnSpec {
            metric: Self::SchemaChange,
            name: "schema_change",
            description: "1 where the column is new, absent, or became numbers where it was categories or the other way round, else 0; the status tells which.",
            continuous: true,
            categorical: true,
            presence: true,
        },
    ];

    fn scale(self) -> MetricScale {
        MetricScale {
            link: Link::Identity,
            lower: Some(0.0),
            upper: Some(1.0),
            better: Direction::Lower,
            total: false,
        }
    }
}

impl QualityMetric {
    /// Whether a lower limit makes sense besides an upper one: whether a smaller value than usual is news too.
    pub(super) fn has_lower_limit(self) -> bool {
        matches!(
            self,
            Self::Missing | Self::Nan | Self::Infinite | Self::EmptyText
        )
    }
}

impl fmt::Display for QualityMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
