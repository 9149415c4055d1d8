//! The best way to divide the rows of a leaf in two.
use super::column::{Column, MISSING_CODE};
use super::histogram::{
    Bins, CodeSet, Histogram, Sums, add, curvature, minus, plus, slope, weight,
};
use super::split_categories::best_of_categories;
use crate::kernel::pca::columns::Kind;

/// Least sum of second derivatives on either side.
const LEAST_CURVATURE: f64 = 1e-3;

/// A division of a leaf's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Split<const N: usize> {
    /// How much it lowers twice the objective.
    pub gain: f64,
    /// The column that decides.
    pub column: usize,
    /// Codes that go left; all others go right.
    pub left: CodeSet,
    /// Sums on the left.
    pub left_sums: Sums<N>,
    /// Sums on the right.
    pub right_sums: Sums<N>,
}

/// What a split must keep to.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Least weight on either side.
    pub min_rows: f64,
    /// Penalty of a leaf's square.
    pub l2: f64,
    /// Gains up to this one are rounding.
    pub min_gain: f64,
}

impl Rules {
    /// What the best answer of a leaf lowers twice the objective by.
    #[inline]
    pub fn score<const N: usize>(&self, sums: &Sums<N>, l2: f64) -> f64 {
        slope(sums) * slope(sums) / (curvature(sums) + l2)
    }

    /// The gain of a division; `None` where a side is too small.
    #[inline]
    pub(super) fn gain<const N: usize>(
        &self,
        left: &Sums<N>,
        right: &Sums<N>,
        l2: f64,
    ) -> Option<f64> {
        let enough =
            |side: &Sums<N>| weight(side) >= self.min_rows && curvature(side) >= LEAST_CURVATURE;
        (enough(left) && enough(right)).then(|| self.score(left, l2) + self.score(right, l2))
    }

    /// The best answer of a leaf.
    pub fn answer<const N: usize>(&self, sums: &Sums<N>) -> f64 {
        -slope(sums) / (curvature(sums) + self.l2)
    }
}

/// The best split over all columns; of equally good ones that of the first column and the smallest code.
pub fn best_split<const N: usize>(
    histogram: &Histogram<N>,
    columns: &[Column],
    total: &Sums<N>,
    rules: &Rules,
) -> Option<Split<N>> {
    let least = rules.score(total, rules.l2) + rules.min_gain;
    let mut best: Option<Split<N>> = None;
    for (at, (bins, column)) in histogram.columns().iter().zip(columns).enumerate() {
        let found = match column.kind() {
            Kind::Number => best_of_numbers(bins, column.ranges(), total, rules),
            Kind::Text => best_of_categories(bins, total, rules),
        };
        let Some((score, left, left_sums)) = found else {
            continue;
        };
        let gain = score - least;
        if gain > best.as_ref().map_or(0.0, |best| best.gain) {
            let right_sums = minus(total, &left_sums);
            best = Some(Split {
                gain,
                column: at,
                left,
                left_sums,
                right_sums,
            });
        }
    }
    best
}

/// A division: sum of both sides' scores, codes on the left, and their sums.
pub(super) type Found<const N: usize> = (f64, CodeSet, Sums<N>);

/// The best threshold, with missing numbers on the side where they fit better. Where there are none, they will go to the side
/// of the larger weight.
fn best_of_numbers<const N: usize>(
    bins: &Bins<N>,
    ranges: usize,
    total: &Sums<N>,
    rules: &Rules,
) -> Option<Found<N>> {
    let missing = bins.last().copied().unwrap_or([0.0; N]);
    let some_missing = weight(&missing) > 0.0;
    let mut best: Option<(f64, usize, bool, Sums<N>)> = None;
    let mut left = [0.0; N];
    for (at, sums) in bins
        .iter()
        .enumerate()
        .take(ranges.min(usize::from(MISSING_CODE)))
    {
        if weight(sums) <= 0.0 {
            continue;
        }
        add(&mut left, sums);
        let mut consider = |left: Sums<N>, with_missing: bool| {
            let Some(score) = rules.gain(&left, &minus(total, &left), rules.l2) else {
                return;
            };
            if best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, at + 1, with_missing, left));
            }
        };
        consider(left, false);
        if some_missing {
            consider(plus(&left, &missing), true);
        }
    }
    let (score, count, with_missing, left) = best?;
    let with_missing = if some_missing {
        with_missing
    } else {
        2.0 * weight(&left) >= weight(total)
    };
    Some((score, CodeSet::first(count, with_missing), left))
}
