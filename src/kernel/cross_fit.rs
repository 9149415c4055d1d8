//! Ten held-out folds of the reference: do calibrated scores beat raw ones, and how much does
//! the fitted map flatter the ranking metrics?
//!
//! NannyML 0.13.1 asks the first question with ten random splits of rows in file order. A profile
//! has no rows in order, so every row of a bin and class is dealt to a fold by a hash of the two
//! and its number: independent draws, the same for the same data. Folds are **not** balanced
//! along the score: balanced folds share their local noise with the rest of the data, and the
//! optimism that they should reveal stays hidden.
use super::average_precision::average_precision;
use super::calibrator::{Calibrator, Offset};
use super::isotonic;
use super::labelled::LabelledBin;
use super::roc_auc::{Mass, roc_auc};
use super::splitmix::splitmix64;

const FOLDS: usize = 10;
/// Rows of one bin and class beyond this are dealt evenly: at that number the folds' shares are
/// equal to within a few percent anyway, and the cost of hashing stays bounded.
const HASHED_ROWS: u64 = 4096;
/// Ranges of equal row count over which calibration error is compared.
const RANGES: usize = 10;

/// Rows of every bin by class and fold.
pub(crate) struct Folds(Vec<[[u64; FOLDS]; 2]>);

impl Folds {
    pub fn deal(bins: &[LabelledBin]) -> Self {
        Self(
            bins.iter()
                .map(|bin| {
                    let mut classes = [[0; FOLDS]; 2];
                    for ((class, folds), rows) in (0u64..).zip(&mut classes).zip(bin.rows) {
                        deal_cell(folds, bin.score, class, rows);
                    }
                    classes
                })
                .collect(),
        )
    }
}

fn deal_cell(folds: &mut [u64; FOLDS], score: f64, class: u64, rows: u64) {
    let evenly = rows.saturating_sub(HASHED_ROWS) / FOLDS as u64;
    folds.fill(evenly);
    let cell = splitmix64(score.to_bits() ^ class.rotate_left(32));
    for row in 0..rows - evenly * FOLDS as u64 {
        let fold = splitmix64(cell.wrapping_add(row)) % FOLDS as u64;
        if let Some(count) = folds.get_mut(fold as usize) {
            *count += 1;
        }
    }
}

/// Rows of one bin and fold, with the probability from a map fitted on the other nine folds.
#[derive(Clone, Copy)]
struct HeldOut {
    probability: f64,
    rows: f64,
    positives: f64,
}

pub(crate) struct CrossFit<'a> {
    bins: &'a [LabelledBin],
    /// One vector a fold, along the bins.
    folds: Vec<Vec<HeldOut>>,
}

impl<'a> CrossFit<'a> {
    pub fn new(bins: &'a [LabelledBin], folds: &Folds) -> Self {
        let folds = (0..FOLDS)
            .map(|fold| {
                let held = |classes: &[[u64; FOLDS]; 2]| {
                    classes.map(|rows| rows.get(fold).copied().unwrap_or_default())
                };
                let pairs = || bins.iter().zip(&folds.0);
                let knots = isotonic::knots(&isotonic::fit(pairs().map(|(bin, classes)| {
                    let [negatives, positives] = held(classes);
                    bin.point([bin.rows[0] - negatives, bin.rows[1] - positives])
                })));
                pairs()
                    .map(|(bin, classes)| {
                        let [negatives, positives] = held(classes);
                        HeldOut {
                            probability: isotonic::interpolate(&knots, bin.score),
                            rows: (negatives + positives) as f64,
                            positives: positives as f64,
                        }
                    })
                    .collect()
            })
            .collect();
        Self { bins, folds }
    }

    /// Whether calibration error of the cross-fitted scores is strictly below that of raw ones.
    pub fn calibration_helps(&self) -> bool {
        let raw = self.bins.iter().map(|bin| HeldOut {
            probability: bin.score,
            rows: (bin.rows[0] + bin.rows[1]) as f64,
            positives: bin.rows[1] as f64,
        });
        let mut calibrated: Vec<HeldOut> = self.folds.iter().flatten().copied().collect();
        calibrated.retain(|held| held.rows > 0.0);
        calibrated.sort_by(|a, b| a.probability.total_cmp(&b.probability));
        calibrated.dedup_by(|next, kept| {
            let tied = next.probability == kept.probability;
            if tied {
                kept.rows += next.rows;
                kept.positives += next.positives;
            }
            tied
        });
        calibration_error(raw) > calibration_error(calibrated.into_iter())
    }

    /// Estimate minus realized value of roc_auc and average_precision on the reference.
    pub fn offsets(&self, fitted: &Calibrator) -> (Offset, Offset) {
        let held_out: Vec<Mass> = (0..self.bins.len())
            .map(|index| {
                let mut mass = Mass::default();
                for held in self.folds.iter().filter_map(|fold| fold.get(index)) {
                    mass.rows += held.rows;
                    mass.positives += held.rows * held.probability;
                    mass.noise += held.rows * held.probability * (1.0 - held.probability);
                }
                mass
            })
            .collect();
        let realized: Vec<Mass> = self
            .bins
            .iter()
            .map(|bin| Mass::labelled(bin.rows[0], bin.rows[1]))
            .collect();
        let masses = self.in_sample(fitted);
        let auc = |masses: &[Mass]| roc_auc(masses).map(|auc| auc.value);
        let precision = |masses: &[Mass]| average_precision(masses).map(|ap| ap.value);
        let untold = average_precision(&realized).map_or(0.0, |ap| ap.untold());
        let auc_variance = roc_auc(&masses).map_or(0.0, |auc| {
            self.within_blocks(fitted, &masses, auc.gradient(&masses))
        });
        let precision_variance = average_precision(&masses)
            .map_or(0.0, |ap| self.within_blocks(fitted, &masses, ap.gradient()));
        (
            offset([auc(&held_out), auc(&realized)], 0.5, auc_variance),
            offset(
                [precision(&held_out), precision(&realized)],
                untold,
                precision_variance,
            ),
        )
    }

