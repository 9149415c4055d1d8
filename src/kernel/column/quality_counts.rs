//! Which rows of a chunk are NULL, unseen, out of range or otherwise odd.
use std::collections::HashMap;

use super::super::drift::DriftProfile;
use super::super::reading::Status;
use super::super::values::{CategoryGroups, ValueBins};
use super::quality_metric::QualityMetric;

/// Rows of a kind in one chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Count {
    /// Rows that are of the kind for certain.
    pub least: u64,
    /// Rows that may be of the kind, as far as the profiles tell.
    pub most: u64,
    /// The best guess.
    pub hits: f64,
    /// All rows.
    pub rows: u64,
}

impl Count {
    fn certain(hits: u64, rows: u64) -> Self {
        Self {
            least: hits,
            most: hits,
            hits: hits as f64,
            rows,
        }
    }
}

/// All rows of a chunk, NULL included.
pub(super) fn all_rows(profile: DriftProfile) -> u64 {
    match profile {
        DriftProfile::Continuous(values) => with_a_value(values) + values.nulls,
        DriftProfile::Categorical(groups) => groups.rows() + groups.nulls,
    }
}

fn infinities(values: &ValueBins) -> u64 {
    values.positive_infinities + values.negative_infinities
}

/// Rows that are not NULL.
fn with_a_value(values: &ValueBins) -> u64 {
    values.rows() + values.nans + infinities(values)
}

/// Rows of a chunk by a measure that reads nothing but the chunk; `None` for another measure.
pub(super) fn own_count(metric: QualityMetric, profile: DriftProfile) -> Option<Count> {
    let rows = all_rows(profile);
    let hits = match (metric, profile) {
        (QualityMetric::Missing, DriftProfile::Continuous(values)) => values.nulls,
        (QualityMetric::Missing, DriftProfile::Categorical(groups)) => groups.nulls,
        (QualityMetric::Nan, DriftProfile::Continuous(values)) => values.nans,
        (QualityMetric::Infinite, DriftProfile::Continuous(values)) => infinities(values),
        (QualityMetric::EmptyText, DriftProfile::Categorical(groups)) => groups.empty_texts,
        _ => return None,
    };
    Some(Count::certain(hits, rows))
}

/// Whether all rows with a value have the same, and their number; `None` without such rows or where the
/// profile does not tell.
pub(super) fn is_constant(profile: DriftProfile) -> Result<(bool, u64), Status> {
    let (kinds, exact, rows) = match profile {
        DriftProfile::Continuous(values) => {
            let apart = [
                values.nans,
                values.positive_infinities,
                values.negative_infinities,
            ];
            let apart = apart.iter().filter(|rows| **rows > 0).count();
            let exact = values.bins.iter().all(|bin| bin.lower == bin.upper);
            (values.bins.len() + apart, exact, with_a_value(values))
        }
        DriftProfile::Categorical(groups) => {
            (groups.groups.len(), groups.bits == 64, groups.rows())
        }
    };
    match (kinds, exact) {
        (0, _) => Err(Status::InsufficientData),
        (1, false) => Err(Status::Coarse),
        (kinds, _) => Ok((kinds == 1, rows)),
    }
}

/// The probability that `rows` rows drawn from the reference all have one value.
pub(super) fn constant_by_chance(reference: DriftProfile, rows: u64) -> f64 {
    let counts: Vec<u64> = match reference {
        DriftProfile::Continuous(values) => {
            let bins = values.bins.iter().map(|bin| bin.count);
            bins.chain([
                values.nans,
                values.positive_infinities,
                values.negative_infinities,
            ])
            .collect()
        }
        DriftProfile::Categorical(groups) => groups.groups.iter().map(|g| g.count).collect(),
    };
    let total = counts.iter().sum::<u64>() as f64;
    let of = |count: u64| (rows as f64 * (count as f64 / total).ln()).exp();
    counts.into_iter().filter(|n| *n > 0).map(of).sum()
}

/// Rows by prefix.
type Prefixes = HashMap<u64, u64>;

/// The categories of the reference, with their rows.
pub(super) struct Seen {
    rows: Prefixes,
    bits: u8,
    /// The same by fewer bits, for chunks that have no more.
    cut: HashMap<u8, Prefixes>,
    /// Rows of categories that are in the reference once.
    pub once: u64,
}

impl Seen {
    pub fn of(reference: &CategoryGroups) -> Self {
        let mut rows = HashMap::with_capacity(reference.groups.len());
        for group in &reference.groups {
            *rows.entry(group.prefix).or_default() += group.count;
        }
        let once = reference.groups.iter().filter(|group| group.count == 1);
        Self {
            rows,
            bits: reference.bits,
            cut: HashMap::new(),
            once: once.count() as u64,
        }
    }

