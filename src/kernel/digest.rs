//! The digest: how often each number occurred, exact while the distinct numbers fit, certified after that.
//!
//! A number is its order-preserving key ([`super::key`]). At level `L` the `L` low bits of each key are dropped
//! and rows with the same remaining bits share a bin. The level is the smallest at which at most `max_bins`
//! bins are occupied; since levels nest, it depends on the set of numbers alone, never on the order of rows
//! or on how parts were merged. Each bin keeps the exact integer sum of the bits it dropped.
//!
//! Compare: DDSketch (Masson et al. 2019, VLDB 12) and UDDSketch (Epicoco et al. 2020), which also
//! collapse uniformly, on logarithms instead of on the bits themselves.
use std::borrow::Cow;

use super::dense::Dense;
pub use super::digest_limits::DigestLimits;
use super::key::low_bits;

/// Rows of one bin and class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Key of the rows' numbers without the bits that the level drops.
    pub bin: u64,
    /// What the rows have in common besides the bin, below the digest's number of classes.
    pub class: u8,
    /// Number of rows.
    pub count: u64,
    /// Sum of the dropped bits.
    pub dropped: u128,
}

impl Entry {
    /// One level up: the lowest bit of the bin joins the dropped ones, whose width was `level`.
    pub(super) fn raise_from(&mut self, level: u8) {
        self.raise_to(level, level + 1);
    }

    fn raise_to(&mut self, from: u8, to: u8) {
        let by = to - from;
        let bits = u128::from(self.bin & low_bits(by)) * (u128::from(self.count) << from);
        self.dropped = self.dropped.saturating_add(bits);
        self.bin >>= by;
    }

    /// Saturates rather than overflows: only forged bytes can bring it there.
    fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.dropped = self.dropped.saturating_add(other.dropped);
    }

    fn order(&self) -> (u64, u8) {
        (self.bin, self.class)
    }
}

/// Above this level the table's 32-bit carries could overflow; the sorted path takes over.
const HIGHEST_DENSE_LEVEL: u8 = 46;
/// The table may be this many times as long as the digest has bins.
const DENSE_SPAN: usize = 4;
/// Rows that wait to be sorted, for each bin that the digest may have: so many show the level.
const PENDING_PER_BIN: usize = 2;
/// At least so many rows wait, to amortize the merge.
const FEWEST_PENDING: usize = 1 << 10;

/// Rows that come at once, at most.
const MOST_AT_ONCE: usize = 1 << 16;

/// Counts by number and class; `CLASSES` is a small constant.
#[derive(Debug, Clone)]
pub struct Digest<const CLASSES: usize> {
    limits: DigestLimits,
    level: u8,
    /// Ascending by bin and class.
    entries: Vec<Entry>,
    dense: Option<Box<Dense<CLASSES>>>,
    /// Keys and classes not yet sorted in.
    pending: Vec<(u64, u8)>,
    /// Smallest and largest key, empty while `first > last`.
    first: u64,
    last: u64,
}

