//! Isotonic regression of labels on scores.

/// Labelled rows at one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The score.
    pub score: f64,
    /// Labelled rows there.
    pub rows: u64,
    /// How many of them are positive.
    pub positives: u64,
}

/// A run of points that share one fitted level, the share of positives in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// Score of its first point.
    pub first: f64,
    /// Score of its last point.
    pub last: f64,
    /// Labelled rows in it.
    pub rows: u64,
    /// How many of them are positive.
    pub positives: u64,
}

/// Points closer than this to the first of their group count as one score: the resolution that
/// scikit-learn 1.5 uses for 64-bit floats.
const TIE: f64 = 1e-15;

impl Block {
    /// Share of positives.
    pub fn level(&self) -> f64 {
        self.positives as f64 / self.rows as f64
    }

    /// Levels are compared as fractions of integers, so pooling is free of rounding.
    pub(crate) fn is_below(&self, next: &Self) -> bool {
        u128::from(self.positives) * u128::from(next.rows)
            < u128::from(next.positives) * u128::from(self.rows)
    }

    /// Rows that are not positive.
    fn negatives(&self) -> u64 {
        self.rows - self.positives
    }

    fn absorb(&mut self, next: &Self) {
        self.last = next.last;
        self.rows += next.rows;
        self.positives += next.positives;
    }
}

/// ROC AUC of the levels of blocks that ascend, on the rows they were fitted on; `None` of one class.
pub(crate) fn roc_auc(blocks: &[Block]) -> Option<f64> {
    let (mut below, mut won) = (0.0, 0.0);
    for block in blocks {
        let (positives, negatives) = (block.positives as f64, block.negatives() as f64);
        won += positives * (below + negatives / 2.0);
        below += negatives;
    }
    let positives: f64 = blocks.iter().map(|block| block.positives as f64).sum();
    Some(won / (positives * below)).filter(|area| area.is_finite())
}

/// Non-decreasing least-squares fit, by pooling adjacent violators.
///
/// * Shape: points ascending by score; points without rows are skipped.
/// * Result: blocks ascending in score and, strictly, in level; empty without rows.
/// * Source: Barlow et al. (1972), Statistical Inference under Order Restrictions; the grouping
///   of ties is scikit-learn's, so that its fitted function is met exactly.
///
/// ```
/// use modelwatch::kernel::isotonic::{fit, Point};
/// let point = |score, positives| Point { score, rows: 1, positives };
/// let blocks = fit([point(0.1, 0), point(0.2, 1), point(0.3, 0), point(0.4, 1)]);
/// let levels: Vec<f64> = blocks.iter().map(|block| block.level()).collect();
/// assert_eq!(levels, [0.0, 0.5, 1.0]);
/// ```
pub fn fit(points: impl IntoIterator<Item = Point>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut tied: Option<Block> = None;
    for point in points.into_iter().filter(|point| point.rows > 0) {
        let next = Block {
            first: point.score,
            last: point.score,
            rows: point.rows,
            positives: point.positives,
        };
        match &mut tied {
            Some(group) if point.score - group.first < TIE => {
                group.rows += next.rows;
                group.positives += next.positives;
            }
            group => {
                if let Some(done) = group.replace(next) {
                    push(&mut blocks, done);
                }
            }
        }
    }
    if let Some(done) = tied {
        push(&mut blocks, done);
    }
    blocks
}

fn push(blocks: &mut Vec<Block>, mut block: Block) {
    while let Some(previous) = blocks.pop_if(|previous| !previous.is_below(&block)) {
        let next = std::mem::replace(&mut block, previous);
        block.absorb(&next);
    }
    blocks.push(block);
}

/// Corners of the fitted function: the ends of each block, at its level. Between two blocks the
/// function is a straight ramp, before the first and after the last it is constant.
pub fn knots(blocks: &[Block]) -> Vec<(f64, f64)> {
    let mut knots = Vec::with_capacity(2 * blocks.len());
    for block in blocks {
        knots.push((block.first, block.level()));
        if block.last > block.first {
            knots.push((block.last, block.level()));
        }
    }
    knots
}

/// Piecewise-linear interpolation between knots, constant outside them; 0 without knots.
///
/// The arithmetic is that of numpy's `interp`, so that fitted values agree to the last bit.
pub fn interpolate(knots: &[(f64, f64)], x: f64) -> f64 {
    between(knots, knots.partition_point(|knot| knot.0 <= x), x)
}

