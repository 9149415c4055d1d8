//! On which side of what is expected something is judged.

/// Which deviations count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// Both.
    #[default]
    Both,
    /// Lower than expected only.
    Lower,
    /// Higher than expected only.
    Higher,
}

impl Side {
    /// Every side.
    pub const ALL: [Self; 3] = [Self::Both, Self::Lower, Self::Higher];

    /// Text of the argument.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }

    /// The side of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name() == name)
    }

    /// How many sides count.
    pub const fn count(self) -> f64 {
        match self {
            Self::Both => 2.0,
            Self::Lower | Self::Higher => 1.0,
        }
    }

    /// Whether one of the limits on either side that was left counts.
    pub const fn counts(self, lower: bool, higher: bool) -> bool {
        match self {
            Self::Both => lower || higher,
            Self::Lower => lower,
            Self::Higher => higher,
        }
    }
}
