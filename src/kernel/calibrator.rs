//! The map from score to probability, fitted on the reference, with what its error costs.
use super::bins::{Class, ScoreBins};
use super::cross_fit::{CrossFit, Folds};
use super::error::KernelError;
use super::group::{Group, KNOWN, count};
use super::isotonic::{self, Block};
use super::knot_index::KnotIndex;
use super::labelled::{first_outside_unit, labelled_bins, require_both_classes, support_of};
use super::support::Support;

/// Whether scores are calibrated before an estimate reads them as probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CalibrationMode {
    /// If cross-fitted calibrated scores have the smaller calibration error on the reference.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never: the raw score is the probability.
    Never,
}

/// How much the estimate of a metric exceeds its realized value on the reference, when each row
/// is calibrated by a map that has not seen it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Offset {
    /// Estimate minus realized value.
    pub value: f64,
    /// Variance of `value` that the blocks' own errors do not explain.
    pub variance: f64,
    /// How far the cross-fitted estimate lies above that of scores that tell nothing (1/2 for ROC AUC,
    /// the share of positives for average precision).
    pub reach: f64,
}

impl Offset {
    /// The optimism in an estimate that lies `reach` above that of scores that tell nothing.
    ///
    /// A fitted map flatters by ranking rows apart that are not; a chunk whose rows it hardly ranks apart
    /// (one score, one block) is hardly flattered. In proportion, and never more than on the reference.
    pub fn at(self, reach: f64) -> Self {
        let share = reach / self.full_at();
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        Self {
            value: self.value * share,
            variance: self.variance * share * share,
            reach,
        }
    }

    /// By how much [`Self::at`] can change with its argument.
    pub(crate) fn steepness(self) -> f64 {
        let steepness = (self.value / self.full_at()).abs();
        if steepness.is_finite() {
            steepness
        } else {
            0.0
        }
    }

    /// From here on the optimism is all there; no nearer to chance than the optimism itself, or a reference
    /// whose scores hardly tell anything would make it jump.
    fn full_at(self) -> f64 {
        self.reach.max(self.value.abs())
    }
}

/// A calibration map fitted on reference rows: isotonic, with the means to tell its own error.
///
/// The blocks are kept even when raw scores are used: the test that chose them cannot see a
/// small miscalibration, so the error of the isotonic fit is charged all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrator {
    blocks: Vec<Block>,
    knots: Vec<(f64, f64)>,
    index: KnotIndex,
    uses_raw_scores: bool,
    roc_auc: Offset,
    average_precision: Offset,
    decision_gap: [f64; 2],
    support: Support,
}

/// ROC AUC of the fitted levels below which a score says nothing.
///
/// MEASURED (200 runs, 30 % positives; 5 %, median and 95 %): levels follow chance, so that those of scores that say nothing have .5053,
/// .518 and .538 of 2,000 rows, .5007, .5035 and .5074 of 100,000. Scores of which AUC is .3 leave .5000, .5007 and .5031 of 1,000 rows;
/// scores of which it is .51 leave .5099 and more of 2,000.
const INFORMATIVE: f64 = 0.505;

impl Calibrator {
    /// Fits on the rows of the reference that have a score and a label.
    ///
    /// * Source: isotonic regression as scikit-learn defines it; the choice between raw and
    ///   calibrated scores and the offsets come from ten cross-fitted folds, seeded
    ///   by the profile itself.
    /// * Errors: [`KernelError::Undefined`] without labelled rows of both classes;
    ///   [`KernelError::NotAProbability`] for [`CalibrationMode::Never`] when a score lies
    ///   outside `[0, 1]` (`Auto` calibrates then).
    pub fn fit(reference: &ScoreBins, mode: CalibrationMode) -> Result<Self, KernelError> {
        let labelled = labelled_bins(reference);
        require_both_classes(reference, &labelled)?;
        let outside = first_outside_unit(reference);
        let blocks = isotonic::fit(labelled.iter().map(|bin| bin.point(bin.rows)));
        let cross_fit = CrossFit::new(&labelled, &Folds::deal(&labelled));
        let uses_raw_scores = match (mode, outside) {
            (CalibrationMode::Never, Some(score)) => {
                return Err(KernelError::NotAProbability(score));
            }
            (CalibrationMode::Never, None) => true,
            (CalibrationMode::Always, _) | (CalibrationMode::Auto, Some(_)) => false,
            (CalibrationMode::Auto, None) => !cross_fit.calibration_helps(),
        };
        let mut fitted = Self::from_parts(blocks, uses_raw_scores, support_of(&labelled));
        fitted.decision_gap = fitted.gap_by_prediction(reference);
        if !uses_raw_scores {
            (fitted.roc_auc, fitted.average_precision) = cross_fit.offsets(&fitted);
        }
        Ok(fitted)
    }

    /// Whether higher scores did not go with more positives: the map is flat but for chance, so that all estimates are those of chance.
    pub(crate) fn is_uninformative(&self) -> bool {
        isotonic::roc_auc(&self.blocks).is_some_and(|area| area < INFORMATIVE)
    }

