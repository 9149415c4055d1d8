//! One value that stands where others, or none, stood: a default, or the end of a clipped range.
use super::super::digits::short;
use super::super::values::{CategoryGroups, ValueBins};
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;
use super::shares::{Counted, fisher_two_sided};

/// A default is so many times as frequent as before, unless NULLs went away with it.
const TIMES: f64 = 3.0;
/// A single value stands out: it rises so many times as much as any other. Rounding raises many.
const STANDS_OUT: f64 = 2.0;

const SUGGESTION: &str =
    "Fill missing values, and clip ranges, by one piece of code for training and serving.";

/// A value on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub text: String,
    pub training: u64,
    pub serving: u64,
}

impl Value {
    /// Its rows among those of training and serving.
    fn shares(&self, (training, serving): (Rows, Rows)) -> (Counted, Counted) {
        let before = training.counted(self.training);
        (before, serving.counted(self.serving))
    }
}

/// Rows of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// All rows.
    pub all: u64,
    /// Those that are NULL or NaN.
    pub missing: u64,
}

impl Rows {
    pub fn of_numbers(values: &ValueBins) -> Self {
        let apart = values.positive_infinities + values.negative_infinities;
        let missing = values.nulls + values.nans;
        Self {
            all: values.rows() + apart + missing,
            missing,
        }
    }

    pub fn of_categories(groups: &CategoryGroups) -> Self {
        Self {
            all: groups.rows() + groups.nulls,
            missing: groups.nulls,
        }
    }

    fn counted(self, count: u64) -> Counted {
        Counted {
            count: count.min(self.all),
            rows: self.all,
        }
    }

    fn missing_share(self) -> f64 {
        self.counted(self.missing).share()
    }
}

/// Frequent numbers of either side, with the rows that they have on both; of a digest that is not exact, a number is a bin, and
/// the other side counts what meets it.
pub(super) fn frequent_numbers(
    training: &ValueBins,
    serving: &ValueBins,
    least: f64,
) -> Vec<Value> {
    let of = |side: &ValueBins, other: &ValueBins, swap: bool| -> Vec<Value> {
        let enough = (least * Rows::of_numbers(side).all as f64).max(1.0);
        let frequent = side.bins.iter().filter(|bin| bin.count as f64 > enough);
        let value = frequent.map(|bin| {
            let from = other.bins.partition_point(|b| b.upper < bin.lower);
            let met = other.bins.iter().skip(from);
            let met = met.take_while(|b| b.lower <= bin.upper).map(|b| b.count);
            let met: u64 = met.sum();
            let (training, serving) = if swap {
                (met, bin.count)
            } else {
                (bin.count, met)
            };
            Value {
                text: short_or_whole(bin.lower),
                training,
                serving,
            }
        });
        value.collect()
    };
    let mut all = of(training, serving, false);
    for value in of(serving, training, true) {
        if all.iter().all(|known| known.text != value.text) {
            all.push(value);
        }
    }
    all
}

/// A number as it is told: whole, or by three digits.
pub(super) fn short_or_whole(x: f64) -> String {
    match x.fract() == 0.0 && x.abs() < 1e15 {
        true => format!("{x}"),
        false => short(x),
    }
}

