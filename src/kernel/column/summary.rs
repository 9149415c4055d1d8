//! Summary statistics of a column over a series of chunks, with errors and limits.
use super::super::KernelError;
use super::super::drift::DriftProfile;
use super::super::interval::normal_quantile;
use super::super::limits::{ChunkPoint, Limits};
use super::super::metric::Scale;
use super::super::reading::Status;
use super::super::threshold::Threshold;
use super::super::threshold_model::ThresholdModel;
use super::super::threshold_text::Judged;
use super::super::values::{CategoryGroups, ValueBins};
use super::median_limits::MedianLimits;
use super::moments::{Bounded, can_be_summed, median, median_bounds, spread, sum};
use super::reading::{ColumnChunk, ColumnReading, ColumnReadings};
use super::series::{ColumnSeries, SeriesMetric};
use super::summary_metric::SummaryMetric;

/// Squares of a value, and their sums over chunks, stay finite.
const GREATEST_SQUARED: f64 = 1e140;

/// The limits of a chunk.
type LimitsOf = Box<dyn Fn(&ColumnReading) -> Limits>;

/// How a series of chunks is summarized and judged.
///
/// * NULL and NaN are left out, but count counts NaN, and `used_count` says how many rows are not; with an infinite value,
///   or one too large to be summed, sum, mean and standard deviation do not exist, nor do extremes that are infinite.
/// * Errors are those of the chunk's own rows: of a mean `s / sqrt(n)`, of a count that of a Poisson law, of a median
///   half the distance between two order statistics, over the normal quantile (R. S. Woodruff, 1952, JASA 47,
///   635-646), which needs no density.
/// * Limits are those of [`ThresholdModel`], of a median quantiles of the reference where the
///   reference reaches so far; a sum is judged per row, a count by the reference's own sizes. Extremes and numbers of distinct values have no
///   sampling error and so no false-alarm rate: only constant and stddev give them limits.
pub type SummarySeries = ColumnSeries<SummaryMetric>;

impl SeriesMetric for SummaryMetric {
    fn read(
        series: &ColumnSeries<Self>,
        whole: Option<DriftProfile>,
        reference: &[ColumnChunk],
        analysis: &[ColumnChunk],
    ) -> Result<ColumnReadings, KernelError> {
        let of = |chunk: &ColumnChunk| match chunk {
            Ok(profile) => series.statistic(*profile),
            Err(status) => ColumnReading::undefined(*status, 0),
        };
        let chunks = reference.iter().chain(analysis);
        let mut readings: Vec<ColumnReading> = chunks.map(of).collect();
        let (of_reference, _) = readings.split_at(reference.len());
        let limits = series.limits(whole, reference, of_reference)?;
        for reading in &mut readings {
            *reading = reading.with_limits(limits(reading));
        }
        let analysis = readings.split_off(reference.len().min(readings.len()));
        Ok(ColumnReadings {
            reference: readings,
            analysis,
        })
    }
}

impl SummarySeries {
    /// What gives the limits of a chunk, as the reference chunks say.
    fn limits(
        &self,
        whole: Option<DriftProfile>,
        reference: &[ColumnChunk],
        readings: &[ColumnReading],
    ) -> Result<LimitsOf, KernelError> {
        if let Some(fixed) = self.fixed(readings) {
            return Ok(Box::new(move |_| fixed));
        }
        match (self.threshold, whole) {
            (Threshold::FalseAlarmRate { .. }, _) if !self.metric.has_sampling_error() => {
                let none = ColumnReading::undefined(Status::Ok, 0).limits;
                Ok(Box::new(move |_| none))
            }
            (Threshold::FalseAlarmRate { rate }, Some(DriftProfile::Continuous(values)))
                if self.metric == SummaryMetric::Median =>
            {
                let limits = MedianLimits::fit(values, reference, rate, !self.dealt)?;
                // beyond the reference's numbers there is no quantile: chunks that trend, or few rows
                let beyond = self.model(readings)?;
                Ok(Box::new(move |reading| {
                    let (own, other) = (
                        limits.at(reading.used_count),
                        beyond.limits(&reading.point()),
                    );
                    Limits {
                        lower: own.lower.or(other.lower),
                        upper: own.upper.or(other.upper),
                        ..own
                    }
                }))
            }
            _ => {
                let model = self.model(readings)?;
                let counted = mean_count(readings);
                let point = move |reading: &ColumnReading, metric| match metric {
                    // by its own number of rows, a chunk that lost its rows would be allowed to
                    SummaryMetric::Count => ChunkPoint {
                        sampling_error: None,
                        used_count: counted,
                        ..reading.point()
                    },
                    _ => reading.point(),
                };
                let metric = self.metric;
                Ok(Box::new(move |reading| {
                    model.limits(&point(reading, metric))
                }))
            }
        }
    }

