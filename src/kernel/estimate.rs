//! Performance of a chunk without labels: expected metrics under calibrated probabilities.
//!
//! Each row is positive with its calibrated probability, independently given the scores. That
//! holds when the calibration found on the reference holds on the chunk; it does not survive a
//! change of the concept, and no error bar here covers that.
use super::bins::ScoreBins;
use super::calibrator::Calibrator;
use super::estimate_confusion::ExpectedConfusion;
use super::expected::{Expected, expect, expect_among};
use super::group::{ANY, KNOWN, count_cells};
use super::interval::normal_quantile;
use super::labelled::first_outside_unit;
use super::metric::{Formula, Metric};
use super::prediction_interval::Estimate;
use super::reading::{Reading, Status};

/// Whether self-pairs and the cross-fitted offset are taken out of the ranking metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Corrections {
    /// They are: the estimate.
    #[default]
    Applied,
    /// They are not, and tied rows of average precision are ranked one by one: the figures of
    /// NannyML 0.13.1, but for its rounding of sums to five decimals. For parity tests.
    Undone,
}

/// Rows below which no normal interval is trusted, whatever the metric.
const FEWEST_ROWS: u64 = 20;

/// Estimates of every metric of one chunk; the work that they share is done once.
///
/// ```
/// use modelwatch::kernel::bins::ScoreBins;
/// use modelwatch::kernel::estimate::Estimator;
/// # use modelwatch::kernel::{calibrator::{CalibrationMode, Calibrator}, bins::{Cell, ScoreBin}};
/// # let bin = |score: f64, negatives, positives| {
/// #     let mut bin = ScoreBin { lower: score, upper: score, ..ScoreBin::default() };
/// #     bin.cells[1][0] = Cell { count: negatives, sum: score * negatives as f64 };
/// #     bin.cells[1][1] = Cell { count: positives, sum: score * positives as f64 };
/// #     bin
/// # };
/// # let reference = ScoreBins {
/// #     bins: vec![bin(0.25, 3, 1), bin(0.75, 1, 3)], sums_exact: true, ..ScoreBins::default()
/// # };
/// use modelwatch::kernel::metric::Metric;
/// // reference: 1 of 4 rows at .25 is positive, 3 of 4 at .75; all are predicted positive
/// let calibrator = Calibrator::fit(&reference, CalibrationMode::Always)?;
/// let estimator = Estimator::new(&reference, &calibrator);
/// let accuracy = estimator.reading(Metric::Accuracy, [0.0; 4], 0.95);
/// assert_eq!(accuracy.value, Some(0.5));
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Estimator<'a> {
    pub(crate) calibrator: &'a Calibrator,
    pub(crate) level_variances: Vec<f64>,
    /// Rows with a score, bin by bin in ascending order.
    pub(crate) scored: Vec<Expected>,
    scored_count: u64,
    confusion: ExpectedConfusion,
    /// Gravest reserve that applies to all metrics.
    reserve: Status,
    outside_unit: bool,
    labelled_count: u64,
    predicted_count: u64,
}

impl<'a> Estimator<'a> {
    /// Prepares the estimates of a chunk. Rows without a score, or with one that is NaN or
    /// infinite, take no part; the latter are told by [`Status::InvalidScore`].
    pub fn new(chunk: &ScoreBins, calibrator: &'a Calibrator) -> Self {
        let level_variances = calibrator.level_variances();
        let scored = expect(chunk, calibrator);
        let [predicted_negative, predicted_positive] =
            KNOWN.map(|class| expect_among(&scored, chunk, calibrator, class));
        let rows = count_all(chunk);
        Self {
            reserve: reserve(chunk, &scored, calibrator),
            scored_count: scored.iter().map(|part| part.group.rows as u64).sum(),
            scored,
            confusion: ExpectedConfusion::new(
                &predicted_positive,
                &predicted_negative,
                calibrator,
                &level_variances,
            ),
            outside_unit: first_outside_unit(chunk).is_some(),
            labelled_count: count_cells(&rows, &ANY, &KNOWN),
            predicted_count: count_cells(&rows, &KNOWN, &ANY),
            calibrator,
            level_variances,
        }
    }

    /// Estimate of a metric, its errors, and the interval in which the realized value will lie.
    ///
    /// * `value_matrix`: value of a row by outcome, `[tn, fp, fn, tp]`; read by the business
    ///   values only.
    /// * `confidence_level`: in (0, 1).
    /// * NULL: every number is `None` where the metric is not defined on the chunk.
    pub fn reading(
        &self,
        metric: Metric,
        value_matrix: [f64; 4],
        confidence_level: f64,
    ) -> Reading {
        self.reading_with(metric, value_matrix, confidence_level, Corrections::Applied)
    }

