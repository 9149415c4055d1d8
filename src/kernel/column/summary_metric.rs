//! The summary statistics of a column: one table, from which names and scales follow.
use std::fmt;

use super::super::link::Link;
use super::super::metric::Direction;
use super::super::threshold::MetricScale;
use super::metric::{ColumnMetric, ColumnSpec, Family};

/// A summary statistic of a column. Names are those of the SQL surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SummaryMetric {
    /// Rows that are not NULL.
    Count,
    /// Sum.
    Sum,
    /// Arithmetic mean.
    Mean,
    /// Standard deviation.
    Std,
    /// Median.
    Median,
    /// Smallest number.
    Min,
    /// Largest number.
    Max,
    /// Number of distinct values.
    Distinct,
}

impl Family for SummaryMetric {
    const TABLE: &'static [ColumnSpec<Self>] = &[
        of_columns(Self::Count, "count", true, "Rows that are not NULL."),
        of_columns(Self::Sum, "sum", false, "Sum of the numbers."),
        of_columns(Self::Mean, "mean", false, "Mean of the numbers."),
        of_columns(
            Self::Std,
            "std",
            false,
            "Standard deviation of the numbers, with divisor n - 1.",
        ),
        of_columns(
            Self::Median,
            "median",
            false,
            "Median of the numbers; of an even number the mean of the two in the middle.",
        ),
        of_columns(Self::Min, "min", false, "Smallest number."),
        of_columns(Self::Max, "max", false, "Largest number."),
        of_columns(
            Self::Distinct,
            "distinct",
            true,
            "Number of distinct values, as long as the profile tells them apart.",
        ),
    ];

    fn scale(self) -> MetricScale {
        let positive = matches!(self, Self::Count | Self::Std);
        MetricScale {
            link: if positive { Link::Log } else { Link::Identity },
            lower: (positive || self == Self::Distinct).then_some(0.0),
            upper: None,
            better: Direction::Neither,
            total: self == Self::Sum,
        }
    }
}

const fn of_columns(
    metric: SummaryMetric,
    name: &'static str,
    categorical: bool,
    description: &'static str,
) -> ColumnSpec<SummaryMetric> {
    ColumnSpec {
        metric,
        name,
        description,
        continuous: true,
        categorical,
        presence: false,
    }
}

impl SummaryMetric {
    /// Whether its scatter from chunk to chunk is that of samples, so that a false-alarm rate has a meaning: not of
    /// extremes and of numbers of distinct values, whose law depends on the tails of the column.
    pub fn has_sampling_error(self) -> bool {
        !matches!(self, Self::Min | Self::Max | Self::Distinct)
    }
}

impl fmt::Display for SummaryMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
