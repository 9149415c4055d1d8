//! Each chunk of a KPI held against what performance says of it.
use std::collections::BTreeMap;

use super::super::interval::student_quantile;
use super::super::side::Side;
use super::chart::Chart;
use super::control_limits::ControlLimits;
use super::matched::KpiChunk;
use super::member::{Member, Row};
use super::predictor::{FURTHEST, Predictor};
use super::regression::dot;
use super::scaling::Scaling;
use super::verdict::{KpiStatus, Verdict};

/// Chunks of the reference that are needed, and one more for each control.
const FEWEST: usize = 24;

/// How a KPI is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KpiOptions {
    /// Most chunks by which the KPI may come later than the performance that explains it.
    pub max_lag: u32,
    /// Chance of any alarm within the horizon where nothing is wrong.
    pub alpha: f64,
    /// Chunks for which `alpha` holds; `None`: those of the analysis.
    pub horizon: Option<u32>,
    /// On which side of what is expected the KPI alarms.
    pub side: Side,
}

impl Default for KpiOptions {
    fn default() -> Self {
        Self {
            max_lag: 0,
            alpha: 0.05,
            horizon: None,
            side: Side::Both,
        }
    }
}

/// What is said of a chunk. Numbers that do not exist are `None`; what is said of the reference is said with all of it known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KpiRow {
    /// The KPI that was expected before it was seen: of the performance that explains it, of controls, and of the KPI before.
    pub expected: Option<f64>,
    /// A KPI below it is out by itself.
    pub lower: Option<f64>,
    /// A KPI above it is out by itself.
    pub upper: Option<f64>,
    /// How far the KPI is from what was expected, as a standard normal number, from -8 to 8.
    pub z: Option<f64>,
    /// The larger CUSUM of z: below 0 of losses, above 0 of gains.
    pub cusum: Option<f64>,
    /// A CUSUM further from 0 is out.
    pub cusum_limit: Option<f64>,
    /// Chunks by which the KPI comes later than the performance that explains it.
    pub lag: Option<u32>,
    /// By how much performance moves the KPI from where it was on average in the reference.
    pub performance_effect: Option<f64>,
    /// The KPI less what performance and controls make it by the reference.
    pub unexplained: Option<f64>,
    /// What is wrong.
    pub verdict: Option<Verdict>,
    /// Whether the KPI is not explained.
    pub alert: Option<bool>,
    /// Why there is no verdict, or a reserve.
    pub status: KpiStatus,
}

/// Says of each chunk whether its KPI is explained by performance.
///
/// * Shape: chunks as [`match_chunks`](super::match_chunks) gives them; a row for each.
/// * NULL rule: no verdict on chunks of the reference, and where `status` says why.
pub fn kpi_divergence(chunks: &[KpiChunk], options: &KpiOptions) -> Vec<KpiRow> {
    let rows = Rows::new(chunks);
    let unjudged = |why: KpiStatus| {
        let of = |chunk: &KpiChunk| KpiRow {
            status: rows.missing(chunk, &[0]).unwrap_or(why),
            ..KpiRow::default()
        };
        chunks.iter().map(of).collect()
    };
    match Judge::new(chunks, options) {
        Ok(judge) => judge.judge(chunks),
        Err(why) => unjudged(why),
    }
}

/// Chunks by place; of a split one the part of the analysis.
struct Rows<'a> {
    by_place: BTreeMap<u32, &'a KpiChunk>,
}

impl<'a> Rows<'a> {
    fn new(chunks: &'a [KpiChunk]) -> Self {
        let whole = chunks.iter().filter(|chunk| !chunk.is_split);
        Self {
            by_place: whole.map(|chunk| (chunk.place, chunk)).collect(),
        }
    }

    /// The chunk that explains another one.
    fn before(&self, chunk: &KpiChunk, lag: u32) -> Option<&'a KpiChunk> {
        let place = chunk.place.checked_sub(lag)?;
        self.by_place.get(&place).copied()
    }

    /// What a chunk lacks under one of these lags.
    fn missing(&self, chunk: &KpiChunk, lags: &[u32]) -> Option<KpiStatus> {
        let has = |lag: &u32| {
            let before = self.before(chunk, *lag);
            before.is_some_and(|before| before.performance.is_some())
        };
        if chunk.is_split {
            Some(KpiStatus::SplitChunk)
        } else if chunk.performance.is_none() || !lags.iter().all(has) {
            Some(KpiStatus::MissingPerformance)
        } else if chunk.kpi.is_none() {
            Some(KpiStatus::MissingKpi)
        } else if chunk.controls.is_none() {
            Some(KpiStatus::MissingControl)
        } else {
            None
        }
    }
}

/// Units of the reference.
struct Scaled {
    performance: Scaling,
    kpi: Scaling,
    controls: Vec<Scaling>,
}

