//! Sum, spread and middle of the numbers of a profile, each with its certified error.
use super::super::values::{ValueBin, ValueBins};

/// Sums of so much are refused, for their terms may already have been cut.
const GREATEST_SUM: f64 = 1e300;
/// Squares and fourth powers of numbers beyond this, or all below its inverse, need a unit of their own.
const GREATEST_POWER: f64 = 1e70;

/// A number with a bound on its distance to the one computed from all rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounded {
    pub value: f64,
    pub error: f64,
}

/// Sum of the finite numbers, compensated (A. Neumaier, 1974, ZAMM 54, 39-51): its own rounding is that of one addition.
pub(crate) fn sum(values: &ValueBins) -> Bounded {
    let error = |bin: &ValueBin| {
        let rows = bin.count as f64;
        (bin.sum - rows * bin.lower)
            .abs()
            .max((rows * bin.upper - bin.sum).abs())
    };
    Bounded {
        value: compensated(values.bins.iter().map(|bin| bin.sum)),
        error: match values.sums_exact {
            true => 0.0,
            false => values.bins.iter().map(error).sum(),
        },
    }
}

fn compensated(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for x in terms {
        let next = sum + x;
        lost += match sum.abs() >= x.abs() {
            true => (sum - next) + x,
            false => (x - next) + sum,
        };
        sum = next;
    }
    sum + lost
}

/// Mean of the rows of a bin, inside of it.
pub(crate) fn centre(bin: &ValueBin) -> f64 {
    (bin.sum / bin.count as f64).clamp(bin.lower, bin.upper)
}

/// The largest magnitude of a number.
fn magnitude(values: &ValueBins) -> f64 {
    let ends = values
        .bins
        .iter()
        .map(|bin| bin.lower.abs().max(bin.upper.abs()));
    ends.fold(0.0, f64::max)
}

/// Whether sums of the numbers stay far below the largest number there is.
pub(super) fn can_be_summed(values: &ValueBins) -> bool {
    (magnitude(values) * values.rows() as f64) < GREATEST_SUM
}

/// Sums of powers of the distance from the mean, which is measured in units of `scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub rows: f64,
    pub mean: f64,
    /// 1, or the largest magnitude where squares of numbers would leave the range of numbers.
    scale: f64,
    /// Sum of squares.
    pub squares: Bounded,
    /// Sum of fourth powers, of the bins' means.
    pub fourths: f64,
}

/// The spread of the finite numbers; `None` without any.
pub(super) fn spread(values: &ValueBins) -> Option<Spread> {
    let rows = values.rows() as f64;
    if rows == 0.0 {
        return None;
    }
    let total = sum(values);
    let (first, last) = (values.bins.first()?, values.bins.last()?);
    // rounding must not put the mean of a constant column beside it
    let mean = (total.value / rows).max(first.lower).min(last.upper);
    let largest = magnitude(values);
    let usual = largest == 0.0 || (1.0 / GREATEST_POWER..GREATEST_POWER).contains(&largest);
    let scale = if usual { 1.0 } else { largest };
    let between = |power: i32| {
        let of = |bin: &ValueBin| bin.count as f64 * ((centre(bin) - mean) / scale).powi(power);
        compensated(values.bins.iter().map(of))
    };
    // within a bin the squares are least where all rows lie at the mean, and most where they lie at the ends
    let within = |bin: &ValueBin| match values.sums_exact {
        true => {
            let (below, above) = (centre(bin) - bin.lower, bin.upper - centre(bin));
            bin.count as f64 * (below / scale) * (above / scale)
        }
        false => bin.count as f64 * ((bin.upper - bin.lower) / scale).powi(2) / 4.0,
    };
    let most_within: f64 = values.bins.iter().map(within).sum();
    // a mean that is off by d adds n d^2 to the squares, and bins that are off by d_i move them by their own distances
    let off = |bin: &ValueBin| {
        let moved = (bin.upper - bin.lower) / scale;
        bin.count as f64 * moved * (2.0 * ((centre(bin) - mean) / scale).abs() + moved)
    };
    let total_error = total.error / scale;
    let moved: f64 = match values.sums_exact {
        true => 0.0,
        false => values.bins.iter().map(off).sum::<f64>() + total_error * total_error / rows,
    };
    Some(Spread {
        rows,
        mean,
        scale,
        squares: Bounded {
            value: between(2) + most_within / 2.0,
            error: most_within / 2.0 + moved,
        },
        fourths: between(4),
    })
}

impl Spread {
    /// Standard deviation with divisor n - 1; `None` for less than two rows.
    pub fn deviation(&self) -> Option<Bounded> {
        if self.rows < 2.0 {
            return None;
        }
        let of = |squares: f64| self.scale * (squares.max(0.0) / (self.rows - 1.0)).sqrt();
        let Bounded { value, error } = self.squares;
        let deviation = of(value);
        let error = (of(value + error) - deviation).max(deviation - of(value - error));
        Some(Bounded {
            value: deviation,
            error,
        })
    }

