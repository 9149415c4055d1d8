//! Sums of rows by their keys: a hash table whose keys lose low bits until its entries are few enough.
use super::KernelError;
use super::codec::{Reader, Writer};
use super::digest::{DigestLimits, NEVER, bits_of, least_level};
use super::digest_bytes::{MOST_ROWS, disordered};
use super::key::low_bits;

/// So many of eight slots may be filled: three quarters are with as many entries as profiles usually have, 6,144 of 8,192.
const FILLED: usize = 7;
const LEAST_SLOTS: usize = 16;
/// A table raises its level when it has so many times as many entries as are kept in the end: the first rows tell one another
/// apart by so many bits that keeping the limit at all times would be most of the work.
const OVERSHOOT: usize = 2;
/// Above this level a bin is all there is.
pub(super) const HIGHEST_LEVEL: u8 = 63;

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

    /// Entries ascend by this.
    pub fn order(&self) -> ([u64; KEYS], u8) {
        (self.bins, self.cell)
    }

    fn hash(&self) -> u64 {
        let start = u64::from(self.cell) << 61;
        let mixed = self.bins.iter().fold(start, |hash, bin| {
            (hash ^ bin).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        mixed >> 32
    }

    /// Drops the bits from one level to the other.
    pub fn raise(&mut self, from: u8, to: u8) {
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
        match self.keeps_limit() {
            true => self.level,
            false => self.least_level(),
        }
    }

    fn keeps_limit(&self) -> bool {
        self.occupied <= self.limits.max_bins as usize
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
        if self.occupied > OVERSHOOT * self.limits.max_bins as usize {
            self.raise_to(self.least_level());
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

    /// The lowest level that keeps the limit.
    fn least_level(&self) -> u8 {
        let entries = self.slots.iter().filter(|entry| !entry.sums.is_empty());
        let mut orders: Vec<([u64; KEYS], u8)> = entries.map(Entry::order).collect();
        orders.sort_unstable_by(|(a, a_cell), (b, b_cell)| {
            a_cell.cmp(b_cell).then_with(|| nested_order(a, b))
        });
        let neighbours = orders.iter().zip(orders.iter().skip(1));
        let parted = neighbours.map(|((a, a_cell), (b, b_cell))| match a_cell == b_cell {
            true => bits_of(a.iter().zip(b).fold(0, |bits, (a, b)| bits | (a ^ b))),
            false => NEVER,
        });
        let levels = least_level(
            parted.map(|level| level.min(65)),
            self.limits.max_bins as usize,
        );
        self.level.saturating_add(levels).min(HIGHEST_LEVEL)
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
        if !self.keeps_limit() {
            let level = self.least_level();
            entries
                .iter_mut()
                .for_each(|entry| entry.raise(self.level, level));
        }
        add_up(&mut entries);
        entries
    }

    /// Adds the rows of another table.
    pub fn merge(&mut self, other: &Self) {
        self.limits = self.limits.meet(other.limits);
        let level = other.level();
        self.raise_to(level.max(self.limits.min_level));
        for mut entry in other.entries() {
            // the level may rise on the way
            entry.raise(level, self.level.max(level));
            self.put(entry);
        }
    }

    pub fn heap_size(&self) -> usize {
        self.slots.capacity() * size_of::<Entry<KEYS, S>>()
    }

    pub fn write(&self, w: &mut Writer) {
        write_entries(w, self.limits, self.level(), &self.entries());
    }

    /// Reads what [`Self::write`] wrote of rows of `cells` cells.
    pub fn read(r: &mut Reader, cells: u8) -> Result<Self, KernelError> {
        let (limits, level, entries) = read_entries(r, cells)?;
        let slots = (entries.len() * 8).div_ceil(FILLED).next_power_of_two();
        let mut table = Self {
            limits,
            level,
            slots: vec![Entry::empty(); slots.max(LEAST_SLOTS)],
            occupied: 0,
        };
        entries.into_iter().for_each(|entry| table.put(entry));
        Ok(table)
    }
}

/// Sorts entries and adds up those of equal keys and cells.
pub(super) fn add_up<const KEYS: usize, S: RowSums>(entries: &mut Vec<Entry<KEYS, S>>) {
    // sorted parts are merged, not sorted again
    entries.sort_by_key(Entry::order);
    entries.dedup_by(|later, kept| {
        let same = later.order() == kept.order();
        if same {
            kept.sums.add(&later.sums);
        }
        same
    });
}

/// Writes ascending entries at a level.
pub(super) fn write_entries<const KEYS: usize, S: RowSums>(
    w: &mut Writer,
    limits: DigestLimits,
    level: u8,
    entries: &[Entry<KEYS, S>],
) {
    w.uint(u64::from(limits.max_bins));
    w.uint(u64::from(limits.min_level));
    w.uint(u64::from(level));
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

/// Limits, level and ascending entries.
type Read<const KEYS: usize, S> = (DigestLimits, u8, Vec<Entry<KEYS, S>>);

/// Reads what [`write_entries`] wrote of rows of `cells` cells.
pub(super) fn read_entries<const KEYS: usize, S: RowSums>(
    r: &mut Reader,
    cells: u8,
) -> Result<Read<KEYS, S>, KernelError> {
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
    let count = r.length(1 + KEYS + S::LEAST_BYTES)?;
    let mut entries: Vec<Entry<KEYS, S>> = Vec::with_capacity(count);
    for _ in 0..count {
        let before = entries.last().map_or([0; KEYS], |entry| entry.bins);
        let mut bins = [0; KEYS];
        for (position, (bin, before)) in bins.iter_mut().zip(before).enumerate() {
            let base = if position == 0 { before } else { 0 };
            *bin = r.uint()?.checked_add(base).ok_or_else(disordered)?;
        }
        let entry = Entry {
            bins,
            cell: small(r.uint()?)?,
            sums: S::read(r)?,
        };
        let fits = bins.iter().all(|bin| *bin <= u64::MAX >> level) && entry.cell < cells;
        let ascends = entries
            .last()
            .is_none_or(|last| last.order() < entry.order());
        if !fits || !ascends || entry.sums.is_empty() {
            return Err(disordered());
        }
        entries.push(entry);
    }
    match entries.len() <= limits.max_bins as usize {
        true => Ok((limits, level, entries)),
        false => Err(disordered()),
    }
}

/// An order in which keys that fall together when all of them lose low bits are neighbours: that of their bits in turns
/// (G. M. Morton 1966, A computer oriented geodetic data base), which the key decides whose highest differing bit is highest.
fn nested_order<const KEYS: usize>(a: &[u64; KEYS], b: &[u64; KEYS]) -> std::cmp::Ordering {
    let mut decides = (0, std::cmp::Ordering::Equal);
    for (a, b) in a.iter().zip(b) {
        if bits_of(a ^ b) > decides.0 {
            decides = (bits_of(a ^ b), a.cmp(b));
        }
    }
    decides.1
}
