//! How two classes go together, directly indexed: expected and realized sums of a pair of ranges lie in one cache line.
use super::super::key_table::RowCount;
use super::expected_joint::{ExpectedJoint, Sums};
use super::joint::{Joint, JointCell, MOST_PAIRED, RANGES};
use super::mass_digest::MOST_ROWS_OF_SLOT;

/// So many ranges of each class have a place: scores of most classifiers have 40 to 60.
const PLACES: usize = 64;
/// A range without a place.
pub(super) const NO_PLACE: u8 = PLACES as u8;
/// A range that has not been asked for.
const UNKNOWN: u8 = u8::MAX;

/// What a row says of two classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairRow {
    /// Of the ranges of both scores.
    pub places: (u8, u8),
    /// Of both classes, and their product; in units.
    pub units: [u64; 3],
    pub label: Option<u16>,
}

/// A cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct PairSlot {
    /// Of both classes, and their product.
    units: [u64; 3],
    labelled: [u16; MOST_PAIRED],
    rows: u16,
}

/// Sums for every two classes and the first [`PLACES`] ranges of each that occur.
#[derive(Debug, Clone)]
pub(super) struct PairFront {
    /// Place of each range, by class.
    places: Vec<u8>,
    /// Ranges in order of their places, by class.
    ranges: Vec<Vec<u16>>,
    pairs: Vec<(usize, usize)>,
    /// By pair, place of the first class, place of the second.
    slots: Vec<PairSlot>,
}

impl PairFront {
    /// Of at most [`MOST_PAIRED`] classes.
    pub fn new(classes: usize) -> Self {
        let pairs = (0..classes).flat_map(|k| (k + 1..classes).map(move |l| (k, l)));
        let pairs: Vec<(usize, usize)> = pairs.collect();
        Self {
            places: vec![UNKNOWN; classes * RANGES],
            ranges: vec![vec![]; classes],
            slots: vec![PairSlot::default(); pairs.len() * PLACES * PLACES],
            pairs,
        }
    }

    /// The place of a range of scores of a class, [`NO_PLACE`] where all are taken.
    #[inline]
    pub fn place(&mut self, class: usize, range: u16) -> u8 {
        let at = class * RANGES + usize::from(range);
        match self.places.get(at) {
            Some(&place) if place != UNKNOWN => place,
            _ => self.take_place(class, range),
        }
    }

    #[cold]
    fn take_place(&mut self, class: usize, range: u16) -> u8 {
        let at = class * RANGES + usize::from(range);
        let (Some(place), Some(ranges)) = (self.places.get_mut(at), self.ranges.get_mut(class))
        else {
            return NO_PLACE;
        };
        *place = NO_PLACE;
        if ranges.len() < PLACES {
            *place = ranges.len() as u8;
            ranges.push(range);
        }
        *place
    }

    /// Adds a row to the pair of classes at this position; false where a range has no place or the slot holds all it can.
    #[inline]
    pub fn add(&mut self, pair: usize, row: PairRow) -> bool {
        let Some(slot) = self.slot(pair, row.places) else {
            return false;
        };
        if slot.rows == MOST_ROWS_OF_SLOT {
            return false;
        }
        slot.rows += 1;
        for (sum, units) in slot.units.iter_mut().zip(row.units) {
            *sum += units;
        }
        let label = row.label.map_or(MOST_PAIRED, usize::from);
        if let Some(rows) = slot.labelled.get_mut(label) {
            *rows += 1;
        }
        true
    }

    #[inline]
    fn slot(&mut self, pair: usize, places: (u8, u8)) -> Option<&mut PairSlot> {
        let (a, b) = (usize::from(places.0), usize::from(places.1));
        if a.max(b) >= PLACES {
            return None;
        }
        self.slots.get_mut((pair * PLACES + a) * PLACES + b)
    }

    /// Moves what a slot holds to both tables.
    pub fn empty_slot(
        &mut self,
        pair: usize,
        places: (u8, u8),
        expected: &mut ExpectedJoint,
        realized: &mut Joint,
    ) {
        let Some(slot) = self.slot(pair, places).map(std::mem::take) else {
            return;
        };
        if let Some(cell) = self.cell(pair, (usize::from(places.0), usize::from(places.1))) {
            slot.add_to(cell, expected, realized);
        }
    }

    /// Adds what the front holds to both tables.
    pub fn add_to(&self, expected: &mut ExpectedJoint, realized: &mut Joint) {
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.rows == 0 {
                continue;
            }
            let places = (at / PLACES % PLACES, at % PLACES);
            if let Some(cell) = self.cell(at / (PLACES * PLACES), places) {
                slot.add_to(cell, expected, realized);
            }
        }
    }

    fn cell(&self, pair: usize, (a, b): (usize, usize)) -> Option<JointCell> {
        let classes = *self.pairs.get(pair)?;
        let range = |class: usize, place: usize| self.ranges.get(class)?.get(place).copied();
        Some(JointCell {
            classes,
            ranges: (range(classes.0, a)?, range(classes.1, b)?),
            label: 0,
        })
    }

    pub fn heap_size(&self) -> usize {
        let ranges: usize = self.ranges.iter().map(Vec::capacity).sum();
        let lists = self.ranges.capacity() * size_of::<Vec<u16>>();
        size_of::<Self>()
            + self.places.capacity()
            + ranges * size_of::<u16>()
            + lists
            + self.pairs.capacity() * size_of::<(usize, usize)>()
            + self.slots.capacity() * size_of::<PairSlot>()
    }
}

impl PairSlot {
    fn add_to(&self, cell: JointCell, expected: &mut ExpectedJoint, realized: &mut Joint) {
        expected.add(cell, Sums::of(u64::from(self.rows), self.units));
        for (label, rows) in self.labelled.iter().enumerate().filter(|(_, n)| **n > 0) {
            realized.add(JointCell { label, ..cell }, RowCount(u64::from(*rows)));
        }
    }
}
