//! What must hold whatever the series.
use super::super::calendar::DAY;
use super::super::splitmix::{STEP, splitmix64};
use super::*;

/// Uniform with mean 0 and variance 1.
fn noise(seed: u64) -> f64 {
    let bits = splitmix64(seed.wrapping_mul(STEP));
    ((bits >> 11) as f64 / (1u64 << 53) as f64 - 0.5) * 12.0_f64.sqrt()
}

/// 40 chunks of reference and 20 of analysis whose KPI is 1000 + 1500 (performance - 0.8), with errors of 30.
fn chunks(seed: u64, change: impl Fn(usize, &mut KpiChunk)) -> Vec<KpiChunk> {
    let chunk = |at: usize| {
        let performance = 0.8 + 0.02 * noise(seed + 2 * at as u64);
        let mut chunk = KpiChunk {
            time: at as i64 * 7 * DAY,
            place: at as u32,
            is_reference: at < 40,
            performance: Some(performance),
            kpi: Some(
                1000.0 + 1500.0 * (performance - 0.8) + 30.0 * noise(seed + 2 * at as u64 + 1),
            ),
            controls: Some(vec![]),
            ..KpiChunk::default()
        };
        change(at, &mut chunk);
        chunk
    };
    (0..60).map(chunk).collect()
}

fn lower(of: &mut Option<f64>, by: f64) {
    *of = of.map(|x| x - by);
}

fn told(chunks: &[KpiChunk]) -> Vec<KpiRow> {
    kpi_divergence(chunks, &KpiOptions::default())
}

