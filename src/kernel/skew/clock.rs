//! Whether the times of one side are those of the other, some hours off.
use super::super::digits::short;
use super::super::drift::{DriftMetric, DriftReference};
use super::super::values::CategoryGroups;
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;

/// Slots of a day: half hours, for some zones are half an hour off.
const SLOTS: usize = 48;
/// An offset explains a distance where it leaves at most this part of it.
const LEFT: f64 = 0.5;

const SUGGESTION: &str = "Write times with their zone, or in UTC on both sides; hours, days and joins by time are off by as much.";

/// Distance of the times of day, and whether an offset explains it.
///
/// * `training`, `serving`: profiles of the half hour of the day, 0 to 47, as categories.
/// * The value is the total variation distance, half the sum of the differences of shares; the p-value is Pearson's of the same
///   table. The pattern: shifted by some half hours, at most half of the distance is left.
/// * NULL: not run without times on a side. A value that is no half hour is left out.
///
/// ```
/// use modelwatch::kernel::category_profile::CategoryProfile;
/// use modelwatch::kernel::skew::{Effects, compare_clocks};
/// let at = |shift: i32| {
///     let mut profile = CategoryProfile::default();
///     (0..600).for_each(|i| profile.observe(Some(&((16 + shift + i * i % 13) % 48).to_string())));
///     profile.groups()
/// };
/// let found = compare_clocks(&at(0), &at(4), &Effects::default());
/// assert!(found.is_finding(1e-6) && found.evidence.contains("2 hours later"));
/// ```
pub fn compare_clocks(
    training: &CategoryGroups,
    serving: &CategoryGroups,
    effects: &Effects,
) -> SkewReading {
    let check = SkewCheck::TimeZoneOffset;
    let (Some(before), Some(after)) = (shares(training), shares(serving)) else {
        return SkewReading::not_run(check, effects, "A side has no times.");
    };
    let apart = distance(&before, &after, 0);
    let reference = DriftReference::categorical(training);
    let p = reference.compare(serving, DriftMetric::JensenShannon);
    let p = p.ok().and_then(|distance| distance.p_value);
    let reading = SkewReading::new(check, effects, apart, p.or(Some(1.0)));
    let shifts = (1..SLOTS).map(|shift| (shift, distance(&before, &after, shift)));
    let best = shifts.fold((0, f64::INFINITY), |best, next| match next.1 < best.1 {
        true => next,
        false => best,
    });
    let (shift, left) = best;
    let has_pattern = left <= LEFT * apart;
    let evidence = match has_pattern {
        true => format!(
            "Times of day in serving are those of training {}: {} of a distance of {} is left.",
            offset(shift),
            short(left),
            short(apart)
        ),
        false => format!(
            "The distance of the times of day is {}, and no offset explains it.",
            short(apart)
        ),
    };
    SkewReading {
        has_pattern,
        ..reading.told("total_variation", evidence, SUGGESTION)
    }
}

/// Share of each half hour; `None` without rows.
fn shares(groups: &CategoryGroups) -> Option<[f64; SLOTS]> {
    let mut shares = [0.0; SLOTS];
    for group in &groups.groups {
        let slot = group
            .category
            .as_deref()
            .and_then(|text| text.parse::<usize>().ok());
        if let Some(share) = slot.and_then(|slot| shares.get_mut(slot)) {
            *share += group.count as f64;
        }
    }
    let rows: f64 = shares.iter().sum();
    (rows > 0.0).then(|| shares.map(|count| count / rows))
}

/// Half the sum of differences, where serving is `shift` slots later.
fn distance(before: &[f64; SLOTS], after: &[f64; SLOTS], shift: usize) -> f64 {
    let later = after.iter().cycle().skip(shift);
    let differences = before.iter().zip(later).map(|(a, b)| (a - b).abs());
    differences.sum::<f64>() / 2.0
}

/// The shorter way around the clock.
fn offset(shift: usize) -> String {
    let (slots, word) = match shift <= SLOTS / 2 {
        true => (shift, "later"),
        false => (SLOTS - shift, "earlier"),
    };
    let hours = slots as f64 / 2.0;
    let unit = if hours == 1.0 { "hour" } else { "hours" };
    format!("{hours} {unit} {word}")
}

#[cfg(test)]
mod tests {
    use super::super::super::category_profile::CategoryProfile;
    use super::*;

    fn hours(slot: impl Fn(u64) -> u64) -> CategoryGroups {
        let mut profile = CategoryProfile::default();
        for i in 0..2000 {
            profile.observe(Some(&(slot(i) % 48).to_string()));
        }
        profile.groups()
    }

    #[test]
    fn offsets_are_told_and_other_hours_are_not() {
        let day = |i: u64| 16 + i * i % 31 * (i % 7) / 9;
        let effects = Effects::default();
        let found = compare_clocks(&hours(day), &hours(|i| day(i) + 47), &effects);
        assert!(found.is_finding(1e-6), "{found:?}");
        assert!(found.evidence.contains("0.5 hours earlier"));
        let same = compare_clocks(&hours(day), &hours(day), &effects);
        assert!(!same.is_finding(1.0));
        let flat = compare_clocks(&hours(day), &hours(|i| i), &effects);
        assert!(!flat.is_finding(1.0), "{flat:?}");
        assert_eq!(
            compare_clocks(&hours(day), &CategoryGroups::default(), &effects).value,
            None
        );
    }
}
