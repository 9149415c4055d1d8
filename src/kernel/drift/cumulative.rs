//! Distances between distribution functions, in one walk over the bins of both, with certified bounds.
use super::super::values::ValueBin;
use super::divergence::Bounded;
use std::iter::Peekable;

/// Some rows, all in `[lower, upper]`; pieces of one side ascend and do not overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    pub lower: f64,
    pub upper: f64,
    pub count: u64,
    /// Mean of the rows, inside of the piece.
    pub mean: f64,
    /// Whether `mean` is the mean up to rounding.
    pub known: bool,
}

/// Rows passed so far: `sure` have ended, `maybe` have begun.
struct Passed<'a> {
    begins: &'a [ValueBin],
    ends: &'a [ValueBin],
    sure: u64,
    maybe: u64,
}

impl<'a> Passed<'a> {
    fn new(bins: &'a [ValueBin], below: u64) -> Self {
        Self {
            begins: bins,
            ends: bins,
            sure: below,
            maybe: below,
        }
    }

    /// The next number at which a bin begins or ends.
    fn next(&self) -> Option<f64> {
        let begin = self.begins.first().map(|bin| bin.lower);
        earlier(begin, self.ends.first().map(|bin| bin.upper))
    }

    fn pass(&mut self, x: f64) {
        while let [bin, rest @ ..] = self.begins
            && bin.lower <= x
        {
            self.maybe += bin.count;
            self.begins = rest;
        }
        while let [bin, rest @ ..] = self.ends
            && bin.upper <= x
        {
            self.sure += bin.count;
            self.ends = rest;
        }
    }
}

/// Largest difference of the two distribution functions: `max |F(x) - G(x)|`.
///
/// `below` and `rows` are `(reference, chunk)`: rows at minus infinity, and all rows. The value is the largest
/// difference that is certain, so it is a lower bound; on exact bins it is the statistic.
pub(super) fn kolmogorov_smirnov(
    reference: &[ValueBin],
    chunk: &[ValueBin],
    below: (u64, u64),
    rows: (u64, u64),
) -> Bounded {
    let mut f = Passed::new(reference, below.0);
    let mut g = Passed::new(chunk, below.1);
    // n F - N G as integers: nothing is rounded
    let gap =
        |f: u64, g: u64| i128::from(f) * i128::from(rows.1) - i128::from(g) * i128::from(rows.0);
    let start = gap(f.sure, g.sure).abs();
    let (mut certain, mut possible) = (start, start);
    while let Some(x) = earlier(f.next(), g.next()) {
        f.pass(x);
        g.pass(x);
        let (above, under) = (gap(f.maybe, g.sure), -gap(f.sure, g.maybe));
        possible = possible.max(above).max(under);
        certain = certain.max(-above).max(-under);
    }
    let share = |gap: i128| gap as f64 / (rows.0 as f64 * rows.1 as f64);
    Bounded {
        value: share(certain),
        low: share(certain),
        high: share(possible.max(certain)),
    }
}

/// Area between the two distribution functions: `integral |F(x) - G(x)| dx`, for finite rows only.
///
/// Exact where no two bins overlap, or where one function stays above the other: there the means of the bins give
/// the area. Where they may cross inside of overlapping bins the value is the difference of the areas, the least that
/// it can be.
///
/// `None` where the area is beyond all numbers.
pub(super) fn wasserstein<I, J>(reference: I, chunk: J, rows: (u64, u64)) -> Option<Bounded>
where
    I: Iterator<Item = Piece>,
    J: Iterator<Item = Piece>,
{
    let mut f = Area::new(reference, rows.0);
    let mut g = Area::new(chunk, rows.1);
    let mut sum = Bounded::default();
    let mut end: Option<f64> = None;
    while let Some(start) = earlier(f.next(), g.next()) {
        if let Some(end) = end {
            let gap = (f.share() - g.share()).abs() * (start - end);
            sum = plus(sum, Bounded::exactly(gap));
        }
        let stretch = overlapping(&mut f, &mut g, start);
        sum = plus(sum, area(&mut f, &mut g, start, stretch));
        end = Some(stretch);
    }
    (sum.value.is_finite() && sum.high.is_finite()).then_some(sum)
}

