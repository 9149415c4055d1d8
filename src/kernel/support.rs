//! Where the reference has enough rows to calibrate, and how much of a chunk lies elsewhere.
use super::error::KernelError;

/// A cell of the chunk with fewer reference rows than this is outside the support.
const ENOUGH_ROWS: f64 = 50.0;
/// Share of the chunk outside the support from which on its estimates are extrapolated.
const TOLERATED_SHARE: f64 = 0.01;
/// A cell of a chunk that is distributed as the reference expects this many reference rows, so
/// that chance alone does not take it below [`ENOUGH_ROWS`].
const EXPECTED_ROWS: f64 = 150.0;
/// Least rows of a cell, and most cells of a chunk.
const CELL_ROWS: f64 = 20.0;
const CELLS: f64 = 50.0;
/// Fewest reference rows of a group, and most groups away from the tails.
const GROUP_ROWS: u64 = 25;
const GROUPS: u64 = 64;

/// Reference rows between two scores, taken as evenly spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub first: f64,
    pub last: f64,
    pub rows: u64,
}

/// Outline of the reference's distribution: runs of rows, ascending, with nothing between them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Support(Vec<Run>);

impl Support {
    /// Outline of rows `(score, rows)` in ascending order.
    ///
    /// Rows are grouped by rank, finely in the tails (25 rows, then an eighth of the rank) and
    /// coarsely between, and each group is cut at its widest gap: a few hundred runs show the
    /// tails and the holes of any distribution.
    pub fn new(points: &[(f64, u64)]) -> Self {
        let total: u64 = points.iter().map(|point| point.1).sum();
        let (mut runs, mut group, mut rows, mut rank) = (Vec::new(), Vec::new(), 0, 0);
        for &point in points {
            group.push(point);
            rows += point.1;
            rank += point.1;
            let from_end = rank.min(total - rank) / 8;
            if rows >= from_end.min(total / GROUPS).max(GROUP_ROWS) {
                push_group(&mut runs, &group);
                group.clear();
                rows = 0;
            }
        }
        push_group(&mut runs, &group);
        Self(runs)
    }

    /// The runs, as stored.
    pub fn runs(&self) -> &[Run] {
        &self.0
    }

    /// Restores stored runs.
    pub fn from_runs(runs: Vec<Run>) -> Result<Self, KernelError> {
        let ordered = runs.iter().all(|run| run.first <= run.last && run.rows > 0)
            && runs.windows(2).all(|pair| match pair {
                [before, after] => before.last < after.first,
                _ => true,
            });
        if ordered {
            Ok(Self(runs))
        } else {
            Err(KernelError::Unreadable(
                "the support of the calibrator is out of order".to_owned(),
            ))
        }
    }

    /// Whether more than 1 % of the chunk's rows lie where the reference has fewer than 50.
    pub fn is_left_by(&self, chunk: &[(f64, u64)]) -> bool {
        self.share_outside(chunk) > TOLERATED_SHARE
    }

    /// Share of the chunk's rows, given as `(score, rows)` in ascending order, in cells with fewer
    /// than 50 reference rows.
    ///
    /// The cells hold equal numbers of the chunk's rows and reach halfway to their neighbours. So
    /// "where" is as fine as the chunk is dense, on whatever scale the scores live.
    pub fn share_outside(&self, chunk: &[(f64, u64)]) -> f64 {
        let total = chunk.iter().map(|point| point.1).sum::<u64>() as f64;
        let reference: f64 = self.0.iter().map(|run| run.rows as f64).sum();
        let least = (total / CELLS)
            .max(CELL_ROWS)
            .max(EXPECTED_ROWS * total / reference.max(1.0));
        let cells = (total / least).floor().max(1.0);
        let (mut outside, mut passed, mut filled, mut start) = (0.0, 0.0, 0.0, None);
        for (index, &(score, rows)) in chunk.iter().enumerate() {
            let lower = *start.get_or_insert(score);
            passed += rows as f64;
            filled += rows as f64;
            let boundary = ((passed - filled) * cells / total).floor() + 1.0;
            let next = chunk.get(index + 1);
            if passed * cells < boundary * total && next.is_some() {
                continue;
            }
            let halfway = next.map_or(score, |next| score / 2.0 + next.0 / 2.0);
            if self.rows_between(lower, halfway) < ENOUGH_ROWS {
                outside += filled;
            }
            filled = 0.0;
            start = next.map(|_| halfway);
        }
        outside / total.max(1.0)
    }

    fn rows_between(&self, lower: f64, upper: f64) -> f64 {
        self.0
            .iter()
            .map(|run| {
                let overlap = upper.min(run.last) - lower.max(run.first);
                let share = if overlap < 0.0 {
                    0.0
                } else if run.last > run.first {
                    overlap / (run.last - run.first)
                } else {
                    1.0
                };
                share * run.rows as f64
            })
            .sum()
    }
}

fn push_group(runs: &mut Vec<Run>, group: &[(f64, u64)]) {
    let gap = |pair: &[(f64, u64)]| match pair {
        [before, after] => after.0 - before.0,
        _ => 0.0,
    };
    let widest = group
        .windows(2)
        .enumerate()
        .max_by(|a, b| gap(a.1).total_cmp(&gap(b.1)))
        .map_or(0, |(index, _)| index + 1);
    let (before, after) = group.split_at(widest);
    for part in [before, after] {
        if let (Some(first), Some(last)) = (part.first(), part.last()) {
            runs.push(Run {
                first: first.0,
                last: last.0,
                rows: part.iter().map(|point| point.1).sum(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(from: f64, to: f64, count: u32) -> Vec<(f64, u64)> {
        (0..count)
            .map(|i| (from + (to - from) * f64::from(i) / f64::from(count), 1))
            .collect()
    }

    #[test]
    fn the_same_range_is_inside_and_another_outside() {
        let support = Support::new(&even(0.0, 1.0, 5000));
        assert_eq!(support.share_outside(&even(0.0, 1.0, 700)), 0.0);
        assert_eq!(support.share_outside(&even(1.5, 2.0, 700)), 1.0);
        assert!((support.share_outside(&even(0.5, 1.5, 700)) - 0.5).abs() < 0.06);
        assert!(support.runs().len() < 400);
    }

    #[test]
    fn a_hole_in_the_reference_is_outside() {
        let mut reference = even(0.0, 0.3, 50_000);
        reference.extend(even(0.7, 1.0, 50_000));
        let support = Support::new(&reference);
        assert_eq!(support.share_outside(&even(0.4, 0.6, 1000)), 1.0);
        assert!(!support.is_left_by(&even(0.71, 0.95, 1000)));
    }

    #[test]
    fn tied_scores_are_found_where_they_are() {
        let reference = [(0.1, 400), (0.2, 30), (0.3, 400)];
        let support = Support::new(&reference);
        assert_eq!(support.share_outside(&[(0.1, 500), (0.3, 500)]), 0.0);
        assert_eq!(support.share_outside(&[(0.1, 500), (0.2, 500)]), 0.5);
    }

    #[test]
    fn nothing_is_outside_of_nothing() {
        assert_eq!(Support::default().share_outside(&[]), 0.0);
        assert_eq!(Support::default().share_outside(&[(0.5, 3)]), 1.0);
    }
}
