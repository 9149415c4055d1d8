//! Limits of a metric, learnt from reference chunks and applied to chunks of any size.
use super::KernelError;
use super::limits::{ChunkPoint, Limits};
use super::link::Link;
use super::reading::Status;
use super::threshold::{Direction, MetricScale, Threshold};
use super::variance_model::VarianceModel;

/// From so many reference chunks on, their scatter says something about healthy variation.
const ENOUGH_CHUNKS: usize = 3;

/// What the reference says about a metric; gives the limits of any chunk.
///
/// A false-alarm rate is kept on average over the references that might have been drawn. A single
/// reference can be unlucky and stays so: with ten chunks that differ by their sampling error, at
/// a promised 0.27 %, half of the monitors give at most 0.30 % false alarms, one in twenty more
/// than 1.4 % (integrated normal model). The rate holds per chunk and metric; many of both add up.
///
/// Estimates must be fitted on estimates and realized values on realized values: estimates
/// scatter far less, and limits of the other kind would never fire.
///
/// ```
/// use modelwatch::kernel::limits::ChunkPoint;
/// use modelwatch::kernel::metric::Metric;
/// use modelwatch::kernel::threshold::{Direction, MetricScale, Threshold};
/// use modelwatch::kernel::threshold_model::ThresholdModel;
/// let chunk = |value| ChunkPoint { value: Some(value), sampling_error: Some(0.005), used_count: 5_000 };
/// let reference = [0.851, 0.846, 0.855, 0.849, 0.852].map(chunk);
/// let accuracy = MetricScale::of(Metric::Accuracy);
/// let model = ThresholdModel::fit(Threshold::default(), Direction::Both, accuracy, &reference)?;
/// let whole = model.limits(&chunk(0.84));
/// let tenth = model.limits(&ChunkPoint { used_count: 500, ..chunk(0.84) });
/// assert!(whole.lower > tenth.lower && whole.upper < tenth.upper);
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdModel {
    pub(super) rule: Rule,
    pub(super) wants_lower: bool,
    pub(super) wants_upper: bool,
    /// Domain of the value.
    pub(super) lower: Option<f64>,
    pub(super) upper: Option<f64>,
    /// Reference chunks with a value whose scatter counts.
    pub(super) chunks: u32,
    /// Whether there was a reference chunk, with a value or without.
    pub(super) has_reference: bool,
}

/// How limits are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// Limits as given.
    Constant {
        lower: Option<f64>,
        upper: Option<f64>,
    },
    /// The same limits for every chunk, from the scatter of the reference; none where that says nothing.
    Scatter {
        lower: Option<f64>,
        upper: Option<f64>,
    },
    /// Limits by the variance model.
    Variance {
        model: VarianceModel,
        link: Link,
        total: bool,
    },
}

impl ThresholdModel {
    /// Whether the limits are those of a false-alarm rate by the variance model.
    pub(super) fn is_learnt_by_rate(&self) -> bool {
        matches!(self.rule, Rule::Variance { .. })
    }

    /// Learns the limits from reference chunks, given in the order of their chunks.
    ///
    /// * `reference`: chunks whose value is `None` or not finite, or without rows, are left out. A rate needs their
    ///   sampling errors; without any, its limits are the t limits of their scatter, and none from a single chunk.
    /// * Errors: a threshold that [`Threshold::checked`] or [`Threshold::fits`] refuses, values
    ///   too large to square.
    /// * Source: the variance model of random-effects meta-analysis (R. DerSimonian, N. Laird,
    ///   1986, Controlled Clinical Trials 7, 177-188), with the between-chunk variance
    ///   of `between_chunks.rs`.
    pub fn fit(
        threshold: Threshold,
        direction: Direction,
        metric: MetricScale,
        reference: &[ChunkPoint],
    ) -> Result<Self, KernelError> {
        Self::fit_with(threshold, direction, metric, reference, true)
    }

    /// As [`Self::fit`], for a reference whose rows had no order and were dealt into chunks: these are more
    /// alike than chunks of time, so their scatter is not used, and the status says few reference chunks.
    pub fn fit_dealt(
        threshold: Threshold,
        direction: Direction,
        metric: MetricScale,
        reference: &[ChunkPoint],
    ) -> Result<Self, KernelError> {
        Self::fit_with(threshold, direction, metric, reference, false)
    }

