//! Calibration error: mean distance of score and share of positives over ranges of the score.
//!
//! Sixteen equal ranges of `[0, 1]`: their edges are edges of the digest's bins up to level 49,
//! so bins fall into one range each and the realized value is exact.
use super::estimate_ranking::calibrator_variance;
use super::expected::Expected;
use super::group::Group;
use super::prediction_interval::Estimate;
use super::roc_auc::small_sample;
use statrs::function::erf::erf;

const RANGES: usize = 16;
/// Square of a gap over its variance up to which labels may be all there is to it.
const NOISE: f64 = 2.0;

/// Rows of one range.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    rows: f64,
    /// Sum of scores minus sum of labels, or of their probabilities.
    gap: f64,
    /// Sum of squared distances of score and label, or probability.
    squares: f64,
    /// Variance of the labels' sum given the scores.
    noise: f64,
}

impl Range {
    /// Variance of the gap, as its rows scatter.
    fn variance(&self) -> f64 {
        let mean = self.gap / self.rows.max(1.0);
        (self.squares - self.gap * mean).max(0.0)
    }
}

/// All ranges, and the certified error of the sum of their absolute gaps.
#[derive(Debug, Clone, Default)]
struct Ranges {
    ranges: [Range; RANGES],
    slack: f64,
}

fn range_of(score: f64) -> usize {
    ((score.clamp(0.0, 1.0) * RANGES as f64) as usize).min(RANGES - 1)
}

impl Ranges {
    /// Adds the rows of a bin whose mean probability is `c`, known up to `slack`, all of them
    /// between `low` and `high`.
    fn add(&mut self, group: &Group, c: f64, slack: f64, (low, high): (f64, f64), noise: f64) {
        let rows = group.rows;
        let (lower, upper) = (group.lower.max(0.0), group.upper.min(1.0));
        let score = group.mean.clamp(0.0, 1.0);
        if let Some(range) = self.ranges.get_mut(range_of(score)) {
            range.rows += rows;
            range.gap += rows * (score - c);
            range.squares += rows * (score - c) * (score - c);
            range.noise += rows * noise;
        }
        self.slack += rows * slack;
        if !group.mean_known {
            self.slack += rows * (upper - lower);
        }
        if range_of(lower) != range_of(upper) {
            // rows that belong to a neighbour move two gaps by their distance each
            let widest = (upper - low).abs().max((high - lower).abs());
            self.slack += 2.0 * rows * widest;
        }
    }

    fn rows(&self) -> f64 {
        self.ranges.iter().map(|range| range.rows).sum()
    }

    fn value(&self) -> f64 {
        let gaps: f64 = self.ranges.iter().map(|range| range.gap.abs()).sum();
        gaps / self.rows()
    }

    /// Sum of squared influence: the distance of a row, signed as its range's gap, less the value.
    fn row_variance(&self) -> f64 {
        let (rows, value) = (self.rows(), self.value());
        let squares: f64 = self
            .ranges
            .iter()
            .map(|r| r.squares - 2.0 * value * r.gap.abs() + r.rows * value * value)
            .sum();
        small_sample(rows) * squares.max(0.0) / (rows * rows)
    }
}

/// Mean and variance of `|X|` for a normal X.
///
/// * Source: Leone, Nelson and Nottingham (1961), Technometrics 3, 543-550.
fn folded_normal(mean: f64, variance: f64) -> (f64, f64) {
    if variance <= 0.0 {
        return (mean.abs(), 0.0);
    }
    let deviation = variance.sqrt();
    let bulge =
        (2.0 / std::f64::consts::PI).sqrt() * deviation * (-mean * mean / (2.0 * variance)).exp();
    let folded = bulge + mean * erf(mean / (deviation * std::f64::consts::SQRT_2));
    let spread = mean * mean + variance - folded * folded;
    (folded, spread.max(0.0))
}

/// Expected calibration error of a chunk; `None` without rows.
///
/// The value is the distance of scores and calibrated probabilities. Noise of the calibrator has enlarged it
/// already, since absolute values add up what should cancel; that bias is part of the error. Noise of labels
/// will enlarge the realized value: the interval is centred on its expectation (folded normal) at the gaps
/// without the calibrator's noise, `max(0, gap^2 - variance)`, and so need not hold the value itself.
pub(crate) fn estimate_calibration_error(
    expected: &[Expected],
    level_variances: &[f64],
) -> Option<Estimate> {
    let mut ranges = Ranges::default();
    for part in expected {
        let limits = (part.range.low, part.range.high);
        ranges.add(&part.group, part.c, part.slack, limits, part.noise.middle());
    }
    let rows = ranges.rows();
    if rows <= 0.0 {
        return None;
    }
    let (mut center, mut from_labels, mut from_calibrator, mut bias) = (0.0, 0.0, 0.0, 0.0);
    // bins ascend, so those of a range follow each other
    for members in expected.chunk_by(|a, b| range_of(a.group.mean) == range_of(b.group.mean)) {
        let range = members
            .first()
            .and_then(|part| ranges.ranges.get(range_of(part.group.mean)))
            .copied()
            .unwrap_or_default();
        let ones = std::iter::repeat(1.0);
        let level = calibrator_variance(members, ones, level_variances);
        let gap = (range.gap * range.gap - level).max(0.0).sqrt();
        let (mean, spread) = folded_normal(gap, range.noise);
        let (enlarged, scatter) = folded_normal(gap, level);
        center += mean;
        from_labels += spread;
        from_calibrator += scatter;
        bias += enlarged - gap;
    }
    Some(Estimate {
        value: ranges.value(),
        center: Some(center / rows),
        slack: ranges.slack / rows,
        label_variance: from_labels / (rows * rows),
        calibrator_variance: (from_calibrator + bias * bias) / (rows * rows),
        row_variance: ranges.row_variance(),
        ..Estimate::default()
    })
}

