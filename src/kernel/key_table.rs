//! Sums of rows by their keys: a hash table whose keys lose low bits until its entries are few enough.
use super::KernelError;
use super::codec::{Reader, Writer};
use super::digest::DigestLimits;
use super::digest_bytes::{MOST_ROWS, disordered};
use super::key::low_bits;

/// So many of eight slots may be filled: three quarters are with as many entries as profiles usually have, 6,144 of 8,192.
const FILLED: usize = 7;
const LEAST_SLOTS: usize = 16;
/// Above this level a bin is all there is.
const HIGHEST_LEVEL: u8 = 63;

/// What is added up over the rows of a cell.
pub(super) trait CellSum: Copy + Default {
    /// The fewest bytes of it.
    const LEAST_BYTES: usize;

    /// Adds the sums of other rows.
    fn add(&mut self, other: &Self);

    /// Appends the sums.
    fn write(&self, w: &mut Writer);

    /// Reads what [`Self::write`] wrote; an error for sums that no rows have.
    fn read(r: &mut Reader) -> Result<Self, KernelError>;
}

/// What is added up over the rows of an entry whose keys lose bits.
pub(super) trait RowSums: CellSum {
    /// Whether no row was added.
    fn is_empty(&self) -> bool;

    /// Takes in that the first key of all rows loses bits from `level` on, whose value is `bits`.
    fn drop_bits(&mut self, _bits: u64, _level: u8) {}
}

/// How many rows an entry has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RowCount(pub u64);

impl RowSums for RowCount {
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl CellSum for RowCount {
    const LEAST_BYTES: usize = 1;

    fn add(&mut self, other: &Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    fn write(&self, w: &mut Writer) {
        w.uint(self.0);
    }

    fn read(r: &mut Reader) -> Result<Self, KernelError> {
        match r.uint()? {
            rows if rows <= MOST_ROWS => Ok(Self(rows)),
            _ => Err(disordered()),
        }
    }
}

/// Rows whose `KEYS` keys agree in the bits that are kept, and that belong to one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<const KEYS: usize, S> {
    /// What is kept of the keys.
    pub bins: [u64; KEYS],
    /// What else tells rows apart.
    pub cell: u8,
    pub sums: S,
}

impl<const KEYS: usize, S: RowSums> Entry<KEYS, S> {
    fn empty() -> Self {
        Self {
            bins: [0; KEYS],
            cell: 0,
            sums: S::default(),
        }
    }

    fn order(&self) -> ([u64; KEYS], u8) {
        (self.bins, self.cell)
    }

    fn hash(&self) -> u64 {
        let start = u64::from(self.cell) << 61;
        let mixed = self.bins.iter().fold(start, |hash, bin| {
            (hash ^ bin).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        mixed >> 32
    }

    fn raise(&mut self, from: u8, to: u8) {
        let by = to - from;
        let first = self.bins.first().copied().unwrap_or(0);
        self.sums.drop_bits(first & low_bits(by), from);
        self.bins = self.bins.map(|bin| bin >> by);
    }
}

/// Entries by the leading bits of their keys, as many bits as let at most `max_bins` entries be occupied: levels nest, so
/// what is kept depends on the rows alone, never on their order.
#[derive(Debug, Clone)]
pub(super) struct KeyTable<const KEYS: usize, S> {
    limits: DigestLimits,
    level: u8,
    slots: Vec<Entry<KEYS, S>>,
    occupied: usize,
}

impl<const KEYS: usize, S: RowSums> KeyTable<KEYS, S> {
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            limits,
            level: limits.min_level,
            slots: Vec::new(),
            occupied: 0,
        }
    }

    /// Bits that every key has lost.
    pub fn level(&self) -> u8 {
        self.level
    }

    pub fn limits(&self) -> DigestLimits {
        self.limits
    }

    /// Adds a row of these whole keys; what the first key loses is told to its sums.
    #[inline]
    pub fn add(&mut self, keys: [u64; KEYS], cell: u8, sums: S) {
        let mut entry = Entry {
            bins: keys,
            cell,
            sums,
        };
        entry.raise(0, self.level);
        self.put(entry);
    }

