//! The weighted score profile: what realized metrics of a binary classifier need of rows that count unequally.
use super::KernelError;
use super::bins::Class;
use super::codec::{Reader, Writer};
use super::digest::DigestLimits;
use super::digest_limits::{Coarseness, require_same_coarseness};
use super::group::Group;
use super::key::{LARGEST_SCORE, MANTISSA_BITS, Scale};
use super::key_table::{CellSum, Entry, KeyTable};
use super::score_profile::ternary;
use super::weight::{Weight, WeightSums, overflow};

/// First bytes of a weighted score profile.
pub const MAGIC: [u8; 4] = *b"MWWS";
const LAYOUT: u8 = 1;
const NAME: &str = "weighted score profile";
const SCALE: Scale = Scale::Score;
/// Two labels under each prediction.
const OUTCOMES: usize = 6;

/// Labelled rows by outcome and score, with sums of their weights and of the squares of these.
///
/// Merges in any order to identical bytes. Memory: at most twice `max_bins` entries. Rows without a label leave nothing; rows
/// without a weight, or with a weight of 0, are counted and not used.
///
/// ```
/// use modelwatch::kernel::weighted_scores::WeightedScores;
/// let mut profile = WeightedScores::default();
/// profile.observe(Some(true), Some(true), Some(0.9), Some(2.0))?;
/// profile.observe(Some(false), Some(true), Some(0.4), None)?;
/// assert_eq!((profile.labelled_rows(), profile.used_rows()), (2, 1));
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeightedScores {
    /// Weighted rows by prediction (negative, positive, unknown), then by label.
    outcomes: [WeightSums; OUTCOMES],
    /// By score and label.
    scores: KeyTable<1, WeightSums>,
    /// Labelled rows without a weight.
    unweighted: u64,
    /// Labelled and weighted rows whose score is NaN, infinite or too large.
    not_finite: u64,
    /// Labelled rows whose weight is no whole number.
    fractional: u64,
    coarseness: Coarseness,
}

impl Default for WeightedScores {
    fn default() -> Self {
        Self::new(DigestLimits::default())
    }
}

/// Rows of one label in one bin.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightedGroup {
    pub bin: u64,
    pub label: usize,
    pub group: Group,
    /// Number of rows.
    pub count: u64,
    /// Sum of squared weights.
    pub square: f64,
}

impl WeightedScores {
    /// An empty profile; it owns no heap memory.
    pub fn new(limits: DigestLimits) -> Self {
        // a bin has an entry for each label
        let max_bins = limits
            .max_bins
            .saturating_mul(2)
            .min(DigestLimits::MOST_BINS);
        Self {
            outcomes: [WeightSums::default(); OUTCOMES],
            scores: KeyTable::new(DigestLimits { max_bins, ..limits }),
            unweighted: 0,
            not_finite: 0,
            fractional: 0,
            coarseness: Coarseness::new(limits),
        }
    }

    /// Adds a row.
    ///
    /// Errors: a weight that [`Weight::new`] refuses.
    pub fn observe(
        &mut self,
        prediction: Option<bool>,
        label: Option<bool>,
        score: Option<f64>,
        weight: Option<f64>,
    ) -> Result<(), KernelError> {
        let weight = weight.map_or(Ok(None), Weight::new)?;
        let Some(label) = label else { return Ok(()) };
        match weight {
            Some(weight) => self.add(prediction, label, score, weight),
            None => self.unweighted += 1,
        }
        Ok(())
    }

    /// Adds a row with a label and a weight.
    pub(super) fn add(
        &mut self,
        prediction: Option<bool>,
        label: bool,
        score: Option<f64>,
        weight: Weight,
    ) {
        self.fractional += u64::from(!weight.is_whole());
        let sums = WeightSums::of(weight);
        let outcome = 2 * usize::from(ternary(prediction)) + usize::from(label);
        if let Some(cell) = self.outcomes.get_mut(outcome) {
            cell.add(&sums);
        }
        match score {
            None => (),
            Some(score) => match self.key(score) {
                Some(key) => self.scores.add([key], u8::from(label), sums),
                None => self.not_finite += 1,
            },
        }
    }

    /// Rows with a label.
    pub fn labelled_rows(&self) -> u64 {
        self.used_rows() + self.unweighted
    }

    /// Rows with a label and a weight.
    pub fn used_rows(&self) -> u64 {
        self.outcomes.iter().map(|sums| sums.rows).sum()
    }

    /// Rows whose score is NaN, infinite or too large.
    pub(super) fn not_finite(&self) -> u64 {
        self.not_finite
    }

