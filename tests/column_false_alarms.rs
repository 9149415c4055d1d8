//! The default thresholds of data quality and summary statistics keep their rate, whatever the column: shares that are
//! rare or common, categories with a long tail, numbers with one, and few distinct numbers.
//!
//! Healthy chunks do not differ but for the sampling of their rows, so the bar is 1.25 times the rate, with three
//! standard deviations of the simulation.
#[path = "simulated/mod.rs"]
mod simulated;

use std::collections::BTreeMap;

use modelwatch::kernel::column::{
    ColumnChunk, QualityMetric, QualitySeries, SummaryMetric, SummarySeries,
};
use modelwatch::kernel::drift::DriftProfile;
use modelwatch::kernel::threshold::{Direction, Threshold};
use modelwatch::kernel::values::{CategoryGroup, CategoryGroups, ValueBin, ValueBins};
use simulated::Random;

const RATE: f64 = 0.0027;
const REFERENCE_CHUNKS: usize = 6;
const ANALYSIS_CHUNKS: usize = 25;
/// Rows of a reference chunk, and of an analysis chunk.
const ROWS: [(usize, usize); 2] = [(1_000, 1_000), (2_000, 300)];

fn numbers(values: &[Option<f64>]) -> ValueBins {
    let mut counts: BTreeMap<u64, (f64, u64)> = BTreeMap::new();
    for x in values.iter().flatten() {
        // columns here have no negative number, so that bits are in order
        counts.entry(x.to_bits()).or_insert((*x, 0)).1 += 1;
    }
    let bin = |&(x, count): &(f64, u64)| ValueBin {
        lower: x,
        upper: x,
        count,
        sum: x * count as f64,
    };
    ValueBins {
        bins: counts.values().map(bin).collect(),
        sums_exact: true,
        nulls: values.iter().filter(|x| x.is_none()).count() as u64,
        ..ValueBins::default()
    }
}

fn categories(values: &[Option<f64>]) -> CategoryGroups {
    let values = numbers(values);
    let group = |bin: &ValueBin| CategoryGroup {
        prefix: bin.lower as u64,
        count: bin.count,
        category: None,
    };
    CategoryGroups {
        groups: values.bins.iter().map(group).collect(),
        bits: 64,
        nulls: values.nulls,
        empty_texts: 0,
    }
}

/// A column: the law of one value.
type Column = fn(&mut Random) -> Option<f64>;

/// Categories 1, 2, ... with probability proportional to 1 / k^2: there is always another.
fn long_tailed(random: &mut Random) -> Option<f64> {
    Some((1.0 / random.uniform()).floor().min(1e9))
}

/// False alarms of analysis chunks, and how many were judged.
fn alarms(
    column: Column,
    rows: (usize, usize),
    monitors: u64,
    judge: impl Fn(&[Vec<Option<f64>>], &[Vec<Option<f64>>]) -> Vec<bool>,
) -> (u64, u64) {
    let (mut alarms, mut judged) = (0, 0);
    for monitor in 0..monitors {
        let mut random = Random(monitor * 7_919 + rows.1 as u64);
        let mut draw = |rows: usize| (0..rows).map(|_| column(&mut random)).collect::<Vec<_>>();
        let reference: Vec<_> = (0..REFERENCE_CHUNKS).map(|_| draw(rows.0)).collect();
        let analysis: Vec<_> = (0..ANALYSIS_CHUNKS).map(|_| draw(rows.1)).collect();
        let found = judge(&reference, &analysis);
        judged += found.len() as u64;
        alarms += found.iter().filter(|alarm| **alarm).count() as u64;
    }
    (alarms, judged)
}

fn assert_rate(what: &str, (alarms, judged): (u64, u64)) {
    let expected = RATE * judged as f64;
    let most = 1.25 * expected + 3.0 * (1.25 * expected).sqrt();
    println!("{what}: {:.2} times the rate", alarms as f64 / expected);
    assert!(
        judged > 0 && alarms as f64 <= most,
        "{what}: {alarms} alarms, expected {expected}"
    );
}

fn quality(metric: QualityMetric) -> QualitySeries {
    QualitySeries {
        metric,
        threshold: Threshold::FalseAlarmRate { rate: RATE },
        direction: Direction::Both,
        confidence_level: 0.95,
        dealt: false,
    }
}

