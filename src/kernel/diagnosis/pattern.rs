//! Shapes that a series can have.
use std::fmt;

/// The shape of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// One level.
    Stable,
    /// One level, then another.
    Sudden,
    /// One level, then a straight line away from it.
    Gradual,
    /// Another level for a time, then the first again.
    Temporary,
    /// A cycle.
    Recurring,
    /// A cycle around one level, then around another.
    RecurringSudden,
    /// A cycle around one level, then around a straight line away from it.
    RecurringGradual,
}

impl Pattern {
    /// Every pattern.
    pub const ALL: [Self; 7] = [
        Self::Stable,
        Self::Sudden,
        Self::Gradual,
        Self::Temporary,
        Self::Recurring,
        Self::RecurringSudden,
        Self::RecurringGradual,
    ];

    /// Text in the `pattern` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Sudden => "sudden",
            Self::Gradual => "gradual",
            Self::Temporary => "temporary",
            Self::Recurring => "recurring",
            Self::RecurringSudden => "recurring_sudden",
            Self::RecurringGradual => "recurring_gradual",
        }
    }

    /// The pattern of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pattern| pattern.name() == name)
    }

    /// Whether it has a cycle.
    pub const fn is_cyclic(self) -> bool {
        matches!(
            self,
            Self::Recurring | Self::RecurringSudden | Self::RecurringGradual
        )
    }
}

/// Whether a shape can be trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DiagnosisStatus {
    /// No reserve.
    #[default]
    Ok,
    /// Fewer than eight chunks could be used: chance looks like a shape more often.
    FewChunks,
    /// Fewer than four could: there is no shape.
    InsufficientData,
}

impl DiagnosisStatus {
    /// Text in the `status` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::FewChunks => "few_chunks",
            Self::InsufficientData => "insufficient_data",
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for pattern in Pattern::ALL {
            assert_eq!(Pattern::parse(pattern.name()), Some(pattern));
        }
        assert_eq!(Pattern::parse("sometimes"), None);
    }
}
