//! What a row of a binary classifier does to each metric of its chunk.
use super::clustered::ClusterTotals;
use super::digest_limits::Coarseness;
use super::error::KernelError;
use super::influences::Influences;
use super::metric::{Metric, Outcomes};
use super::realized::Realized;
use super::weighted_scores::{WeightedScores, key_of};

/// Influences of the rows of one chunk on metrics, each scaled to at most 1.
#[derive(Debug)]
pub(super) struct ScoreInfluences {
    /// By label: bins, ascending.
    bins: [Vec<u64>; 2],
    level: u8,
    coarseness: Coarseness,
    of_metrics: Vec<Option<Influences>>,
    /// Names of the metrics, and what their influences are to be multiplied by.
    pub scales: Vec<(String, f64)>,
}

impl ScoreInfluences {
    pub fn new(
        chunk: &WeightedScores,
        metrics: &[Metric],
        values: Outcomes,
    ) -> Result<Self, KernelError> {
        let realized = Realized::weighted(chunk)?;
        let groups = chunk.groups()?;
        let bins = [0, 1].map(|label| {
            let of_label = groups.iter().filter(|group| group.label == label);
            of_label.map(|group| group.bin).collect()
        });
        let (mut of_metrics, mut scales) = (vec![], vec![]);
        for metric in metrics {
            let influences = realized.influences(*metric, values);
            let largest = influences.as_ref().map_or(0.0, Influences::largest);
            let scale = if largest > 0.0 { largest } else { 1.0 };
            of_metrics.push(influences.map(|influences| influences.over(scale)));
            scales.push((metric.name().to_owned(), scale));
        }
        Ok(Self {
            bins,
            level: chunk.level(),
            coarseness: chunk.coarseness(),
            of_metrics,
            scales,
        })
    }

    /// Adds a row; one without a label or weight does nothing.
    pub fn add(
        &self,
        totals: &mut ClusterTotals,
        prediction: Option<bool>,
        label: Option<bool>,
        score: Option<f64>,
        weight: f64,
    ) {
        let Some(label) = label else { return };
        let bins = if label { &self.bins[1] } else { &self.bins[0] };
        let key = score.and_then(|score| key_of(score, self.coarseness));
        let bin = key.and_then(|key| bins.binary_search(&(key >> self.level)).ok());
        let influences = self.of_metrics.iter().enumerate();
        for (position, influences) in influences {
            let z = influences
                .as_ref()
                .and_then(|influences| influences.of_row(prediction, label, bin));
            totals.add(position, weight * z.unwrap_or(0.0));
        }
    }
}
