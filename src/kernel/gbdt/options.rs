//! What is learnt, and how.
use super::predict::MOST_LEAVES;
use crate::kernel::KernelError;

/// What a model learns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Objective {
    /// The mean of the target: squared errors are made small.
    #[default]
    Squared,
    /// The probability that the target is 1: log loss is made small.
    Logistic,
}

impl Objective {
    /// All words.
    pub const NAMES: [&'static str; 2] = ["squared", "logistic"];

    /// The word in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Squared => "squared",
            Self::Logistic => "logistic",
        }
    }

    /// The objective of a word, `None` for others.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Squared, Self::Logistic]
            .into_iter()
            .find(|objective| objective.name() == name)
    }
}

/// How trees are grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Most trees.
    pub trees: usize,
    /// Most leaves of a tree.
    pub leaves: usize,
    /// Share of a tree's answer that is taken, above 0 and up to 1.
    pub learning_rate: f64,
    /// Least sum of weights in a leaf: rows, where they have no weights. `None`: a 300th of all, from 20 to 200.
    pub min_rows: Option<f64>,
    /// Rows that pull each leaf towards no change (L2 penalty, in units of the objective's second derivative).
    pub l2: f64,
    /// Most bins of a column of numbers; missing ones have a further bin.
    pub max_bins: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trees: 100,
            leaves: 31,
            learning_rate: 0.1,
            min_rows: None,
            l2: 0.0,
            max_bins: MOST_BINS,
        }
    }
}

/// Most bins of a column of numbers, for a code is a byte and one code is for missing values.
pub const MOST_BINS: usize = 255;
/// Most trees of a model.
pub const MOST_TREES: usize = 10_000;

impl Options {
    /// The names that [`Self::with`] knows.
    pub const NAMES: [&'static str; 6] = [
        "trees",
        "leaves",
        "learning_rate",
        "min_rows",
        "l2",
        "max_bins",
    ];

    /// The same with one option changed; an error tells the range of its values.
    ///
    /// ```
    /// use modelwatch::kernel::gbdt::options::Options;
    /// assert_eq!(Options::default().with("trees", 50.0).unwrap().trees, 50);
    /// let refused = Options::default().with("leaves", 1.0).unwrap_err();
    /// assert_eq!(refused.to_string(), "leaves is 1. Expected a whole number from 2 to 64");
    /// ```
    pub fn with(mut self, name: &str, value: f64) -> Result<Self, KernelError> {
        match name {
            "trees" => self.trees = whole(name, value, 1, MOST_TREES)?,
            "leaves" => self.leaves = whole(name, value, 2, MOST_LEAVES)?,
            "max_bins" => self.max_bins = whole(name, value, 2, MOST_BINS)?,
            "learning_rate" if value > 0.0 && value <= 1.0 => self.learning_rate = value,
            "learning_rate" => return refuse(name, value, "a number above 0 and up to 1"),
            "min_rows" if (0.0..=LARGEST_NUMBER).contains(&value) => self.min_rows = Some(value),
            "l2" if (0.0..=LARGEST_NUMBER).contains(&value) => self.l2 = value,
            "min_rows" | "l2" => return refuse(name, value, "a number from 0 to 1e15"),
            other => {
                return Err(KernelError::Undefined(format!(
                    "there is no option '{other}'"
                )));
            }
        }
        Ok(self)
    }
}

impl Options {
    /// Least sum of weights in a leaf, where all rows together have this one.
    pub(super) fn least_rows(&self, weight: f64) -> f64 {
        self.min_rows
            .unwrap_or_else(|| (weight / 300.0).clamp(20.0, 200.0))
    }
}

const LARGEST_NUMBER: f64 = 1e15;

/// A whole number in a range.
pub(super) fn whole(
    name: &str,
    value: f64,
    least: usize,
    most: usize,
) -> Result<usize, KernelError> {
    if value.fract() == 0.0 && value >= least as f64 && value <= most as f64 {
        return Ok(value as usize);
    }
    refuse(
        name,
        value,
        &format!("a whole number from {least} to {most}"),
    )
}

fn refuse<T>(name: &str, value: f64, expected: &str) -> Result<T, KernelError> {
    Err(KernelError::Undefined(format!(
        "{name} is {value}. Expected {expected}"
    )))
}

/// Most distinct rows that may be asked for.
pub const MOST_ROWS: usize = 100_000_000;

/// Reads the number of distinct rows that are kept at most.
pub fn max_rows(value: f64) -> Result<usize, KernelError> {
    whole("max_rows", value, 1, MOST_ROWS)
}
