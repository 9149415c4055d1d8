//! CPU and memory of gradient boosting: `cargo bench --bench gbdt -- [ROWS] [COLUMNS] [RUNS]`.
//!
//! Fits a million rows of ten numbers unless told, each fit in a process of its own, and predicts ten times as many in batches of
//! 8,192, as SQL does. Prints user + system seconds of each part, on one thread, the median of RUNS (3), and the peak of memory.
//! Status 1 when a fit takes more than 60 s or the process more than 1 GB, or predictions more than 60 s. Linux only: figures
//! are those of `/proc/self`.
#[path = "../tests/simulated/mod.rs"]
mod simulated;

use modelwatch::kernel::gbdt::options::{Objective, Options};
use modelwatch::kernel::gbdt::predict::Predictor;
use modelwatch::kernel::gbdt::rows::Rows;
use modelwatch::kernel::pca::Cell;
use modelwatch::kernel::pca::columns::Kind;
use simulated::Random;
use std::error::Error;
use std::process::{Command, ExitCode, Stdio};

const BATCH: usize = 8192;
const MOST_SECONDS: f64 = 60.0;
const MOST_MEGABYTES: f64 = 1024.0;
/// Marks the process that measures one run.
const ONE_RUN: &str = "one-run";

/// Seconds to collect and fit, seconds to predict ten times as many rows, peak megabytes.
type Figures = [f64; 3];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut numbers = words.iter().filter_map(|word| word.parse().ok());
    let (rows, columns) = (
        numbers.next().unwrap_or(1_000_000),
        numbers.next().unwrap_or(10),
    );
    if words.iter().any(|word| word == ONE_RUN) {
        let [fit, predict, peak] = measure(rows, columns)?;
        println!("{fit} {predict} {peak}");
        return Ok(ExitCode::SUCCESS);
    }
    let runs = numbers.next().unwrap_or(3);
    let mut found: Vec<Figures> = (0..runs)
        .map(|_| in_its_own_process(rows, columns))
        .collect::<Result<_, _>>()?;
    let mut median = |of: usize| {
        found.sort_by(|a, b| a[of].total_cmp(&b[of]));
        found[found.len() / 2][of]
    };
    let [fit, predict, peak] = [0, 1, 2].map(&mut median);
    println!("{rows} rows of {columns} numbers, medians of {runs} runs, one thread");
    println!(
        "fit {fit:.1} CPU s, {} predictions {predict:.1} CPU s, peak {peak:.0} MB",
        10 * rows
    );
    println!("bars: {MOST_SECONDS} s, {MOST_SECONDS} s, {MOST_MEGABYTES} MB");
    let missed = fit > MOST_SECONDS || predict > MOST_SECONDS || peak > MOST_MEGABYTES;
    Ok(ExitCode::from(u8::from(missed)))
}

/// A peak is one of the whole process, so each run has its own.
fn in_its_own_process(rows: usize, columns: usize) -> Result<Figures, Box<dyn Error>> {
    let arguments = [rows.to_string(), columns.to_string(), ONE_RUN.into()];
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = || Ok::<f64, Box<dyn Error>>(numbers.next().ok_or("no figures")??);
    Ok([next()?, next()?, next()?])
}

fn measure(rows: usize, columns: usize) -> Result<Figures, Box<dyn Error>> {
    let mut random = Random(1);
    let mut collected = Rows::new(Objective::Squared, rows.max(1));
    let names: Vec<(String, Kind)> = (0..columns)
        .map(|i| (format!("x{i}"), Kind::Number))
        .collect();
    collected.require(&names)?;
    let start = seconds()?;
    let mut row = vec![0.0; columns];
    for _ in 0..rows {
        let target = draw(&mut random, &mut row);
        collected.observe(target, 1.0, row.iter().map(|x| Cell::number(*x)))?;
    }
    let model = collected.fit(&Options::default()).ok_or("no rows")?;
    let fitted = seconds()?;
    drop(collected);
    let mut batch = vec![vec![0.0; columns]; BATCH];
    for row in &mut batch {
        draw(&mut random, row);
    }
    let predictor = Predictor::new(&model);
    let mut total = 0.0;
    let before = seconds()?;
    for _ in 0..(10 * rows).div_ceil(BATCH) {
        let cell = |column: usize, row: usize| Cell::number(batch[row][column]);
        total += predictor.all(BATCH, cell).iter().sum::<f64>();
    }
    std::hint::black_box(total);
    Ok([fitted - start, seconds()? - before, peak()?])
}

/// Fills a row and gives its target: a loss that a few columns tell, with noise in proportion.
fn draw(random: &mut Random, row: &mut [f64]) -> f64 {
    row.iter_mut().for_each(|x| *x = random.normal());
    let told: f64 = row
        .iter()
        .zip(1..)
        .map(|(x, i)| (x * f64::from(i)).sin() / f64::from(i))
        .sum();
    told.exp() * random.normal().abs()
}

/// User and system seconds of this process; the kernel counts hundredths.
fn seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // the name of the program, which may hold spaces, ends with the last parenthesis
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn peak() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kilobytes = line
        .and_then(|line| line.split_whitespace().nth(1))
        .ok_or("no peak")?;
    Ok(kilobytes.parse::<f64>()? / 1024.0)
}
