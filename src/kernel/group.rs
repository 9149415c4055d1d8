//! The rows of a bin that one statistic reads together.
use super::bins::{Class, ScoreBin};

/// Both known classes.
pub(crate) const KNOWN: [Class; 2] = [Class::Negative, Class::Positive];
/// Every class, unknown included.
pub(crate) const ANY: [Class; 3] = [Class::Negative, Class::Positive, Class::Unknown];

/// Rows of one bin: how many, and what is known of their scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Group {
    /// Number of rows, or the sum of their weights.
    pub rows: f64,
    /// Mean score; the middle of the bin where sums are not exact.
    pub mean: f64,
    /// Least score that a row of the group can have.
    pub lower: f64,
    /// Greatest score that a row of the group can have.
    pub upper: f64,
    /// Whether `mean` is the mean up to rounding.
    pub mean_known: bool,
}

impl Group {
    /// Rows of the bin with one of these predictions and one of these labels; `None` without any.
    pub fn of(
        bin: &ScoreBin,
        sums_exact: bool,
        predictions: &[Class],
        labels: &[Class],
    ) -> Option<Self> {
        let (mut rows, mut sum) = (0, 0.0);
        for &prediction in predictions {
            for &label in labels {
                let cell = of(of(&bin.cells, prediction), label);
                rows += cell.count;
                sum += cell.sum;
            }
        }
        (rows > 0).then(|| {
            Self::new(
                (bin.lower, bin.upper),
                sums_exact,
                rows,
                rows as f64,
                sum / rows as f64,
            )
        })
    }

    /// `count` rows of a bin that together weigh `rows`, and their mean.
    pub fn new(
        (lower, upper): (f64, f64),
        sums_exact: bool,
        count: u64,
        rows: f64,
        mean: f64,
    ) -> Self {
        let exact_at = |score| Self {
            rows,
            mean: score,
            lower: score,
            upper: score,
            mean_known: true,
        };
        if lower >= upper {
            return exact_at(lower);
        }
        if !sums_exact || !mean.is_finite() {
            return Self {
                rows,
                mean: mean.max(lower).min(upper),
                lower,
                upper,
                mean_known: false,
            };
        }
        // a single row is its own mean; of more rows a mean at an end of the range may be rounding
        if count == 1 {
            return exact_at(mean.clamp(lower, upper));
        }
        Self {
            rows,
            mean: mean.clamp(lower, upper),
            lower,
            upper,
            mean_known: true,
        }
    }

    /// Whether every row has the same score.
    pub fn is_exact(&self) -> bool {
        self.lower >= self.upper
    }
}

/// The element of a class.
pub(crate) fn of<T>([negative, positive, unknown]: &[T; 3], class: Class) -> &T {
    match class {
        Class::Negative => negative,
        Class::Positive => positive,
        Class::Unknown => unknown,
    }
}

/// Rows of the bin with one of these predictions and one of these labels.
pub(crate) fn count(bin: &ScoreBin, predictions: &[Class], labels: &[Class]) -> u64 {
    count_cells(
        &bin.cells.map(|row| row.map(|cell| cell.count)),
        predictions,
        labels,
    )
}

/// Sum of `cells[prediction][label]` over these predictions and labels.
pub(crate) fn count_cells(cells: &[[u64; 3]; 3], predictions: &[Class], labels: &[Class]) -> u64 {
    predictions
        .iter()
        .flat_map(|&prediction| {
            labels
                .iter()
                .map(move |&label| *of(of(cells, prediction), label))
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::bins::Cell;
    use super::*;

    fn bin(count: u64, sum: f64) -> ScoreBin {
        let mut bin = ScoreBin {
            lower: 0.25,
            upper: 0.5,
            ..ScoreBin::default()
        };
        bin.cells[Class::Positive as usize][Class::Unknown as usize] = Cell { count, sum };
        bin
    }

    #[test]
    fn only_a_single_row_is_placed_by_its_mean() {
        let group = Group::of(&bin(3, 0.75), true, &ANY, &ANY).unwrap();
        assert_eq!((group.lower, group.upper), (0.25, 0.5));
        let group = Group::of(&bin(1, 0.375), true, &ANY, &ANY).unwrap();
        assert_eq!((group.lower, group.upper), (0.375, 0.375));
    }

    #[test]
    fn an_approximate_sum_places_nothing() {
        let group = Group::of(&bin(1, 0.375), false, &ANY, &ANY).unwrap();
        assert!(!group.is_exact() && !group.mean_known);
    }

    #[test]
    fn rows_that_are_not_asked_for_are_left_out() {
        assert_eq!(Group::of(&bin(3, 1.0), true, &KNOWN, &KNOWN), None);
        assert_eq!(count(&bin(3, 1.0), &KNOWN, &ANY), 3);
    }
}
