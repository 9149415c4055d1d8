//! The chunks of a series, each with what its detector says.
use super::super::diagnosis::{Observation, Series};
use super::chart::{Chart, Signal};
use super::in_control::InControl;
use super::method::{ChangeOptions, Method};
use super::pelt::{Segment, segments};

/// Whether a chunk was judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChangeStatus {
    /// It was.
    #[default]
    Ok,
    /// It shows what is to be expected, and is not judged.
    InControl,
    /// It has no value that can be used.
    Gap,
    /// Too few chunks show what is to be expected.
    InsufficientData,
    /// The chunks that show what is to be expected have one value and no errors: how far a chunk may be from it is not known.
    Constant,
}

impl ChangeStatus {
    /// Text in the `status` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::InControl => "in_control",
            Self::Gap => "gap",
            Self::InsufficientData => "insufficient_data",
            Self::Constant => "constant",
        }
    }
}

/// What is said of a chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChangeRow {
    /// The value to be expected; of segments, their level.
    pub expected: Option<f64>,
    /// How far the value is from that, standard normal while nothing changes.
    pub z: Option<f64>,
    /// The statistic of the chart; of segments, how far the level is from the one before, in its standard errors.
    pub statistic: Option<f64>,
    /// How far from 0 the statistic may be.
    pub limit: Option<f64>,
    /// Whether the chart is out; of segments, whether one begins. `None` where the chunk is not judged.
    pub alert: Option<bool>,
    /// Which point of the series the change began at, where there is an alert.
    pub since: Option<usize>,
    /// The rule that is broken.
    pub rule: Option<&'static str>,
    /// Number of the segment, from 0.
    pub segment: Option<u32>,
    /// Whether it was judged.
    pub status: ChangeStatus,
}

/// A detector, whose limits were found once for any number of series.
#[derive(Debug, Clone)]
pub struct Detector {
    options: ChangeOptions,
    chart: Option<Chart>,
}

impl Detector {
    /// With these dials.
    pub fn new(options: ChangeOptions) -> Self {
        let chart = Chart::new(&options);
        Self { options, chart }
    }

    /// What it says of each point of a series, in the order of its points.
    ///
    /// * The reference shows what is to be expected; without one, the first `warm_up` chunks do. Page and Hinkley's chart expects the
    ///   mean of all chunks before, by recursive residuals (R. L. Brown, J. Durbin and J. M. Evans 1975), which are independent of
    ///   each other while nothing changes.
    /// * Gaps are passed over: the chart goes on from the chunk before.
    ///
    /// ```
    /// use modelwatch::kernel::changes::{ChangeOptions, Detector};
    /// use modelwatch::kernel::diagnosis::{Series, SeriesPoint};
    /// let values = [5.0, 5.1, 4.9, 5.0, 5.1, 4.9, 5.0, 5.0, 5.0, 4.2, 4.1, 4.2];
    /// let points = values.iter().zip(0i64..).map(|(value, index)| SeriesPoint {
    ///     index: Some(index),
    ///     value: Some(*value),
    ///     is_usable: true,
    ///     ..SeriesPoint::default()
    /// });
    /// let series = Series::new(points.collect())?;
    /// let rows = Detector::new(ChangeOptions::default()).rows(&series);
    /// let alert = rows.iter().find(|row| row.alert == Some(true));
    /// assert_eq!(alert.and_then(|row| row.since), Some(9));
    /// # Ok::<(), modelwatch::kernel::KernelError>(())
    /// ```
    pub fn rows(&self, series: &Series) -> Vec<ChangeRow> {
        let gap = ChangeRow {
            status: ChangeStatus::Gap,
            ..ChangeRow::default()
        };
        let mut rows = vec![gap; series.points().len()];
        let chunks = series.observations();
        let judged = match &self.chart {
            Some(chart) => charted(series, &chunks, &self.options, chart.clone()),
            None => segmented(series, &chunks, &self.options),
        };
        for (chunk, row) in chunks.iter().zip(judged) {
            if let Some(place) = rows.get_mut(chunk.point) {
                *place = row;
            }
        }
        rows
    }
}

fn is_reference(series: &Series, chunk: &Observation) -> bool {
    series
        .points()
        .get(chunk.point)
        .is_some_and(|point| point.is_reference)
}

/// How many of the observations, which come first, show what is to be expected.
fn in_control(series: &Series, chunks: &[Observation], options: &ChangeOptions) -> usize {
    let has_reference = series.points().iter().any(|point| point.is_reference);
    match has_reference {
        true => chunks
            .iter()
            .take_while(|chunk| is_reference(series, chunk))
            .count(),
        false => options.warm_up.min(chunks.len()),
    }
}

