//! ROC AUC and average precision of each class against all others, and what its rows do to them.
use super::super::bins::ScoreBins;
use super::super::metric::Metric;
use super::super::realized::Measured;
use super::super::realized::Realized;
use super::super::realized_ranking::LabelledRanking;
use super::joint::range_of;

/// A metric of one class, and the mean influence of rows on it by the range of their score.
pub(super) struct ClassOrder {
    pub measured: Measured,
    /// Ascending ranges, with the influence of a row of another label and of one of the class.
    influences: Vec<(u16, [f64; 2])>,
}

/// The scores of a class against all others.
#[derive(Debug, Clone)]
pub(super) enum ClassScores {
    /// Where each row counts once.
    Rows(ScoreBins),
    /// Where rows count unequally: the class, and the range of each bin.
    Weighted(Box<Realized>, Vec<u16>),
}

impl ClassOrder {
    /// `None` where the metric is not defined.
    pub fn of(scores: &ClassScores, metric: Metric, confidence_level: f64) -> Option<Self> {
        match scores {
            ClassScores::Rows(scores) => {
                let ranking = LabelledRanking::new(scores);
                let measured = match metric {
                    Metric::RocAuc => ranking.roc_auc(confidence_level)?,
                    _ => ranking.average_precision(confidence_level)?,
                };
                let ranges = scores.bins.iter().map(|bin| range_of(bin.lower));
                Self::new(measured, &ranking, metric, ranges)
            }
            ClassScores::Weighted(realized, ranges) => {
                let measured = realized.measure(metric, [0.0; 4], confidence_level)?;
                let ranking = &realized.weighting.as_ref()?.effective().ranking;
                Self::new(measured, ranking, metric, ranges.iter().copied())
            }
        }
    }

    fn new(
        measured: Measured,
        ranking: &LabelledRanking,
        metric: Metric,
        ranges: impl Iterator<Item = u16>,
    ) -> Option<Self> {
        let of_bins = match metric {
            Metric::RocAuc => ranking.influences_on_roc_auc()?,
            _ => ranking.influences_on_average_precision()?,
        };
        let rows = ranking.rows();
        Some(Self {
            measured,
            influences: by_range(ranges.zip(rows.zip(of_bins))),
        })
    }

    /// Mean influence of rows whose score is in a range, of the class or not.
    pub fn influence(&self, range: u16, is_class: bool) -> f64 {
        let after = self
            .influences
            .partition_point(|(start, _)| *start <= range);
        let found = after.checked_sub(1).and_then(|at| self.influences.get(at));
        let [negative, positive] = found.map_or([0.0; 2], |(_, both)| *both);
        if is_class { positive } else { negative }
    }
}

/// Means over the bins of each range, weighted by their rows.
fn by_range(bins: impl Iterator<Item = (u16, ([f64; 2], [f64; 2]))>) -> Vec<(u16, [f64; 2])> {
    let mut sums: Vec<(u16, [f64; 2], [f64; 2])> = Vec::new();
    for (range, (rows, influence)) in bins {
        if sums.last().is_none_or(|(last, ..)| *last != range) {
            sums.push((range, [0.0; 2], [0.0; 2]));
        }
        let Some((_, total, weighted)) = sums.last_mut() else {
            continue;
        };
        for label in [0, 1] {
            let of = |pair: &[f64; 2]| pair.get(label).copied().unwrap_or(0.0);
            if let (Some(total), Some(weighted)) = (total.get_mut(label), weighted.get_mut(label)) {
                *total += of(&rows);
                *weighted += of(&rows) * of(&influence);
            }
        }
    }
    let mean = |rows: f64, weighted: f64| if rows > 0.0 { weighted / rows } else { 0.0 };
    let of = |(range, [n, p], [of_n, of_p]): (u16, [f64; 2], [f64; 2])| {
        (range, [mean(n, of_n), mean(p, of_p)])
    };
    sums.into_iter().map(of).collect()
}
