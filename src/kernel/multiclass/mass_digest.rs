//! The expected positives of a class by its score: a digest whose bins carry sums of probabilities.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::digest_bytes::disordered;

/// A probability as a whole number: sums are exact, whatever their order.
const UNIT: f64 = (1u64 << 62) as f64;
/// Share of the table that may be full.
const FILLED: usize = 2;
const LEAST_SLOTS: usize = 16;
/// Above this level a bin is all there is.
const HIGHEST_LEVEL: u8 = 63;

/// A probability in units of 2^-62.
#[inline]
pub(super) fn units(p: f64) -> u64 {
    (p.clamp(0.0, 1.0) * UNIT) as u64
}

/// A sum of units as a number.
pub(super) fn number(units: u128) -> f64 {
    units as f64 / UNIT
}

/// A product of two probabilities in units.
#[inline]
pub(super) fn product(p: u64, q: u64) -> u128 {
    (u128::from(p) * u128::from(q)) >> 62
}

/// Rows of a bin that are predicted to be of the class (1), of another (0) or nothing (2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slot {
    pub bin: u64,
    pub predicted: u8,
    /// 0 where the slot is empty.
    pub rows: u64,
    /// Sum of probabilities, and of their squares.
    pub positives: u128,
    pub squares: u128,
}

impl Slot {
    fn order(&self) -> (u64, u8) {
        (self.bin, self.predicted)
    }

    fn add(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.positives = self.positives.saturating_add(other.positives);
        self.squares = self.squares.saturating_add(other.squares);
    }
}

/// Sums by the leading bits of the key, as many as let at most `max_bins` slots be occupied: levels nest, so what is kept
/// depends on the rows alone.
#[derive(Debug, Clone)]
pub(super) struct MassDigest {
    limits: DigestLimits,
    level: u8,
    slots: Vec<Slot>,
    occupied: usize,
}

impl MassDigest {
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

    /// Adds a row.
    #[inline]
    pub fn add(&mut self, key: u64, predicted: u8, p: u64) {
        self.put(Slot {
            bin: key >> self.level,
            predicted,
            rows: 1,
            positives: u128::from(p),
            squares: product(p, p),
        });
    }

    #[inline]
    fn put(&mut self, slot: Slot) {
        if (self.occupied + 1) * FILLED > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let hash = (slot.bin ^ u64::from(slot.predicted) << 61).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut at = (hash >> 32) as usize & mask;
        while let Some(found) = self.slots.get_mut(at) {
            if found.rows == 0 {
                *found = slot;
                self.occupied += 1;
                break;
            }
            if found.order() == slot.order() {
                found.add(&slot);
                return;
            }
            at = (at + 1) & mask;
        }
        if self.occupied > self.limits.max_bins as usize {
            self.raise();
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(LEAST_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); slots]);
        self.occupied = 0;
        old.into_iter()
            .filter(|slot| slot.rows > 0)
            .for_each(|slot| self.put(slot));
    }

    /// Drops bits until the limit is kept.
    fn raise(&mut self) {
        while self.occupied > self.limits.max_bins as usize && self.level < HIGHEST_LEVEL {
            self.raise_to(self.level + 1);
        }
    }

    fn raise_to(&mut self, level: u8) {
        let by = level.saturating_sub(self.level);
        if by == 0 {
            return;
        }
        self.level = level;
        let slots = self.slots.len();
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); slots]);
        self.occupied = 0;
        for mut slot in old.into_iter().filter(|slot| slot.rows > 0) {
            slot.bin >>= by;
            self.put(slot);
        }
    }

    /// The slots in order.
    pub fn entries(&self) -> Vec<Slot> {
        let mut entries: Vec<Slot> = self
            .slots
            .iter()
            .filter(|slot| slot.rows > 0)
            .copied()
            .collect();
        entries.sort_unstable_by_key(Slot::order);
        entries
    }

    /// Adds another digest.
    pub fn merge(&mut self, other: &Self) {
        self.limits = self.limits.meet(other.limits);
        self.raise_to(other.level.max(self.limits.min_level));
        for mut slot in other.entries() {
            // the level may rise on the way
            slot.bin >>= self.level.saturating_sub(other.level);
            self.put(slot);
        }
        self.raise();
    }

    pub fn heap_size(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    pub fn write(&self, w: &mut Writer) {
        let entries = self.entries();
        w.uint(u64::from(self.limits.max_bins));
        w.uint(u64::from(self.limits.min_level));
        w.uint(u64::from(self.level));
        w.uint(entries.len() as u64);
        let mut before = 0;
        for slot in entries {
            w.uint(slot.bin - before);
            w.uint(u64::from(slot.predicted));
            w.uint(slot.rows);
            w.wide(slot.positives);
            w.wide(slot.squares);
            before = slot.bin;
        }
    }

    pub fn read(r: &mut Reader) -> Result<Self, KernelError> {
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
        let mut digest = Self {
            level,
            ..Self::new(limits)
        };
        let mut before: u64 = 0;
        for _ in 0..r.length(5)? {
            before = before.checked_add(r.uint()?).ok_or_else(disordered)?;
            let slot = Slot {
                bin: before,
                predicted: small(r.uint()?)?,
                rows: r.uint()?,
                positives: r.wide()?,
                squares: r.wide()?,
            };
            let fits = slot.bin <= u64::MAX >> level && slot.predicted < 3 && slot.rows > 0;
            let most = u128::from(slot.rows) << 62;
            if !fits || slot.positives > most || slot.squares > slot.positives {
                return Err(disordered());
            }
            digest.put(slot);
        }
        match digest.level == level {
            true => Ok(digest),
            false => Err(disordered()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[(u64, f64)]) -> MassDigest {
        let mut digest = MassDigest::new(DigestLimits {
            max_bins: 16,
            min_level: 0,
        });
        rows.iter()
            .for_each(|(key, p)| digest.add(*key, (key % 2) as u8, units(*p)));
        digest
    }

    #[test]
    fn what_is_kept_does_not_depend_on_order_or_parts() {
        let rows: Vec<(u64, f64)> = (0..400u64)
            .map(|i| (i * i * 7919 % 100_003, i as f64 / 400.0))
            .collect();
        let bytes = |digest: &MassDigest| {
            let mut w = Writer::new(*b"TEST", 1);
            digest.write(&mut w);
            w.finish()
        };
        let whole = digest(&rows);
        let reversed: Vec<(u64, f64)> = rows.iter().rev().copied().collect();
        assert_eq!(bytes(&whole), bytes(&digest(&reversed)));
        for parts in [2, 5, 9] {
            let mut merged = digest(&[]);
            rows.chunks(parts)
                .for_each(|part| merged.merge(&digest(part)));
            assert_eq!(bytes(&whole), bytes(&merged), "{parts}");
        }
        assert!(whole.level() > 0 && whole.entries().len() <= 16);
        let total: u64 = whole.entries().iter().map(|slot| slot.rows).sum();
        assert_eq!(total, 400);
    }
}
