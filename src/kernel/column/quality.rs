//! The quality of a column over a series of chunks, with limits.
use std::collections::HashMap;

use super::super::KernelError;
use super::super::drift::DriftProfile;
use super::super::interval::{FEW, share_interval};
use super::super::limits::{ChunkPoint, Limits};
use super::super::reading::Status;
use super::super::threshold::{Direction, Threshold};
use super::super::threshold_model::ThresholdModel;
use super::super::threshold_text::Judged;
use super::super::variance_model::VarianceModel;
use super::quality_counts::{
    Count, Range, Seen, all_rows, constant_by_chance, is_constant, own_count, ranges_of_others,
};
use super::quality_metric::QualityMetric;
use super::reading::{ColumnChunk, ColumnReading, ColumnReadings};
use super::series::{ColumnSeries, SeriesMetric};
use super::share_law::ShareLaw;

/// How a series of chunks is judged by a measure of quality.
///
/// * NULL rows are in the denominator of every share, and are never unseen or out of range.
/// * A reference chunk is compared with the other reference chunks; under `StandardDeviation`, which is NannyML's,
///   with the whole reference, itself included.
/// * `FalseAlarmRate`: a healthy chunk exceeds its limit with this probability at its own number of rows; see
///   [`ShareLaw`]. For out_of_range the law is free of distribution: of `N` reference rows and `n` more, each order
///   is as likely. For unseen it starts from the reference rows whose category no other chunk has, one more added
///   (I. J. Good, 1953, Biometrika 40, 237-264).
/// * constant alerts where the chance of drawing one value only is smaller than the rate; schema_change always.
pub type QualitySeries = ColumnSeries<QualityMetric>;

/// A value with its errors, before its limits.
type Measured = Result<ColumnReading, Status>;

impl SeriesMetric for QualityMetric {
    fn read(
        series: &ColumnSeries<Self>,
        whole: Option<DriftProfile>,
        reference: &[ColumnChunk],
        analysis: &[ColumnChunk],
    ) -> Result<ColumnReadings, KernelError> {
        let counts = series.counts(whole, reference, analysis);
        let measured: Vec<Measured> = match counts {
            Some(counts) => counts
                .into_iter()
                .map(|count| series.share(count?))
                .collect(),
            None => series.flags(whole, reference, analysis),
        };
        let (of_reference, of_analysis) = measured.split_at(reference.len().min(measured.len()));
        let limits = series.limits(whole, of_reference)?;
        let mut known = HashMap::new();
        let mut judged = |measured: &Measured| match measured {
            Ok(reading) => {
                let limits = *known
                    .entry(reading.used_count)
                    .or_insert_with(|| limits.at(reading.used_count));
                reading.with_limits(limits)
            }
            Err(status) => ColumnReading::undefined(*status, 0),
        };
        Ok(ColumnReadings {
            reference: of_reference.iter().map(&mut judged).collect(),
            analysis: of_analysis.iter().map(&mut judged).collect(),
        })
    }
}

impl QualitySeries {
    /// Rows of the kind in each chunk; `None` for a measure that is no share.
    fn counts(
        &self,
        whole: Option<DriftProfile>,
        reference: &[ColumnChunk],
        analysis: &[ColumnChunk],
    ) -> Option<Vec<Result<Count, Status>>> {
        let chunks = reference.iter().chain(analysis);
        let part = !matches!(self.threshold, Threshold::StandardDeviation { .. });
        match self.metric {
            QualityMetric::Constant | QualityMetric::SchemaChange => None,
            QualityMetric::Unseen => Some(unseen(whole, reference, analysis, part)),
            QualityMetric::OutOfRange => Some(out_of_range(whole, reference, analysis, part)),
            metric => {
                let of =
                    |chunk: &ColumnChunk| own_count(metric, (*chunk)?).ok_or(Status::ChangedType);
                Some(chunks.map(of).collect())
            }
        }
    }

    fn share(&self, count: Count) -> Measured {
        let rows = count.rows as f64;
        if count.rows == 0 {
            return Err(Status::InsufficientData);
        }
        let value = count.hits / rows;
        let few = |hits: u64| {
            let least = hits.min(count.rows - hits);
            (least as f64) < FEW
        };
        let bounds =
            |hits: u64| share_interval(hits as f64, rows, few(hits), self.confidence_level);
        let unsure = (count.most as f64 - count.hits).max(count.hits - count.least as f64);
        let reading = ColumnReading {
            value: Some(value),
            approx_error: Some(unsure / rows),
            sampling_error: Some((value * (1.0 - value) / rows).sqrt()),
            lower_bound: Some(bounds(count.least).0),
            upper_bound: Some(bounds(count.most).1),
            ..ColumnReading::exact(value, count.rows)
        };
        Ok(reading.told_coarse())
    }

