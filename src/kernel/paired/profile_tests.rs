//! Differences of every metric against the aggregates of pairs.
use super::super::cluster_squares::ClusterSquares;
use super::super::clustered::ClusterTotals;
use super::super::metric::Metric;
use super::super::reading::Status;
use super::super::regression::RegressionMetric;
use super::super::regression::{PairedRegression, WeightedRegression};
use super::super::row_influences::RowInfluences;
use super::super::weighted_profile::WeightedProfile;
use super::super::weighted_scores::WeightedScores;
use super::testing::Draws;
use super::*;
use std::collections::BTreeMap;

type Scored = (bool, [f64; 2]);

/// A pair from its models and what a row adds to the totals of either.
fn told<R>(
    models: [WeightedProfile; 2],
    metrics: &[&str],
    rows: &[R],
    clusters: impl Fn(usize) -> usize,
    add: impl Fn(&RowInfluences, &mut ClusterTotals, &R, usize),
) -> PairedProfile {
    let metrics = metrics.iter().map(|name| (*name).to_owned()).collect();
    let pair = PairedProfile::new(models, metrics, vec![1.0, -2.0, -3.0, 4.0]);
    let influences = pair.influences().unwrap();
    let mut totals: BTreeMap<usize, [ClusterTotals; 2]> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        let totals = totals.entry(clusters(i)).or_default();
        for (model, totals) in totals.iter_mut().enumerate() {
            add(&influences.models()[model], totals, row, model);
        }
    }
    let (mut squares, mut difference) = (ClusterSquares::default(), vec![]);
    for [a, b] in totals.values() {
        influences.difference([a, b], &mut difference);
        squares.observe(&difference);
    }
    let told = pair.with_squares(squares.numbers().collect(), b"own".to_vec());
    PairedProfile::from_bytes(&told.unwrap().to_bytes()).unwrap()
}

fn scored(rows: &[Scored], clusters: impl Fn(usize) -> usize) -> PairedProfile {
    let model = |model: usize| {
        let mut profile = WeightedScores::default();
        for (label, scores) in rows {
            let score = scores[model];
            let observed =
                profile.observe(Some(score >= 0.4), Some(*label), Some(score), Some(1.0));
            observed.unwrap();
        }
        WeightedProfile::Scores(Box::new(profile))
    };
    let names = Metric::ALL.map(Metric::name);
    told(
        [model(0), model(1)],
        &names,
        rows,
        clusters,
        |of, totals, row, model| {
            let score = row.1[model];
            let added = of.add_scored(
                totals,
                (Some(row.0), Some(score >= 0.4)),
                Some(score),
                Some(1.0),
            );
            added.unwrap();
        },
    )
}

fn predicted(rows: &[(f64, [f64; 2])]) -> PairedProfile {
    let model = |model: usize| {
        let mut profile = WeightedRegression::default();
        for (label, predictions) in rows {
            let observed = profile.observe(Some(*label), Some(predictions[model]), Some(1.0));
            observed.unwrap();
        }
        WeightedProfile::Regression(Box::new(profile))
    };
    let names = RegressionMetric::ALL.map(RegressionMetric::name);
    told(
        [model(0), model(1)],
        &names,
        rows,
        |i| i,
        |of, totals, row, model| {
            let added = of.add_predicted(totals, (Some(row.0), Some(row.1[model])), Some(1.0));
            added.unwrap();
        },
    )
}

fn near(a: Option<f64>, b: Option<f64>, by: f64) -> bool {
    let (a, b) = (a.unwrap(), b.unwrap());
    (a - b).abs() <= by * b.abs()
}

#[test]
fn differences_of_scores_are_those_of_the_aggregates() {
    let mut draws = Draws(7);
    let rows: Vec<Scored> = (0..800).map(|_| draws.scored(0.4)).collect();
    let (mut scores, mut predictions) = (PairedScores::default(), PairedPredictions::default());
    for (label, row) in &rows {
        scores.observe(*label, *row);
        predictions.observe(*label, row.map(|score| score >= 0.4));
    }
    let pair = scored(&rows, |i| i);
    assert_eq!(pair.champion(), b"own");
    for found in pair.readings(0.95).unwrap() {
        let metric = Metric::parse(&found.metric).unwrap();
        if !metric.is_aggregate() {
            assert!(found.reading.value.is_some(), "{metric}");
            continue;
        }
        let of = match metric.needs_prediction() {
            true => predictions.reading(metric, 0.95),
            false => scores.reading(metric, 0.95),
        };
        let (a, b) = (found.reading, of);
        assert!(near(a.value, b.value, 1e-9), "{metric}: {a:?} {b:?}");
        assert!(
            near(a.sampling_error, b.sampling_error, 0.02),
            "{metric}: {a:?} {b:?}"
        );
        assert_eq!((a.used_count, a.status), (800, Status::Ok), "{metric}");
    }
}

