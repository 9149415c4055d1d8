//! The limits of a series of chunks.
use super::super::limits::Limits;
use super::super::reading::Status;
use super::super::threshold::Threshold;
use super::between::{Point, movement};
use super::law::Law;
use super::metric::DriftMetric;
use super::reference::{DriftProfile, DriftReference};
use super::series::{Compared, Comparison, DriftSeries};
use crate::kernel::KernelError;

/// From so many reference chunks on, their scatter says something about healthy variation.
const ENOUGH_CHUNKS: usize = 3;

impl DriftSeries {
    /// Limits of all chunks, reference first.
    pub(super) fn limits(
        &self,
        reference: &DriftReference,
        reference_chunks: &[DriftProfile],
        compared: &Compared,
    ) -> Result<Vec<Limits>, KernelError> {
        let values = compared.distances.iter().take(reference_chunks.len());
        let values: Vec<f64> = values.flatten().map(|distance| distance.value).collect();
        let count = compared.distances.len();
        let fixed = |lower: Option<f64>, upper: Option<f64>, status| {
            Ok(vec![
                Limits {
                    lower,
                    upper,
                    status
                };
                count
            ])
        };
        let status = self.status(reference, reference_chunks, &values);
        match self.threshold {
            Threshold::Constant { lower, upper } => fixed(
                lower.map(|x| self.clamped(x)),
                upper.map(|x| self.clamped(x)),
                Status::Ok,
            ),
            // a chunk that lies nearer than usual is no news
            Threshold::StandardDeviation { upper, .. } => {
                let (_, upper) = self.scatter(&values, None, upper);
                fixed(None, upper, status)
            }
            Threshold::FalseAlarmRate { rate } => {
                self.quantiles(rate, reference, reference_chunks, compared, status)
            }
        }
    }

    /// Limits by the law of each chunk.
    fn quantiles(
        &self,
        rate: f64,
        reference: &DriftReference,
        reference_chunks: &[DriftProfile],
        compared: &Compared,
        status: Status,
    ) -> Result<Vec<Limits>, KernelError> {
        let spreads = self.spreads(reference_chunks);
        let presumed = presumed(reference, reference_chunks, compared);
        let moves = match self.dealt {
            true => presumed,
            false => {
                let pairs = compared.distances.iter().zip(&compared.laws);
                let points = pairs
                    .take(reference_chunks.len())
                    .filter_map(|(found, law)| {
                        Some(Point {
                            value: found.ok()?.value,
                            law: law.clone()?,
                            spread: spreads.0,
                        })
                    });
                movement(&points.collect::<Vec<_>>(), presumed, rate)?
            }
        };
        let limit = |(i, law): (usize, &Option<Law>)| {
            let is_reference = i < reference_chunks.len();
            let spread = if is_reference { spreads.0 } else { spreads.1 };
            let upper = law
                .as_ref()
                .map(|law| law.upper_quantile(rate, moves * spread));
            Limits {
                lower: None,
                upper: upper.filter(|x| x.is_finite()).map(|x| self.clamped(x)),
                status,
            }
        };
        Ok(compared.laws.iter().enumerate().map(limit).collect())
    }

    /// How many times the variance of one movement is in the comparison of a reference and of an analysis chunk.
    fn spreads(&self, reference_chunks: &[DriftProfile]) -> (f64, f64) {
        let chunks = chunk_count(reference_chunks);
        match self.comparison {
            Comparison::Previous => (2.0, 2.0),
            Comparison::Reference => (1.0 + 1.0 / (chunks - 1.0).max(1.0), 1.0 + 1.0 / chunks),
        }
    }

    /// Mean minus and plus multiples of the standard deviation.
    fn scatter(
        &self,
        values: &[f64],
        lower: Option<f64>,
        upper: Option<f64>,
    ) -> (Option<f64>, Option<f64>) {
        if values.is_empty() || self.metric == DriftMetric::Chi2 {
            return (None, None);
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        let cut = |x: f64| match self.metric {
            DriftMetric::KolmogorovSmirnov => x.clamp(0.0, 1.0),
            _ => x.max(0.0),
        };
        (
            lower.map(|k| cut(mean - k * deviation)),
            upper.map(|k| cut(mean + k * deviation)),
        )
    }

    fn clamped(&self, x: f64) -> f64 {
        let (lower, upper) = self.metric.domain();
        let x = lower.map_or(x, |end| x.max(end));
        upper.map_or(x, |end| x.min(end))
    }

    fn status(
        &self,
        reference: &DriftReference,
        reference_chunks: &[DriftProfile],
        values: &[f64],
    ) -> Status {
        let told = if self.dealt {
            values.len().min(1)
        } else {
            values.len()
        };
        match self.threshold {
            _ if reference.rows() == 0 => Status::NoReference,
            Threshold::StandardDeviation { .. } if values.is_empty() => Status::ReferenceUndefined,
            _ if reference_chunks.len() > 1 && values.is_empty() => Status::ReferenceUndefined,
            _ if told < ENOUGH_CHUNKS => Status::FewReferenceChunks,
            _ => Status::Ok,
        }
    }
}

/// Presumed variance of a movement: a multiple of the harmonic mean of the reference chunks' sampling variances.
fn presumed(
    reference: &DriftReference,
    reference_chunks: &[DriftProfile],
    compared: &Compared,
) -> f64 {
    let multiple = compared
        .laws
        .iter()
        .flatten()
        .next()
        .map_or(0.0, Law::presumed);
    multiple * chunk_count(reference_chunks) / reference.rows().max(1) as f64
}

/// Reference chunks with rows; at least 1.
fn chunk_count(reference_chunks: &[DriftProfile]) -> f64 {
    let full = reference_chunks
        .iter()
        .filter(|chunk| chunk.used_count() > 0);
    full.count().max(1) as f64
}
