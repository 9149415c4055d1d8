//! Run lengths, and changes that are found where they are.
use super::super::diagnosis::{Series, SeriesPoint};
use super::super::side::Side;
use super::super::testing::normal_numbers;
use super::chart::Chart;
use super::*;

fn point(index: usize, value: f64, error: Option<f64>, is_reference: bool) -> SeriesPoint {
    SeriesPoint {
        index: i64::try_from(index).ok(),
        value: Some(value),
        sampling_error: error,
        is_reference,
        is_usable: value.is_finite(),
        ..SeriesPoint::default()
    }
}

/// 30 chunks of the reference and then others, with normal noise of size 1, and a shift from a chunk of the analysis on.
fn shifted(later: usize, from: usize, shift: f64, has_errors: bool, seed: u64) -> Series {
    let noise = normal_numbers(30 + later, seed);
    let error = has_errors.then_some(1.0);
    let points = noise.into_iter().enumerate().map(|(at, noise)| {
        let value = if at >= 30 + from {
            noise + shift
        } else {
            noise
        };
        point(at, value, error, at < 30)
    });
    Series::new(points.collect()).unwrap_or_default()
}

fn with(method: Method) -> ChangeOptions {
    ChangeOptions {
        method,
        ..ChangeOptions::default()
    }
}

fn run_length(mut chart: Chart, seed: u64) -> f64 {
    let noise = normal_numbers(2_000, seed);
    let first = noise.into_iter().position(|z| chart.judge(z).is_out);
    first.map_or(2_000.0, |at| at as f64 + 1.0)
}

#[test]
fn charts_have_the_run_length_that_was_asked_for() {
    let sides = [Side::Both, Side::Lower];
    for method in [Method::Cusum, Method::Ewma, Method::WesternElectric] {
        for side in sides {
            let options = ChangeOptions {
                side,
                average_run_length: 100.0,
                ..with(method)
            };
            let Some(chart) = Chart::new(&options) else {
                continue;
            };
            let runs = 4_000;
            let all: f64 = (0..runs).map(|seed| run_length(chart.clone(), seed)).sum();
            let mean = all / runs as f64;
            let expected = match (method, side) {
                (Method::WesternElectric, Side::Both) => WESTERN_ELECTRIC_RUN_LENGTH,
                (Method::WesternElectric, _) => 2.0 * WESTERN_ELECTRIC_RUN_LENGTH,
                _ => 100.0,
            };
            // run lengths are about exponential: the error of the mean is 1.6 % of it
            assert!(
                (mean / expected - 1.0).abs() < 0.05,
                "{method:?} {side:?}: {mean}"
            );
        }
    }
}

#[test]
fn a_shift_is_found_soon_and_where_it_began() {
    for method in Method::ALL {
        let detector = Detector::new(with(method));
        let (mut found, mut late, mut misplaced) = (0.0, 0.0, 0.0);
        for seed in 0..200 {
            let series = shifted(40, 20, 3.0, true, 7_000 + seed);
            let rows = detector.rows(&series);
            let after = rows.iter().enumerate().skip(50);
            let first = after
                .clone()
                .find(|(_, row)| row.alert == Some(true))
                .or_else(|| {
                    rows.iter()
                        .enumerate()
                        .find(|(_, row)| row.alert == Some(true))
                });
            let Some((at, row)) = first else { continue };
            found += 1.0;
            late += at as f64 - 50.0;
            misplaced += row.since.map_or(50.0, |since| since.abs_diff(50) as f64);
        }
        assert!(found >= 199.0, "{method:?}: {found}");
        assert!(late / found < 3.0, "{method:?}: {}", late / found);
        assert!(misplaced / found < 2.0, "{method:?}: {}", misplaced / found);
    }
}

#[test]
fn false_alarms_are_rare_without_errors_too() {
    // the level is estimated: with 30 chunks, alarms of 40 chunks come up to twice as often as known levels would have them
    for method in [
        Method::Cusum,
        Method::PageHinkley,
        Method::Ewma,
        Method::Pelt,
    ] {
        let detector = Detector::new(with(method));
        for has_errors in [false, true] {
            let alarms = (0..400).filter(|seed| {
                let series = shifted(40, 40, 0.0, has_errors, 9_000 + seed);
                let rows = detector.rows(&series);
                rows.iter().any(|row| row.alert == Some(true))
            });
            let share = alarms.count() as f64 / 400.0;
            assert!(share < 0.2, "{method:?}, errors {has_errors}: {share}");
        }
    }
}

#[test]
fn gaps_are_passed_over() {
    let mut points: Vec<SeriesPoint> = (0..40)
        .map(|at| point(at, (at % 3) as f64, None, at < 20))
        .collect();
    points[25].is_usable = false;
    points[26].value = Some(f64::NAN);
    points[27].value = None;
    let series = Series::new(points).unwrap_or_default();
    for method in Method::ALL {
        let rows = Detector::new(with(method)).rows(&series);
        assert_eq!(rows.len(), 40);
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(row.status == ChangeStatus::Gap, (25..28).contains(&at));
            assert_ne!(row.alert, Some(true), "{method:?} {at}");
        }
    }
}

#[test]
fn nothing_is_said_where_nothing_tells_how_far_chunks_scatter() {
    let constant = (0..20).map(|at| point(at, 0.3, None, at < 10)).collect();
    let few = (0..3).map(|at| point(at, at as f64, None, false)).collect();
    for points in [constant, few, vec![]] {
        let series = Series::new(points).unwrap_or_default();
        for method in Method::ALL {
            let rows = Detector::new(with(method)).rows(&series);
            assert_eq!(rows.len(), series.points().len());
            for row in rows {
                assert_ne!(row.alert, Some(true));
                let numbers = [row.expected, row.z, row.statistic, row.limit];
                assert!(numbers.into_iter().flatten().all(f64::is_finite));
            }
        }
    }
}

#[test]
fn segments_are_told_where_levels_change_and_back() {
    let level = |at: usize| if (20..30).contains(&at) { 1.0 } else { 0.0 };
    let noise = normal_numbers(60, 5);
    let points = noise
        .iter()
        .enumerate()
        .map(|(at, noise)| point(at, level(at) + 0.1 * noise, None, false));
    let series = Series::new(points.collect()).unwrap_or_default();
    let rows = Detector::new(with(Method::Pelt)).rows(&series);
    let began: Vec<usize> = rows.iter().filter_map(|row| row.since).collect();
    assert_eq!(began, [20, 30]);
    assert_eq!(rows[59].segment, Some(2));
    assert!(rows[20].statistic.is_some_and(|shift| shift > 20.0));
    let up = ChangeOptions {
        side: Side::Higher,
        ..with(Method::Pelt)
    };
    let rows = Detector::new(up).rows(&series);
    let began: Vec<usize> = rows.iter().filter_map(|row| row.since).collect();
    assert_eq!(began, [20]);
}
