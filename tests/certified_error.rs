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
use simulated::{Random, Row, class, profile};

const MATRIX: [f64; 4] = [1.0, -10.0, -50.0, 100.0];
const SHAPES: [&str; 4] = ["uniform", "logit-normal", "heavy-tailed", "tied"];

/// Scores of one case: shape, parameters and rows are random.
fn scores(shape: usize, count: u64, random: &mut Random) -> Vec<f64> {
    let (center, spread) = (random.normal() * 2.0, 0.2 + 3.0 * random.uniform());
    let (from, width) = (random.uniform() * 0.7, 0.05 + 0.25 * random.uniform());
    let steps = 10f64.powi(1 + random.below(3) as i32);
    let tail = 5.0 + 300.0 * random.uniform();
    (0..count)
        .map(|_| match shape {
            0 => from + width * random.uniform(),
            1 => 1.0 / (1.0 + (-center - spread * random.normal()).exp()),
            2 => random.uniform().powf(tail),
            _ => (random.uniform() * steps).round() / steps,
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
    fn draw(shape: usize, max_bins: usize, random: &mut Random) -> Option<Self> {
        let count = |random: &mut Random| {
            let most = if max_bins == 64 { 600 } else { 4000 };
            20 + (random.uniform().powi(2) * f64::from(most)) as u64
        };
        let (reference_rows, chunk_rows) = (count(random), count(random));
        let reference = rows(shape, reference_rows, random);
        let elsewhere = if random.chance(0.2) {
            random.below(4) as usize
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
            from_raw_data: Calibrator::fit(&profile(&reference, usize::MAX), mode).ok()?,
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
    // values of the matrix cancel, so a total is only as exact as its largest terms
    let largest_term = if metric == Metric::BusinessValue {
        100.0 * reading.used_count as f64
    } else {
        1.0 + value.abs()
    };
    let rounding = 1e-12 * largest_term;
    assert!(
        (value - by_row).abs() <= bound + rounding,
        "{what} {metric}: {value} +- {bound:e} but {by_row} by row, off by {:e}",
        (value - by_row).abs()
    );
    Some(((value - by_row).abs(), bound))
}

#[derive(Clone, Copy, Default)]
struct Worst {
    error: f64,
    bound: f64,
    to_raw_fit: f64,
}

#[test]
fn the_metric_from_all_rows_is_inside() {
    let cases: u64 = std::env::var("MODELWATCH_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let mut worst = [[[Worst::default(); 16]; 4]; 2];
    let mut checked = 0u64;
    for case_number in 0..cases {
        let mut random = Random(case_number.wrapping_mul(7919) ^ 0x5eed);
        let (shape, size) = ((case_number % 4) as usize, (case_number / 4 % 2) as usize);
        let Some(case) = Case::draw(shape, [64, 1024][size], &mut random) else {
            continue;
        };
        let estimator = Estimator::new(&case.binned, &case.calibrator);
        let raw = Estimator::new(&case.binned, &case.from_raw_data);
        let realized = Realized::new(&case.binned);
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            let what = format!("case {case_number} ({})", SHAPES[shape]);
            let estimate = estimator.reading(metric, MATRIX, 0.95);
            let by_row = expected_by_row(&case.chunk, &case.calibrator, metric, MATRIX);
            let worst = &mut worst[size][shape][index];
            if let Some((error, bound)) = check(&what, metric, &estimate, by_row) {
                checked += 1;
                worst.error = worst.error.max(error);
                worst.bound = worst.bound.max(bound);
            }
            if let (Some(a), Some(b)) = (estimate.value, raw.reading(metric, MATRIX, 0.95).value) {
                worst.to_raw_fit = worst.to_raw_fit.max((a - b).abs());
            }
            let reading = realized.reading(metric, MATRIX, 0.95);
            check(
                &format!("{what} realized"),
                metric,
                &reading,
                realized_by_row(&case.chunk, metric, MATRIX),
            );
        }
    }
    assert!(checked > cases * 10);
    print(&worst);
}

#[allow(clippy::print_stdout, reason = "the table is part of the result")]
fn print(worst: &[[[Worst; 16]; 4]; 2]) {
    println!(
        "max_bins\tscores\tmetric\tlargest error\tlargest bound\tlargest distance to the raw-data fit"
    );
    for (max_bins, shapes) in [64, 1024].iter().zip(worst) {
        for (shape, metrics) in SHAPES.iter().zip(shapes) {
            for (metric, worst) in Metric::ALL.iter().zip(metrics) {
                println!(
                    "{max_bins}\t{shape}\t{metric}\t{:.1e}\t{:.1e}\t{:.1e}",
                    worst.error, worst.bound, worst.to_raw_fit
                );
            }
        }
    }
}
