//! The summary statistics of a column: one table, from which names and scales follow.
use std::fmt;

use super::super::link::Link;
use super::super::metric::Direction;
use super::super::threshold::MetricScale;
use super::super::threshold_text::Judged;
use super::metric::ColumnMetric;

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

/// What is known of a statistic.
struct Spec {
    metric: SummaryMetric,
    name: &'static str,
    description: &'static str,
    categorical: bool,
    link: Link,
    lower: Option<f64>,
    total: bool,
}

const fn of_numbers(metric: SummaryMetric, name: &'static str, description: &'static str) -> Spec {
    Spec {
        metric,
        name,
        description,
        categorical: false,
        link: Link::Identity,
        lower: None,
        total: false,
    }
}

const TABLE: [Spec; 8] = [
    Spec {
        categorical: true,
        link: Link::Log,
        lower: Some(0.0),
        ..of_numbers(SummaryMetric::Count, "count", "Rows that are not NULL.")
    },
    Spec {
        total: true,
        ..of_numbers(SummaryMetric::Sum, "sum", "Sum of the numbers.")
    },
    of_numbers(SummaryMetric::Mean, "mean", "Mean of the numbers."),
    Spec {
        link: Link::Log,
        lower: Some(0.0),
        ..of_numbers(
            SummaryMetric::Std,
            "std",
            "Standard deviation of the numbers, with divisor n - 1.",
        )
    },
    of_numbers(
        SummaryMetric::Median,
        "median",
        "Median of the numbers; of an even number the mean of the two in the middle.",
    ),
    of_numbers(SummaryMetric::Min, "min", "Smallest number."),
    of_numbers(SummaryMetric::Max, "max", "Largest number."),
    Spec {
        categorical: true,
        lower: Some(0.0),
        ..of_numbers(
            SummaryMetric::Distinct,
            "distinct",
            "Number of distinct values, as long as the profile tells them apart.",
        )
    },
];

impl SummaryMetric {
    fn spec(self) -> &'static Spec {
        let [first, rest @ ..] = &TABLE;
        rest.iter()
            .find(|spec| spec.metric == self)
            .unwrap_or(first)
    }

    /// What it is, in a sentence.
    pub fn description(self) -> &'static str {
        self.spec().description
    }

    /// Whether its scatter from chunk to chunk is that of samples, so that a false-alarm rate has a meaning: not of
    /// extremes and of numbers of distinct values, whose law depends on the tails of the column.
    pub fn has_sampling_error(self) -> bool {
        !matches!(self, Self::Min | Self::Max | Self::Distinct)
    }
}

impl ColumnMetric for SummaryMetric {
    const ALL: &'static [Self] = &[
        Self::Count,
        Self::Sum,
        Self::Mean,
        Self::Std,
        Self::Median,
        Self::Min,
        Self::Max,
        Self::Distinct,
    ];

    fn name(self) -> &'static str {
        self.spec().name
    }

    fn applies_to_continuous(self) -> bool {
        true
    }

    fn applies_to_categorical(self) -> bool {
        self.spec().categorical
    }
}

impl Judged for SummaryMetric {
    fn parse(name: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|spec| spec.name == name)
            .map(|spec| spec.metric)
    }

    fn names() -> Vec<&'static str> {
        TABLE.iter().map(|spec| spec.name).collect()
    }

    fn scale(self) -> MetricScale {
        let spec = self.spec();
        MetricScale {
            link: spec.link,
            lower: spec.lower,
            upper: None,
            better: Direction::Neither,
            total: spec.total,
        }
    }
}

impl fmt::Display for SummaryMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_in_the_order_of_the_table() {
        assert_eq!(SummaryMetric::ALL.len(), TABLE.len());
        for (metric, spec) in SummaryMetric::ALL.iter().zip(&TABLE) {
            assert_eq!(*metric, spec.metric);
            assert_eq!(SummaryMetric::parse(metric.name()), Some(*metric));
            assert!(metric.description().ends_with('.'), "{metric}");
        }
        assert_eq!(SummaryMetric::parse("avg"), None);
    }
}
