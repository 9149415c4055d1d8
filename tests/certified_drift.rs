//! `approx_error` of a distance is a bound, always: the distance computed from all rows, one by one and with the same
//! edges, lies within it of the one computed from bounded profiles. And one extreme row moves little.
//!
//! `MODELWATCH_CASES` sets the number of random columns.
#[path = "simulated/columns.rs"]
mod columns;
#[path = "simulated/mod.rs"]
mod simulated;
#[path = "certified/statistics.rs"]
mod statistics;

use columns::{SHAPES, category_groups, hash, numbers, value_bins};
use modelwatch::kernel::drift::{BinLabel, DriftMetric, DriftReference, quantile};
use modelwatch::kernel::values::{CategoryGroups, ValueBins};
use simulated::{EXACT, Random};
use std::collections::BTreeMap;

const MAX_BINS: u32 = 256;

fn cases() -> u64 {
    let text = std::env::var("MODELWATCH_CASES").ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

/// A sum over cells of a function of both counts, as its definition reads.
fn divergence(metric: DriftMetric, cells: &[(f64, f64)]) -> f64 {
    let rows = cells
        .iter()
        .fold((0.0, 0.0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
    let log = |x: f64, y: f64| if x == 0.0 { 0.0 } else { x * (x / y).log2() };
    let half = cells.len() as f64 / 2.0;
    let term = |&(r, c): &(f64, f64)| {
        let (p, q) = (r / rows.0, c / rows.1);
        match metric {
            DriftMetric::JensenShannon => (log(p, (p + q) / 2.0) + log(q, (p + q) / 2.0)) / 2.0,
            DriftMetric::Hellinger => (p.sqrt() - q.sqrt()).powi(2) / 2.0,
            _ => {
                let (p, q) = ((r + 0.5) / (rows.0 + half), (c + 0.5) / (rows.1 + half));
                (p - q) * (p / q).ln()
            }
        }
    };
    let sum: f64 = cells.iter().map(term).sum();
    match metric {
        DriftMetric::Psi => sum,
        _ => sum.max(0.0).sqrt(),
    }
}

/// Rows of both sides in the ranges that the reference fixed.
fn ranges(labels: &[BinLabel], reference: &[f64], chunk: &[f64]) -> Vec<(f64, f64)> {
    let inside = |label: &BinLabel, x: f64| match label {
        BinLabel::Range { lower, upper } => {
            lower.is_none_or(|end| x >= end) && upper.is_none_or(|end| x < end)
        }
        _ => false,
    };
    let count =
        |side: &[f64], label: &BinLabel| side.iter().filter(|x| inside(label, **x)).count() as f64;
    let mut cells: Vec<(f64, f64)> = labels
        .iter()
        .filter(|label| **label != BinLabel::Outside)
        .map(|label| (count(reference, label), count(chunk, label)))
        .collect();
    let seen = cells
        .iter()
        .fold((0.0, 0.0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
    if labels.contains(&BinLabel::Outside) {
        let rows = (reference.len() as f64, chunk.len() as f64);
        cells.push((rows.0 - seen.0, rows.1 - seen.1));
    }
    cells
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// Largest difference of, and area between, the distribution functions of two sorted columns.
fn between(reference: &[f64], chunk: &[f64]) -> (f64, f64) {
    let mut all = [reference, chunk].concat();
    all.sort_by(f64::total_cmp);
    all.dedup();
    let below = |side: &[f64], x: f64| side.partition_point(|y| *y <= x) as f64 / side.len() as f64;
    let gaps: Vec<f64> = all
        .iter()
        .map(|&x| (below(reference, x) - below(chunk, x)).abs())
        .collect();
    let widths = all.windows(2).map(|pair| pair[1] - pair[0]);
    let area = gaps.iter().zip(widths).map(|(gap, width)| gap * width);
    (gaps.iter().copied().fold(0.0, f64::max), area.sum())
}

struct Numbers {
    reference: Vec<f64>,
    chunk: Vec<f64>,
}

impl Numbers {
    fn draw(shape: usize, seed: u64, random: &mut Random) -> Self {
        let most = |random: &mut Random| 5 + (random.uniform().powi(2) * 3_000.0) as u64;
        let parameters = random.next();
        let reference = numbers(shape, most(random), parameters, random);
        let elsewhere = if random.chance(0.2) {
            random.below(6) as usize
        } else {
            shape
        };
        let mut chunk = numbers(elsewhere, most(random), parameters, random);
        let moved = random.normal() * reference[0].abs().max(1e-3) * 0.1;
        if seed.is_multiple_of(3) {
            chunk.iter_mut().for_each(|x| *x += moved);
        }
        if seed.is_multiple_of(7) {
            chunk.extend([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
        }
        Self { reference, chunk }
    }

    fn by_row(
        &self,
        metric: DriftMetric,
        reference: &DriftReference,
        profiles: (&ValueBins, &ValueBins),
    ) -> f64 {
        let present: Vec<f64> = self.chunk.iter().copied().filter(|x| !x.is_nan()).collect();
        let labels: Vec<BinLabel> = reference
            .bins(profiles.1, metric)
            .into_iter()
            .map(|bin| bin.label)
            .collect();
        match metric {
            DriftMetric::KolmogorovSmirnov => {
                between(&sorted(self.reference.clone()), &sorted(present)).0
            }
            DriftMetric::Wasserstein => {
                between(&sorted(self.reference.clone()), &sorted(present)).1
            }
            DriftMetric::WassersteinRobust => {
                let quartile = |share| quantile(profiles.0, share).unwrap();
                let unit = quartile(0.75) - quartile(0.25);
                let ends = (
                    profiles.0.bins[0].lower - 3.0 * unit,
                    profiles.0.bins[profiles.0.bins.len() - 1].upper + 3.0 * unit,
                );
                let clip =
                    |side: &[f64]| sorted(side.iter().map(|x| x.clamp(ends.0, ends.1)).collect());
                between(&clip(&self.reference), &clip(&present)).1 / unit
            }
            _ => divergence(metric, &ranges(&labels, &self.reference, &present)),
        }
    }
}

/// Asserts the bound; returns it.
fn check(what: &str, value: f64, bound: f64, truth: f64, rounding: f64) -> f64 {
    assert!(
        (value - truth).abs() <= bound + rounding,
        "{what}: {value} +- {bound:e} but {truth} from all rows, off by {:e}",
        (value - truth).abs()
    );
    bound
}

#[test]
fn the_distance_of_numbers_from_all_rows_is_inside() {
    let mut bounds: BTreeMap<(DriftMetric, &str), Vec<f64>> = BTreeMap::new();
    for case in 0..cases() {
        let mut random = Random(case.wrapping_mul(7919) ^ 0xd1f7);
        let shape = case as usize % SHAPES.len();
        let drawn = Numbers::draw(shape, case, &mut random);
        // now and then one side is exact, or the chunk coarser than the reference
        let limits = [
            (MAX_BINS, MAX_BINS),
            (EXACT, MAX_BINS),
            (MAX_BINS, 32),
            (MAX_BINS, EXACT),
            (EXACT, EXACT),
        ];
        let (of_reference, of_chunk) = limits[random.below(5) as usize];
        let profile = value_bins(&drawn.reference, of_reference);
        let chunk = value_bins(&drawn.chunk, of_chunk);
        let reference = DriftReference::continuous(&profile);
        for metric in DriftMetric::ALL
            .into_iter()
            .filter(|m| m.applies_to_continuous())
        {
            let Ok(distance) = reference.compare(&chunk, metric) else {
                continue;
            };
            let truth = drawn.by_row(metric, &reference, (&profile, &chunk));
            let what = format!("case {case} ({}) {metric}", SHAPES[shape]);
            let largest = drawn
                .reference
                .iter()
                .chain(&drawn.chunk)
                .filter(|x| x.is_finite());
            let largest = largest.fold(0.0_f64, |a, x| a.max(x.abs()));
            let rounding = match metric {
                DriftMetric::Wasserstein => 1e-12 * largest,
                DriftMetric::WassersteinRobust => 1e-9 * (1.0 + truth),
                _ => 1e-12 + 1e-15 / truth.max(1e-8),
            };
            let bound = check(
                &what,
                distance.value,
                distance.approx_error,
                truth,
                rounding,
            );
            if (of_reference, of_chunk) == (EXACT, EXACT) {
                assert_eq!(bound, 0.0, "{what}");
            }
            assert!(
                distance.p_value.is_some_and(|p| (0.0..=1.0).contains(&p)),
                "{what}"
            );
            bounds
                .entry((metric, SHAPES[shape]))
                .or_default()
                .push(bound / distance.value.max(1e-300));
        }
    }
    for ((metric, shape), found) in &mut bounds {
        found.sort_by(f64::total_cmp);
        println!(
            "{metric}\t{shape}\tmedian bound {:.1e} of the value, largest {:.1e}",
            found[found.len() / 2],
            found[found.len() - 1]
        );
    }
}

/// Counts of each category on both sides, by the cells of a metric.
fn cells(
    metric: DriftMetric,
    reference: &[u64],
    chunk: &[u64],
    groups: &CategoryGroups,
) -> Vec<(f64, f64)> {
    let key = |category: u64| match metric {
        DriftMetric::Psi if groups.bits < 64 => hash(category) >> (64 - groups.bits),
        _ => category,
    };
    let mut counts: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    reference
        .iter()
        .for_each(|c| counts.entry(key(*c)).or_default().0 += 1.0);
    chunk
        .iter()
        .for_each(|c| counts.entry(key(*c)).or_default().1 += 1.0);
    if matches!(metric, DriftMetric::LInfinity | DriftMetric::Chi2) {
        return counts.into_values().collect();
    }
    let mut seen: Vec<(f64, f64)> = counts.values().copied().filter(|c| c.0 > 0.0).collect();
    let unseen = counts.values().filter(|c| c.0 == 0.0).map(|c| c.1).sum();
    seen.push((0.0, unseen));
    seen
}

fn from_all_rows(metric: DriftMetric, cells: &[(f64, f64)]) -> f64 {
    let rows = cells
        .iter()
        .fold((0.0, 0.0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
    match metric {
        DriftMetric::LInfinity => {
            let each = cells.iter().map(|c| (c.0 / rows.0 - c.1 / rows.1).abs());
            each.fold(0.0, f64::max)
        }
        DriftMetric::Chi2 => {
            let all = rows.0 + rows.1;
            let yates = cells.len() == 2;
            let term = |observed: f64, expected: f64| {
                let off = (observed - expected).abs();
                let off = if yates { off - off.min(0.5) } else { off };
                off * off / expected
            };
            let both = |c: &(f64, f64)| {
                let total = c.0 + c.1;
                term(c.0, total * rows.0 / all) + term(c.1, total * rows.1 / all)
            };
            cells.iter().map(both).sum()
        }
        _ => divergence(metric, cells),
    }
}

#[test]
fn the_distance_of_categories_from_all_rows_is_inside() {
    for case in 0..cases() {
        let mut random = Random(case.wrapping_mul(104_729) ^ 0xca7e);
        let kinds = 1 + (random.uniform().powi(3) * 1_500.0) as u64;
        let (power, offset) = (0.5 + 3.0 * random.uniform(), random.below(1 + kinds / 4));
        let column = |random: &mut Random, offset: u64| -> Vec<u64> {
            let rows = 3 + (random.uniform().powi(2) * 3_000.0) as u64;
            let draw =
                |random: &mut Random| offset + (random.uniform().powf(power) * kinds as f64) as u64;
            (0..rows).map(|_| draw(random)).collect()
        };
        let (reference, chunk) = (column(&mut random, 0), column(&mut random, offset));
        let limits = [
            (256, 256),
            (2_000, 256),
            (256, 2_000),
            (256, 32),
            (2_000, 2_000),
            (8, 8),
        ];
        let (most, most_chunk) = limits[random.below(6) as usize];
        let (groups, chunk_groups) = (
            category_groups(&reference, most),
            category_groups(&chunk, most_chunk),
        );
        let fitted = DriftReference::categorical(&groups);
        for metric in DriftMetric::ALL
            .into_iter()
            .filter(|m| m.applies_to_categorical())
        {
            let distance = fitted.compare(&chunk_groups, metric).unwrap();
            let truth = from_all_rows(metric, &cells(metric, &reference, &chunk, &groups));
            let what = format!("case {case} ({most}, {most_chunk}, {kinds} kinds) {metric}");
            let rounding = match metric {
                DriftMetric::Chi2 => 1e-12 * (1.0 + truth),
                _ => 1e-12 + 1e-15 / truth.max(1e-8),
            };
            let bound = check(
                &what,
                distance.value,
                distance.approx_error,
                truth,
                rounding,
            );
            if groups.bits == 64 && chunk_groups.bits == 64 {
                assert_eq!(bound, 0.0, "{what}");
            }
        }
    }
}

#[test]
fn one_extreme_row_moves_little_and_no_edge() {
    let rows = 100_000;
    let most = 2.0 / rows as f64;
    for (shape, name) in SHAPES.iter().enumerate() {
        let mut random = Random(shape as u64 + 1);
        let parameters = random.next();
        let reference = value_bins(&numbers(shape, 50_000, parameters, &mut random), 8_192);
        let mut chunk = numbers(shape, rows, parameters, &mut random);
        let fitted = DriftReference::continuous(&reference);
        let before = value_bins(&chunk, 8_192);
        for extreme in [1e9, -1e300, f64::INFINITY] {
            chunk.push(extreme);
            let after = value_bins(&chunk, 8_192);
            chunk.pop();
            for (metric, power) in [
                (DriftMetric::KolmogorovSmirnov, 1),
                (DriftMetric::JensenShannon, 2),
                (DriftMetric::Hellinger, 2),
            ] {
                let of = |profile: &ValueBins| fitted.compare(profile, metric).unwrap();
                let (old, new) = (of(&before), of(&after));
                // a far number coarsens the chunk's digest; what that can do is in the bound
                let slack = old.approx_error + new.approx_error;
                let moved = (new.value.powi(power) - old.value.powi(power)).abs();
                assert!(
                    moved <= most + slack,
                    "{name} {metric} {extreme}: {moved:e} {slack:e}"
                );
                let labels = |profile: &ValueBins| -> Vec<BinLabel> {
                    fitted
                        .bins(profile, metric)
                        .into_iter()
                        .map(|bin| bin.label)
                        .collect()
                };
                assert_eq!(labels(&before), labels(&after));
            }
        }
    }
    let reference: Vec<u64> = (0..50_000).map(|i| i % 7).collect();
    let mut chunk: Vec<u64> = (0..rows).map(|i| i % 6).collect();
    let fitted = DriftReference::categorical(&category_groups(&reference, 256));
    let of = |chunk: &[u64]| {
        let groups = category_groups(chunk, 256);
        fitted
            .compare(&groups, DriftMetric::LInfinity)
            .unwrap()
            .value
    };
    let before = of(&chunk);
    chunk.push(99);
    assert!((of(&chunk) - before).abs() <= most);
}
