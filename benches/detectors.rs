//! False alarms of `detect_changes`, `trend` and `seasonality` on series that do not change, by simulation.
//!
//! `cargo bench --bench detectors -- [SERIES] [SEED]`; 2,000 series a line unless told. Charts: share of series with an alarm in 40
//! chunks after 30 of the reference, at a run length of 370 (10 % where level and scatter are known). Trends and cycles: share of
//! series with one at level 0.05, by the correlation of neighbours; of trends also without what is put in for that.
use modelwatch::kernel::changes::{ChangeOptions, Detector, Method};
use modelwatch::kernel::diagnosis::{Series, SeriesPoint};
use modelwatch::kernel::seasonality::Seasonality;
use modelwatch::kernel::trend::Trend;

#[path = "../tests/simulated/mod.rs"]
mod simulated;

use simulated::Random;

const REFERENCE: usize = 30;
const ANALYSIS: usize = 40;

fn main() {
    let words = std::env::args().skip(1);
    let mut numbers = words.filter_map(|word| word.parse().ok());
    let (runs, seed) = (numbers.next().unwrap_or(2_000), numbers.next().unwrap_or(1));
    let mut random = Random(seed);
    for method in Method::ALL {
        let options = ChangeOptions {
            method,
            ..ChangeOptions::default()
        };
        let detector = Detector::new(options);
        let [known, estimated] = [true, false].map(|has_errors| {
            share(runs, || {
                let values = correlated(&mut random, REFERENCE + ANALYSIS, 0.0);
                let rows = detector.rows(&series(&values, REFERENCE, has_errors));
                rows.iter().any(|row| row.alert == Some(true))
            })
        });
        let name = method.name();
        println!("{name}: {known:.3} with known errors, {estimated:.3} without");
    }
    for rho in [0.0, 0.5, 0.8] {
        let mut plain = 0.0;
        let trend = share(runs, || {
            let found = Trend::of(&series(&correlated(&mut random, 60, rho), 0, false), 0.95);
            let inflation = found.variance_inflation.unwrap_or(1.0);
            let uncorrected = found.z.unwrap_or(0.0).abs() * inflation.sqrt();
            plain += f64::from(u8::from(uncorrected > 1.96));
            found.p_value.is_some_and(|p| p < 0.05)
        });
        let cycle = share(runs, || {
            let found = Seasonality::of(&series(&correlated(&mut random, 84, rho), 0, false), 0.05);
            found.is_seasonal == Some(true)
        });
        let plain = plain / runs as f64;
        println!("neighbours {rho}: trend {trend:.3} (uncorrected {plain:.3}), cycle {cycle:.3}");
    }
}

fn share(runs: u64, mut happens: impl FnMut() -> bool) -> f64 {
    let count = (0..runs).filter(|_| happens()).count();
    count as f64 / runs as f64
}

/// Normal numbers of variance 1 whose neighbours have this correlation.
fn correlated(random: &mut Random, count: usize, rho: f64) -> Vec<f64> {
    let mut before = random.normal();
    let next = (0..count).map(|_| {
        before = rho * before + (1.0 - rho * rho).sqrt() * random.normal();
        before
    });
    next.collect()
}

fn series(values: &[f64], reference: usize, has_errors: bool) -> Series {
    let points = values.iter().zip(0i64..).map(|(value, index)| SeriesPoint {
        index: Some(index),
        value: Some(*value),
        sampling_error: has_errors.then_some(1.0),
        is_reference: usize::try_from(index).is_ok_and(|index| index < reference),
        is_usable: true,
        ..SeriesPoint::default()
    });
    Series::new(points.collect()).expect("each number once")
}
