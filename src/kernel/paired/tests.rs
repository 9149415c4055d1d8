//! Errors against an independent computation, the jackknife and simulation.
use super::testing::{Draws, coverage, jackknife};
use super::*;
use crate::kernel::digest::DigestLimits;
use crate::kernel::metric::Metric;
use crate::kernel::reading::Status;

type Row = (bool, [f64; 2]);

fn rows(count: usize, seed: u64) -> Vec<Row> {
    let mut draws = Draws(seed);
    (0..count).map(|_| draws.scored(0.4)).collect()
}

fn limits(max_bins: u32) -> DigestLimits {
    DigestLimits {
        max_bins,
        min_level: 0,
    }
}

fn paired(rows: &[Row], max_bins: u32) -> PairedScores {
    let mut paired = PairedScores::new(limits(max_bins));
    rows.iter()
        .for_each(|(label, scores)| paired.observe(*label, *scores));
    paired
}

fn of_scores(rows: &[Row], metric: Metric) -> PairedReading {
    paired(rows, 65_536).reading(metric, 0.95)
}

fn of_predictions(rows: &[Row], metric: Metric) -> PairedReading {
    let mut paired = PairedPredictions::default();
    for (label, scores) in rows {
        paired.observe(*label, scores.map(|score| score >= 0.4));
    }
    paired.reading(metric, 0.95)
}

fn reading(rows: &[Row], metric: Metric) -> PairedReading {
    match metric.needs_prediction() {
        true => of_predictions(rows, metric),
        false => of_scores(rows, metric),
    }
}

fn metrics() -> impl Iterator<Item = Metric> {
    Metric::ALL
        .into_iter()
        .filter(|metric| metric.is_aggregate())
}

/// DeLong, DeLong and Clarke-Pearson (1988), equations 5 to 8, pair by pair.
fn delong(rows: &[Row]) -> (f64, f64) {
    let of = |label: bool| -> Vec<[f64; 2]> {
        let mine = rows.iter().filter(|row| row.0 == label);
        mine.map(|row| row.1).collect()
    };
    let (negatives, positives) = (of(false), of(true));
    let wins = |x: f64, y: f64| match x.total_cmp(&y) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let difference = |x: &[f64; 2], y: &[f64; 2]| wins(x[1], y[1]) - wins(x[0], y[0]);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let v10: Vec<f64> = positives
        .iter()
        .map(|x| negatives.iter().map(|y| difference(x, y)).sum::<f64>() / negatives.len() as f64)
        .collect();
    let v01: Vec<f64> = negatives
        .iter()
        .map(|y| positives.iter().map(|x| difference(x, y)).sum::<f64>() / positives.len() as f64)
        .collect();
    let variance = |of: &[f64]| {
        let center = mean(of);
        let squares: f64 = of.iter().map(|v| (v - center).powi(2)).sum();
        squares / (of.len() as f64 - 1.0) / of.len() as f64
    };
    (mean(&v10), (variance(&v10) + variance(&v01)).sqrt())
}

#[test]
fn roc_auc_is_delongs() {
    for (seed, ties) in [(1, 1e9), (2, 7.0), (3, 50.0)] {
        let tied = |(label, scores): Row| (label, scores.map(|s: f64| (s * ties).round() / ties));
        let rows: Vec<Row> = rows(400, seed).into_iter().map(tied).collect();
        let (value, error) = delong(&rows);
        let reading = of_scores(&rows, Metric::RocAuc);
        assert!((reading.value.unwrap() - value).abs() < 1e-13);
        assert!((reading.sampling_error.unwrap() / error - 1.0).abs() < 1e-10);
        assert_eq!(reading.status, Status::Ok);
    }
}

#[test]
fn errors_are_those_of_dropping_rows() {
    let rows = rows(300, 4);
    for metric in metrics() {
        // a total grows with its rows, whose number the jackknife changes
        let value = |rows: &[Row]| {
            let value = reading(rows, metric).value.unwrap();
            match metric.is_total() {
                true => value / rows.len() as f64,
                false => value,
            }
        };
        let scale = match metric.is_total() {
            true => rows.len() as f64,
            false => 1.0,
        };
        let by_dropping = jackknife(&rows, value) * scale;
        let error = reading(&rows, metric).sampling_error.unwrap();
        assert!(
            (error / by_dropping - 1.0).abs() < 0.03,
            "{metric}: {error} {by_dropping}"
        );
    }
}

#[test]
fn equal_models_do_not_differ() {
    for max_bins in [16, 65_536] {
        let same = |(label, scores): Row| (label, [scores[0]; 2]);
        let rows: Vec<Row> = rows(500, 5).into_iter().map(same).collect();
        for metric in metrics() {
            let reading = match metric.needs_prediction() {
                true => of_predictions(&rows, metric),
                false => paired(&rows, max_bins).reading(metric, 0.95),
            };
            assert_eq!(
                (reading.value, reading.sampling_error),
                (Some(0.0), Some(0.0))
            );
            assert_eq!((reading.z, reading.p_value), (None, None), "{metric}");
            assert_eq!(reading.status, Status::Ok, "{metric}");
        }
    }
}