    /// Limits that need no model: of a column that never varied, and of values whose squares are beyond all numbers.
    fn fixed(&self, readings: &[ColumnReading]) -> Option<Limits> {
        let rate = matches!(self.threshold, Threshold::FalseAlarmRate { .. });
        let values = || readings.iter().filter_map(|reading| reading.value);
        let errors = readings.iter().filter_map(|reading| reading.sampling_error);
        let constant = self.metric == SummaryMetric::Std
            && values().count() > 0
            && values().all(|deviation| deviation == 0.0);
        let huge = values().chain(errors).any(|x| x.abs() > GREATEST_SQUARED);
        match (rate, constant, huge) {
            (true, true, _) => Some(Limits {
                lower: Some(0.0),
                upper: Some(0.0),
                status: Status::Ok,
            }),
            (true, _, true) => Some(Limits {
                lower: None,
                upper: None,
                status: Status::InfiniteValue,
            }),
            _ => None,
        }
    }

    fn model(&self, readings: &[ColumnReading]) -> Result<ThresholdModel, KernelError> {
        let learn = match self.dealt {
            true => ThresholdModel::fit_dealt,
            false => ThresholdModel::fit,
        };
        let points: Vec<ChunkPoint> = readings.iter().map(ColumnReading::point).collect();
        learn(self.threshold, self.direction, self.metric.scale(), &points)
    }

    fn statistic(&self, profile: DriftProfile) -> ColumnReading {
        match profile {
            DriftProfile::Continuous(values) => self.of_numbers(values),
            DriftProfile::Categorical(groups) => self.of_categories(groups),
        }
    }

    fn of_categories(&self, groups: &CategoryGroups) -> ColumnReading {
        let rows = groups.rows();
        match self.metric {
            SummaryMetric::Count => self.count(rows),
            SummaryMetric::Distinct if groups.bits == 64 => {
                ColumnReading::exact(groups.groups.len() as f64, rows)
            }
            SummaryMetric::Distinct => ColumnReading::undefined(Status::Coarse, rows),
            _ => ColumnReading::undefined(Status::ChangedType, rows),
        }
    }

    fn of_numbers(&self, values: &ValueBins) -> ColumnReading {
        let infinite = values.positive_infinities + values.negative_infinities;
        let used = values.rows() + infinite;
        let undefined = |status| ColumnReading::undefined(status, used);
        match self.metric {
            SummaryMetric::Count => self.count(used + values.nans),
            _ if used == 0 => undefined(Status::InsufficientData),
            SummaryMetric::Sum | SummaryMetric::Mean | SummaryMetric::Std
                if infinite > 0 || !can_be_summed(values) =>
            {
                undefined(Status::InfiniteValue)
            }
            SummaryMetric::Sum | SummaryMetric::Mean | SummaryMetric::Std => self.moment(values),
            SummaryMetric::Median => self.median(values, used),
            SummaryMetric::Min if values.negative_infinities > 0 => {
                undefined(Status::InfiniteValue)
            }
            SummaryMetric::Max if values.positive_infinities > 0 => {
                undefined(Status::InfiniteValue)
            }
            SummaryMetric::Min => extreme(values, values.bins.first().map(|bin| bin.lower), used),
            SummaryMetric::Max => extreme(values, values.bins.last().map(|bin| bin.upper), used),
            SummaryMetric::Distinct if values.bins.iter().all(|bin| bin.lower == bin.upper) => {
                let apart = [values.positive_infinities, values.negative_infinities];
                let apart = apart.iter().filter(|rows| **rows > 0).count();
                ColumnReading::exact((values.bins.len() + apart) as f64, used)
            }
            SummaryMetric::Distinct => undefined(Status::Coarse),
        }
    }

