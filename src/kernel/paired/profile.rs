//! Two models on the same labelled rows of a chunk, of any kind: every metric of the challenger less that of the champion.
//!
//! The error of a difference follows from the difference of what a row does to either metric, which rows tell one by one, or
//! added up by cluster (linearization; for ROC AUC that is E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson 1988, Biometrics 44,
//! 837-845).
use std::collections::BTreeMap;

use super::super::cluster_squares::Told;
use super::super::clustered::reading_name;
use super::super::codec::{Reader, Writer};
use super::super::error::KernelError;
use super::super::metric::{Metric, Outcomes};
use super::super::multiclass::MulticlassMetric;
use super::super::reading::{Reading, Status};
use super::super::regression::RegressionMetric;
use super::super::row_influences::{RowInfluences, parsed};
use super::super::weighted_profile::{RealizedModel, WeightedProfile};
use super::influences::PairedInfluences;
use super::reading::PairedReading;

/// First bytes of a paired profile.
pub const MAGIC: [u8; 4] = *b"MWPP";
const LAYOUT: u8 = 1;

/// Weighted profiles of champion and challenger on the rows that have the output of both, metrics that are asked of them, and
/// what the rows tell of the errors of differences.
#[derive(Debug)]
pub struct PairedProfile {
    models: [WeightedProfile; 2],
    metrics: Vec<String>,
    /// Of outcomes, for business values.
    values: Vec<f64>,
    /// Sums over rows or clusters; nothing before they are known.
    sums: Vec<f64>,
    /// The champion's profile of all its rows.
    champion: Vec<u8>,
}

/// A difference of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricDifference {
    /// The metric.
    pub metric: String,
    /// The class, or label and prediction, that it is of; `None` of the whole.
    pub column_name: Option<String>,
    /// That of the challenger less that of the champion.
    pub reading: PairedReading,
    /// Rows with a label.
    pub labelled_count: u64,
}

impl PairedProfile {
    /// Champion and challenger with metrics by their names.
    pub fn new(models: [WeightedProfile; 2], metrics: Vec<String>, values: Vec<f64>) -> Self {
        Self {
            models,
            metrics,
            values,
            sums: vec![],
            champion: vec![],
        }
    }

    /// What rows do to the differences.
    ///
    /// Errors: a name that is no metric of both profiles, classes that are not the same, and weights whose squares cannot be
    /// summed.
    pub fn influences(&self) -> Result<PairedInfluences, KernelError> {
        let [a, b] = &self.models;
        let of = |model| RowInfluences::new(model, &self.metrics, &self.values);
        PairedInfluences::new([of(a)?, of(b)?])
    }

    /// With sums over rows or clusters, in the order of [`Self::influences`] and as
    /// [`super::super::cluster_squares::ClusterSquares::numbers`] has them, and the champion's profile of all its rows.
    ///
    /// Errors: those of [`Self::influences`], and as many sums as there are no readings.
    pub fn with_squares(self, sums: Vec<f64>, champion: Vec<u8>) -> Result<Self, KernelError> {
        Told::read(&sums, self.influences()?.units.len())?;
        Ok(Self {
            sums,
            champion,
            ..self
        })
    }

    /// The champion's profile of all its rows, as bytes; empty where it is not known.
    pub fn champion(&self) -> &[u8] {
        &self.champion
    }

