//! What is checked, how much of it matters, and how severe it is.
use std::fmt;

/// A check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkewCheck {
    /// Performance on training rows above that on test rows.
    Overfit,
    /// Performance on test rows above that on the first rows that were served.
    DeploymentDrop,
    /// A single column that tells the label too well.
    TargetLeakage,
    /// Test rows that are training rows.
    RowOverlap,
    /// A feature that became known after the prediction.
    FutureTimestamp,
    /// A column that one side does not have.
    MissingColumn,
    /// A column whose type differs.
    ColumnType,
    /// Shares of NULL differ, or of NULL, NaN and infinities together.
    NullRate,
    /// One value stands where others or none did: a default, or the end of a clipped range.
    DefaultValue,
    /// One side has a single value.
    ConstantColumn,
    /// Numbers of one side are those of the other in another unit, scale or transformation.
    UnitScale,
    /// Numbers of one side have fewer decimals.
    Rounding,
    /// Categories of one side are those of the other in another spelling.
    CategoryFormat,
    /// Categories that training does not have.
    UnseenCategory,
    /// Times of day of one side are those of the other, some hours off.
    TimeZoneOffset,
    /// Values that differ for the same key.
    KeyParity,
    /// A key that stands in several rows.
    DuplicateKey,
    /// Trees tell served rows from training rows.
    AdversarialValidation,
}

/// Probability of any finding of a check where there is none, where the call does not say.
pub const FALSE_ALARM_RATE: f64 = 0.01;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A hint.
    Info,
    /// The model may be worse for it.
    Warning,
    /// Values are not what the model was trained on, or its performance is not what was promised.
    Critical,
}

impl Severity {
    /// Text in the `severity` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// From so many times the least effect that matters on, a warning is critical.
const CRITICAL_TIMES: f64 = 10.0;

impl SkewCheck {
    /// Every check, in the order in which results list them.
    pub const ALL: [Self; 18] = [
        Self::Overfit,
        Self::DeploymentDrop,
        Self::TargetLeakage,
        Self::RowOverlap,
        Self::FutureTimestamp,
        Self::MissingColumn,
        Self::ColumnType,
        Self::NullRate,
        Self::DefaultValue,
        Self::ConstantColumn,
        Self::UnitScale,
        Self::Rounding,
        Self::CategoryFormat,
        Self::UnseenCategory,
        Self::TimeZoneOffset,
        Self::KeyParity,
        Self::DuplicateKey,
        Self::AdversarialValidation,
    ];

    /// Text in the `check_name` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overfit => "overfit",
            Self::DeploymentDrop => "deployment_drop",
            Self::TargetLeakage => "target_leakage",
            Self::RowOverlap => "row_overlap",
            Self::FutureTimestamp => "future_timestamp",
            Self::MissingColumn => "missing_column",
            Self::ColumnType => "column_type",
            Self::NullRate => "null_rate",
            Self::DefaultValue => "default_value",
            Self::ConstantColumn => "constant_column",
            Self::UnitScale => "unit_scale",
            Self::Rounding => "rounding",
            Self::CategoryFormat => "category_format",
            Self::UnseenCategory => "unseen_category",
            Self::TimeZoneOffset => "time_zone_offset",
            Self::KeyParity => "key_parity",
            Self::DuplicateKey => "duplicate_key",
            Self::AdversarialValidation => "adversarial_validation",
        }
    }

    /// The check of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }

    /// The value that a finding exceeds, where the call does not say: metric points, an AUC, a distance, or a share of rows.
    pub const fn least_effect(self) -> f64 {
        match self {
            Self::Overfit | Self::DeploymentDrop => 0.03,
            Self::TargetLeakage => 0.95,
            Self::RowOverlap | Self::CategoryFormat => 0.005,
            Self::FutureTimestamp | Self::KeyParity => 0.001,
            Self::NullRate | Self::UnseenCategory | Self::ConstantColumn => 0.01,
            Self::DefaultValue => 0.02,
            Self::UnitScale | Self::Rounding => 0.2,
            // an hour put 0.09 and 0.18 between the times of day of two tables (one is of tests/slt/training_serving_skew.slt)
            Self::TimeZoneOffset => 0.05,
            Self::AdversarialValidation => 0.6,
            Self::MissingColumn | Self::ColumnType | Self::DuplicateKey => 0.0,
        }
    }

    /// How severe a finding of this value is, where `least` is the value that it exceeds.
    pub fn severity(self, value: f64, least: f64) -> Severity {
        match self {
            Self::DeploymentDrop
            | Self::TargetLeakage
            | Self::MissingColumn
            | Self::ColumnType
            | Self::ConstantColumn
            | Self::UnitScale
            | Self::TimeZoneOffset => Severity::Critical,
            Self::Rounding | Self::AdversarialValidation => Severity::Info,
            Self::DuplicateKey => Severity::Warning,
            _ if value >= CRITICAL_TIMES * least => Severity::Critical,
            _ => Severity::Warning,
        }
    }
}

impl fmt::Display for SkewCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The value that a finding of each check exceeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effects([f64; SkewCheck::ALL.len()]);

impl Default for Effects {
    fn default() -> Self {
        Self(SkewCheck::ALL.map(SkewCheck::least_effect))
    }
}

impl Effects {
    /// From numbers in the order of [`SkewCheck::ALL`]; `None` for another count, or a number that is negative or not finite.
    pub fn new(numbers: &[f64]) -> Option<Self> {
        let numbers = <[f64; SkewCheck::ALL.len()]>::try_from(numbers).ok()?;
        let usable = numbers.iter().all(|x| x.is_finite() && *x >= 0.0);
        usable.then_some(Self(numbers))
    }

    /// The numbers, in the order of [`SkewCheck::ALL`].
    pub fn numbers(&self) -> &[f64] {
        &self.0
    }

    /// Of a check.
    pub fn of(&self, check: SkewCheck) -> f64 {
        let position = SkewCheck::ALL.iter().position(|known| *known == check);
        let found = position.and_then(|position| self.0.get(position));
        found.copied().unwrap_or_else(|| check.least_effect())
    }

    /// With another value for a check.
    #[must_use]
    pub fn with(mut self, check: SkewCheck, least: f64) -> Self {
        for (known, value) in SkewCheck::ALL.iter().zip(&mut self.0) {
            if *known == check {
                *value = least;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for check in SkewCheck::ALL {
            assert_eq!(SkewCheck::parse(check.name()), Some(check));
        }
        assert_eq!(SkewCheck::parse("skew"), None);
    }

    #[test]
    fn effects_are_kept_by_check() {
        let effects = Effects::default().with(SkewCheck::NullRate, 0.25);
        assert_eq!(effects.of(SkewCheck::NullRate), 0.25);
        assert_eq!(effects.of(SkewCheck::DefaultValue), 0.02);
        assert_eq!(Effects::new(effects.numbers()), Some(effects));
        assert_eq!(Effects::new(&[0.1]), None);
        assert_eq!(Effects::new(&[-1.0; 18]), None);
    }

    #[test]
    fn a_large_share_is_critical() {
        let of = |value| SkewCheck::NullRate.severity(value, 0.01);
        assert_eq!([of(0.05), of(0.1)], [Severity::Warning, Severity::Critical]);
        assert_eq!(SkewCheck::Rounding.severity(1.0, 0.2), Severity::Info);
    }
}
