//! Every check of how a column is handled.
use super::super::values::{CategoryGroups, ValueBins};
use super::categories::categories;
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;
use super::rounding::{Decimals, rounding};
use super::shares::{Counted, fisher_two_sided};
use super::spike::{Rows, default_value, frequent_numbers, short_or_whole};
use super::unit::unit_scale;

/// The values of a column on one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColumnValues<'a> {
    /// Numbers.
    Numbers(&'a ValueBins),
    /// Categories.
    Categories(&'a CategoryGroups),
}

/// A column on one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column<'a> {
    /// Its profile.
    pub values: ColumnValues<'a>,
    /// Of numbers: profile of their [`super::decimal_places`] as categories, where it was made.
    pub decimals: Option<&'a CategoryGroups>,
}

const NULLS: &str = "Fill, drop or keep missing values alike on both sides, and look for joins that lost their match.";
const CONSTANT: &str = "Look for a source that stopped, a join that lost its match, or a default that replaced every value.";

impl Column<'_> {
    fn rows(&self) -> Rows {
        match self.values {
            ColumnValues::Numbers(values) => Rows::of_numbers(values),
            ColumnValues::Categories(groups) => Rows::of_categories(groups),
        }
    }

    fn nulls(&self) -> u64 {
        match self.values {
            ColumnValues::Numbers(values) => values.nulls,
            ColumnValues::Categories(groups) => groups.nulls,
        }
    }

    /// Rows that are NaN or infinite.
    fn without_number(&self) -> u64 {
        match self.values {
            ColumnValues::Numbers(values) => {
                values.nans + values.positive_infinities + values.negative_infinities
            }
            ColumnValues::Categories(_) => 0,
        }
    }

    /// The only value, NULL included, and its text; `None` where there are several.
    fn only(&self) -> Option<String> {
        match self.values {
            ColumnValues::Numbers(values) => match values.bins.as_slice() {
                [] if values.nulls == self.rows().all => Some("NULL".into()),
                [bin] if bin.count == self.rows().all && bin.lower == bin.upper => {
                    Some(short_or_whole(bin.lower))
                }
                _ => None,
            },
            ColumnValues::Categories(groups) => match groups.groups.as_slice() {
                [] => Some("NULL".into()),
                [group] if group.count == self.rows().all => {
                    group.category.as_ref().map(|text| format!("'{text}'"))
                }
                _ => None,
            },
        }
    }

    /// Rows with the value that is the only one of `other`.
    fn rows_like(&self, other: &Column) -> u64 {
        match (self.values, other.values) {
            (ColumnValues::Numbers(here), ColumnValues::Numbers(there)) => {
                match there.bins.first() {
                    None => here.nulls,
                    Some(only) => {
                        let same = here.bins.iter();
                        let same = same.filter(|b| b.lower <= only.upper && b.upper >= only.lower);
                        same.map(|bin| bin.count).sum()
                    }
                }
            }
            (ColumnValues::Categories(here), ColumnValues::Categories(there)) => {
                match there.groups.first() {
                    None => here.nulls,
                    Some(only) => {
                        let same = here.groups.iter().filter(|g| g.category == only.category);
                        same.map(|group| group.count).sum()
                    }
                }
            }
            _ => 0,
        }
    }
}

/// `null_rate`, `default_value`, `constant_column`; of numbers `unit_scale` and `rounding`, of categories `category_format` and
/// `unseen_category`.
///
/// A column that is constant, or in another unit, has no further finding of `default_value`, `unit_scale` and `rounding`.
/// NULL: checks that need values are not run where a side has none. Profiles of different kinds give no reading.
///
/// ```
/// use modelwatch::kernel::skew::{Column, ColumnValues, Effects, SkewCheck, compare_columns};
/// use modelwatch::kernel::value_profile::ValueProfile;
/// let numbers = |factor: f64| {
///     let mut profile = ValueProfile::default();
///     (0..500).for_each(|i| profile.observe(Some(factor * f64::from(i))));
///     profile.bins()
/// };
/// let (metres, feet) = (numbers(1.0), numbers(1.0 / 0.3048));
/// let side = |of| Column { values: ColumnValues::Numbers(of), decimals: None };
/// let readings = compare_columns(&side(&metres), &side(&feet), &Effects::default());
/// let found: Vec<SkewCheck> = readings.iter().filter(|r| r.is_finding(1e-6)).map(|r| r.check).collect();
/// assert_eq!(found, [SkewCheck::UnitScale]);
/// ```
pub fn compare_columns(training: &Column, serving: &Column, effects: &Effects) -> Vec<SkewReading> {
    let rows = (training.rows(), serving.rows());
    let constant = constant_column(training, serving, effects);
    let mut readings = vec![null_rate(training, serving, effects)];
    let (mut rest, values) = match (training.values, serving.values) {
        (ColumnValues::Numbers(before), ColumnValues::Numbers(after)) => {
            let least = effects.of(SkewCheck::DefaultValue) / 2.0;
            let decimals = [training, serving].map(|side| side.decimals.map(Decimals::of));
            let unit = unit_scale(before, after, effects);
            let decimals = rounding(decimals[0], decimals[1], effects);
            (vec![unit, decimals], frequent_numbers(before, after, least))
        }
        (ColumnValues::Categories(before), ColumnValues::Categories(after)) => {
            let found = categories(before, after, effects);
            (vec![found.format, found.unseen], found.values)
        }
        _ => return vec![],
    };
    let of_numbers = matches!(training.values, ColumnValues::Numbers(_));
    let mut spike = default_value(&values, rows, of_numbers, effects);
    let is_constant = constant.has_pattern;
    let converted = rest
        .first()
        .is_some_and(|first| first.check == SkewCheck::UnitScale && first.has_pattern);
    spike.has_pattern &= !is_constant && !converted;
    for reading in &mut rest {
        let is_rounding = reading.check == SkewCheck::Rounding;
        let is_unit = reading.check == SkewCheck::UnitScale;
        reading.has_pattern &= !(is_constant && (is_unit || is_rounding));
        reading.has_pattern &= !(converted && is_rounding);
    }
    readings.extend([spike, constant]);
    readings.extend(rest);
    readings
}