fn read<P>(chunks: &[P]) -> Vec<ColumnChunk<'_>>
where
    for<'a> DriftProfile<'a>: From<&'a P>,
{
    chunks.iter().map(|chunk| Ok(chunk.into())).collect()
}

fn judge_quality<P>(
    metric: QualityMetric,
    profile: impl Fn(&[Option<f64>]) -> P,
    reference: &[Vec<Option<f64>>],
    analysis: &[Vec<Option<f64>>],
) -> Vec<bool>
where
    for<'a> DriftProfile<'a>: From<&'a P>,
{
    let whole = profile(&reference.concat());
    let parts = |chunks: &[Vec<Option<f64>>]| chunks.iter().map(|c| profile(c)).collect::<Vec<P>>();
    let (reference, analysis) = (parts(reference), parts(analysis));
    let found = quality(metric)
        .read(Some((&whole).into()), &read(&reference), &read(&analysis))
        .unwrap();
    let alerts = found.analysis.iter();
    alerts
        .map(|reading| reading.limits.alert(reading.value, true) == Some(true))
        .collect()
}

#[test]
fn shares_of_missing_values_keep_the_rate() {
    let columns: [(&str, Column); 4] = [
        ("never", |_| Some(1.0)),
        ("rarely", |random| (!random.chance(0.001)).then_some(1.0)),
        ("sometimes", |random| (!random.chance(0.03)).then_some(1.0)),
        ("often", |random| (!random.chance(0.6)).then_some(1.0)),
    ];
    for (name, column) in columns {
        for rows in ROWS {
            let found = alarms(column, rows, 60, |reference, analysis| {
                judge_quality(QualityMetric::Missing, numbers, reference, analysis)
            });
            assert_rate(&format!("missing {name}, {rows:?}"), found);
        }
    }
}

#[test]
fn new_categories_and_extremes_keep_the_rate() {
    for rows in ROWS {
        let found = alarms(long_tailed, rows, 60, |reference, analysis| {
            judge_quality(QualityMetric::Unseen, categories, reference, analysis)
        });
        assert_rate(&format!("unseen, {rows:?}"), found);
        let exponential: Column = |random| Some(-random.uniform().ln());
        for (name, column) in [
            ("long tail", long_tailed as Column),
            ("exponential", exponential),
        ] {
            let found = alarms(column, rows, 60, |reference, analysis| {
                judge_quality(QualityMetric::OutOfRange, numbers, reference, analysis)
            });
            assert_rate(&format!("out_of_range, {name}, {rows:?}"), found);
        }
        let rare: Column = |random| Some(f64::from(u8::from(random.chance(0.02))));
        let found = alarms(rare, rows, 60, |reference, analysis| {
            judge_quality(QualityMetric::Constant, categories, reference, analysis)
        });
        assert_rate(&format!("constant, {rows:?}"), found);
    }
}

#[test]
fn summary_statistics_keep_the_rate() {
    let columns: [(&str, Column); 3] = [
        ("exponential", |random| Some(-random.uniform().ln())),
        // the median changes between 2 and 3 by chance
        ("few numbers", |random| {
            Some((random.uniform() * 4.9).floor())
        }),
        ("on the edge", |random| {
            Some(if random.chance(0.51) { 1.0 } else { 2.0 })
        }),
    ];
    let metrics = [
        SummaryMetric::Mean,
        SummaryMetric::Sum,
        SummaryMetric::Std,
        SummaryMetric::Median,
    ];
    for (name, column) in columns {
        for metric in metrics {
            for rows in ROWS {
                let series = SummarySeries {
                    metric,
                    threshold: Threshold::FalseAlarmRate { rate: RATE },
                    direction: Direction::Both,
                    confidence_level: 0.95,
                    dealt: false,
                };
                let found = alarms(column, rows, 40, |reference, analysis| {
                    let whole = numbers(&reference.concat());
                    let parts: Vec<ValueBins> = reference.iter().map(|c| numbers(c)).collect();
                    let chunks: Vec<ValueBins> = analysis.iter().map(|c| numbers(c)).collect();
                    let found = series.read(Some((&whole).into()), &read(&parts), &read(&chunks));
                    let alerts = found.unwrap().analysis;
                    let alert = |r: &modelwatch::kernel::column::ColumnReading| {
                        r.limits.alert(r.value, true) == Some(true)
                    };
                    alerts.iter().map(alert).collect()
                });
                assert_rate(&format!("{metric}, {name}, {rows:?}"), found);
            }
        }
    }
}