    /// Standard error of the standard deviation; `None` where the sample says it is none, or for less than four rows.
    ///
    /// * Source: the variance of a sample variance, `(mu4 - (n - 3) / (n - 1) sigma^4) / n`, carried over to its
    ///   root; NannyML 0.13.1 has the same.
    pub fn error_of_deviation(&self) -> Option<f64> {
        let deviation = self.deviation()?.value / self.scale;
        let n = self.rows;
        if n < 4.0 {
            return None;
        }
        if deviation == 0.0 {
            return Some(0.0);
        }
        let variance = (self.fourths / n - (n - 3.0) / (n - 1.0) * deviation.powi(4)) / n;
        (variance >= 0.0).then(|| self.scale * variance.sqrt() / (2.0 * deviation))
    }
}

/// The number that has `rank` of the numbers before it, infinities included; `None` where that is infinite.
pub(super) fn at_rank(values: &ValueBins, rank: u64) -> Option<Bounded> {
    let rank = rank.checked_sub(values.negative_infinities)?;
    let mut passed = 0;
    for bin in &values.bins {
        passed += bin.count;
        if passed > rank {
            let half = (bin.upper - bin.lower) / 2.0;
            return Some(Bounded {
                value: bin.lower + half,
                error: half,
            });
        }
    }
    None
}

/// Median of the numbers, infinities included; `None` where there is none, or it is infinite.
pub(crate) fn median(values: &ValueBins) -> Option<Bounded> {
    let rows = values.rows() + values.positive_infinities + values.negative_infinities;
    let middle = rows.checked_sub(1)? / 2;
    let low = at_rank(values, middle)?;
    if rows % 2 == 1 {
        return Some(low);
    }
    let high = at_rank(values, middle + 1)?;
    Some(Bounded {
        value: low.value / 2.0 + high.value / 2.0,
        error: (low.error + high.error) / 2.0,
    })
}

/// The order statistics between which the population's median lies, `z` standard errors of its rank apart on both sides
/// (R. S. Woodruff, 1952, JASA 47, 635-646); `None` at an end that is infinite. `rows`: infinities included.
pub(crate) fn median_bounds(values: &ValueBins, rows: u64, z: f64) -> (Option<f64>, Option<f64>) {
    let reach = z / 2.0 * (rows as f64).sqrt();
    let middle = (rows as f64 - 1.0) / 2.0;
    let at = |rank: f64| {
        let last = rows.saturating_sub(1) as f64;
        at_rank(values, rank.clamp(0.0, last).round() as u64).map(|found| found.value)
    };
    (at(middle - reach), at(middle + reach))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::numbers as exact;

    fn bins(counts: &[(f64, f64, u64, f64)], sums_exact: bool) -> ValueBins {
        let bin = |&(lower, upper, count, sum): &(f64, f64, u64, f64)| ValueBin {
            lower,
            upper,
            count,
            sum,
        };
        ValueBins {
            bins: counts.iter().map(bin).collect(),
            sums_exact,
            ..ValueBins::default()
        }
    }

    #[test]
    fn statistics_by_hand() {
        // 1, 2, 2, 7: mean 3, squares 4 + 1 + 1 + 16 = 22, fourths 16 + 1 + 1 + 256 = 274
        let values = exact(&[(1.0, 1), (2.0, 2), (7.0, 1)]);
        assert_eq!(sum(&values).value, 12.0);
        let spread = spread(&values).unwrap();
        assert_eq!(
            (spread.mean, spread.squares.value, spread.fourths),
            (3.0, 22.0, 274.0)
        );
        assert!((spread.deviation().unwrap().value - (22.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        let variance = (274.0 / 4.0 - 1.0 / 3.0 * (22.0_f64 / 3.0).powi(2)) / 4.0;
        let error = variance.sqrt() / 2.0 / (22.0_f64 / 3.0).sqrt();
        assert!((spread.error_of_deviation().unwrap() - error).abs() < 1e-15);
        assert_eq!(median(&values).unwrap().value, 2.0);
        assert_eq!(median(&exact(&[(1.0, 1), (4.0, 1)])).unwrap().value, 2.5);
    }

    #[test]
    fn infinities_have_ranks() {
        let values = ValueBins {
            negative_infinities: 2,
            ..exact(&[(1.0, 1), (2.0, 2)])
        };
        assert_eq!(median(&values).unwrap().value, 1.0);
        let most = ValueBins {
            negative_infinities: 9,
            ..exact(&[(1.0, 1)])
        };
        assert_eq!(median(&most), None);
        assert_eq!(median(&exact(&[])), None);
    }

    #[test]
    fn bounds_hold_the_rows_of_a_bin() {
        // three rows in [0, 4] with sum 6: 2, 2, 2 has squares 0, and 0, 2, 4 has 8, and 0, 1.x no more than 12
        let coarse = bins(&[(0.0, 4.0, 3, 6.0)], true);
        let squares = spread(&coarse).unwrap().squares;
        assert!(squares.value - squares.error <= 0.0 && squares.value + squares.error >= 8.0);
        let middle = median(&coarse).unwrap();
        assert!(middle.value - middle.error <= 0.0 && middle.value + middle.error >= 4.0);
        let loose = bins(&[(0.0, 4.0, 3, 6.0)], false);
        assert_eq!(sum(&loose).error, 6.0);
        let squares = spread(&loose).unwrap().squares;
        // 0, 0, 4 has squares 32 / 3
        assert!(squares.value + squares.error >= 32.0 / 3.0);
    }

    #[test]
    fn long_sums_are_compensated() {
        let values = exact(&[(-1e16, 1), (1.0, 1), (1e16, 1)]);
        assert_eq!(sum(&values).value, 1.0);
    }
}
