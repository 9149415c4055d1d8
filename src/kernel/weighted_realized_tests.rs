//! Weighted rows against rows that are repeated, dropped, and few.
use super::interval::{normal_quantile, wilson};
use super::metric::{Metric, Outcomes};
use super::reading::Status;
use super::realized::Realized;
use super::score_profile::{ScoreProfile, class_of};
use super::testing::jackknife;
use super::weighted_scores::WeightedScores;

type Row = (Option<bool>, bool, f64, f64);

/// Rows of two classes that overlap, with weights 1 to 4.
fn rows(count: u32) -> Vec<Row> {
    let row = |i: u32| {
        let label = i.is_multiple_of(3);
        let score = f64::from((i * 7919) % 97) / 140.0 + if label { 0.3 } else { 0.0 };
        (Some(score > 0.5), label, score, f64::from(1 + i % 4))
    };
    (0..count).map(row).collect()
}

fn weighted(rows: &[Row], scale: f64) -> Realized {
    let mut profile = WeightedScores::default();
    for (prediction, label, score, weight) in rows {
        profile
            .observe(
                *prediction,
                Some(*label),
                Some(*score),
                Some(weight * scale),
            )
            .unwrap();
    }
    Realized::weighted(&profile).unwrap()
}

fn plain(rows: &[Row], repeated: bool) -> Realized {
    let mut profile = ScoreProfile::default();
    for (prediction, label, score, weight) in rows {
        let times = if repeated { *weight as u64 } else { 1 };
        let class = class_of(*prediction, Some(*label));
        profile.observe_rows(class, *score, times);
    }
    Realized::new(&profile.bins())
}

const VALUES: Outcomes = [1.0, -2.0, -3.0, 4.0];

#[test]
fn a_whole_weight_is_so_many_rows() {
    let rows = rows(300);
    let (weighted, repeated) = (weighted(&rows, 1.0), plain(&rows, true));
    for metric in Metric::ALL {
        let value = |of: &Realized| of.reading(metric, VALUES, 0.95).value.unwrap();
        let (a, b) = (value(&weighted), value(&repeated));
        assert!(
            (a - b).abs() <= 1e-12 * b.abs().max(1.0),
            "{metric}: {a} {b}"
        );
    }
}

#[test]
fn equal_weights_have_the_errors_of_rows() {
    let rows: Vec<Row> = rows(300)
        .into_iter()
        .map(|row| (row.0, row.1, row.2, 1.0))
        .collect();
    let plain = plain(&rows, false);
    for scale in [1.0, 0.001, 250.0] {
        let weighted = weighted(&rows, scale);
        for metric in Metric::ALL {
            let scale = if metric.is_total() { scale } else { 1.0 };
            let [a, b] = [&weighted, &plain].map(|of| of.reading(metric, VALUES, 0.95));
            let near = |a: Option<f64>, b: Option<f64>| {
                let (a, b) = (a.unwrap() / scale, b.unwrap());
                (a - b).abs() <= 1e-6 * b.abs().max(1e-3)
            };
            assert!(near(a.value, b.value), "{metric} {a:?} {b:?}");
            assert!(
                near(a.sampling_error, b.sampling_error),
                "{metric} {a:?} {b:?}"
            );
            assert!(near(a.lower_bound, b.lower_bound), "{metric} {a:?} {b:?}");
            assert_eq!(
                (a.used_count, a.status),
                (b.used_count, b.status),
                "{metric}"
            );
        }
    }
}

