//! What metrics of columns have in common.
use super::super::drift::DriftMetric;
use super::super::threshold::MetricScale;
use super::super::threshold_text::Judged;
use std::fmt;

/// A family of metrics that are computed column by column.
pub trait ColumnMetric: Judged + 'static {
    /// Every metric, in the order in which results list them.
    fn all() -> Vec<Self>;

    /// Name in SQL.
    fn name(self) -> &'static str;

    /// What it is, in a sentence.
    fn description(self) -> &'static str;

    /// Whether it can be computed from columns of numbers.
    fn applies_to_continuous(self) -> bool;

    /// Whether it can be computed from columns of categories.
    fn applies_to_categorical(self) -> bool;

    /// Whether it applies to a column of numbers, or else of categories.
    fn applies_to(self, continuous: bool) -> bool {
        match continuous {
            true => self.applies_to_continuous(),
            false => self.applies_to_categorical(),
        }
    }

    /// Whether it can be computed from columns of which nothing is read but which rows are NULL.
    fn applies_to_presence(self) -> bool {
        false
    }
}

impl ColumnMetric for DriftMetric {
    fn all() -> Vec<Self> {
        DriftMetric::ALL.to_vec()
    }

    fn name(self) -> &'static str {
        DriftMetric::name(self)
    }

    fn description(self) -> &'static str {
        DriftMetric::description(self)
    }

    fn applies_to_continuous(self) -> bool {
        DriftMetric::applies_to_continuous(self)
    }

    fn applies_to_categorical(self) -> bool {
        DriftMetric::applies_to_categorical(self)
    }
}

/// What is known of a metric of a [`Family`].
pub struct ColumnSpec<M> {
    /// The metric.
    pub metric: M,
    /// Name in SQL.
    pub name: &'static str,
    /// A sentence.
    pub description: &'static str,
    /// Whether it applies to numbers.
    pub continuous: bool,
    /// Whether it applies to categories.
    pub categorical: bool,
    /// Whether it needs no more than which rows are NULL.
    pub presence: bool,
}

/// Metrics whose names and uses follow from one table.
pub trait Family: Copy + PartialEq + fmt::Display + 'static {
    /// Every metric, in the order in which results list them.
    const TABLE: &'static [ColumnSpec<Self>];

    /// What a threshold must know about it.
    fn scale(self) -> MetricScale;

    /// The entry of a metric, which every metric has.
    fn spec(self) -> Option<&'static ColumnSpec<Self>> {
        Self::TABLE.iter().find(|spec| spec.metric == self)
    }
}

impl<M: Family> Judged for M {
    fn parse(name: &str) -> Option<Self> {
        let mut table = Self::TABLE.iter();
        table.find(|spec| spec.name == name).map(|spec| spec.metric)
    }

    fn names() -> Vec<&'static str> {
        Self::TABLE.iter().map(|spec| spec.name).collect()
    }

    fn scale(self) -> MetricScale {
        Family::scale(self)
    }
}

impl<M: Family> ColumnMetric for M {
    fn all() -> Vec<Self> {
        Self::TABLE.iter().map(|spec| spec.metric).collect()
    }

    fn name(self) -> &'static str {
        self.spec().map_or("", |spec| spec.name)
    }

    fn description(self) -> &'static str {
        self.spec().map_or("", |spec| spec.description)
    }

    fn applies_to_continuous(self) -> bool {
        self.spec().is_some_and(|spec| spec.continuous)
    }

    fn applies_to_categorical(self) -> bool {
        self.spec().is_some_and(|spec| spec.categorical)
    }

    fn applies_to_presence(self) -> bool {
        self.spec().is_some_and(|spec| spec.presence)
    }
}

#[cfg(test)]
mod tests {
    use super::super::quality_metric::QualityMetric;
    use super::super::summary_metric::SummaryMetric;
    use super::*;

    fn assert_table<M: ColumnMetric + fmt::Debug>(variants: usize) {
        let all = M::all();
        assert_eq!(all.len(), variants);
        for metric in all {
            assert_eq!(M::parse(metric.name()), Some(metric));
            assert_eq!(metric.to_string(), metric.name());
            assert!(metric.applies_to_continuous() || metric.applies_to_categorical());
            assert!(metric.description().ends_with('.'), "{metric}");
        }
        assert_eq!(M::parse("nulls"), None);
    }

    #[test]
    fn names_parse_back_and_every_metric_is_in_its_table() {
        assert_table::<QualityMetric>(QualityMetric::SchemaChange as usize + 1);
        assert_table::<SummaryMetric>(SummaryMetric::Distinct as usize + 1);
    }
}
