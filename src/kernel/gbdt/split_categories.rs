//! The best division of categories: sorted by their gradient, cut once (Fisher 1958, On grouping for maximum homogeneity).
use super::histogram::{Bins, CODES, CodeSet, Sums, add, curvature, minus, plus, slope, weight};
use super::split::{Found, Rules};

/// Up to so many categories in a leaf all cuts are tried without caution.
const FEW: usize = 4;
/// Rows that pull the mean of a category towards none, where there are many: their order is not to be chance.
const SMOOTHING: f64 = 10.0;
/// The penalty that stands against choosing among many divisions.
const CAUTION: f64 = 10.0;
/// Least weight between two cuts that are tried.
const GROUP: f64 = 100.0;
/// Most categories on the smaller side.
const MOST_ON_A_SIDE: usize = 32;

/// The best division of the categories. Those too rare in this leaf to be sorted go together to the side where they fit
/// better, and those that it does not have, at last, to the side of the larger weight.
pub(super) fn best_of_categories<const N: usize>(
    bins: &Bins<N>,
    total: &Sums<N>,
    rules: &Rules,
) -> Option<Found<N>> {
    let active = bins.iter().filter(|sums| weight(sums) > 0.0).count();
    let few = active <= FEW;
    let (least, smoothing, l2) = match few {
        true => (0.0, 0.0, rules.l2),
        false => (SMOOTHING.min(rules.min_rows), SMOOTHING, rules.l2 + CAUTION),
    };
    let mut sorted: Vec<(f64, u8, &Sums<N>)> = Vec::with_capacity(active);
    let mut rare = [0.0; N];
    for (code, sums) in (0..=u8::MAX)
        .zip(bins)
        .filter(|(_, sums)| weight(sums) > 0.0)
    {
        match weight(sums) >= least {
            true => sorted.push((slope(sums) / (curvature(sums) + smoothing), code, sums)),
            false => add(&mut rare, sums),
        }
    }
    // equal ones stay in the order of their codes
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (score, count, with_rare, left) = best_cut(&sorted, &rare, total, rules, (l2, few))?;
    let mut codes = CodeSet::default();
    sorted
        .iter()
        .take(count)
        .for_each(|(_, code, _)| codes.insert(*code));
    let larger = 2.0 * weight(&left) >= weight(total);
    let kept: [bool; CODES] = std::array::from_fn(|code| {
        sorted
            .iter()
            .any(|(_, sorted, _)| usize::from(*sorted) == code)
    });
    for ((code, sums), sorted) in (0..=u8::MAX).zip(bins).zip(kept) {
        let is_left = if weight(sums) > 0.0 {
            with_rare
        } else {
            larger
        };
        if !sorted && is_left {
            codes.insert(code);
        }
    }
    Some((score, codes, left))
}

/// Score, categories on the left, whether the rare ones are there too, and the sums there.
type Cut<const N: usize> = (f64, usize, bool, Sums<N>);

fn best_cut<const N: usize>(
    sorted: &[(f64, u8, &Sums<N>)],
    rare: &Sums<N>,
    total: &Sums<N>,
    rules: &Rules,
    (l2, few): (f64, bool),
) -> Option<Cut<N>> {
    let mut best: Option<Cut<N>> = None;
    let (mut left, mut group) = ([0.0; N], 0.0);
    for (at, (_, _, sums)) in sorted.iter().enumerate() {
        add(&mut left, sums);
        group += weight(sums);
        let on_a_side = (at + 1).min(sorted.len() - at - 1);
        if !few && (group < GROUP || on_a_side > MOST_ON_A_SIDE) {
            continue;
        }
        group = 0.0;
        for (with_rare, left) in [(false, left), (true, plus(&left, rare))] {
            let right = minus(total, &left);
            if !few && weight(&right) < GROUP {
                continue;
            }
            let score = rules.gain(&left, &right, l2);
            if let Some(score) = score.filter(|s| best.is_none_or(|(most, ..)| *s > most)) {
                best = Some((score, at + 1, with_rare, left));
            }
        }
    }
    best
}