impl<const CLASSES: usize> Digest<CLASSES> {
    /// An empty digest; it owns no heap memory.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            limits,
            level: limits.min_level,
            entries: Vec::new(),
            dense: None,
            pending: Vec::new(),
            first: u64::MAX,
            last: 0,
        }
    }

    /// Adds a row with the number `key` stands for. `class` is below `CLASSES`.
    #[inline]
    pub fn add(&mut self, key: u64, class: u8) {
        self.first = self.first.min(key);
        self.last = self.last.max(key);
        if let Some(dense) = &mut self.dense
            && dense.add(key, class)
        {
            if dense.occupied_bins() > self.limits.max_bins as usize || dense.has_no_room_for(1) {
                self.settle();
            }
            return;
        }
        self.pend(key, class);
    }

    /// Adds rows, as [`Self::add`] would one by one. What is checked after each row there is checked once here: how many bins are
    /// kept depends on the rows alone.
    pub fn add_all(&mut self, keys: &[u64], classes: &[u8]) {
        let Some(dense) = &mut self.dense else {
            let rows = keys.iter().zip(classes);
            rows.for_each(|(key, class)| self.add(*key, *class));
            return;
        };
        if dense.has_no_room_for(keys.len()) {
            self.settle();
            return self.add_all(keys, classes);
        }
        let mut outside = Vec::new();
        for (key, class) in keys.iter().zip(classes) {
            self.first = self.first.min(*key);
            self.last = self.last.max(*key);
            if !dense.add(*key, *class) {
                outside.push((*key, *class));
            }
        }
        if dense.occupied_bins() > self.limits.max_bins as usize {
            self.settle();
        }
        for (key, class) in outside {
            self.pend(key, class);
        }
    }

    fn pend(&mut self, key: u64, class: u8) {
        self.pending.push((key, class));
        if self.pending.len() >= FEWEST_PENDING.max(PENDING_PER_BIN * self.limits.max_bins as usize)
        {
            self.settle();
            self.index_densely();
        }
    }

    /// Adds `rows` rows with the number `key` stands for, at the price of a merge.
    pub fn add_rows(&mut self, key: u64, class: u8, rows: u64) {
        if rows > 0 {
            let entry = Entry {
                bin: key,
                class,
                count: rows,
                dropped: 0,
            };
            self.merge_entries(0, self.limits, vec![entry], Some((key, key)));
        }
    }

    /// Adds what another digest holds, given as its level, its entries ascending, and its range of keys.
    pub fn merge_entries(
        &mut self,
        level: u8,
        limits: DigestLimits,
        mut entries: Vec<Entry>,
        range: Option<(u64, u64)>,
    ) {
        self.settle();
        self.empty_dense();
        self.limits = self.limits.meet(limits);
        if let Some((first, last)) = range {
            self.first = self.first.min(first);
            self.last = self.last.max(last);
        }
        let target = self.level.max(level).max(self.limits.min_level);
        coarsen(&mut entries, level, target);
        self.raise_to(target);
        self.entries = merged(std::mem::take(&mut self.entries), entries);
        self.enforce_limit();
    }

    /// Adds another digest.
    pub fn merge(&mut self, other: &mut Self) {
        let range = other.range();
        let limits = other.limits;
        let (level, entries) = other.entries();
        self.merge_entries(level, limits, entries.into_owned(), range);
    }

    /// What is left when the rows of a part are taken out again, at this digest's level.
    ///
    /// `part` must have been merged into this digest; rows that are not here are not taken.
    pub fn without(&mut self, part: &mut Self) -> Self {
        let (level, entries) = self.entries();
        let mut entries = entries.into_owned();
        let (part_level, taken) = part.entries();
        let mut taken = taken.into_owned();
        coarsen(&mut taken, part_level, level);
        let mut taken = taken.iter().peekable();
        entries.retain_mut(|entry| {
            while taken.next_if(|t| t.order() < entry.order()).is_some() {}
            if let Some(out) = taken.next_if(|t| t.order() == entry.order()) {
                entry.count = entry.count.saturating_sub(out.count);
                entry.dropped = entry.dropped.saturating_sub(out.dropped);
            }
            entry.count > 0
        });
        Self {
            level,
            entries,
            first: self.first,
            last: self.last,
            ..Self::new(self.limits)
        }
    }

    /// The level and the entries, ascending by bin and class: the canonical content.
    pub fn entries(&mut self) -> (u8, Cow<'_, [Entry]>) {
        self.settle();
        let entries = match &self.dense {
            None => Cow::Borrowed(self.entries.as_slice()),
            Some(dense) => Cow::Owned(merged(dense.entries().collect(), self.entries.clone())),
        };
        (self.level, entries)
    }

    /// Memory and resolution bounds.
    pub fn limits(&self) -> DigestLimits {
        self.limits
    }

    /// Keys of the smallest and the largest number.
    pub fn range(&self) -> Option<(u64, u64)> {
        (self.first <= self.last).then_some((self.first, self.last))
    }

    /// Bytes on the heap; constant time.
    #[inline]
    pub fn heap_size(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
            + self.pending.capacity() * size_of::<(u64, u8)>()
            + self.dense.as_ref().map_or(0, |d| d.heap_size())
    }

    /// Sorts the pending rows in and raises the level as far as the limit asks.
    fn settle(&mut self) {
        if !self.pending.is_empty() {
            self.pending.sort_unstable();
            let rows = collapse(&self.pending, self.level);
            self.pending.clear();
            if let Some(dense) = &mut self.dense {
                rows.iter().for_each(|entry| dense.mark(entry.bin));
            }
            self.entries = merged(std::mem::take(&mut self.entries), rows);
        }
        if self
            .dense
            .as_ref()
            .is_some_and(|dense| dense.has_no_room_for(MOST_AT_ONCE))
        {
            self.empty_dense();
        }
        self.enforce_limit();
    }

    fn empty_dense(&mut self) {
        if let Some(dense) = self.dense.take() {
            self.entries = merged(dense.entries().collect(), std::mem::take(&mut self.entries));
        }
    }

    fn enforce_limit(&mut self) {
        let most = self.limits.max_bins as usize;
        while let Some(mut dense) = self.dense.take() {
            let outside = distinct(self.entries.iter().filter(|e| !dense.holds(e.bin)));
            if dense.occupied_bins() + outside <= most {
                self.dense = Some(dense);
                return;
            }
            self.entries
                .iter_mut()
                .for_each(|e| e.raise_from(self.level));
            add_up(&mut self.entries);
            self.level += 1;
            dense.raise();
            self.entries.iter().for_each(|e| dense.mark(e.bin));
            if self.level <= HIGHEST_DENSE_LEVEL {
                self.dense = Some(dense);
            } else {
                self.entries = merged(dense.entries().collect(), std::mem::take(&mut self.entries));
            }
        }
        let target = self.level + levels_needed(&self.entries, most);
        self.raise_to(target);
    }

    fn raise_to(&mut self, level: u8) {
        coarsen(&mut self.entries, self.level, level);
        self.level = level;
    }

    /// Builds the table where most rows fall, once the level is known not to be 0.
    fn index_densely(&mut self) {
        if self.dense.is_some() || self.level == 0 || self.level > HIGHEST_DENSE_LEVEL {
            return;
        }
        let most = DENSE_SPAN * self.limits.max_bins as usize;
        let bins = self.entries.iter().map(|entry| (entry.bin, entry.count));
        let Some((base, span)) = busiest_span(bins, most as u64) else {
            return;
        };
        let mut classes: Vec<u8> = self.entries.iter().map(|entry| entry.class).collect();
        classes.sort_unstable();
        classes.dedup();
        let mut dense = Dense::new(base, span as usize, self.level, &classes);
        self.entries.retain(|entry| !dense.absorb(entry));
        self.entries.iter().for_each(|entry| dense.mark(entry.bin));
        self.entries.shrink_to_fit();
        self.pending = Vec::new();
        self.dense = Some(Box::new(dense));
    }
}

