//! The default thresholds keep their bars: a small version of `cargo bench --bench false_alarms`.
//!
//! Each bar is granted three standard deviations of the simulation. With 400 monitors of five chunks
//! that is 1.4 times the rate on 1.25, 1.8 on 2: enough to see limits that are wrong (those of mean
//! and t quantile miss by a factor of 6 to 200 on smaller chunks). Power is asked of 1,000 monitors,
//! where the margin is .043: limits learnt from estimates by calibrators without one chunk each find
//! 0.24, and fail.
#[path = "simulated/binomial.rs"]
mod binomial;
#[path = "simulated/monitor.rs"]
mod monitor;
#[path = "simulated/population.rs"]
mod population;
#[path = "simulated/mod.rs"]
mod simulated;

use modelwatch::kernel::metric::Metric;
use monitor::{RATIOS, REFERENCE_CHUNKS, Scenario, Tallies, simulate};
use population::Kind;

fn run(kind: Kind, metric: Metric, roc_auc: f64, between: f64, monitors: usize) -> Tallies {
    let scenario = Scenario {
        kind,
        metric,
        roc_auc,
        between,
        rows: 20_000,
        unequal: false,
    };
    simulate(scenario, monitors, 7).unwrap()
}

/// False alarms at most `bar` times the rate, from `chunks` reference chunks on.
fn assert_rate(tallies: &Tallies, bar: f64, chunks: usize) {
    for (&k, row) in REFERENCE_CHUNKS
        .iter()
        .zip(tallies)
        .filter(|(k, _)| **k >= chunks)
    {
        for (tally, ratio) in row.iter().zip(RATIOS).filter(|(_, ratio)| *ratio <= 1.0) {
            let seen = tally.false_alarms();
            let margin = 3.0 * tally.error().max(tally.independent_error(bar));
            assert!(
                seen <= bar + margin,
                "{k} chunks, ratio {ratio}: {seen} times the rate"
            );
        }
    }
}

/// At least 0.3 of the shifted chunks are found, from five reference chunks on.
fn assert_power(tallies: &Tallies) {
    for (&k, row) in REFERENCE_CHUNKS
        .iter()
        .zip(tallies)
        .filter(|(k, _)| **k >= 5)
    {
        for (tally, ratio) in row.iter().zip(RATIOS).filter(|(_, ratio)| *ratio <= 1.0) {
            let power = tally.power();
            let margin = 3.0 * (0.3 * 0.7 / tally.monitors as f64).sqrt();
            assert!(
                power >= 0.3 - margin,
                "{k} chunks, ratio {ratio}: found {power}"
            );
        }
    }
}

#[test]
fn a_realized_roc_auc_near_one_keeps_the_rate_on_small_chunks() {
    let tallies = run(Kind::Realized, Metric::RocAuc, 0.99, 0.0, 400);
    assert_rate(&tallies, 1.25, 3);
}

#[test]
fn estimates_keep_the_rate() {
    for (metric, roc_auc) in [(Metric::F1, 0.85), (Metric::RocAuc, 0.99)] {
        let tallies = run(Kind::Estimated, metric, roc_auc, 0.0, 400);
        assert_rate(&tallies, 1.25, 3);
    }
}

#[test]
fn chunks_that_differ_by_their_sampling_error_keep_twice_the_rate_and_shifts_are_found() {
    for (kind, metric, roc_auc) in [
        (Kind::Realized, Metric::Accuracy, 0.85),
        (Kind::Estimated, Metric::RocAuc, 0.7),
    ] {
        let tallies = run(kind, metric, roc_auc, 1.0, 1000);
        assert_rate(&tallies, 2.0, 5);
        assert_power(&tallies);
    }
}
