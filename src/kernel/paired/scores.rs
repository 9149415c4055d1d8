//! Scores of two models on the same labelled rows.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
use super::super::digest::DigestLimits;
use super::super::digest_bytes::{MOST_ROWS, disordered};
use super::super::key::Scale;
use super::super::key_table::{KeyTable, RowCount};
use super::super::metric::{Formula, Metric};
use super::super::reading::{Reading, Status};
use super::super::realized::Realized;
use super::super::roc_auc::small_sample;
use super::super::score_profile::{ScoreProfile, class_of, is_score};
use super::apart::Apart;
use super::reading::PairedReading;

const MAGIC: [u8; 4] = *b"MWPS";
const LAYOUT: u8 = 1;
const SCALE: Scale = Scale::Score;

/// The scores of either model by label, and how they go together: all that a difference of metrics of scores needs.
///
/// Merges in any order to identical bytes. Memory: at most `max_bins` bins for either model and as many for both together.
///
/// ```
/// use modelwatch::kernel::metric::Metric;
/// use modelwatch::kernel::paired::PairedScores;
/// let mut rows = PairedScores::default();
/// for (label, scores) in [(true, [0.4, 0.9]), (false, [0.6, 0.2])] {
///     rows.observe(label, scores);
/// }
/// assert_eq!(rows.reading(Metric::RocAuc, 0.95).value, Some(1.0));
/// ```
#[derive(Debug, Clone)]
pub struct PairedScores {
    models: [ScoreProfile; 2],
    /// Rows by both scores; the cell is the label.
    joint: KeyTable<2, RowCount>,
    /// Rows left out because a score is NaN or infinite.
    invalid: u64,
    /// Rows to which both models give the same score.
    equal: u64,
}

impl Default for PairedScores {
    fn default() -> Self {
        Self::new(DigestLimits::default())
    }
}

impl PairedScores {
    /// No rows; it owns no heap memory.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            models: [ScoreProfile::new(limits), ScoreProfile::new(limits)],
            joint: KeyTable::new(limits),
            invalid: 0,
            equal: 0,
        }
    }

    /// Adds a row; one with a score that is NaN or infinite is counted apart, for both models.
    #[inline]
    pub fn observe(&mut self, label: bool, scores: [f64; 2]) {
        if !scores.into_iter().all(is_score) {
            self.invalid += 1;
            return;
        }
        for (model, score) in self.models.iter_mut().zip(scores) {
            model.observe(class(label), Some(score));
        }
        let [a, b] = scores.map(|score| SCALE.key(score));
        self.joint.add([a, b], u8::from(label), RowCount(1));
        self.equal += u64::from(a == b);
    }

    /// The metric of the second model minus that of the first.
    ///
    /// * Error: of the difference of a row's influences on either metric; for `roc_auc` that of E. R. DeLong, D. M. DeLong
    ///   and D. L. Clarke-Pearson (1988), Biometrics 44, 837-845. Exact as long as the pairs of scores are told apart.
    /// * NULL: where a metric is not defined, and for one that is no function of scores; `status` says why.
    pub fn reading(&mut self, metric: Metric, confidence_level: f64) -> PairedReading {
        let reserve = Status::InvalidScore.only_if(self.invalid > 0);
        if self.used() == 0 {
            return PairedReading::undefined(Status::InsufficientData.worst(reserve));
        }
        let models = self
            .models
            .each_mut()
            .map(|model| Realized::new(&model.bins()));
        let mut readings = models
            .each_ref()
            .map(|model| model.reading(metric, [0.0; 4], confidence_level));
        let variance = if self.equal == self.used() {
            readings
                .iter_mut()
                .filter(|reading| reading.value.is_some())
                .for_each(|reading| reading.approx_error = Some(0.0));
            Some(0.0)
        } else {
            self.variance(metric, &models, &readings)
        };
        PairedReading::new(readings.each_ref(), variance, reserve, confidence_level)
    }

    fn used(&self) -> u64 {
        let [model, _] = &self.models;
        model.rows()
    }

    fn variance(
        &mut self,
        metric: Metric,
        [a, b]: &[Realized; 2],
        readings: &[Reading; 2],
    ) -> Option<f64> {
        let (Formula::Order(own) | Formula::Probability(own)) = &metric.spec().formula else {
            return None;
        };
        let influences = [(own.influences)(a)?, (own.influences)(b)?];
        let level = self.joint.level();
        let [a, b] = &mut self.models;
        let [of_a, of_b] = influences;
        let by_bin = [
            Influences::new(a, of_a, level),
            Influences::new(b, of_b, level),
        ];
        let [of_a, _] = &by_bin;
        let factors = small_samples(metric, of_a.rows);
        let mut apart = Apart::default();
        for entry in self.joint.entries() {
            let label = usize::from(entry.cell);
            let ([of_a, of_b], [a, b]) = (&by_bin, entry.bins);
            let rows = entry.sums.0 as f64 * factors.get(label).copied()?;
            apart.add(rows, [of_a.at(label, a)?, of_b.at(label, b)?]);
        }
        let [a, b] = readings.map(|reading| reading.sampling_error);
        Some(apart.variance([a?.powi(2), b?.powi(2)]))
    }

    /// Adds the rows of others.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        for (model, more) in self.models.iter_mut().zip(&mut other.models) {
            model.merge(more)?;
        }
        self.joint.merge(&other.joint);
        self.invalid = self.invalid.saturating_add(other.invalid);
        self.equal = self.equal.saturating_add(other.equal);
        Ok(())
    }

    /// Bytes on the heap; constant time.
    pub fn heap_size(&self) -> usize {
        let models: usize = self.models.iter().map(ScoreProfile::heap_size).sum();
        models + self.joint.heap_size()
    }

    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(self.invalid);
        w.uint(self.equal);
        for model in &mut self.models {
            w.bytes(&model.to_bytes());
        }
        self.joint.write(&mut w);
        w.finish()
    }

    /// Reads [`Self::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "table of paired scores")?;
        let (invalid, equal) = (r.uint()?, r.uint()?);
        let a = ScoreProfile::from_bytes(r.bytes()?)?;
        let b = ScoreProfile::from_bytes(r.bytes()?)?;
        let joint: KeyTable<2, RowCount> = KeyTable::read(&mut r, 2)?;
        r.finish()?;
        let entries = joint.entries();
        let rows = entries
            .iter()
            .fold(0, |rows: u64, entry| rows.saturating_add(entry.sums.0));
        if [a.rows(), b.rows()] != [rows; 2] || equal > rows || invalid > MOST_ROWS {
            return Err(disordered());
        }
        Ok(Self {
            models: [a, b],
            joint,
            invalid,
            equal,
        })
    }

    /// Adds the rows of others given as bytes.
    ///
    /// Errors: those of [`Self::from_bytes`] and [`Self::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&mut Self::from_bytes(bytes)?)
    }
}

