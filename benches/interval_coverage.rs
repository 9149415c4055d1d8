//! Coverage of the intervals of estimated and realized performance, by simulation.
//!
//! A reference and a chunk are drawn again and again from a model whose calibration is known and holds
//! on both; the table tells how often the true values lay inside, with the error of the simulation.
//! `cargo bench --bench interval_coverage -- [RUNS] [SEED]`; 1,000 runs a cell unless told,
//! a quarter of that outside the support, where nothing is promised.
//!
//! Bars, for the realized value in the estimate's interval and for the population in
//! `value +- z * sampling_error`, where at least 20 rows of each class are expected and at most 1 % of
//! the scores lie where the reference has fewer than 50 rows: 93 to 97 % averaged over the cells
//! of a metric, single cells 91 to 98 %. A single cell misses when it lies outside by more than two standard
//! deviations of the simulation; how many lie outside at all is printed too. Status 1 on a miss.
#[path = "../tests/simulated/coverage.rs"]
mod coverage;
#[path = "../tests/simulated/mod.rs"]
mod simulated;

use coverage::{CHUNK_ROWS, Cell, METRICS, Setting, simulate};
use std::process::ExitCode;

/// What is counted, its share of a cell's runs, and whether it has a bar.
type Share = (&'static str, fn(&Cell) -> f64, bool);

const SHARES: [Share; 3] = [
    (
        "realized value in the estimate's interval",
        |cell| cell.share(cell.realized_inside),
        true,
    ),
    (
        "population in estimate +- z sampling_error",
        |cell| cell.share(cell.population_inside),
        true,
    ),
    (
        "population in the realized value's interval",
        |cell| cell.share(cell.population_in_realized),
        false,
    ),
];
const MEANS: (f64, f64) = (0.93, 0.97);
const SINGLES: (f64, f64) = (0.91, 0.98);

fn main() -> ExitCode {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok());
    let (runs, seed) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(1));
    let error = (0.95 * 0.05 / runs as f64).sqrt();
    println!("{runs} runs a cell, nominal .95, simulation error of a cell {error:.4}");
    println!(
        "reference rows, model, shift, chunk rows, metric: realized in interval, population in \
         error, population in realized interval, mean excess, runs, without a value, \
         status extrapolated, raw scores"
    );
    let cells = simulated_cells(runs, seed);
    println!("\npromised: calibration preserved, at least 20 events of each class, in the support");
    let missed = summarize(&cells, Cell::is_promised);
    println!("\noutside the support, at least 20 events of each class");
    summarize(&cells, |cell| !cell.supported && cell.enough_events);
    println!("\nfewer events");
    summarize(&cells, |cell| cell.supported && !cell.enough_events);
    print_status(&cells);
    println!("\n{missed} bars missed");
    ExitCode::from(u8::from(missed > 0))
}

/// All cells, on two threads, printed as they are done; their numbers do not depend on the threads.
fn simulated_cells(runs: u64, seed: u64) -> Vec<Cell> {
    let settings: Vec<(usize, Setting)> = [5_000, 50_000]
        .into_iter()
        .flat_map(|rows| {
            Setting::grid()
                .into_iter()
                .map(move |setting| (rows, setting))
        })
        .collect();
    let part = |first: usize| -> Vec<Vec<Cell>> {
        let mine = settings.iter().skip(first).step_by(2);
        let run = |&(rows, setting): &(usize, Setting)| {
            let runs = if setting.is_supported(rows) {
                runs
            } else {
                runs / 4
            };
            let cells = simulate(setting, rows, &CHUNK_ROWS, runs, seed);
            cells.iter().for_each(print_cell);
            cells
        };
        mine.map(run).collect()
    };
    let (even, odd) = std::thread::scope(|threads| {
        let odd = threads.spawn(|| part(1));
        (part(0), odd.join())
    });
    let odd = odd.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    even.into_iter().chain(odd).flatten().collect()
}

fn print_cell(cell: &Cell) {
    let [realized, population, confidence] = SHARES.map(|(_, share, _)| share(cell));
    let remark = match (cell.supported, cell.enough_events) {
        (false, _) => " outside the support",
        (true, false) => " few events",
        (true, true) => "",
    };
    println!(
        "{}\t{}\t{}\t{}\t{}\t{realized:.3}\t{population:.3}\t{confidence:.3}\t{:+.4}\t{}\t{}\t{}\t{}{remark}",
        cell.reference_rows,
        cell.setting.model,
        cell.setting.shift,
        cell.rows,
        cell.metric,
        cell.excess / cell.runs as f64,
        cell.runs,
        cell.without_value,
        cell.told_extrapolated,
        cell.raw,
    );
}

/// Prints means and ranges of the picked cells; the number of bars that they miss.
fn summarize(cells: &[Cell], picked: impl Fn(&Cell) -> bool) -> usize {
    let mut missed = 0;
    for (name, share, barred) in SHARES {
        for metric in METRICS {
            let of_metric = cells
                .iter()
                .filter(|cell| cell.metric == metric && picked(cell));
            let found: Vec<(f64, u64)> = of_metric
                .filter(|cell| cell.runs > 0)
                .map(|cell| (share(cell), cell.runs))
                .collect();
            if found.is_empty() {
                continue;
            }
            let mean = found.iter().map(|(x, _)| x).sum::<f64>() / found.len() as f64;
            let least = found.iter().map(|(x, _)| *x).fold(1.0, f64::min);
            let most = found.iter().map(|(x, _)| *x).fold(0.0, f64::max);
            let beyond = |by: f64| found.iter().filter(|(x, n)| is_beyond(*x, *n, by)).count();
            let mean_missed = !(MEANS.0..=MEANS.1).contains(&mean);
            println!(
                "{name}, {metric}: mean {mean:.4}{}, cells {least:.3} to {most:.3} ({}); {} outside {} to {}, {} by \
                 more than 2 sd",
                if mean_missed {
                    " (outside .93 to .97)"
                } else {
                    ""
                },
                found.len(),
                beyond(0.0),
                SINGLES.0,
                SINGLES.1,
                beyond(2.0),
            );
            if barred {
                missed += usize::from(mean_missed) + beyond(2.0);
            }
        }
    }
    missed
}

/// Whether a share of so many runs lies beyond the bars of a cell by more than `by` standard
/// deviations of the simulation.
fn is_beyond(share: f64, runs: u64, by: f64) -> bool {
    let error = |bar: f64| by * (bar * (1.0 - bar) / runs as f64).sqrt();
    share < SINGLES.0 - error(SINGLES.0) || share > SINGLES.1 + error(SINGLES.1)
}

/// How often the status says `extrapolated`, in the support and outside of it.
fn print_status(cells: &[Cell]) {
    println!();
    for (supported, name) in [(true, "in"), (false, "outside")] {
        for reference_rows in [5_000, 50_000] {
            let picked = || {
                cells
                    .iter()
                    .filter(|c| c.supported == supported && c.reference_rows == reference_rows)
            };
            let told: u64 = picked().map(|cell| cell.told_extrapolated).sum();
            let runs: u64 = picked().map(|cell| cell.runs + cell.without_value).sum();
            println!(
                "{name} the support of {reference_rows} reference rows: status extrapolated in {:.3} of {runs} readings",
                told as f64 / runs as f64
            );
        }
    }
    let without: u64 = cells.iter().map(|cell| cell.without_value).sum();
    println!("{without} readings without a value are in no share");
}
