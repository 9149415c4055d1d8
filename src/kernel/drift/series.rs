//! A series of chunks, each with its distance and its limits.
use super::super::limits::Limits;
use super::super::reading::Status;
use super::super::threshold::Threshold;
use super::super::threshold_text::Judged;
use super::law::Law;
use super::metric::DriftMetric;
use super::reference::{Distance, DriftProfile, DriftReference};
use crate::kernel::KernelError;
use std::collections::HashMap;

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
    pub(super) metric: DriftMetric,
    pub(super) threshold: Threshold,
    pub(super) comparison: Comparison,
    pub(super) dealt: bool,
}

/// Chunks with what each is compared with.
pub(super) struct Compared {
    pub distances: Vec<Result<Distance, Status>>,
    pub laws: Vec<Option<Law>>,
}

impl DriftSeries {
    /// Judges by a metric and a threshold, against the reference.
    ///
    /// Errors: a threshold that [`Threshold::checked`] or [`Threshold::fits`] refuses.
    pub fn new(metric: DriftMetric, threshold: Threshold) -> Result<Self, KernelError> {
        threshold.checked()?.fits(&metric.scale())?;
        Ok(Self {
            metric,
            threshold,
            comparison: Comparison::Reference,
            dealt: false,
        })
    }

    /// The distance.
    pub fn metric(&self) -> DriftMetric {
        self.metric
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

#[cfg(test)]
mod tests {
    use super::super::super::values::{CategoryGroup, CategoryGroups, ValueBins};
    use super::*;
    use crate::kernel::testing::numbers;

    fn categories(counts: &[u64]) -> CategoryGroups {
        let group = |(prefix, &count): (usize, &u64)| CategoryGroup {
            prefix: prefix as u64,
            count,
            category: None,
        };
        CategoryGroups {
            groups: counts.iter().enumerate().map(group).collect(),
            bits: 64,
            ..CategoryGroups::default()
        }
    }

    fn series(metric: DriftMetric, threshold: Threshold) -> DriftSeries {
        DriftSeries::new(metric, threshold).unwrap()
    }

    fn close(x: Option<f64>, expected: f64) {
        let x = x.expect("a number");
        assert!((x - expected).abs() < 1e-12, "{x} is not {expected}");
    }

    #[test]
    fn a_reference_chunk_is_measured_against_the_others() {
        // shares of the first category 1/4, 1/2, 1/2 of 4 rows each; of the others 1/2, 3/8, 3/8
        let parts = [[1, 3], [2, 2], [2, 2]].map(|counts| categories(&counts));
        let reference = DriftReference::categorical(&categories(&[5, 7]));
        let profiles: Vec<DriftProfile> = parts.iter().map(DriftProfile::from).collect();
        let chunk = categories(&[4, 0]);
        let found = series(DriftMetric::LInfinity, Threshold::default())
            .read(&reference, &profiles, &[(&chunk).into()])
            .unwrap();
        let values: Vec<Option<f64>> = found.reference.iter().map(|r| r.value).collect();
        close(values[0], 0.25);
        close(values[1], 0.125);
        close(values[2], 0.125);
        close(found.analysis[0].value, 7.0 / 12.0);
        assert_eq!(found.analysis[0].status, Status::Ok);
        assert!(found.analysis[0].limits.upper > Some(0.3));

        // NannyML: against the whole: 1/4 - 5/12 = -1/6, 1/12, 1/12; mean 1/9, sd sqrt(2)/36
        let stddev = Threshold::standard_deviation(None, Some(3.0)).unwrap();
        let found = series(DriftMetric::LInfinity, stddev)
            .read(&reference, &profiles, &[(&chunk).into()])
            .unwrap();
        close(found.reference[0].value, 1.0 / 6.0);
        let upper = 1.0 / 9.0 + 3.0 * 2.0_f64.sqrt() / 36.0;
        close(found.analysis[0].limits.upper, upper);
        let chi2 = series(DriftMetric::Chi2, stddev).read(&reference, &profiles, &[]);
        assert_eq!(chi2.unwrap().reference[0].limits.upper, None);
    }

    #[test]
    fn a_chunk_can_be_measured_against_the_one_before() {
        let parts = [[1, 3], [2, 2], [2, 2]].map(|counts| categories(&counts));
        let reference = DriftReference::categorical(&categories(&[5, 7]));
        let profiles: Vec<DriftProfile> = parts.iter().map(DriftProfile::from).collect();
        let (one, two) = (categories(&[4, 0]), categories(&[3, 1]));
        let found = series(DriftMetric::LInfinity, Threshold::default())
            .with_comparison(Comparison::Previous)
            .read(&reference, &profiles, &[(&one).into(), (&two).into()])
            .unwrap();
        assert_eq!(found.reference[0].value, None);
        assert_eq!(found.reference[0].status, Status::NoReference);
        close(found.reference[1].value, 0.25);
        close(found.reference[2].value, 0.0);
        close(found.analysis[0].value, 0.5);
        close(found.analysis[1].value, 0.25);
    }

    #[test]
    fn limits_follow_the_size_of_the_chunk_and_the_rate() {
        let spread = |count: u64| {
            let counts: Vec<(f64, u64)> = (0..40).map(|i| (f64::from(i), count)).collect();
            numbers(&counts)
        };
        let reference = DriftReference::continuous(&spread(100));
        let part = spread(20);
        let profiles = [DriftProfile::from(&part); 5];
        let chunks = [spread(1), spread(20)];
        let analysis: Vec<DriftProfile> = chunks.iter().map(DriftProfile::from).collect();
        for metric in DriftMetric::ALL {
            if !metric.applies_to_continuous() {
                continue;
            }
            let upper = |rate: f64| {
                let threshold = Threshold::false_alarm_rate(rate).unwrap();
                let found = series(metric, threshold).read(&reference, &profiles, &analysis);
                found
                    .unwrap()
                    .analysis
                    .iter()
                    .map(|r| r.limits.upper.unwrap())
                    .collect()
            };
            let (usual, rare): (Vec<f64>, Vec<f64>) = (upper(0.0027), upper(1e-6));
            assert!(usual[0] > 2.0 * usual[1], "{metric} {usual:?}");
            assert!(rare[0] > usual[0] && rare[1] > usual[1], "{metric}");
        }
    }

    #[test]
    fn what_does_not_exist_says_why() {
        let empty = numbers(&[]);
        let some = numbers(&[(1.0, 5), (2.0, 5)]);
        let reference = DriftReference::continuous(&some);
        let js = series(DriftMetric::JensenShannon, Threshold::default());
        let one = |reference: &DriftReference, parts: &[DriftProfile], chunk: &ValueBins| {
            js.read(reference, parts, &[chunk.into()]).unwrap().analysis[0]
        };
        let found = one(&reference, &[(&some).into()], &empty);
        assert_eq!(
            (found.value, found.status),
            (None, Status::InsufficientData)
        );
        // one reference chunk: no rest to measure it against, but the law gives limits
        let found = one(&reference, &[(&some).into()], &some);
        assert_eq!(
            (found.value, found.status),
            (Some(0.0), Status::FewReferenceChunks)
        );
        assert!(found.limits.upper.is_some());
        let found = one(&DriftReference::continuous(&empty), &[], &some);
        assert_eq!((found.value, found.status), (None, Status::NoReference));
        let infinite = ValueBins {
            positive_infinities: 1,
            ..some.clone()
        };
        let compare = |metric| reference.compare(&infinite, metric);
        assert_eq!(
            compare(DriftMetric::Wasserstein),
            Err(Status::InfiniteValue)
        );
        // clipped at 2 + 3: 3 / 11 of an interquartile range of 1, less what the shares of 1 and 2 give
        assert!(compare(DriftMetric::WassersteinRobust).is_ok());
        close(
            compare(DriftMetric::KolmogorovSmirnov)
                .ok()
                .map(|d| d.value),
            1.0 / 11.0,
        );
        assert_eq!(compare(DriftMetric::Chi2), Err(Status::InsufficientData));
        let constant = DriftReference::continuous(&numbers(&[(1.0, 9)]));
        let robust = constant.compare(&some, DriftMetric::WassersteinRobust);
        assert_eq!(robust, Err(Status::ReferenceUndefined));
        assert!(constant.compare(&some, DriftMetric::Psi).unwrap().value > 0.5);
    }

    #[test]
    fn a_dealt_reference_says_nothing_about_variation() {
        let parts = [[1, 3], [2, 2], [2, 2]].map(|counts| categories(&counts));
        let reference = DriftReference::categorical(&categories(&[5, 7]));
        let profiles: Vec<DriftProfile> = parts.iter().map(DriftProfile::from).collect();
        let found = series(DriftMetric::JensenShannon, Threshold::default())
            .with_dealt_reference(true)
            .read(&reference, &profiles, &profiles)
            .unwrap();
        assert_eq!(found.analysis[0].status, Status::FewReferenceChunks);
        assert!(found.analysis[0].limits.upper.is_some());
    }

    #[test]
    fn thresholds_outside_the_domain_are_refused() {
        let below = Threshold::Constant {
            lower: None,
            upper: Some(-0.1),
        };
        assert!(DriftSeries::new(DriftMetric::Psi, below).is_err());
        assert!(
            DriftSeries::new(DriftMetric::Psi, Threshold::FalseAlarmRate { rate: 2.0 }).is_err()
        );
    }
}
