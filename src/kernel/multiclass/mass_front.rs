//! The directly indexed part of a digest of masses: the path that most rows of a large chunk take.
use super::super::digest::busiest_span;
use super::mass_digest::{MOST_ROWS_OF_SLOT, MassRows, Masses, PREDICTIONS, Slot, square};

/// The front may be so many times as long as the digest has entries.
const SPAN: u64 = 2;

/// A quarter of a cache line.
#[derive(Debug, Clone, Copy, Default)]
struct FrontSlot {
    positives: u64,
    /// Rows in the low 16 bits, the sum of squares in the others.
    squares_and_rows: u64,
}

/// What came before a row that was the first of its slot.
#[derive(Debug)]
pub(super) enum First {
    /// So many rows that no more would fit, which are to be kept elsewhere now.
    AfterFull(Slot),
    OfKnownBin,
    OfNewBin,
}

/// Sums of the bins `base ..` at one level, for each prediction that occurs.
#[derive(Debug, Clone)]
pub(super) struct MassFront {
    base: u64,
    span: usize,
    level: u8,
    /// Whether the digest counts a bin, by prediction.
    is_open: [Vec<bool>; PREDICTIONS as usize],
    /// By prediction, then bin, up to the last prediction that occurs.
    slots: Vec<FrontSlot>,
}

impl MassFront {
    /// An empty front where most rows of these entries fall; `None` where there are none.
    pub fn of(entries: &[Slot], level: u8) -> Option<Self> {
        let bins = entries.iter().map(|slot| {
            let [bin] = slot.bins;
            (bin, slot.sums.rows)
        });
        let (base, span) = busiest_span(bins, SPAN * entries.len() as u64)?;
        let mut front = Self {
            base,
            span: span as usize,
            level,
            is_open: Default::default(),
            slots: Default::default(),
        };
        for slot in entries {
            let [bin] = slot.bins;
            front.open(bin, slot.cell);
        }
        Some(front)
    }

    /// Takes over what an entry that is open holds; false where it does not fit.
    pub fn absorb(&mut self, entry: &Slot) -> bool {
        let [bin] = entry.bins;
        let at = bin.wrapping_sub(self.base) as usize;
        let sums = &entry.sums;
        if at >= self.span || sums.rows > u64::from(MOST_ROWS_OF_SLOT) {
            return false;
        }
        let place = usize::from(entry.cell) * self.span + at;
        match self.slots.get_mut(place) {
            Some(slot) if slot.rows() == 0 => {
                slot.positives = sums.positives as u64;
                slot.squares_and_rows = ((sums.squares as u64) << 16) + sums.rows;
                true
            }
            _ => false,
        }
    }

    /// Adds rows, and tells the positions of those that it does not take.
    pub fn add_all(&mut self, rows: &MassRows, behind: &mut Vec<usize>) {
        let sums = rows.units.iter().zip(rows.products);
        let each = rows.keys.iter().zip(rows.cells).zip(sums).enumerate();
        for (position, ((key, cell), (p, product))) in each {
            if !self.add(*key, *cell, *p, square(*product)) {
                behind.push(position);
            }
        }
    }

    /// Adds a row; false where its slot is not open or holds all it can.
    #[inline(always)]
    pub fn add(&mut self, key: u64, cell: u8, p: u64, square: u64) -> bool {
        let at = (key >> self.level).wrapping_sub(self.base) as usize;
        if at >= self.span {
            return false;
        }
        let slot = self.slots.get_mut(usize::from(cell) * self.span + at);
        // a slot without rows may not be open
        match slot.filter(|slot| (slot.rows() > 0) & (slot.rows() < MOST_ROWS_OF_SLOT)) {
            Some(slot) => slot.add(p, square),
            None => return false,
        }
        true
    }

    /// Adds a row where [`Self::add`] does not, unless the front has no slot for it.
    pub fn add_first(&mut self, key: u64, cell: u8, p: u64, square: u64) -> Option<First> {
        let bin = key >> self.level;
        let at = bin.wrapping_sub(self.base) as usize;
        let is_open = self.open(bin, cell)?;
        let slot = self.slots.get_mut(usize::from(cell) * self.span + at)?;
        let held = std::mem::take(slot);
        slot.add(p, square);
        Some(match (held.rows() > 0, is_open) {
            (true, _) => First::AfterFull(held.of(bin, cell)),
            (false, true) => First::OfKnownBin,
            (false, false) => First::OfNewBin,
        })
    }

    /// Notes that the digest counts a bin, and tells whether it did before; `None` outside the front.
    fn open(&mut self, bin: u64, cell: u8) -> Option<bool> {
        let at = bin.wrapping_sub(self.base) as usize;
        let is_open = self.is_open.get_mut(usize::from(cell))?;
        if is_open.is_empty() && at < self.span {
            *is_open = vec![false; self.span];
            let up_to = self.span * (usize::from(cell) + 1);
            let slots = self.slots.len().max(up_to);
            self.slots.resize(slots, FrontSlot::default());
        }
        Some(std::mem::replace(is_open.get_mut(at)?, true))
    }

    /// What the front holds, ascending.
    pub fn entries(&self) -> impl Iterator<Item = Slot> + '_ {
        (0..self.span).flat_map(move |at| {
            (0..PREDICTIONS).filter_map(move |cell| {
                let slot = self.slots.get(usize::from(cell) * self.span + at)?;
                (slot.rows() > 0).then(|| slot.of(self.base + at as u64, cell))
            })
        })
    }

    pub fn heap_size(&self) -> usize {
        let open: usize = self.is_open.iter().map(Vec::capacity).sum();
        size_of::<Self>() + self.slots.capacity() * size_of::<FrontSlot>() + open
    }
}

impl FrontSlot {
    #[inline]
    fn rows(self) -> u16 {
        self.squares_and_rows as u16
    }

    #[inline]
    fn add(&mut self, p: u64, square: u64) {
        self.positives += p;
        self.squares_and_rows += (square << 16) + 1;
    }

    fn of(self, bin: u64, cell: u8) -> Slot {
        Slot {
            bins: [bin],
            cell,
            sums: Masses {
                rows: u64::from(self.rows()),
                positives: u128::from(self.positives),
                squares: u128::from(self.squares_and_rows >> 16),
            },
        }
    }
}
