//! Values against definitions, errors against the jackknife.
use super::super::reading::{Reading, Status};
use super::super::testing::jackknife;
use super::*;

/// A row: label, prediction and scores.
type Row = (usize, usize, [f64; 3]);

fn profile(rows: &[Row]) -> MulticlassProfile {
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    let mut profile = MulticlassProfile::new(classes, Default::default()).unwrap();
    for (label, prediction, scores) in rows {
        profile.observe(Some(*label), Some(*prediction), &scores.map(Some));
    }
    profile
}

fn reading(rows: &[Row], name: &str) -> Reading {
    let metric = MulticlassMetric::parse(name).unwrap();
    let values: Vec<f64> = (0..9).map(|i| f64::from(i % 4) - 1.0).collect();
    let readings = RealizedClasses::new(&mut profile(rows)).readings(metric, &values, 0.95);
    readings[0].reading
}

/// Rows of a model that is right more often than not; deterministic.
fn rows(count: usize) -> Vec<Row> {
    let mut state = 7u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut row = || {
        let mut scores = [0; 3].map(|_| -uniform().ln());
        let total: f64 = scores.iter().sum();
        scores.iter_mut().for_each(|score| *score /= total);
        let draw = uniform();
        let label = if draw < scores[0] {
            0
        } else {
            1 + usize::from(draw >= scores[0] + scores[1])
        };
        let prediction = (0..3)
            .max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
            .unwrap();
        (label, prediction, scores)
    };
    (0..count).map(|_| row()).collect()
}

#[test]
fn roc_auc_is_the_mean_of_each_class_against_the_others() {
    let rows = rows(50);
    let auc = |class: usize| {
        let (mut won, mut pairs) = (0.0, 0.0);
        for (y, _, s) in &rows {
            for (z, _, t) in &rows {
                if *y == class && *z != class {
                    pairs += 1.0;
                    won += if s[class] > t[class] { 1.0 } else { 0.0 };
                }
            }
        }
        won / pairs
    };
    let expected = (auc(0) + auc(1) + auc(2)) / 3.0;
    assert!((reading(&rows, "roc_auc").value.unwrap() - expected).abs() < 1e-12);
}

#[test]
fn errors_agree_with_the_jackknife() {
    let rows = rows(150);
    for metric in MulticlassMetric::all() {
        if matches!(
            metric,
            MulticlassMetric::Of(_, Average::PerClass) | MulticlassMetric::ConfusionMatrix
        ) {
            continue;
        }
        let name = metric.name();
        let without = |out: usize| {
            let kept: Vec<Row> = rows
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != out)
                .map(|(_, row)| *row)
                .collect();
            reading(&kept, name).value.unwrap()
        };
        let values: Vec<f64> = (0..rows.len()).map(without).collect();
        let jackknife = jackknife(&values);
        let error = reading(&rows, name).sampling_error.unwrap();
        // a total is drawn with its number of rows, which the jackknife does not vary
        if name != "business_value" {
            assert!(
                (error / jackknife - 1.0).abs() < 0.08,
                "{name}: {error} {jackknife}"
            );
        }
    }
}

#[test]
fn what_has_no_value_says_why() {
    let absent: Vec<Row> = rows(60).into_iter().filter(|row| row.0 != 2).collect();
    assert_eq!(reading(&absent, "roc_auc").status, Status::SingleClass);
    assert_eq!(reading(&absent, "recall").status, Status::SingleClass);
    assert!(reading(&absent, "roc_auc_weighted").value.is_some());
    assert_eq!(reading(&[], "f1").status, Status::NoLabels);
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    let mut profile = MulticlassProfile::new(classes, Default::default()).unwrap();
    profile.observe(Some(0), None, &[None, Some(0.1), Some(0.2)]);
    let of = |profile: &mut MulticlassProfile, name: &str| {
        let metric = MulticlassMetric::parse(name).unwrap();
        RealizedClasses::new(profile).readings(metric, &[], 0.95)[0]
            .reading
            .status
    };
    assert_eq!(of(&mut profile, "f1"), Status::NoPrediction);
    assert_eq!(of(&mut profile, "roc_auc"), Status::InsufficientData);
}

#[test]
fn bytes_are_the_same_however_rows_come() {
    let rows = rows(300);
    let mut in_parts = profile(&[]);
    for row in rows.iter().rev() {
        in_parts.merge_bytes(&profile(&[*row]).to_bytes()).unwrap();
    }
    assert_eq!(in_parts.to_bytes(), profile(&rows).to_bytes());
}

#[test]
fn classes_must_be_told_apart() {
    let of = |names: &[&str]| {
        let names = names.iter().map(ToString::to_string).collect();
        MulticlassProfile::new(names, Default::default())
            .err()
            .map(|e| e.to_string())
    };
    assert!(of(&["a"]).unwrap().contains("1 classes"));
    assert!(of(&["a", "b", "a"]).unwrap().contains("'a' is named twice"));
    assert_eq!(of(&["a", "b"]), None);
}

/// The whole way from a reference to estimates of the same rows.
fn estimated(rows: &[Row], name: &str) -> Reading {
    use super::super::calibrator::CalibrationMode;
    let calibrators = ClassCalibrators::fit(&mut profile(rows), &[CalibrationMode::Never]).unwrap();
    let calibrators = ClassCalibrators::from_bytes(&calibrators.to_bytes()).unwrap();
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    let mut chunk = ClassEstimates::new(classes, Default::default()).unwrap();
    for (_, prediction, scores) in rows {
        chunk.observe(
            None,
            Some(*prediction),
            &scores.map(Some),
            Some(&calibrators),
        );
    }
    let chunk = ClassEstimates::from_bytes(&chunk.to_bytes()).unwrap();
    let values: Vec<f64> = (0..9).map(|i| f64::from(i % 4) - 1.0).collect();
    let metric = MulticlassMetric::parse(name).unwrap();
    ClassEstimator::new(&chunk, &calibrators).readings(metric, &values, 0.95)[0].reading
}

#[test]
fn estimates_are_the_mean_over_labels_that_follow_the_scores() {
    let rows = rows(400);
    let mut state = 99u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut drawn = || -> Vec<Row> {
        let label = |(_, prediction, scores): &Row| {
            let draw = uniform();
            let label = if draw < scores[0] {
                0
            } else {
                1 + usize::from(draw >= scores[0] + scores[1])
            };
            (label, *prediction, *scores)
        };
        rows.iter().map(label).collect()
    };
    let draws: Vec<Vec<Row>> = (0..400).map(|_| drawn()).collect();
    let usual = MulticlassMetric::all()
        .filter(|metric| !matches!(metric, MulticlassMetric::Of(_, Average::PerClass)));
    for metric in usual {
        let name = metric.name();
        let values: Vec<f64> = draws
            .iter()
            .map(|rows| reading(rows, name).value.unwrap())
            .collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let estimate = estimated(&rows, name);
        let value = estimate.value.unwrap();
        assert!(
            (value - mean).abs() < 0.15 * sd,
            "{name}: {value} {mean} {sd}"
        );
        let inside = values.iter().filter(|v| {
            **v >= estimate.lower_bound.unwrap() && **v <= estimate.upper_bound.unwrap()
        });
        let share = inside.count() as f64 / n;
        // the interval has the calibrator's part besides, though raw scores are used
        assert!((0.93..=1.0).contains(&share), "{name}: {share}");
    }
}
