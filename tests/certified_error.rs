//! `approx_error` is a bound, always: the metric computed from all rows, one by one and with the
//! same calibrator, lies within it of the metric computed from the binned profile.
//!
//! `MODELWATCH_CASES` sets the number of random cases.
use modelwatch::kernel::bins::{Class, ScoreBins};
use modelwatch::kernel::calibrator::{CalibrationMode, Calibrator};
use modelwatch::kernel::estimate::Estimator;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::reading::Reading;
use modelwatch::kernel::realized::Realized;

#[path = "simulated/by_row.rs"]
mod by_row;
#[path = "simulated/mod.rs"]
mod simulated;

use by_row::{expected_by_row, realized_by_row};
use simulated::{EXACT, Random, Row, class, profile};

const MATRIX: [f64; 4] = [1.0, -10.0, -50.0, 100.0];
const SHAPES: [&str; 5] = [
    "uniform",
    "logit-normal",
    "heavy-tailed",
    "tied",
    "neighbours",
];
const MAX_BINS: [u32; 2] = [64, 1024];

/// Scores of one case: shape, parameters and rows are random.
fn scores(shape: usize, count: u64, random: &mut Random) -> Vec<f64> {
    let (center, spread) = (random.normal() * 2.0, 0.2 + 3.0 * random.uniform());
    let (from, width) = (random.uniform() * 0.7, 0.05 + 0.25 * random.uniform());
    let steps = 10f64.powi(1 + random.below(4) as i32);
    // scores that differ in their last bits only: the mean of a bin is then as coarse as the bin
    let apart = 1 << (7 + random.below(6));
    let tail = 5.0 + 300.0 * random.uniform();
    (0..count)
        .map(|_| match shape {
            0 => from + width * random.uniform(),
            1 => 1.0 / (1.0 + (-center - spread * random.normal()).exp()),
            2 => random.uniform().powf(tail),
            3 => (random.uniform() * steps).round() / steps,
            _ => f64::from_bits(from.to_bits() + random.below(apart)),
        })
        .collect()
}

/// Rows with a label, some unknown, that follows a bent version of the score.
fn rows(shape: usize, count: u64, random: &mut Random) -> Vec<Row> {
    let (power, cut) = (0.3 + 2.0 * random.uniform(), random.uniform());
    let (some_missing, cut) = (random.chance(0.3), cut * cut);
    let scores = scores(shape, count, random);
    let unknown = |random: &mut Random, class: Class| {
        if some_missing && random.chance(0.1) {
            Class::Unknown
        } else {
            class
        }
    };
    scores
        .into_iter()
        .map(|score| {
            let label = class(random.chance(score.powf(power)));
            Row {
                score,
                prediction: unknown(random, class(score >= cut)),
                label: unknown(random, label),
            }
        })
        .collect()
}

struct Case {
    chunk: Vec<Row>,
    binned: ScoreBins,
    calibrator: Calibrator,
    from_raw_data: Calibrator,
}

impl Case {
    /// `None` where the reference drawn has labels of one class only.
    fn draw(shape: usize, max_bins: u32, random: &mut Random) -> Option<Self> {
        let count = |random: &mut Random| {
            let most = if max_bins == 64 { 600 } else { 9000 };
            20 + (random.uniform().powi(2) * f64::from(most)) as u64
        };
        let (reference_rows, chunk_rows) = (count(random), count(random));
        let reference = rows(shape, reference_rows, random);
        let elsewhere = if random.chance(0.2) {
            random.below(SHAPES.len() as u64) as usize
        } else {
            shape
        };
        let chunk = rows(elsewhere, chunk_rows, random);
        let mode = [
            CalibrationMode::Auto,
            CalibrationMode::Always,
            CalibrationMode::Never,
        ][random.below(3) as usize];
        Some(Self {
            calibrator: Calibrator::fit(&profile(&reference, max_bins), mode).ok()?,
            from_raw_data: Calibrator::fit(&profile(&reference, EXACT), mode).ok()?,
            binned: profile(&chunk, max_bins),
            chunk,
        })
    }
}