impl Scaled {
    fn new(history: &[&KpiChunk], rows: &Rows<'_>) -> Self {
        let kpis: Vec<f64> = history.iter().filter_map(|chunk| chunk.kpi).collect();
        let known = rows.by_place.values().filter(|chunk| chunk.is_reference);
        let performances: Vec<f64> = known.filter_map(|chunk| chunk.performance).collect();
        let controls = history.iter().filter_map(|chunk| chunk.controls.as_ref());
        let controls: Vec<&Vec<f64>> = controls.collect();
        let count = controls.first().map_or(0, |controls| controls.len());
        let control = |at: usize| -> Vec<f64> {
            let values = controls.iter().filter_map(|of| of.get(at));
            values.copied().collect()
        };
        Self {
            performance: Scaling::of(&performances),
            kpi: Scaling::of(&kpis),
            controls: (0..count).map(|at| Scaling::of(&control(at))).collect(),
        }
    }

    /// What a chunk is under a lag; `None` where it lacks something.
    fn row(&self, chunk: &KpiChunk, lag: Option<u32>, rows: &Rows<'_>) -> Option<Row> {
        let mut regressors = vec![1.0];
        let mut noise = 0.0;
        if let Some(lag) = lag {
            let before = rows.before(chunk, lag)?;
            regressors.push(self.performance.apply(before.performance?));
            noise = (before.sampling_error / self.performance.unit).powi(2);
        }
        let controls = chunk.controls.as_ref()?.iter().zip(&self.controls);
        regressors.extend(controls.map(|(value, scaling)| scaling.apply(*value)));
        Some(Row {
            place: chunk.place,
            regressors,
            noise: noise.min(1e12),
            response: self.kpi.apply(chunk.kpi?),
        })
    }
}

/// Whether performance is out of control.
struct PerformanceChart {
    /// Whether alerts of the relation say so.
    has_alerts: bool,
    mean: f64,
    variance: f64,
    mean_noise: f64,
    limit: f64,
}

impl PerformanceChart {
    fn new(chunks: &[KpiChunk], limits: &ControlLimits) -> Self {
        let analysis = chunks.iter().filter(|chunk| !chunk.is_reference);
        let known = chunks.iter().filter(|chunk| chunk.is_reference);
        let known: Vec<(f64, f64)> = known
            .filter_map(|chunk| Some((chunk.performance?, chunk.sampling_error)))
            .collect();
        let count = known.len() as f64;
        let mean = known.iter().map(|(x, _)| x / count).sum::<f64>();
        let square = known.iter().map(|(x, _)| (x - mean).powi(2)).sum::<f64>();
        let freedom = (count - 1.0).max(1.0);
        Self {
            has_alerts: analysis
                .filter_map(|chunk| chunk.performance_alert)
                .next()
                .is_some(),
            mean,
            variance: square / freedom * (1.0 + 1.0 / count.max(1.0)),
            mean_noise: known.iter().map(|(_, error)| error * error / count).sum(),
            limit: student_quantile(limits.point, freedom),
        }
    }

    /// `None` where nobody judged it: where other chunks have alerts.
    fn is_out(&self, chunk: &KpiChunk) -> Option<bool> {
        if self.has_alerts {
            return match chunk.is_reference {
                true => Some(false),
                false => chunk.performance_alert,
            };
        }
        let noise = chunk.sampling_error * chunk.sampling_error;
        let variance = self.variance + (noise - self.mean_noise).max(0.0);
        let off = chunk.performance? - self.mean;
        Some(off.abs() > self.limit * variance.sqrt())
    }
}

struct Judge<'a> {
    rows: Rows<'a>,
    scaled: Scaled,
    limits: ControlLimits,
    performance: PerformanceChart,
    /// Of the KPI given performance.
    link: Chart,
    /// Of the KPI by itself and controls.
    alone: Chart,
    /// What the reference says of the link.
    reference: Member,
}

impl<'a> Judge<'a> {
    /// Learns from the reference; the error says why that is not possible.
    fn new(chunks: &'a [KpiChunk], options: &KpiOptions) -> Result<Self, KpiStatus> {
        let rows = Rows::new(chunks);
        let lags: Vec<u32> = (0..=options.max_lag).collect();
        let is_known = |chunk: &&KpiChunk| rows.missing(chunk, &lags).is_none();
        let reference = chunks.iter().filter(|chunk| chunk.is_reference);
        let history: Vec<&KpiChunk> = reference.filter(is_known).collect();
        let scaled = Scaled::new(&history, &rows);
        if history.len() < FEWEST + scaled.controls.len() {
            return Err(KpiStatus::InsufficientHistory);
        }
        if scaled.kpi.is_constant {
            return Err(KpiStatus::ConstantKpi);
        }
        let analysis = chunks.iter().filter(|chunk| !chunk.is_reference);
        let horizon = options
            .horizon
            .or_else(|| u32::try_from(analysis.count()).ok());
        let limits = ControlLimits::new(options.alpha, horizon.unwrap_or(1), options.side);
        let of_lag = |lag: Option<u32>| {
            let known = history.iter();
            let known = known.filter_map(|chunk| scaled.row(chunk, lag, &rows));
            (lag, known.collect::<Vec<Row>>())
        };
        let series: Vec<_> = lags.iter().map(|lag| of_lag(Some(*lag))).collect();
        let link = Predictor::of(&series).ok_or(KpiStatus::InsufficientHistory)?;
        let alone = Predictor::of(&[of_lag(None)]).ok_or(KpiStatus::InsufficientHistory)?;
        let member = link.likeliest().cloned();
        Ok(Self {
            performance: PerformanceChart::new(chunks, &limits),
            link: Chart::new(link, limits),
            alone: Chart::new(alone, limits),
            reference: member.ok_or(KpiStatus::InsufficientHistory)?,
            rows,
            scaled,
            limits,
        })
    }

