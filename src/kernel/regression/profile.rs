//! The regression profile: everything that realized metrics of a regression need of a chunk.
use super::super::KernelError;
use super::super::digest::DigestLimits;
use super::super::exact_block::wide;
use super::super::value_profile::ValueProfile;
use super::super::values::ValueBins;
use super::sums::{BLOCK, Rows, Sums};

/// First bytes of a regression profile.
pub const MAGIC: [u8; 4] = *b"MWRG";
/// Numbers beyond this have fourth powers without a sum; they count as infinite.
pub const LARGEST: f64 = 1e70;
/// An error this many times as large as its label is one of a label of 0; its cube has a sum.
const LARGEST_RELATIVE: f64 = 1e90;

/// Rows of a label and a prediction by what is known of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Counts {
    /// Both are numbers.
    pub used: u64,
    /// The label is known and the prediction is not.
    pub unpredicted: u64,
    /// Both are known, and one is NaN, infinite or beyond 1e70.
    pub invalid: u64,
    /// The label is not known.
    pub unlabelled: u64,
    /// Among the used: the label or the prediction is negative.
    pub negative: u64,
    /// Among the used: the label is 0 and the prediction is not.
    pub zero: u64,
}

impl Counts {
    pub fn each(&mut self) -> [&mut u64; 6] {
        [
            &mut self.used,
            &mut self.unpredicted,
            &mut self.invalid,
            &mut self.unlabelled,
            &mut self.negative,
            &mut self.zero,
        ]
    }
}

/// Exact sums of losses, and the distribution of absolute errors, of rows with a label and a prediction.
///
/// Merges in any order to identical bytes. Memory: at most `max_bins` distinct errors, and a few hundred bytes.
/// Rows without a label or prediction are counted apart, and so are those with a NaN or infinite number, or one beyond 1e70.
///
/// ```
/// use modelwatch::kernel::regression::{RealizedRegression, RegressionMetric, RegressionProfile};
/// let mut profile = RegressionProfile::default();
/// profile.observe_all(&[1.0, 3.0], &[2.0, 6.0]);
/// profile.observe(None, Some(5.0));
/// let mae = RealizedRegression::new(&mut profile).reading(RegressionMetric::Mae, 0.95);
/// assert_eq!((mae.value, mae.used_count, mae.labelled_count), (Some(2.0), 2, 2));
/// ```
#[derive(Debug, Clone)]
pub struct RegressionProfile {
    pub(super) counts: Counts,
    pub(super) sums: Sums,
    pub(super) absolute: ValueProfile,
}

impl Default for RegressionProfile {
    fn default() -> Self {
        Self::new(DigestLimits::default())
    }
}

impl RegressionProfile {
    /// An empty profile; it owns no heap memory.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            counts: Counts::default(),
            sums: Sums::default(),
            absolute: ValueProfile::new(limits),
        }
    }

    /// Adds a row; what is NULL is counted.
    pub fn observe(&mut self, label: Option<f64>, prediction: Option<f64>) {
        match (label, prediction) {
            (None, _) => self.counts.unlabelled += 1,
            (Some(_), None) => self.counts.unpredicted += 1,
            (Some(y), Some(f)) => self.observe_all(&[y], &[f]),
        }
    }

    /// Adds rows of which both are known.
    pub fn observe_all(&mut self, labels: &[f64], predictions: &[f64]) {
        for (labels, predictions) in labels.chunks(BLOCK).zip(predictions.chunks(BLOCK)) {
            if all_valid(labels) && all_valid(predictions) {
                self.observe_block(labels, predictions);
                continue;
            }
            let valid = |x: &f64| x.abs() <= LARGEST;
            for (y, f) in labels.iter().zip(predictions) {
                match valid(y) && valid(f) {
                    true => self.observe_block(&[*y], &[*f]),
                    false => self.counts.invalid += 1,
                }
            }
        }
    }

    /// Adds up to [`BLOCK`] rows of valid numbers.
    fn observe_block(&mut self, labels: &[f64], predictions: &[f64]) {
        let pairs = || labels.iter().zip(predictions);
        let [negative, zero] = wide(
            #[inline(always)]
            || {
                pairs().fold([0; 2], |[negative, zero], (y, f)| {
                    [
                        negative + u64::from(*y < 0.0 || *f < 0.0),
                        zero + u64::from(has_no_size(*f - *y, *y)),
                    ]
                })
            },
        );
        self.counts.used += labels.len() as u64;
        self.counts.negative += negative;
        self.counts.zero += zero;
        self.sums.add(&Rows {
            labels,
            predictions,
            weights: &[],
            // a chunk with such a row has no value of these metrics, so what else they would add does not matter
            logarithms: negative == 0,
            relative: zero == 0,
        });
        pairs().for_each(|(y, f)| self.absolute.observe(Some((f - y).abs())));
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        self.absolute.merge(&mut other.absolute)?;
        self.sums.merge(&other.sums);
        self.add_counts(other.counts);
        Ok(())
    }

    pub(super) fn add_counts(&mut self, mut more: Counts) {
        for (count, more) in self.counts.each().into_iter().zip(more.each()) {
            *count = count.saturating_add(*more);
        }
    }

    /// Numbers of rows: all, those with a label, and among them those left out for a NaN, infinite or too large number.
    pub fn row_counts(&self) -> [u64; 3] {
        let labelled = self.counts.used + self.counts.unpredicted + self.counts.invalid;
        [
            labelled + self.counts.unlabelled,
            labelled,
            self.counts.invalid,
        ]
    }

    /// The distribution of `|prediction - label|`.
    pub fn absolute_errors(&mut self) -> ValueBins {
        self.absolute.bins()
    }

    /// Bytes on the heap; constant time.
    pub fn heap_size(&self) -> usize {
        self.absolute.heap_size() + self.sums.heap_size()
    }
}

/// Whether every number has a fourth power.
fn all_valid(numbers: &[f64]) -> bool {
    wide(
        #[inline(always)]
        || {
            numbers
                .iter()
                .fold(true, |all, x| all & (x.abs() <= LARGEST))
        },
    )
}

/// Whether an error is beyond any multiple of the label's size.
#[inline]
pub(super) fn has_no_size(error: f64, label: f64) -> bool {
    error.abs() > LARGEST_RELATIVE * label.abs()
}