    fn in_sample(&self, fitted: &Calibrator) -> Vec<Mass> {
        self.bins
            .iter()
            .map(|bin| {
                let rows = (bin.rows[0] + bin.rows[1]) as f64;
                let c = isotonic::interpolate(fitted.knots(), bin.score);
                Mass {
                    rows,
                    positives: rows * c,
                    noise: rows * c * (1.0 - c),
                }
            })
            .collect()
    }

    /// Label noise of the realized value that does not move the blocks' levels: in each block the
    /// spread of the gradient around its mean, times the noise of the labels. (What moves the
    /// levels is in the estimate and in the realized value alike and cancels in the offset.)
    fn within_blocks(
        &self,
        fitted: &Calibrator,
        masses: &[Mass],
        gradient: impl Iterator<Item = f64>,
    ) -> f64 {
        let mut total = 0.0;
        let mut block = (usize::MAX, [0.0; 4]);
        let spread = |[rows, sum, squares, noise]: [f64; 4]| {
            if rows > 0.0 {
                (squares - sum * sum / rows).max(0.0) * noise / rows
            } else {
                0.0
            }
        };
        for ((bin, mass), slope) in self.bins.iter().zip(masses).zip(gradient) {
            let (at, _) = fitted.position(bin.score);
            if at != block.0 {
                total += spread(block.1);
                block = (at, [0.0; 4]);
            }
            let parts = [1.0, slope, slope * slope].map(|part| part * mass.rows);
            for (sum, part) in block
                .1
                .iter_mut()
                .zip(parts.into_iter().chain([mass.noise]))
            {
                *sum += part;
            }
        }
        total + spread(block.1)
    }
}

/// From the cross-fitted estimate and the realized value; `chance` is the value of scores that tell nothing.
fn offset([estimate, realized]: [Option<f64>; 2], chance: f64, variance: f64) -> Offset {
    let (Some(estimate), Some(realized)) = (estimate, realized) else {
        return Offset::default();
    };
    Offset {
        value: estimate - realized,
        variance,
        reach: estimate - chance,
    }
}

/// Distance of mean probability and share of positives over ranges of equal row count; rows of
/// one probability that straddle two ranges are shared out in proportion.
fn calibration_error(ascending: impl Iterator<Item = HeldOut> + Clone) -> f64 {
    let total: f64 = ascending.clone().map(|held| held.rows).sum();
    let width = total / RANGES as f64;
    let (mut error, mut gap, mut room) = (0.0, 0.0, width);
    for held in ascending.filter(|held| held.rows > 0.0) {
        let excess = held.probability - held.positives / held.rows;
        let mut rows = held.rows;
        while rows > room {
            error += f64::abs(gap + excess * room);
            rows -= room;
            (gap, room) = (0.0, width);
        }
        gap += excess * rows;
        room -= rows;
    }
    (error + gap.abs()) / total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(count: u64, positives: impl Fn(u64) -> u64) -> Vec<LabelledBin> {
        (1..=count)
            .map(|i| LabelledBin {
                score: i as f64 / (count + 1) as f64,
                rows: [10 - positives(i), positives(i)],
            })
            .collect()
    }

    #[test]
    fn folds_keep_every_row_and_are_roughly_equal() {
        let mut folds = [0; FOLDS];
        deal_cell(&mut folds, 0.3, 1, 100_000);
        assert_eq!(folds.iter().sum::<u64>(), 100_000);
        assert!(folds.iter().all(|&rows| rows.abs_diff(10_000) < 150));
        let mut few = [0; FOLDS];
        deal_cell(&mut few, 0.3, 1, 7);
        assert_eq!(few.iter().sum::<u64>(), 7);
    }

    #[test]
    fn rows_over_two_ranges_are_shared_out() {
        // 20 rows, ranges of 2: eight ranges of the first run (gap .25), two of the second (.5)
        let runs =
            [(0.25, 16.0, 0.0), (0.5, 4.0, 4.0)].map(|(probability, rows, positives)| HeldOut {
                probability,
                rows,
                positives,
            });
        let error = calibration_error(runs.into_iter());
        assert!((error - (0.25 * 16.0 + 0.5 * 4.0) / 20.0).abs() < 1e-15);
    }

    #[test]
    fn miscalibrated_scores_are_calibrated_and_good_ones_left() {
        let half = bins(200, |_| 5);
        assert!(CrossFit::new(&half, &Folds::deal(&half)).calibration_helps());
        let good = bins(9, |i| i);
        assert!(!CrossFit::new(&good, &Folds::deal(&good)).calibration_helps());
    }
}
