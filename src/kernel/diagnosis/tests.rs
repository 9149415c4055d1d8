//! Series whose shape can be seen by eye.
use super::*;

/// One value a chunk, with an error; `None` is a gap.
fn series(values: &[Option<f64>], error: Option<f64>) -> Series {
    let point = |(i, value): (usize, &Option<f64>)| SeriesPoint {
        index: Some(i as i64),
        chunk: Some(format!("week {i}")),
        value: *value,
        sampling_error: error,
        is_usable: true,
        ..SeriesPoint::default()
    };
    Series::new(values.iter().enumerate().map(point).collect()).unwrap()
}

fn told(values: &[Option<f64>], error: Option<f64>) -> Diagnosis {
    Diagnosis::of(&series(values, error), Sensitivity::default(), "roc_auc")
}

/// A little scatter of half an error at most, the same in every run.
fn scatter(i: usize) -> f64 {
    0.005 * (((i as f64 * 12.9898).sin() * 43_758.545_3).fract().abs() - 0.5)
}

#[test]
fn a_step_is_told_with_its_size() {
    let values: Vec<Option<f64>> = (0..20)
        .map(|i| Some(if i < 12 { 0.9 } else { 0.8 } + scatter(i)))
        .collect();
    let found = told(&values, Some(0.01));
    assert_eq!(
        (found.pattern, found.since),
        (Some(Pattern::Sudden), Some(12))
    );
    assert!((found.magnitude.unwrap() + 0.1).abs() < 0.003);
    // 0.01 sqrt(1/12 + 1/8)
    assert!((found.magnitude_error.unwrap() - 0.0045644).abs() < 1e-6);
    let parts = [
        "roc_auc fell suddenly by 0.",
        "(error 0.00456) in week 12 and stayed there.",
    ];
    let told = found.explanation.as_str();
    assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    assert!(found.confidence.unwrap() > 0.9);
    assert_eq!((found.status, found.used_count), (DiagnosisStatus::Ok, 20));
}

#[test]
fn without_errors_noise_is_that_of_the_series() {
    let values: Vec<Option<f64>> = (0..20)
        .map(|i| Some(if i < 12 { 0.9 } else { 0.8 } + scatter(i)))
        .collect();
    let found = told(&values, None);
    assert_eq!(
        (found.pattern, found.since),
        (Some(Pattern::Sudden), Some(12))
    );
    assert!(found.magnitude_error.unwrap() < 0.001);
    assert_eq!(found.dispersion, None);
    let equal = told(&[Some(0.5); 12], None);
    assert_eq!(equal.pattern, Some(Pattern::Stable));
}

#[test]
fn a_weekly_cycle_is_one() {
    let values: Vec<Option<f64>> = (0..42)
        .map(|i| Some(if i % 7 < 5 { 0.9 } else { 0.8 } + scatter(i)))
        .collect();
    let found = told(&values, Some(0.01));
    assert_eq!(
        (found.pattern, found.cycle_length),
        (Some(Pattern::Recurring), Some(7))
    );
    assert!((found.magnitude.unwrap() - 0.1).abs() < 0.02, "{found:?}");
    assert_eq!(found.since, None);
}

#[test]
fn a_gap_is_neither_a_change_nor_a_value() {
    let gap = |i: usize| (10..16).contains(&i);
    let values: Vec<Option<f64>> = (0..30)
        .map(|i| (!gap(i)).then_some(0.9 + scatter(i)))
        .collect();
    let found = told(&values, Some(0.01));
    assert_eq!(
        (found.pattern, found.used_count),
        (Some(Pattern::Stable), 24)
    );
    // a change while nothing is seen is told where it is seen first
    let values: Vec<Option<f64>> = (0..30)
        .map(|i| (!gap(i)).then_some(if i < 13 { 0.9 } else { 0.8 } + scatter(i)))
        .collect();
    let found = told(&values, Some(0.01));
    assert_eq!(
        (found.pattern, found.since),
        (Some(Pattern::Sudden), Some(16))
    );
}

#[test]
fn a_single_chunk_is_temporary_and_has_an_end() {
    let mut values: Vec<Option<f64>> = (0..24).map(|i| Some(0.9 + scatter(i))).collect();
    values[9] = Some(0.7);
    let found = told(&values, Some(0.01));
    assert_eq!(found.pattern, Some(Pattern::Temporary));
    assert_eq!((found.since, found.until), (Some(9), Some(10)));
}

