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

/// Where rows without a label are counted.
pub(super) const NO_LABEL: u8 = MOST_PAIRED as u8;

/// What rows say of two classes, column by column and of equal length.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairRows<'a> {
    /// Of the ranges of both scores.
    pub places: [&'a [u8]; 2],
    /// Of both classes, and their product; in units.
    pub units: [&'a [u64]; 3],
    /// Positions of the labels, or [`NO_LABEL`].
    pub labels: &'a [u8],
}

/// What one of them says.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairRow {
    pub places: (u8, u8),
    pub units: [u64; 3],
    pub label: u8,
}

impl PairRows<'_> {
    /// A row; `None` where there is none.
    pub fn row(&self, position: usize) -> Option<PairRow> {
        let [a, b] = self.places.map(|places| places.get(position).copied());
        let [first, second, product] = self.units.map(|units| units.get(position).copied());
        Some(PairRow {
            places: (a.unwrap_or(NO_PLACE), b.unwrap_or(NO_PLACE)),
            units: [first?, second?, product?],
            label: *self.labels.get(position)?,
        })
    }
}

/// A cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct PairSlot {
    /// Of both classes, and their product.
    units: [u64; 3],
    /// By label; those without one come last.
    labelled: [u16; MOST_PAIRED + 1],
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

    /// Adds rows to the pair of classes at this position, and tells the positions of those that it does not take: a range has no
    /// place, or the slot holds all it can.
    pub fn add_all(&mut self, pair: usize, rows: &PairRows, behind: &mut Vec<usize>) {
        let (pairs, _) = self.slots.as_chunks_mut::<{ PLACES * PLACES }>();
        let Some(slots) = pairs.get_mut(pair) else {
            return;
        };
        let ([a, b], [first, second, product]) = (rows.places, rows.units);
        let units = first.iter().zip(second).zip(product);
        let each = a.iter().zip(b).zip(units).zip(rows.labels).enumerate();
        for (position, (((a, b), ((first, second), product)), label)) in each {
            let slot = match (usize::from(*a), usize::from(*b)) {
                (a, b) if a < PLACES && b < PLACES => slots.get_mut(a * PLACES + b),
                _ => None,
            };
            let Some(slot) = slot.filter(|slot| slot.rows < MOST_ROWS_OF_SLOT) else {
                behind.push(position);
                continue;
            };
            slot.rows += 1;
            for (sum, units) in slot.units.iter_mut().zip([first, second, product]) {
                *sum += units;
            }
            if let Some(rows) = slot.labelled.get_mut(usize::from(*label)) {
                *rows += 1;
            }
        }
    }

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
        let labelled = self.labelled.iter().take(MOST_PAIRED).enumerate();
        for (label, rows) in labelled.filter(|(_, rows)| **rows > 0) {
            realized.add(JointCell { label, ..cell }, RowCount(u64::from(*rows)));
        }
    }
}