    fn fit_with(
        threshold: Threshold,
        direction: Direction,
        metric: MetricScale,
        reference: &[ChunkPoint],
        scatter: bool,
    ) -> Result<Self, KernelError> {
        threshold.checked()?.fits(&metric)?;
        let (wants_lower, wants_upper) = metric.sides(direction);
        let seen =
            |point: &&ChunkPoint| point.value.is_some_and(f64::is_finite) && point.used_count > 0;
        let points: Vec<ChunkPoint> = reference.iter().filter(seen).copied().collect();
        let rule = match threshold {
            Threshold::Constant { lower, upper } => Rule::Constant { lower, upper },
            Threshold::StandardDeviation { lower, upper } => scatter_limits(lower, upper, &points),
            Threshold::FalseAlarmRate { .. } if !tells_variation(&points, scatter) => {
                Rule::Scatter {
                    lower: None,
                    upper: None,
                }
            }
            Threshold::FalseAlarmRate { rate } => {
                let sides = if wants_lower && wants_upper { 2.0 } else { 1.0 };
                let model = VarianceModel::fit(rate / sides, &metric, &points, scatter)?;
                Rule::Variance {
                    model,
                    link: metric.link,
                    total: metric.total,
                }
            }
        };
        let (lower, upper) = (metric.lower, metric.upper);
        let told = if scatter {
            points.len()
        } else {
            points.len().min(1)
        };
        let chunks = u32::try_from(told).unwrap_or(u32::MAX);
        Ok(Self {
            rule,
            wants_lower,
            wants_upper,
            lower,
            upper,
            chunks,
            has_reference: !reference.is_empty(),
        })
    }

    /// Limits of one chunk, clamped to the metric's domain.
    ///
    /// NULL: no limit on a side that is not asked for, on a chunk without rows where limits depend on its size, nor where
    /// the reference does not tell how much healthy chunks differ.
    pub fn limits(&self, point: &ChunkPoint) -> Limits {
        self.limits_around(point, 0.0, 0.0)
    }

    /// The same of a chunk whose level is known to differ from that of the reference by `effect`, with an error of this variance;
    /// of totals per row. Only limits by false-alarm rate move.
    pub(super) fn limits_around(&self, point: &ChunkPoint, effect: f64, variance: f64) -> Limits {
        let (lower, upper) = match &self.rule {
            Rule::Constant { lower, upper } | Rule::Scatter { lower, upper } => (*lower, *upper),
            Rule::Variance { .. } if point.used_count == 0 => (None, None),
            Rule::Variance { model, link, total } => {
                let there = model.moved(effect, variance, *link, point.used_count);
                let (lower, upper) = there.limits(*link, *total, point);
                let rows = if *total { point.used_count as f64 } else { 1.0 };
                (Some(lower * rows), Some(upper * rows))
            }
        };
        let clamp = |x: f64| {
            let x = self.lower.map_or(x, |end| x.max(end));
            self.upper.map_or(x, |end| x.min(end))
        };
        Limits {
            lower: lower.filter(|_| self.wants_lower).map(clamp),
            upper: upper.filter(|_| self.wants_upper).map(clamp),
            status: self.status(),
        }
    }

    fn status(&self) -> Status {
        match (&self.rule, self.chunks as usize) {
            (Rule::Constant { .. }, _) => Status::Ok,
            (_, 0) if self.has_reference => Status::ReferenceUndefined,
            (_, 0) => Status::NoReference,
            (_, k) if k < ENOUGH_CHUNKS => Status::FewReferenceChunks,
            _ => Status::Ok,
        }
    }
}

/// Whether chunks say how far a healthy one may lie from their mean: by a sampling error, or else by their scatter,
/// where that counts and there is any of it.
fn tells_variation(points: &[ChunkPoint], scatter: bool) -> bool {
    let error = |point: &ChunkPoint| point.sampling_error.is_some_and(f64::is_finite);
    points.iter().any(error) || (scatter && points.len() > 1)
}

