//! Limits of a median: quantiles of the reference.
use super::super::KernelError;
use super::super::drift::DriftProfile;
use super::super::limits::{ChunkPoint, Limits};
use super::super::link::Link;
use super::super::metric::Direction;
use super::super::reading::Status;
use super::super::threshold::MetricScale;
use super::super::values::ValueBins;
use super::super::variance_model::VarianceModel;
use super::moments::at_rank;
use super::reading::ColumnChunk;

/// The scale of shares below a number.
const SHARE: MetricScale = MetricScale {
    link: Link::Identity,
    lower: Some(0.0),
    upper: Some(1.0),
    better: Direction::Neither,
    total: false,
};
/// Variance of one row below a median or not.
const ROW_VARIANCE: f64 = 0.25;
/// From so many reference chunks on, their scatter says something about healthy variation.
const ENOUGH_CHUNKS: usize = 3;

/// The median of a chunk exceeds a number where less than half of its rows are at most that: a share, whose variance
/// is known without knowing the column. So the limits are the reference's quantiles at a half minus and plus the
/// reach of that share, and columns of few distinct numbers need no density.
#[derive(Debug, Clone)]
pub struct MedianLimits {
    reference: ValueBins,
    z: f64,
    /// Variance of the share that does not depend on the chunk's rows.
    shared: f64,
    status: Status,
}

impl MedianLimits {
    /// * `chunks`: the reference in parts, in order. `rate`: false alarms, half of them on either side.
    /// * `scatter`: whether the parts say how healthy chunks differ.
    /// * Errors: a rate too small to tell from 0.
    pub fn fit(
        reference: &ValueBins,
        chunks: &[ColumnChunk],
        rate: f64,
        scatter: bool,
    ) -> Result<Self, KernelError> {
        let middle = at_rank(reference, numbers(reference).saturating_sub(1) / 2);
        let point = |chunk: &ColumnChunk| {
            let (Some(middle), Ok(DriftProfile::Continuous(values))) = (middle, chunk) else {
                return None;
            };
            let rows = numbers(values);
            (rows > 0).then(|| ChunkPoint {
                value: Some(share_below(values, middle.value)),
                sampling_error: Some((ROW_VARIANCE / rows as f64).sqrt()),
                used_count: rows,
            })
        };
        let points: Vec<ChunkPoint> = chunks.iter().filter_map(point).collect();
        let told = if scatter { points.len() } else { 1 };
        let status = match told {
            _ if points.is_empty() => Status::ReferenceUndefined,
            0..ENOUGH_CHUNKS => Status::FewReferenceChunks,
            _ => Status::Ok,
        };
        let (z, shared) = match points.is_empty() {
            true => (f64::INFINITY, 0.0),
            false => {
                let model = VarianceModel::fit(rate / 2.0, &SHARE, &points, scatter)?;
                (model.z, model.between + model.centre_variance)
            }
        };
        Ok(Self {
            reference: reference.clone(),
            z,
            shared,
            status,
        })
    }

    /// Limits of a chunk of `rows` numbers; none without rows, nor where they are infinite.
    pub fn at(&self, rows: u64) -> Limits {
        let reach = self.z * (ROW_VARIANCE / rows as f64 + self.shared).sqrt();
        let all = numbers(&self.reference) as f64;
        let quantile = |share: f64, round: fn(f64) -> f64| {
            let rank = round(share * all - 0.5);
            let inside = share > 0.0 && share < 1.0 && all > 0.0;
            let rank = inside.then(|| rank.clamp(0.0, all - 1.0) as u64)?;
            at_rank(&self.reference, rank)
        };
        Limits {
            lower: quantile(0.5 - reach, f64::floor).map(|found| found.value - found.error),
            upper: quantile(0.5 + reach, f64::ceil).map(|found| found.value + found.error),
            status: self.status,
        }
    }
}

/// Rows that a median counts: all but NULL and NaN.
fn numbers(values: &ValueBins) -> u64 {
    values.rows() + values.positive_infinities + values.negative_infinities
}

/// Share of the numbers below `x`, of those that equal it (or share its bin) half.
fn share_below(values: &ValueBins, x: f64) -> f64 {
    let halves = |lower: f64, upper: f64, count: u64| match (upper < x, lower > x) {
        (true, _) => 2 * count,
        (_, true) => 0,
        _ => count,
    };
    let bins = values.bins.iter();
    let inside: u64 = bins
        .map(|bin| halves(bin.lower, bin.upper, bin.count))
        .sum();
    (inside + 2 * values.negative_infinities) as f64 / (2 * numbers(values)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::numbers as exact;

    #[test]
    fn limits_are_quantiles_of_the_reference() {
        let thousand: Vec<(f64, u64)> = (0..1_000).map(|i| (f64::from(i), 1)).collect();
        let whole = exact(&thousand);
        let part = exact(&thousand.iter().step_by(5).copied().collect::<Vec<_>>());
        let chunks = [Ok(DriftProfile::from(&part)); 5];
        let limits = MedianLimits::fit(&whole, &chunks, 0.0027, true).unwrap();
        // chunks without scatter, and one of 200: three times sqrt(1/4 (1/200 + 1/1000)) = .116 of the rows
        let found = limits.at(200);
        assert!((found.upper.unwrap() - 616.0).abs() <= 2.0, "{found:?}");
        assert!((found.lower.unwrap() - 383.0).abs() <= 2.0, "{found:?}");
        assert!(limits.at(50).upper > found.upper);
        assert_eq!(limits.at(2).upper, None);
        assert_eq!(found.status, Status::Ok);
    }

    #[test]
    fn a_median_of_few_numbers_may_change_to_its_neighbour() {
        // 52 % of the rows are at most 2: a chunk of 100 has its median at 3 often
        let counts = |scale: u64| exact(&[(1.0, 20 * scale), (2.0, 32 * scale), (3.0, 48 * scale)]);
        let (whole, part) = (counts(50), counts(10));
        let chunks = [Ok(DriftProfile::from(&part)); 5];
        let limits = MedianLimits::fit(&whole, &chunks, 0.0027, true).unwrap();
        assert_eq!(limits.at(100).upper, Some(3.0));
        assert_eq!(limits.at(100).lower, Some(2.0));
        let none = MedianLimits::fit(&exact(&[]), &[], 0.0027, true).unwrap();
        assert_eq!(none.at(100).upper, None);
    }
}
