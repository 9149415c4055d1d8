//! Realized metrics of a regression, by hand.
use super::super::reading::Status;
use super::super::testing::jackknife;
use super::{RealizedRegression, RegressionMetric, RegressionProfile};

fn realized(rows: &[(f64, f64)]) -> RealizedRegression {
    let (labels, predictions): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
    let mut profile = RegressionProfile::default();
    profile.observe_all(&labels, &predictions);
    RealizedRegression::new(&mut profile)
}

#[test]
fn values_by_hand() {
    // errors 1, 0, -2, 1
    let chunk = realized(&[(1.0, 2.0), (2.0, 2.0), (4.0, 2.0), (5.0, 6.0)]);
    let value = |metric| chunk.reading(metric, 0.95).value.unwrap();
    assert_eq!(value(RegressionMetric::Mae), 1.0);
    assert_eq!(value(RegressionMetric::Bias), 0.0);
    assert_eq!(value(RegressionMetric::Mse), 1.5);
    assert_eq!(value(RegressionMetric::Rmse), 1.5f64.sqrt());
    assert_eq!(value(RegressionMetric::MedianAbsoluteError), 1.0);
    // (1 + 0 + 1/2 + 1/5) / 4
    assert!((value(RegressionMetric::Mape) - 0.425).abs() < 1e-15);
    // labels 1, 2, 4, 5 around 3: 10
    assert!((value(RegressionMetric::R2) - 0.4).abs() < 1e-15);
    let logs = [3f64 / 2.0, 1.0, 3.0 / 5.0, 7.0 / 6.0].map(|ratio| ratio.ln().powi(2));
    assert!((value(RegressionMetric::Msle) - logs.iter().sum::<f64>() / 4.0).abs() < 1e-15);
    let mae = chunk.reading(RegressionMetric::Mae, 0.95);
    // |e| = 1, 0, 2, 1 around 1: 2 / (4 * 3)
    assert!((mae.sampling_error.unwrap() - (1.0f64 / 6.0).sqrt()).abs() < 1e-15);
    assert_eq!(mae.status, Status::FewRows);
}

#[test]
fn errors_of_r2_are_influences() {
    let rows: Vec<(f64, f64)> = (0..40)
        .map(f64::from)
        .map(|i| (10.0 + i + (i * 7.0) % 5.0, 10.5 + 0.9 * i + (i * 3.0) % 4.0))
        .collect();
    let reading = realized(&rows).reading(RegressionMetric::R2, 0.95);
    // by dropping each row once: the jackknife agrees with linearization up to terms of 1 / n
    let without = |out: usize| {
        let kept: Vec<_> = rows
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != out)
            .map(|(_, r)| *r)
            .collect();
        realized(&kept)
            .reading(RegressionMetric::R2, 0.95)
            .value
            .unwrap()
    };
    let values: Vec<f64> = (0..rows.len()).map(without).collect();
    let jackknife = jackknife(&values);
    let error = reading.sampling_error.unwrap();
    assert!((error / jackknife - 1.0).abs() < 0.1, "{error} {jackknife}");
}

#[test]
fn what_has_no_value_says_why() {
    let status = |rows: &[(f64, f64)], metric| realized(rows).reading(metric, 0.95).status;
    use RegressionMetric as M;
    assert_eq!(status(&[], M::Mae), Status::NoLabels);
    assert_eq!(
        status(&[(-1.0, 2.0), (3.0, 4.0)], M::Rmsle),
        Status::NegativeValue
    );
    assert_eq!(
        status(&[(0.0, 2.0), (3.0, 4.0)], M::Mape),
        Status::InfiniteValue
    );
    assert_eq!(
        status(&[(3.0, 2.0), (3.0, 4.0)], M::R2),
        Status::ConstantLabel
    );
    assert_eq!(status(&[(f64::NAN, 2.0)], M::Mae), Status::InsufficientData);
    let mut unpredicted = RegressionProfile::default();
    unpredicted.observe(Some(1.0), None);
    let reading = RealizedRegression::new(&mut unpredicted).reading(M::Mae, 0.95);
    assert_eq!(
        (reading.status, reading.labelled_count),
        (Status::NoPrediction, 1)
    );
    let one_bad = realized(&[(1.0, f64::INFINITY), (1.0, 2.0), (1.0, 2.0)]).reading(M::Mae, 0.95);
    assert_eq!(
        (one_bad.value, one_bad.status, one_bad.used_count),
        (Some(1.0), Status::InvalidValue, 2)
    );
    let perfect = realized(&[(0.0, 0.0); 30]).reading(M::Mape, 0.95);
    assert_eq!(
        (perfect.value, perfect.sampling_error),
        (Some(0.0), Some(0.0))
    );
}

