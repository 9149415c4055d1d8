//! Limits of control charts by their average run length: how many chunks, on average, until the first alarm of a series that does
//! not change, whose level and scatter are known.
use statrs::distribution::{ContinuousCDF, Normal};

/// States of the Markov chain on one side of the chart.
const STATES: usize = 50;
/// Halvings of the range in which a limit is looked for.
const HALVINGS: usize = 40;
/// The average run length of the four rules of Western Electric, which have no dial.
///
/// Source: C. W. Champ and W. H. Woodall (1987), Technometrics 29, 393-399, table 1.
pub const WESTERN_ELECTRIC_RUN_LENGTH: f64 = 91.75;

/// The limit of a CUSUM of one side with this average run length from 0 on.
///
/// Source: D. Brook and D. A. Evans (1972), Biometrika 59, 539-549.
pub fn cusum_limit(average_run_length: f64, allowance: f64) -> f64 {
    limit_of(average_run_length, 60.0, |limit| {
        cusum_run_length(limit, allowance)
    })
}

/// The limit of an EWMA with this weight, in its standard deviations once settled; from 0 on, on both sides or on one.
///
/// Source: J. M. Lucas and M. S. Saccucci (1990), Technometrics 32, 1-12.
pub fn ewma_limit(average_run_length: f64, weight: f64, both: bool) -> f64 {
    limit_of(average_run_length, 10.0, |limit| {
        ewma_run_length(limit, weight, both)
    })
}

fn limit_of(average_run_length: f64, most: f64, run_length: impl Fn(f64) -> Option<f64>) -> f64 {
    let (mut low, mut high) = (0.0, most);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        // a chain that loses next to nothing cannot be solved: its runs are longer than any that is asked for
        match run_length(middle).is_some_and(|length| length < average_run_length) {
            true => low = middle,
            false => high = middle,
        }
    }
    0.5 * (low + high)
}

/// States are ranges of sums; the first one is half as wide and around 0.
fn cusum_run_length(limit: f64, allowance: f64) -> Option<f64> {
    let width = limit / (STATES as f64 - 0.5);
    let normal = Normal::standard();
    let below = |edge: f64| normal.cdf(edge + allowance);
    let stays = |from: usize, to: usize| {
        let apart = to as f64 - from as f64;
        let upper = below((apart + 0.5) * width);
        match to {
            0 => upper,
            _ => upper - below((apart - 0.5) * width),
        }
    };
    steps_until_left(STATES, stays).first().copied()
}

/// States are ranges of the mean from the lower limit to the upper one; the middle one has 0 in its centre. Of a chart of one side
/// the lowest state is all that lies below, which hardly ever matters to what happens above.
fn ewma_run_length(limit: f64, weight: f64, both: bool) -> Option<f64> {
    let states = 2 * STATES + 1;
    let most = limit * (weight / (2.0 - weight)).sqrt();
    let width = 2.0 * most / states as f64;
    let normal = Normal::standard();
    let centre = |state: usize| (state as f64 - STATES as f64) * width;
    let stays = |from: usize, to: usize| {
        let kept = (1.0 - weight) * centre(from);
        let below = |edge: f64| normal.cdf((edge - kept) / weight);
        let upper = below(centre(to) + 0.5 * width);
        match to == 0 && !both {
            true => upper,
            false => upper - below(centre(to) - 0.5 * width),
        }
    };
    steps_until_left(states, stays).get(STATES).copied()
}

/// Steps until a chain leaves its states, from each of them: the solution of `(I - R) a = 1`, by elimination. The matrix is
/// diagonally dominant, so no pivots are looked for. Empty where the chain hardly ever leaves.
fn steps_until_left(states: usize, stays: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let width = states + 1;
    let mut rows: Vec<Vec<f64>> = (0..states)
        .map(|from| {
            let own = |to: usize| f64::from(u8::from(from == to)) - stays(from, to);
            (0..states).map(own).chain([1.0]).collect()
        })
        .collect();
    for at in 0..states {
        let (above, below) = rows.split_at_mut(at + 1);
        let Some(pivot) = above.last_mut() else {
            return vec![];
        };
        let divisor = pivot.get(at).copied().unwrap_or(0.0);
        if divisor < 1e-13 {
            return vec![];
        }
        pivot.iter_mut().for_each(|x| *x /= divisor);
        for row in below {
            let factor = row.get(at).copied().unwrap_or(0.0);
            let pairs = row.iter_mut().zip(pivot.iter()).skip(at);
            pairs.for_each(|(x, p)| *x -= factor * p);
        }
    }
    let mut solved = vec![0.0; states];
    for (at, row) in rows.iter().enumerate().rev() {
        let known: f64 = row
            .iter()
            .zip(&solved)
            .skip(at + 1)
            .map(|(x, a)| x * a)
            .sum();
        let last = row.get(width - 1).copied().unwrap_or(0.0);
        if let Some(of) = solved.get_mut(at) {
            *of = last - known;
        }
    }
    solved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_lengths_are_those_of_the_tables() {
        // D. M. Hawkins (1993), J. Quality Technology 25, 248-261: allowance 0.5, limit 5 of one side
        let one_side = cusum_run_length(5.0, 0.5).unwrap_or(0.0);
        assert!((one_side - 930.0).abs() < 10.0, "{one_side}");
        // Lucas and Saccucci (1990), table 3: weight 0.2, limit 2.86
        let both = ewma_run_length(2.86, 0.2, true).unwrap_or(0.0);
        assert!((both - 370.0).abs() < 4.0, "{both}");
        // a weight of 1 is a chart of single values
        let shewhart = ewma_run_length(3.0, 1.0, true).unwrap_or(0.0);
        assert!((shewhart - 370.4).abs() < 0.1, "{shewhart}");
    }

    #[test]
    fn limits_have_the_run_length_that_was_asked_for() {
        for length in [20.0, 370.0, 5_000.0] {
            let cusum = cusum_run_length(cusum_limit(length, 0.5), 0.5).unwrap_or(0.0);
            assert!((cusum / length - 1.0).abs() < 1e-6, "{cusum}");
            let ewma = ewma_run_length(ewma_limit(length, 0.1, true), 0.1, true).unwrap_or(0.0);
            assert!((ewma / length - 1.0).abs() < 1e-6, "{ewma}");
        }
    }

    #[test]
    fn a_run_length_beyond_all_charts_has_the_widest_limit() {
        assert!(cusum_limit(1e12, 0.5).is_finite());
        assert!(ewma_limit(1e12, 0.2, true) <= 10.0);
    }
}
