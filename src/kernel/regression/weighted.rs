//! The weighted regression profile: what realized metrics of a regression need of rows that count unequally.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::digest_bytes::disordered;
use super::super::digest_limits::{Coarseness, require_same_coarseness};
use super::super::key::Scale;
use super::super::key_table::{CellSum, KeyTable};
use super::super::weight::{Weight, WeightSums, overflow};
use super::profile::{Counts, LARGEST, has_no_size};
use super::sums::{Rows, Sums};
use super::weighted_values::{WeightedValue, WeightedValues};

/// First bytes of a weighted regression profile.
pub const MAGIC: [u8; 4] = *b"MWWR";
const LAYOUT: u8 = 2;
const NAME: &str = "weighted regression profile";
const SCALE: Scale = Scale::Number;

/// Exact sums of losses times weights and times squared weights, and the distribution of absolute errors.
///
/// Merges in any order to identical bytes. Memory: at most `max_bins` distinct errors, and a few hundred bytes. Rows without a
/// weight, or with a weight of 0, count as labelled and are not used.
///
/// ```
/// use modelwatch::kernel::regression::{RealizedRegression, RegressionMetric, WeightedRegression};
/// let mut profile = WeightedRegression::default();
/// profile.observe(Some(1.0), Some(2.0), Some(3.0))?;
/// profile.observe(Some(3.0), Some(8.0), Some(1.0))?;
/// let mae = RealizedRegression::weighted(&profile)?.reading(RegressionMetric::Mae, 0.95);
/// assert_eq!((mae.value, mae.used_count), (Some(2.0), 2));
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeightedRegression {
    pub(in super::super) counts: Counts,
    /// Labelled rows without a weight.
    pub(super) unweighted: u64,
    /// All used rows together.
    pub(super) total: WeightSums,
    /// Terms times weights, and times squared weights.
    pub(super) sums: Sums,
    pub(super) squares: Sums,
    absolute: KeyTable<1, WeightSums>,
    coarseness: Coarseness,
}

impl Default for WeightedRegression {
    fn default() -> Self {
        Self::new(DigestLimits::default())
    }
}

