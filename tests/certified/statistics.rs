//! The same for summary statistics and for the shares of data quality.
use super::*;
use modelwatch::kernel::column::{
    ColumnReading, QualityMetric, QualitySeries, SummaryMetric, SummarySeries,
};
use modelwatch::kernel::drift::DriftProfile;
use modelwatch::kernel::threshold::{Direction, Threshold};
use std::collections::HashSet;

/// What the statistic is, read off its definition.
fn defined(metric: SummaryMetric, numbers: &[f64]) -> f64 {
    let rows = numbers.len() as f64;
    let sum: f64 = numbers.iter().sum();
    let all = sorted(numbers.to_vec());
    let middle = all.len() / 2;
    match metric {
        SummaryMetric::Count => rows,
        SummaryMetric::Sum => sum,
        SummaryMetric::Mean => sum / rows,
        SummaryMetric::Std => {
            let squares: f64 = numbers.iter().map(|x| (x - sum / rows).powi(2)).sum();
            (squares / (rows - 1.0)).sqrt()
        }
        SummaryMetric::Median if all.len() % 2 == 1 => all[middle],
        SummaryMetric::Median => all[middle - 1] / 2.0 + all[middle] / 2.0,
        SummaryMetric::Min => all[0],
        SummaryMetric::Max => all[all.len() - 1],
        SummaryMetric::Distinct => {
            // adding 0 makes one number of both zeros
            let bits: HashSet<u64> = numbers.iter().map(|x| (x + 0.0).to_bits()).collect();
            bits.len() as f64
        }
    }
}

/// Rounding of sums of `numbers` in any order.
fn rounding(numbers: &[f64]) -> f64 {
    let finite = numbers.iter().filter(|x| x.is_finite());
    finite.map(|x| x.abs()).sum::<f64>().max(1.0) * 1e-13
}

fn assert_inside(what: &str, reading: &ColumnReading, expected: f64, rounding: f64) {
    let (value, error) = (reading.value.unwrap(), reading.approx_error.unwrap());
    assert!(
        (value - expected).abs() <= error + rounding,
        "{what}: {expected} is not in {value} plus or minus {error}"
    );
}

fn summary(metric: SummaryMetric, bins: &ValueBins) -> ColumnReading {
    let series = SummarySeries {
        metric,
        threshold: Threshold::default(),
        direction: Direction::Both,
        confidence_level: 0.95,
        dealt: false,
    };
    let found = series.read(Some(bins.into()), &[], &[Ok(bins.into())]);
    found.unwrap().analysis[0]
}

fn share(metric: QualityMetric, reference: DriftProfile, chunk: DriftProfile) -> ColumnReading {
    let series = QualitySeries {
        metric,
        threshold: Threshold::default(),
        direction: Direction::Both,
        confidence_level: 0.95,
        dealt: false,
    };
    let found = series.read(Some(reference), &[Ok(reference)], &[Ok(chunk)]);
    found.unwrap().analysis[0]
}

#[test]
fn statistics_of_all_rows_lie_inside_the_bound() {
    let metrics = [
        SummaryMetric::Count,
        SummaryMetric::Sum,
        SummaryMetric::Mean,
        SummaryMetric::Std,
        SummaryMetric::Median,
        SummaryMetric::Min,
        SummaryMetric::Max,
        SummaryMetric::Distinct,
    ];
    let mut coarse = 0;
    for seed in 0..cases() {
        let mut random = Random(seed ^ 0x51a7);
        let shape = seed as usize % SHAPES.len();
        let drawn = Numbers::draw(shape, seed, &mut random);
        let reference = &drawn.reference;
        let bins = value_bins(&drawn.chunk, MAX_BINS);
        // NaN is left out of every statistic, and counted by count
        let present = drawn.chunk.iter().copied().filter(|x| !x.is_nan());
        let chunk = &present.collect::<Vec<f64>>();
        coarse += u64::from(bins.level > 0);
        for metric in metrics {
            let reading = summary(metric, &bins);
            if metric == SummaryMetric::Distinct && reading.value.is_none() {
                assert!(bins.level > 0);
                continue;
            }
            let expected = match metric {
                SummaryMetric::Count => drawn.chunk.len() as f64,
                _ => defined(metric, chunk),
            };
            if reading.value.is_none() {
                let infinite = chunk.iter().any(|x| x.is_infinite());
                assert!(infinite, "{metric} of {}, seed {seed}", SHAPES[shape]);
                continue;
            }
            let slack = match metric {
                SummaryMetric::Count | SummaryMetric::Distinct => 0.0,
                _ => rounding(chunk),
            };
            let what = format!("{metric} of {}, seed {seed}", SHAPES[shape]);
            assert_inside(&what, &reading, expected, slack);
        }
        let of_reference = value_bins(reference, MAX_BINS);
        let ends = sorted(reference.clone());
        let outside = chunk
            .iter()
            .filter(|x| **x < ends[0] || **x > ends[ends.len() - 1]);
        let expected = outside.count() as f64 / drawn.chunk.len() as f64;
        let found = share(
            QualityMetric::OutOfRange,
            (&of_reference).into(),
            (&bins).into(),
        );
        let what = format!("out_of_range of {}, seed {seed}", SHAPES[shape]);
        assert_inside(&what, &found, expected, 1e-12);
    }
    assert!(coarse > cases() / 4, "only {coarse} profiles were coarse");
}

#[test]
fn unseen_shares_of_all_rows_lie_inside_the_bound() {
    for seed in 0..cases() {
        let mut random = Random(seed ^ 0xca7e);
        let kinds = 2 + random.below(2_000);
        let mut draw = |kinds: u64| -> Vec<u64> {
            let rows = 5 + random.below(1_500);
            (0..rows).map(|_| random.below(kinds)).collect()
        };
        let (reference, chunk) = (draw(kinds), draw(kinds + kinds / 3));
        let known: HashSet<u64> = reference.iter().copied().collect();
        let unseen = chunk.iter().filter(|kind| !known.contains(kind)).count();
        let groups = |rows: &[u64]| category_groups(rows, MAX_BINS as usize);
        let found = share(
            QualityMetric::Unseen,
            (&groups(&reference)).into(),
            (&groups(&chunk)).into(),
        );
        let expected = unseen as f64 / chunk.len() as f64;
        assert_inside(&format!("unseen, seed {seed}"), &found, expected, 1e-12);
    }
}
