//! A series of chunks, each with its distance and its limits.
use super::super::limits::Limits;
use super::super::link::Link;
use super::super::metric::Direction;
use super::super::reading::Status;
use super::super::threshold::{MetricScale, Threshold};
use super::between::{Point, movement};
use super::law::Law;
use super::metric::DriftMetric;
use super::reference::{Distance, DriftProfile, DriftReference};
use crate::kernel::KernelError;
use std::collections::HashMap;

/// From so many reference chunks on, their scatter says something about healthy variation.
const ENOUGH_CHUNKS: usize = 3;

/// What a chunk is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparison {
    /// An analysis chunk with the whole reference, a reference chunk with the rest of it.
    #[default]
    Reference,
    /// Each chunk with the one before; the first analysis chunk with the last of the reference.
    Previous,
}

/// The distance of one chunk and its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftReading {
    /// The distance; `None` where it does not exist.
    pub value: Option<f64>,
    /// Certified, as [`Distance::approx_error`].
    pub approx_error: Option<f64>,
    /// As [`Distance::p_value`].
    pub p_value: Option<f64>,
    /// Rows of the chunk that are neither NULL nor NaN.
    pub used_count: u64,
    /// The limits, and the reserve under which they stand. Apart from those given as constants there is an upper
    /// limit only.
    pub limits: Limits,
    /// Whether the value exists, and under which reserve.
    pub status: Status,
}

/// Readings of all chunks, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DriftReadings {
    /// Of the reference chunks.
    pub reference: Vec<DriftReading>,
    /// Of the analysis chunks.
    pub analysis: Vec<DriftReading>,
}

/// How a series of chunks is judged.
///
/// * `FalseAlarmRate`: a healthy chunk exceeds its limit with this probability. The limit is a quantile of the law
///   of the distance at the chunk's own number of rows, widened by how much healthy populations move.
/// * `StandardDeviation`: NannyML's: every reference chunk is measured against the whole reference, itself included;
///   mean plus a multiple of the population standard deviation; cut at 0, and at 1 for
///   kolmogorov_smirnov. None for chi2, whose value grows with the number of rows.
/// * `Constant`: as given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftSeries {
    metric: DriftMetric,
    threshold: Threshold,
    comparison: Comparison,
    dealt: bool,
}

/// Chunks with what each is compared with.
struct Compared {
    distances: Vec<Result<Distance, Status>>,
    laws: Vec<Option<Law>>,
}

impl DriftSeries {
    /// Judges by a metric and a threshold, against the reference.
    ///
    /// Errors: a threshold that [`Threshold::checked`] or [`Threshold::fits`] refuses.
    pub fn new(metric: DriftMetric, threshold: Threshold) -> Result<Self, KernelError> {
        let (lower, upper) = metric.domain();
        let scale = MetricScale {
            link: Link::Identity,
            lower,
            upper,
            better: Direction::Lower,
            total: false,
        };
        threshold.checked()?.fits(&scale)?;
        Ok(Self {
            metric,
            threshold,
            comparison: Comparison::Reference,
            dealt: false,
        })
    }

    /// The same with another comparison.
    #[must_use]
    pub fn with_comparison(self, comparison: Comparison) -> Self {
        Self { comparison, ..self }
    }

    /// The same where the reference's rows had no order and were dealt into chunks, whose scatter says
    /// nothing about variation over time.
    #[must_use]
    pub fn with_dealt_reference(self, dealt: bool) -> Self {
        Self { dealt, ..self }
    }

    /// Reads all chunks.
    ///
    /// * `reference`: all rows of the reference; `reference_chunks` are the same rows in parts, in order.
    /// * Errors: a false-alarm rate too small to tell from 0.
    pub fn read(
        &self,
        reference: &DriftReference,
        reference_chunks: &[DriftProfile],
        analysis_chunks: &[DriftProfile],
    ) -> Result<DriftReadings, KernelError> {
        let chunks = reference_chunks.len();
        let compared = match self.comparison {
            Comparison::Reference => {
                self.against_reference(reference, reference_chunks, analysis_chunks)
            }
            Comparison::Previous => self.against_previous(reference_chunks, analysis_chunks),
        };
        let limits = self.limits(reference, reference_chunks, &compared)?;
        let sizes = reference_chunks.iter().chain(analysis_chunks);
        let readings = compared.distances.iter().zip(limits).zip(sizes);
        let mut readings: Vec<DriftReading> = readings
            .map(|((distance, limits), profile)| reading(distance, limits, profile.used_count()))
            .collect();
        let analysis = readings.split_off(chunks.min(readings.len()));
        Ok(DriftReadings {
            reference: readings,
            analysis,
        })
    }

