//! Estimates held against the labels of some rows of a chunk, where calibration holds and where it has drifted.
use modelwatch::kernel::bins::Class;
use modelwatch::kernel::calibrator::{CalibrationMode, Calibrator};
use modelwatch::kernel::estimate::Estimator;
use modelwatch::kernel::realized::Realized;

use super::coverage::{METRICS, Setting};
use super::simulated::{EXACT, Random, Row, class, profile};

/// Labels that arrive: of rows with a high score more often, as those of accepted applications do.
fn some_labels(rows: &mut [Row], random: &mut Random) {
    for row in rows {
        let known = 0.3 + 0.6 * row.score;
        if !random.chance(known) {
            row.label = Class::Unknown;
        }
    }
}

/// A concept that has changed: this share of the positives is negative now, whatever the score.
fn drifted(rows: &mut [Row], share: f64, random: &mut Random) {
    for row in rows {
        if row.label == Class::Positive {
            row.label = class(!random.chance(share));
        }
    }
}

/// z of each metric in each run; every run has a reference of its own, for a calibrator's error is common to its chunks.
pub fn standardized(setting: &Setting, rows: usize, lost: f64, runs: u64) -> Vec<[f64; 5]> {
    let run = |run: u64| {
        let mut random = setting.random(5_000, run, 11);
        let reference = setting.rows(5_000, 0.0, &mut random);
        let calibrator = Calibrator::fit(&profile(&reference, EXACT), CalibrationMode::Auto);
        let calibrator = calibrator.expect("both classes");
        let mut chunk = setting.rows(rows, setting.shift, &mut random);
        drifted(&mut chunk, lost, &mut random);
        some_labels(&mut chunk, &mut random);
        let bins = profile(&chunk, EXACT);
        let labelled = bins.labelled();
        let (estimator, realized) = (Estimator::new(&labelled, &calibrator), Realized::new(&bins));
        METRICS.map(|metric| {
            let expected = estimator.reading(metric, [0.0; 4], 0.95).expectation;
            let expected = expected.expect("a value on thousands of rows");
            let realized = realized.reading(metric, [0.0; 4], 0.95).value;
            (expected.value - realized.expect("both classes")) / expected.error
        })
    };
    (0..runs).map(run).collect()
}

/// Mean and standard deviation.
pub fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}