    /// As [`Self::reading`], with the corrections of the ranking metrics applied or undone.
    pub fn reading_with(
        &self,
        metric: Metric,
        value_matrix: [f64; 4],
        confidence_level: f64,
        corrections: Corrections,
    ) -> Reading {
        let used = self.used_count(metric);
        let undefined = |status| Reading::undefined(status, used, self.labelled_count);
        let unfit =
            self.outside_unit && (metric.needs_probability() || self.calibrator.uses_raw_scores());
        if used == 0 {
            let missing = metric.needs_prediction() && self.predicted_count == 0;
            return undefined(match (missing, self.scored.is_empty()) {
                (true, false) => Status::NoPrediction,
                _ => Status::InsufficientData,
            });
        }
        if unfit {
            return undefined(Status::NotAProbability);
        }
        match self.estimate(metric, value_matrix, corrections) {
            Some(estimate) => self.finish(metric, &estimate, confidence_level),
            None => undefined(Status::SingleClass),
        }
    }

    fn estimate(
        &self,
        metric: Metric,
        value_matrix: [f64; 4],
        corrections: Corrections,
    ) -> Option<Estimate> {
        match &metric.spec().formula {
            Formula::Order(own) | Formula::Probability(own) => (own.estimate)(self, corrections),
            _ => self.confusion.estimate(metric, value_matrix),
        }
    }

    fn used_count(&self, metric: Metric) -> u64 {
        if metric.needs_prediction() {
            self.confusion.row_count()
        } else {
            self.scored_count
        }
    }

    fn finish(&self, metric: Metric, estimate: &Estimate, confidence_level: f64) -> Reading {
        let used = self.used_count(metric);
        let (lower, upper) = estimate.prediction_interval(normal_quantile(confidence_level));
        let (least, greatest) = metric.domain();
        let greatest = if metric.is_count() {
            Some(used as f64)
        } else {
            greatest
        };
        let clamp = |x: f64| x.max(least.unwrap_or(x)).min(greatest.unwrap_or(f64::MAX));
        let row_variance = estimate.row_variance;
        let few = Status::FewPositives.only_if(estimate.few || used < FEWEST_ROWS);
        let finite = |x: f64| x.is_finite().then_some(x);
        Reading {
            value: finite(estimate.value),
            approx_error: finite(estimate.slack),
            sampling_error: finite((row_variance + estimate.calibrator_variance).sqrt()),
            row_sampling_error: finite(row_variance.sqrt()),
            lower_bound: finite(clamp(lower)),
            upper_bound: finite(clamp(upper)),
            expectation: estimate.expectation(),
            used_count: used,
            labelled_count: self.labelled_count,
            status: self.reserve.worst(few),
        }
    }
}

fn reserve(chunk: &ScoreBins, scored: &[Expected], calibrator: &Calibrator) -> Status {
    let scores: Vec<(f64, u64)> = scored
        .iter()
        .map(|part| (part.group.mean, part.group.rows as u64))
        .collect();
    let mut reserve = Status::Ok;
    if calibrator.support().is_left_by(&scores) {
        reserve = reserve.worst(Status::Extrapolated);
    }
    if count_cells(&chunk.not_finite, &ANY, &ANY) > 0 {
        reserve = reserve.worst(Status::InvalidScore);
    }
    reserve
}