#[test]
fn too_few_chunks_have_no_shape() {
    let found = told(&[Some(0.9), Some(0.1), Some(0.9)], Some(0.01));
    assert_eq!(
        (found.pattern, found.status),
        (None, DiagnosisStatus::InsufficientData)
    );
    assert_eq!(
        found.explanation,
        "roc_auc has too few chunks to have a shape."
    );
    let few = told(
        &[Some(0.9), Some(0.9), Some(0.9), Some(0.1), Some(0.1)],
        Some(0.01),
    );
    assert_eq!(
        (few.pattern, few.status),
        (Some(Pattern::Sudden), DiagnosisStatus::FewChunks)
    );
    assert_eq!(told(&[], None).status, DiagnosisStatus::InsufficientData);
}

#[test]
fn values_that_scatter_more_than_their_errors_say_so() {
    let values: Vec<Option<f64>> = (0..40).map(|i| Some(0.9 + 20.0 * scatter(i))).collect();
    let found = told(&values, Some(0.001));
    assert_eq!(found.pattern, Some(Pattern::Stable), "{found:?}");
    assert!(found.dispersion.unwrap() > 10.0);
}

#[test]
fn numbers_without_bounds_stay_finite() {
    for scale in [1e-200, 1e100] {
        let values: Vec<Option<f64>> = (0..20)
            .map(|i| Some(scale * if i < 12 { 0.9 } else { 0.8 }))
            .collect();
        let found = told(&values, Some(0.01 * scale));
        assert_eq!(found.pattern, Some(Pattern::Sudden), "{scale}: {found:?}");
        assert!(found.magnitude.unwrap().is_finite());
    }
}

#[test]
fn months_are_as_far_apart_as_months_are() {
    let starts = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let point = |day: &i64| SeriesPoint {
        time: Some(day * 86_400_000_000),
        value: Some(1.0),
        is_usable: true,
        ..SeriesPoint::default()
    };
    let mut points: Vec<SeriesPoint> = starts.iter().map(point).collect();
    points.remove(4);
    let series = Series::new(points.clone()).unwrap();
    let positions: Vec<u32> = series
        .observations()
        .iter()
        .map(|seen| seen.position)
        .collect();
    assert_eq!(positions, [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]);
    let bytes = Series::to_bytes_of(&points);
    assert_eq!(Series::points_from_bytes(&bytes).unwrap(), points);
    assert!(Series::points_from_bytes(&bytes[1..]).is_err());
    // the chunk in which the reference ends and the analysis begins
    let both = SeriesPoint {
        is_reference: true,
        ..points[3].clone()
    };
    let series = Series::new([points.clone(), vec![both]].concat()).unwrap();
    let positions: Vec<u32> = series
        .observations()
        .iter()
        .map(|seen| seen.position)
        .collect();
    assert_eq!(positions, [0, 1, 2, 3, 3, 5, 6, 7, 8, 9, 10, 11]);
    points.push(points[0].clone());
    let told = Series::new(points).unwrap_err().to_string();
    let parts = [
        "two rows of chunk ",
        "by => [...] names the columns that tell series apart; name => '...' tells monitors apart",
    ];
    assert!(parts.iter().all(|part| told.contains(part)), "{told}");
}

#[test]
fn a_shape_that_is_hardly_believed_names_the_next() {
    let falling = |slope: f64| {
        let noise = |i: f64| ((i * 12.9898 + 1.1).sin() * 43_758.545_3).abs() % 1.0 - 0.5;
        let value = |i: f64| Some(0.9 - slope * i + 0.01 * noise(i));
        let values: Vec<Option<f64>> = (0..41).map(|i| value(f64::from(i))).collect();
        told(&values, Some(0.003))
    };
    let slow = falling(0.000_075);
    assert_eq!(
        slow.explanation,
        "roc_auc is most likely stable over 41 chunks; a gradual change is nearly as likely."
    );
    let fast = falling(0.0001);
    assert_eq!(fast.pattern, Some(Pattern::Gradual));
    let weights = [fast.confidence, fast.runner_up_confidence].map(Option::unwrap);
    assert!(weights[0] < 0.6 && weights[1] < 0.4, "{fast:?}");
    assert!(
        fast.explanation
            .starts_with("roc_auc most likely fell gradually after week 16")
            && fast
                .explanation
                .ends_with("; next likeliest is a sudden change."),
        "{fast:?}"
    );
}