/// Asserts the bound; returns by how much of it the value was off.
fn check(what: &str, metric: Metric, reading: &Reading, by_row: Option<f64>) -> Option<(f64, f64)> {
    let (Some(value), Some(bound)) = (reading.value, reading.approx_error) else {
        assert!(
            by_row.is_none(),
            "{what} {metric}: no value, by row {by_row:?}, {reading:?}"
        );
        return None;
    };
    let Some(by_row) = by_row else {
        // the bins cannot tell that a class is empty: then the bound must say that they cannot
        assert!(
            bound >= value.max(1.0 - value),
            "{what} {metric}: {value} +- {bound:e}"
        );
        return None;
    };
    // values of the matrix cancel, so a sum of them is only as exact as its largest terms
    let largest_term = match metric {
        Metric::BusinessValue => 100.0 * reading.used_count as f64,
        Metric::BusinessValuePerRow => 100.0,
        _ => 1.0 + value.abs(),
    };
    // the yardstick adds up single rows: a sum of n terms is exact to n eps, and a ranking metric has four
    let rounding = (1e-12 + 4.0 * reading.used_count as f64 * f64::EPSILON) * largest_term;
    assert!(
        (value - by_row).abs() <= bound + rounding,
        "{what} {metric}: {value} +- {bound:e} but {by_row} by row, off by {:e}",
        (value - by_row).abs()
    );
    Some(((value - by_row).abs(), bound))
}

/// What was found for one metric, shape and limit.
#[derive(Clone, Default)]
struct Found {
    errors: Vec<f64>,
    bounds: Vec<f64>,
    to_raw_fit: Vec<f64>,
}

impl Case {
    /// Checks every metric; adds what was found about the estimates to `found`.
    fn check(&self, what: &str, found: &mut [Found]) {
        let estimator = Estimator::new(&self.binned, &self.calibrator);
        let raw_fit = Estimator::new(&self.binned, &self.from_raw_data);
        let realized = Realized::new(&self.binned);
        let same_decision =
            self.calibrator.uses_raw_scores() == self.from_raw_data.uses_raw_scores();
        for (metric, found) in Metric::ALL.into_iter().zip(found) {
            let estimate = estimator.reading(metric, MATRIX, 0.95);
            let by_row = expected_by_row(&self.chunk, &self.calibrator, metric, MATRIX);
            if let Some((error, bound)) = check(what, metric, &estimate, by_row) {
                found.errors.push(error);
                found.bounds.push(bound);
            }
            let from_raw_data = raw_fit.reading(metric, MATRIX, 0.95).value;
            if let (Some(a), Some(b), true) = (estimate.value, from_raw_data, same_decision) {
                found.to_raw_fit.push((a - b).abs());
            }
            let reading = realized.reading(metric, MATRIX, 0.95);
            let by_row = realized_by_row(&self.chunk, metric, MATRIX);
            check(&format!("{what} realized"), metric, &reading, by_row);
        }
    }
}

#[test]
fn the_metric_from_all_rows_is_inside() {
    let cases: u64 = std::env::var("MODELWATCH_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let cells = (MAX_BINS.len() * SHAPES.len()) as u64;
    for (size, max_bins) in MAX_BINS.into_iter().enumerate() {
        for (shape, name) in SHAPES.iter().enumerate() {
            let mut found = vec![Found::default(); Metric::ALL.len()];
            let first = (size * SHAPES.len() + shape) as u64;
            // a draw whose reference has labels of one class only is no case
            let drawn = (0..cases).map(|n| first + cells * n).filter_map(|number| {
                let mut random = Random(number.wrapping_mul(7919) ^ 0x5eed);
                Some((number, Case::draw(shape, max_bins, &mut random)?))
            });
            let wanted = cases.div_ceil(cells);
            let mut checked = 0;
            for (number, case) in drawn.take(wanted as usize) {
                case.check(&format!("case {number} ({name})"), &mut found);
                checked += 1;
            }
            assert_eq!(checked, wanted, "{name}: too few cases");
            print(max_bins, name, &mut found);
        }
    }
}

fn print(max_bins: u32, shape: &str, found: &mut [Found]) {
    let quantile = |values: &mut Vec<f64>, share: f64| {
        values.sort_by(f64::total_cmp);
        let at = (share * values.len() as f64) as usize;
        values
            .get(at.min(values.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    };
    println!(
        "\nmax_bins {max_bins}, {shape}: median and largest error, median and largest bound, \
         median and 95 % distance to the calibrator fitted on raw data"
    );
    for (metric, found) in Metric::ALL.iter().zip(found) {
        println!(
            "{metric}\t{:.1e} {:.1e}\t{:.1e} {:.1e}\t{:.1e} {:.1e}",
            quantile(&mut found.errors, 0.5),
            quantile(&mut found.errors, 1.0),
            quantile(&mut found.bounds, 0.5),
            quantile(&mut found.bounds, 1.0),
            quantile(&mut found.to_raw_fit, 0.5),
            quantile(&mut found.to_raw_fit, 0.95),
        );
    }
}
