//! A small part of `benches/interval_coverage.rs`, so that a broken interval fails the tests.
#[path = "simulated/coverage.rs"]
mod coverage;

use coverage::{Cell, Setting, simulate};

#[test]
fn intervals_cover_as_often_as_they_say() {
    let cells: Vec<Cell> = Setting::grid()
        .into_iter()
        .filter(|setting| setting.shift == 0.0)
        .flat_map(|setting| simulate(setting, 5_000, 60, 3))
        .filter(|cell| cell.is_promised() && cell.runs > 0)
        .collect();
    let runs: u64 = cells.iter().map(|cell| cell.runs).sum();
    // 3 models, 3 sizes, 5 metrics; a model with too few events in its smallest chunk is left out
    assert!(runs >= 60 * 5 * 8, "{runs} runs");
    let counted: [fn(&Cell) -> u64; 3] = [
        |cell| cell.realized_inside,
        |cell| cell.population_inside,
        |cell| cell.population_in_realized,
    ];
    for (index, inside) in counted.into_iter().enumerate() {
        let share = cells.iter().map(inside).sum::<u64>() as f64 / runs as f64;
        // 540 independent chunks: the simulation's own error is about .01
        assert!((0.92..=0.98).contains(&share), "interval {index}: {share}");
    }
}

#[test]
fn a_shift_out_of_the_support_is_told() {
    let far = Setting::grid()
        .into_iter()
        .find(|setting| setting.shift == 3.0);
    let cells = simulate(far.unwrap(), 5_000, 3, 3);
    for cell in cells.iter().filter(|cell| cell.runs > 0) {
        assert_eq!(
            cell.told_extrapolated, cell.runs,
            "{} rows, {}",
            cell.rows, cell.metric
        );
    }
}
