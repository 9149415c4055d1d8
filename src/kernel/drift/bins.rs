//! The bins behind a distance, to be drawn and explained.
use super::super::values::CategoryGroups;
use super::categories::{Label, by_reference_labelled};
use super::cells::{Cell, Table};
use super::continuous::Numbers;
use super::divergence::Divergence;
use super::metric::DriftMetric;
use super::reference::{DriftProfile, DriftReference, Side, divergence_of_categories};

/// What a bin holds.
#[derive(Debug, Clone, PartialEq)]
pub enum BinLabel {
    /// Numbers from `lower` up to but not including `upper`; an end is `None` where there is none.
    Range {
        /// Smallest number.
        lower: Option<f64>,
        /// First number after the range.
        upper: Option<f64>,
    },
    /// Numbers below or above all of the reference's histogram.
    Outside,
    /// A category.
    Category(String),
    /// Categories whose hashes begin with `prefix`, which the reference's profile does not tell apart.
    Group {
        /// The prefix of their hashes.
        prefix: u64,
        /// Its length in bits.
        bits: u8,
    },
    /// Categories that the reference does not have.
    Unseen,
}

/// A bin of a reference with the rows of a chunk in it.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftBin {
    /// What it holds.
    pub label: BinLabel,
    /// Rows of the reference.
    pub reference_count: u64,
    /// Rows of the chunk; where its profile is coarser than the bins, about so many.
    pub chunk_count: f64,
    /// Share of the reference's rows.
    pub reference_share: f64,
    /// Share of the chunk's rows.
    pub share: f64,
    /// What the bin adds to the square of jensen_shannon or hellinger, to psi or chi2; for
    /// l_infinity the difference of its shares, for kolmogorov_smirnov the difference of the distribution functions at its
    /// end. `None` for distances that do not come from bins.
    pub contribution: Option<f64>,
}

pub(super) fn bins(
    reference: &DriftReference,
    chunk: DriftProfile,
    metric: DriftMetric,
) -> Vec<DriftBin> {
    if !reference.applies(metric) || chunk.used_count() == 0 || reference.rows() == 0 {
        return Vec::new();
    }
    match (&reference.side, chunk) {
        (Side::Numbers(numbers), DriftProfile::Continuous(values)) => {
            let ordered = metric == DriftMetric::KolmogorovSmirnov;
            let table = match ordered {
                true => numbers.ordered_table(values, metric, false),
                false => numbers.table(values, metric, false),
            };
            let labels = range_labels(numbers, metric, ordered);
            rows(
                labels.into_iter(),
                &table,
                metric,
                numbers.divergence(metric),
            )
        }
        (Side::Categories(groups), DriftProfile::Categorical(chunk)) => {
            category_bins(groups, chunk, metric)
        }
        _ => Vec::new(),
    }
}

fn range_labels(numbers: &Numbers, metric: DriftMetric, ordered: bool) -> Vec<BinLabel> {
    let partition = match metric {
        DriftMetric::Psi => &numbers.deciles,
        _ => &numbers.histogram,
    };
    let finite = |x: f64| x.is_finite().then_some(x);
    let ranges = partition.ranges().map(|(lower, upper)| BinLabel::Range {
        lower: finite(lower),
        upper: finite(upper),
    });
    let mut labels: Vec<BinLabel> = ranges.collect();
    if metric != DriftMetric::Psi && !ordered && labels.len() > 1 {
        labels.remove(0);
        if let Some(last) = labels.last_mut() {
            *last = BinLabel::Outside;
        }
    }
    labels
}

fn category_bins(
    groups: &CategoryGroups,
    chunk: &CategoryGroups,
    metric: DriftMetric,
) -> Vec<DriftBin> {
    let (table, labels) = by_reference_labelled(groups, chunk);
    let labels = labels.into_iter().map(|label| match label {
        Label::Group(group) => match &group.category {
            Some(category) => BinLabel::Category(category.clone()),
            None => BinLabel::Group {
                prefix: group.prefix,
                bits: groups.bits,
            },
        },
        Label::Unseen => BinLabel::Unseen,
    });
    rows(
        labels,
        &table,
        metric,
        divergence_of_categories(groups, metric),
    )
}

fn rows(
    labels: impl Iterator<Item = BinLabel>,
    table: &Table,
    metric: DriftMetric,
    divergence: Divergence,
) -> Vec<DriftBin> {
    let sizes = (table.reference as f64, table.chunk as f64);
    let mut below = 0.0;
    let bin = |(label, cell): (BinLabel, &Cell)| {
        let (p, q) = (cell.reference as f64 / sizes.0, cell.chunk.likely / sizes.1);
        below += p - q;
        let counts = (cell.reference as f64, cell.chunk.likely);
        DriftBin {
            label,
            reference_count: cell.reference,
            chunk_count: cell.chunk.likely,
            reference_share: p,
            share: q,
            contribution: match metric {
                DriftMetric::KolmogorovSmirnov => Some(below.abs()),
                DriftMetric::LInfinity => Some((p - q).abs()),
                DriftMetric::Wasserstein | DriftMetric::WassersteinRobust => None,
                _ => Some(divergence.contribution(counts, sizes)),
            },
        }
    };
    labels.zip(&table.cells).map(bin).collect()
}
