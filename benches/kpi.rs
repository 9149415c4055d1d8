//! How often `kpi_divergence` alarms where nothing is wrong, and how often it finds a loss, by simulation.
//!
//! `cargo bench --bench kpi -- [RUNS] [SEED]`; 1,000 series a cell unless told, four times as many where nothing is
//! wrong. 40 chunks of reference and 20 of analysis; the
//! KPI is a line of performance with autoregressive errors of standard deviation 1, which a standard deviation of performance
//! moves it by as well. Performance falls by three of its standard deviations, or the KPI by 1.5 of its errors, when the analysis
//! begins or half way. Sampling errors are that share of the variance of performance.
//!
//! Bars, for errors correlated by 0, .3 and .6: an alarm of limit or CUSUM in at most 7.5 % of series where nothing is wrong, and a
//! downstream failure in at most 7.5 % where performance explains the loss; at least 90 % (correlated by 0) and 75 % (.3) of the
//! losses that begin with the analysis found, with and without a search of the lag. Losses half way, weak links and performance
//! that is partly noise have no bar for what is found, and none for what is explained where the KPI has the same noise, for then
//! the link is made too steep. Status 1 on a miss.
#[path = "../tests/simulated/kpi.rs"]
mod kpi;
#[path = "../tests/simulated/mod.rs"]
mod simulated;

use std::process::ExitCode;

use kpi::{Drawn, Event, HIGHEST_ALARMS, lowest_power};
use modelwatch::kernel::kpi::KpiOptions;

/// Name, what is drawn, most lag that is searched, and whether losses have a bar.
fn settings() -> [(&'static str, Drawn, u32, bool); 7] {
    let usual = Drawn::usual(0.0, Event::Healthy);
    let lagged = Drawn { lag: 1, ..usual };
    let unlinked = Drawn { link: 0.0, ..usual };
    let weak = Drawn {
        link: 0.4,
        ..lagged
    };
    let noisy = |noise| Drawn { noise, ..usual };
    let shared = Drawn {
        is_shared: true,
        ..noisy(0.5)
    };
    [
        ("no lag", usual, 0, true),
        ("lag 1, searched up to 3", lagged, 3, true),
        ("no link, searched up to 3", unlinked, 3, true),
        ("weak link, lag 1, searched up to 3", weak, 3, false),
        ("a fifth of performance noise", noisy(0.2), 0, false),
        ("half of performance noise", noisy(0.5), 0, false),
        (
            "half of performance noise, which the KPI has as well",
            shared,
            0,
            false,
        ),
    ]
}

fn main() -> ExitCode {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok());
    let (runs, seed) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(1));
    let mut missed = 0;
    println!(
        "shares of series: any alarm where healthy; a downstream failure and a model degradation where performance explains the \
         loss, from the start and half way; any alarm of an unexplained loss from the start and half way; the lag told right"
    );
    for (name, drawn, max_lag, has_power) in settings() {
        println!("\n{name}");
        for autocorrelation in [0.0, 0.3, 0.6] {
            let drawn = Drawn {
                autocorrelation,
                ..drawn
            };
            missed += cell(&drawn, max_lag, has_power, runs, seed);
        }
    }
    println!("\n{missed} bars missed");
    ExitCode::from(u8::from(missed > 0))
}

fn cell(drawn: &Drawn, max_lag: u32, has_power: bool, runs: u64, seed: u64) -> u32 {
    let options = KpiOptions {
        max_lag,
        ..KpiOptions::default()
    };
    let tell = |event, after| {
        // the share that is closest to its bar is told with half the simulation error
        let runs = if event == Event::Healthy {
            4 * runs
        } else {
            runs
        };
        let told = Drawn {
            event,
            after,
            ..*drawn
        }
        .tell(&options, runs, seed);
        let of = |count| told.share(count);
        [
            told.alarms,
            told.downstream,
            told.degradation,
            told.right_lag,
        ]
        .map(of)
    };
    let [healthy, _, _, lag] = tell(Event::Healthy, 0);
    let explained = [0, 10].map(|after| tell(Event::Explained(3.0), after));
    let [start, half] = [0, 10].map(|after| tell(Event::Unexplained(1.5), after)[0]);
    let [first, second] = explained
        .map(|[_, downstream, degradation, _]| format!("{downstream:.3} {degradation:.3}"));
    println!(
        "{:>4}  healthy {healthy:.3}  explained {first}, {second}  unexplained {start:.3}, {half:.3}  lag {lag:.3}",
        drawn.autocorrelation
    );
    let least = if has_power { lowest_power(drawn) } else { 0.0 };
    let holds = [
        (healthy <= HIGHEST_ALARMS, "false alarms"),
        (
            drawn.is_shared || explained.iter().all(|of| of[1] <= HIGHEST_ALARMS),
            "downstream failures that performance explains",
        ),
        (start >= least, "losses found"),
    ];
    let missed = holds.iter().filter(|(holds, _)| !holds);
    missed
        .map(|(_, what)| println!("  * {what}: misses the bar"))
        .count() as u32
}
