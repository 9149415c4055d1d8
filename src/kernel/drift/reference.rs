//! A reference, and the distance of a chunk from it.
use super::super::reading::Status;
use super::super::values::{CategoryGroups, ValueBins};
use super::bins::DriftBin;
use super::categories::{by_reference, l_infinity, union};
use super::cells::Table;
use super::continuous::{self, Numbers};
use super::divergence::{Bounded, Divergence};
use super::homogeneity::p_value_of_categories;
use super::largest::{self, Largest};
use super::law::Law;
use super::metric::DriftMetric;
use super::sampling::{Known, cumulants};

/// The profile of a chunk, as it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DriftProfile<'a> {
    /// Of numbers.
    Continuous(&'a ValueBins),
    /// Of categories.
    Categorical(&'a CategoryGroups),
}

impl DriftProfile<'_> {
    /// Rows that are compared: all but NULL and NaN.
    pub fn used_count(&self) -> u64 {
        match self {
            Self::Continuous(values) => continuous::rows(values),
            Self::Categorical(groups) => groups.rows(),
        }
    }
}

impl<'a> From<&'a ValueBins> for DriftProfile<'a> {
    fn from(values: &'a ValueBins) -> Self {
        Self::Continuous(values)
    }
}

impl<'a> From<&'a CategoryGroups> for DriftProfile<'a> {
    fn from(groups: &'a CategoryGroups) -> Self {
        Self::Categorical(groups)
    }
}

/// How far a chunk lies from the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// The distance, in the unit of its metric.
    pub value: f64,
    /// Certified: the value computed from all rows with the edges, categories and quartiles of this reference lies in
    /// `value` plus or minus this. 0 where the profiles are exact, and for ranges and groups also where the
    /// chunk's profile is as fine as the reference's.
    pub approx_error: f64,
    /// Probability of such a distance or a larger one if chunk and reference come from one distribution:
    ///
    /// * over ranges and categories, Pearson's test with neighbouring (the rarest) cells pooled to five expected
    ///   rows in both samples, without Yates' correction, by a gamma law with the statistic's moments;
    /// * kolmogorov_smirnov, Kolmogorov's law with Stephens' correction; a number that holds a hundredth of the rows of
    ///   exact profiles is a step at whose end alone the distribution functions are compared;
    /// * wasserstein, a gamma law with the moments of the area of a Brownian bridge over both samples;
    /// * l_infinity, Sidak's bound over the categories.
    pub p_value: Option<f64>,
    /// Rows of the chunk that are neither NULL nor NaN.
    pub used_count: u64,
}

/// A distance before its bounds are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    pub distance: Bounded,
    pub p_value: Option<f64>,
    pub used_count: u64,
}

/// What a reference fixes for the comparison with any chunk.
///
/// * Jensen-Shannon, Hellinger, continuous: equal-width bins by Doane's rule on the range of the reference, and one
///   of all numbers outside, below or above. Categorical: the categories of the reference and one of all others.
/// * Population stability index: shares smoothed by half a row, over the deciles of the reference, open at both ends
///   (a number that holds a tenth of the rows is a bin of its own), or its categories and one of all others.
/// * Kolmogorov-Smirnov and Wasserstein: every number by itself.
/// * NULL and NaN are left out. An infinite number counts as a row beyond every finite one; Wasserstein has then no
///   value, and its robust form clips it.
/// * A reference whose digest is not exact: edges lie where its bins end. Categories that an overflowed profile does
///   not tell apart are compared by group, `approx_error` covers what the group may hide; the population
///   stability index is *defined* on the groups of the reference.
///
/// ```
/// use modelwatch::kernel::drift::{DriftMetric, DriftReference};
/// use modelwatch::kernel::values::{ValueBin, ValueBins};
/// let column = |numbers: &[f64]| ValueBins {
///     bins: numbers.iter().map(|&x| ValueBin { lower: x, upper: x, count: 1, sum: x }).collect(),
///     sums_exact: true,
///     ..ValueBins::default()
/// };
/// let reference = DriftReference::continuous(&column(&[1.0, 2.0, 3.0, 4.0]));
/// let distance = reference.compare(&column(&[2.0, 2.5]), DriftMetric::Wasserstein);
/// // 1..2: 1/4; 2.5..3: 1/2 * 1/2; 3..4: 1/4
/// assert_eq!(distance.map(|d| (d.value, d.approx_error)), Ok((0.75, 0.0)));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DriftReference {
    pub(super) side: Side,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Side {
    Numbers(Box<Numbers>),
    Categories(CategoryGroups),
}

