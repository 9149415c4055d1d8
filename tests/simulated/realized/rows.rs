//! A labelled row of a model of any kind, and where it is added.
use super::draws::Draws;
use modelwatch::kernel::clustered::ClusterTotals;
use modelwatch::kernel::row_influences::RowInfluences;
use modelwatch::kernel::weighted_profile::WeightedProfile;

/// Most classes of a population.
pub const MOST_CLASSES: usize = 5;

#[derive(Clone, Copy)]
pub enum Row {
    Scored {
        label: bool,
        prediction: bool,
        score: f64,
    },
    Classified {
        label: usize,
        prediction: usize,
        /// That of each of so many classes.
        scores: [Option<f64>; MOST_CLASSES],
        classes: usize,
    },
    Predicted {
        label: f64,
        prediction: f64,
    },
}

/// A population whose rows a model reads.
pub trait Rows {
    /// A label, and what there is to be known of it.
    type Signal;

    fn signal(&self, draws: &mut Draws) -> Self::Signal;

    /// The same label, known with more error: by `noise` times as much as what there is to be known varies.
    fn blurred(&self, signal: &Self::Signal, noise: f64, draws: &mut Draws) -> Self::Signal;

    fn read(&self, signal: &Self::Signal) -> Row;

    fn row(&self, draws: &mut Draws) -> Row {
        draws.next_row();
        self.read(&self.signal(draws))
    }

    /// The same row as this model and a challenger read it, each with noise of its own.
    fn pair(&self, challenger: &Self, noises: [f64; 2], draws: &mut Draws) -> [Row; 2] {
        draws.next_row();
        let signal = self.signal(draws);
        let [a, b] = noises.map(|noise| self.blurred(&signal, noise, draws));
        [self.read(&a), challenger.read(&b)]
    }
}

impl Row {
    /// Label and prediction of a classifier.
    pub fn classes(&self) -> Option<[usize; 2]> {
        match *self {
            Self::Scored {
                label, prediction, ..
            } => Some([label, prediction].map(usize::from)),
            Self::Classified {
                label, prediction, ..
            } => Some([label, prediction]),
            Self::Predicted { .. } => None,
        }
    }

    /// Adds it to a profile of its kind.
    pub fn observe(&self, profile: &mut WeightedProfile, weight: f64) {
        let weight = Some(weight);
        let added = match (profile, self) {
            (
                WeightedProfile::Scores(profile),
                &Self::Scored {
                    label,
                    prediction,
                    score,
                },
            ) => profile.observe(Some(prediction), Some(label), Some(score), weight),
            (
                WeightedProfile::Classes(profile),
                &Self::Classified {
                    label,
                    prediction,
                    scores,
                    classes,
                },
            ) => profile.observe(Some(label), Some(prediction), &scores[..classes], weight),
            (WeightedProfile::Regression(profile), &Self::Predicted { label, prediction }) => {
                profile.observe(Some(label), Some(prediction), weight)
            }
            _ => unreachable!("a row of another kind"),
        };
        added.unwrap();
    }

    /// Adds what it does to the metrics of its chunk.
    pub fn add(&self, influences: &RowInfluences, totals: &mut ClusterTotals, weight: f64) {
        let weight = Some(weight);
        let added = match *self {
            Self::Scored {
                label,
                prediction,
                score,
            } => {
                influences.add_scored(totals, (Some(label), Some(prediction)), Some(score), weight)
            }
            Self::Classified {
                label,
                prediction,
                scores,
                classes,
            } => influences.add_classified(
                totals,
                (Some(label), Some(prediction)),
                &scores[..classes],
                weight,
            ),
            Self::Predicted { label, prediction } => {
                influences.add_predicted(totals, (Some(label), Some(prediction)), weight)
            }
        };
        added.unwrap();
    }
}

/// Rows by label and by prediction.
#[derive(Default)]
pub struct ClassCounts([[u64; MOST_CLASSES]; 2]);

impl ClassCounts {
    pub fn add(&mut self, row: &Row) {
        for (counts, class) in self.0.iter_mut().zip(row.classes().into_iter().flatten()) {
            counts[class] += 1;
        }
    }

    /// Share of the rarest of so many classes among labels or predictions; 1 of a regression.
    pub fn rarest(&self, classes: usize) -> f64 {
        let least = self.0.iter().flat_map(|counts| counts.iter().take(classes));
        let rows: u64 = self.0[0].iter().sum();
        least.min().map_or(1.0, |least| *least as f64 / rows as f64)
    }
}