impl WeightedRegression {
    /// An empty profile; it owns no heap memory.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            counts: Counts::default(),
            unweighted: 0,
            total: WeightSums::default(),
            sums: Sums::default(),
            squares: Sums::default(),
            absolute: KeyTable::new(limits),
            coarseness: Coarseness::new(limits),
        }
    }

    /// Adds a row; what is NULL is counted.
    ///
    /// Errors: a weight that [`Weight::new`] refuses.
    pub fn observe(
        &mut self,
        label: Option<f64>,
        prediction: Option<f64>,
        weight: Option<f64>,
    ) -> Result<(), KernelError> {
        let weight = weight.map_or(Ok(None), Weight::new)?;
        match (label, prediction, weight) {
            (None, _, _) => self.counts.unlabelled += 1,
            (Some(_), _, None) => self.unweighted += 1,
            (Some(_), None, _) => self.counts.unpredicted += 1,
            (Some(y), Some(f), _) if y.abs() > LARGEST || f.abs() > LARGEST => {
                self.counts.invalid += 1
            }
            (Some(y), Some(f), _) if y.is_nan() || f.is_nan() => self.counts.invalid += 1,
            (Some(y), Some(f), Some(weight)) => self.add(y, f, weight),
        }
        Ok(())
    }

    fn add(&mut self, label: f64, prediction: f64, weight: Weight) {
        let (negative, zero) = (
            label < 0.0 || prediction < 0.0,
            has_no_size(prediction - label, label),
        );
        self.counts.used += 1;
        self.counts.negative += u64::from(negative);
        self.counts.zero += u64::from(zero);
        let w = weight.number();
        for (sums, weight) in [(&mut self.sums, w), (&mut self.squares, w * w)] {
            sums.add(&Rows {
                labels: &[label],
                predictions: &[prediction],
                weights: &[weight],
                logarithms: !negative,
                relative: !zero,
            });
        }
        let of_row = WeightSums::of(weight);
        self.total.add(&of_row);
        let key = self.coarseness.of(SCALE.key((prediction - label).abs()));
        self.absolute.add([key], 0, of_row);
    }

    /// Rows with a label.
    pub fn labelled_rows(&self) -> u64 {
        self.counts.used + self.counts.unpredicted + self.counts.invalid + self.unweighted
    }

    /// Low bits that every absolute error has lost.
    pub fn level(&self) -> u8 {
        self.absolute.level()
    }

    /// Absolute errors, ascending.
    ///
    /// Errors: weights whose squares cannot be summed.
    pub(super) fn absolute_errors(&self) -> Result<WeightedValues, KernelError> {
        if self.total.overflows() {
            return Err(overflow());
        }
        let level = self.absolute.level();
        let entries = self.absolute.entries();
        Ok(WeightedValues::new(
            entries
                .iter()
                .map(|entry| WeightedValue::new(SCALE, entry.bins[0], level, &entry.sums))
                .collect(),
        ))
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &Self) -> Result<(), KernelError> {
        require_same_coarseness(self.absolute.limits(), other.absolute.limits())?;
        self.absolute.merge(&other.absolute);
        self.sums.merge(&other.sums);
        self.squares.merge(&other.squares);
        self.total.add(&other.total);
        self.unweighted = self.unweighted.saturating_add(other.unweighted);
        let mut more = other.counts;
        for (count, more) in self.counts.each().into_iter().zip(more.each()) {
            *count = count.saturating_add(*more);
        }
        Ok(())
    }

    /// Bytes on the heap; constant time.
    pub fn heap_size(&self) -> usize {
        self.absolute.heap_size() + self.sums.heap_size() + self.squares.heap_size()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        let mut counts = self.counts;
        counts.each().into_iter().for_each(|count| w.uint(*count));
        w.uint(self.unweighted);
        self.total.write(&mut w);
        for sums in [&self.sums, &self.squares] {
            // a sum that lacks some rows is not read, and which rows it lacks depends on how they came
            let readable = sums.readable(self.counts.negative == 0, self.counts.zero == 0);
            readable.write(&mut w);
        }
        self.absolute.write(&mut w);
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, NAME)?;
        let mut counts = Counts::default();
        for count in counts.each() {
            *count = r.uint()?;
        }
        let unweighted = r.uint()?;
        let total = WeightSums::read(&mut r)?;
        let (sums, squares) = (Sums::read(&mut r)?, Sums::read(&mut r)?);
        let absolute = KeyTable::read(&mut r, 1)?;
        r.finish()?;
        if total.rows != counts.used {
            return Err(disordered());
        }
        Ok(Self {
            counts,
            unweighted,
            total,
            sums,
            squares,
            coarseness: Coarseness::new(absolute.limits()),
            absolute,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::jackknife;
    use super::super::{RealizedRegression, RegressionMetric, RegressionProfile};
    use super::*;

    /// Labels, predictions and weights 1 to 4.
    fn rows(count: u32) -> Vec<(f64, f64, f64)> {
        let row = |i: u32| {
            let label = 20.0 + f64::from((i * 7919) % 97) / 3.0;
            let noise = f64::from((i * 104_729) % 31) - 14.0;
            (label, (label + noise).abs(), f64::from(1 + i % 4))
        };
        (0..count).map(row).collect()
    }

    fn weighted(rows: &[(f64, f64, f64)], scale: f64) -> RealizedRegression {
        let mut profile = WeightedRegression::default();
        for (label, prediction, weight) in rows {
            profile
                .observe(Some(*label), Some(*prediction), Some(weight * scale))
                .unwrap();
        }
        RealizedRegression::weighted(&profile).unwrap()
    }

    fn repeated(rows: &[(f64, f64, f64)]) -> RealizedRegression {
        let mut profile = RegressionProfile::default();
        for (label, prediction, weight) in rows {
            for _ in 0..*weight as u64 {
                profile.observe(Some(*label), Some(*prediction));
            }
        }
        RealizedRegression::new(&mut profile)
    }

    #[test]
    fn a_whole_weight_is_so_many_rows() {
        let rows = rows(300);
        for metric in RegressionMetric::ALL {
            let value = |of: &RealizedRegression| of.reading(metric, 0.95).value.unwrap();
            let (a, b) = (value(&weighted(&rows, 1.0)), value(&repeated(&rows)));
            assert!(
                (a - b).abs() <= 1e-12 * b.abs().max(1.0),
                "{metric}: {a} {b}"
            );
        }
    }

    #[test]
    fn equal_weights_have_the_errors_of_rows() {
        let rows: Vec<_> = rows(300).into_iter().map(|(y, f, _)| (y, f, 1.0)).collect();
        let plain = repeated(&rows);
        for scale in [1.0, 0.001, 250.0] {
            let weighted = weighted(&rows, scale);
            for metric in RegressionMetric::ALL {
                let [a, b] = [&weighted, &plain].map(|of| of.reading(metric, 0.95));
                let near = |a: Option<f64>, b: Option<f64>, by: f64| {
                    let (a, b) = (a.unwrap(), b.unwrap());
                    (a - b).abs() <= by * b.abs().max(1e-3)
                };
                // the ranks of the median's ends are rounded to rows
                let by = match metric {
                    RegressionMetric::MedianAbsoluteError => 0.2,
                    _ => 1e-6,
                };
                assert!(near(a.value, b.value, 1e-9), "{metric} {a:?} {b:?}");
                assert!(
                    near(a.sampling_error, b.sampling_error, by),
                    "{metric} {a:?} {b:?}"
                );
                assert!(
                    near(a.upper_bound, b.upper_bound, by),
                    "{metric} {a:?} {b:?}"
                );
            }
        }
    }

    /// The jackknife agrees with linearization up to terms of `1 / n`; of a median it does not converge.
    #[test]
    fn errors_are_those_of_dropping_rows() {
        let rows = rows(240);
        let smooth = RegressionMetric::ALL.into_iter();
        for metric in smooth.filter(|m| *m != RegressionMetric::MedianAbsoluteError) {
            let of = |rows: &[(f64, f64, f64)]| weighted(rows, 1.0).reading(metric, 0.95);
            let without = |out: usize| {
                let mut kept = rows.clone();
                kept.remove(out);
                of(&kept).value.unwrap()
            };
            let values: Vec<f64> = (0..rows.len()).map(without).collect();
            let jackknife = jackknife(&values);
            let error = of(&rows).sampling_error.unwrap();
            assert!(
                (error / jackknife - 1.0).abs() < 0.05,
                "{metric}: {error} {jackknife}"
            );
        }
    }

    #[test]
    fn bytes_are_the_same_however_rows_come() {
        let (mut whole, mut merged) =
            (WeightedRegression::default(), WeightedRegression::default());
        for (label, prediction, weight) in rows(300).iter().rev() {
            let mut one = WeightedRegression::default();
            for profile in [&mut one, &mut whole] {
                profile
                    .observe(Some(*label), Some(*prediction), Some(*weight))
                    .unwrap();
            }
            merged
                .merge(&WeightedRegression::from_bytes(&one.to_bytes()).unwrap())
                .unwrap();
        }
        assert_eq!(whole.to_bytes(), merged.to_bytes());
    }
}
