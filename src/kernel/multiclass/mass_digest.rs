//! The expected positives of a class by its score: a digest whose bins carry sums of probabilities.
use std::borrow::Cow;

use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::{DigestLimits, NEVER, bits_of, least_level};
use super::super::digest_bytes::disordered;
use super::super::exact_block::WHOLE;
use super::super::key_table::{
    CellSum, Entry, HIGHEST_LEVEL, RowSums, add_up, read_entries, write_entries,
};
use super::mass_front::{First, MassFront};

/// Bits of a unit. Sums of units are exact, whatever their order, and a unit is as fine as a double near 0.01; so many bits that
/// the sum of [`MOST_ROWS_OF_SLOT`] probabilities still fits into 64.
const UNIT_BITS: u32 = 48;
const UNIT: f64 = (1u64 << UNIT_BITS) as f64;
/// Bits that squares lose: only errors are made of them, and so their sum over a slot fits into 48.
const SQUARE_BITS: u32 = 16;
const SQUARE_UNIT: f64 = (1u64 << (UNIT_BITS - SQUARE_BITS)) as f64;
/// Rows whose probabilities can be added up in 64 bits.
pub(super) const MOST_ROWS_OF_SLOT: u16 = u16::MAX;
/// Rows are predicted to be of the class (1), of another (0) or nothing (2).
pub(super) const PREDICTIONS: u8 = 3;

/// A probability in units of 2^-48, the nearest.
#[inline(always)]
pub(super) fn units(p: f64) -> u64 {
    (p.clamp(0.0, 1.0) * UNIT + WHOLE).to_bits() - WHOLE.to_bits()
}

/// A sum of units as a number.
pub(super) fn number(units: u128) -> f64 {
    units as f64 / UNIT
}

/// The square of a probability, from its product with itself, in units of 2^-32.
#[inline]
pub(super) fn square(product: u64) -> u64 {
    product >> SQUARE_BITS
}

/// A sum of squares as a number.
pub(super) fn number_of_squares(squares: u128) -> f64 {
    squares as f64 / SQUARE_UNIT
}

/// A product of two probabilities in units, within one; as floats, of which processors multiply several at once.
#[inline(always)]
pub(super) fn product(p: u64, q: u64) -> u64 {
    let whole = |units: u64| f64::from_bits(units | WHOLE.to_bits()) - WHOLE;
    (whole(p) * (whole(q) / UNIT) + WHOLE).to_bits() - WHOLE.to_bits()
}

/// Rows of a bin and a prediction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Masses {
    pub rows: u64,
    /// Sum of probabilities in units, and of their [`square`]s.
    pub positives: u128,
    pub squares: u128,
}

impl RowSums for Masses {
    fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

impl CellSum for Masses {
    const LEAST_BYTES: usize = 3;

    fn add(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.positives = self.positives.saturating_add(other.positives);
        self.squares = self.squares.saturating_add(other.squares);
    }

    fn write(&self, w: &mut Writer) {
        w.uint(self.rows);
        w.wide(self.positives);
        w.wide(self.squares);
    }

    fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let masses = Self {
            rows: r.uint()?,
            positives: r.wide()?,
            squares: r.wide()?,
        };
        let most = u128::from(masses.rows) << UNIT_BITS;
        if masses.positives > most || masses.squares > masses.positives >> SQUARE_BITS {
            return Err(disordered());
        }
        Ok(masses)
    }
}

/// Rows of a bin of scores and a prediction.
pub(super) type Slot = Entry<1, Masses>;

/// A row that waits.
#[derive(Debug, Clone, Copy)]
struct Row {
    key: u64,
    p: u64,
    square: u64,
    cell: u8,
}

/// Rows, column by column and of equal length.
#[derive(Debug, Clone, Copy)]
pub(super) struct MassRows<'a> {
    /// Of the scores.
    pub keys: &'a [u64],
    /// Predictions, below [`PREDICTIONS`].
    pub cells: &'a [u8],
    /// Probabilities in units, and their products with themselves.
    pub units: &'a [u64],
    pub products: &'a [u64],
}

