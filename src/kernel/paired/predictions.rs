//! Predictions of two models on the same labelled rows.
use super::super::KernelError;
use super::super::bins::ScoreBins;
use super::super::codec::{Reader, Writer};
use super::super::digest_bytes::{MOST_ROWS, disordered};
use super::super::interval::FEW;
use super::super::metric::{Metric, Outcomes};
use super::super::reading::Status;
use super::super::realized::Realized;
use super::super::realized_confusion::influences_of_outcomes;
use super::apart::Apart;
use super::reading::PairedReading;

const MAGIC: [u8; 4] = *b"MWPC";
const LAYOUT: u8 = 1;
/// Metrics of outcomes that are aggregates read no values.
const NO_VALUES: Outcomes = [0.0; 4];

/// Rows by label and by what two models predict: all that a difference of confusion metrics needs.
///
/// ```
/// use modelwatch::kernel::metric::Metric;
/// use modelwatch::kernel::paired::PairedPredictions;
/// let mut rows = PairedPredictions::default();
/// rows.observe(true, [false, true]);
/// rows.observe(false, [false, false]);
/// assert_eq!(rows.reading(Metric::Accuracy, 0.95).value, Some(0.5));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairedPredictions {
    /// `4 * label + 2 * a + b`.
    counts: [u64; 8],
}

/// Rows that agree in label and both predictions.
struct Cell {
    rows: f64,
    /// Position of the outcome of either model among `[tn, fp, fn, tp]`.
    outcomes: [usize; 2],
}

impl PairedPredictions {
    /// Adds a row.
    #[inline]
    pub fn observe(&mut self, label: bool, predictions: [bool; 2]) {
        let [a, b] = predictions.map(usize::from);
        if let Some(count) = self.counts.get_mut(4 * usize::from(label) + 2 * a + b) {
            *count += 1;
        }
    }

    /// Adds the rows of another table.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
    }

    fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        self.counts.iter().enumerate().map(|(at, &rows)| {
            let (label, a, b) = (at >> 2, at >> 1 & 1, at & 1);
            Cell {
                rows: rows as f64,
                outcomes: [a, b].map(|prediction| 2 * label + prediction),
            }
        })
    }

    /// Rows of one model by prediction and label.
    fn realized(&self, model: usize) -> Realized {
        let mut bins = ScoreBins::default();
        for (at, &rows) in self.counts.iter().enumerate() {
            let (label, prediction) = (at >> 2, at >> (1 - model) & 1);
            let of_prediction = bins.unscored.get_mut(prediction);
            if let Some(count) = of_prediction.and_then(|labels| labels.get_mut(label)) {
                *count += rows;
            }
        }
        Realized::new(&bins)
    }

    /// The metric of the second model minus that of the first.
    ///
    /// * Error: of the difference of a row's influences on either metric; `few_positives` where fewer than 20 rows are
    ///   under a share, or make a difference.
    /// * NULL: where a metric is not defined; `status` says why.
    /// * Source of the idea: Q. McNemar (1947), Psychometrika 12, 153-157: only rows on which the models differ tell.
    pub fn reading(&self, metric: Metric, confidence_level: f64) -> PairedReading {
        if self.counts == [0; 8] {
            return PairedReading::undefined(Status::InsufficientData);
        }
        let models = [0, 1].map(|model| self.realized(model));
        let [a, b] = models
            .each_ref()
            .map(|model| model.reading(metric, NO_VALUES, confidence_level));
        let [of_a, of_b] = models
            .each_ref()
            .map(|model| influences_of_outcomes(&model.confusion, metric, NO_VALUES));
        let Some(influences) = of_a.zip(of_b).map(|(a, b)| [a, b]) else {
            return PairedReading::new([&a, &b], None, Status::Ok, confidence_level);
        };
        let few = (f64::MIN_POSITIVE..FEW).contains(&self.telling_rows(&influences));
        let variances = [a, b].map(|model| model.sampling_error.unwrap_or(f64::INFINITY).powi(2));
        let variance = self.variance(&influences, variances);
        let reserve = Status::FewPositives.only_if(few);
        PairedReading::new([&a, &b], Some(variance), reserve, confidence_level)
    }

    /// Rows on which the models differ in a way that the metric sees.
    fn telling_rows(&self, influences: &[Outcomes; 2]) -> f64 {
        let tells = |cell: &Cell| {
            let [a, b] = cell.outcomes;
            influences.iter().any(|of| at(of, a) != at(of, b))
        };
        self.cells().filter(tells).map(|cell| cell.rows).sum()
    }

    /// Sum over rows of the squared difference of influences, and what the variances of single metrics hold for outcomes
    /// that did not occur; nothing of models that predict the same.
    fn variance(&self, influences: &[Outcomes; 2], variances: [f64; 2]) -> f64 {
        let same = |cell: Cell| {
            let [a, b] = cell.outcomes;
            cell.rows == 0.0 || a == b
        };
        if self.cells().all(same) {
            return 0.0;
        }
        let mut apart = Apart::default();
        for cell in self.cells() {
            let ([of_a, of_b], [a, b]) = (influences, cell.outcomes);
            apart.add(cell.rows, [at(of_a, a), at(of_b, b)]);
        }
        apart.variance(variances)
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        self.counts.iter().for_each(|&count| w.uint(count));
        w.finish()
    }

    /// Adds the rows of a table given as bytes.
    ///
    /// Errors: bytes that [`Self::to_bytes`] did not write.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "table of paired predictions")?;
        let mut other = Self::default();
        for count in &mut other.counts {
            *count = r.uint()?;
            if *count > MOST_ROWS {
                return Err(disordered());
            }
        }
        r.finish()?;
        self.merge(&other);
        Ok(())
    }
}

fn at(outcomes: &Outcomes, position: usize) -> f64 {
    outcomes.get(position).copied().unwrap_or(0.0)
}