    #[inline]
    fn put(&mut self, entry: Entry<KEYS, S>) {
        if (self.occupied + 1) * 8 > self.slots.len() * FILLED {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = entry.hash() as usize & mask;
        while let Some(found) = self.slots.get_mut(at) {
            if found.sums.is_empty() {
                *found = entry;
                self.occupied += 1;
                break;
            }
            if found.order() == entry.order() {
                found.sums.add(&entry.sums);
                return;
            }
            at = (at + 1) & mask;
        }
        if self.occupied > self.limits.max_bins as usize {
            self.raise();
        }
    }

    fn take(&mut self, slots: usize) -> impl Iterator<Item = Entry<KEYS, S>> + use<KEYS, S> {
        let old = std::mem::replace(&mut self.slots, vec![Entry::empty(); slots]);
        self.occupied = 0;
        old.into_iter().filter(|entry| !entry.sums.is_empty())
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(LEAST_SLOTS);
        self.take(slots).for_each(|entry| self.put(entry));
    }

    /// Drops bits until the limit is kept.
    fn raise(&mut self) {
        if self.occupied > self.limits.max_bins as usize {
            let level = match self.level == self.limits.min_level {
                true => self.least_level(),
                false => self.level.saturating_add(1),
            };
            self.raise_to(level.min(HIGHEST_LEVEL));
        }
    }

    /// The lowest level above this one that keeps the limit. The first rows of a table tell one another apart by so many bits
    /// that going up one by one would be most of the work; later it is the next level.
    fn least_level(&self) -> u8 {
        let entries = self.slots.iter().filter(|entry| !entry.sums.is_empty());
        let orders: Vec<([u64; KEYS], u8)> = entries.map(Entry::order).collect();
        let mut raised = orders.clone();
        let mut keeps_limit = |level: u8| {
            let by = level - self.level;
            let all = raised.iter_mut().zip(&orders);
            all.for_each(|(raised, (bins, cell))| *raised = (bins.map(|bin| bin >> by), *cell));
            raised.sort_unstable();
            let changes = raised.windows(2).filter(|pair| pair.first() != pair.last());
            changes.count() < self.limits.max_bins as usize
        };
        let (mut low, mut high) = (self.level.saturating_add(1), HIGHEST_LEVEL);
        if low >= high || keeps_limit(low) {
            return low.min(high);
        }
        while low + 1 < high {
            let middle = low.midpoint(high);
            match keeps_limit(middle) {
                true => high = middle,
                false => low = middle,
            }
        }
        high
    }

    fn raise_to(&mut self, level: u8) {
        let from = self.level;
        if level <= from {
            return;
        }
        self.level = level;
        let slots = self.slots.len();
        for mut entry in self.take(slots) {
            entry.raise(from, level);
            self.put(entry);
        }
    }

    /// The entries in order of their keys.
    pub fn entries(&self) -> Vec<Entry<KEYS, S>> {
        let slots = self.slots.iter().filter(|entry| !entry.sums.is_empty());
        let mut entries: Vec<Entry<KEYS, S>> = slots.copied().collect();
        entries.sort_unstable_by_key(Entry::order);
        entries
    }

    /// Adds the rows of another table.
    pub fn merge(&mut self, other: &Self) {
        self.limits = self.limits.meet(other.limits);
        self.raise_to(other.level.max(self.limits.min_level));
        for mut entry in other.entries() {
            // the level may rise on the way
            entry.raise(other.level, self.level.max(other.level));
            self.put(entry);
        }
        self.raise();
    }

    pub fn heap_size(&self) -> usize {
        self.slots.capacity() * size_of::<Entry<KEYS, S>>()
    }

    pub fn write(&self, w: &mut Writer) {
        let entries = self.entries();
        w.uint(u64::from(self.limits.max_bins));
        w.uint(u64::from(self.limits.min_level));
        w.uint(u64::from(self.level));
        w.uint(entries.len() as u64);
        let mut before = 0;
        for entry in entries {
            for (position, bin) in entry.bins.into_iter().enumerate() {
                // only the first keys ascend
                w.uint(if position == 0 { bin - before } else { bin });
            }
            before = entry.bins.first().copied().unwrap_or(0);
            w.uint(u64::from(entry.cell));
            entry.sums.write(w);
        }
    }

    /// Reads what [`Self::write`] wrote of rows of `cells` cells.
    pub fn read(r: &mut Reader, cells: u8) -> Result<Self, KernelError> {
        let small = |n: u64| u8::try_from(n).map_err(|_| disordered());
        let limits = DigestLimits {
            max_bins: u32::try_from(r.uint()?).map_err(|_| disordered())?,
            min_level: small(r.uint()?)?,
        };
        let level = small(r.uint()?)?;
        let bins = (DigestLimits::FEWEST_BINS..=DigestLimits::MOST_BINS).contains(&limits.max_bins);
        if !bins || level < limits.min_level || level > HIGHEST_LEVEL {
            return Err(disordered());
        }
        let mut table = Self {
            level,
            ..Self::new(limits)
        };
        let mut before: u64 = 0;
        for _ in 0..r.length(1 + KEYS + S::LEAST_BYTES)? {
            let mut bins = [0; KEYS];
            for (position, bin) in bins.iter_mut().enumerate() {
                let base = if position == 0 { before } else { 0 };
                *bin = r.uint()?.checked_add(base).ok_or_else(disordered)?;
            }
            before = bins.first().copied().unwrap_or(0);
            let entry = Entry {
                bins,
                cell: small(r.uint()?)?,
                sums: S::read(r)?,
            };
            let fits = bins.iter().all(|bin| *bin <= u64::MAX >> level) && entry.cell < cells;
            if !fits || entry.sums.is_empty() {
                return Err(disordered());
            }
            table.put(entry);
        }
        match table.level == level {
            true => Ok(table),
            false => Err(disordered()),
        }
    }
}
