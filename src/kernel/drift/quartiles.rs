//! Quantiles of a reference, and the clipping that they define.
use super::super::values::{ValueBin, ValueBins};
use super::cumulative::Piece;
use super::partition::{centre, ends};

/// Numbers are clipped so many interquartile ranges beyond the reference's own range.
const REACH: f64 = 3.0;

/// Quantile of a profile's finite numbers: linear between the two nearest ranks, of the means of their bins.
///
/// * `share` is clamped to `[0, 1]`. NULL: `None` without rows.
/// * Source: the default of NumPy and R (type 7); R. J. Hyndman, Y. Fan (1996), The American Statistician 50, 361-365.
///
/// ```
/// use modelwatch::kernel::drift::quantile;
/// use modelwatch::kernel::values::{ValueBin, ValueBins};
/// let exact = |x| ValueBin { lower: x, upper: x, count: 1, sum: x };
/// let values = ValueBins { bins: [1.0, 2.0, 10.0].map(exact).to_vec(), ..ValueBins::default() };
/// assert_eq!(quantile(&values, 0.75), Some(6.0));
/// ```
pub fn quantile(values: &ValueBins, share: f64) -> Option<f64> {
    let rows = values.rows();
    let rank = share.clamp(0.0, 1.0) * rows.checked_sub(1)? as f64;
    let (before, part) = (rank.floor(), rank.fract());
    let first = at_rank(&values.bins, before as u64)?;
    if part == 0.0 {
        return Some(first);
    }
    let next = at_rank(&values.bins, before as u64 + 1).unwrap_or(first);
    Some(first * (1.0 - part) + next * part)
}

/// Share of a profile's finite numbers that are at most `x`, as far as their bins tell: the rows of a bin that `x`
/// cuts are where their mean is. NULL: `None` without rows.
///
/// ```
/// use modelwatch::kernel::drift::share_up_to;
/// use modelwatch::kernel::values::{ValueBin, ValueBins};
/// let exact = |x| ValueBin { lower: x, upper: x, count: 1, sum: x };
/// let values = ValueBins { bins: [1.0, 2.0, 10.0, 20.0].map(exact).to_vec(), ..ValueBins::default() };
/// assert_eq!(share_up_to(&values, 2.0), Some(0.5));
/// ```
pub fn share_up_to(values: &ValueBins, x: f64) -> Option<f64> {
    let below = values
        .bins
        .iter()
        .filter(|bin| bin.upper <= x || centre(bin) <= x);
    let rows = values.rows();
    (rows > 0).then(|| below.map(|bin| bin.count).sum::<u64>() as f64 / rows as f64)
}

/// Number of the row with `rank` rows before it, as far as its bin tells.
fn at_rank(bins: &[ValueBin], rank: u64) -> Option<f64> {
    let mut passed = 0;
    for bin in bins {
        passed += bin.count;
        if passed > rank {
            return Some(centre(bin));
        }
    }
    None
}

/// The clipping of `wasserstein_robust`: the range that counts, and the unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clipping {
    lower: f64,
    upper: f64,
    /// Interquartile range of the reference, above 0.
    pub unit: f64,
}

impl Clipping {
    /// `None` where the reference's quartiles agree.
    pub fn of(reference: &ValueBins) -> Option<Self> {
        let (lower, upper) = ends(reference)?;
        let unit = quantile(reference, 0.75)? - quantile(reference, 0.25)?;
        let clipping = Self {
            lower: lower - REACH * unit,
            upper: upper + REACH * unit,
            unit,
        };
        (unit > 0.0 && clipping.lower.is_finite() && clipping.upper.is_finite()).then_some(clipping)
    }

    /// A profile clipped; infinite numbers lie at the ends.
    pub fn pieces<'a>(&self, values: &'a ValueBins) -> impl Iterator<Item = Piece> + 'a {
        let Self { lower, upper, .. } = *self;
        let known = values.sums_exact;
        let at = |x: f64, count: u64| Piece {
            lower: x,
            upper: x,
            count,
            mean: x,
            known: true,
        };
        let clipped = move |bin: &ValueBin| {
            let whole = bin.lower >= lower && bin.upper <= upper;
            let ends = (bin.lower.clamp(lower, upper), bin.upper.clamp(lower, upper));
            Piece {
                lower: ends.0,
                upper: ends.1,
                count: bin.count,
                mean: centre(bin).clamp(ends.0, ends.1),
                known: (known && whole) || ends.0 == ends.1,
            }
        };
        std::iter::once(at(lower, values.negative_infinities))
            .chain(values.bins.iter().map(clipped))
            .chain(std::iter::once(at(upper, values.positive_infinities)))
            .filter(|piece| piece.count > 0)
    }
}

/// A profile's finite numbers as they are.
pub(super) fn pieces(values: &ValueBins) -> impl Iterator<Item = Piece> + Clone + '_ {
    let known = values.sums_exact;
    values.bins.iter().map(move |bin| Piece {
        lower: bin.lower,
        upper: bin.upper,
        count: bin.count,
        mean: centre(bin),
        known: known || bin.lower == bin.upper,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(numbers: &[(f64, u64)]) -> ValueBins {
        ValueBins {
            bins: numbers
                .iter()
                .map(|&(x, count)| ValueBin {
                    lower: x,
                    upper: x,
                    count,
                    sum: x * count as f64,
                })
                .collect(),
            sums_exact: true,
            ..ValueBins::default()
        }
    }

    #[test]
    fn quantiles_are_linear_between_ranks() {
        // 1 2 2 10: rank 2.25 lies between 2 and 10
        let four = values(&[(1.0, 1), (2.0, 2), (10.0, 1)]);
        assert_eq!(quantile(&four, 0.75), Some(4.0));
        assert_eq!(quantile(&four, 0.25), Some(1.75));
        assert_eq!(quantile(&ValueBins::default(), 0.5), None);
        // 3 (4 - 1.75) = 6.75 beyond 1 and 10
        let clipping = Clipping::of(&four).unwrap();
        assert_eq!((clipping.lower, clipping.upper), (-5.75, 16.75));
        let far = ValueBins {
            positive_infinities: 2,
            ..values(&[(-100.0, 1), (3.0, 1)])
        };
        let at: Vec<(f64, u64)> = clipping.pieces(&far).map(|p| (p.mean, p.count)).collect();
        assert_eq!(at, [(-5.75, 1), (3.0, 1), (16.75, 2)]);
        assert_eq!(Clipping::of(&values(&[(0.0, 9), (1.0, 1)])), None);
    }
}
