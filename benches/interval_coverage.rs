//! Coverage of the intervals of estimated and realized performance, by simulation.
//!
//! A reference and a chunk are drawn again and again from a model whose calibration is known and holds
//! on both; the table tells how often the true values lay inside, with the error of the simulation.
//! `cargo bench --bench interval_coverage -- [RUNS] [SEED]`
#[path = "../tests/simulated/coverage.rs"]
mod coverage;

use coverage::{Cell, METRICS, Setting, simulate};

/// What is counted, and its share of a cell's runs.
type Share = (&'static str, fn(&Cell) -> f64);

const SHARES: [Share; 3] = [
    ("realized value in the estimate's interval", |cell| {
        cell.share(cell.realized_inside)
    }),
    ("population in estimate +- z sampling_error", |cell| {
        cell.share(cell.population_inside)
    }),
    ("population in the realized value's interval", |cell| {
        cell.share(cell.population_in_realized)
    }),
];

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok());
    let (runs, seed) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(1));
    let error = (0.95 * 0.05 / runs as f64).sqrt();
    println!("{runs} runs a cell, nominal .95, simulation error of a cell {error:.4}");
    println!(
        "reference rows, model, shift, chunk rows, metric: realized in interval, population in \
         error, population in realized interval, mean excess, runs"
    );
    let mut cells = Vec::new();
    for reference_rows in [5_000, 50_000] {
        for setting in Setting::grid() {
            let found = simulate(setting, reference_rows, runs, seed);
            found.iter().for_each(print_cell);
            cells.extend(found);
        }
    }
    println!("\npromised: calibration preserved, at least 20 events of each class, in the support");
    summarize(&cells, |cell| cell.is_promised() && cell.runs >= runs / 2);
    println!("\nextrapolated");
    summarize(&cells, |cell| cell.extrapolated && cell.runs >= runs / 2);
}

fn print_cell(cell: &Cell) {
    if cell.runs == 0 {
        return;
    }
    let [realized, population, confidence] = SHARES.map(|(_, share)| share(cell));
    let remark = match (cell.extrapolated, cell.enough_events) {
        (true, _) => " extrapolated",
        (false, false) => " few events",
        (false, true) => "",
    };
    println!(
        "{}\t{}\t{}\t{}\t{}\t{realized:.3}\t{population:.3}\t{confidence:.3}\t{:+.4}\t{}{remark}",
        cell.reference_rows,
        cell.setting.model,
        cell.setting.shift,
        cell.rows,
        cell.metric,
        cell.excess / cell.runs as f64,
        cell.runs,
    );
}

fn summarize(cells: &[Cell], picked: impl Fn(&Cell) -> bool) {
    for (name, share) in SHARES {
        for metric in METRICS {
            let shares: Vec<f64> = cells
                .iter()
                .filter(|cell| cell.metric == metric && picked(cell))
                .map(share)
                .collect();
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            let least = shares.iter().copied().fold(1.0, f64::min);
            let most = shares.iter().copied().fold(0.0, f64::max);
            println!(
                "{name}, {metric}: mean {mean:.4}, cells {least:.3} to {most:.3} ({})",
                shares.len()
            );
        }
    }
}