    fn against_reference(
        &self,
        reference: &DriftReference,
        reference_chunks: &[DriftProfile],
        analysis_chunks: &[DriftProfile],
    ) -> Compared {
        let whole = matches!(self.threshold, Threshold::StandardDeviation { .. });
        let part = |chunk: &DriftProfile| match whole {
            true => reference.compare(*chunk, self.metric),
            false => reference.compare_part(*chunk, self.metric),
        };
        let rows = reference.rows();
        let mut laws = Laws::new(self.metric, reference);
        let of_part =
            |chunk: &DriftProfile| (chunk.used_count(), rows.saturating_sub(chunk.used_count()));
        let sizes = reference_chunks.iter().map(of_part);
        let sizes = sizes.chain(analysis_chunks.iter().map(|c| (c.used_count(), rows)));
        let wanted = matches!(self.threshold, Threshold::FalseAlarmRate { .. });
        let all = reference_chunks.iter().map(part);
        Compared {
            distances: all
                .chain(
                    analysis_chunks
                        .iter()
                        .map(|c| reference.compare(*c, self.metric)),
                )
                .collect(),
            laws: sizes
                .map(|(chunk, against)| {
                    if wanted {
                        laws.of(chunk, against)
                    } else {
                        None
                    }
                })
                .collect(),
        }
    }

    fn against_previous(
        &self,
        reference_chunks: &[DriftProfile],
        analysis_chunks: &[DriftProfile],
    ) -> Compared {
        let chunks: Vec<&DriftProfile> = reference_chunks.iter().chain(analysis_chunks).collect();
        let mut compared = Compared {
            distances: Vec::with_capacity(chunks.len()),
            laws: Vec::with_capacity(chunks.len()),
        };
        let mut before: Option<DriftReference> = None;
        for chunk in chunks {
            let (distance, law) = match &before {
                None => (Err(Status::NoReference), None),
                Some(before) => (
                    before.compare(*chunk, self.metric),
                    before.law(self.metric, chunk.used_count(), before.rows()),
                ),
            };
            compared.distances.push(distance);
            compared.laws.push(law);
            before = Some(DriftReference::of(*chunk));
        }
        compared
    }

    fn limits(
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
            Threshold::StandardDeviation { lower, upper } => {
                let (lower, upper) = self.scatter(&values, lower, upper);
                fixed(lower, upper, status)
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
        let chunks = reference_chunks
            .iter()
            .filter(|c| c.used_count() > 0)
            .count()
            .max(1);
        let (of_reference, of_analysis) = match self.comparison {
            Comparison::Previous => (2.0, 2.0),
            Comparison::Reference => (
                1.0 + 1.0 / (chunks as f64 - 1.0).max(1.0),
                1.0 + 1.0 / chunks as f64,
            ),
        };
        // the harmonic mean of the sampling variances of the reference chunks
        let presumed = compared
            .laws
            .iter()
            .flatten()
            .next()
            .map_or(0.0, Law::presumed);
        let presumed = presumed * chunks as f64 / reference.rows().max(1) as f64;
        let points: Vec<Point> = compared
            .distances
            .iter()
            .zip(&compared.laws)
            .take(reference_chunks.len())
            .filter_map(|(distance, law)| {
                Some(Point {
                    value: distance.ok()?.value,
                    law: law.clone()?,
                    spread: of_reference,
                })
            })
            .collect();
        let moves = match self.dealt {
            true => presumed,
            false => movement(&points, presumed, rate)?,
        };
        let limit = |(i, law): (usize, &Option<Law>)| {
            let spread = match i < reference_chunks.len() {
                true => of_reference,
                false => of_analysis,
            };
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

/// Laws of one reference, each made once.
struct Laws<'a> {
    metric: DriftMetric,
    reference: &'a DriftReference,
    known: HashMap<(u64, u64), Option<Law>>,
}

impl<'a> Laws<'a> {
    fn new(metric: DriftMetric, reference: &'a DriftReference) -> Self {
        Self {
            metric,
            reference,
            known: HashMap::new(),
        }
    }

    fn of(&mut self, chunk: u64, against: u64) -> Option<Law> {
        let (metric, reference) = (self.metric, self.reference);
        self.known
            .entry((chunk, against))
            .or_insert_with(|| reference.law(metric, chunk, against))
            .clone()
    }
}

fn reading(distance: &Result<Distance, Status>, limits: Limits, used_count: u64) -> DriftReading {
    match distance {
        Ok(distance) => DriftReading {
            value: Some(distance.value),
            approx_error: Some(distance.approx_error),
            p_value: distance.p_value,
            used_count,
            limits,
            status: limits.status,
        },
        Err(status) => DriftReading {
            value: None,
            approx_error: None,
            p_value: None,
            used_count,
            limits,
            status: status.worst(limits.status),
        },
    }
}