impl MassRows<'_> {
    fn row(&self, position: usize) -> Option<Row> {
        Some(Row {
            key: *self.keys.get(position)?,
            p: *self.units.get(position)?,
            square: square(*self.products.get(position)?),
            cell: *self.cells.get(position)?,
        })
    }
}

/// Rows that wait to be sorted, for each entry that a digest may have: so many show the level.
const PENDING_PER_ENTRY: usize = 2;
/// So many times as many entries as are kept in the end may be there until then: levels are raised seldom.
const OVERSHOOT: usize = 2;

/// Sums by score and prediction: entries ascend, their keys lose low bits until there are few enough. Levels nest, so what is
/// kept depends on the rows alone. Most rows of a large chunk are added in the directly indexed front.
#[derive(Debug, Clone)]
pub(super) struct MassDigest {
    limits: DigestLimits,
    level: u8,
    entries: Vec<Slot>,
    pending: Vec<Row>,
    front: Option<Box<MassFront>>,
    /// Slots of the front that `entries` do not have.
    opened: usize,
}

impl MassDigest {
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            limits,
            level: limits.min_level,
            entries: Vec::new(),
            pending: Vec::new(),
            front: None,
            opened: 0,
        }
    }

    /// Adds rows.
    pub fn add_all(&mut self, rows: &MassRows) {
        let mut behind = Vec::new();
        match &mut self.front {
            Some(front) => front.add_all(rows, &mut behind),
            None => behind.extend(0..rows.keys.len()),
        }
        let each = behind.iter().filter_map(|position| rows.row(*position));
        each.for_each(|row| self.add_behind(row));
    }

    /// Adds a row for which the front had no place.
    fn add_behind(&mut self, row: Row) {
        let (key, cell, p, square) = (row.key, row.cell, row.p, row.square);
        let front = self.front.as_mut();
        // a row before it may have made one
        if front.is_some_and(|front| front.add(key, cell, p, square)) {
            return;
        }
        let front = self.front.as_mut();
        if let Some(first) = front.and_then(|front| front.add_first(key, cell, p, square)) {
            match first {
                First::AfterFull(held) => self.entries.push(held),
                First::OfNewBin => self.opened += 1,
                First::OfKnownBin => (),
            }
            if self.entries.len() + self.opened > OVERSHOOT * self.limits.max_bins as usize {
                self.settle();
                self.index();
            }
            return;
        }
        self.pending.push(row);
        if self.pending.len() >= PENDING_PER_ENTRY * self.limits.max_bins as usize {
            self.settle();
            self.index();
        }
    }

    /// Moves everything into the entries and keeps the limit.
    fn settle(&mut self) {
        if let Some(front) = self.front.take() {
            self.entries.extend(front.entries());
        } else if self.pending.is_empty() && self.entries.len() <= self.limits.max_bins as usize {
            return;
        }
        self.opened = 0;
        let level = self.level;
        self.pending.sort_unstable_by_key(|row| (row.key, row.cell));
        self.entries.extend(self.pending.iter().map(|row| Slot {
            bins: [row.key >> level],
            cell: row.cell,
            sums: Masses {
                rows: 1,
                positives: u128::from(row.p),
                squares: u128::from(row.square),
            },
        }));
        self.pending = Vec::new();
        add_up(&mut self.entries);
        self.keep_limit();
    }

    fn keep_limit(&mut self) {
        if self.entries.len() <= self.limits.max_bins as usize {
            return;
        }
        let mut last = [None; PREDICTIONS as usize];
        let parted = self.entries.iter().map(|slot| {
            let [bin] = slot.bins;
            let before = last.get_mut(usize::from(slot.cell));
            let before = before.and_then(|last| last.replace(bin));
            before.map_or(NEVER, |before| bits_of(bin ^ before))
        });
        // before the first entry there is none
        let levels = least_level(parted.skip(1), self.limits.max_bins as usize);
        self.raise_to(self.level.saturating_add(levels).min(HIGHEST_LEVEL));
    }

    fn raise_to(&mut self, level: u8) {
        if level > self.level {
            let from = self.level;
            self.entries
                .iter_mut()
                .for_each(|slot| slot.raise(from, level));
            add_up(&mut self.entries);
            self.level = level;
        }
    }

    /// From now on most rows are found directly, once scores are no longer told apart to the last bit.
    fn index(&mut self) {
        if self.level == self.limits.min_level {
            return;
        }
        let Some(mut front) = MassFront::of(&self.entries, self.level) else {
            return;
        };
        let entries = self.entries.len();
        self.entries.retain(|slot| !front.absorb(slot));
        self.entries.shrink_to_fit();
        self.opened = entries - self.entries.len();
        self.front = Some(Box::new(front));
    }

    /// Bits that every key has lost, and the sums in order of their keys.
    pub fn content(&self) -> (u8, Cow<'_, [Slot]>) {
        let keeps_limit = self.entries.len() <= self.limits.max_bins as usize;
        if self.front.is_none() && self.pending.is_empty() && keeps_limit {
            return (self.level, Cow::Borrowed(&self.entries));
        }
        let mut settled = self.clone();
        settled.settle();
        (settled.level, Cow::Owned(settled.entries))
    }

    /// Adds the rows of another digest.
    pub fn merge(&mut self, other: &Self) {
        self.settle();
        self.limits = self.limits.meet(other.limits);
        let (level, entries) = other.content();
        self.raise_to(level.max(self.limits.min_level));
        let to = self.level;
        self.entries.extend(entries.iter().map(|slot| {
            let mut slot = *slot;
            slot.raise(level, to);
            slot
        }));
        add_up(&mut self.entries);
        self.keep_limit();
    }

    #[cfg(test)]
    pub fn has_front(&self) -> bool {
        self.front.is_some()
    }

    pub fn heap_size(&self) -> usize {
        let front = self.front.as_ref().map_or(0, |front| front.heap_size());
        self.entries.capacity() * size_of::<Slot>()
            + self.pending.capacity() * size_of::<Row>()
            + front
    }

    pub fn write(&mut self, w: &mut Writer) {
        self.settle();
        write_entries(w, self.limits, self.level, &self.entries);
    }

    /// Reads what [`Self::write`] wrote.
    pub fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let (limits, level, entries) = read_entries(r, PREDICTIONS)?;
        Ok(Self {
            level,
            entries,
            ..Self::new(limits)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::digest::DigestLimits;
    use super::*;

    fn digest(rows: &[(u64, f64)]) -> MassDigest {
        let mut digest = MassDigest::new(DigestLimits {
            max_bins: 16,
            min_level: 0,
        });
        for (key, p) in rows {
            let p = units(*p);
            digest.add_all(&MassRows {
                keys: &[*key],
                cells: &[(key % 3) as u8],
                units: &[p],
                products: &[product(p, p)],
            });
        }
        digest
    }

    #[test]
    fn what_is_kept_does_not_depend_on_order_or_parts() {
        let rows: Vec<(u64, f64)> = (0..400u64)
            .map(|i| (i * i * 7919 % 100_003, i as f64 / 400.0))
            .collect();
        let bytes = |mut digest: MassDigest| {
            let mut w = Writer::new(*b"TEST", 1);
            digest.write(&mut w);
            w.finish()
        };
        let whole = digest(&rows);
        let reversed: Vec<(u64, f64)> = rows.iter().rev().copied().collect();
        assert_eq!(bytes(whole.clone()), bytes(digest(&reversed)));
        for parts in [2, 5, 9] {
            let mut merged = digest(&[]);
            rows.chunks(parts)
                .for_each(|part| merged.merge(&digest(part)));
            assert_eq!(bytes(whole.clone()), bytes(merged), "{parts}");
        }
        let (level, entries) = whole.content();
        assert!(level > 0 && entries.len() <= 16);
        let total: u64 = entries.iter().map(|slot| slot.sums.rows).sum();
        assert_eq!(total, 400);
    }
}