/// The value whose share differs most, where a default is what it looks like: it stands out, and rose threefold or where
/// missing values went away.
///
/// `may_be_new`: whether a value that one side does not have is a default even where no missing values went away with it; a new
/// category is none. The p-value is Fisher's times the number of values that are frequent enough to be one. NULL: not run without
/// rows.
pub(super) fn default_value(
    values: &[Value],
    (training, serving): (Rows, Rows),
    may_be_new: bool,
    effects: &Effects,
) -> SkewReading {
    let check = SkewCheck::DefaultValue;
    if training.all == 0 || serving.all == 0 {
        return SkewReading::not_run(check, effects, "A side has no rows.");
    }
    let Some((first, apart, next)) = furthest_apart(values, (training, serving)) else {
        let evidence = "No value is frequent.".into();
        let reading = SkewReading::new(check, effects, 0.0, Some(1.0));
        return reading.told("share_difference", evidence, SUGGESTION);
    };
    let (before, after) = first.shares((training, serving));
    let stands_out = apart >= STANDS_OUT * next;
    let p = fisher_two_sided(before, after) * choices(training, serving, effects);
    let reading = SkewReading {
        has_pattern: stands_out && is_default((before, after), (training, serving), may_be_new),
        ..SkewReading::new(check, effects, apart, Some(p))
    };
    let evidence = format!(
        "The value {} is {} of the rows in training and {} in serving; missing values are {} and {}.",
        first.text,
        before.told(),
        after.told(),
        training.counted(training.missing).told(),
        serving.counted(serving.missing).told()
    );
    reading.told("share_difference", evidence, SUGGESTION)
}

/// The value whose shares differ most, of equal ones the first by its text; by how much, and by how much those of the next.
fn furthest_apart(values: &[Value], sides: (Rows, Rows)) -> Option<(&Value, f64, f64)> {
    let apart = |value: &Value| {
        let (before, after) = value.shares(sides);
        (after.share() - before.share()).abs()
    };
    let mut sorted: Vec<&Value> = values.iter().collect();
    sorted.sort_by(|a, b| apart(b).total_cmp(&apart(a)).then(a.text.cmp(&b.text)));
    let next = sorted.get(1).map_or(0.0, |value| apart(value));
    let first = sorted.first()?;
    Some((first, apart(first), next))
}

/// Whether a value on both sides looks like a default on the one where it is more frequent.
fn is_default(
    (before, after): (Counted, Counted),
    (training, serving): (Rows, Rows),
    may_be_new: bool,
) -> bool {
    let rises = after.share() > before.share();
    let (low, high) = if rises {
        (before, after)
    } else {
        (after, before)
    };
    // where one value is all there is, the column is constant
    let varies = low.count < low.rows && high.count < high.rows;
    let gone = training.missing_share() - serving.missing_share();
    let apart = after.share() - before.share();
    let filled = apart.abs() / 2.0 <= gone.abs() && (gone > 0.0) == rises;
    let risen = high.share() >= TIMES * low.share() && (may_be_new || low.count > 0);
    varies && (filled || risen)
}

/// Of how many values one can be frequent enough on a side.
fn choices(training: Rows, serving: Rows, effects: &Effects) -> f64 {
    let least = effects.of(SkewCheck::DefaultValue).max(1e-3);
    let smaller = training.all.min(serving.all) as f64;
    ((training.all + serving.all) as f64 / (least * smaller)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{numbers, with_nulls};
    use super::*;

    fn reading(training: &ValueBins, serving: &ValueBins) -> SkewReading {
        let values = frequent_numbers(training, serving, 0.01);
        let rows = [training, serving].map(Rows::of_numbers);
        default_value(&values, (rows[0], rows[1]), true, &Effects::default())
    }

    #[test]
    fn a_default_in_place_of_nulls_is_told() {
        let training = with_nulls((0..950).map(f64::from), 50);
        let filled = (0..950).map(f64::from).chain([-1.0; 50]);
        let found = reading(&training, &numbers(filled));
        assert!(found.is_finding(1e-6), "{found:?}");
        assert!(
            found
                .evidence
                .starts_with("The value -1 is 0.0 % of the rows in training and 5.0 %")
        );
    }

    #[test]
    fn what_varies_and_what_is_rounded_is_no_default() {
        let training = numbers((0..1000).map(|i| f64::from(i % 10)));
        let drifted = numbers((0..1000).map(|i| f64::from(if i % 7 == 0 { 0 } else { i % 10 })));
        assert!(!reading(&training, &drifted).is_finding(1.0));
        let fine = numbers((0..1000).map(|i| f64::from(i) / 100.0));
        let rounded = numbers((0..1000).map(|i| (f64::from(i) / 100.0).round()));
        assert!(!reading(&fine, &rounded).is_finding(1.0));
    }
}