fn plus(a: Bounded, b: Bounded) -> Bounded {
    Bounded {
        value: a.value + b.value,
        low: a.low + b.low,
        high: a.high + b.high,
    }
}

fn earlier(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// One side of the walk.
struct Area<I: Iterator<Item = Piece>> {
    pieces: Peekable<I>,
    rows: f64,
    /// Rows before the stretch, and in it.
    before: u64,
    inside: u64,
    /// Sum over the rows of the stretch of their distance from its start, and how wrong it can be.
    moment: f64,
    doubt: f64,
}

impl<I: Iterator<Item = Piece>> Area<I> {
    fn new(pieces: I, rows: u64) -> Self {
        Self {
            pieces: pieces.peekable(),
            rows: rows as f64,
            before: 0,
            inside: 0,
            moment: 0.0,
            doubt: 0.0,
        }
    }

    fn next(&mut self) -> Option<f64> {
        self.pieces.peek().map(|piece| piece.lower)
    }

    /// Distribution function before the stretch.
    fn share(&self) -> f64 {
        self.before as f64 / self.rows
    }

    /// Distribution function after it.
    fn share_after(&self) -> f64 {
        (self.before + self.inside) as f64 / self.rows
    }

    /// Takes the next piece into the stretch where it begins at or before `end`; its own end.
    fn take(&mut self, start: f64, end: f64) -> Option<f64> {
        let piece = self.pieces.next_if(|piece| piece.lower <= end)?;
        let count = piece.count as f64;
        self.inside += piece.count;
        self.moment += count * (piece.mean - start);
        self.doubt += count
            * match piece.known {
                true => rounding(&piece),
                false => (piece.upper - piece.mean).max(piece.mean - piece.lower),
            };
        Some(piece.upper)
    }

    /// Area below the distribution function over a stretch of this width, and its error.
    fn area(&self, width: f64) -> (f64, f64) {
        let area = self.share() * width + (self.inside as f64 * width - self.moment) / self.rows;
        (area, self.doubt / self.rows)
    }

    fn leave(&mut self) {
        self.before += self.inside;
        (self.inside, self.moment, self.doubt) = (0, 0.0, 0.0);
    }
}

fn rounding(piece: &Piece) -> f64 {
    if piece.lower == piece.upper {
        return 0.0;
    }
    8.0 * f64::EPSILON * piece.lower.abs().max(piece.upper.abs())
}

/// Takes every piece that overlaps the one at `start`, directly or through others; where they end.
fn overlapping<I, J>(f: &mut Area<I>, g: &mut Area<J>, start: f64) -> f64
where
    I: Iterator<Item = Piece>,
    J: Iterator<Item = Piece>,
{
    let mut end = start;
    while let Some(upper) = f.take(start, end).or_else(|| g.take(start, end)) {
        end = end.max(upper);
    }
    end
}

/// Area between the functions over the stretch that both sides have just taken.
fn area<I, J>(f: &mut Area<I>, g: &mut Area<J>, start: f64, end: f64) -> Bounded
where
    I: Iterator<Item = Piece>,
    J: Iterator<Item = Piece>,
{
    let width = end - start;
    let (f_area, f_doubt) = f.area(width);
    let (g_area, g_doubt) = g.area(width);
    let doubt = f_doubt + g_doubt;
    let net = (f_area - g_area).abs();
    let (above, under) = (f.share_after() - g.share(), g.share_after() - f.share());
    let crossing = 2.0 * width * above.min(under).max(0.0);
    f.leave();
    g.leave();
    if width <= 0.0 {
        return Bounded::default();
    }
    let low = (net - doubt).max(0.0);
    let high = (net + doubt + crossing).min(width * above.max(under) + doubt);
    Bounded {
        value: net.min(high),
        low: low.min(high),
        high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(values: &[f64]) -> Vec<Piece> {
        values
            .iter()
            .map(|&x| Piece {
                lower: x,
                upper: x,
                count: 1,
                mean: x,
                known: true,
            })
            .collect()
    }

    fn wide(lower: f64, upper: f64, count: u64, mean: f64) -> Piece {
        Piece {
            lower,
            upper,
            count,
            mean,
            known: true,
        }
    }

    fn bins(pieces: &[Piece]) -> Vec<ValueBin> {
        let bin = |piece: &Piece| ValueBin {
            lower: piece.lower,
            upper: piece.upper,
            count: piece.count,
            sum: piece.mean * piece.count as f64,
        };
        pieces.iter().map(bin).collect()
    }

    fn ks(f: &[Piece], g: &[Piece]) -> Bounded {
        let rows = |side: &[Piece]| side.iter().map(|piece| piece.count).sum();
        kolmogorov_smirnov(&bins(f), &bins(g), (0, 0), (rows(f), rows(g)))
    }

    fn area_between(f: &[Piece], g: &[Piece]) -> Bounded {
        let rows = |side: &[Piece]| side.iter().map(|piece| piece.count).sum();
        wasserstein(f.iter().copied(), g.iter().copied(), (rows(f), rows(g))).unwrap()
    }

    #[test]
    fn small_samples_by_hand() {
        let (f, g) = (exact(&[1.0, 2.0, 3.0, 4.0]), exact(&[2.0, 2.5]));
        // at 1: 1/4 - 0; at 2: 1/2 - 1/2; at 2.5: 1/2 - 1; at 3: 3/4 - 1
        assert_eq!(ks(&f, &g), Bounded::exactly(0.5));
        // 1..2: 1/4; 2..2.5: 0; 2.5..3: 1/2 * 1/2; 3..4: 1/4
        assert_eq!(area_between(&f, &g), Bounded::exactly(0.75));
        assert_eq!(ks(&f, &f).high, 0.0);
        assert_eq!(area_between(&f, &f).high, 0.0);
    }

    #[test]
    fn wide_bins_bound_both() {
        // the chunk's two rows lie somewhere in 1..3, with mean 2; the reference is at 0 and 4
        let (f, g) = (exact(&[0.0, 4.0]), [wide(1.0, 3.0, 2, 2.0)]);
        // F = 1/2 on 0..4; G goes from 0 to 1: the difference is 1/2 at 1- and at 3 for certain, and never more
        assert_eq!(ks(&f, &g), Bounded::exactly(0.5));
        // 0..1 and 3..4 are 1/2 each; between, the areas cancel, or the rows lie at the ends: 1/2 * 2 and 0
        let area = area_between(&f, &g);
        assert_eq!((area.value, area.low), (1.0, 1.0));
        assert!(area.high >= 2.0, "{area:?}");
        // rows at the ends: F = 1/2 everywhere between, so is G: 1; rows at 2 both: 2
        let middle = wide(2.0, 2.0, 2, 2.0);
        assert_eq!(area_between(&f, &[middle]).value, 2.0);
    }

    #[test]
    fn functions_that_do_not_cross_have_an_exact_area() {
        // all of the chunk lies above the reference: the area is the difference of the means
        let f = [wide(0.0, 1.0, 4, 0.25), wide(1.5, 2.0, 4, 1.75)];
        let g = [wide(0.5, 0.5, 0, 0.5), wide(5.0, 6.0, 2, 5.5)];
        let area = area_between(&f, &g);
        assert!(
            (area.value - 4.5).abs() < 1e-12 && area.error() < 1e-12,
            "{area:?}"
        );
    }

    #[test]
    fn rows_at_infinity_count_for_the_largest_difference() {
        let f = exact(&[1.0, 2.0]);
        let found = kolmogorov_smirnov(&bins(&f), &[], (0, 3), (2, 4));
        assert_eq!(found, Bounded::exactly(0.75));
    }
}
