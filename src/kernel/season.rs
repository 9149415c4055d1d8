//! What part of a calendar healthy values go with.
/// A part of the calendar that a chunk lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// 0 to 23.
    HourOfDay,
    /// Monday to Sunday.
    DayOfWeek,
    /// Monday's first hour to Sunday's last.
    HourOfWeek,
    /// 1 to 31.
    DayOfMonth,
    /// January to December.
    Month,
}

impl Season {
    /// Every season.
    pub const ALL: [Self; 5] = [
        Self::HourOfDay,
        Self::DayOfWeek,
        Self::HourOfWeek,
        Self::DayOfMonth,
        Self::Month,
    ];

    /// Text of the argument.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HourOfDay => "hour_of_day",
            Self::DayOfWeek => "day_of_week",
            Self::HourOfWeek => "hour_of_week",
            Self::DayOfMonth => "day_of_month",
            Self::Month => "month",
        }
    }

    /// The season of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|season| season.name() == name)
    }

    /// What a chunk must not be longer than, to lie in one part.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::HourOfDay | Self::HourOfWeek => "hour",
            Self::DayOfWeek | Self::DayOfMonth => "day",
            Self::Month => "month",
        }
    }
}
