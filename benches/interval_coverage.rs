//! Coverage of the intervals of estimated performance, by simulation.
//!
//! A reference and a chunk are drawn again and again from a model of known calibration; the table
//! tells how often the realized value of the chunk lay in `[lower_bound, upper_bound]` and the
//! population's value in `value +- z * sampling_error`, with the error of the simulation.
//!
//! `cargo bench --bench interval_coverage -- [RUNS] [FIRST_SEED]`
#![allow(clippy::print_stdout, reason = "the table is the result")]
#[path = "../tests/simulated/coverage.rs"]
mod coverage;

use coverage::{Cell, METRICS, Setting, simulate};

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok());
    let runs: u64 = numbers.next().unwrap_or(1000);
    let seed: u64 = numbers.next().unwrap_or(1);
    println!(
        "runs {runs}, nominal .95, simulation error of a cell {:.4}",
        (0.95 * 0.05 / runs as f64).sqrt()
    );
    println!(
        "reference rows\tprevalence\tshift\trows\textrapolated\tmetric\trealized in bounds\tpopulation in error\tbias\twidth"
    );
    let mut all: Vec<Cell> = Vec::new();
    for reference_rows in [5_000, 50_000] {
        for setting in Setting::grid() {
            let cells = simulate(setting, reference_rows, runs, seed);
            for cell in &cells {
                print_cell(cell);
            }
            all.extend(cells);
        }
    }
    for (name, extrapolated) in [("promised", false), ("extrapolated", true)] {
        for (index, metric) in METRICS.iter().enumerate() {
            let picked = || {
                all.iter().filter(|c| {
                    c.extrapolated == extrapolated
                        && c.promised_events
                        && c.runs >= runs / 4
                        && c.metric == index
                })
            };
            let count = picked().count().max(1) as f64;
            let mean = |f: fn(&Cell) -> f64| picked().map(f).sum::<f64>() / count;
            let worst = |f: fn(&Cell) -> f64| {
                picked()
                    .map(f)
                    .fold((1.0f64, 0.0f64), |(a, b), x| (a.min(x), b.max(x)))
            };
            println!(
                "{name} {metric}: realized mean {:.4} range {:.3?}; population mean {:.4} range {:.3?}; cells {count}",
                mean(Cell::realized),
                worst(Cell::realized),
                mean(Cell::population),
                worst(Cell::population)
            );
        }
    }
}

fn print_cell(cell: &Cell) {
    if cell.runs == 0 {
        return;
    }
    println!(
        "{}\t{}\t{}\t{}\t{}{}\t{}\t{:.3}\t{:.3}\t{:+.4}\t{:.4}\t({} runs)",
        cell.reference_rows,
        cell.setting.prevalence_name,
        cell.setting.shift,
        cell.rows,
        cell.extrapolated,
        if cell.promised_events {
            ""
        } else {
            " few events"
        },
        METRICS[cell.metric],
        cell.realized(),
        cell.population(),
        cell.bias / cell.runs as f64,
        cell.width / cell.runs as f64,
        cell.runs
    );
}