    /// Rows of a chunk whose category is nowhere in the reference, or for a `part` of the reference nowhere in the rest
    /// of it.
    ///
    /// Where hashes are cut, a category may share its prefix with a seen one: such rows are taken as seen, and may be not.
    pub fn unseen(&mut self, chunk: &CategoryGroups, part: bool) -> Count {
        let bits = chunk.bits.min(self.bits);
        if bits < self.bits && !self.cut.contains_key(&bits) {
            self.cut.insert(bits, self.coarsened(bits));
        }
        let seen = self.cut.get(&bits).unwrap_or(&self.rows);
        let coarse = chunk.coarsened(bits);
        let mut own: HashMap<u64, u64> = HashMap::with_capacity(coarse.groups.len());
        for group in &coarse.groups {
            *own.entry(group.prefix).or_default() += group.count;
        }
        let (mut least, mut unsure) = (0, 0);
        for (prefix, count) in own {
            let all = seen.get(&prefix).copied().unwrap_or_default();
            let others = if part { all.saturating_sub(count) } else { all };
            match (others, bits) {
                (0, _) => least += count,
                (_, 64) => {}
                _ => unsure += count,
            }
        }
        Count {
            least,
            most: least + unsure,
            hits: least as f64,
            rows: chunk.rows() + chunk.nulls,
        }
    }

    fn coarsened(&self, bits: u8) -> Prefixes {
        let by = u32::from(self.bits - bits);
        let mut rows = HashMap::new();
        for (prefix, count) in &self.rows {
            *rows.entry(prefix.checked_shr(by).unwrap_or(0)).or_default() += count;
        }
        rows
    }
}

/// The smallest and the largest number of some rows, each between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    smallest: (f64, f64),
    largest: (f64, f64),
}

impl Range {
    /// `None` without a number. Infinities are numbers here.
    pub fn of(values: &ValueBins) -> Option<Self> {
        // only the ends of coarsened bins are known
        let exact = values.sums_exact;
        let first = values.bins.first().map(|bin| match exact {
            true => (bin.lower, bin.lower),
            false => (bin.lower, bin.upper),
        });
        let last = values.bins.last().map(|bin| match exact {
            true => (bin.upper, bin.upper),
            false => (bin.lower, bin.upper),
        });
        let both = |x: f64| Some((x, x));
        let low = (values.negative_infinities > 0).then_some(f64::NEG_INFINITY);
        let high = (values.positive_infinities > 0).then_some(f64::INFINITY);
        let smallest = low
            .and_then(both)
            .or(first)
            .or_else(|| high.and_then(both))?;
        let largest = high
            .and_then(both)
            .or(last)
            .or_else(|| low.and_then(both))?;
        Some(Self { smallest, largest })
    }

    /// The range of both.
    pub fn union(self, other: Self) -> Self {
        let least = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.min(b.1));
        let most = |a: (f64, f64), b: (f64, f64)| (a.0.max(b.0), a.1.max(b.1));
        Self {
            smallest: least(self.smallest, other.smallest),
            largest: most(self.largest, other.largest),
        }
    }

    /// Rows of a chunk outside of this range.
    pub fn outside(&self, chunk: &ValueBins) -> Count {
        let (mut least, mut unsure) = (0, 0);
        let mut add = |lower: f64, upper: f64, count: u64| {
            if upper < self.smallest.0 || lower > self.largest.1 {
                least += count;
            } else if lower < self.smallest.1 || upper > self.largest.0 {
                unsure += count;
            }
        };
        for bin in &chunk.bins {
            add(bin.lower, bin.upper, bin.count);
        }
        for (x, count) in [
            (f64::NEG_INFINITY, chunk.negative_infinities),
            (f64::INFINITY, chunk.positive_infinities),
        ] {
            add(x, x, count);
        }
        Count {
            least,
            most: least + unsure,
            hits: least as f64 + unsure as f64 / 2.0,
            rows: with_a_value(chunk) + chunk.nulls,
        }
    }
}

