//! What can be wrong with the values of a column: one table, from which names and scales follow.
use std::fmt;

use super::super::link::Link;
use super::super::metric::Direction;
use super::super::threshold::MetricScale;
use super::super::threshold_text::Judged;
use super::metric::ColumnMetric;

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

/// What is known of a measure.
struct Spec {
    metric: QualityMetric,
    name: &'static str,
    description: &'static str,
    continuous: bool,
    categorical: bool,
    /// Whether it needs no more than which rows are NULL.
    presence: bool,
    /// Whether a smaller value than usual is news too.
    both_sides: bool,
}

const TABLE: [Spec; 8] = [
    Spec {
        metric: QualityMetric::Missing,
        name: "missing",
        description: "Share of rows that are NULL.",
        continuous: true,
        categorical: true,
        presence: true,
        both_sides: true,
    },
    Spec {
        metric: QualityMetric::Unseen,
        name: "unseen",
        description: "Share of rows with a category that the reference does not have; NULL is none.",
        continuous: false,
        categorical: true,
        presence: false,
        both_sides: false,
    },
    Spec {
        metric: QualityMetric::OutOfRange,
        name: "out_of_range",
        description: "Share of rows below the smallest or above the largest number of the reference.",
        continuous: true,
        categorical: false,
        presence: false,
        both_sides: false,
    },
    Spec {
        metric: QualityMetric::Nan,
        name: "nan",
        description: "Share of rows that are NaN.",
        continuous: true,
        categorical: false,
        presence: false,
        both_sides: true,
    },
    Spec {
        metric: QualityMetric::Infinite,
        name: "infinite",
        description: "Share of rows that are plus or minus infinity.",
        continuous: true,
        categorical: false,
        presence: false,
        both_sides: true,
    },
    Spec {
        metric: QualityMetric::EmptyText,
        name: "empty_text",
        description: "Share of rows that are the empty text.",
        continuous: false,
        categorical: true,
        presence: false,
        both_sides: true,
    },
    Spec {
        metric: QualityMetric::Constant,
        name: "constant",
        description: "1 where all rows with a value have the same, else 0.",
        continuous: true,
        categorical: true,
        presence: false,
        both_sides: false,
    },
    Spec {
        metric: QualityMetric::SchemaChange,
        name: "schema_change",
        description: "1 where the column is new, absent, or became numbers where it was categories or the other way round, else 0; the status tells which.",
        continuous: true,
        categorical: true,
        presence: true,
        both_sides: false,
    },
];

impl QualityMetric {
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

    /// Whether a lower limit makes sense besides an upper one.
    pub(super) fn has_lower_limit(self) -> bool {
        self.spec().both_sides
    }
}

impl ColumnMetric for QualityMetric {
    const ALL: &'static [Self] = &[
        Self::Missing,
        Self::Unseen,
        Self::OutOfRange,
        Self::Nan,
        Self::Infinite,
        Self::EmptyText,
        Self::Constant,
        Self::SchemaChange,
    ];

    fn name(self) -> &'static str {
        self.spec().name
    }

    fn applies_to_continuous(self) -> bool {
        self.spec().continuous
    }

    fn applies_to_categorical(self) -> bool {
        self.spec().categorical
    }

    fn applies_to_presence(self) -> bool {
        self.spec().presence
    }
}

impl Judged for QualityMetric {
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
        MetricScale {
            link: Link::Identity,
            lower: Some(0.0),
            upper: Some(1.0),
            better: Direction::Lower,
            total: false,
        }
    }
}

impl fmt::Display for QualityMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_in_the_order_of_the_table() {
        assert_eq!(QualityMetric::ALL.len(), TABLE.len());
        for (metric, spec) in QualityMetric::ALL.iter().zip(&TABLE) {
            assert_eq!(*metric, spec.metric);
            assert_eq!(QualityMetric::parse(metric.name()), Some(*metric));
            assert!(metric.applies_to_continuous() || metric.applies_to_categorical());
            assert!(metric.description().ends_with('.'), "{metric}");
        }
        assert_eq!(QualityMetric::parse("nulls"), None);
    }
}