    /// Every difference that is asked for, with a confidence interval of the population's.
    ///
    /// * NULL: a difference where either metric is not defined, and the error of what only one row or cluster tells.
    /// * Status: that of either metric; `few_positives`, of regressions `few_rows`, where fewer than 20 rows or clusters, or so
    ///   few of equal influence as would tell as much, carry the error.
    ///
    /// Errors: those of [`Self::influences`].
    pub fn readings(&self, confidence_level: f64) -> Result<Vec<MetricDifference>, KernelError> {
        let influences = self.influences()?;
        let told = match self.sums.is_empty() {
            true => None,
            false => Some(Told::read(&self.sums, influences.units.len())?),
        };
        let positions = influences.units.iter().enumerate();
        let positions: BTreeMap<&str, usize> = positions
            .map(|(position, unit)| (unit.name.as_str(), position))
            .collect();
        let few = match self.models {
            [WeightedProfile::Regression(_), _] => Status::FewRows,
            _ => Status::FewPositives,
        };
        let [champion, challenger] = &self.models;
        let champion = self.of_model(champion, confidence_level)?;
        let challenger = self.of_model(challenger, confidence_level)?;
        let difference = |(of_a, of_b): (OfModel, OfModel)| {
            let name = reading_name(&of_a.metric, of_a.column_name.as_deref());
            let position = positions.get(name.as_str());
            let variance = told
                .zip(position)
                .and_then(|(told, position)| influences.variance(told, *position));
            let reserve = variance.map_or(few, |variance| few.only_if(variance.is_few));
            let variance = variance.map(|variance| variance.value);
            let readings = [&of_a.reading, &of_b.reading];
            let reserve = reserve.only_if(of_a.reading.value.is_some());
            let reading = PairedReading::new(readings, variance, reserve, confidence_level);
            MetricDifference {
                reading: match told {
                    Some(told) => reading.with_freedom(told.clusters - 1.0, confidence_level),
                    None => reading,
                },
                labelled_count: of_a.reading.labelled_count,
                metric: of_a.metric,
                column_name: of_a.column_name,
            }
        };
        Ok(champion
            .into_iter()
            .zip(challenger)
            .map(difference)
            .collect())
    }

    fn of_model(&self, model: &WeightedProfile, level: f64) -> Result<Vec<OfModel>, KernelError> {
        let whole = |metric: &str, reading| OfModel {
            metric: metric.to_owned(),
            column_name: None,
            reading,
        };
        Ok(match RealizedModel::weighted(model)? {
            RealizedModel::Scores(chunk) => {
                let values = Outcomes::try_from(self.values.as_slice()).unwrap_or_default();
                let of = |m: Metric| whole(m.name(), chunk.reading(m, values, level));
                parsed(&self.metrics, Metric::parse)?
                    .into_iter()
                    .map(of)
                    .collect()
            }
            RealizedModel::Regression(chunk) => {
                let of = |m: RegressionMetric| whole(m.name(), chunk.reading(m, level));
                let metrics = parsed(&self.metrics, RegressionMetric::parse)?;
                metrics.into_iter().map(of).collect()
            }
            RealizedModel::Classes(chunk) => {
                let of = |m: MulticlassMetric| {
                    let readings = chunk.readings(m, &self.values, level).into_iter();
                    readings.map(move |found| OfModel {
                        metric: m.name().to_owned(),
                        column_name: found.column_name,
                        reading: found.reading,
                    })
                };
                let metrics = parsed(&self.metrics, MulticlassMetric::parse)?;
                metrics.into_iter().flat_map(of).collect()
            }
        })
    }

    /// The champion's profile of the rows that have the output of both models.
    pub fn profile(&self) -> &WeightedProfile {
        let [champion, _] = &self.models;
        champion
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let models: usize = self.models.iter().map(WeightedProfile::heap_size).sum();
        models + self.champion.capacity()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(self.metrics.len() as u64);
        let metrics = self.metrics.iter();
        metrics.for_each(|name| w.bytes(name.as_bytes()));
        for numbers in [&self.values, &self.sums] {
            w.uint(numbers.len() as u64);
            numbers.iter().for_each(|number| w.float(*number));
        }
        w.bytes(&self.champion);
        let models = self.models.iter();
        models.for_each(|model| w.bytes(&model.to_bytes()));
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "paired profile")?;
        let mut metrics = vec![];
        for _ in 0..r.length(1)? {
            metrics.push(String::from_utf8_lossy(r.bytes()?).into_owned());
        }
        let mut numbers = || -> Result<Vec<f64>, KernelError> {
            let length = r.length(8)?;
            (0..length).map(|_| r.float()).collect()
        };
        let (values, sums) = (numbers()?, numbers()?);
        let champion = r.bytes()?.to_vec();
        let a = WeightedProfile::from_bytes(r.bytes()?)?;
        let b = WeightedProfile::from_bytes(r.bytes()?)?;
        r.finish()?;
        if a.kind() != b.kind() || sums.iter().any(|sum| sum.is_nan() || *sum < 0.0) {
            return Err(KernelError::Unreadable("profiles that are no pair".into()));
        }
        Ok(Self {
            models: [a, b],
            metrics,
            values,
            sums,
            champion,
        })
    }
}

/// A reading of one of two models.
struct OfModel {
    metric: String,
    column_name: Option<String>,
    reading: Reading,
}
