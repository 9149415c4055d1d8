//! What metrics of columns have in common.
use super::super::drift::DriftMetric;
use super::super::threshold_text::Judged;

/// A family of metrics that are computed column by column.
pub trait ColumnMetric: Judged + 'static {
    /// Every metric, in the order in which results list them.
    const ALL: &'static [Self];

    /// Name in SQL.
    fn name(self) -> &'static str;

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
    const ALL: &'static [Self] = &DriftMetric::ALL;

    fn name(self) -> &'static str {
        DriftMetric::name(self)
    }

    fn applies_to_continuous(self) -> bool {
        DriftMetric::applies_to_continuous(self)
    }

    fn applies_to_categorical(self) -> bool {
        DriftMetric::applies_to_categorical(self)
    }
}