    /// Weighted rows of a prediction and a label.
    pub(super) fn outcome(&self, prediction: Class, label: Class) -> WeightSums {
        let at = 2 * prediction as usize + label as usize;
        self.outcomes.get(at).copied().unwrap_or_default()
    }

    /// Effective rows of a unit of weight, `sum w / sum w^2` (Kish 1965); `None` without rows.
    pub(super) fn unit(&self) -> Option<f64> {
        let sum = |of: fn(&WeightSums) -> f64| self.outcomes.iter().map(of).sum::<f64>();
        let square = sum(WeightSums::square);
        (square > 0.0).then(|| sum(WeightSums::weight) / square)
    }

    /// Groups of rows in ascending order of score, those of a bin by label.
    ///
    /// Errors: weights whose squares cannot be summed.
    pub(super) fn groups(&self) -> Result<Vec<WeightedGroup>, KernelError> {
        if self.outcomes.iter().any(WeightSums::overflows) {
            return Err(overflow());
        }
        let level = self.scores.level();
        let sums_exact = level <= MANTISSA_BITS && self.scores.limits().min_level == 0;
        let entries = self.scores.entries();
        Ok(entries
            .iter()
            .map(|entry| weighted_group(entry, level, sums_exact))
            .collect())
    }

    /// Low bits that every score has lost.
    pub fn level(&self) -> u8 {
        self.scores.level()
    }

    /// What its keys have lost from the start.
    pub(super) fn coarseness(&self) -> Coarseness {
        self.coarseness
    }

    fn key(&self, score: f64) -> Option<u64> {
        key_of(score, self.coarseness)
    }

    /// Whether every weight is a whole number, so that it may stand for so many rows.
    pub(super) fn is_whole(&self) -> bool {
        self.fractional == 0
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &Self) -> Result<(), KernelError> {
        require_same_coarseness(self.scores.limits(), other.scores.limits())?;
        self.scores.merge(&other.scores);
        for (sums, more) in self.outcomes.iter_mut().zip(&other.outcomes) {
            sums.add(more);
        }
        self.unweighted = self.unweighted.saturating_add(other.unweighted);
        self.not_finite = self.not_finite.saturating_add(other.not_finite);
        self.fractional = self.fractional.saturating_add(other.fractional);
        Ok(())
    }

    /// Bytes on the heap; constant time.
    pub fn heap_size(&self) -> usize {
        self.scores.heap_size()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        self.outcomes.iter().for_each(|sums| sums.write(&mut w));
        w.uint(self.unweighted);
        w.uint(self.not_finite);
        w.uint(self.fractional);
        self.scores.write(&mut w);
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, NAME)?;
        let mut outcomes = [WeightSums::default(); OUTCOMES];
        for sums in &mut outcomes {
            *sums = WeightSums::read(&mut r)?;
        }
        let [unweighted, not_finite, fractional] = [r.uint()?, r.uint()?, r.uint()?];
        let scores = KeyTable::read(&mut r, 2)?;
        r.finish()?;
        Ok(Self {
            outcomes,
            unweighted,
            not_finite,
            fractional,
            coarseness: Coarseness::new(scores.limits()),
            scores,
        })
    }
}

/// The key of a score; `None` of what is no score.
pub(super) fn key_of(score: f64, coarseness: Coarseness) -> Option<u64> {
    let is_score = (f64::MIN..=LARGEST_SCORE).contains(&score);
    is_score.then(|| coarseness.of(SCALE.key(score)))
}

fn weighted_group(entry: &Entry<1, WeightSums>, level: u8, sums_exact: bool) -> WeightedGroup {
    let [bin] = entry.bins;
    let ends = SCALE.bin_range(bin, level);
    let mean = entry.sums.mean_dropped();
    let middle = ends.lower + (ends.upper - ends.lower) / 2.0;
    WeightedGroup {
        bin,
        label: usize::from(entry.cell),
        count: entry.sums.rows,
        group: Group::new(
            (ends.lower, ends.upper),
            sums_exact && mean.is_some(),
            entry.sums.rows,
            entry.sums.weight(),
            mean.map_or(middle, |dropped| SCALE.mean_of_values(bin, level, dropped)),
        ),
        square: entry.sums.square(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_cannot_be_summed_are_refused() {
        let mut profile = WeightedScores::default();
        profile
            .observe(Some(true), Some(true), Some(0.5), Some(1e9))
            .unwrap();
        for _ in 0..24 {
            let same = profile.clone();
            profile.merge(&same).unwrap();
        }
        let refused = profile.groups().unwrap_err().to_string();
        assert!(refused.contains("divide them by their mean"), "{refused}");
    }
}