fn null_rate(training: &Column, serving: &Column, effects: &Effects) -> SkewReading {
    let check = SkewCheck::NullRate;
    let no_numbers = [training, serving].map(|side| side.without_number());
    let counted = |extra: [u64; 2]| {
        let of = |side: &Column, extra: u64| Counted {
            count: side.nulls() + extra,
            rows: side.rows().all,
        };
        let [first, second] = extra;
        (of(training, first), of(serving, second))
    };
    let (nulls, missing) = (counted([0, 0]), counted(no_numbers));
    if nulls.0.rows == 0 || nulls.1.rows == 0 {
        return SkewReading::without_data(check, effects, "A side has no rows.");
    }
    let apart = |(before, after): (Counted, Counted)| (before.share() - after.share()).abs();
    // what is NULL on one side may be NaN on the other, or both may be new
    let (found, what) = match apart(missing) > apart(nulls) {
        true => (missing, "NULL, NaN or infinite"),
        false => (nulls, "NULL"),
    };
    let not_a_number = match no_numbers {
        [0, 0] => String::new(),
        [a, b] => format!(" {a} and {b} rows are NaN or infinite."),
    };
    let evidence = format!(
        "{} of {} rows are {what} in training, {} of {} in serving.{not_a_number}",
        found.0.told(),
        found.0.rows,
        found.1.told(),
        found.1.rows
    );
    let tests = if no_numbers == [0, 0] { 1.0 } else { 2.0 };
    let p = tests * fisher_two_sided(found.0, found.1);
    SkewReading::new(check, effects, apart(found), Some(p)).told(
        "share_difference",
        evidence,
        NULLS,
    )
}

/// One side has a single value, the other has more: the share of rows there that hold another one.
fn constant_column(training: &Column, serving: &Column, effects: &Effects) -> SkewReading {
    let check = SkewCheck::ConstantColumn;
    let rows = [training, serving].map(|side| side.rows().all);
    if rows.contains(&0) {
        return SkewReading::not_run(check, effects, "A side has no rows.");
    }
    let (only, (constant, varied), side) = match (training.only(), serving.only()) {
        (None, Some(only)) => (only, (serving, training), "serving"),
        (Some(only), None) => (only, (training, serving), "training"),
        (Some(before), Some(after)) if before != after => (after, (serving, training), "serving"),
        (both, _) => {
            let evidence = match both {
                None => "Both sides have several values.".to_owned(),
                Some(only) => format!("Both sides have the single value {only}."),
            };
            let reading = SkewReading::new(check, effects, 0.0, Some(1.0));
            return SkewReading {
                has_pattern: false,
                ..reading.told("share", evidence, CONSTANT)
            };
        }
    };
    let alike = Counted {
        count: varied.rows_like(constant),
        rows: varied.rows().all,
    };
    let all = Counted {
        count: constant.rows().all,
        rows: constant.rows().all,
    };
    let evidence = format!(
        "Every one of the {} rows in {side} is {only}; so are {} on the other side.",
        all.rows,
        alike.told()
    );
    let p = fisher_two_sided(all, alike);
    SkewReading::new(check, effects, 1.0 - alike.share(), Some(p)).told("share", evidence, CONSTANT)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{categories, numbers, with_nulls};
    use super::*;

    fn findings(training: ColumnValues, serving: ColumnValues) -> Vec<SkewCheck> {
        let side = |values| Column {
            values,
            decimals: None,
        };
        let readings = compare_columns(&side(training), &side(serving), &Effects::default());
        let found = readings.iter().filter(|r| r.is_finding(1e-4));
        found.map(|reading| reading.check).collect()
    }

    #[test]
    fn constants_are_told_once() {
        let training = numbers((0..500).map(f64::from));
        let constant = numbers([3.0; 400]);
        let nulls = with_nulls([], 400);
        let of = ColumnValues::Numbers;
        assert_eq!(
            findings(of(&training), of(&constant)),
            [SkewCheck::ConstantColumn]
        );
        let of_nulls = findings(of(&training), of(&nulls));
        assert_eq!(of_nulls, [SkewCheck::NullRate, SkewCheck::ConstantColumn]);
        assert_eq!(findings(of(&constant), of(&constant)), []);
    }

    #[test]
    fn another_constant_is_told() {
        let of = ColumnValues::Numbers;
        let (one, two) = (numbers([1.0; 300]), numbers([2.0; 300]));
        assert_eq!(findings(of(&one), of(&two)), [SkewCheck::ConstantColumn]);
    }

    #[test]
    fn empty_sides_are_not_run() {
        let none = ValueBins::default();
        let side = Column {
            values: ColumnValues::Numbers(&none),
            decimals: None,
        };
        let readings = compare_columns(&side, &side, &Effects::default());
        assert!(readings.iter().all(|reading| reading.value.is_none()));
        let groups = categories([]);
        let other = Column {
            values: ColumnValues::Categories(&groups),
            decimals: None,
        };
        assert_eq!(compare_columns(&side, &other, &Effects::default()), []);
    }
}
