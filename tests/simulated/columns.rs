//! Random columns, and their profiles as a bounded digest keeps them.
#![allow(dead_code, reason = "each test and bench uses its own part")]
use super::simulated::Random;
use modelwatch::kernel::digest::{Digest, DigestLimits};
use modelwatch::kernel::key::{MANTISSA_BITS, Scale, key, value};
use modelwatch::kernel::values::{CategoryGroup, CategoryGroups, ValueBin, ValueBins};
use std::collections::BTreeMap;

/// Numbers of one column.
pub const SHAPES: [&str; 6] = [
    "uniform",
    "normal",
    "heavy-tailed",
    "tied",
    "integers",
    "two laws",
];

/// Draws a column; its parameters are random, too, and the same for the same seed.
pub fn numbers(shape: usize, rows: u64, parameters: u64, random: &mut Random) -> Vec<f64> {
    let mut fixed = Random(parameters);
    let scale = 10f64.powf(6.0 * fixed.uniform() - 3.0);
    let centre = scale * 4.0 * fixed.normal();
    let (steps, tail) = (2.0 + 40.0 * fixed.uniform(), 1.0 + 4.0 * fixed.uniform());
    let draw = |random: &mut Random| match shape {
        0 => centre + scale * random.uniform(),
        1 => centre + scale * random.normal(),
        2 => scale * random.uniform().powf(-tail) * if random.chance(0.3) { -1.0 } else { 1.0 },
        3 => (random.normal() * steps).round() / 8.0,
        4 => (centre + scale * random.uniform().powi(2)).round(),
        _ if random.chance(0.7) => centre + scale * random.normal(),
        _ => centre + 9.0 * scale + 0.1 * scale * random.normal(),
    };
    (0..rows).map(|_| draw(random)).collect()
}

/// The profile of a column with at most `max_bins` bins. NaN is counted as such.
pub fn value_bins(numbers: &[f64], max_bins: u32) -> ValueBins {
    let mut digest = Digest::<1>::new(DigestLimits {
        max_bins,
        min_level: 0,
    });
    let finite = numbers.iter().filter(|x| x.is_finite());
    finite.for_each(|x| digest.add(key(*x), 0));
    let range = digest.range();
    let (level, entries) = digest.entries();
    let bin = |entry: &modelwatch::kernel::digest::Entry| {
        let whole = Scale::Number.bin_range(entry.bin, level);
        let inside = |key: &u64| key >> level == entry.bin;
        let (first, last) = (range.map(|r| r.0), range.map(|r| r.1));
        let lower = first.filter(inside).map_or(whole.lower, value);
        let all_first = entry.dropped == 0;
        ValueBin {
            lower,
            upper: match last.filter(inside) {
                _ if all_first => lower,
                Some(last) => value(last),
                None => whole.upper,
            },
            count: entry.count,
            sum: Scale::Number.sum_of_values(entry.bin, level, entry.count, entry.dropped),
        }
    };
    let count = |wanted: f64| numbers.iter().filter(|x| **x == wanted).count() as u64;
    ValueBins {
        bins: entries.iter().map(bin).collect(),
        level,
        sums_exact: level <= MANTISSA_BITS,
        nulls: 0,
        nans: numbers.iter().filter(|x| x.is_nan()).count() as u64,
        positive_infinities: count(f64::INFINITY),
        negative_infinities: count(f64::NEG_INFINITY),
    }
}

/// Hash of a category.
pub fn hash(category: u64) -> u64 {
    Random(category).next()
}

/// The profile of a column of categories: each told apart while there are at most `most` prefixes.
pub fn category_groups(categories: &[u64], most: usize) -> CategoryGroups {
    let mut counts: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for category in categories {
        counts.entry(hash(*category)).or_insert((0, *category)).0 += 1;
    }
    let group = |(prefix, (count, category)): (&u64, &(u64, u64))| CategoryGroup {
        prefix: *prefix,
        count: *count,
        category: Some(category.to_string()),
    };
    let mut groups = CategoryGroups {
        groups: counts.iter().map(group).collect(),
        bits: 64,
        ..CategoryGroups::default()
    };
    while groups.groups.len() > most {
        groups = groups.coarsened(groups.bits - 1);
    }
    groups
}
