//! How often the default thresholds give a false alarm, and how often they find a real shift.
//!
//! `cargo bench --bench false_alarms` simulates 20,000 healthy monitors for each row of the
//! table, `-- --quick` 1,000; `-- --rows 2000` sets the rows of a reference chunk.
#![allow(clippy::print_stdout)]

mod monitor;
mod population;
mod random;

use modelwatch::kernel::KernelError;
use modelwatch::kernel::metric::Metric;
use monitor::{RATIOS, REFERENCE_CHUNKS, Scenario, rate, simulate};
use population::Kind;

fn main() -> Result<(), KernelError> {
    let arguments: Vec<String> = std::env::args().collect();
    let quick = arguments.iter().any(|x| x == "--quick");
    let after = |name: &str| {
        let place = arguments.iter().position(|x| x == name)?;
        arguments.get(place + 1)?.parse().ok()
    };
    let monitors = after("--monitors").unwrap_or(if quick { 1_000 } else { 20_000 });
    let rows = after("--rows").unwrap_or(20_000);
    let started = std::time::Instant::now();
    let mut seed = 1;
    for between in [0.0, 1.0] {
        for kind in [Kind::Realized, Kind::Estimated] {
            for (metric, roc_auc) in [
                (Metric::Accuracy, 0.85),
                (Metric::F1, 0.85),
                (Metric::RocAuc, 0.7),
                (Metric::RocAuc, 0.99),
            ] {
                let scenario = Scenario {
                    kind,
                    metric,
                    roc_auc,
                    between,
                    rows: rows as u64,
                };
                let tallies = simulate(scenario, monitors as usize, seed)?;
                seed += 1;
                println!(
                    "{kind:?} {metric} auc {roc_auc} between {between}  {:.0?}",
                    started.elapsed()
                );
                for (k, row) in REFERENCE_CHUNKS.iter().zip(&tallies) {
                    print!("  {k:>2}");
                    for t in row {
                        print!(
                            "   {:.2}±{:.2} {:.2}",
                            t.false_alarms(),
                            t.error(),
                            t.power()
                        );
                    }
                    println!();
                }
            }
        }
    }
    let _ = (rate(), RATIOS);
    Ok(())
}
