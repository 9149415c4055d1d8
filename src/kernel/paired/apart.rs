//! Variance of a difference from the influences of rows on either metric.

/// What a sum of squares may lose to rounding, as a share.
const ROUNDING: f64 = 1e-9;

/// Sums over groups of rows of which the mean influence on either metric is known.
#[derive(Debug, Default)]
pub(super) struct Apart {
    /// Squared differences.
    apart: f64,
    /// Squares of either.
    seen: [f64; 2],
}

impl Apart {
    /// Adds so many rows, or so many times a factor for few of them.
    pub fn add(&mut self, rows: f64, [a, b]: [f64; 2]) {
        self.apart += rows * (b - a) * (b - a);
        for (seen, influence) in self.seen.iter_mut().zip([a, b]) {
            *seen += rows * influence * influence;
        }
    }

    /// `Var b + Var a - 2 Cov`, the covariance being that between groups, without the cancellation: the difference of groups,
    /// and what the variance of either metric holds beyond them. Influences mostly go together inside of groups too, so
    /// the error is rather too large where a group holds different ones.
    pub fn variance(&self, variances: [f64; 2]) -> f64 {
        let beyond = variances.into_iter().zip(self.seen);
        let beyond = beyond.map(|(all, seen)| all - seen);
        let rest = beyond
            .zip(variances)
            .filter(|(rest, all)| *rest > ROUNDING * all);
        self.apart + rest.map(|(rest, _)| rest).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_influences_cancel() {
        let mut apart = Apart::default();
        apart.add(3.0, [0.5, 0.5]);
        assert_eq!(apart.variance([0.75, 0.75]), 0.0);
        // 2 rows (.5 - .25)^2, and a fourth of the variance of the first that no group shows
        apart.add(2.0, [0.25, 0.5]);
        assert_eq!(apart.variance([1.125, 1.25]), 0.125 + 0.25);
    }
}