#[test]
fn the_same_order_has_the_same_roc_auc() {
    let stretched = |(label, scores): Row| (label, [scores[0], scores[0] * 8.0 - 3.0]);
    let rows: Vec<Row> = rows(500, 6).into_iter().map(stretched).collect();
    let reading = of_scores(&rows, Metric::RocAuc);
    assert_eq!(
        (reading.value, reading.sampling_error),
        (Some(0.0), Some(0.0))
    );
    assert_eq!(
        of_scores(&rows, Metric::LogLoss).status,
        Status::NotAProbability
    );
}

#[test]
fn few_bins_err_on_the_safe_side() {
    let rows = rows(20_000, 7);
    for metric in metrics().filter(|metric| !metric.needs_prediction()) {
        let exact = of_scores(&rows, metric);
        for max_bins in [4096, 1024, 256] {
            let coarse = paired(&rows, max_bins).reading(metric, 0.95);
            let ratio = coarse.sampling_error.unwrap() / exact.sampling_error.unwrap();
            assert!((0.97..2.0).contains(&ratio), "{metric} {max_bins}: {ratio}");
            let off = (coarse.value.unwrap() - exact.value.unwrap()).abs();
            assert!(off <= coarse.approx_error.unwrap(), "{metric} {max_bins}");
        }
    }
}

#[test]
fn few_rows_are_told() {
    let by_hand = |rows: &[Row]| of_scores(rows, Metric::RocAuc);
    let rows = rows(30, 8);
    assert_eq!(by_hand(&rows).status, Status::FewPositives);
    assert_eq!(by_hand(&[]).status, Status::InsufficientData);
    assert_eq!(by_hand(&[(true, [0.1, 0.2])]).status, Status::SingleClass);
    let infinite = [(true, [f64::INFINITY, 0.2]), (false, [0.1, f64::NAN])];
    let reading = by_hand(&infinite);
    assert_eq!(
        (reading.status, reading.used_count),
        (Status::InsufficientData, 0)
    );
}

#[test]
fn only_rows_that_tell_count() {
    // 75 rows right and 25 wrong under both, 10 more right under b, 5 more under a
    let mut rows = PairedPredictions::default();
    (0..100).for_each(|i| rows.observe(i % 2 == 0, [i % 4 < 2; 2]));
    (0..10).for_each(|_| rows.observe(true, [false, true]));
    (0..5).for_each(|_| rows.observe(true, [true, false]));
    let reading = rows.reading(Metric::Accuracy, 0.95);
    assert!((reading.value.unwrap() - 5.0 / 115.0).abs() < 1e-15);
    // McNemar: (10 + 5 - 25 / 115) / 115^2
    let variance = (15.0 - 25.0 / 115.0) / 115f64.powi(2);
    assert!((reading.sampling_error.unwrap() - variance.sqrt()).abs() < 1e-15);
    assert_eq!(reading.status, Status::FewPositives);
    // no negative is judged differently
    let specificity = rows.reading(Metric::Specificity, 0.95);
    assert_eq!(
        (specificity.value, specificity.sampling_error),
        (Some(0.0), Some(0.0))
    );
    assert_eq!((specificity.z, specificity.status), (None, Status::Ok));
}

#[test]
fn bytes_are_the_same_however_rows_come() {
    for max_bins in [16, 65_536] {
        let rows = rows(300, 9);
        let mut merged = PairedScores::new(limits(max_bins));
        for part in rows.rchunks(7) {
            merged
                .merge_bytes(&paired(part, max_bins).to_bytes())
                .unwrap();
        }
        assert_eq!(merged.to_bytes(), paired(&rows, max_bins).to_bytes());
    }
    assert!(PairedScores::from_bytes(b"MWPS").is_err());
}

/// Share of 1,500 intervals of so many rows that hold the difference of a population, or of one of 100,000 rows.
fn covered(metric: Metric, gain: f64, count: usize) -> f64 {
    let mut draws = Draws(10);
    let mut sample =
        |count: usize| -> Vec<Row> { (0..count).map(|_| draws.scored(gain)).collect() };
    let truth = reading(&sample(100_000), metric).value.unwrap();
    let truth = if gain == 0.0 { 0.0 } else { truth };
    coverage(
        truth,
        (0..1500).map(|_| {
            let reading = reading(&sample(count), metric);
            (reading.lower_bound, reading.upper_bound)
        }),
    )
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    for (metric, gain) in [
        (Metric::RocAuc, 0.0),
        (Metric::RocAuc, 0.4),
        (Metric::Accuracy, 0.0),
        (Metric::Accuracy, 0.4),
    ] {
        let share = covered(metric, gain, 300);
        assert!((0.935..0.965).contains(&share), "{metric} {gain}: {share}");
    }
}
