//! What a unit of weight does to a metric of a binary classifier.
use super::metric::{ByLabel, Outcomes};

/// Influence of a unit of weight on a metric.
#[derive(Debug)]
pub(super) enum Influences {
    /// By `[tn, fp, fn, tp]`.
    Outcomes(Outcomes),
    /// By label and bin.
    ByLabel(ByLabel),
}

impl Influences {
    fn each(&self) -> impl Iterator<Item = &f64> {
        let (outcomes, by_label) = match self {
            Self::Outcomes(outcomes) => (outcomes.as_slice(), [].as_slice()),
            Self::ByLabel(by_label) => ([].as_slice(), by_label.as_slice()),
        };
        outcomes.iter().chain(by_label.iter().flatten())
    }

    /// The largest magnitude.
    pub fn largest(&self) -> f64 {
        self.each().fold(0.0, |most, z| most.max(z.abs()))
    }

    /// All divided by a number.
    pub fn over(self, scale: f64) -> Self {
        match self {
            Self::Outcomes(outcomes) => Self::Outcomes(outcomes.map(|z| z / scale)),
            Self::ByLabel(labels) => {
                let over = |bins: Vec<f64>| bins.into_iter().map(|z| z / scale).collect();
                Self::ByLabel(labels.map(over))
            }
        }
    }

    /// That of a row; `None` of one that has not what the metric reads.
    pub fn of_row(&self, prediction: Option<bool>, label: bool, bin: Option<usize>) -> Option<f64> {
        match self {
            Self::Outcomes([tn, fp, fn_, tp]) => Some(match (prediction?, label) {
                (false, false) => *tn,
                (true, false) => *fp,
                (false, true) => *fn_,
                (true, true) => *tp,
            }),
            Self::ByLabel([negatives, positives]) => {
                let bins = if label { positives } else { negatives };
                bins.get(bin?).copied()
            }
        }
    }
}
