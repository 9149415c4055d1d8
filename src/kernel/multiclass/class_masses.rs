//! The rows of a chunk by their score of one class, with what is expected of them and how it depends on the calibrator.
use super::super::calibrator::Calibrator;
use super::super::digest::DigestLimits;
use super::super::key::Scale;
use super::super::roc_auc::Mass;
use super::joint::range_of;
use super::mass_digest::{MassDigest, Slot, number, number_of_squares};

/// Rows of one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ClassMass {
    /// Rows, expected positives and chance of each row to be compared with itself.
    pub mass: Mass,
    /// Range of the score; see [`range_of`].
    pub range: u16,
    /// Rows predicted to be of another class, and of this one.
    pub predicted: [f64; 2],
    /// Block of the calibrator, and the share of the next one there.
    position: (usize, f64),
    /// A score of the bin.
    pub score: f64,
}

/// One class of a chunk.
#[derive(Debug, Clone)]
pub(super) struct ClassMasses {
    /// Ascending by score.
    pub bins: Vec<ClassMass>,
    /// Whether all rows of each bin have one score.
    pub exact: bool,
    level_variances: Vec<f64>,
}

impl ClassMasses {
    pub fn new(digest: &MassDigest, calibrator: &Calibrator) -> Self {
        let (level, entries) = digest.content();
        let bins = entries.chunk_by(|a, b| a.bins == b.bins);
        Self {
            bins: bins
                .map(|slots| class_mass(slots, level, calibrator))
                .collect(),
            exact: level == DigestLimits::default().min_level,
            level_variances: calibrator.level_variances(),
        }
    }

    pub fn masses(&self) -> Vec<Mass> {
        self.bins.iter().map(|bin| bin.mass).collect()
    }

    /// How much each block's level moves a sum in which a row of each bin has a weight.
    fn loads(&self, weights: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut loads = vec![0.0; self.level_variances.len()];
        for (bin, load) in self.bins.iter().zip(weights) {
            let (block, ramp) = bin.position;
            for (at, share) in [(block, 1.0 - ramp), (block + 1, ramp)] {
                if let Some(sum) = loads.get_mut(at) {
                    *sum += load * share;
                }
            }
        }
        loads
    }

    /// Variance, from the calibrator's levels, of a sum with these weights of a bin.
    pub fn calibrator_variance(&self, weights: impl Iterator<Item = f64>) -> f64 {
        let loads = self.loads(weights);
        loads
            .iter()
            .zip(&self.level_variances)
            .map(|(load, v)| load * load * v)
            .sum()
    }

    /// Variances and covariance of the expected positives among rows predicted to be of the class, and of another.
    pub fn variances_by_prediction(&self) -> [f64; 3] {
        let by = |which: usize| {
            let rows = self
                .bins
                .iter()
                .map(|bin| bin.predicted.get(which).copied().unwrap_or(0.0));
            self.loads(rows)
        };
        let (here, elsewhere) = (by(1), by(0));
        let mut variances = [0.0; 3];
        for ((a, b), v) in here.iter().zip(&elsewhere).zip(&self.level_variances) {
            for (sum, product) in variances.iter_mut().zip([a * a, a * b, b * b]) {
                *sum += product * v;
            }
        }
        variances
    }

    /// Means of a value of each bin by range of the score, weighted by rows; ascending.
    pub fn by_range<const N: usize>(&self, values: &[[f64; N]]) -> Vec<(u16, [f64; N])> {
        let mut sums: Vec<(u16, f64, [f64; N])> = Vec::new();
        for (bin, value) in self.bins.iter().zip(values) {
            if sums.last().is_none_or(|(range, ..)| *range != bin.range) {
                sums.push((bin.range, 0.0, [0.0; N]));
            }
            let Some((_, rows, total)) = sums.last_mut() else {
                continue;
            };
            *rows += bin.mass.rows;
            for (sum, x) in total.iter_mut().zip(value) {
                *sum += bin.mass.rows * x;
            }
        }
        let mean =
            |(range, rows, total): (u16, f64, [f64; N])| (range, total.map(|sum| sum / rows));
        sums.into_iter().map(mean).collect()
    }
}

fn class_mass(slots: &[Slot], level: u8, calibrator: &Calibrator) -> ClassMass {
    let bin = slots.first().map_or(0, |slot| slot.bins[0]);
    let ends = Scale::Score.bin_range(bin, level);
    let score = ends.lower + (ends.upper - ends.lower) / 2.0;
    let sum = |of: fn(&Slot) -> f64| slots.iter().map(of).sum::<f64>();
    let positives = sum(|slot| number(slot.sums.positives));
    let by = |which: u8| {
        let rows = slots.iter().filter(|slot| slot.cell == which);
        rows.map(|slot| slot.sums.rows as f64).sum()
    };
    ClassMass {
        mass: Mass {
            rows: sum(|slot| slot.sums.rows as f64),
            positives,
            noise: (positives - sum(|slot| number_of_squares(slot.sums.squares))).max(0.0),
        },
        range: range_of(ends.lower),
        predicted: [by(0), by(1)],
        position: calibrator.position(score),
        score,
    }
}

/// The value of a range; of the one before where a bin spans several.
pub(super) fn of_range<const N: usize>(ranges: &[(u16, [f64; N])], range: u16) -> [f64; N] {
    let after = ranges.partition_point(|(start, _)| *start <= range);
    let found = after.checked_sub(1).and_then(|at| ranges.get(at));
    found.map_or([0.0; N], |(_, value)| *value)
}
