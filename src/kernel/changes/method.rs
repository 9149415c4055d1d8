//! Which detector, and its dials.
use super::super::side::Side;

/// How changes are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// Sums of what lies beyond an allowance on either side of the level of the reference (E. S. Page 1954, Biometrika 41,
    /// 100-115). The best at small shifts that last.
    #[default]
    Cusum,
    /// The same around the mean of all chunks so far, which needs no reference (D. V. Hinkley 1971, Biometrika 58, 509-523).
    PageHinkley,
    /// A mean in which older chunks count ever less (S. W. Roberts 1959, Technometrics 1, 239-250).
    Ewma,
    /// The four rules of the Western Electric handbook (1956): easy to explain, an alarm four times as often by chance.
    WesternElectric,
    /// Segments of equal level with the least sum of squares and price (R. Killick, P. Fearnhead and I. A. Eckley 2012, JASA 107,
    /// 1590-1598). Of the whole series, in hindsight.
    Pelt,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 5] = [
        Self::Cusum,
        Self::PageHinkley,
        Self::Ewma,
        Self::WesternElectric,
        Self::Pelt,
    ];

    /// Text of the argument.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cusum => "cusum",
            Self::PageHinkley => "page_hinkley",
            Self::Ewma => "ewma",
            Self::WesternElectric => "western_electric",
            Self::Pelt => "pelt",
        }
    }

    /// The method of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// The dials of a detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeOptions {
    /// Which detector.
    pub method: Method,
    /// Chunks between false alarms, on average, in a series that does not change.
    pub average_run_length: f64,
    /// What the CUSUM and the chart of Page and Hinkley take off each chunk, in standard deviations: half the shift that is to be
    /// found soonest.
    pub allowance: f64,
    /// Weight of the newest chunk in the EWMA, in (0, 1].
    pub weight: f64,
    /// Price of a change in PELT, in units of `ln T`.
    pub penalty: f64,
    /// Chunks that show the level where the series has no reference.
    pub warm_up: usize,
    /// Which changes alert.
    pub side: Side,
}

impl Default for ChangeOptions {
    /// Alarms as rare as those of limits at three standard deviations; dials as the field sets them.
    fn default() -> Self {
        Self {
            method: Method::default(),
            average_run_length: 370.0,
            allowance: 0.5,
            weight: 0.2,
            penalty: 3.0,
            warm_up: 8,
            side: Side::Both,
        }
    }
}