    /// Values of the measures that are 0 or 1.
    fn flags(
        &self,
        whole: Option<DriftProfile>,
        reference: &[ColumnChunk],
        analysis: &[ColumnChunk],
    ) -> Vec<Measured> {
        let flag = |flag: bool, rows: u64| ColumnReading::exact(f64::from(u8::from(flag)), rows);
        if self.metric == QualityMetric::Constant {
            let constant = |chunk: &ColumnChunk| -> Measured {
                let (constant, rows) = is_constant((*chunk)?)?;
                Ok(flag(constant, rows))
            };
            return reference.iter().chain(analysis).map(constant).collect();
        }
        let new = whole.is_none() && without_whole(reference) == Status::NewColumn;
        let changed = |chunk: &ColumnChunk| -> Measured {
            match chunk {
                Ok(_) if reference.is_empty() => Err(Status::NoReference),
                Ok(profile) if new => Ok(ColumnReading {
                    status: Status::NewColumn,
                    ..flag(true, all_rows(*profile))
                }),
                Ok(profile) => Ok(flag(false, all_rows(*profile))),
                Err(status @ (Status::AbsentColumn | Status::ChangedType)) => Ok(ColumnReading {
                    status: *status,
                    ..flag(true, 0)
                }),
                Err(status) => Err(*status),
            }
        };
        let of_reference = reference.iter().map(|chunk| match chunk {
            Ok(profile) => Ok(flag(false, all_rows(*profile))),
            Err(status) => Err(*status),
        });
        of_reference.chain(analysis.iter().map(changed)).collect()
    }

    fn limits(
        &self,
        whole: Option<DriftProfile>,
        reference: &[Measured],
    ) -> Result<SeriesLimits, KernelError> {
        let readings: Vec<&ColumnReading> = reference.iter().flatten().collect();
        let constant = matches!(self.threshold, Threshold::Constant { .. });
        if self.metric == QualityMetric::SchemaChange && !constant {
            return Ok(SeriesLimits::Flag { upper: Some(0.0) });
        }
        let Threshold::FalseAlarmRate { rate } = self.threshold else {
            let points: Vec<ChunkPoint> = readings.iter().map(|reading| reading.point()).collect();
            let scale = self.metric.scale();
            let model = ThresholdModel::fit(self.threshold, self.direction, scale, &points)?;
            return Ok(SeriesLimits::Model(model));
        };
        let Some(whole) = whole else {
            return Ok(SeriesLimits::None(without_whole(reference)));
        };
        let told = if self.dealt { 1 } else { readings.len() };
        let status = match told {
            0..3 => Status::FewReferenceChunks,
            _ => Status::Ok,
        };
        Ok(match self.metric {
            QualityMetric::Constant => SeriesLimits::constant(whole, rate, &readings),
            _ => self.share_limits(whole, rate, &readings, status)?,
        })
    }

    /// What the reference says of the share: weights of hits and of other rows, with what is known before any row.
    fn weights(&self, whole: DriftProfile, hits: f64) -> (f64, f64) {
        let rows = all_rows(whole) as f64;
        match (self.metric, whole) {
            (QualityMetric::Unseen, DriftProfile::Categorical(groups)) => {
                let hits = hits.max(Seen::of(groups).once as f64) + 1.0;
                (hits, (rows - hits).max(0.5))
            }
            (QualityMetric::OutOfRange, _) => {
                let hits = hits.max(2.0);
                (hits, (rows + 1.0 - hits).max(0.5))
            }
            _ => (hits + 0.5, (rows - hits).max(0.0) + 0.5),
        }
    }

    fn share_limits(
        &self,
        whole: DriftProfile,
        rate: f64,
        readings: &[&ColumnReading],
        status: Status,
    ) -> Result<SeriesLimits, KernelError> {
        let hits: f64 = readings
            .iter()
            .filter_map(|r| Some(r.value? * r.used_count as f64))
            .sum();
        let (a, b) = self.weights(whole, hits);
        let both = self.metric.has_lower_limit() && self.direction == Direction::Both;
        let tail = if both { rate / 2.0 } else { rate };
        let share = a / (a + b);
        let points: Vec<ChunkPoint> = readings
            .iter()
            .map(|reading| ChunkPoint {
                sampling_error: Some((share * (1.0 - share) / reading.used_count as f64).sqrt()),
                ..reading.point()
            })
            .collect();
        let between = match points.is_empty() {
            true => 0.0,
            false => VarianceModel::fit(tail, &self.metric.scale(), &points, !self.dealt)?.between,
        };
        Ok(SeriesLimits::Share {
            law: ShareLaw::new(a, b, between),
            tail,
            both,
            status,
        })
    }
}

