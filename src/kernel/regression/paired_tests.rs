//! Errors of differences against the jackknife and simulation.
use super::super::digest::DigestLimits;
use super::super::paired::PairedReading;
use super::super::paired::testing::{Draws, coverage, jackknife};
use super::super::reading::Status;
use super::*;

type Row = (f64, [f64; 2]);

fn rows(count: usize, seed: u64) -> Vec<Row> {
    let mut draws = Draws(seed);
    (0..count).map(|_| draws.predicted(0.3)).collect()
}

fn paired(rows: &[Row], metric: RegressionMetric, max_bins: u32) -> PairedRegression {
    let limits = DigestLimits {
        max_bins,
        min_level: 0,
    };
    let mut paired = PairedRegression::new(metric, limits);
    let labels: Vec<f64> = rows.iter().map(|row| row.0).collect();
    let [a, b] = [0, 1].map(|model| rows.iter().map(|row| row.1[model]).collect::<Vec<f64>>());
    paired.observe_all(&labels, [&a, &b]);
    paired
}

fn reading(rows: &[Row], metric: RegressionMetric) -> PairedReading {
    paired(rows, metric, 65_536).reading(0.95)
}

#[test]
fn errors_are_those_of_dropping_rows() {
    let rows = rows(250, 1);
    for metric in RegressionMetric::ALL {
        // of a median the jackknife does not converge
        if metric == RegressionMetric::MedianAbsoluteError {
            continue;
        }
        let by_dropping = jackknife(&rows, |rows| reading(rows, metric).value.unwrap());
        let error = reading(&rows, metric).sampling_error.unwrap();
        assert!(
            (error / by_dropping - 1.0).abs() < 0.03,
            "{metric}: {error} {by_dropping}"
        );
    }
}

#[test]
fn by_hand() {
    // absolute errors 1, 2, 0, 3 and 0, 2, 1, 1: differences -1, 0, 1, -2
    let rows = [
        (10.0, [11.0, 10.0]),
        (20.0, [18.0, 22.0]),
        (30.0, [30.0, 29.0]),
        (40.0, [43.0, 41.0]),
    ];
    let mae = reading(&rows, RegressionMetric::Mae);
    assert_eq!(
        (mae.value, mae.value_a, mae.value_b),
        (Some(-0.5), Some(1.5), Some(1.0))
    );
    // squares 6 less 4 * .25, over 4 * 3
    assert!((mae.sampling_error.unwrap() - (5.0f64 / 12.0).sqrt()).abs() < 1e-15);
    assert_eq!((mae.used_count, mae.status), (4, Status::FewRows));
}

#[test]
fn equal_models_do_not_differ() {
    let same = |(label, [a, _]): Row| (label, [a, a]);
    let rows: Vec<Row> = rows(200, 2).into_iter().map(same).collect();
    for metric in RegressionMetric::ALL {
        for max_bins in [16, 65_536] {
            let reading = paired(&rows, metric, max_bins).reading(0.95);
            assert_eq!(
                (reading.value, reading.sampling_error),
                (Some(0.0), Some(0.0))
            );
            assert_eq!((reading.z, reading.status), (None, Status::Ok), "{metric}");
        }
    }
}

#[test]
fn what_cannot_be_said_says_why() {
    use RegressionMetric as M;
    let status = |rows: &[Row], metric| reading(rows, metric).status;
    assert_eq!(status(&[], M::Mae), Status::InsufficientData);
    let negative = [(1.0, [2.0, -1.0]), (2.0, [2.0, 3.0])];
    let msle = reading(&negative, M::Msle);
    assert_eq!(
        (msle.value, msle.value_b, msle.status),
        (None, None, Status::NegativeValue)
    );
    assert!(msle.value_a.is_some());
    assert_eq!(status(&[(0.0, [1.0, 0.0])], M::Mape), Status::InfiniteValue);
    assert_eq!(
        status(&[(3.0, [1.0, 0.0]); 2], M::R2),
        Status::ConstantLabel
    );
    let infinite = [
        (1.0, [2.0, f64::INFINITY]),
        (1.0, [2.0, 1.0]),
        (2.0, [2.0, 1.0]),
    ];
    let mae = reading(&infinite, M::Mae);
    // of 2 rows: 0 and 1 less 1 and 0
    assert_eq!(
        (mae.used_count, mae.status, mae.value),
        (2, Status::InvalidValue, Some(0.0))
    );
    let faultless = [(1.0, [1.0, 2.0]), (2.0, [2.0, 4.0]), (4.0, [4.0, 5.0])];
    let rmse = reading(&faultless, M::Rmse);
    assert_eq!((rmse.value_a, rmse.value), (Some(0.0), rmse.value_b));
    assert!(rmse.sampling_error.unwrap() > 0.0);
}

#[test]
fn bytes_are_the_same_however_rows_come() {
    for metric in RegressionMetric::ALL {
        for max_bins in [16, 65_536] {
            let rows = rows(200, 3);
            let mut merged = paired(&[], metric, max_bins);
            for part in rows.rchunks(9) {
                let bytes = paired(part, metric, max_bins).to_bytes();
                merged.merge_bytes(&bytes).unwrap();
            }
            assert_eq!(
                merged.to_bytes(),
                paired(&rows, metric, max_bins).to_bytes()
            );
        }
    }
    let mut mae = paired(&[], RegressionMetric::Mae, 64);
    let other = paired(&[], RegressionMetric::Mse, 64).to_bytes();
    assert!(mae.merge_bytes(&other).is_err());
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    for (metric, gain) in [
        (RegressionMetric::Mae, 0.0),
        (RegressionMetric::Mae, 0.3),
        (RegressionMetric::R2, 0.3),
        (RegressionMetric::MedianAbsoluteError, 0.0),
        (RegressionMetric::MedianAbsoluteError, 0.3),
    ] {
        let mut draws = Draws(4);
        let mut sample =
            |count: usize| -> Vec<Row> { (0..count).map(|_| draws.predicted(gain)).collect() };
        let truth = reading(&sample(100_000), metric).value.unwrap();
        let truth = if gain == 0.0 { 0.0 } else { truth };
        let intervals = (0..1000).map(|_| {
            let reading = reading(&sample(300), metric);
            (reading.lower_bound, reading.upper_bound)
        });
        let share = coverage(truth, intervals);
        assert!((0.93..0.97).contains(&share), "{metric} {gain}: {share}");
    }
}