#[test]
fn labels_far_from_zero_keep_their_digits() {
    let near: Vec<(f64, f64)> = (0..30)
        .map(|i| (f64::from(i % 7), f64::from(i % 5)))
        .collect();
    let far: Vec<(f64, f64)> = near.iter().map(|(y, f)| (y + 1e9, f + 1e9)).collect();
    let value = |rows: &[_]| {
        realized(rows)
            .reading(RegressionMetric::R2, 0.95)
            .value
            .unwrap()
    };
    assert!((value(&near) - value(&far)).abs() < 1e-12);
}

#[test]
fn bytes_are_the_same_however_rows_come() {
    let rows: Vec<(f64, f64)> = (0..300)
        .map(f64::from)
        .map(|i| (i * 0.37 - 5.0, (i * 1.7) % 90.0))
        .collect();
    let (labels, predictions): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
    let mut at_once = RegressionProfile::default();
    at_once.observe_all(&labels, &predictions);
    let mut in_parts = RegressionProfile::default();
    for (y, f) in rows.iter().rev() {
        let mut one = RegressionProfile::default();
        one.observe(Some(*y), Some(*f));
        in_parts.merge_bytes(&one.to_bytes()).unwrap();
    }
    assert_eq!(at_once.to_bytes(), in_parts.to_bytes());
}

#[test]
fn logarithms_far_apart_keep_their_digits() {
    for (label, prediction) in [(1.0, 1e20), (1e20, 1.0), (0.0, 1e60), (3.0, 3.0 + 1e-9)] {
        let value = realized(&[(label, prediction)])
            .reading(RegressionMetric::Rmsle, 0.95)
            .value;
        let far = (label.ln_1p() - prediction.ln_1p()).abs();
        let close = (label - prediction).abs() / (1.0 + label);
        let want = if far > 1e-6 { far } else { close };
        assert!(
            (value.unwrap() / want - 1.0).abs() < 1e-7,
            "{label} {prediction}"
        );
    }
}

#[test]
fn one_row_far_beyond_the_others_is_told() {
    let mut rows: Vec<(f64, f64)> = (0..400)
        .map(|i| (f64::from(i), f64::from(i + i % 7)))
        .collect();
    let mean_like = [
        RegressionMetric::Mae,
        RegressionMetric::Mse,
        RegressionMetric::Rmse,
        RegressionMetric::Bias,
        RegressionMetric::R2,
    ];
    let status = |rows: &[(f64, f64)], metric| realized(rows).reading(metric, 0.95).status;
    mean_like
        .iter()
        .for_each(|&metric| assert_eq!(status(&rows, metric), Status::Ok, "{metric}"));
    rows.push((5.0, 1e9));
    mean_like
        .iter()
        .for_each(|&metric| assert_eq!(status(&rows, metric), Status::FewRows, "{metric}"));
    assert_eq!(
        status(&rows, RegressionMetric::MedianAbsoluteError),
        Status::Ok
    );
}

#[test]
fn one_row_has_no_error() {
    let chunk = realized(&[(1.0, 2.0)]);
    for metric in RegressionMetric::ALL {
        let reading = chunk.reading(metric, 0.95);
        assert_eq!(reading.sampling_error, None, "{metric}");
        assert_eq!(reading.lower_bound, None, "{metric}");
    }
}