/// Influences are taken around an estimated value: of ROC AUC one of each class, else one of all rows.
fn small_samples(metric: Metric, rows: [f64; 2]) -> [f64; 2] {
    match metric {
        Metric::RocAuc => rows.map(small_sample),
        _ => [small_sample(rows.iter().sum()); 2],
    }
}

/// Rows of a label, whatever is predicted.
fn class(label: bool) -> u8 {
    class_of(None, Some(label))
}

/// Mean influence of the rows of a label by bin of their score.
struct Influences {
    /// Bins, ascending.
    by_label: [Vec<(u64, f64)>; 2],
    /// Rows of each label.
    rows: [f64; 2],
}

impl Influences {
    /// `level`: of the joint table, which is at least as high as that of either model, for it has as many bins.
    fn new(model: &mut ScoreProfile, influences: [Vec<f64>; 2], level: u8) -> Self {
        let [negatives, positives] = [false, true].map(|label| model.bins_of(class(label)));
        let shift = level.saturating_sub(negatives.0);
        let bins = [negatives.1, positives.1];
        let rows = bins
            .each_ref()
            .map(|bins| bins.iter().map(|(_, rows)| *rows as f64).sum());
        let mut by_label = bins.into_iter().zip(influences);
        let mut next = || {
            let (bins, influences) = by_label.next().unwrap_or_default();
            means(&bins, &influences, shift)
        };
        Self {
            by_label: [next(), next()],
            rows,
        }
    }

    fn at(&self, label: usize, bin: u64) -> Option<f64> {
        let bins = self.by_label.get(label)?;
        let found = bins.binary_search_by_key(&bin, |(bin, _)| *bin).ok()?;
        bins.get(found).map(|(_, influence)| *influence)
    }
}

/// Mean influence in bins that are `shift` levels wider.
fn means(bins: &[(u64, u64)], influences: &[f64], shift: u8) -> Vec<(u64, f64)> {
    let bins = bins.iter().zip(influences);
    let bins: Vec<(u64, f64, f64)> = bins
        .map(|((bin, rows), influence)| (bin >> shift, *rows as f64, *influence))
        .collect();
    let runs = bins.chunk_by(|a, b| a.0 == b.0);
    let mean = |run: &[(u64, f64, f64)]| match run {
        // without rounding, so that equal influences cancel
        [(bin, _, influence)] => Some((*bin, *influence)),
        _ => {
            let rows: f64 = run.iter().map(|(_, rows, _)| rows).sum();
            let sum: f64 = run.iter().map(|(_, rows, of)| rows * of).sum();
            run.first().map(|(bin, ..)| (*bin, sum / rows))
        }
    };
    runs.filter_map(mean).collect()
}