/// Realized calibration error of labelled rows.
pub(crate) struct RealizedCalibrationError {
    pub value: f64,
    pub slack: f64,
    pub variance: f64,
    /// What the noise of labels adds to the value on average, at least and at most.
    pub noise: (f64, f64),
}

/// Influence of a row of each group on the calibration error; groups by label.
///
/// The distance of the row, signed as its range's gap, less the value.
pub(crate) fn influences_on_calibration_error(by_label: &[Vec<Group>; 2]) -> Option<[Vec<f64>; 2]> {
    let [negatives, positives] = by_label;
    let ranges = labelled_ranges(negatives, positives);
    let (rows, value) = (ranges.rows(), ranges.value());
    let of = |label: f64, groups: &[Group]| {
        let influence = |group: &Group| {
            let score = group.mean.clamp(0.0, 1.0);
            let range = ranges.ranges.get(range_of(score));
            let side = range.map_or(0.0, |range| range.gap.signum());
            (side * (score - label) - value) / rows
        };
        groups.iter().map(influence).collect()
    };
    (rows > 0.0).then(|| [of(0.0, negatives), of(1.0, positives)])
}

fn labelled_ranges(negatives: &[Group], positives: &[Group]) -> Ranges {
    let mut ranges = Ranges::default();
    for (label, groups) in [(0.0, negatives), (1.0, positives)] {
        for group in groups {
            ranges.add(group, label, 0.0, (label, label), 0.0);
        }
    }
    ranges
}

/// Calibration error of labelled rows, grouped by label; `None` without rows.
pub(crate) fn realized_calibration_error(
    negatives: &[Group],
    positives: &[Group],
) -> Option<RealizedCalibrationError> {
    let ranges = labelled_ranges(negatives, positives);
    let rows = ranges.rows();
    let (mut least, mut most) = (0.0, 0.0);
    for range in &ranges.ranges {
        let (gap, variance) = (range.gap.abs(), range.variance());
        // gaps are at most as wide as they look, and may be none where noise is as large
        let wide = gap * gap > NOISE * variance;
        let narrow = if wide {
            (gap * gap - variance).sqrt()
        } else {
            0.0
        };
        least += folded_normal(gap, variance).0 - gap;
        most += folded_normal(narrow, variance).0 - narrow;
    }
    (rows > 0.0).then(|| RealizedCalibrationError {
        value: ranges.value(),
        slack: ranges.slack / rows,
        variance: ranges.row_variance(),
        noise: (least / rows, most / rows),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(score: f64, rows: u32) -> Group {
        Group {
            rows: f64::from(rows),
            mean: score,
            lower: score,
            upper: score,
            mean_known: true,
        }
    }

    #[test]
    fn gaps_are_summed_by_range() {
        // [.25, .3125): .25 * 4 rows against 2 positives; [.5, .5625): .5 * 4 against 1
        let realized =
            realized_calibration_error(&[at(0.25, 2), at(0.5, 3)], &[at(0.25, 2), at(0.5, 1)])
                .unwrap();
        assert_eq!((realized.value, realized.slack), (2.0 / 8.0, 0.0));
    }

    #[test]
    fn the_last_range_holds_one() {
        assert_eq!([0.0, 0.0625, 0.99, 1.0].map(range_of), [0, 1, 15, 15]);
    }

    #[test]
    fn folded_normal_at_its_ends() {
        // mean 0: sqrt(2 / pi) deviations; far from 0: as it is
        let (mean, variance) = folded_normal(0.0, 4.0);
        assert!((mean - 2.0 * (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-12);
        assert!((variance - (4.0 - mean * mean)).abs() < 1e-12);
        let (mean, variance) = folded_normal(-50.0, 1.0);
        assert!((mean - 50.0).abs() < 1e-9 && (variance - 1.0).abs() < 1e-9);
        assert_eq!(folded_normal(-3.0, 0.0).0, 3.0);
    }

    #[test]
    fn a_bin_over_an_edge_is_bounded() {
        let wide = Group {
            rows: 2.0,
            mean: 0.0625,
            lower: 0.0,
            upper: 0.125,
            mean_known: true,
        };
        let realized = realized_calibration_error(&[wide], &[]).unwrap();
        assert!(realized.slack > 0.0);
    }
}
