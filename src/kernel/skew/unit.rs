//! Whether the numbers of one side are those of the other in another unit, scale or transformation.
use super::super::digits::short;
use super::super::drift::{DriftMetric, DriftReference};
use super::super::values::ValueBins;
use super::check::{Effects, SkewCheck};
use super::conversion::{Conversion, Moments, numbers_of};
use super::reading::SkewReading;

/// A conversion explains a distance where it leaves at most this part of it.
const LEFT: f64 = 0.25;
/// It may leave as much by other reasons, such as ordinary drift.
const LITTLE: f64 = 0.1;
/// The same for samples so small that chance alone leaves more: Kolmogorov's law, one in a hundred.
const BY_CHANCE: f64 = 1.63;
/// Numbers as near as this part of the interquartile range are the same, for units are converted with rounding.
const SAME: f64 = 0.01;

const SUGGESTION: &str = "Convert the column to the unit or scale of training before the model reads it, in one place for both.";

/// Distance between training and serving, and whether a known conversion explains it.
///
/// The value is the Kolmogorov-Smirnov distance of the numbers as they are, with its p-value. The pattern: after one of the
/// known conversions, in one or the other direction, at most a quarter of it is left, and at most 0.1 (or what chance leaves of
/// samples this small).
pub(super) fn unit_scale(
    training: &ValueBins,
    serving: &ValueBins,
    effects: &Effects,
) -> SkewReading {
    let check = SkewCheck::UnitScale;
    let reference = DriftReference::continuous(training);
    let measured = reference.compare(serving, DriftMetric::KolmogorovSmirnov);
    let Ok(distance) = measured else {
        return SkewReading::not_run(check, effects, "A side has no numbers.");
    };
    let reading = SkewReading::new(check, effects, distance.value, distance.p_value);
    let told = |evidence| {
        let reading = reading.clone();
        reading.told("kolmogorov_smirnov", evidence, SUGGESTION)
    };
    let far = distance.value > effects.of(check);
    let explained = far.then(|| explained(training, serving, distance.value));
    match explained.flatten() {
        Some((by, left)) => told(format!(
            "Numbers differ as {} do: {}, and {} of the distance of {} is left after conversion.",
            by.name,
            medians(training, serving, &by),
            short(left),
            short(distance.value)
        )),
        None => SkewReading {
            has_pattern: false,
            ..told(format!(
                "The distance is {}, and no known conversion of units explains it.",
                short(distance.value)
            ))
        },
    }
}

fn medians(training: &ValueBins, serving: &ValueBins, by: &Conversion) -> String {
    let median = |of: &ValueBins| super::super::drift::quantile(of, 0.5).unwrap_or(0.0);
    let (before, after) = (median(training), median(serving));
    let factor = by
        .factor()
        .map(|factor| format!(", a factor of {}", short(factor)));
    format!(
        "the median is {} in training and {} in serving{}",
        short(before),
        short(after),
        factor.unwrap_or_default()
    )
}

/// The conversion that leaves least, and what it leaves, where that is little enough.
fn explained(
    training: &ValueBins,
    serving: &ValueBins,
    distance: f64,
) -> Option<(Conversion, f64)> {
    let (training, serving) = (numbers_of(training), numbers_of(serving));
    let rows = |of: &[(f64, u64)]| of.iter().map(|(_, rows)| *rows as f64).sum::<f64>();
    let chance = BY_CHANCE * (1.0 / rows(&training) + 1.0 / rows(&serving)).sqrt();
    let most = (LEFT * distance).min(LITTLE.max(chance));
    let forward = candidates(&training, &serving);
    // what is a factor one way is its inverse the other way; logarithms and scalings are not
    let backward = candidates(&serving, &training).filter(|(by, _)| by.factor().is_none());
    let best =
        forward
            .chain(backward)
            .fold(None, |best: Option<(Conversion, f64)>, next| match best {
                Some(best) if best.1 <= next.1 => Some(best),
                _ => Some(next),
            });
    best.filter(|(_, left)| *left <= most)
}