/// `part`: each reference chunk is compared with the others, else with all.
fn unseen(
    whole: Option<DriftProfile>,
    reference: &[ColumnChunk],
    analysis: &[ColumnChunk],
    part: bool,
) -> Vec<Result<Count, Status>> {
    let mut seen = match whole {
        Some(DriftProfile::Categorical(groups)) => Some(Seen::of(groups)),
        _ => None,
    };
    let filled = reference.iter().filter(|chunk| has_rows(chunk)).count();
    let mut of = |chunk: &ColumnChunk, part: bool| match ((*chunk)?, &mut seen) {
        (_, None) => Err(without_whole(reference)),
        (_, Some(_)) if part && filled < 2 => Err(Status::NoReference),
        (DriftProfile::Categorical(groups), Some(seen)) => Ok(seen.unseen(groups, part)),
        _ => Err(Status::ChangedType),
    };
    let mut counts: Vec<Result<Count, Status>> =
        reference.iter().map(|chunk| of(chunk, part)).collect();
    counts.extend(analysis.iter().map(|chunk| of(chunk, false)));
    counts
}

fn out_of_range(
    whole: Option<DriftProfile>,
    reference: &[ColumnChunk],
    analysis: &[ColumnChunk],
    part: bool,
) -> Vec<Result<Count, Status>> {
    let all = whole.and_then(range);
    let mut ranges = vec![all; reference.len()];
    if part {
        let own = |chunk: &ColumnChunk| chunk.ok().and_then(range);
        let own: Vec<Option<Range>> = reference.iter().map(own).collect();
        ranges = ranges_of_others(&own);
    }
    ranges.resize(reference.len() + analysis.len(), all);
    let outside = |(chunk, range): (&ColumnChunk, Option<Range>)| match (*chunk)? {
        DriftProfile::Continuous(values) => match range {
            Some(range) => Ok(range.outside(values)),
            None if whole.is_none() => Err(without_whole(reference)),
            None => Err(Status::NoReference),
        },
        DriftProfile::Categorical(_) => Err(Status::ChangedType),
    };
    reference
        .iter()
        .chain(analysis)
        .zip(ranges)
        .map(outside)
        .collect()
}

/// Why the reference says nothing of a column: it has no rows, or never had the column.
fn without_whole<T>(reference: &[Result<T, Status>]) -> Status {
    let absent = |chunk: &Result<T, Status>| matches!(chunk, Err(Status::AbsentColumn));
    match reference {
        [] => Status::NoReference,
        chunks if chunks.iter().all(absent) => Status::NewColumn,
        _ => Status::ReferenceUndefined,
    }
}

fn has_rows(chunk: &ColumnChunk) -> bool {
    chunk.is_ok_and(|profile| profile.used_count() > 0)
}

fn range(profile: DriftProfile) -> Option<Range> {
    match profile {
        DriftProfile::Continuous(values) => Range::of(values),
        DriftProfile::Categorical(_) => None,
    }
}

/// What gives the limits of a chunk.
enum SeriesLimits {
    /// No limits, and why.
    None(Status),
    /// As learnt from the values of reference chunks.
    Model(ThresholdModel),
    /// The chance of so many rows of a kind.
    Share {
        law: ShareLaw,
        tail: f64,
        both: bool,
        status: Status,
    },
    /// The limit of a value that is 0 or 1.
    Flag { upper: Option<f64> },
    /// The same where a chunk of one value is likelier than the rate up to this number of rows.
    Constant { most_rows: u64 },
}

impl SeriesLimits {
    /// A chunk of one value is no news where the reference has such chunks.
    fn constant(whole: DriftProfile, rate: f64, reference: &[&ColumnReading]) -> Self {
        if reference.is_empty() {
            return Self::None(Status::ReferenceUndefined);
        }
        if reference.iter().any(|reading| reading.value == Some(1.0)) {
            return Self::Flag { upper: None };
        }
        // the chance falls with the number of rows
        let (mut low, mut high) = (0, 1 << 40);
        while low < high {
            let middle = low + (high - low) / 2;
            if constant_by_chance(whole, middle) >= rate {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Self::Constant { most_rows: low }
    }

    fn at(&self, rows: u64) -> Limits {
        let limits = |lower, upper, status| Limits {
            lower,
            upper,
            status,
        };
        match self {
            Self::None(status) => limits(None, None, *status),
            Self::Model(model) => model.limits(&ChunkPoint {
                used_count: rows,
                ..ChunkPoint::default()
            }),
            Self::Share {
                law,
                tail,
                both,
                status,
            } => limits(
                both.then(|| law.lower(rows, *tail)),
                Some(law.upper(rows, *tail)),
                *status,
            ),
            Self::Flag { upper } => limits(None, *upper, Status::Ok),
            Self::Constant { most_rows } => {
                limits(None, (rows >= *most_rows).then_some(0.0), Status::Ok)
            }
        }
    }
}