/// Rows of the chunk by prediction and label, whatever their score.
pub(crate) fn count_all(chunk: &ScoreBins) -> [[u64; 3]; 3] {
    let mut rows = chunk.unscored;
    let scored = chunk
        .bins
        .iter()
        .map(|bin| bin.cells.map(|row| row.map(|cell| cell.count)));
    for cells in scored.chain([chunk.not_finite]) {
        for (sum, count) in rows.iter_mut().flatten().zip(cells.iter().flatten()) {
            *sum += count;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::bins::Class;
    use super::super::calibrator::CalibrationMode;
    use super::super::testing::chunk;
    use super::*;
    use Class::{Negative as N, Positive as P, Unknown as U};

    const REFERENCE: [(f64, Class, Class, u64); 4] = [
        (0.25, N, N, 30),
        (0.25, N, P, 10),
        (0.75, P, N, 10),
        (0.75, P, P, 30),
    ];

    fn calibrator(mode: CalibrationMode) -> Calibrator {
        Calibrator::fit(&chunk(&REFERENCE), mode).unwrap()
    }

    fn status(rows: &[(f64, Class, Class, u64)], metric: Metric, mode: CalibrationMode) -> Status {
        let calibrator = calibrator(mode);
        Estimator::new(&chunk(rows), &calibrator)
            .reading(metric, [0.0; 4], 0.95)
            .status
    }

    #[test]
    fn expected_confusion_by_hand() {
        // 60 rows at c = .25 predicted negative, 40 at .75 predicted positive, 8 without prediction
        let calibrator = calibrator(CalibrationMode::Always);
        let rows = chunk(&[(0.25, N, U, 60), (0.75, P, U, 40), (0.75, U, U, 8)]);
        let estimator = Estimator::new(&rows, &calibrator);
        let reading = |metric| estimator.reading(metric, [1.0, -2.0, -3.0, 4.0], 0.95);
        let value = |metric| reading(metric).value.unwrap();
        assert_eq!(value(Metric::TruePositive), 30.0);
        assert_eq!(value(Metric::Accuracy), 0.75);
        assert_eq!(value(Metric::Recall), 30.0 / 45.0);
        assert_eq!(value(Metric::F1), 60.0 / 85.0);
        // 45 * 1 - 10 * 2 - 15 * 3 + 30 * 4
        assert_eq!(value(Metric::BusinessValue), 100.0);
        let accuracy = reading(Metric::Accuracy);
        assert_eq!(
            (accuracy.used_count, accuracy.approx_error),
            (100, Some(0.0))
        );
        // no spread of the confidence max(c, 1 - c) from row to row
        assert!(accuracy.row_sampling_error.unwrap() < 1e-9);
        // labels: .75 * .25 / 100; levels: .6^2 and .4^2 of (10.5 / 41)(30.5 / 41) / 40
        let levels = (0.36 + 0.16) * (10.5 / 41.0) * (30.5 / 41.0) / 40.0;
        let half = 1.959_963_984_540_054 * (0.1875f64 / 100.0 + levels).sqrt();
        let width = accuracy.upper_bound.unwrap() - accuracy.lower_bound.unwrap();
        assert!((width / 2.0 - half).abs() < 1e-12);
        assert!((accuracy.sampling_error.unwrap() - levels.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn expected_losses_by_hand() {
        let calibrator = calibrator(CalibrationMode::Always);
        let rows = chunk(&[(0.5, N, U, 3)]);
        let estimator = Estimator::new(&rows, &calibrator);
        let value = |metric| estimator.reading(metric, [0.0; 4], 0.95).value.unwrap();
        // between the knots c = .5, equal to the score
        assert_eq!(value(Metric::BrierScore), 0.25);
        assert!((value(Metric::LogLoss) - 2f64.ln()).abs() < 1e-15);
        assert_eq!(value(Metric::CalibrationError), 0.0);
    }

    #[test]
    fn corrections_can_be_undone() {
        let calibrator = calibrator(CalibrationMode::Always);
        let rows = chunk(&[(0.25, N, U, 1), (0.75, P, U, 1)]);
        let estimator = Estimator::new(&rows, &calibrator);
        let undone = |metric| {
            let reading = estimator.reading_with(metric, [0.0; 4], 0.95, Corrections::Undone);
            reading.value.unwrap()
        };
        // c = .25 and .75, self-pairs counted: (.75 (.75 + .25 / 2) + .25 * .75 / 2) / 1
        assert!((undone(Metric::RocAuc) - 0.75).abs() < 1e-15);
        // .75 * .75 / 1 + .25 * 1 / 2
        assert!((undone(Metric::AveragePrecision) - 0.6875).abs() < 1e-15);
    }

    #[test]
    fn missing_parts_are_told() {
        use CalibrationMode::{Always, Never};
        assert_eq!(status(&[], Metric::F1, Always), Status::InsufficientData);
        assert_eq!(
            status(&[(0.5, U, P, 3)], Metric::F1, Always),
            Status::NoPrediction
        );
        assert_eq!(
            status(&[(0.5, N, U, 1)], Metric::RocAuc, Always),
            Status::SingleClass
        );
        assert_eq!(
            status(&[(0.5, N, U, 9)], Metric::Precision, Always),
            Status::SingleClass
        );
        let margin = [(3.5, P, U, 9)];
        assert_eq!(
            status(&margin, Metric::BrierScore, Always),
            Status::NotAProbability
        );
        assert_eq!(
            status(&margin, Metric::Accuracy, Never),
            Status::NotAProbability
        );
        assert_eq!(
            status(&margin, Metric::Accuracy, Always),
            Status::Extrapolated
        );
    }

    #[test]
    fn few_expected_rows_under_a_share_are_told() {
        let tenfold =
            REFERENCE.map(|(score, prediction, label, n)| (score, prediction, label, 10 * n));
        let calibrator = Calibrator::fit(&chunk(&tenfold), CalibrationMode::Always).unwrap();
        // 60 rows at c = .25 and 10 at .75: 22.5 positives, 10 predicted positive
        let rows = chunk(&[(0.25, N, U, 60), (0.75, P, U, 10)]);
        let estimator = Estimator::new(&rows, &calibrator);
        let status = |metric| estimator.reading(metric, [0.0; 4], 0.95).status;
        assert_eq!(status(Metric::Precision), Status::FewPositives);
        assert_eq!(status(Metric::Recall), Status::Ok);
        assert_eq!(status(Metric::RocAuc), Status::Ok);
    }

    #[test]
    fn scores_that_are_not_numbers_are_told_and_left_out() {
        let calibrator = calibrator(CalibrationMode::Always);
        let mut rows = chunk(&[(0.25, N, U, 60), (0.75, P, U, 40)]);
        rows.not_finite[0][2] = 5;
        let reading = Estimator::new(&rows, &calibrator).reading(Metric::F1, [0.0; 4], 0.95);
        assert_eq!(
            (reading.status, reading.used_count),
            (Status::InvalidScore, 100)
        );
    }
}
