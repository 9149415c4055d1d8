//! The view of a score profile that statistics read: bins in ascending order of score.

/// Counts and scores of the rows of one bin that share a prediction and a label.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cell {
    /// Number of rows.
    pub count: u64,
    /// Sum of their scores; exact up to one rounding where [`ScoreBins::sums_exact`].
    pub sum: f64,
}

/// A prediction or a label: which of the two classes, or not known (NULL).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Class 0.
    Negative = 0,
    /// Class 1.
    Positive = 1,
    /// NULL.
    Unknown = 2,
}

/// The rows whose scores lie in `[lower, upper]`; an exact bin has `lower == upper`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScoreBin {
    /// Smallest score that the bin can hold.
    pub lower: f64,
    /// Largest score that the bin can hold.
    pub upper: f64,
    /// `cells[prediction][label]`, indexed by [`Class`].
    pub cells: [[Cell; 3]; 3],
}

/// A score profile, read: what every estimate and every realized value is computed from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreBins {
    /// Non-empty bins, ascending and disjoint.
    pub bins: Vec<ScoreBin>,
    /// False when scores were coarsened on purpose, or a bin may span several binary exponents (level above 52): then only
    /// `lower` and `upper` bound the scores in it, and `sum` is an approximation.
    pub sums_exact: bool,
    /// Rows without a score, `[prediction][label]`.
    pub unscored: [[u64; 3]; 3],
    /// Rows whose score is NaN or infinite, `[prediction][label]`; nothing else counts them.
    pub not_finite: [[u64; 3]; 3],
}

impl ScoreBins {
    /// The rows with a label, bin by bin as they were.
    ///
    /// ```
    /// use modelwatch::kernel::bins::{Cell, ScoreBin, ScoreBins};
    /// let mut bin = ScoreBin { lower: 0.25, upper: 0.25, ..ScoreBin::default() };
    /// bin.cells[1][0] = Cell { count: 3, sum: 0.75 };
    /// bin.cells[1][2] = Cell { count: 1, sum: 0.25 };
    /// let labelled = ScoreBins { bins: vec![bin], ..ScoreBins::default() }.labelled();
    /// assert_eq!(labelled.bins[0].cells[1].map(|cell| cell.count), [3, 0, 0]);
    /// ```
    #[must_use]
    pub fn labelled(&self) -> Self {
        let known =
            |rows: &[[u64; 3]; 3]| rows.map(|[negative, positive, _]| [negative, positive, 0]);
        let of_bin = |bin: &ScoreBin| {
            let cells = bin
                .cells
                .map(|[negative, positive, _]| [negative, positive, Cell::default()]);
            let has_rows = cells.iter().flatten().any(|cell| cell.count > 0);
            has_rows.then_some(ScoreBin { cells, ..*bin })
        };
        Self {
            bins: self.bins.iter().filter_map(of_bin).collect(),
            sums_exact: self.sums_exact,
            unscored: known(&self.unscored),
            not_finite: known(&self.not_finite),
        }
    }
}
