//! A directly indexed table of bins: the path that most rows of a large chunk take.
use super::digest::Entry;
use super::key::low_bits;

/// No class has a column yet.
const ABSENT: u8 = u8::MAX;

/// Sixteen bytes, so that the four classes of a labelled row with a prediction share one cache line.
#[derive(Debug, Clone, Copy, Default)]
struct DenseCell {
    dropped: u64,
    /// Overflows of `dropped`.
    carry: u32,
    count: u32,
}

impl DenseCell {
    /// Adds those of another bin, each of which drops a bit more.
    fn add(&mut self, other: &Self, bit: u64) {
        let added = u128::from(other.dropped)
            + u128::from(other.count) * u128::from(bit)
            + u128::from(self.dropped);
        self.dropped = added as u64;
        self.carry += other.carry + (added >> 64) as u32;
        self.count += other.count;
    }
}

/// Cells of a line.
const LINE: usize = 4;

/// A cache line: without this the cells of every other bin would lie on two.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line([DenseCell; LINE]);

/// Cells one after the other.
#[derive(Debug, Clone, Default)]
struct Cells(Vec<Line>);

impl Cells {
    fn new(cells: usize) -> Self {
        Self(vec![Line::default(); cells.div_ceil(LINE)])
    }

    fn get(&self, at: usize) -> Option<&DenseCell> {
        self.0.get(at / LINE)?.0.get(at % LINE)
    }

    #[inline(always)]
    fn get_mut(&mut self, at: usize) -> Option<&mut DenseCell> {
        self.0.get_mut(at / LINE)?.0.get_mut(at % LINE)
    }
}

/// Counts for bins `base .. base + span` at one level; a column for each class that occurs.
#[derive(Debug, Clone)]
pub(super) struct Dense<const CLASSES: usize> {
    base: u64,
    span: usize,
    level: u8,
    /// Column of each class, [`ABSENT`] until it occurs.
    column: [u8; CLASSES],
    columns: usize,
    cells: Cells,
    /// A bit for each bin that holds a row here or in the digest's entries.
    occupied: Vec<u64>,
    occupied_bins: usize,
    rows: u64,
}

impl<const CLASSES: usize> Dense<CLASSES> {
    /// An empty table with columns for `classes`; others are added when they occur.
    pub(super) fn new(base: u64, span: usize, level: u8, classes: &[u8]) -> Self {
        let mut column = [ABSENT; CLASSES];
        let mut columns = 0;
        for &class in classes {
            if let Some(slot) = column.get_mut(usize::from(class)) {
                *slot = columns;
                columns += 1;
            }
        }
        let columns = usize::from(columns);
        Self {
            base,
            span,
            level,
            column,
            columns,
            cells: Cells::new(span * columns),
            occupied: vec![0; span.div_ceil(64)],
            occupied_bins: 0,
            rows: 0,
        }
    }

    pub(super) fn occupied_bins(&self) -> usize {
        self.occupied_bins
    }

    /// Counts are 32-bit: true when the table must be emptied before so many rows come.
    #[inline]
    pub(super) fn has_no_room_for(&self, rows: usize) -> bool {
        self.rows + rows as u64 > u64::from(u32::MAX)
    }

    pub(super) fn holds(&self, bin: u64) -> bool {
        (bin.wrapping_sub(self.base) as usize) < self.span
    }

    pub(super) fn heap_size(&self) -> usize {
        self.cells.0.capacity() * size_of::<Line>() + self.occupied.capacity() * 8
    }

    /// Adds one row; false when its bin lies outside the table.
    #[inline]
    pub(super) fn add(&mut self, key: u64, class: u8) -> bool {
        let at = (key >> self.level).wrapping_sub(self.base);
        if at >= self.span as u64 {
            return false;
        }
        let at = at as usize;
        let Some(column) = self.column_of(class) else {
            return false;
        };
        let Some(cell) = self.cells.get_mut(at * self.columns + column) else {
            return false;
        };
        let (sum, overflow) = cell.dropped.overflowing_add(key & low_bits(self.level));
        cell.dropped = sum;
        cell.carry += u32::from(overflow);
        cell.count += 1;
        // a cell that held rows has its bin marked already
        if cell.count == 1 {
            self.mark_at(at);
        }
        self.rows += 1;
        true
    }

