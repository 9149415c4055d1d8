//! A memory limit is worth what `size()` is worth: what accumulators say that they hold must not be less than
//! what the process grew by. Measured from the outside, each aggregate in a process of its own; Linux only,
//! where the kernel tells.
#![cfg(target_os = "linux")]
use std::process::Command;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryViewArray, BooleanArray, Float64Array, Int64Array};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::logical_expr::GroupsAccumulator;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::col;
use modelwatch::functions::all_aggregates;
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::score_profile::{ScoreProfile, class_of};

/// Aggregates whose state grows with the rows: two ways to fill a profile, and the keepers of profiles.
const SUBJECTS: [(&str, &[&str]); 4] = [
    ("roc_auc", &["label", "score"]),
    ("score_profile", &["label", "prediction", "score"]),
    ("merge_profiles", &["profile"]),
    ("fit_reference", &["profile", "chunk_index", "is_reference"]),
];

const BATCH: usize = 8_192;

const GROUPS: usize = 400;

/// Share of the growth that must be accounted for; the batches of rows are the test's own.
const LEAST: f64 = 0.9;

const VARIABLE: &str = "ACCOUNTED_MEMORY_OF";

fn scores(first: usize, rows: usize) -> impl Iterator<Item = (bool, f64)> {
    // the golden ratio leaves no two scores alike
    (first..first + rows).map(|i| (i * 7 % 11 < 4, i as f64 * 0.618_033_988_749 % 1.0))
}

/// One argument of a batch of rows; a profile row is the profile of fifty rows.
fn column(argument: &str, first: usize, rows: usize) -> ArrayRef {
    match argument {
        "score" => Arc::new(
            scores(first, rows)
                .map(|(_, s)| Some(s))
                .collect::<Float64Array>(),
        ),
        "chunk_index" => Arc::new((0..rows as i64).map(Some).collect::<Int64Array>()),
        "is_reference" => Arc::new(BooleanArray::from(vec![true; rows])),
        "profile" => {
            let profile = |row: usize| {
                let mut profile = ScoreProfile::new(DigestLimits {
                    max_bins: 1 << 17,
                    min_level: 0,
                });
                for (label, score) in scores(row * 50, 50) {
                    profile.observe(class_of(Some(label), Some(label)), Some(score));
                }
                Some(profile.to_bytes())
            };
            Arc::new(
                (first..first + rows)
                    .map(profile)
                    .collect::<BinaryViewArray>(),
            )
        }
        _ => Arc::new(
            scores(first, rows)
                .map(|(label, _)| Some(label))
                .collect::<BooleanArray>(),
        ),
    }
}

fn accumulator(name: &str, columns: &[ArrayRef]) -> Box<dyn GroupsAccumulator> {
    let functions = all_aggregates().expect("the registry");
    let function = functions
        .iter()
        .find(|f| f.name() == name)
        .expect("registered");
    let fields = columns.iter().enumerate();
    let fields = fields.map(|(i, c)| Field::new(format!("c{i}"), c.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arguments = (0..columns.len()).map(|i| col(&format!("c{i}"), &schema).expect("a column"));
    AggregateExprBuilder::new(Arc::clone(function), arguments.collect())
        .schema(Arc::clone(&schema))
        .alias("result")
        .build()
        .and_then(|call| call.create_groups_accumulator())
        .expect("a grouped accumulator")
}

/// Bytes of the process that are in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    1024 * kilobytes
        .and_then(|n| n.trim().parse::<usize>().ok())
        .expect("a number of kB")
}

/// The least share of the growth that `size` accounts for, over the life of the accumulator.
fn measure(name: &str, arguments: &[&str]) -> (f64, usize) {
    let of_profiles = arguments.contains(&"profile");
    let (rows, batches) = if of_profiles { (500, 80) } else { (BATCH, 240) };
    let batch = |first: usize| {
        arguments
            .iter()
            .map(|a| column(a, first, rows))
            .collect::<Vec<_>>()
    };
    let mut accumulator = accumulator(name, &batch(0));
    let (before, mut worst, mut grown) = (resident(), f64::INFINITY, 0);
    for number in 0..batches {
        let indices: Vec<usize> = (0..rows).map(|i| (number * rows + i) % GROUPS).collect();
        let columns = batch(number * rows);
        accumulator
            .update_batch(&columns, &indices, None, GROUPS)
            .expect("an update");
        drop(columns);
        grown = resident().saturating_sub(before);
        // below that, the batches themselves and the allocator's rounding are what is seen
        if grown > 16 << 20 {
            worst = worst.min(accumulator.size() as f64 / grown as f64);
        }
    }
    (worst, grown)
}

#[test]
fn size_covers_what_the_process_grew_by() {
    if let Ok(chosen) = std::env::var(VARIABLE) {
        let (name, arguments) = SUBJECTS
            .iter()
            .find(|(name, _)| *name == chosen)
            .expect("a subject");
        let (worst, grown) = measure(name, arguments);
        println!("\nmeasured {worst} {grown}");
        return;
    }
    for (name, _) in SUBJECTS {
        let own = std::env::current_exe().expect("this program");
        let child = Command::new(own)
            .args(["--nocapture", "--test-threads=1"])
            .env(VARIABLE, name)
            // glibc: what is freed goes back to the system, so that the growth is what is held
            .env("MALLOC_MMAP_THRESHOLD_", "16384")
            .output();
        let output = String::from_utf8_lossy(&child.expect("a child process").stdout).into_owned();
        let line = output
            .lines()
            .find_map(|line| line.strip_prefix("measured "));
        let (worst, grown) = line
            .and_then(|line| line.split_once(' '))
            .unwrap_or_else(|| panic!("{name}: {output}"));
        println!("{name}: size() is at least {worst} of the growth, which ends at {grown} bytes");
        let worst: f64 = worst.parse().expect("a number");
        assert!(worst.is_finite(), "{name}: too little was held to measure");
        assert!(
            worst >= LEAST,
            "{name}: size() accounts for {worst} of the growth"
        );
    }
}