/// For each of some ranges the range of all others; `None` where the others have no number.
pub(super) fn ranges_of_others(ranges: &[Option<Range>]) -> Vec<Option<Range>> {
    let join = |a: Option<Range>, b: Option<Range>| match (a, b) {
        (Some(a), Some(b)) => Some(a.union(b)),
        (a, b) => a.or(b),
    };
    let mut after = vec![None; ranges.len()];
    let mut joined = None;
    for (slot, range) in after.iter_mut().zip(ranges).rev() {
        *slot = joined;
        joined = join(joined, *range);
    }
    let mut before = None;
    let others = ranges.iter().zip(after).map(|(range, after)| {
        let others = join(before, after);
        before = join(before, *range);
        others
    });
    others.collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::values::{CategoryGroup, ValueBin};
    use super::*;
    use crate::kernel::testing::numbers;

    fn categories(counts: &[(u64, u64)], bits: u8) -> CategoryGroups {
        let group = |&(prefix, count): &(u64, u64)| CategoryGroup {
            prefix,
            count,
            category: None,
        };
        CategoryGroups {
            groups: counts.iter().map(group).collect(),
            bits,
            nulls: 1,
            empty_texts: 0,
        }
    }

    #[test]
    fn a_category_is_unseen_where_no_other_row_has_it() {
        let mut seen = Seen::of(&categories(&[(1, 5), (2, 1), (3, 4)], 64));
        assert_eq!(seen.once, 1);
        let chunk = categories(&[(1, 2), (2, 1), (9, 3)], 64);
        assert_eq!(seen.unseen(&chunk, false), Count::certain(3, 7));
        // as a part of the reference it has the only row of category 2
        let part = categories(&[(1, 2), (2, 1)], 64);
        assert_eq!(seen.unseen(&part, true), Count::certain(1, 4));
    }

    #[test]
    fn cut_hashes_leave_seen_rows_unsure() {
        // prefixes 01 and 10 of two bits
        let mut seen = Seen::of(&categories(&[(1, 5), (2, 5)], 2));
        let chunk = categories(&[(1 << 62, 2), (3 << 62, 4)], 64);
        let found = seen.unseen(&chunk, false);
        assert_eq!((found.least, found.most, found.rows), (4, 6, 7));
        let mut exact = Seen::of(&categories(&[(1 << 62, 5)], 64));
        let found = exact.unseen(&categories(&[(1, 2), (3, 4)], 2), false);
        assert_eq!((found.least, found.most), (4, 6));
    }

    #[test]
    fn rows_beyond_the_range_are_outside_and_infinities_too() {
        let range = Range::of(&numbers(&[(1.0, 3), (5.0, 2)])).unwrap();
        let chunk = ValueBins {
            nulls: 2,
            positive_infinities: 1,
            ..numbers(&[(0.5, 1), (1.0, 1), (5.0, 1), (6.0, 4)])
        };
        assert_eq!(range.outside(&chunk), Count::certain(6, 10));
        let infinite = Range::of(&ValueBins {
            positive_infinities: 1,
            ..numbers(&[(1.0, 1)])
        });
        assert_eq!(infinite.unwrap().outside(&chunk).least, 1);
        assert_eq!(Range::of(&numbers(&[])), None);
    }

    #[test]
    fn a_bin_across_the_end_is_unsure() {
        let range = Range::of(&numbers(&[(1.0, 3), (5.0, 2)])).unwrap();
        let bin = |lower, upper, count| ValueBin {
            lower,
            upper,
            count,
            sum: 0.0,
        };
        let chunk = ValueBins {
            bins: vec![bin(2.0, 4.0, 3), bin(4.5, 6.0, 2)],
            level: 40,
            sums_exact: true,
            ..ValueBins::default()
        };
        let found = range.outside(&chunk);
        assert_eq!((found.least, found.most, found.hits), (0, 2, 1.0));
    }

    #[test]
    fn each_part_has_the_range_of_the_others() {
        let of = |low, high| Range::of(&numbers(&[(low, 1), (high, 1)]));
        let parts = [of(0.0, 3.0), None, of(1.0, 9.0)];
        assert_eq!(
            ranges_of_others(&parts),
            [of(1.0, 9.0), of(0.0, 9.0), of(0.0, 3.0)]
        );
        assert_eq!(ranges_of_others(&[of(0.0, 1.0)]), [None]);
    }

    #[test]
    fn one_value_is_constant_by_chance_in_few_rows() {
        let groups = categories(&[(1, 1), (2, 1)], 64);
        assert!((constant_by_chance((&groups).into(), 3) - 0.25).abs() < 1e-15);
        let one = categories(&[(1, 7)], 64);
        assert_eq!(constant_by_chance((&one).into(), 1_000), 1.0);
        assert_eq!(is_constant((&one).into()), Ok((true, 7)));
        assert_eq!(is_constant((&groups).into()), Ok((false, 2)));
        let empty = categories(&[], 64);
        assert_eq!(is_constant((&empty).into()), Err(Status::InsufficientData));
    }
}
