//! Parity with NannyML 0.13.1, figure by figure: over the fixtures of this repository, and over the folder that
//! `NANNYML_GOLDEN` names (same layout, see `generate.py`).
//!
//! Realized values, thresholds, estimates of the confusion metrics and of the business value agree to 1e-9
//! relative, and so do reconstruction errors (`pca.rs`); estimates of ROC AUC and average precision, with this crate's
//! corrections undone, to 1e-6. Rankings of columns, from NannyML's own figures, agree to 1e-9 (`ranking.rs`).
//! Each deviation is an entry of `deviations.rs`. The worst errors are printed file by file.
mod compare;
mod deviations;
mod fixture;
mod ours;
mod pca;
mod ranking;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};

use deviations::{DEVIATIONS, SKIPPED};
use fixture::{Failure, Golden};
use ranking::Ranking;

#[derive(Debug, Default)]
struct Total {
    files: usize,
    figures: usize,
    /// Worst relative error against either bar.
    worst: BTreeMap<&'static str, f64>,
    explained: BTreeMap<&'static str, usize>,
}

fn main() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fixtures");
    let mut folders = vec![own];
    match std::env::var_os("NANNYML_GOLDEN") {
        Some(folder) => folders.push(folder.into()),
        None => {
            println!("NANNYML_GOLDEN is not set: only the fixtures of this repository are compared")
        }
    }
    let total = Arc::new(Mutex::new(Total::default()));
    let mut trials = vec![];
    for folder in folders {
        let rankings =
            ranking::find(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for ranking in rankings {
            let total = Arc::clone(&total);
            trials.push(Trial::test(ranking.name(), move || {
                rank(&ranking, &total).map_err(|e| Failed::from(e.to_string()))
            }));
        }
        let golden = fixture::find(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        assert!(
            !golden.is_empty(),
            "{}: no golden file of a binary classifier",
            folder.display()
        );
        for golden in golden {
            let total = Arc::clone(&total);
            trials.push(Trial::test(golden.name(), move || {
                run(&golden, &total).map_err(|e| Failed::from(e.to_string()))
            }));
        }
        for golden in pca::find(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let total = Arc::clone(&total);
            trials.push(Trial::test(golden.name(), move || {
                run_pca(&golden, &total).map_err(|e| Failed::from(e.to_string()))
            }));
        }
    }
    let arguments = Arguments::from_args();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if arguments.list {
        return;
    }
    let total = total.lock().expect("no trial panicked");
    println!(
        "{} golden files, {} figures compared",
        total.files, total.figures
    );
    for (field, error) in &total.worst {
        println!("  worst relative error of {field}: {error:.1e}");
    }
    let mut stale = vec![];
    for deviation in &DEVIATIONS {
        let count = total.explained.get(deviation.item).unwrap_or(&0);
        println!(
            "  {count} figures differ, {}: {}",
            deviation.item, deviation.what
        );
        stale.extend((*count == 0).then_some(deviation.item));
    }
    for (column, reason) in SKIPPED {
        println!("  not compared: {column} ({reason})");
    }
    // only when every file of this repository was read
    let all = arguments.filter.is_none() && arguments.skip.is_empty() && !conclusion.has_failed();
    assert!(
        !all || stale.is_empty(),
        "deviations that no longer occur: {stale:?}"
    );
    conclusion.exit();
}

/// Reconstruction errors have no deviations but that left-over chunks are not judged.
fn run_pca(golden: &pca::Golden, total: &Mutex<Total>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(golden.compare())?;
    let [value, error, threshold] = outcome.worst;
    println!(
        "{}: {} figures, worst relative error of value {value:.1e}, sampling_error {error:.1e}, thresholds {threshold:.1e}; \
         {} alerts on left-over chunks not compared, {} values are rounding errors of all components",
        golden.name(),
        outcome.figures,
        outcome.incomplete,
        outcome.all_components
    );
    let mut total = total.lock().map_err(|e| e.to_string())?;
    total.files += 1;
    total.figures += outcome.figures;
    for (kind, error) in [
        ("reconstruction errors", value),
        ("their sampling errors", error),
        ("thresholds", threshold),
    ] {
        let worst = total.worst.entry(kind).or_default();
        *worst = worst.max(error);
    }
    Ok(())
}

fn rank(ranking: &Ranking, total: &Mutex<Total>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (figures, error) = runtime.block_on(ranking.compare())?;
    println!(
        "{}: {figures} figures, worst error {error:.1e}",
        ranking.name()
    );
    let mut total = total.lock().map_err(|e| e.to_string())?;
    total.files += 1;
    total.figures += figures;
    let worst = total.worst.entry("rankings").or_default();
    *worst = worst.max(error);
    Ok(())
}

fn run(golden: &Golden, total: &Mutex<Total>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(compare::compare(golden))?;
    print!("{}", outcome.report(&golden.name()));
    let mut total = total.lock().map_err(|e| e.to_string())?;
    total.files += 1;
    total.figures += outcome.compared;
    for (field, metrics) in &outcome.worst {
        for (metric, error) in metrics {
            let kind = match (*field, compare::RANKING.contains(&metric.as_str())) {
                ("value", true) if golden.calculator == "cbpe" => {
                    "estimates of the ranking metrics"
                }
                ("value", false) if golden.calculator == "cbpe" => "estimates of the other metrics",
                ("lower_threshold" | "upper_threshold", _) => "thresholds",
                ("alert", _) => "alerts",
                ("calibrator", _) => "calibrated probabilities",
                _ => "realized values",
            };
            let worst = total.worst.entry(kind).or_default();
            *worst = worst.max(*error);
        }
    }
    for (item, count) in &outcome.explained {
        *total.explained.entry(item).or_default() += count;
    }
    match outcome.failures.len() {
        0 if outcome.compared == 0 => Err("nothing was compared".into()),
        0 => Ok(()),
        n => {
            let shown = outcome
                .failures
                .iter()
                .take(20)
                .map(String::as_str)
                .collect::<Vec<_>>();
            Err(format!("{n} figures differ:\n{}", shown.join("\n")).into())
        }
    }
}
