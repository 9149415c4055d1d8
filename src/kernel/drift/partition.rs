//! Ranges of numbers, fixed on the reference, and the rows of any profile in them.
use super::super::key::{Scale, key};
use super::super::values::{ValueBin, ValueBins};

/// Rows of a range: `sure` of them lie there, `maybe` more can, and `likely` is a guess between.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tally {
    pub sure: u64,
    pub maybe: u64,
    pub likely: f64,
}

impl Tally {
    pub fn exactly(rows: u64) -> Self {
        Self {
            sure: rows,
            maybe: 0,
            likely: rows as f64,
        }
    }

    fn add(&mut self, rows: u64) {
        self.sure += rows;
        self.likely += rows as f64;
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            sure: self.sure + other.sure,
            maybe: self.maybe + other.maybe,
            likely: self.likely + other.likely,
        }
    }
}

/// Rows by range, and how many of them lie in a digest bin that a cut parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tallies {
    pub cells: Vec<Tally>,
    pub doubtful: u64,
}

/// The number line cut at ascending numbers: range `i` holds `cuts[i - 1] <= x < cuts[i]`, and the first and last
/// range have no end. Infinite numbers lie in these.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Partition {
    cuts: Vec<f64>,
}

impl Partition {
    /// Cuts at these numbers, in any order.
    pub fn new(mut cuts: Vec<f64>) -> Self {
        cuts.retain(|cut| !cut.is_nan());
        cuts.sort_by(f64::total_cmp);
        cuts.dedup_by(|a, b| a == b);
        Self { cuts }
    }

    /// Ends of each range: `lower <= x < upper`.
    pub fn ranges(&self) -> impl Iterator<Item = (f64, f64)> {
        let lowers = std::iter::once(f64::NEG_INFINITY).chain(self.cuts.iter().copied());
        let uppers = self
            .cuts
            .iter()
            .copied()
            .chain(std::iter::once(f64::INFINITY));
        lowers.zip(uppers)
    }

    /// Rows of a profile in each range, in one walk over its bins.
    pub fn tally(&self, values: &ValueBins) -> Tallies {
        let mut tallies = Tallies {
            cells: vec![Tally::default(); self.cuts.len() + 1],
            doubtful: 0,
        };
        let mut at = 0;
        for bin in &values.bins {
            let passed = |cut: &&f64| **cut <= bin.lower;
            at += self.cuts.iter().skip(at).take_while(passed).count();
            if self.cuts.get(at).is_none_or(|cut| bin.upper < *cut) {
                if let Some(cell) = tallies.cells.get_mut(at) {
                    cell.add(bin.count);
                }
            } else {
                tallies.doubtful += bin.count;
                self.part(bin, at, &mut tallies.cells);
            }
        }
        if let Some(first) = tallies.cells.first_mut() {
            first.add(values.negative_infinities);
        }
        if let Some(last) = tallies.cells.last_mut() {
            last.add(values.positive_infinities);
        }
        tallies
    }

    /// A bin that reaches over cuts: its rows may lie in any of the ranges, likely evenly spread.
    fn part(&self, bin: &ValueBin, first: usize, cells: &mut [Tally]) {
        let width = bin.upper - bin.lower;
        let below = |cut: f64| ((cut - bin.lower) / width).clamp(0.0, 1.0);
        let inside = self
            .cuts
            .iter()
            .skip(first)
            .take_while(|cut| **cut <= bin.upper);
        let count = inside.clone().count();
        let mut share_before = 0.0;
        let shares = inside
            .map(|cut| below(*cut))
            .chain(std::iter::once(1.0))
            .enumerate()
            .map(|(i, share)| match width.is_finite() {
                true => share,
                false => (i + 1) as f64 / (count + 1) as f64,
            });
        for (cell, share) in cells.iter_mut().skip(first).zip(shares) {
            cell.maybe += bin.count;
            cell.likely += bin.count as f64 * (share - share_before).max(0.0);
            share_before = share;
        }
    }
}

