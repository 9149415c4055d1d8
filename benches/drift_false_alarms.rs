//! How often the default thresholds of drift give a false alarm, and how often they find a real shift.
//!
//! `cargo bench --bench drift_false_alarms` prints the tables. After `--`: `--monitors N`, `--seed S`, `--rows N`
//! (rows of a reference chunk), `--all` (more metrics; these have no bar).
//!
//! Every chunk is drawn from a normal law cut into 400 numbers. Where healthy chunks differ (`between` 1), the mean of
//! each chunk's population moves by a normal number whose standard deviation is the sampling standard deviation of the
//! mean of a reference chunk.
//!
//! Power is measured where the monitored *value* is 4 of its own sampling standard deviations higher, as in
//! `false_alarms` for metrics of performance: the mean of the population moves so far that the expected distance lies
//! 4 of the standard deviations that the distance has without drift (and without `between`) above its expectation
//! there; `tests/simulated/drift_shift.rs` finds how far by simulation, for each metric and size. In parentheses stands
//! the share found where the *mean* moves by 4 sampling standard deviations of the chunk's mean, which has no bar: how
//! far a distance rises then depends on the metric.
//!
//! A cell shows false alarms as a multiple of the promised rate, their simulation error, and the
//! shares of shifted chunks found. The bars stand at `meets`; chunks ten times as large as the reference's have none.
//!
//! MEASURED (as above, seed 1: 20,000 monitors, simulation error of a power .0035, of the shift's size about 2 %),
//! analysis chunks 0.1 to 1 times as large, smallest and largest of a table; from five reference chunks on where
//! healthy chunks differ:
//!
//! | metric | between | false alarms | found | found by mean (no bar) |
//! |---|---|---|---|---|
//! | jensen_shannon | 0 | at most 1.04 | .716 to .780 | .101 to .273 |
//! | kolmogorov_smirnov | 0 | at most .60 | .289 to .511 | .209 to .583 |
//! | psi | 0 | at most 1.13 | .323 to .474 | .136 to .392 |
//! | jensen_shannon | 1 | at most 1.35 | .629 to .764 | .183 to .280 |
//! | kolmogorov_smirnov | 1 | at most 1.68 | .315 to .494 | .290 to .579 |
//! | psi | 1 | at most 1.23 | .346 to .476 | .222 to .392 |
//!
//! No cell misses a bar. Against a shift of the mean no limit that keeps the rate finds much more: such a shift adds
//! 16 to a chi-square number of as many degrees of freedom as there are filled bins. At a known population (24 chunks, tenth of
//! the size, no movement) jensen_shannon still finds .27, psi .40, kolmogorov_smirnov .60 and wasserstein .80.
#[path = "../tests/simulated/binomial.rs"]
mod binomial;
#[path = "../tests/simulated/drift_monitor.rs"]
mod drift_monitor;
#[path = "../tests/simulated/drift_shift.rs"]
mod drift_shift;
#[path = "../tests/simulated/mod.rs"]
mod simulated;

use drift_monitor::{Cell, RATIOS, REFERENCE_CHUNKS, Scenario, simulate};
use modelwatch::kernel::KernelError;
use modelwatch::kernel::drift::DriftMetric;
use simulated::tally::rate;
use std::process::ExitCode;

/// Metrics of the bars.
const BARRED: [DriftMetric; 3] = [
    DriftMetric::JensenShannon,
    DriftMetric::KolmogorovSmirnov,
    DriftMetric::Psi,
];
const OTHERS: [DriftMetric; 3] = [
    DriftMetric::Hellinger,
    DriftMetric::Wasserstein,
    DriftMetric::WassersteinRobust,
];

fn main() -> Result<ExitCode, KernelError> {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str| -> Option<u64> {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse().ok()
    };
    let monitors = number("--monitors").unwrap_or(20_000);
    let rows = number("--rows").unwrap_or(5_000);
    let seed = number("--seed").unwrap_or(1);
    let mut metrics = BARRED.to_vec();
    if arguments.iter().any(|argument| argument == "--all") {
        metrics.extend(OTHERS);
    }
    println!(
        "rate {}, {monitors} monitors, {rows} rows a reference chunk, seed {seed}",
        rate()
    );
    let mut missed = 0;
    for between in [0.0, 1.0] {
        let scenario = Scenario {
            between,
            rows,
            draws: 2_000,
        };
        let tallies = simulate(scenario, &metrics, monitors as usize, seed)?;
        for (metric, table) in metrics.iter().zip(&tallies) {
            let has_bar = BARRED.contains(metric);
            missed += print(*metric, between, table, has_bar);
        }
    }
    println!("\n{missed} cells miss a bar (*)");
    Ok(ExitCode::from(u8::from(missed > 0)))
}

/// Prints one table; the number of cells that miss a bar.
fn print(
    metric: DriftMetric,
    between: f64,
    table: &[[Cell; RATIOS.len()]; REFERENCE_CHUNKS.len()],
    has_bar: bool,
) -> usize {
    println!("\n{metric}, between {between}");
    print!("reference chunks");
    RATIOS
        .iter()
        .for_each(|ratio| print!(" | analysis/reference {ratio:<12}"));
    println!();
    let mut missed = 0;
    for (chunks, row) in REFERENCE_CHUNKS.iter().zip(table) {
        print!("{chunks:>16}");
        for (cell, ratio) in row.iter().zip(RATIOS) {
            let miss = has_bar && ratio <= 1.0 && !cell.tally.meets(*chunks, between);
            missed += usize::from(miss);
            let (alarms, error) = (cell.tally.false_alarms(), cell.tally.error());
            let (power, by_mean) = (cell.tally.power(), cell.power_by_mean());
            print!(
                " | {alarms:5.2} ±{error:4.2} found {power:5.3} ({by_mean:5.3}){}",
                if miss { '*' } else { ' ' }
            );
        }
        println!();
    }
    missed
}
