//! Whether the numbers of one side have fewer decimals.
use super::super::values::CategoryGroups;
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;
use super::shares::{Counted, fisher_two_sided};

/// What numbers can be rounded to, in the order of the counts.
pub(super) const GRIDS: [&str; 5] = [
    "whole numbers",
    "numbers of at most one decimal",
    "numbers of at most two decimals",
    "numbers of at most three decimals",
    "rounded or of single precision",
];

const SUGGESTION: &str = "Round, cast and store the column alike on both sides; trees split between values that rounding moves.";

/// The fewest decimals that give a number, 0 to 3; else 4 where single precision gives it, or 5. `None` of a number that is not
/// finite.
///
/// ```
/// use modelwatch::kernel::skew::decimal_places;
/// let places = [3.0, 0.25, 1.005, 0.1_f32 as f64, 1.0 / 3.0].map(decimal_places);
/// assert_eq!(places, [Some(0), Some(2), Some(3), Some(4), Some(5)]);
/// ```
pub fn decimal_places(x: f64) -> Option<u8> {
    if !x.is_finite() {
        return None;
    }
    let scales = [1.0, 10.0, 100.0, 1000.0];
    let gives = |scale: f64| (x * scale).round() / scale == x || x.fract() == 0.0;
    let single = [f64::from(x as f32) == x];
    let all = scales.map(gives).into_iter().chain(single);
    let first = all.zip(0..).find(|(gives, _)| *gives);
    Some(first.map_or(5, |(_, places)| places))
}

/// Finite numbers and how many of them are rounded so, in the order of [`GRIDS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Decimals {
    rows: u64,
    counts: [u64; GRIDS.len()],
}

impl Decimals {
    /// From a profile of [`decimal_places`] as categories.
    pub fn of(places: &CategoryGroups) -> Self {
        let mut counts = [0; GRIDS.len()];
        for group in &places.groups {
            let place = group
                .category
                .as_deref()
                .and_then(|text| text.parse::<usize>().ok());
            // a number of one decimal is one of two decimals too
            for count in counts.iter_mut().skip(place.unwrap_or(GRIDS.len())) {
                *count += group.count;
            }
        }
        Self {
            rows: places.rows(),
            counts,
        }
    }

    fn counted(&self) -> impl Iterator<Item = Counted> {
        let rows = self.rows;
        self.counts
            .into_iter()
            .map(move |count| Counted { count, rows })
    }
}

/// The greatest difference of a share of rounded numbers. The p-value is Fisher's times the number of grids.
///
/// NULL: not run where counts are not known, or a side has no numbers.
pub(super) fn rounding(
    training: Option<Decimals>,
    serving: Option<Decimals>,
    effects: &Effects,
) -> SkewReading {
    let check = SkewCheck::Rounding;
    let (Some(training), Some(serving)) = (training, serving) else {
        return SkewReading::not_run(
            check,
            effects,
            "The column is of whole numbers by its type.",
        );
    };
    if training.rows == 0 || serving.rows == 0 {
        return SkewReading::not_run(check, effects, "A side has no numbers.");
    }
    let both = training.counted().zip(serving.counted()).zip(GRIDS);
    let apart = |(a, b): (Counted, Counted)| (a.share() - b.share()).abs();
    let widest = both.fold(
        None,
        |widest: Option<((Counted, Counted), &str)>, next| match widest {
            Some(widest) if apart(widest.0) >= apart(next.0) => Some(widest),
            _ => Some(next),
        },
    );
    let Some(((before, after), grid)) = widest else {
        return SkewReading::not_run(check, effects, "A side has no numbers.");
    };
    let p = fisher_two_sided(before, after) * GRIDS.len() as f64;
    let evidence = format!(
        "{} of the numbers are {grid} in training, {} in serving.",
        before.told(),
        after.told()
    );
    SkewReading::new(check, effects, apart((before, after)), Some(p)).told(
        "share_difference",
        evidence,
        SUGGESTION,
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::categories;
    use super::*;

    #[test]
    fn rounded_numbers_are_told() {
        let training = Some(Decimals::of(&categories(
            ["5", "5", "2", "5", "0"].into_iter().cycle().take(1000),
        )));
        let rounded = Some(Decimals::of(&categories(["1"; 400])));
        let found = rounding(training, rounded, &Effects::default());
        assert!(found.is_finding(1e-9));
        assert_eq!(
            found.evidence,
            "20.0 % of the numbers are numbers of at most one decimal in training, 100.0 % in serving."
        );
        assert!(!rounding(training, training, &Effects::default()).is_finding(0.5));
        assert_eq!(rounding(None, None, &Effects::default()).value, None);
    }

    #[test]
    fn places_are_the_fewest() {
        let of = [
            -0.0,
            1e300,
            1.15,
            -2.675,
            0.1 + 0.2,
            f64::NAN,
            f64::INFINITY,
        ];
        let places = [Some(0), Some(0), Some(2), Some(3), Some(5), None, None];
        assert_eq!(of.map(decimal_places), places);
    }
}