    /// The same decision and offsets on other rows: what this calibrator would be without part of its
    /// reference. `None` without labelled rows of both classes.
    pub(crate) fn refit(&self, reference: &ScoreBins) -> Option<Self> {
        let labelled = labelled_bins(reference);
        require_both_classes(reference, &labelled).ok()?;
        let blocks = isotonic::fit(labelled.iter().map(|bin| bin.point(bin.rows)));
        let mut refitted = Self::from_parts(blocks, self.uses_raw_scores, support_of(&labelled));
        refitted.roc_auc = self.roc_auc;
        refitted.average_precision = self.average_precision;
        refitted.decision_gap = refitted.gap_by_prediction(reference);
        Some(refitted)
    }

    fn from_parts(blocks: Vec<Block>, uses_raw_scores: bool, support: Support) -> Self {
        let knots = if uses_raw_scores {
            vec![(0.0, 0.0), (1.0, 1.0)]
        } else {
            isotonic::knots(&blocks)
        };
        Self {
            blocks,
            index: KnotIndex::new(&knots),
            knots,
            uses_raw_scores,
            roc_auc: Offset::default(),
            average_precision: Offset::default(),
            decision_gap: [0.0; 2],
            support,
        }
    }

    /// Restores what [`Self::blocks`] and the other accessors told.
    pub(crate) fn from_stored(
        blocks: Vec<Block>,
        uses_raw_scores: bool,
        [roc_auc, average_precision]: [Offset; 2],
        decision_gap: [f64; 2],
        support: Support,
    ) -> Self {
        Self {
            roc_auc,
            average_precision,
            decision_gap,
            ..Self::from_parts(blocks, uses_raw_scores, support)
        }
    }

    fn gap_by_prediction(&self, reference: &ScoreBins) -> [f64; 2] {
        let (mut gaps, mut rows) = ([0.0; 2], 0.0);
        if self.uses_raw_scores {
            return gaps;
        }
        for bin in &reference.bins {
            for (gap, prediction) in gaps.iter_mut().zip(KNOWN) {
                let Some(group) = Group::of(bin, reference.sums_exact, &[prediction], &KNOWN)
                else {
                    continue;
                };
                let positives = count(bin, &[prediction], &[Class::Positive]) as f64;
                let c = isotonic::interpolate(&self.knots, group.mean);
                *gap += group.rows * c - positives;
                rows += group.rows;
            }
        }
        gaps.map(|gap| if rows > 0.0 { gap / rows } else { 0.0 })
    }

    /// Probability of the positive class at a score; `None` for a score that is not finite, and,
    /// where raw scores are used, for one outside `[0, 1]`.
    pub fn calibrate(&self, score: f64) -> Option<f64> {
        let valid = score.is_finite() && (!self.uses_raw_scores || (0.0..=1.0).contains(&score));
        valid.then(|| self.index.interpolate(&self.knots, score))
    }

    /// Adds to `calibrated` what [`Self::calibrate`] says of each score; false, and nothing is said, where one has no probability.
    pub(crate) fn calibrate_all(&self, scores: &[f64], calibrated: &mut Vec<f64>) -> bool {
        let valid = |x: &f64| x.is_finite() && (!self.uses_raw_scores || (0.0..=1.0).contains(x));
        if !scores.iter().fold(true, |all, score| all & valid(score)) {
            return false;
        }
        self.index.interpolate_all(&self.knots, scores, calibrated);
        true
    }

    /// Corners `(score, probability)` of the map: straight between them, constant outside.
    pub fn knots(&self) -> &[(f64, f64)] {
        &self.knots
    }

    /// Blocks of the isotonic fit, ascending in score and in level.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether the raw score is the probability.
    pub fn uses_raw_scores(&self) -> bool {
        self.uses_raw_scores
    }

    /// Optimism of estimated ROC AUC, to be subtracted; 0 where raw scores are used.
    pub fn roc_auc_offset(&self) -> Offset {
        self.roc_auc
    }

    /// Optimism of estimated average precision, to be subtracted; 0 where raw scores are used.
    pub fn average_precision_offset(&self) -> Offset {
        self.average_precision
    }

    /// On the reference, calibrated probability minus label, summed over the rows predicted negative and
    /// positive, per row of the reference; 0 where raw scores are used.
    ///
    /// A block that spans the decision shares one level on both sides of it, and pooling always errs to
    /// the same side: too many positives among the predicted positives, too few among the others.
    pub(crate) fn decision_gap(&self) -> [f64; 2] {
        self.decision_gap
    }

    /// Outline of the reference's scores.
    pub(crate) fn support(&self) -> &Support {
        &self.support
    }

