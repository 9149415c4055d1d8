//! How many rows of a kind a chunk of a given size has while nothing changes.
use super::super::interval::beta_quantile;
use statrs::function::gamma::ln_gamma;

/// Counts are added up one by one as far as this; beyond, their law is as good as continuous.
const MOST_STEPS: f64 = 20_000.0;
/// Standard deviations within which the quantiles of a law are looked for.
const REACH: f64 = 12.0;
/// The share of the largest variance that a law on `[0, 1]` can have.
const MOST_SPREAD: f64 = 0.999;

/// The law of a share: a beta law for the share of a chunk's population, and a binomial one for the chunk's rows.
///
/// ```
/// use modelwatch::kernel::column::ShareLaw;
/// // none of 10,000 rows was NULL: one in a chunk of 1,000 is no news, a dozen is
/// let law = ShareLaw::new(0.5, 10_000.5, 0.0);
/// let limit = law.upper(1_000, 0.0027);
/// assert!(limit >= 0.001 && limit < 0.012);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareLaw {
    /// Weight of the hits.
    hits: f64,
    /// Weight of the others.
    misses: f64,
}

impl ShareLaw {
    /// The law after `hits` of `hits + misses` rows, both above 0 (prior included), of populations whose shares differ
    /// with variance `between`.
    ///
    /// * Source: the beta-binomial predictive law; A. Gelman et al. (2013), Bayesian Data Analysis, section 2.4. Other
    ///   variance between populations is added by matching moments.
    pub fn new(hits: f64, misses: f64, between: f64) -> Self {
        let rows = hits + misses;
        let mean = hits / rows;
        let most = mean * (1.0 - mean);
        let variance = (most / (rows + 1.0) + between.max(0.0)).min(MOST_SPREAD * most);
        let weight = (most / variance - 1.0).max(f64::MIN_POSITIVE);
        Self {
            hits: mean * weight,
            misses: (1.0 - mean) * weight,
        }
    }

    fn mean(&self) -> f64 {
        self.hits / (self.hits + self.misses)
    }

    /// Variance of the share of a chunk of `rows`.
    fn variance(&self, rows: f64) -> f64 {
        let (mean, weight) = (self.mean(), self.hits + self.misses);
        mean * (1.0 - mean) * (weight + rows) / (rows * (weight + 1.0))
    }

    fn mirrored(&self) -> Self {
        Self {
            hits: self.misses,
            misses: self.hits,
        }
    }

    /// The smallest share of `rows` rows that is exceeded with probability `tail` at most.
    pub fn upper(&self, rows: u64, tail: f64) -> f64 {
        if rows == 0 {
            return 1.0;
        }
        if self.mean() > 0.5 {
            return 1.0 - self.mirrored().lower_of_few(rows, tail);
        }
        let n = rows as f64;
        match self.counts(n) {
            None => self.continuous(n).upper(tail),
            Some(counts) => first_count(counts, |below| 1.0 - below <= tail, n) / n,
        }
    }

    /// The largest share of `rows` rows that is fallen short of with probability `tail` at most.
    pub fn lower(&self, rows: u64, tail: f64) -> f64 {
        if rows == 0 {
            return 0.0;
        }
        match self.mean() > 0.5 {
            true => 1.0 - self.mirrored().upper(rows, tail),
            false => self.lower_of_few(rows, tail),
        }
    }

    fn lower_of_few(&self, rows: u64, tail: f64) -> f64 {
        let n = rows as f64;
        match self.counts(n) {
            None => self.continuous(n).lower(tail),
            Some(counts) => first_count(counts, |below| below > tail, n) / n,
        }
    }

    /// The counts from 0 on with their probabilities; `None` where there are too many to add up.
    fn counts(&self, rows: f64) -> Option<impl Iterator<Item = (f64, f64)>> {
        let (a, b) = (self.hits, self.misses);
        let reach = rows * (self.mean() + REACH * self.variance(rows).sqrt());
        let first = ln_gamma(rows + b) - ln_gamma(rows + a + b) + ln_gamma(a + b) - ln_gamma(b);
        // a first probability that underflows would leave all others at 0
        if reach > MOST_STEPS || first < f64::MIN_POSITIVE.ln() {
            return None;
        }
        let next = move |&(count, probability): &(f64, f64)| {
            let ratio = (rows - count) / (count + 1.0) * (a + count) / (b + rows - count - 1.0);
            (count < rows).then_some((count + 1.0, probability * ratio))
        };
        Some(std::iter::successors(Some((0.0, first.exp())), next))
    }