/// [`interpolate`] where `after` knots are not above `x`.
#[inline]
fn between(knots: &[(f64, f64)], after: usize, x: f64) -> f64 {
    match (
        after.checked_sub(1).and_then(|k| knots.get(k)),
        knots.get(after),
    ) {
        (Some(&(x0, y0)), Some(&(x1, y1))) if (x1 - x0).is_finite() => {
            (y1 - y0) / (x1 - x0) * (x - x0) + y0
        }
        // knots further apart than the largest float
        (Some(&(x0, y0)), Some(&(x1, y1))) => {
            (y1 - y0) * ((x / 2.0 - x0 / 2.0) / (x1 / 2.0 - x0 / 2.0)) + y0
        }
        (Some(&(_, y)), None) | (None, Some(&(_, y))) => y,
        (None, None) => 0.0,
    }
}

/// The corners that [`interpolate`] reads for any score in `[lower, upper]`.
pub(crate) fn around(knots: &[(f64, f64)], lower: f64, upper: f64) -> &[(f64, f64)] {
    let first = knots
        .partition_point(|knot| knot.0 <= lower)
        .saturating_sub(1);
    let rest = knots.get(first..).unwrap_or_default();
    let last = rest.partition_point(|knot| knot.0 <= upper);
    rest.get(..(last + 1).min(rest.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corners_around_a_range_are_all_that_it_needs() {
        let knots: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i), f64::from(i * i))).collect();
        for lower in [-1.0, 0.0, 0.5, 7.0, 7.5, 18.9, 19.0, 25.0] {
            for width in [0.0, 0.25, 3.0, 30.0] {
                let near = around(&knots, lower, lower + width);
                for share in [0.0, 0.3, 1.0] {
                    let x = lower + share * width;
                    assert_eq!(interpolate(near, x), interpolate(&knots, x));
                }
            }
        }
        assert_eq!(around(&knots, 7.2, 7.4), [(7.0, 49.0), (8.0, 64.0)]);
    }

    fn points(rows: &[(f64, u64, u64)]) -> Vec<Point> {
        rows.iter()
            .map(|&(score, rows, positives)| Point {
                score,
                rows,
                positives,
            })
            .collect()
    }

    #[test]
    fn violators_are_pooled_back_to_the_start() {
        // 3/4, 1/2, 0/4 pool to (3 + 1 + 0) / (4 + 2 + 4) = 0.4; 1/1 stays
        let blocks = fit(points(&[
            (0.1, 4, 3),
            (0.2, 2, 1),
            (0.3, 4, 0),
            (0.9, 1, 1),
        ]));
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].first, blocks[0].last), (0.1, 0.3));
        assert_eq!(blocks[0].level(), 0.4);
        assert_eq!(knots(&blocks), [(0.1, 0.4), (0.3, 0.4), (0.9, 1.0)]);
    }

    #[test]
    fn scores_closer_than_the_resolution_are_one_score() {
        let blocks = fit(points(&[
            (0.5, 1, 0),
            (0.5 + 4e-16, 1, 1),
            (0.5 + 2e-15, 1, 1),
        ]));
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].first, blocks[0].last), (0.5, 0.5));
        assert_eq!(blocks[0].level(), 0.5);
    }

    #[test]
    fn equal_levels_are_one_block() {
        let blocks = fit(points(&[(0.1, 2, 1), (0.2, 4, 2), (0.3, 1, 1)]));
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].rows, 6);
    }

    #[test]
    fn interpolation_is_linear_between_and_constant_outside() {
        let knots = [(0.25, 0.125), (0.5, 0.125), (0.75, 0.5)];
        let at: Vec<f64> = [0.0, 0.25, 0.375, 0.625, 0.75, 1.0]
            .iter()
            .map(|&x| interpolate(&knots, x))
            .collect();
        assert_eq!(at, [0.125, 0.125, 0.125, 0.3125, 0.5, 0.5]);
        let far = [(-1.5e308, 0.0), (1.5e308, 1.0)];
        assert_eq!(interpolate(&far, 0.0), 0.5);
        assert_eq!(interpolate(&[(0.5, 0.25)], 7.0), 0.25);
        assert_eq!(interpolate(&[], 7.0), 0.0);
    }

    #[test]
    fn nothing_fits_nothing() {
        assert_eq!(fit(points(&[(0.1, 0, 0)])), []);
    }

    #[test]
    fn area_of_levels() {
        let block = |rows, positives| Block {
            first: 0.0,
            last: 0.0,
            rows,
            positives,
        };
        // of 4 positives and 6 negatives: 3 win against 5 and tie with 1, one ties with 5
        let area = roc_auc(&[block(6, 1), block(4, 3)]);
        assert_eq!(area, Some((2.5 + 3.0 * 5.5) / 24.0));
        assert_eq!(roc_auc(&[block(6, 2)]), Some(0.5));
        assert_eq!(roc_auc(&[block(6, 0)]), None);
        assert_eq!(roc_auc(&[]), None);
    }
}