/// Entries of sorted rows.
fn collapse(sorted: &[(u64, u8)], level: u8) -> Vec<Entry> {
    let mut entries: Vec<Entry> = sorted
        .iter()
        .map(|&(key, class)| Entry {
            bin: key >> level,
            class,
            count: 1,
            dropped: u128::from(key & low_bits(level)),
        })
        .collect();
    add_up(&mut entries);
    entries
}

/// Adds up entries of the same bin and class. Bins ascend already; classes within a bin need not.
fn add_up(entries: &mut Vec<Entry>) {
    let mut bins = entries.chunk_by_mut(|a, b| a.bin == b.bin);
    let sorted = |bin: &[Entry]| bin.is_sorted_by(|a, b| a.class < b.class);
    if bins.all(|bin| sorted(bin)) {
        return;
    }
    for bin in entries.chunk_by_mut(|a, b| a.bin == b.bin) {
        bin.sort_unstable_by_key(|entry| entry.class);
    }
    entries.dedup_by(|later, kept| {
        let same = later.order() == kept.order();
        if same {
            kept.add(later);
        }
        same
    });
}

fn coarsen(entries: &mut Vec<Entry>, from: u8, to: u8) {
    if to > from {
        entries.iter_mut().for_each(|e| e.raise_to(from, to));
        add_up(entries);
    }
}