    fn judge(mut self, chunks: &[KpiChunk]) -> Vec<KpiRow> {
        let mut fitted = self.reference.clone();
        fitted.restart();
        let mut found = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            found.push(match chunk.is_reference {
                true => self.of_reference(chunk, &mut fitted),
                false => self.of_analysis(chunk),
            });
        }
        found
    }

    /// What is said of a chunk whoever judges it.
    fn described(&self, chunk: &KpiChunk, status: Option<KpiStatus>) -> KpiRow {
        let fit = self.reference.fit.as_ref();
        let noisy = self.scaled.performance.is_constant || fit.is_some_and(|fit| fit.is_noisy);
        let reserve = match noisy {
            true => KpiStatus::NoisyPerformance,
            false => KpiStatus::Ok,
        };
        let mut told = KpiRow {
            lag: self.reference.lag,
            cusum_limit: Some(self.limits.cusum),
            status: status.unwrap_or(reserve),
            ..KpiRow::default()
        };
        let row = self.scaled.row(chunk, self.reference.lag, &self.rows);
        if let Some((row, fit)) = row.zip(fit).filter(|_| status.is_none()) {
            let moved = row.regressors.get(1).zip(fit.coefficients.get(1));
            let effect = moved.map(|(by, slope)| by * slope * self.scaled.kpi.unit);
            let left = row.response - dot(&fit.coefficients, &row.regressors);
            let left = left * self.scaled.kpi.unit;
            told.performance_effect = effect.filter(|x| x.is_finite());
            told.unexplained = Some(left).filter(|x| x.is_finite());
        }
        told
    }

    /// Fitted, with what the chunk itself taught.
    fn of_reference(&self, chunk: &KpiChunk, fitted: &mut Member) -> KpiRow {
        let lag = fitted.lag;
        let lags: Vec<u32> = lag.into_iter().collect();
        let mut told = self.described(chunk, self.rows.missing(chunk, &lags));
        let row = match told.unexplained {
            Some(_) => self.scaled.row(chunk, lag, &self.rows),
            None => None,
        };
        let Some(row) = row else {
            return told;
        };
        let freedom = fitted.fit.as_ref().map_or(1.0, |fit| fit.freedom);
        if let Some((mean, deviation)) = fitted.predict(&row) {
            let reach = student_quantile(self.limits.point, freedom) * deviation;
            let z = (row.response - mean) / deviation;
            told.z = Some(z.clamp(-FURTHEST, FURTHEST));
            self.set_band(&mut told, [mean - reach, mean, mean + reach]);
        }
        fitted.pass(&row);
        told
    }

    fn of_analysis(&mut self, chunk: &KpiChunk) -> KpiRow {
        let lags: Vec<u32> = self.link.lags().into_iter().flatten().collect();
        let missing = self.rows.missing(chunk, &lags);
        let mut told = self.described(chunk, missing);
        if missing.is_some() {
            return told;
        }
        let of = |lag: Option<u32>| Some((lag, self.scaled.row(chunk, lag, &self.rows)?));
        let mut rows: Vec<(Option<u32>, Row)> =
            self.link.lags().into_iter().filter_map(of).collect();
        rows.extend(of(None));
        let row = |lag: Option<u32>| {
            let found = rows.iter().find(|(of, _)| *of == lag);
            found.map(|(_, row)| row)
        };
        let Some((link, alone)) = self.link.judge(row).zip(self.alone.judge(row)) else {
            return told;
        };
        told.z = Some(link.z);
        told.cusum = Some(link.cusum);
        told.alert = Some(link.is_out);
        let limit = self.limits.point;
        let band = [-limit, 0.0, limit].map(|z| link.prediction.quantile(z));
        self.set_band(&mut told, band);
        let explaining = self.rows.before(chunk, self.reference.lag.unwrap_or(0));
        let out = explaining.and_then(|chunk| self.performance.is_out(chunk));
        match out {
            Some(out) => told.verdict = Some(Verdict::of(out, link.is_out, alone.is_out)),
            None => told.status = KpiStatus::UnjudgedPerformance,
        }
        told
    }

    fn set_band(&self, told: &mut KpiRow, [lower, expected, upper]: [f64; 3]) {
        let known = |bound: f64, side: Side| {
            let is_judged = self.limits.side != side;
            self.scaled.kpi.undo(bound).filter(|_| is_judged)
        };
        told.lower = known(lower, Side::Higher);
        told.expected = self.scaled.kpi.undo(expected);
        told.upper = known(upper, Side::Lower);
    }
}
