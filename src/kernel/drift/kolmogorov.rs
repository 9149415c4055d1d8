//! The law of the largest difference of two empirical distribution functions.
use super::gamma::bisect;
use std::f64::consts::PI;

/// Mean of Kolmogorov's law, `sqrt(pi / 2) ln 2`.
pub(super) const MEAN: f64 = 0.868_731_160_636_159_8;
/// Its variance, `pi^2 / 12 - MEAN^2`.
pub(super) const VARIANCE: f64 = 0.067_773_203_963_865_5;

/// Probability that the supremum of the absolute Brownian bridge exceeds `x`.
///
/// * Source: A. Kolmogorov (1933), Giorn. Ist. Ital. Attuari 4, 83-91.
pub(super) fn upper_tail(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        let theta = |k: f64| (-(2.0 * k - 1.0).powi(2) * PI * PI / (8.0 * x * x)).exp();
        let sum: f64 = (1..=4).map(|k| theta(f64::from(k))).sum();
        return (1.0 - (2.0 * PI).sqrt() / x * sum).clamp(0.0, 1.0);
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * f64::from(k * k) * x * x).exp()
    };
    (1..=6).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The number exceeded with probability `tail`.
pub(super) fn upper_quantile(tail: f64) -> f64 {
    // below exp(-2 * 27^2) a tail is no positive double
    bisect(0.0, 27.0, |x| upper_tail(x) > tail)
}

/// A distance as the law takes it, where a share `untied` of the rows holds numbers of their own.
///
/// Untied: with Stephens' correction. Tied: the largest of a few differences of counts, multiples of one over the
/// least common multiple of the sample sizes, and half of that less for continuity, so that a p-value that can take few
/// values is not too small.
///
/// * Source: M. A. Stephens (1970), J. R. Statist. Soc. B 32, 115-122.
pub(super) fn standardized(distance: f64, rows: (u64, u64), untied: f64) -> f64 {
    let (n, m) = (rows.0 as f64, rows.1 as f64);
    let root = (n * m / (n + m)).sqrt();
    let half_a_step = common_divisor(rows.0, rows.1) as f64 / (n * m) / 2.0;
    let tied = (1.0 - untied) * half_a_step * root;
    distance * (root + untied * (0.12 + 0.11 / root)) - tied
}

/// Greatest common divisor, by Euclid.
fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_match_tables() {
        // Smirnov's table: 1.3581 at .05, 1.6276 at .01, median .82757
        for (tail, x) in [(0.05, 1.3581), (0.01, 1.6276), (0.5, 0.82757)] {
            assert!((upper_quantile(tail) - x).abs() < 1e-4, "{tail}");
        }
        // both series meet
        assert!((upper_tail(1.0 - 1e-12) - upper_tail(1.0)).abs() < 1e-11);
        let mean = (PI / 2.0).sqrt() * 2.0_f64.ln();
        assert!((MEAN - mean).abs() < 1e-12);
        assert!((VARIANCE - (PI * PI / 12.0 - mean * mean)).abs() < 1e-12);
        assert_eq!(upper_tail(0.0), 1.0);
        // 8 and 12 rows: differences are multiples of 1/24; root sqrt(96 / 20)
        let root = 4.8_f64.sqrt();
        let tied = standardized(0.5, (8, 12), 0.0);
        assert!((tied - (0.5 - 1.0 / 48.0) * root).abs() < 1e-12, "{tied}");
        let untied = standardized(0.5, (8, 12), 1.0);
        assert!((untied - 0.5 * (root + 0.12 + 0.11 / root)).abs() < 1e-12);
        assert!(upper_tail(0.1) > 1.0 - 1e-12 && upper_tail(26.0) >= 0.0);
    }
}