impl DriftReference {
    /// A reference of numbers.
    pub fn continuous(values: &ValueBins) -> Self {
        Self {
            side: Side::Numbers(Box::new(Numbers::new(values))),
        }
    }

    /// A reference of categories.
    pub fn categorical(groups: &CategoryGroups) -> Self {
        Self {
            side: Side::Categories(groups.clone()),
        }
    }

    /// A reference of either.
    pub fn of(profile: DriftProfile) -> Self {
        match profile {
            DriftProfile::Continuous(values) => Self::continuous(values),
            DriftProfile::Categorical(groups) => Self::categorical(groups),
        }
    }

    /// Rows of the reference that are neither NULL nor NaN.
    pub fn rows(&self) -> u64 {
        match &self.side {
            Side::Numbers(numbers) => numbers.rows,
            Side::Categories(groups) => groups.rows(),
        }
    }

    /// Whether the metric compares columns of this kind.
    pub fn applies(&self, metric: DriftMetric) -> bool {
        match self.side {
            Side::Numbers(_) => metric.applies_to_continuous(),
            Side::Categories(_) => metric.applies_to_categorical(),
        }
    }

    /// Distance of a chunk from the reference.
    ///
    /// Errors, as the status that the row shows: [`Status::NoReference`] and [`Status::InsufficientData`] without rows
    /// in the reference or the chunk, or where the metric or the chunk is of the other kind;
    /// [`Status::InfiniteValue`] where an infinite number makes the distance infinite, or it is beyond
    /// all numbers; [`Status::ReferenceUndefined`] for `wasserstein_robust` where the reference's quartiles agree.
    pub fn compare<'a>(
        &self,
        chunk: impl Into<DriftProfile<'a>>,
        metric: DriftMetric,
    ) -> Result<Distance, Status> {
        self.measure(chunk.into(), metric, false)
    }

    /// Distance of a chunk of the reference from the rest of the reference, with the edges of all of it.
    ///
    /// The chunk's rows must be in the reference, and its profile as fine, which that of a part is. The distribution
    /// functions of the rest and the chunk differ by `N / (N - n)` times those of the whole and the chunk.
    ///
    /// Errors: as [`Self::compare`]; [`Status::ReferenceUndefined`] where there is no rest.
    pub fn compare_part<'a>(
        &self,
        chunk: impl Into<DriftProfile<'a>>,
        metric: DriftMetric,
    ) -> Result<Distance, Status> {
        self.measure(chunk.into(), metric, true)
    }

    /// The bins behind a distance, in order, with what each adds to it. Empty where metric or chunk do not apply.
    pub fn bins<'a>(
        &self,
        chunk: impl Into<DriftProfile<'a>>,
        metric: DriftMetric,
    ) -> Vec<DriftBin> {
        super::bins::bins(self, chunk.into(), metric)
    }

    fn measure(
        &self,
        chunk: DriftProfile,
        metric: DriftMetric,
        part: bool,
    ) -> Result<Distance, Status> {
        let measured = match (&self.side, chunk) {
            (Side::Numbers(numbers), DriftProfile::Continuous(chunk)) => {
                numbers.measure(chunk, metric, part)?
            }
            (Side::Categories(groups), DriftProfile::Categorical(chunk)) => {
                measure_categories(groups, chunk, metric, part)?
            }
            _ => return Err(Status::InsufficientData),
        };
        Ok(Distance {
            value: measured.distance.value,
            approx_error: measured.distance.error(),
            p_value: measured.p_value,
            used_count: measured.used_count,
        })
    }

    /// The law of the distance of `chunk` rows from `against` rows of a reference like this one.
    pub(super) fn law(&self, metric: DriftMetric, chunk: u64, against: u64) -> Option<Law> {
        match &self.side {
            Side::Numbers(numbers) => numbers.law(metric, chunk, against),
            Side::Categories(groups) => law_of_categories(groups, metric, chunk, against),
        }
    }
}

