//! The law of the largest difference of a category's share.
use super::gamma::{bisect, normal_tail, upper_tail};
use statrs::function::beta::checked_beta_reg;

/// Below this a probability adds nothing to the digits of a p-value.
const NEGLIGIBLE: f64 = 1e-14;
/// So many of the largest categories have their own tail; the rest share the one of the next.
const OWN_TAIL: usize = 30;

/// Probability that any category's share differs by `distance` or more, if both samples come from one distribution.
///
/// Each category by the binomial law of its rows in the chunk, given those in both samples and with the variance of
/// the hypergeometric; together by Sidak's bound; two categories are one.
///
/// * `totals`: rows of both samples by category. `rows`: of reference and chunk.
/// * Source: Z. Sidak (1967), JASA 62, 626-633.
pub(super) fn p_value(totals: impl Iterator<Item = f64>, rows: (f64, f64), distance: f64) -> f64 {
    let (mut none, mut categories) = (0.0_f64, 0_u32);
    let mut last = (f64::NAN, 0.0);
    let mut largest = 0.0_f64;
    for total in totals.filter(|total| *total > 0.0) {
        if last.0 != total {
            last = (total, two_sided(total, rows, distance));
        }
        categories += 1;
        largest = largest.max(last.1);
        none += (-last.1).ln_1p();
    }
    match categories {
        0 | 1 => 1.0,
        2 => largest,
        // not -0 where there is nothing
        _ => 0.0 - none.exp_m1(),
    }
}

/// Probability that the shares of a category with `total` rows differ by `distance` or more.
fn two_sided(total: f64, rows: (f64, f64), distance: f64) -> f64 {
    let share = rows.1 / (rows.0 + rows.1);
    // given the sizes of the samples, counts vary less than binomially by the rows of all other categories
    let others = 1.0 - total / (rows.0 + rows.1);
    if others <= 0.0 {
        return 1.0;
    }
    let per_row = 1.0 / rows.0 + 1.0 / rows.1;
    // c / n - (t - c) / N >= d, up to the rounding of d
    let high_at = |d: f64| ((total / rows.0 + d) / per_row * (1.0 - 1e-12)).ceil();
    let low_at = |d: f64| ((total / rows.0 - d) / per_row * (1.0 + 1e-12)).floor();
    let scaled = distance / others.sqrt();
    // counts that there are stay possible: of two rows of two categories, one in either sample, each split is one
    let (most, least) = (total.min(rows.1), (total - rows.0).max(0.0));
    let high = match high_at(scaled) {
        high if high > most => high_at(distance),
        high => high,
    };
    let low = match low_at(scaled) {
        low if low < least => low_at(distance),
        low => low,
    };
    let deviation = (total * share * (1.0 - share)).sqrt();
    let far = (high - total * share).min(total * share - low) / deviation;
    if total > 1000.0 && far > 9.0 {
        return 0.0;
    }
    let above = if high > total {
        0.0
    } else if high <= 0.0 {
        1.0
    } else {
        checked_beta_reg(high, total - high + 1.0, share).unwrap_or(0.0)
    };
    let below = if low < 0.0 {
        0.0
    } else if low >= total {
        1.0
    } else {
        checked_beta_reg(total - low, low + 1.0, 1.0 - share).unwrap_or(0.0)
    };
    let both = (above + below).min(1.0);
    if both < NEGLIGIBLE { 0.0 } else { both }
}

/// The law of the largest difference for shares known from a reference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Largest {
    /// The largest shares, descending, and how many more there are, none larger than the last.
    shares: Vec<f64>,
    rest: f64,
    /// Mean and standard deviation, about, at the variance that the law was made for.
    pub mean: f64,
    pub deviation: f64,
}

impl Largest {
    /// Of these shares, in any order; `variance` is that of a difference of shares, over `p (1 - p)`.
    pub fn new(mut shares: Vec<f64>, variance: f64) -> Self {
        shares.retain(|share| *share > 0.0);
        shares.sort_unstable_by(|a, b| b.total_cmp(a));
        let rest = shares.len().saturating_sub(OWN_TAIL) as f64;
        shares.truncate(OWN_TAIL);
        let mut law = Self {
            shares,
            rest,
            mean: 0.0,
            deviation: 0.0,
        };
        // where a normal number has its median and its standard deviations
        let [low, middle, high] =
            [0.8413, 0.5, 0.1587].map(|tail| law.upper_quantile(tail, variance));
        (law.mean, law.deviation) = (middle, (high - low) / 2.0);
        law
    }

    /// The distance exceeded with probability `tail`.
    pub fn upper_quantile(&self, tail: f64, variance: f64) -> f64 {
        let none = (-tail).ln_1p();
        bisect(0.0, 1.0, |distance| self.none(variance, distance) < none)
    }

    /// Logarithm of the probability that no share differs by more.
    fn none(&self, variance: f64, distance: f64) -> f64 {
        let mut last = 0.0;
        let mut sum = 0.0;
        for share in &self.shares {
            last = (-exceeds(*share, variance, distance).min(1.0 - 1e-15)).ln_1p();
            sum += last;
        }
        if self.shares.len() == 2 {
            return last;
        }
        sum + self.rest * last
    }
}

/// Probability that a share differs by more than `distance`: upwards by a gamma law, which leans as counts do.
fn exceeds(share: f64, variance: f64, distance: f64) -> f64 {
    let variance = share * (1.0 - share).max(share * 1e-9) * variance;
    let (shape, scale) = (share * share / variance, variance / share);
    let above = upper_tail(shape, (share + distance) / scale);
    let below = if distance >= share {
        0.0
    } else {
        normal_tail(distance / variance.sqrt())
    };
    above + below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_difference_by_hand() {
        // 4 rows in samples of equal size 1,000, all in the chunk: shares differ by .004, .004 / sqrt(.998) at most
        // as seen; 2 (1/2)^4 of both sides at 3.9 rows or more
        let rows = (1000.0, 1000.0);
        let p = two_sided(4.0, rows, 0.0039);
        assert!((p - 0.125).abs() < 1e-12, "{p}");
        assert!((two_sided(4.0, rows, 0.0) - 1.0).abs() < 1e-12);
        // two categories are one test, three of 4 rows are 1 - (1 - p)^3
        assert_eq!(p_value([4.0, 4.0].into_iter(), rows, 0.0039), p);
        let three = p_value([4.0, 4.0, 4.0].into_iter(), rows, 0.0039);
        assert!((three - (1.0 - 0.875_f64.powi(3))).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_those_of_a_normal_share() {
        // one half of 10,000 rows in either sample: sd sqrt(.25 * 2e-4); two-sided .0455 is two of them
        let law = Largest::new(vec![0.5, 0.5], 2e-4);
        let limit = law.upper_quantile(0.0455, 2e-4);
        assert!(
            (limit / (0.25_f64 * 2e-4).sqrt() - 2.0).abs() < 0.02,
            "{limit}"
        );
    }
}
