//! From the entries of a digest to numbers.
use super::digest::Entry;
use super::key::{Scale, low_bits};

/// The smallest and the largest number of one bin, given the entries of its classes. The first and last bin end at the
/// smallest and largest number of all, where these are known; a bin whose rows all lie at one end is that number
/// and no more.
pub(super) fn bin_ends(
    scale: Scale,
    entries: &[Entry],
    level: u8,
    range: Option<(u64, u64)>,
) -> Option<(f64, f64)> {
    let bin = entries.first()?.bin;
    let inside = |key: &u64| key >> level == bin;
    let dropped = |key: u64| u128::from(key & low_bits(level));
    let first = range.map(|ends| ends.0).filter(inside);
    let last = range.map(|ends| ends.1).filter(inside);
    let rows: u128 = entries.iter().map(|e| u128::from(e.count)).sum();
    // on the integers: a mean of floats that equals an end may be rounding
    let sum = entries
        .iter()
        .fold(0u128, |sum, e| sum.saturating_add(e.dropped));
    let all_at = |end: u128| rows.checked_mul(end) == Some(sum);
    let whole = scale.bin_range(bin, level);
    let (lower, upper) = (
        first.map_or(whole.lower, |key| scale.value(key)),
        last.map_or(whole.upper, |key| scale.value(key)),
    );
    let known = range.is_some();
    let (lower, upper) = if known && all_at(first.map_or(0, dropped)) {
        (lower, lower)
    } else if known && all_at(last.map_or_else(|| u128::from(low_bits(level)), dropped)) {
        (upper, upper)
    } else {
        (lower, upper)
    };
    Some((lower, upper))
}
