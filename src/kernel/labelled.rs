//! The labelled rows of a reference, bin by bin.
use super::bins::ScoreBins;
use super::error::KernelError;
use super::group::{ANY, Group, KNOWN, count};
use super::isotonic::Point;
use super::support::Support;

/// Labelled rows of one bin of the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LabelledBin {
    /// Mean score; the score itself where the bin is exact.
    pub score: f64,
    /// Rows by label: negative, positive.
    pub rows: [u64; 2],
}

impl LabelledBin {
    pub fn point(&self, rows: [u64; 2]) -> Point {
        Point {
            score: self.score,
            rows: rows[0] + rows[1],
            positives: rows[1],
        }
    }
}

/// Bins of the reference with labelled rows, ascending.
pub(crate) fn labelled_bins(reference: &ScoreBins) -> Vec<LabelledBin> {
    reference
        .bins
        .iter()
        .filter_map(|bin| {
            let group = Group::of(bin, reference.sums_exact, &ANY, &KNOWN)?;
            let rows = KNOWN.map(|label| count(bin, &ANY, &[label]));
            Some(LabelledBin {
                score: group.mean,
                rows,
            })
        })
        .collect()
}

/// Outline of the labelled rows' scores.
pub(crate) fn support_of(labelled: &[LabelledBin]) -> Support {
    let points: Vec<(f64, u64)> = labelled
        .iter()
        .map(|bin| (bin.score, bin.rows[0] + bin.rows[1]))
        .collect();
    Support::new(&points)
}

/// A score of the reference that is certainly outside `[0, 1]`.
pub(crate) fn first_outside_unit(scores: &ScoreBins) -> Option<f64> {
    scores.bins.iter().find_map(|bin| {
        let group = Group::of(bin, scores.sums_exact, &ANY, &ANY)?;
        if group.lower < 0.0 {
            Some(group.lower)
        } else if group.lower > 1.0 || (group.mean_known && group.mean > 1.0) {
            Some(group.mean)
        } else {
            None
        }
    })
}

/// Refuses a reference that cannot be fitted on, and says what was expected.
pub(crate) fn require_both_classes(
    reference: &ScoreBins,
    labelled: &[LabelledBin],
) -> Result<(), KernelError> {
    let undefined = |why: &str| Err(KernelError::Undefined(why.to_owned()));
    if reference.bins.is_empty() {
        return undefined(
            "the reference has no row with a score. Expected rows with a score and a label, of both classes",
        );
    }
    let [negatives, positives] = labelled.iter().fold([0, 0], |[n, p], bin| {
        let [negatives, positives] = bin.rows;
        [n + negatives, p + positives]
    });
    match (negatives, positives) {
        (0, 0) => undefined(
            "no row of the reference has both a score and a label. Expected labelled rows of both classes",
        ),
        (0, _) => undefined(
            "every label of the reference is positive. Expected labelled rows of both classes",
        ),
        (_, 0) => undefined(
            "every label of the reference is negative. Expected labelled rows of both classes",
        ),
        _ => Ok(()),
    }
}
