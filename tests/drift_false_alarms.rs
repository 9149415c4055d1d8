//! The default thresholds and the p-values of drift keep their bars: a small version of `cargo bench --bench
//! drift_false_alarms` and `drift_p_values`, each bar granted three standard deviations of the simulation.
#[path = "simulated/binomial.rs"]
mod binomial;
#[path = "simulated/drift_monitor.rs"]
mod drift_monitor;
#[path = "simulated/drift_samples.rs"]
mod drift_samples;
#[path = "simulated/drift_shift.rs"]
mod drift_shift;
#[path = "simulated/mod.rs"]
mod simulated;

use drift_monitor::{RATIOS, REFERENCE_CHUNKS, Scenario, simulate};
use drift_samples::{LEVELS, Law, families, shares};
use modelwatch::kernel::drift::DriftMetric;

const METRICS: [DriftMetric; 3] = [
    DriftMetric::JensenShannon,
    DriftMetric::KolmogorovSmirnov,
    DriftMetric::Psi,
];

/// False alarms at most `bar` times the rate, and at least `power` found of chunks whose distance rises, from `chunks`
/// reference chunks on.
fn assert_bars(between: f64, bar: f64, power: f64, chunks: usize) {
    let scenario = Scenario {
        between,
        rows: 2_000,
        // without a bar for power nothing has to be known about shifts
        draws: if power > 0.0 { 100 } else { 1 },
    };
    let tallies = simulate(scenario, &METRICS, 200, 3).unwrap();
    for (metric, table) in METRICS.iter().zip(&tallies) {
        let rows = REFERENCE_CHUNKS.iter().zip(table);
        for (k, row) in rows.filter(|(k, _)| **k >= chunks) {
            for (cell, ratio) in row.iter().zip(RATIOS).filter(|(_, ratio)| *ratio <= 1.0) {
                let tally = cell.tally;
                let margin = 3.0 * tally.error().max(tally.independent_error(bar));
                let seen = tally.false_alarms();
                assert!(
                    seen <= bar + margin,
                    "{metric}, {k} chunks, ratio {ratio}: {seen} times the rate"
                );
                let margin = 3.0 * (power * (1.0 - power) / tally.monitors as f64).sqrt();
                let found = tally.power();
                assert!(
                    found >= power - margin,
                    "{metric}, {k} chunks, ratio {ratio}: {found} found"
                );
            }
        }
    }
}

#[test]
fn healthy_chunks_keep_the_rate() {
    assert_bars(0.0, 1.25, 0.0, 3);
}

#[test]
fn chunks_that_differ_by_their_sampling_error_keep_twice_the_rate_and_shifts_are_found() {
    assert_bars(1.0, 2.0, 0.3, 5);
}

#[test]
fn p_values_are_what_they_say() {
    let replicates = 2_000;
    for (law, rows) in [
        (Law::Normal, (500, 500)),
        (Law::Exponential, (1_000, 200)),
        (Law::Tied(3), (400, 200)),
        (Law::Tied(10), (500, 500)),
        (Law::Tied(80), (300, 300)),
        (Law::Categories(2), (1_000, 300)),
        (Law::Categories(6), (1_000, 300)),
        (Law::Categories(40), (300, 300)),
    ] {
        for (metric, shares) in shares(law, rows, replicates, 5) {
            for (share, level) in shares.into_iter().zip(LEVELS) {
                let margin = 3.0 * (level / replicates as f64).sqrt();
                let most = if law.has_ties() { 1.1 } else { 1.2 };
                assert!(
                    share <= most * level + margin,
                    "{law:?} {metric} {level}: {share}"
                );
                let least = if law.has_ties() { 0.0 } else { 0.8 };
                assert!(
                    share >= least * level - margin,
                    "{law:?} {metric} {level}: {share}"
                );
            }
        }
    }
}

#[test]
fn families_without_drift_are_left_alone() {
    let count = 300;
    for (metric, share) in families(Law::Normal, (300, 300), 20, count, 7) {
        let margin = 3.0 * (0.05_f64 * 0.95 / count as f64).sqrt();
        assert!(share <= 0.05 + margin, "{metric}: {share}");
    }
}