/// Two ascending lists as one.
fn merged(a: Vec<Entry>, b: Vec<Entry>) -> Vec<Entry> {
    if a.is_empty() {
        return b;
    }
    if b.is_empty() {
        return a;
    }
    let mut all = Vec::with_capacity(a.len() + b.len());
    let (mut left, mut right) = (a.into_iter().peekable(), b.into_iter().peekable());
    while let (Some(l), Some(r)) = (left.peek().copied(), right.peek().copied()) {
        if l.order() <= r.order() {
            left.next();
        }
        if r.order() <= l.order() {
            right.next();
        }
        all.push(match l.order().cmp(&r.order()) {
            std::cmp::Ordering::Less => l,
            std::cmp::Ordering::Greater => r,
            std::cmp::Ordering::Equal => {
                let mut both = l;
                both.add(&r);
                both
            }
        });
    }
    all.extend(left);
    all.extend(right);
    all
}

fn distinct<'a>(entries: impl Iterator<Item = &'a Entry>) -> usize {
    let mut last = None;
    entries
        .filter(|e| last.replace(e.bin) != Some(e.bin))
        .count()
}

/// How many levels to rise so that at most `most` bins remain.
///
/// Two neighbouring bins fall together once every bit in which they differ is dropped.
fn levels_needed(entries: &[Entry], most: usize) -> u8 {
    let neighbours = entries.iter().zip(entries.iter().skip(1));
    let parted = neighbours.map(|(a, b)| a.bin ^ b.bin);
    least_level(parted.filter(|bits| *bits != 0).map(bits_of), most)
}

/// Bits up to the highest one that is set.
pub(super) fn bits_of(number: u64) -> usize {
    64 - number.leading_zeros() as usize
}

/// The level at which bins of different cells fall together.
pub(super) const NEVER: usize = 65;

/// The lowest level at which at most `most` bins remain, of ascending bins with, for each two neighbours, the level at which they
/// fall together.
pub(super) fn least_level(parted_below: impl Iterator<Item = usize>, most: usize) -> u8 {
    let mut parted = [0usize; NEVER + 1];
    for level in parted_below {
        if let Some(count) = parted.get_mut(level) {
            *count += 1;
        }
    }
    let mut bins = 1;
    let mut levels = 64u8;
    for (level, parted) in parted.iter().enumerate().skip(1).rev() {
        bins += parted;
        if bins > most {
            return (level as u8).min(64);
        }
        levels = (level as u8 - 1).min(64);
    }
    levels
}

/// First bin and length of the range of at most `most` bins that holds the most rows, of bins in ascending order with their rows.
pub(super) fn busiest_span(
    bins: impl Iterator<Item = (u64, u64)> + Clone,
    most: u64,
) -> Option<(u64, u64)> {
    let (mut left, mut rows) = (bins.clone().peekable(), 0u64);
    let mut best: Option<(u64, u64, u64)> = None;
    for (bin, count) in bins {
        rows = rows.saturating_add(count);
        while let Some((_, out)) = left.next_if(|(first, _)| bin - first >= most) {
            rows = rows.saturating_sub(out);
        }
        let base = left.peek().map_or(bin, |(first, _)| *first);
        if best.is_none_or(|(_, _, busiest)| rows > busiest) {
            best = Some((base, bin - base + 1, rows));
        }
    }
    best.map(|(base, span, _)| (base, span))
}
