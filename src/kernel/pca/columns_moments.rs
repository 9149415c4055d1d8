//! What a column's counts say of it: moments of frequencies, and the median.
use crate::kernel::score_profile::ScoreProfile;

/// Mean and variance of the frequencies that rows of these categories get.
pub(super) fn frequency_moments(
    rows: u64,
    counts: impl Iterator<Item = u64> + Clone,
) -> (f64, f64) {
    let n = rows as f64;
    let share = |count: u64| count as f64 / n;
    let mean: f64 = counts
        .clone()
        .map(|count| share(count) * share(count))
        .sum();
    let variance: f64 = counts
        .clone()
        .map(|c| share(c) * (share(c) - mean).powi(2))
        .sum();
    // equally frequent categories become one number, whatever rounding leaves of it
    let mut seen = counts.filter(|count| *count > 0);
    let first = seen.next();
    match seen.all(|count| Some(count) == first) {
        true => (share(first.unwrap_or(0)), 0.0),
        false => (mean, variance),
    }
}

/// Mean of the two middle numbers; within a bin of several numbers the bin's mean.
pub(super) fn median(digest: &mut ScoreProfile) -> Option<f64> {
    let bins = digest.bins().bins;
    let cells = || {
        bins.iter()
            .flat_map(|bin| bin.cells.as_flattened().iter().map(move |cell| (bin, cell)))
    };
    let total: u64 = cells().map(|(_, cell)| cell.count).sum();
    let at = |rank: u64| {
        let mut passed = 0;
        let mut found = cells()
            .filter(|(_, cell)| cell.count > 0)
            .skip_while(|(_, cell)| {
                passed += cell.count;
                passed <= rank
            });
        let (bin, cell) = found.next()?;
        Some(if bin.lower < bin.upper {
            cell.sum / cell.count as f64
        } else {
            bin.lower
        })
    };
    let upper = at(total / 2)?;
    match total % 2 {
        1 => Some(upper),
        _ => Some(at(total / 2 - 1)? / 2.0 + upper / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::score_profile::class_of;

    #[test]
    fn frequencies_by_hand() {
        // 1/4 once and 3/4 three times: mean 5/8, variance 3/64
        let (mean, variance) = frequency_moments(4, [1, 3].into_iter());
        assert_eq!((mean, variance), (0.625, 0.046875));
        // a missing category that does not occur is none
        assert_eq!(
            frequency_moments(6, [2, 2, 0, 2].into_iter()),
            (1.0 / 3.0, 0.0)
        );
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let mut digest = ScoreProfile::default();
        assert_eq!(median(&mut digest), None);
        for x in [9.0, -1.0, 3.0, 2.0] {
            digest.observe(class_of(None, None), Some(x));
        }
        assert_eq!(median(&mut digest), Some(2.5));
        digest.observe(class_of(None, None), Some(9.0));
        assert_eq!(median(&mut digest), Some(3.0));
    }
}