/// Mean minus and plus multiples of the standard deviation of the values as they stand: of one value it is 0, by
/// NannyML's definition, and the status says that there are few chunks.
fn scatter_limits(lower: Option<f64>, upper: Option<f64>, points: &[ChunkPoint]) -> Rule {
    let values: Vec<f64> = points.iter().filter_map(|p| p.value).collect();
    if values.is_empty() {
        return Rule::Scatter {
            lower: None,
            upper: None,
        };
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    Rule::Scatter {
        lower: lower.map(|k| mean - k * deviation),
        upper: upper.map(|k| mean + k * deviation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::link::Link;
    use crate::kernel::metric;

    const SHARE: MetricScale = MetricScale {
        link: Link::Arcsine,
        lower: Some(0.0),
        upper: Some(1.0),
        better: metric::Direction::Higher,
        total: false,
    };
    const VALUE: MetricScale = MetricScale {
        link: Link::Identity,
        lower: None,
        upper: None,
        ..SHARE
    };

    fn point(value: f64, sampling_error: f64, used_count: u64) -> ChunkPoint {
        ChunkPoint {
            value: Some(value),
            sampling_error: Some(sampling_error),
            used_count,
        }
    }

    fn fit(threshold: Threshold, metric: MetricScale, reference: &[ChunkPoint]) -> ThresholdModel {
        ThresholdModel::fit(threshold, Direction::Both, metric, reference).unwrap()
    }

    fn close(x: Option<f64>, expected: f64) {
        let x = x.expect("a limit");
        assert!((x - expected).abs() < 1e-12, "{x} is not {expected}");
    }

    #[test]
    fn stddev_is_mean_and_population_deviation_without_nulls() {
        // mean 0.5, deviations -0.2, 0, 0.2: sd = sqrt(0.08 / 3), as numpy.nanstd has it
        let null = ChunkPoint {
            value: None,
            ..point(0.0, 0.0, 10)
        };
        let reference = [
            point(0.3, 0.1, 10),
            null,
            point(0.5, 0.1, 10),
            point(0.7, 0.1, 10),
        ];
        let threshold = Threshold::standard_deviation(Some(1.0), Some(3.0)).unwrap();
        let limits = fit(threshold, VALUE, &reference).limits(&point(0.0, 0.0, 999));
        let sd = (0.08_f64 / 3.0).sqrt();
        close(limits.lower, 0.5 - sd);
        close(limits.upper, 0.5 + 3.0 * sd);
        // on a share the upper limit, 0.9899, and then 1.153 are clamped at 1
        close(
            fit(threshold, SHARE, &reference).limits(&null).upper,
            0.5 + 3.0 * sd,
        );
        let four = Threshold::standard_deviation(None, Some(4.0)).unwrap();
        assert_eq!(fit(four, SHARE, &reference).limits(&null).upper, Some(1.0));
    }

    #[test]
    fn stddev_of_totals_stays_in_the_unit_of_the_values() {
        // mean 50, sd 10 whatever the number of rows
        let count = MetricScale {
            lower: Some(0.0),
            upper: None,
            total: true,
            ..SHARE
        };
        let reference = [point(40.0, 1.0, 100), point(60.0, 1.0, 300)];
        let threshold = Threshold::standard_deviation(Some(6.0), Some(3.0)).unwrap();
        let limits = fit(threshold, count, &reference).limits(&point(1.0, 1.0, 7));
        assert_eq!((limits.lower, limits.upper), (Some(0.0), Some(80.0)));
    }

    #[test]
    fn worse_spends_the_rate_on_one_side() {
        let reference = [point(0.8, 0.01, 100); 5];
        let both = fit(Threshold::FalseAlarmRate { rate: 0.02 }, SHARE, &reference);
        let one = ThresholdModel::fit(
            Threshold::FalseAlarmRate { rate: 0.01 },
            Direction::Worse,
            SHARE,
            &reference,
        )
        .unwrap();
        let chunk = point(0.8, 0.01, 100);
        assert_eq!(one.limits(&chunk).lower, both.limits(&chunk).lower);
        assert_eq!(one.limits(&chunk).upper, None);
    }

    #[test]
    fn few_or_no_reference_chunks_say_so() {
        let chunk = point(0.8, 0.01, 100);
        for (count, status) in [
            (1, Status::FewReferenceChunks),
            (2, Status::FewReferenceChunks),
            (3, Status::Ok),
        ] {
            let limits = fit(Threshold::default(), SHARE, &vec![chunk; count]).limits(&chunk);
            assert_eq!(limits.status, status);
            assert!(limits.lower.is_some() && limits.upper.is_some());
        }
        let nothing = ChunkPoint {
            value: None,
            ..chunk
        };
        let limits = fit(Threshold::default(), SHARE, &[nothing]).limits(&chunk);
        assert_eq!(
            (limits.lower, limits.upper, limits.status),
            (None, None, Status::ReferenceUndefined)
        );
        let limits = fit(Threshold::default(), SHARE, &[]).limits(&chunk);
        assert_eq!(limits.status, Status::NoReference);
        // one chunk shows no scatter: limits of no width, and the status says why
        let stddev = Threshold::standard_deviation(Some(3.0), Some(3.0)).unwrap();
        let limits = fit(stddev, SHARE, &[chunk]).limits(&chunk);
        assert_eq!(
            (limits.lower, limits.upper, limits.status),
            (chunk.value, chunk.value, Status::FewReferenceChunks)
        );
        assert_eq!(
            fit(stddev, SHARE, &[chunk, chunk]).limits(&chunk).status,
            Status::FewReferenceChunks
        );
        let constant = Threshold::Constant {
            lower: Some(0.5),
            upper: None,
        };
        let limits = fit(constant, SHARE, &[]).limits(&chunk);
        assert_eq!(
            (limits.lower, limits.upper, limits.status),
            (Some(0.5), None, Status::Ok)
        );
    }

    #[test]
    fn a_smaller_rate_never_narrows_the_limits() {
        let reference = [0.81, 0.79, 0.84, 0.8, 0.77].map(|x| point(x, 0.01, 1000));
        let chunk = point(0.8, 0.02, 250);
        let mut last = (1.0, 0.0);
        for rate in [0.5, 0.1, 0.01, 0.0027, 1e-6, 1e-12] {
            let limits = fit(Threshold::FalseAlarmRate { rate }, SHARE, &reference).limits(&chunk);
            let (lower, upper) = (limits.lower.unwrap(), limits.upper.unwrap());
            assert!(lower <= last.0 && upper >= last.1, "rate {rate}");
            last = (lower, upper);
        }
        let mut last = (1.0, 0.0);
        for k in [0.0, 0.5, 1.0, 3.0, 100.0] {
            let threshold = Threshold::standard_deviation(Some(k), Some(k)).unwrap();
            let limits = fit(threshold, SHARE, &reference).limits(&chunk);
            let (lower, upper) = (limits.lower.unwrap(), limits.upper.unwrap());
            assert!(lower <= last.0 && upper >= last.1, "multiplier {k}");
            last = (lower, upper);
        }
    }
}