fn verdicts(rows: &[KpiRow]) -> Vec<Verdict> {
    let mut found: Vec<Verdict> = rows.iter().skip(45).filter_map(|row| row.verdict).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn each_failure_has_its_verdict() {
    let healthy = told(&chunks(1, |_, _| ()));
    assert_eq!(verdicts(&healthy), [Verdict::Healthy]);
    let failed = told(&chunks(1, |at, chunk| {
        lower(&mut chunk.kpi, if at >= 45 { 150.0 } else { 0.0 });
    }));
    assert_eq!(verdicts(&failed), [Verdict::DownstreamFailure]);
    let degraded = |kpi: f64| {
        told(&chunks(1, move |at, chunk| {
            if at >= 45 {
                lower(&mut chunk.performance, 0.3);
                lower(&mut chunk.kpi, kpi);
            }
        }))
    };
    assert_eq!(verdicts(&degraded(450.0)), [Verdict::ModelDegradation]);
    assert_eq!(verdicts(&degraded(0.0)), [Verdict::KpiInsensitive]);
    assert_eq!(verdicts(&degraded(1200.0)), [Verdict::Mixed]);
}

#[test]
fn a_failure_that_lasts_does_not_become_what_is_normal_and_ends_when_it_ends() {
    let long = |until: usize| {
        let mut long = chunks(1, |_, _| ());
        let more = chunks(1000, |_, _| ());
        for (at, mut chunk) in more.into_iter().cycle().take(240).enumerate() {
            (chunk.place, chunk.is_reference) = (60 + at as u32, false);
            chunk.time = i64::from(chunk.place) * 7 * DAY;
            lower(&mut chunk.kpi, if at < until { 75.0 } else { 0.0 });
            long.push(chunk);
        }
        told(&long)
    };
    let lasting = long(240);
    let late = lasting
        .iter()
        .skip(200)
        .filter(|row| row.alert == Some(true));
    assert_eq!(late.count(), 100);
    let ended = long(120);
    let late = ended.iter().skip(230).filter(|row| row.alert == Some(true));
    assert_eq!(late.count(), 0);
}

#[test]
fn alerts_are_outside_of_the_band_or_of_the_cusum_limit() {
    for seed in 0..8 {
        let rows = told(&chunks(seed * 1000, |at, chunk| {
            lower(&mut chunk.kpi, if at >= 50 { 60.0 } else { 0.0 });
        }));
        for (row, chunk) in rows.iter().zip(chunks(seed * 1000, |_, _| ())).skip(40) {
            let kpi = chunk.kpi.unwrap() - if chunk.place >= 50 { 60.0 } else { 0.0 };
            let outside = kpi < row.lower.unwrap() || kpi > row.upper.unwrap();
            let summed = row.cusum.unwrap().abs() > row.cusum_limit.unwrap();
            assert_eq!(row.alert, Some(outside || summed), "{row:?}");
            let side = (kpi - row.expected.unwrap()).signum();
            assert!(row.z.unwrap() * side >= 0.0);
        }
    }
}

#[test]
fn units_of_performance_kpi_and_controls_do_not_matter() {
    let with = |unit: f64| {
        told(&chunks(7, |at, chunk| {
            let control = noise(5_000 + at as u64);
            chunk.kpi = chunk.kpi.map(|kpi| (kpi + 20.0 * control) * unit);
            chunk.performance = chunk.performance.map(|x| x * unit);
            chunk.sampling_error = 0.005 * unit;
            chunk.controls = Some(vec![control * unit]);
        }))
    };
    let usual = with(1.0);
    for unit in [1e-200, 1e-6, 1e6, 1e200] {
        for (a, b) in usual.iter().zip(with(unit)) {
            let (a, b) = (a.z.unwrap(), b.z.unwrap());
            assert!((a - b).abs() < 1e-6, "{unit}: {a} is not {b}");
        }
    }
}

#[test]
fn a_control_explains_what_it_moves() {
    let with = |controls: bool| {
        told(&chunks(3, |at, chunk| {
            let visits =
                100.0 + 10.0 * noise(9_000 + at as u64) - if at >= 45 { 60.0 } else { 0.0 };
            chunk.kpi = chunk.kpi.map(|kpi| kpi + 3.0 * (visits - 100.0));
            chunk.controls = Some(if controls { vec![visits] } else { vec![] });
        }))
    };
    assert_eq!(verdicts(&with(true)), [Verdict::Healthy]);
    assert!(verdicts(&with(false)).contains(&Verdict::DownstreamFailure));
}

/// The KPI follows performance as it was measured: its sampling errors are those of the KPI as well.
#[test]
fn sampling_errors_that_the_kpi_shares_do_not_hide_a_failure() {
    for seed in 0..8 {
        let with = |sampling_error: f64| {
            told(&chunks(seed * 1000, |at, chunk| {
                lower(&mut chunk.kpi, if at >= 50 { 180.0 } else { 0.0 });
                chunk.sampling_error = sampling_error;
            }))
        };
        let spread = |rows: &[KpiRow]| {
            let left = rows.iter().take(40).filter_map(|row| row.unexplained);
            left.map(|x| x * x).sum::<f64>().sqrt()
        };
        let (off, shared) = (with(0.0), with(0.016));
        assert!(spread(&shared) < 1.25 * spread(&off), "{seed}");
        assert_eq!(shared[50].alert, Some(true), "{:?}", shared[50]);
    }
}

#[test]
fn what_is_missing_is_told_and_never_interpolated() {
    let rows = told(&chunks(1, |at, chunk| match at {
        10 | 44 => chunk.kpi = None,
        46 => chunk.performance = None,
        47 => chunk.controls = None,
        50 => chunk.kpi = Some(f64::INFINITY),
        _ => (),
    }));
    let status = |at: usize| (rows[at].status, rows[at].verdict, rows[at].expected);
    for at in [10, 44] {
        assert_eq!(status(at), (KpiStatus::MissingKpi, None, None));
    }
    assert_eq!(status(46), (KpiStatus::MissingPerformance, None, None));
    assert_eq!(status(47), (KpiStatus::MissingControl, None, None));
    assert_eq!(rows[45].verdict, Some(Verdict::Healthy));
    assert!(rows.iter().all(|row| row.z.is_none_or(f64::is_finite)));
}

#[test]
fn too_short_or_constant_histories_have_no_verdict() {
    let of_reference = |count: usize| {
        told(
            &chunks(1, |at, chunk| {
                chunk.is_reference = at >= 40 - count && at < 40
            })[40 - count..],
        )
    };
    let short = of_reference(23);
    assert!(
        short
            .iter()
            .all(|row| row.status == KpiStatus::InsufficientHistory)
    );
    assert!(of_reference(24).iter().any(|row| row.verdict.is_some()));
    let constant = told(&chunks(1, |_, chunk| chunk.kpi = Some(3.0)));
    assert!(
        constant
            .iter()
            .all(|row| row.status == KpiStatus::ConstantKpi && row.verdict.is_none())
    );
    assert!(told(&[]).is_empty());
}

#[test]
fn performance_that_never_moved_is_told() {
    let rows = told(&chunks(1, |at, chunk| {
        chunk.performance = Some(if at < 50 { 0.8 } else { 0.6 });
    }));
    assert_eq!(rows[45].status, KpiStatus::NoisyPerformance);
    assert!(rows.iter().all(|row| row.z.is_none_or(f64::is_finite)));
}

#[test]
fn a_kpi_that_is_explained_exactly_has_no_false_alarm() {
    let rows = told(&chunks(1, |_, chunk| {
        chunk.kpi = chunk.performance.map(|x| 3.0 + 2.0 * x);
    }));
    assert_eq!(verdicts(&rows), [Verdict::Healthy]);
    let off = told(&chunks(1, |at, chunk| {
        chunk.kpi = chunk
            .performance
            .map(|x| 3.0 + 2.0 * x + if at > 50 { 0.01 } else { 0.0 });
    }));
    assert_eq!(off[51].verdict, Some(Verdict::DownstreamFailure));
}

#[test]
fn alerts_of_performance_go_before_limits_of_our_own() {
    let rows = told(&chunks(1, |at, chunk| {
        chunk.performance_alert = match at {
            0..=41 => None,
            42 => Some(true),
            _ => Some(false),
        };
    }));
    assert_eq!(rows[41].status, KpiStatus::UnjudgedPerformance);
    assert_eq!((rows[41].verdict, rows[41].alert), (None, Some(false)));
    assert_eq!(rows[42].verdict, Some(Verdict::KpiInsensitive));
    assert_eq!(rows[43].verdict, Some(Verdict::Healthy));
}
