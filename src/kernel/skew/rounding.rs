//! Whether the numbers of one side have fewer decimals.
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;
use super::shares::{Counted, fisher_two_sided};

/// What numbers can be rounded to, in the order of the counts.
pub(super) const GRIDS: [&str; 5] = [
    "whole numbers",
    "numbers of one decimal",
    "numbers of two decimals",
    "numbers of three decimals",
    "numbers of single precision",
];

const SUGGESTION: &str = "Round, cast and store the column alike on both sides; trees split between values that rounding moves.";

/// Finite numbers and how many of them are rounded so, in the order of [`GRIDS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Decimals {
    rows: u64,
    counts: [u64; GRIDS.len()],
}

impl Decimals {
    /// From the number of finite numbers and the counts; `None` where there are other than six, or they are no counts.
    pub fn new(numbers: &[f64]) -> Option<Self> {
        let whole = |x: &f64| (x.fract() == 0.0 && *x >= 0.0 && *x < 1e18).then_some(*x as u64);
        let (rows, counts) = numbers.split_first()?;
        let counts: Vec<u64> = counts.iter().map(whole).collect::<Option<_>>()?;
        Some(Self {
            rows: whole(rows)?,
            counts: counts.try_into().ok()?,
        })
    }

    fn of(&self) -> impl Iterator<Item = Counted> {
        let rows = self.rows;
        self.counts.into_iter().map(move |count| Counted {
            count: count.min(rows),
            rows,
        })
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
        return SkewReading::not_run(check, effects, "The column is of whole numbers by its type.");
    };
    if training.rows == 0 || serving.rows == 0 {
        return SkewReading::not_run(check, effects, "A side has no numbers.");
    }
    let both = training.of().zip(serving.of()).zip(GRIDS);
    let apart = |(a, b): (Counted, Counted)| (a.share() - b.share()).abs();
    let widest = both.fold(None, |widest: Option<((Counted, Counted), &str)>, next| match widest {
        Some(widest) if apart(widest.0) >= apart(next.0) => Some(widest),
        _ => Some(next),
    });
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
    use super::*;

    #[test]
    fn rounded_numbers_are_told() {
        let training = Decimals::new(&[1000.0, 12.0, 100.0, 1000.0, 1000.0, 3.0]);
        let rounded = Decimals::new(&[500.0, 500.0, 500.0, 500.0, 500.0, 500.0]);
        let found = rounding(training, rounded, &Effects::default());
        assert!(found.is_finding(1e-9));
        assert_eq!(
            found.evidence,
            "0.3 % of the numbers are numbers of single precision in training, 100.0 % in serving."
        );
        assert!(!rounding(training, training, &Effects::default()).is_finding(0.5));
    }

    #[test]
    fn what_is_no_count_is_refused() {
        assert_eq!(Decimals::new(&[1.0]), None);
        assert_eq!(Decimals::new(&[1.0, 0.5, 0.0, 0.0, 0.0, 0.0]), None);
        assert_eq!(rounding(None, None, &Effects::default()).value, None);
    }
}