fn charted(
    series: &Series,
    chunks: &[Observation],
    options: &ChangeOptions,
    mut chart: Chart,
) -> Vec<ChangeRow> {
    let (first, later) = chunks.split_at(in_control(series, chunks, options));
    let Some(known) = InControl::of(first, series.has_errors()) else {
        let unknown = ChangeRow {
            status: match InControl::is_shown_by(first, series.has_errors()) {
                true => ChangeStatus::Constant,
                false => ChangeStatus::InsufficientData,
            },
            ..ChangeRow::default()
        };
        return vec![unknown; chunks.len()];
    };
    let mut running = RunningMean::default();
    let moves = options.method == Method::PageHinkley;
    let mut expects = |chunk: &Observation| match moves {
        true => running.pass(chunk, &known),
        false => Some((known.mean, known.z(chunk))),
    };
    let mut rows: Vec<ChangeRow> = first
        .iter()
        .map(|chunk| expected(expects(chunk), ChangeStatus::InControl))
        .collect();
    let mut seen: Vec<(usize, f64)> = vec![];
    for chunk in later {
        let mut row = expected(expects(chunk), ChangeStatus::Ok);
        if let Some(z) = row.z {
            seen.push((chunk.point, z));
            let signal = chart.judge(z);
            row = signalled(row, signal, began(&seen, &signal));
        }
        rows.push(row);
    }
    rows
}

/// The point at which the change behind an alert likely began: of rules, the first chunk that breaks it; else where a step of the
/// level explains the chunks up to now best (T. R. Samuel, J. J. Pignatiello and J. A. Calvin 1998, Quality Engineering 10, 521-527).
fn began(seen: &[(usize, f64)], signal: &Signal) -> Option<usize> {
    if !signal.is_out {
        return None;
    }
    if signal.rule.is_some() {
        return seen.iter().nth_back(signal.ago).map(|(point, _)| *point);
    }
    let newest_first = (1u32..).zip(seen.iter().rev());
    let sums = newest_first.scan(0.0, |sum, (count, (point, z))| {
        *sum += z;
        Some((*point, *sum * *sum / f64::from(count)))
    });
    sums.max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(point, _)| point)
}

fn expected(known: Option<(f64, f64)>, status: ChangeStatus) -> ChangeRow {
    ChangeRow {
        expected: known.map(|(mean, _)| mean),
        z: known.map(|(_, z)| z),
        status,
        ..ChangeRow::default()
    }
}

fn signalled(row: ChangeRow, signal: Signal, began: Option<usize>) -> ChangeRow {
    ChangeRow {
        statistic: Some(signal.statistic),
        limit: Some(signal.limit),
        alert: Some(signal.is_out),
        since: began,
        rule: signal.rule,
        ..row
    }
}

/// The mean of all chunks so far, weighted by inverse variance.
#[derive(Debug, Default)]
struct RunningMean {
    weight: f64,
    mean: f64,
}

impl RunningMean {
    /// What is expected of a chunk and how far it is from that; `None` for the first one.
    fn pass(&mut self, chunk: &Observation, known: &InControl) -> Option<(f64, f64)> {
        let variance = known.variance(chunk);
        let before = (self.weight > 0.0).then(|| {
            let far = (chunk.value - self.mean) / (variance + self.weight.recip()).sqrt();
            (self.mean, known.standardized(far))
        });
        self.weight += variance.recip();
        self.mean += (chunk.value - self.mean) / (variance * self.weight);
        before
    }
}

fn segmented(series: &Series, chunks: &[Observation], options: &ChangeOptions) -> Vec<ChangeRow> {
    let (found, scale) = segments(chunks, series.has_errors(), options.penalty);
    let mut rows = vec![];
    let mut before: Option<Segment> = None;
    for (number, segment) in (0u32..).zip(found) {
        let shift = before.map(|before| {
            let error = (before.variance + segment.variance).sqrt();
            (segment.mean - before.mean) / error
        });
        let shift = shift.filter(|shift| shift.is_finite());
        let within = chunks.get(segment.first..segment.end).unwrap_or_default();
        for (place, chunk) in within.iter().enumerate() {
            let far = (chunk.value - segment.mean) / (chunk.error * scale);
            let begins = place == 0 && before.is_some();
            let counts = shift.is_none_or(|shift| options.side.counts(shift < 0.0, shift > 0.0));
            let is_judged = !is_reference(series, chunk);
            rows.push(ChangeRow {
                expected: Some(segment.mean),
                z: Some(far).filter(|far| far.is_finite()),
                statistic: shift,
                alert: is_judged.then_some(begins && counts),
                since: (begins && counts && is_judged).then_some(chunk.point),
                segment: Some(number),
                status: match is_judged {
                    true => ChangeStatus::Ok,
                    false => ChangeStatus::InControl,
                },
                ..ChangeRow::default()
            });
        }
        before = Some(segment);
    }
    rows
}