#[test]
fn differences_of_numbers_are_those_of_the_aggregates() {
    let mut draws = Draws(8);
    let rows: Vec<(f64, [f64; 2])> = (0..600).map(|_| draws.predicted(0.4)).collect();
    let labels: Vec<f64> = rows.iter().map(|row| row.0).collect();
    let [a, b] = [0, 1].map(|model| rows.iter().map(|row| row.1[model]).collect::<Vec<f64>>());
    for found in predicted(&rows).readings(0.95).unwrap() {
        let metric = RegressionMetric::parse(&found.metric).unwrap();
        let mut pair = PairedRegression::new(metric, Default::default());
        pair.observe_all(&labels, [&a, &b]);
        let of = pair.reading(0.95);
        let found = found.reading;
        assert!(
            near(found.value, of.value, 1e-9),
            "{metric}: {found:?} {of:?}"
        );
        let by = if metric == RegressionMetric::MedianAbsoluteError {
            0.2
        } else {
            0.01
        };
        assert!(
            near(found.sampling_error, of.sampling_error, by),
            "{metric}: {found:?} {of:?}"
        );
    }
}

#[test]
fn rows_that_are_told_twice_tell_no_more() {
    let mut draws = Draws(9);
    let once: Vec<Scored> = (0..300).map(|_| draws.scored(0.4)).collect();
    let twice: Vec<Scored> = once.iter().flat_map(|row| [*row, *row]).collect();
    let single = scored(&once, |i| i).readings(0.95).unwrap();
    for (a, b) in scored(&twice, |i| i / 2)
        .readings(0.95)
        .unwrap()
        .iter()
        .zip(&single)
    {
        let metric = Metric::parse(&a.metric).unwrap();
        let factor = if metric.is_total() { 2.0 } else { 1.0 };
        let of = |found: &MetricDifference| found.reading.sampling_error;
        assert!(
            near(of(a), of(b).map(|error| factor * error), 0.01),
            "{metric}"
        );
    }
}

#[test]
fn models_that_are_one_do_not_differ() {
    let mut draws = Draws(10);
    let rows: Vec<Scored> = (0..100).map(|_| draws.scored(0.4)).collect();
    let same: Vec<Scored> = rows
        .iter()
        .map(|(label, [a, _])| (*label, [*a, *a]))
        .collect();
    for found in scored(&same, |i| i).readings(0.95).unwrap() {
        let reading = found.reading;
        assert_eq!(
            (reading.value, reading.sampling_error),
            (Some(0.0), Some(0.0)),
            "{}",
            found.metric
        );
    }
}

#[test]
fn few_rows_that_differ_are_few() {
    let row = |i: usize| {
        (
            i.is_multiple_of(3),
            [0.1 + 0.8 * f64::from(u8::from(i.is_multiple_of(3))); 2],
        )
    };
    let mut rows: Vec<Scored> = (0..300).map(row).collect();
    for row in rows.iter_mut().take(5) {
        row.1[1] = 1.0 - row.1[1];
    }
    let found = scored(&rows, |i| i).readings(0.95).unwrap();
    let accuracy = found
        .iter()
        .find(|found| found.metric == "accuracy")
        .unwrap();
    assert_eq!(accuracy.reading.status, Status::FewPositives);
    let one = scored(&rows[..1], |i| i).readings(0.95).unwrap();
    let accuracy = one.iter().find(|found| found.metric == "accuracy").unwrap();
    assert_eq!(
        (accuracy.reading.value, accuracy.reading.sampling_error),
        (Some(-1.0), None)
    );
}

#[test]
fn what_is_no_pair_is_refused() {
    let scores = || WeightedProfile::Scores(Box::default());
    let numbers = || WeightedProfile::Regression(Box::default());
    let names = || vec!["roc_auc".to_owned()];
    assert!(
        PairedProfile::new([scores(), numbers()], names(), vec![])
            .influences()
            .is_err()
    );
    let mixed = PairedProfile::new([scores(), numbers()], names(), vec![]).to_bytes();
    assert!(PairedProfile::from_bytes(&mixed).is_err());
    let pair = PairedProfile::new([scores(), scores()], names(), vec![]);
    assert!(pair.with_squares(vec![3.0, 1.0], vec![]).is_err());
    let empty = PairedProfile::new([scores(), scores()], names(), vec![])
        .readings(0.95)
        .unwrap();
    assert_eq!(empty[0].reading.status, Status::NoLabels);
}