/// Each conversion of `from`, and the distance from `to` that it leaves.
fn candidates<'a>(
    from: &'a [(f64, u64)],
    to: &'a [(f64, u64)],
) -> impl Iterator<Item = (Conversion, f64)> + 'a {
    let all = Moments::of(from).map(|moments| Conversion::all(&moments));
    let same = SAME * spread(to);
    all.into_iter().flatten().filter_map(move |by| {
        let converted = by.apply(from)?;
        let left = beyond(&converted, to, same).max(beyond(to, &converted, same));
        Some((by, left))
    })
}

/// Interquartile range of numbers in ascending order; where that is 0, a millionth of the largest of them.
fn spread(numbers: &[(f64, u64)]) -> f64 {
    let all: u64 = numbers.iter().map(|(_, rows)| rows).sum();
    let at = |share: f64| {
        let (rank, mut passed) = ((share * all as f64) as u64, 0);
        let reached = numbers.iter().find(|(_, rows)| {
            passed += rows;
            passed > rank
        });
        reached.map_or(0.0, |(x, _)| *x)
    };
    let size = numbers.iter().map(|(x, _)| x.abs()).fold(0.0, f64::max);
    match at(0.75) - at(0.25) {
        0.0 => 1e-6 * size,
        range => range,
    }
}

/// How far the distribution function of `first` rises above that of `second`, where numbers of `first` may be `same` smaller
/// than they are.
fn beyond(first: &[(f64, u64)], second: &[(f64, u64)], same: f64) -> f64 {
    let total = |of: &[(f64, u64)]| of.iter().map(|(_, rows)| *rows as f64).sum::<f64>();
    let (all_first, all_second) = (total(first), total(second));
    let mut others = second.iter().peekable();
    let (mut below_first, mut below_second, mut most) = (0.0, 0.0, 0.0_f64);
    for (x, rows) in first {
        below_first += *rows as f64;
        while let Some((_, rows)) = others.next_if(|(y, _)| *y <= x + same) {
            below_second += *rows as f64;
        }
        most = most.max(below_first / all_first - below_second / all_second);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::super::testing::numbers;
    use super::*;

    fn reading(serving: impl Fn(f64) -> f64) -> SkewReading {
        let training = numbers((0..500).map(|i| 50.0 + f64::from(i * i % 499) / 7.0));
        let served = numbers((0..400).map(|i| serving(50.0 + f64::from(i * 37 % 499) / 7.2)));
        unit_scale(&training, &served, &Effects::default())
    }

    #[test]
    fn units_are_told_by_name() {
        for (factor, name) in [
            (1000.0, "a thousand of a unit"),
            (2.54, "inches and centimetres"),
            (1.0 / 0.453_592_37, "pounds and kilograms"),
            (0.01, "shares and percent"),
        ] {
            let found = reading(|x| x * factor);
            assert!(found.is_finding(1e-9), "{factor}: {found:?}");
            assert!(found.evidence.contains(name), "{}", found.evidence);
        }
        let found = reading(|x| (1.8 * x + 32.0).round());
        assert!(found.is_finding(1e-9) && found.evidence.contains("Fahrenheit"));
    }

    #[test]
    fn transformations_are_told_both_ways() {
        for serving in [f64::ln, f64::exp, |x: f64| (x - 85.0) / 20.6, |x: f64| -x] {
            assert!(reading(serving).is_finding(1e-9), "{:?}", reading(serving));
        }
    }

    #[test]
    fn drift_is_no_unit() {
        for serving in [|x: f64| x, |x: f64| x + 40.0, |x: f64| 1.3 * x] {
            assert!(!reading(serving).is_finding(1.0), "{:?}", reading(serving));
        }
    }

    #[test]
    fn rounded_units_of_few_numbers_are_the_same() {
        let training = numbers((0..300).map(|i| f64::from(i % 5)));
        let served = numbers((0..300).map(|i| f64::from(i % 5) * 0.1 * 10.0 * 100.0));
        let found = unit_scale(&training, &served, &Effects::default());
        assert!(found.is_finding(1e-9), "{found:?}");
    }
}
