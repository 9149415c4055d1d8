//! Finds the piece of a map that holds a score without a search.
use super::exact_block::{WHOLE, wide};
use super::isotonic::interpolate;

/// Cells of an index for each knot.
const CELLS_PER_KNOT: usize = 16;
/// Numbers whose cells are computed together.
const AT_ONCE: usize = 64;

/// Where the knots of a map lie, so that a knot is found without a search: the first one of each of many cells of equal width.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct KnotIndex {
    /// Segment where each cell begins; none where there is no index.
    first: Vec<u32>,
    lowest: f64,
    highest: f64,
    cells_per_unit: f64,
    /// Before the first knot, from each knot to the next, behind the last.
    segments: Vec<Segment>,
}

/// A straight piece of a map, in half a cache line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    start: f64,
    level: f64,
    slope: f64,
    /// Where the next one starts.
    end: f64,
}

impl KnotIndex {
    /// Of ascending knots; empty, and then no help, where they have no finite span.
    pub fn new(knots: &[(f64, f64)]) -> Self {
        let (Some((lowest, _)), Some((highest, _))) = (knots.first(), knots.last()) else {
            return Self::default();
        };
        let cells = knots.len() * CELLS_PER_KNOT;
        let mut index = Self {
            first: vec![],
            lowest: *lowest,
            highest: *highest,
            cells_per_unit: (cells - 1) as f64 / (highest - lowest),
            segments: segments(knots),
        };
        let is_finite = index.cells_per_unit.is_finite() && index.cells_per_unit > 0.0;
        if !is_finite || cells > u32::MAX as usize {
            return Self::default();
        }
        for (k, (x, _)) in knots.iter().enumerate() {
            let cell = index.cell(*x) as usize;
            // later cells up to this one begin before this knot
            if cell >= index.first.len() {
                index.first.resize(cell + 1, k as u32);
            }
        }
        index
    }

    /// Ascends with `x`, which is all that [`Self::segment`] needs of it; for numbers between both ends.
    #[inline(always)]
    fn cell(&self, x: f64) -> u32 {
        ((x - self.lowest) * self.cells_per_unit + WHOLE).to_bits() as u32
    }

    /// Which piece holds a number of this cell.
    #[inline(always)]
    fn segment(&self, cell: u32, x: f64) -> Option<&Segment> {
        let is_behind = |at: usize| self.segments.get(at).is_some_and(|piece| piece.end <= x);
        let mut at = self
            .first
            .get(cell as usize)
            .map_or(0, |first| *first as usize);
        // one step without a branch: no processor could guess it, and there is hardly ever a second
        at += usize::from(is_behind(at));
        while is_behind(at) {
            at += 1;
        }
        self.segments.get(at)
    }

    /// [`interpolate`] over the knots that this is the index of.
    pub fn interpolate(&self, knots: &[(f64, f64)], x: f64) -> f64 {
        let within = x.max(self.lowest).min(self.highest);
        match self.segment(self.cell(within), within) {
            Some(piece) => piece.at(within),
            None => interpolate(knots, x),
        }
    }

    /// The same of many numbers, none of them NaN, which are added to `values`.
    pub fn interpolate_all(&self, knots: &[(f64, f64)], numbers: &[f64], values: &mut Vec<f64>) {
        let (mut within, mut cells) = ([0.0; AT_ONCE], [0; AT_ONCE]);
        for numbers in numbers.chunks(AT_ONCE) {
            wide(
                #[inline(always)]
                || {
                    for ((x, cell), number) in within.iter_mut().zip(&mut cells).zip(numbers) {
                        *x = number.max(self.lowest).min(self.highest);
                        *cell = self.cell(*x);
                    }
                },
            );
            let at = within.iter().zip(&cells).zip(numbers);
            values.extend(at.map(|((x, cell), number)| match self.segment(*cell, *x) {
                Some(piece) => piece.at(*x),
                None => interpolate(knots, *number),
            }));
        }
    }
}

impl Segment {
    #[inline(always)]
    fn at(&self, x: f64) -> f64 {
        self.slope * (x - self.start) + self.level
    }
}

fn segments(knots: &[(f64, f64)]) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(knots.len() + 1);
    let constant = |(start, level): (f64, f64), end| Segment {
        start,
        level,
        slope: 0.0,
        end,
    };
    segments.extend(knots.first().map(|first| constant(*first, first.0)));
    for ((x0, y0), (x1, y1)) in knots.iter().zip(knots.iter().skip(1)) {
        segments.push(Segment {
            start: *x0,
            level: *y0,
            slope: (y1 - y0) / (x1 - x0),
            end: *x1,
        });
    }
    segments.extend(knots.last().map(|last| constant(*last, f64::INFINITY)));
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_finds_the_same_knots() {
        let uneven: Vec<(f64, f64)> = (0..200)
            .map(|k| ((f64::from(k) / 40.0).exp(), f64::from(k * k % 17)))
            .collect();
        let far = vec![(-f64::MAX, 0.0), (0.5, 0.25), (f64::MAX, 1.0)];
        let one = vec![(0.5, 0.25)];
        for knots in [uneven, far, one, vec![]] {
            let index = KnotIndex::new(&knots);
            let around = knots
                .iter()
                .flat_map(|(x, _)| [*x, x.next_up(), x.next_down()]);
            let even = (0..1000).map(|i| f64::from(i) / 6.0 - 1.0);
            for x in around.chain(even).chain([f64::MIN, f64::MAX]) {
                let expected = interpolate(&knots, x);
                let mut at_once = vec![];
                index.interpolate_all(&knots, &[x], &mut at_once);
                assert_eq!(index.interpolate(&knots, x), expected, "{x}");
                assert_eq!(at_once, [expected], "{x}");
            }
        }
    }
}
