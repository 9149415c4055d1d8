//! What a calibrator expects of the rows of each bin of a chunk.
use super::bins::{Class, ScoreBins};
use super::calibrator::Calibrator;
use super::group::{ANY, Group, count};
use super::hull::{Bounds, mean_of_monotone, mean_of_noise};
use super::isotonic::{self, interpolate};
use super::roc_auc::Mass;

/// Rows of one bin, with their mean probability of being positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Expected {
    pub group: Group,
    pub rows: f64,
    /// Mean probability, in the middle of what it can be.
    pub c: f64,
    /// Greatest distance of the true mean from `c`; 0 where the bin is exact.
    pub slack: f64,
    /// Probability at the least and at the greatest score of the group.
    pub range: Bounds,
    /// Mean of `c (1 - c)`.
    pub noise: Bounds,
    /// Block of the calibrator at the mean score, and the share of the next block there.
    pub position: (usize, f64),
}

impl Expected {
    fn new(group: Group, calibrator: &Calibrator) -> Self {
        // a bin is narrow: what is looked up in it needs the few corners around it only
        let knots = isotonic::around(calibrator.knots(), group.lower, group.upper);
        let mean = mean_of_monotone(knots, &group);
        let range = Bounds {
            low: interpolate(knots, group.lower),
            high: interpolate(knots, group.upper),
        };
        Self {
            rows: group.rows,
            c: mean.middle(),
            slack: mean.slack(),
            noise: mean_of_noise(mean, range),
            range,
            position: calibrator.position(group.mean),
            group,
        }
    }

    pub fn positives(&self) -> f64 {
        self.rows * self.c
    }

    /// Third central moment of the labels' sum.
    pub fn skew(&self) -> f64 {
        self.rows * self.noise.middle() * (1.0 - 2.0 * self.c)
    }

    pub fn mass(&self) -> Mass {
        Mass {
            rows: self.rows,
            positives: self.positives(),
            noise: self.rows * self.noise.middle(),
        }
    }
}

/// All rows with a score, bin by bin in ascending order of score.
pub(crate) fn expect(chunk: &ScoreBins, calibrator: &Calibrator) -> Vec<Expected> {
    let mut found = Vec::with_capacity(chunk.bins.len());
    let groups = chunk.bins.iter();
    let groups = groups.filter_map(|bin| Group::of(bin, chunk.sums_exact, &ANY, &ANY));
    found.extend(groups.map(|group| Expected::new(group, calibrator)));
    found
}

/// Rows of one prediction, out of `all` that [`expect`] found; most bins have rows of one prediction only, and
/// what is expected of them is known already.
pub(crate) fn expect_among(
    all: &[Expected],
    chunk: &ScoreBins,
    calibrator: &Calibrator,
    prediction: Class,
) -> Vec<Expected> {
    let mut found = Vec::with_capacity(all.len());
    let scored = chunk.bins.iter().filter(|bin| count(bin, &ANY, &ANY) > 0);
    for (bin, expected) in scored.zip(all) {
        match count(bin, &[prediction], &ANY) {
            0 => (),
            rows if rows as f64 == expected.group.rows => found.push(*expected),
            _ => found.extend(
                Group::of(bin, chunk.sums_exact, &[prediction], &ANY)
                    .map(|group| Expected::new(group, calibrator)),
            ),
        }
    }
    found
}

/// How much each block's level moves a sum over rows: `sum_b rows_b weight_b share_k(b)`.
///
/// A row on the ramp between two blocks depends on both levels, in proportion to its distance.
pub(crate) fn block_loads(
    expected: &[Expected],
    weights: impl Iterator<Item = f64>,
    blocks: usize,
) -> Vec<f64> {
    let mut loads = vec![0.0; blocks];
    for (part, weight) in expected.iter().zip(weights) {
        let (block, ramp) = part.position;
        let load = part.rows * weight;
        if let Some(here) = loads.get_mut(block) {
            *here += load * (1.0 - ramp);
        }
        if let Some(next) = loads.get_mut(block + 1) {
            *next += load * ramp;
        }
    }
    loads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_on_a_ramp_loads_both_blocks() {
        let group = Group {
            rows: 4.0,
            mean: 0.5,
            lower: 0.5,
            upper: 0.5,
            mean_known: true,
        };
        let part = Expected {
            group,
            rows: 4.0,
            c: 0.5,
            slack: 0.0,
            range: Bounds::exactly(0.5),
            noise: Bounds::exactly(0.25),
            position: (1, 0.25),
        };
        let loads = block_loads(&[part], [2.0].into_iter(), 3);
        assert_eq!(loads, [0.0, 6.0, 2.0]);
    }
}