    /// A beta law with the moments of the share of `rows` rows.
    fn continuous(&self, rows: f64) -> Beta {
        let mean = self.mean();
        let weight = mean * (1.0 - mean) / self.variance(rows) - 1.0;
        Beta {
            a: mean * weight,
            b: (1.0 - mean) * weight,
        }
    }
}

/// The first count up to which the probabilities add up to what is wanted; `most` where they never do.
fn first_count(
    counts: impl Iterator<Item = (f64, f64)>,
    wanted: impl Fn(f64) -> bool,
    most: f64,
) -> f64 {
    let mut below = 0.0;
    for (count, probability) in counts {
        below += probability;
        if wanted(below) {
            return count;
        }
    }
    most
}

/// A beta law.
struct Beta {
    a: f64,
    b: f64,
}

impl Beta {
    fn upper(&self, tail: f64) -> f64 {
        1.0 - beta_quantile(self.b, self.a, tail)
    }

    fn lower(&self, tail: f64) -> f64 {
        beta_quantile(self.a, self.b, tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_of_certain_counts_is_the_binomial() {
        // a known share of 0.1 and 20 rows: P(K > 6) = 0.0024, P(K > 5) = 0.0113 (tables of the binomial law)
        let law = ShareLaw::new(1e9, 9e9, 0.0);
        assert_eq!(law.upper(20, 0.0027), 6.0 / 20.0);
        assert_eq!(law.upper(20, 0.002), 7.0 / 20.0);
        // P(K < 1) = 0.12, P(K < 0) = 0
        assert_eq!(law.lower(20, 0.13), 1.0 / 20.0);
        assert_eq!(law.lower(20, 0.1), 0.0);
    }

    #[test]
    fn exceedances_of_a_sample_are_free_of_distribution() {
        // beyond the largest of N rows lie the k largest of n more with probability prod (n - i) / (N + n - i)
        let law = ShareLaw::new(1.0, 99.0, 0.0);
        let beyond = |k: u32| -> f64 {
            (0..k)
                .map(|i| f64::from(50 - i) / f64::from(149 - i))
                .product()
        };
        for tail in [0.1, 0.01, 0.001] {
            let limit = (law.upper(50, tail) * 50.0).round() as u32;
            assert!(beyond(limit + 1) <= tail && beyond(limit) > tail, "{tail}");
        }
    }

    #[test]
    fn shares_and_their_complements_have_mirrored_limits() {
        let (law, other) = (
            ShareLaw::new(30.0, 70.0, 1e-3),
            ShareLaw::new(70.0, 30.0, 1e-3),
        );
        for rows in [7, 500, 3_000_000] {
            assert!((law.upper(rows, 0.01) + other.lower(rows, 0.01) - 1.0).abs() < 1e-12);
            assert!((law.lower(rows, 0.01) + other.upper(rows, 0.01) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn many_rows_continue_few() {
        // just below and above the count from which the law is continuous
        let law = ShareLaw::new(2_000.0, 8_000.0, 0.0);
        let counted = law.upper(60_000, 0.00135);
        let continuous = law.continuous(60_000.0).upper(0.00135);
        assert!(
            (counted - continuous).abs() < 3e-5,
            "{counted} {continuous}"
        );
    }

    #[test]
    fn extremes_stay_in_the_unit_interval() {
        for (hits, misses, between) in [(0.5, 0.5, 10.0), (1e-9, 1e9, 0.0), (1e12, 1.0, 0.1)] {
            let law = ShareLaw::new(hits, misses, between);
            for rows in [0, 1, 10, 100_000_000] {
                for limit in [law.lower(rows, 1e-9), law.upper(rows, 1e-9)] {
                    assert!((0.0..=1.0).contains(&limit), "{law:?} {rows} {limit}");
                }
            }
        }
    }
}
