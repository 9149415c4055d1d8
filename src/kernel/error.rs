//! Why a statistic refused its input.
use std::fmt;

/// Bad input, told so that the caller can mend it.
#[derive(Debug, Clone, PartialEq)]
pub enum KernelError {
    /// A score outside `[0, 1]` where a probability is needed.
    NotAProbability(f64),
    /// Bytes that are not a profile or calibrator of this version.
    Unreadable(String),
    /// Input on which the statistic is not defined, with the reason.
    Undefined(String),
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAProbability(value) => {
                write!(f, "score {value} is not a probability in [0, 1]")
            }
            Self::Unreadable(why) => write!(f, "unreadable bytes: {why}"),
            Self::Undefined(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for KernelError {}
