//! A limit on single residuals and one on their CUSUM that together hold a rate of false alarms.
use statrs::distribution::{ContinuousCDF, Normal};

use super::super::side::Side;

/// What is taken off each residual: half the shift that the CUSUM finds fastest.
///
/// A loss of 1.5 standard deviations of the residuals leaves .6 to 1.2 of the whitened and re-estimated ones where they are
/// correlated by .6 to not at all. Simulated, .3 finds more than the usual .5 in every cell (see `DESIGN.md`).
pub const ALLOWANCE: f64 = 0.3;
/// States of the Markov chain.
const STATES: usize = 50;
/// Steps after which the chain is taken for settled: it then loses the same share in each step.
const SETTLED: u32 = 150;

/// Limits on standard normal residuals.
///
/// ```
/// use modelwatch::kernel::kpi::{ControlLimits, Side};
/// let limits = ControlLimits::new(0.05, 20, Side::Both);
/// assert!((limits.point - 3.2256).abs() < 1e-3);
/// assert!((limits.cusum - 7.02).abs() < 0.05);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlLimits {
    /// A residual further from 0 is out.
    pub point: f64,
    /// A CUSUM above it is out.
    pub cusum: f64,
    /// Which residuals count.
    pub side: Side,
}

impl ControlLimits {
    /// Limits that `horizon` independent residuals exceed with probability `alpha` at most: a half for single ones, a half for
    /// the CUSUM, and of each a half for either side.
    ///
    /// * Shape: `alpha` in (0, 1), `horizon` at least 1.
    /// * Source: the CUSUM's limit by the Markov chain of D. Brook and D. A. Evans (1972), Biometrika 59, 539-549.
    pub fn new(alpha: f64, horizon: u32, side: Side) -> Self {
        let of_side = alpha / 2.0 / side.count();
        let horizon = horizon.max(1);
        // of so many residuals that together are out with this chance
        let each = -((-of_side).ln_1p() / f64::from(horizon)).exp_m1();
        Self {
            point: -Normal::standard().inverse_cdf(each),
            cusum: cusum_limit(of_side, horizon),
            side,
        }
    }

    /// Whether a residual and the sums of the losses and of the gains up to it are out.
    pub fn is_out(&self, z: f64, [down, up]: [f64; 2]) -> bool {
        let lower = z < -self.point || down > self.cusum;
        let higher = z > self.point || up > self.cusum;
        self.side.counts(lower, higher)
    }
}

/// The limit that a one-sided CUSUM from 0 exceeds within `horizon` steps with this probability.
fn cusum_limit(probability: f64, horizon: u32) -> f64 {
    let (mut low, mut high) = (0.0, 60.0);
    for _ in 0..26 {
        let middle = 0.5 * (low + high);
        match exceeded(middle, horizon) > probability {
            true => low = middle,
            false => high = middle,
        }
    }
    0.5 * (low + high)
}

/// How likely a CUSUM exceeds `limit` within `horizon` steps. A state is a range of sums; the first one is half as wide, with 0.
fn exceeded(limit: f64, horizon: u32) -> f64 {
    let width = limit / (STATES as f64 - 0.5);
    // how likely a step goes up by less than so many half ranges
    let normal = Normal::standard();
    let offset = 2 * STATES;
    let below: Vec<f64> = (0..=2 * offset)
        .map(|half| normal.cdf((half as f64 - offset as f64) * width / 2.0 + ALLOWANCE))
        .collect();
    let below = |from: usize, to: usize, upper: bool| {
        let half = offset + 2 * to + usize::from(upper);
        let half = half - 2 * from - usize::from(!upper);
        below.get(half).copied().unwrap_or(1.0)
    };
    let mut within = vec![0.0; STATES];
    if let Some(first) = within.first_mut() {
        *first = 1.0;
    }
    let (mut all, mut kept) = (1.0, 1.0);
    for _ in 0..horizon.min(SETTLED) {
        let next = (0..STATES).map(|to| {
            let into = within.iter().enumerate().map(|(from, share)| {
                let lower = if to == 0 { 0.0 } else { below(from, to, false) };
                share * (below(from, to, true) - lower)
            });
            into.sum()
        });
        within = next.collect();
        let left: f64 = within.iter().sum();
        kept = left / all;
        all = left;
    }
    1.0 - all * kept.powf(f64::from(horizon.saturating_sub(SETTLED)))
}

#[cfg(test)]
mod tests {
    use super::super::super::splitmix::{STEP, splitmix64};
    use super::*;

    fn exceeds(limits: &ControlLimits, horizon: u32, seed: u64) -> [bool; 2] {
        let normal = Normal::standard();
        let (mut down, mut up, mut found) = (0.0_f64, 0.0_f64, [false; 2]);
        for step in 0..u64::from(horizon) {
            let bits = splitmix64((seed << 20 | step).wrapping_mul(STEP));
            let z = normal.inverse_cdf(((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64);
            down = (down - z - ALLOWANCE).max(0.0);
            up = (up + z - ALLOWANCE).max(0.0);
            found[0] |= z.abs() > limits.point;
            found[1] |= down.max(up) > limits.cusum;
        }
        found
    }

    #[test]
    fn each_half_holds_its_share_of_alpha_over_the_horizon() {
        for (horizon, runs) in [(5, 40_000), (20, 20_000), (400, 4_000)] {
            let limits = ControlLimits::new(0.05, horizon, Side::Both);
            let mut counts = [0.0; 2];
            for seed in 0..runs {
                let found = exceeds(&limits, horizon, seed);
                counts[0] += f64::from(u8::from(found[0]));
                counts[1] += f64::from(u8::from(found[1]));
            }
            for count in counts {
                let share = count / runs as f64;
                let error = (0.025 / runs as f64).sqrt();
                assert!(
                    (share - 0.025).abs() < 3.0 * error + 0.001,
                    "{horizon}: {share}"
                );
            }
        }
    }

    #[test]
    fn one_side_alone_has_all_of_alpha() {
        let both = ControlLimits::new(0.1, 20, Side::Both);
        let one = ControlLimits::new(0.05, 20, Side::Lower);
        assert!((both.point - one.point).abs() < 1e-12);
        assert!((both.cusum - one.cusum).abs() < 1e-12);
        assert!(one.is_out(-4.0, [0.0; 2]) && !one.is_out(4.0, [0.0, 50.0]));
    }

    #[test]
    fn a_longer_horizon_has_wider_limits() {
        let limits = [1, 5, 20, 100, 1000].map(|n| ControlLimits::new(0.05, n, Side::Both));
        for pair in limits.windows(2) {
            assert!(pair[0].point < pair[1].point && pair[0].cusum < pair[1].cusum);
        }
    }
}