    /// Takes over an entry of the digest; false when it does not fit.
    pub(super) fn absorb(&mut self, entry: &Entry) -> bool {
        let Ok(count) = u32::try_from(entry.count) else {
            return false;
        };
        if !self.holds(entry.bin) || self.rows + entry.count >= u64::from(u32::MAX) {
            return false;
        }
        let Some(column) = self.column_of(entry.class) else {
            return false;
        };
        let at = (entry.bin - self.base) as usize;
        self.mark_at(at);
        if let Some(cell) = self.cells.get_mut(at * self.columns + column) {
            let (sum, overflow) = cell.dropped.overflowing_add(entry.dropped as u64);
            cell.dropped = sum;
            cell.carry += (entry.dropped >> 64) as u32 + u32::from(overflow);
            cell.count += count;
        }
        self.rows += entry.count;
        true
    }

    /// Notes that the digest's entries hold a row of `bin`.
    pub(super) fn mark(&mut self, bin: u64) {
        if self.holds(bin) {
            self.mark_at((bin - self.base) as usize);
        }
    }

    #[inline]
    fn mark_at(&mut self, at: usize) {
        let bit = 1u64 << (at & 63);
        if let Some(word) = self.occupied.get_mut(at >> 6) {
            self.occupied_bins += usize::from(*word & bit == 0);
            *word |= bit;
        }
    }

    #[inline]
    fn column_of(&mut self, class: u8) -> Option<usize> {
        let column = *self.column.get(usize::from(class))?;
        if column == ABSENT {
            return self.add_column(class);
        }
        Some(usize::from(column))
    }

    #[cold]
    fn add_column(&mut self, class: u8) -> Option<usize> {
        let (old, new) = (self.columns, self.columns + 1);
        let mut cells = Cells::new(self.span * new);
        for at in 0..self.span * old {
            let to = cells.get_mut(at / old * new + at % old);
            if let (Some(to), Some(from)) = (to, self.cells.get(at)) {
                *to = *from;
            }
        }
        self.cells = cells;
        self.columns = new;
        *self.column.get_mut(usize::from(class))? = old as u8;
        Some(old)
    }

    /// Rises one level: neighbouring bins are added up, in place.
    pub(super) fn raise(&mut self) {
        let (low_bit, columns) = (1u64 << self.level, self.columns);
        let base = self.base >> 1;
        let span = (((self.base + self.span as u64 - 1) >> 1) - base + 1) as usize;
        let mut raised = Self {
            cells: Cells::new(span * columns),
            occupied: vec![0; span.div_ceil(64)],
            base,
            span,
            level: self.level + 1,
            occupied_bins: 0,
            column: self.column,
            columns,
            rows: self.rows,
        };
        for bin in self.occupied_list() {
            raised.mark(bin >> 1);
        }
        for (bin, first) in (self.base..).zip((0..self.span).map(|at| at * columns)) {
            // the lowest bit of the bin joins the dropped ones
            let joins = if bin & 1 == 1 { low_bit } else { 0 };
            let at = ((bin >> 1) - base) as usize * columns;
            for column in 0..columns {
                let to = raised.cells.get_mut(at + column);
                if let (Some(to), Some(from)) = (to, self.cells.get(first + column)) {
                    to.add(from, joins);
                }
            }
        }
        *self = raised;
    }

    fn occupied_list(&self) -> impl Iterator<Item = u64> + '_ {
        self.occupied.iter().enumerate().flat_map(|(w, &word)| {
            let first = self.base + 64 * w as u64;
            std::iter::successors((word != 0).then_some(word), |word| {
                Some(word & (word - 1)).filter(|rest| *rest != 0)
            })
            .map(move |word| first + u64::from(word.trailing_zeros()))
        })
    }

    /// What the table holds, ascending by bin and class.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let columns = self.columns;
        self.occupied_list().flat_map(move |bin| {
            let first = (bin - self.base) as usize * columns;
            (0..CLASSES as u8).filter_map(move |class| {
                let column = *self.column.get(usize::from(class))?;
                let cell = self.cells.get(first + usize::from(column))?;
                (column != ABSENT && cell.count > 0).then(|| Entry {
                    bin,
                    class,
                    count: u64::from(cell.count),
                    dropped: u128::from(cell.carry) << 64 | u128::from(cell.dropped),
                })
            })
        })
    }
}
