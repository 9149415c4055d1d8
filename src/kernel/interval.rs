//! Intervals: normal on the scale of the metric, and for few rows exact or score intervals.
use super::metric::Scale;
use statrs::function::beta::checked_beta_reg;
use statrs::function::erf::erfc_inv;

/// Rows of a class, or under a share, from which on normal intervals are trusted.
///
/// MEASURED: the normal interval of ROC AUC covers .82 at 7 positives, .90 at 13, .93 from 20.
pub(crate) const FEW: f64 = 20.0;

/// Half-width of a two-sided normal interval in standard errors; `confidence_level` in (0, 1).
pub fn normal_quantile(confidence_level: f64) -> f64 {
    std::f64::consts::SQRT_2 * erfc_inv(1.0 - confidence_level.clamp(0.0, 1.0 - 1e-15))
}

impl Scale {
    /// Interval `value ± z * error` built on this scale and carried back.
    ///
    /// A value at the end of the scale, or an error so large that the scale says nothing, falls
    /// back to the metric's own unit, cut at the end.
    pub(crate) fn interval(self, value: f64, error: f64, z: f64) -> (f64, f64) {
        let half = z * error;
        match self {
            Self::Identity => (value - half, value + half),
            Self::Log if value > 0.0 => {
                let ratio = (half / value).exp();
                (value / ratio, (value * ratio).min(f64::MAX))
            }
            Self::Log => (0.0, value + half),
            Self::Logit if value > 0.0 && value < 1.0 => {
                let center = (value / (1.0 - value)).ln();
                let half = half / (value * (1.0 - value));
                (logistic(center - half), logistic(center + half))
            }
            Self::Logit => ((value - half).max(0.0), (value + half).min(1.0)),
        }
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Wilson's score interval of a share.
///
/// * Source: Wilson (1927), JASA 22, 209-212.
pub(crate) fn wilson(hits: f64, rows: f64, z: f64) -> (f64, f64) {
    let (share, penalty) = (hits / rows, z * z / rows);
    let center = (share + penalty / 2.0) / (1.0 + penalty);
    let half = z * (share * (1.0 - share) / rows + penalty / (4.0 * rows)).sqrt() / (1.0 + penalty);
    ((center - half).max(0.0), (center + half).min(1.0))
}

/// Exact interval of a share: never covers less than promised.
///
/// * Source: Clopper and Pearson (1934), Biometrika 26, 404-413.
pub(crate) fn clopper_pearson(hits: f64, rows: f64, confidence_level: f64) -> (f64, f64) {
    let tail = (1.0 - confidence_level) / 2.0;
    let lower = if hits > 0.0 {
        beta_quantile(hits, rows - hits + 1.0, tail)
    } else {
        0.0
    };
    let upper = if hits < rows {
        beta_quantile(hits + 1.0, rows - hits, 1.0 - tail)
    } else {
        1.0
    };
    (lower, upper)
}

/// Interval of a share: exact where there are few hits or few misses, else Wilson's.
pub(crate) fn share_interval(hits: f64, rows: f64, few: bool, confidence_level: f64) -> (f64, f64) {
    match few {
        true => clopper_pearson(hits, rows, confidence_level),
        false => wilson(hits, rows, normal_quantile(confidence_level)),
    }
}

/// Quantile of the beta distribution, by 100 halvings.
pub(crate) fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    bisect(
        |x| checked_beta_reg(a, b, x).is_ok_and(|below| below < p),
        0.0,
        1.0,
    )
}

/// Interval of ROC AUC from the numbers of positives and negatives alone, which stays inside
/// [0, 1] and has width even at its ends.
///
/// The variance is that of two exponential scores with this AUC (Hanley and McNeil 1982), both
/// class sizes replaced by their mean, and it is taken at the limit, not at the estimate.
/// * Source: Newcombe (2006), Statistics in Medicine 25, 559-573, method 5.
pub(crate) fn newcombe_auc(auc: f64, positives: f64, negatives: f64, z: f64) -> (f64, f64) {
    let half_rows = (positives + negatives) / 2.0 - 1.0;
    let outside = |limit: f64| {
        let spread = 1.0 + half_rows * ((1.0 - limit) / (2.0 - limit) + limit / (1.0 + limit));
        let variance = limit * (1.0 - limit) * spread / (positives * negatives);
        (auc - limit) * (auc - limit) > z * z * variance
    };
    (
        bisect(outside, 0.0, auc),
        bisect(|limit| limit <= auc || !outside(limit), auc, 1.0),
    )
}

/// Where a condition that holds at `left` stops to hold towards `right`.
fn bisect(holds: impl Fn(f64) -> bool, left: f64, right: f64) -> f64 {
    let (mut left, mut right) = (left, right);
    for _ in 0..100 {
        let middle = left + (right - left) / 2.0;
        if holds(middle) {
            left = middle;
        } else {
            right = middle;
        }
    }
    left + (right - left) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(pair: (f64, f64), expected: (f64, f64), tolerance: f64) {
        assert!(
            (pair.0 - expected.0).abs() < tolerance && (pair.1 - expected.1).abs() < tolerance,
            "{pair:?}"
        );
    }

    #[test]
    fn two_sided_95_percent_is_1_96() {
        assert!((normal_quantile(0.95) - 1.959_963_984_540_054).abs() < 1e-12);
    }

    #[test]
    fn logit_interval_by_hand() {
        // at 1/2 the slope of the logit is 4: half-width 4 * 0.1 on the logit scale
        close(
            Scale::Logit.interval(0.5, 0.1, 1.0),
            (1.0 / (1.0 + 0.4f64.exp()), 1.0 / (1.0 + (-0.4f64).exp())),
            1e-15,
        );
        assert_eq!(Scale::Logit.interval(1.0, 0.5, 1.0), (0.5, 1.0));
        assert_eq!(Scale::Log.interval(0.0, 0.5, 1.0), (0.0, 0.5));
    }

    #[test]
    fn share_intervals_match_published_figures() {
        // Newcombe (1998), Statistics in Medicine 17, 857-872, table I: 81 of 263 and 0 of 20
        close(wilson(81.0, 263.0, 1.96), (0.2553, 0.3662), 5e-5);
        close(clopper_pearson(81.0, 263.0, 0.95), (0.2527, 0.3676), 5e-5);
        close(clopper_pearson(0.0, 20.0, 0.95), (0.0, 0.1684), 5e-5);
    }

    #[test]
    fn a_perfect_auc_has_a_lower_limit() {
        let (lower, upper) = newcombe_auc(1.0, 10.0, 10.0, 1.96);
        assert!(lower > 0.6 && lower < 0.95, "{lower}");
        assert!((upper - 1.0).abs() < 1e-12);
        let (lower, upper) = newcombe_auc(0.7, 30.0, 50.0, 1.96);
        assert!(lower < 0.6 && upper > 0.78, "{lower} {upper}");
    }
}