    fn count(&self, rows: u64) -> ColumnReading {
        let error = (rows as f64).sqrt();
        self.with_errors(
            ColumnReading::exact(rows as f64, rows),
            Some(error),
            Scale::Log,
        )
    }

    fn moment(&self, values: &ValueBins) -> ColumnReading {
        let Some(spread) = spread(values) else {
            return ColumnReading::undefined(Status::InsufficientData, 0);
        };
        let n = spread.rows;
        let deviation = spread.deviation();
        let total = sum(values);
        let (statistic, error, scale) = match self.metric {
            SummaryMetric::Sum => {
                let error = deviation.map(|d| d.value * n.sqrt());
                (Some(total), error, Scale::Identity)
            }
            SummaryMetric::Mean => {
                let mean = Bounded {
                    value: spread.mean,
                    error: total.error / n,
                };
                let error = deviation.map(|d| d.value / n.sqrt());
                (Some(mean), error, Scale::Identity)
            }
            _ => (deviation, spread.error_of_deviation(), Scale::Log),
        };
        match statistic {
            None => ColumnReading::undefined(Status::InsufficientData, values.rows()),
            Some(Bounded { value, error }) if !value.is_finite() || !error.is_finite() => {
                ColumnReading::undefined(Status::InfiniteValue, values.rows())
            }
            Some(found) => self.with_errors(bounded(found, values.rows()), error, scale),
        }
    }

    fn median(&self, values: &ValueBins, rows: u64) -> ColumnReading {
        let Some(found) = median(values) else {
            return ColumnReading::undefined(Status::InfiniteValue, rows);
        };
        let (lower, upper) = median_bounds(values, rows, normal_quantile(self.confidence_level));
        // one confidence level for the error, so that it does not depend on that of the bounds
        let fixed = normal_quantile(0.95);
        let (low, high) = median_bounds(values, rows, fixed);
        let ends = low.zip(high);
        ColumnReading {
            sampling_error: ends.map(|(low, high)| (high - low) / (2.0 * fixed)),
            lower_bound: lower,
            upper_bound: upper,
            ..bounded(found, rows)
        }
        .told_coarse()
    }

    /// With a standard error and the interval that follows on the scale of the statistic.
    fn with_errors(
        &self,
        reading: ColumnReading,
        error: Option<f64>,
        scale: Scale,
    ) -> ColumnReading {
        let Some((value, error)) = reading.value.zip(error.filter(|error| error.is_finite()))
        else {
            return reading;
        };
        let z = normal_quantile(self.confidence_level);
        let (lower, upper) = scale.interval(value, error, z);
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        ColumnReading {
            sampling_error: Some(error),
            lower_bound: finite(lower),
            upper_bound: finite(upper),
            ..reading
        }
        .told_coarse()
    }
}

fn bounded(found: Bounded, rows: u64) -> ColumnReading {
    ColumnReading {
        approx_error: Some(found.error),
        ..ColumnReading::exact(found.value, rows)
    }
}

/// The smallest or largest number; where numbers were coarsened on purpose, it lies somewhere in its bin.
fn extreme(values: &ValueBins, end: Option<f64>, rows: u64) -> ColumnReading {
    let Some(end) = end else {
        return ColumnReading::undefined(Status::InfiniteValue, rows);
    };
    let holds = values
        .bins
        .iter()
        .find(|bin| bin.lower == end || bin.upper == end);
    let width = holds.map_or(0.0, |bin| bin.upper - bin.lower);
    let error = if values.sums_exact { 0.0 } else { width };
    bounded(Bounded { value: end, error }, rows)
}

/// Mean of the counts of the reference chunks, at least 1.
fn mean_count(readings: &[ColumnReading]) -> u64 {
    let counts = || readings.iter().filter_map(|reading| reading.value);
    let mean = counts().sum::<f64>() / counts().count().max(1) as f64;
    mean.max(1.0) as u64
}