fn measure_categories(
    reference: &CategoryGroups,
    chunk: &CategoryGroups,
    metric: DriftMetric,
    part: bool,
) -> Result<Measured, Status> {
    let (rows, used_count) = (reference.rows(), chunk.rows());
    if rows == 0 {
        return Err(Status::NoReference);
    }
    if used_count == 0 || !metric.applies_to_categorical() {
        return Err(Status::InsufficientData);
    }
    if part && used_count >= rows {
        return Err(Status::ReferenceUndefined);
    }
    let table = table_of_categories(reference, chunk, metric, part);
    let sizes = (table.reference as f64, table.chunk as f64);
    let pooled = |table: &Table| p_value_of_categories(table.counts().collect(), sizes);
    let (distance, p_value) = match metric {
        DriftMetric::LInfinity => {
            let distance = l_infinity(reference, chunk, part);
            let totals = table.counts().map(|(r, c)| r + c);
            let p_value = largest::p_value(totals, sizes, distance.value);
            (distance, p_value)
        }
        _ => {
            let divergence = divergence_of_categories(reference, metric);
            let mut distance = divergence.of(&table);
            if metric == DriftMetric::Chi2 {
                distance = yates(&table, distance);
            }
            // which categories the reference has is its own doing: the test takes those of both
            let p_value = match metric {
                DriftMetric::Psi => {
                    let both = union(reference, chunk);
                    pooled(&if part { both.leave_out() } else { both })
                }
                _ => pooled(&table),
            };
            (distance, p_value)
        }
    };
    Ok(Measured {
        distance,
        p_value: Some(p_value),
        used_count,
    })
}

pub(super) fn divergence_of_categories(
    reference: &CategoryGroups,
    metric: DriftMetric,
) -> Divergence {
    match metric {
        DriftMetric::Hellinger => Divergence::Hellinger,
        DriftMetric::Psi => Divergence::Psi {
            cells: reference.groups.len() + 1,
        },
        DriftMetric::Chi2 => Divergence::Chi2,
        _ => Divergence::JensenShannon,
    }
}

/// The cells of a metric. Unseen categories are one cell for the population stability index; for the other
/// divergences each by itself adds up to the same.
pub(super) fn table_of_categories(
    reference: &CategoryGroups,
    chunk: &CategoryGroups,
    metric: DriftMetric,
    part: bool,
) -> Table {
    let table = match metric {
        DriftMetric::Psi => by_reference(reference, chunk),
        _ => union(reference, chunk),
    };
    if part { table.leave_out() } else { table }
}

/// Yates' correction, for exactly two categories: each count moves by at most one half towards its expectation.
fn yates(table: &Table, distance: Bounded) -> Bounded {
    let mut seen = table
        .cells
        .iter()
        .filter(|c| c.reference + c.chunk.sure > 0);
    let (Some(first), Some(second), None) = (seen.next(), seen.next(), seen.next()) else {
        return distance;
    };
    if first.mixed || second.mixed {
        return distance;
    }
    let (rows, chunk) = (table.reference as f64, table.chunk as f64);
    let (r, c) = (first.reference as f64, first.chunk.likely);
    let off = (r - rows * (r + c) / (rows + chunk)).abs();
    if off == 0.0 {
        return Bounded::exactly(0.0);
    }
    distance.map(|x| x * ((off - 0.5).max(0.0) / off).powi(2))
}

fn law_of_categories(
    reference: &CategoryGroups,
    metric: DriftMetric,
    chunk: u64,
    against: u64,
) -> Option<Law> {
    if chunk == 0 || against == 0 || !metric.applies_to_categorical() {
        return None;
    }
    let rows = (against as f64, chunk as f64);
    let base = 1.0 / rows.0 + 1.0 / rows.1;
    let all = reference.rows() as f64;
    if metric == DriftMetric::LInfinity {
        let shares = reference
            .groups
            .iter()
            .map(|group| group.count as f64 / all);
        return Some(Law::Largest {
            largest: Largest::new(shares.collect(), base),
            base,
        });
    }
    let divergence = divergence_of_categories(reference, metric);
    let still = cumulants(divergence, known_categories(reference, rows.0), rows);
    Some(Law::Sum {
        divergence,
        still,
        curvature: divergence.curvature(rows),
        base,
    })
}

/// What a reference of `rows` rows says about its categories, rarest first, and about all others together.
///
/// The share of unseen categories is expected to be that of the categories seen once.
///
/// * Source: I. J. Good (1953), Biometrika 40, 237-264.
fn known_categories(reference: &CategoryGroups, rows: f64) -> impl Iterator<Item = Known> {
    let scale = rows / reference.rows() as f64;
    let mut counts: Vec<u64> = reference.groups.iter().map(|group| group.count).collect();
    counts.sort_unstable();
    let once = counts.iter().take_while(|count| **count == 1).count() as f64;
    let unseen = once.max(0.5);
    let total: f64 = unseen + counts.iter().map(|&c| c as f64 + 0.5).sum::<f64>();
    let shrink = reference.rows() as f64 / total;
    let seen = counts.into_iter().map(move |count| Known {
        rows: count as f64 * scale,
        shape: (count as f64 + 0.5) * shrink * scale,
    });
    let others = Known {
        rows: 0.0,
        shape: unseen * shrink * scale,
    };
    std::iter::once(others).chain(seen)
}
