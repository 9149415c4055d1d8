//! A short form of `benches/kpi.rs`: how often a KPI alarms that is explained, and how often one is found that is not.
//!
//! The bars are those of the bench, each with three standard deviations of this simulation.
#[path = "simulated/kpi.rs"]
mod kpi;
#[path = "simulated/mod.rs"]
mod simulated;

use kpi::{Drawn, Event, HIGHEST_ALARMS, lowest_power};
use modelwatch::kernel::kpi::KpiOptions;

const RUNS: u64 = 100;

/// Three standard deviations of a share.
fn margin(share: f64) -> f64 {
    3.0 * (share * (1.0 - share) / RUNS as f64).sqrt()
}

fn lagged(autocorrelation: f64, event: Event) -> (Drawn, KpiOptions) {
    let drawn = Drawn {
        lag: 1,
        ..Drawn::usual(autocorrelation, event)
    };
    let options = KpiOptions {
        max_lag: 2,
        ..KpiOptions::default()
    };
    (drawn, options)
}

fn assert_at_most_a_few(count: u64, what: &str) {
    let share = count as f64 / RUNS as f64;
    assert!(
        share <= HIGHEST_ALARMS + margin(HIGHEST_ALARMS),
        "{what}: {share}"
    );
}

#[test]
fn healthy_series_rarely_alarm() {
    for autocorrelation in [0.0, 0.3, 0.6] {
        let drawn = Drawn::usual(autocorrelation, Event::Healthy);
        let told = drawn.tell(&KpiOptions::default(), RUNS, 1);
        assert_at_most_a_few(told.alarms, &format!("correlated by {autocorrelation}"));
    }
}

#[test]
fn a_search_of_the_lag_finds_it_and_does_not_alarm() {
    let (drawn, options) = lagged(0.3, Event::Healthy);
    let told = drawn.tell(&options, RUNS, 2);
    assert_at_most_a_few(told.alarms, "searched");
    assert!(told.share(told.right_lag) > 0.95, "{told:?}");
}

#[test]
fn what_performance_explains_is_no_downstream_failure() {
    for (autocorrelation, after) in [(0.0, 10), (0.6, 0)] {
        let drawn = Drawn {
            after,
            ..Drawn::usual(autocorrelation, Event::Explained(3.0))
        };
        let told = drawn.tell(&KpiOptions::default(), RUNS, 3);
        assert_at_most_a_few(told.downstream, &format!("correlated by {autocorrelation}"));
        assert!(told.share(told.degradation) > 0.6, "{told:?}");
    }
}

#[test]
fn losses_that_nothing_explains_are_found() {
    for autocorrelation in [0.0, 0.3] {
        let drawn = Drawn::usual(autocorrelation, Event::Unexplained(1.5));
        let told = drawn.tell(&KpiOptions::default(), RUNS, 4);
        let (found, least) = (told.share(told.downstream), lowest_power(&drawn));
        assert!(
            found >= least - margin(least),
            "correlated by {autocorrelation}: {found}"
        );
    }
}