/// The jackknife agrees with linearization up to terms of `1 / n`.
#[test]
fn errors_are_those_of_dropping_rows() {
    let rows = rows(240);
    let of = |rows: &[Row], metric| weighted(rows, 1.0).reading(metric, VALUES, 0.95);
    for metric in Metric::ALL {
        let without = |out: usize| {
            let mut kept = rows.clone();
            kept.remove(out);
            let value = of(&kept, metric).value.unwrap();
            // a total is one of so much weight
            let weight = |rows: &[Row]| rows.iter().map(|row| row.3).sum::<f64>();
            let factor = weight(&rows) / weight(&kept);
            if metric.is_total() {
                value * factor
            } else {
                value
            }
        };
        let values: Vec<f64> = (0..rows.len()).map(without).collect();
        let jackknife = jackknife(&values);
        let error = of(&rows, metric).sampling_error.unwrap();
        assert!(
            (error / jackknife - 1.0).abs() < 0.05,
            "{metric}: {error} {jackknife}"
        );
    }
}

#[test]
fn few_rows_of_large_weight_are_few() {
    // ten heavy rows that are told apart, among three hundred light ones that are not
    let heavy = (0..10).map(|i| (Some(i < 5), i < 5, f64::from(u8::from(i < 5)), 1e6));
    let light = rows(300).into_iter().map(|row| (row.0, row.1, row.2, 1e-6));
    let rows: Vec<Row> = heavy.chain(light).collect();
    for metric in [Metric::RocAuc, Metric::Accuracy] {
        let reading = weighted(&rows, 1.0).reading(metric, VALUES, 0.95);
        assert!(reading.value.unwrap() > 0.999, "{metric}");
        assert_eq!(reading.status, Status::FewPositives, "{metric}");
        assert!(reading.lower_bound.unwrap() < 0.9, "{metric} {reading:?}");
    }
}

#[test]
fn few_rows_tell_no_more_than_others_of_their_label() {
    // negatives weigh 1 and 9 in turn, positives 1: five false positives happen to weigh little
    let false_ = (0..5).map(|_| (Some(true), false, 0.6, 1.0));
    let negatives = (0..200).map(|i| (Some(false), false, 0.4, f64::from(1 + i % 2 * 8)));
    let positives = (0..300).map(|_| (Some(true), true, 0.7, 1.0));
    let rows: Vec<Row> = false_.chain(negatives).chain(positives).collect();
    let reading = weighted(&rows, 1.0).reading(Metric::FalsePositive, VALUES, 0.95);
    // 5 of a weight of 1305, whose rows tell as much as those of the negatives: 1005 with squares of 8205
    let unit = 1005.0 / 8205.0;
    let (lower, upper) = wilson(5.0 * unit, 1305.0 * unit, normal_quantile(0.95));
    let near = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-9;
    assert_eq!(reading.value, Some(5.0));
    assert!(near(reading.lower_bound, lower * 1305.0), "{reading:?}");
    assert!(near(reading.upper_bound, upper * 1305.0), "{reading:?}");
}

#[test]
fn rows_without_weight_are_labelled_and_not_used() {
    let mut profile = WeightedScores::default();
    for weight in [None, Some(0.0), Some(2.0)] {
        profile
            .observe(Some(true), Some(true), Some(0.5), weight)
            .unwrap();
    }
    let reading = Realized::weighted(&profile)
        .unwrap()
        .reading(Metric::Accuracy, VALUES, 0.95);
    assert_eq!(
        (reading.value, reading.used_count, reading.labelled_count),
        (Some(1.0), 1, 3)
    );
    let empty = Realized::weighted(&WeightedScores::default()).unwrap();
    assert_eq!(
        empty.reading(Metric::F1, VALUES, 0.95).status,
        Status::NoLabels
    );
}

#[test]
fn bytes_are_the_same_however_rows_come() {
    let rows = rows(300);
    let mut whole = WeightedScores::default();
    let mut merged = WeightedScores::default();
    for (p, label, score, weight) in rows.iter().rev() {
        let mut one = WeightedScores::default();
        for profile in [&mut one, &mut whole] {
            profile
                .observe(*p, Some(*label), Some(*score), Some(*weight))
                .unwrap();
        }
        merged
            .merge(&WeightedScores::from_bytes(&one.to_bytes()).unwrap())
            .unwrap();
    }
    assert_eq!(whole.to_bytes(), merged.to_bytes());
}