    /// Where a score lies among the blocks: block `k` and the share of block `k + 1` in the
    /// level there, which is 0 inside a block and grows along the ramp between two.
    pub(crate) fn position(&self, score: f64) -> (usize, f64) {
        let after = self.blocks.partition_point(|block| block.first <= score);
        let at = after.saturating_sub(1);
        match (self.blocks.get(at), self.blocks.get(at + 1)) {
            (Some(here), Some(next)) if score > here.last => {
                let share = (score - here.last) / (next.first - here.last);
                (at, if share.is_finite() { share } else { 0.5 })
            }
            _ => (at, 0.0),
        }
    }

    /// Variance of each block's level: binomial, with half a row of each class added so that a
    /// block of one class is not free of error.
    pub(crate) fn level_variances(&self) -> Vec<f64> {
        self.blocks
            .iter()
            .map(|block| {
                let rows = block.rows as f64;
                let level = (block.positives as f64 + 0.5) / (rows + 1.0);
                level * (1.0 - level) / rows
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::chunk;
    use super::*;
    use Class::{Negative as N, Positive as P, Unknown as U};

    fn fit(rows: &[(f64, Class, Class, u64)], mode: CalibrationMode) -> Calibrator {
        Calibrator::fit(&chunk(rows), mode).unwrap()
    }

    #[test]
    fn knots_are_the_shares_of_positives() {
        let rows = [
            (0.25, U, N, 3),
            (0.25, U, P, 1),
            (0.75, U, N, 1),
            (0.75, P, P, 3),
        ];
        let fitted = fit(&rows, CalibrationMode::Always);
        assert_eq!(fitted.knots(), [(0.25, 0.25), (0.75, 0.75)]);
        assert_eq!(fitted.calibrate(0.5), Some(0.5));
        assert_eq!(fitted.calibrate(9.0), Some(0.75));
        assert_eq!(fitted.calibrate(f64::NAN), None);
        assert_eq!(fitted.position(0.5), (0, 0.5));
        assert_eq!(fitted.position(0.1), (0, 0.0));
    }

    #[test]
    fn unlabelled_rows_do_not_count() {
        let rows = [(0.25, U, N, 2), (0.5, U, U, 7), (0.75, U, P, 2)];
        let fitted = fit(&rows, CalibrationMode::Always);
        assert_eq!(
            fitted.blocks().iter().map(|block| block.rows).sum::<u64>(),
            4
        );
    }

    #[test]
    fn what_cannot_be_fitted_says_what_was_expected() {
        let refused = |rows: &[(f64, Class, Class, u64)]| {
            let error = Calibrator::fit(&chunk(rows), CalibrationMode::Auto).unwrap_err();
            assert!(matches!(error, KernelError::Undefined(_)), "{error}");
            error.to_string()
        };
        assert!(refused(&[]).contains("no row with a score"));
        assert!(refused(&[(0.5, P, U, 9)]).contains("both a score and a label"));
        assert!(refused(&[(0.5, P, P, 9)]).contains("is positive"));
        assert!(refused(&[(0.5, P, N, 9)]).contains("is negative"));
    }

    #[test]
    fn margins_are_calibrated_and_never_used_raw() {
        let rows = [(-2.0, U, N, 50), (1.5, U, P, 50)];
        assert!(!fit(&rows, CalibrationMode::Auto).uses_raw_scores());
        let never = Calibrator::fit(&chunk(&rows), CalibrationMode::Never);
        assert_eq!(never, Err(KernelError::NotAProbability(-2.0)));
    }

    #[test]
    fn raw_scores_keep_the_error_of_the_fit() {
        let rows = [
            (0.25, U, N, 3),
            (0.25, U, P, 1),
            (0.75, U, N, 1),
            (0.75, P, P, 3),
        ];
        let raw = fit(&rows, CalibrationMode::Never);
        assert_eq!(raw.calibrate(0.3), Some(0.3));
        assert_eq!(raw.calibrate(1.5), None);
        assert_eq!(raw.roc_auc_offset(), Offset::default());
        assert!(raw.level_variances().iter().all(|&variance| variance > 0.0));
    }

    #[test]
    fn a_chunk_that_is_not_ranked_apart_is_not_flattered() {
        let offset = Offset {
            value: 0.01,
            variance: 0.0004,
            reach: 0.25,
        };
        assert_eq!(offset.at(0.0).value, 0.0);
        assert_eq!(
            (offset.at(0.125).value, offset.at(0.125).variance),
            (0.005, 0.0001)
        );
        assert_eq!(offset.at(0.4).value, 0.01);
        assert_eq!(offset.at(-0.1).value, 0.0);
        assert_eq!(Offset::default().at(0.0).value, 0.0);
    }

    #[test]
    fn pooling_across_the_decision_is_measured() {
        // 1 of 4 rows below and 0 of 4 above the decision are positive: pooled to 1/8, which takes half
        // a row from the predicted negatives and gives it to the predicted positives
        let rows = [
            (0.4, N, N, 3),
            (0.4, N, P, 1),
            (0.6, P, N, 4),
            (0.9, P, P, 2),
        ];
        let fitted = fit(&rows, CalibrationMode::Always);
        assert_eq!(fitted.decision_gap(), [-0.5 / 10.0, 0.5 / 10.0]);
    }
}
