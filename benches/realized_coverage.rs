//! Coverage of the 95 % intervals of every realized metric, by simulation.
//!
//! Chunks of 200 to 20,000 rows are drawn again and again from populations of two classes, of several, and of regressions;
//! the table tells how often the interval held the population's value, which is that of 4 million rows. The same from 600
//! rows on for rows that count unequally, for rows of clusters, and for differences of two models on the same rows.
//! `cargo bench --bench realized_coverage -- [RUNS] [SEED] [KIND...]`; 1,000 runs a cell unless told; KIND is `binary`,
//! `multiclass`, `regression`, `weighted`, `clustered` or `paired`, or all of them.
//!
//! Bars, where at least 20 rows of each class are expected among labels and among predictions, and of differences where most
//! results do not say that the models differ on fewer rows: 93 to 97 % averaged over the cells of a metric, single cells 91 to
//! 98 %. A single cell misses when it lies outside by more than two standard deviations of the simulation; how many lie outside
//! at all is printed too. Status 1 on a miss.
#[path = "../tests/simulated/realized/mod.rs"]
mod realized;
#[path = "../tests/simulated/mod.rs"]
mod simulated;

use realized::{Cell, Population, simulate};
use std::process::ExitCode;

const KINDS: [&str; 6] = [
    "binary",
    "multiclass",
    "regression",
    "weighted",
    "clustered",
    "paired",
];
const CHUNK_ROWS: [usize; 4] = [200, 600, 2_000, 20_000];
const WHOLE: usize = 4_000_000;
const MEANS: (f64, f64) = (0.93, 0.97);
const SINGLES: (f64, f64) = (0.91, 0.98);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut numbers = words.iter().filter_map(|word| word.parse().ok());
    let (runs, seed) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(1));
    let asked: Vec<&str> = words.iter().map(String::as_str).collect();
    let asked: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| asked.contains(kind))
        .collect();
    println!("{runs} runs a cell, nominal .95");
    println!(
        "kind, population, rows, metric, class or cell, value: coverage, too low, too high, runs, without a value, of few rows"
    );
    let is_asked =
        |it: &Population| asked.is_empty() || asked.iter().any(|word| it.kind.starts_with(word));
    let populations: Vec<Population> = Population::grid().into_iter().filter(is_asked).collect();
    let cells = simulated_cells(&populations, runs, seed);
    let mut kinds: Vec<&str> = populations.iter().map(|it| it.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut missed = 0;
    for kind in kinds {
        let of_kind: Vec<&Cell> = cells.iter().filter(|cell| cell.kind == kind).collect();
        println!("\n{kind}: at least 20 rows of each class");
        missed += summarize(&of_kind, true);
        println!("\n{kind}: fewer");
        summarize(&of_kind, false);
    }
    println!("\n{missed} bars missed");
    ExitCode::from(u8::from(missed > 0))
}

/// All cells, on two threads, printed as they are done; their numbers do not depend on the threads.
fn simulated_cells(populations: &[Population], runs: u64, seed: u64) -> Vec<Cell> {
    let part = |first: usize| -> Vec<Vec<Cell>> {
        let mine = populations.iter().skip(first).step_by(2);
        let run = |population: &Population| {
            let rows = &CHUNK_ROWS[usize::from(!population.is_plain())..];
            let cells = simulate(population, rows, WHOLE, runs, seed);
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
    println!(
        "{}\t{}\t{}\t{}\t{}\t{:.5}\t{:.3}\t{}\t{}\t{}\t{}\t{}{}",
        cell.kind,
        cell.population,
        cell.rows,
        cell.metric,
        cell.of.as_deref().unwrap_or("-"),
        cell.truth,
        cell.coverage(),
        cell.too_low,
        cell.too_high,
        cell.runs,
        cell.without_value,
        cell.few,
        if cell.promised() { "" } else { "\tfew events" },
    );
}

/// Prints means and ranges of the cells; the number of bars that they miss.
fn summarize(cells: &[&Cell], promised: bool) -> usize {
    let mut metrics: Vec<&str> = cells.iter().map(|cell| cell.metric.as_str()).collect();
    let mut seen = std::collections::HashSet::new();
    metrics.retain(|metric| seen.insert(*metric));
    let of = |metric: &&str| {
        let of_metric = cells.iter().filter(|cell| cell.metric == *metric);
        let found: Vec<(f64, u64)> = of_metric
            .filter(|cell| cell.promised() == promised && cell.runs > 0)
            .map(|cell| (cell.coverage(), cell.runs))
            .collect();
        summarize_metric(metric, &found)
    };
    metrics.iter().map(of).sum()
}

fn summarize_metric(metric: &str, found: &[(f64, u64)]) -> usize {
    if found.is_empty() {
        return 0;
    }
    let mean = found.iter().map(|(x, _)| x).sum::<f64>() / found.len() as f64;
    let least = found.iter().map(|(x, _)| *x).fold(1.0, f64::min);
    let most = found.iter().map(|(x, _)| *x).fold(0.0, f64::max);
    let beyond = |by: f64| found.iter().filter(|(x, n)| is_beyond(*x, *n, by)).count();
    let mean_missed = !(MEANS.0..=MEANS.1).contains(&mean);
    println!(
        "{metric}: mean {mean:.4}{}, cells {least:.3} to {most:.3} ({}); {} outside {} to {}, {} by more than 2 sd",
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
    usize::from(mean_missed) + beyond(2.0)
}

/// Whether a share of so many runs lies beyond the bars of a cell by more than `by` standard deviations of the
/// simulation.
fn is_beyond(share: f64, runs: u64, by: f64) -> bool {
    let error = |bar: f64| by * (bar * (1.0 - bar) / runs as f64).sqrt();
    share < SINGLES.0 - error(SINGLES.0) || share > SINGLES.1 + error(SINGLES.1)
}