/// Equal-width edges by Doane's rule, as ranges that no bin of the reference's digest reaches over.
///
/// The edges are those of `numpy.histogram_bin_edges(x, 'doane')` where the digest is exact. Where it is not, each
/// is moved down to the start of the digest bin that it parts, and the last up to the end of its bin, so that the
/// reference's counts are exact; so are those of a chunk whose digest is as fine.
///
/// * Source: D. P. Doane (1976), The American Statistician 30, 181-183.
pub(super) fn doane(values: &ValueBins) -> Partition {
    let Some((lower, upper)) = ends(values) else {
        return Partition::new(Vec::new());
    };
    let count = doane_count(values, lower, upper);
    // of a constant column a range of width 1, which is numpy's, would hold numbers that the column never had
    if lower == upper {
        let cuts = [
            snapped_down(lower, values.level),
            bin_end(upper, values.level),
        ];
        return Partition::new(cuts.to_vec());
    }
    // as numpy.linspace rounds
    let step = match (upper - lower) / count as f64 {
        step if step.is_finite() => step,
        _ => upper / count as f64 - lower / count as f64,
    };
    let mut cuts: Vec<f64> = (0..count)
        .map(|i| snapped_down(i as f64 * step + lower, values.level))
        .collect();
    cuts.push(bin_end(upper, values.level));
    Partition::new(cuts)
}

/// Number of bins by Doane's rule.
fn doane_count(values: &ValueBins, lower: f64, upper: f64) -> usize {
    let rows = values.rows() as f64;
    let largest = lower.abs().max(upper.abs());
    // powers of very large and very small numbers leave the range of numbers
    let scale = match largest {
        x if (1e-90..1e90).contains(&x) => 1.0,
        x => x,
    };
    let range = upper / scale - lower / scale;
    if rows <= 2.0 || !(range > 0.0 && range.is_finite()) {
        return 1;
    }
    let mean = mean_of(values, rows, |x| x / scale);
    let off = |x: f64| x / scale - mean;
    let deviation = mean_of(values, rows, |x| off(x).powi(2)).sqrt();
    if deviation == 0.0 {
        return 1;
    }
    let skewness = mean_of(values, rows, |x| (off(x) / deviation).powi(3)).abs();
    let skewness = if skewness.is_finite() { skewness } else { 0.0 };
    let error = (6.0 * (rows - 2.0) / ((rows + 1.0) * (rows + 3.0))).sqrt();
    let width = range / (1.0 + rows.log2() + (1.0 + skewness / error).log2());
    // the skewness of N rows is below sqrt(N), so there are at most 1 + 2 log2(N) bins or so
    ((range / width).ceil() as usize).clamp(1, 256)
}

fn mean_of(values: &ValueBins, rows: f64, function: impl Fn(f64) -> f64) -> f64 {
    let terms = values
        .bins
        .iter()
        .map(|bin| bin.count as f64 * function(centre(bin)));
    terms.sum::<f64>() / rows
}

/// The mean of a bin's numbers, inside of the bin.
pub(super) fn centre(bin: &ValueBin) -> f64 {
    if bin.lower >= bin.upper {
        return bin.lower;
    }
    (bin.sum / bin.count as f64).max(bin.lower).min(bin.upper)
}

/// Smallest and largest finite number that the profile can hold.
pub(super) fn ends(values: &ValueBins) -> Option<(f64, f64)> {
    Some((values.bins.first()?.lower, values.bins.last()?.upper))
}

/// Ranges of a tenth of the reference each; the first and the last have no end.
///
/// A number (a digest bin) that holds a tenth or more of the rows is a range of its own, so that ties do not make
/// ranges vanish.
pub(super) fn deciles(values: &ValueBins) -> Partition {
    let rows = u128::from(values.rows());
    let (mut below, mut cuts) = (u128::from(0u8), Vec::new());
    let last = values.bins.len().saturating_sub(1);
    for (i, bin) in values.bins.iter().enumerate() {
        let through = below + u128::from(bin.count);
        let tenths = 10 * through / rows.max(1) - 10 * below / rows.max(1);
        let heavy = 10 * u128::from(bin.count) >= rows;
        if heavy {
            cuts.push(snapped_down(bin.lower, values.level));
        }
        if heavy || (tenths > 0 && i < last) {
            cuts.push(bin_end(bin.lower, values.level));
        }
        below = through;
    }
    Partition::new(cuts)
}

/// Whether a number (a digest bin) holds a tenth of the rows or more.
pub(super) fn has_ties(values: &ValueBins) -> bool {
    let rows = u128::from(values.rows());
    let largest = values.bins.iter().map(|bin| bin.count).max();
    10 * u128::from(largest.unwrap_or(0)) >= rows
}

/// Start of the digest bin that holds `x`.
fn snapped_down(x: f64, level: u8) -> f64 {
    if level == 0 {
        return x;
    }
    Scale::Number.bin_range(key(x) >> level, level).lower
}

/// The first number after the digest bin that holds `x`.
fn bin_end(x: f64, level: u8) -> f64 {
    if level == 0 {
        return x.next_up();
    }
    Scale::Number
        .bin_range(key(x) >> level, level)
        .upper
        .next_up()
}
