//! Figure by figure: which golden column stands beside which of ours, and how close they are.
use std::collections::{BTreeMap, HashMap};

use crate::deviations::{DEVIATIONS, Difference, SINGLE_CLASS, single_class};
use crate::fixture::{Golden, Threshold};
use crate::ours::{Chunk, Figures, Ours};
use crate::record::Failure;
use crate::report::{format_explained, format_worst};

pub const CELLS: [&str; 4] = [
    "true_negative",
    "false_positive",
    "false_negative",
    "true_positive",
];
pub const RANKING: [&str; 2] = ["roc_auc", "average_precision"];

/// Bar of the ranking estimates: NannyML rounds its sums to five decimals (known issue A5).
const ROUNDED: f64 = 1e-6;
/// Bar of everything else.
const EXACT: f64 = 1e-9;

/// What one golden file showed.
#[derive(Debug, Default)]
pub struct Outcome {
    pub compared: usize,
    /// Worst relative error by field, then metric.
    pub worst: BTreeMap<&'static str, BTreeMap<String, f64>>,
    /// Number of figures that an entry of the table explains.
    pub explained: BTreeMap<&'static str, usize>,
    pub failures: Vec<String>,
}

impl Outcome {
    fn figure(&mut self, site: &Site, golden: Option<f64>, ours: Option<f64>, bar: f64) {
        let error = match (golden, ours) {
            (None, None) => 0.0,
            (Some(0.0), Some(ours)) => ours.abs(),
            (Some(golden), Some(ours)) => ((ours - golden) / golden).abs(),
            _ => f64::INFINITY,
        };
        if error > bar {
            let difference = Difference {
                calculator: site.calculator.into(),
                metric: site.metric.into(),
                field: site.field,
                golden,
                ours,
                counts: site.counts,
                complete: site.complete,
            };
            match DEVIATIONS.iter().find(|d| (d.explains)(&difference)) {
                Some(deviation) => *self.explained.entry(deviation.item).or_default() += 1,
                None => self
                    .failures
                    .push(format!("{} {difference:?}: {error:.1e}", site.chunk)),
            }
            return;
        }
        self.compared += 1;
        let worst = self.worst.entry(site.field).or_default();
        let worst = worst.entry(site.metric.to_string()).or_default();
        *worst = worst.max(error);
    }

    pub fn report(&self, name: &str) -> String {
        format!(
            "{name}: {} figures, worst relative errors\n{}{}",
            self.compared,
            format_worst(&self.worst),
            format_explained(&self.explained)
        )
    }
}

struct Site<'a> {
    chunk: String,
    calculator: &'a str,
    metric: &'a str,
    field: &'static str,
    counts: [f64; 4],
    complete: bool,
}

/// Lower and upper threshold.
type Limits = (Option<f64>, Option<f64>);

impl<'a> Site<'a> {
    fn of_reference(golden: &'a Golden) -> Self {
        Self {
            chunk: "reference".into(),
            calculator: &golden.record.calculator,
            metric: "isotonic",
            field: "calibrator",
            counts: [0.0; 4],
            complete: true,
        }
    }
}

type Ranking = [Vec<HashMap<String, Figures>>; 2];

/// Compares one golden file with what SQL answers.
pub async fn compare(golden: &Golden) -> Result<Outcome, Failure> {
    let ours = Ours::open(golden).await?;
    let (reference, analysis) = ours.performance("analysis").await?;
    // NannyML scores the reference with a calibrator that has seen it; so do we when it poses as the analysis
    let in_sample = match golden.record.calculator.as_str() {
        "cbpe" => ours.performance("reference").await?.1,
        _ => vec![],
    };
    let estimated = if in_sample.is_empty() {
        &reference
    } else {
        &in_sample
    };
    let mut outcome = Outcome::default();
    let mut ranking = Ranking::default();
    if golden.record.calculator == "cbpe" {
        let calibrator = ours.calibrator().await?;
        for (score, probability) in &golden.knots {
            let ours = calibrator.calibrate(*score);
            outcome.figure(&Site::of_reference(golden), Some(*probability), ours, EXACT);
        }
        if golden.metrics.iter().any(|m| RANKING.contains(&m.as_str())) {
            ranking = [
                ours.uncorrected("reference", &calibrator).await?,
                ours.uncorrected("analysis", &calibrator).await?,
            ];
        }
    }
    let sides = [
        ("reference", estimated, &reference),
        ("analysis", &analysis, &analysis),
    ];
    for (side, (period, estimates, realized)) in sides.into_iter().enumerate() {
        let rows = golden.chunks(period);
        if rows.len() != estimates.len() || rows.len() != realized.len() {
            return Err(format!(
                "{period}: {} chunks, ours {} and {}",
                rows.len(),
                estimates.len(),
                realized.len()
            )
            .into());
        }
        if !ranking[side].is_empty() && ranking[side].len() != rows.len() {
            return Err(format!("{period}: {} chunks cut in SQL", ranking[side].len()).into());
        }
        for (position, row) in rows.into_iter().enumerate() {
            same_start(golden, row, &estimates[position])?;
            let chunk = Pair {
                golden,
                row,
                estimate: &estimates[position],
                realized: &realized[position],
                reference: &reference,
                ranking: ranking[side].get(position),
                alerts: period == "analysis",
            };
            chunk.compare(&mut outcome);
        }
    }
    Ok(outcome)
}

fn same_start(golden: &Golden, row: usize, ours: &Chunk) -> Result<(), Failure> {
    let to_seconds = |text: &str| text.chars().take(19).collect::<String>();
    let theirs = to_seconds(golden.text("chunk.start_date", row).unwrap_or_default());
    let ours = to_seconds(&ours.start.replace('T', " "));
    match golden.timed && theirs.len() == 19 && theirs != ours {
        true => Err(format!("row {row}: the chunk starts at {theirs}, ours at {ours}").into()),
        false => Ok(()),
    }
}

/// A chunk in both.
struct Pair<'a> {
    golden: &'a Golden,
    row: usize,
    estimate: &'a Chunk,
    realized: &'a Chunk,
    reference: &'a [Chunk],
    ranking: Option<&'a HashMap<String, Figures>>,
    alerts: bool,
}

impl Pair<'_> {
    fn compare(&self, outcome: &mut Outcome) {
        for metric in &self.golden.metrics {
            match &self.golden.normalized {
                Some(kind) => self.normalized(outcome, metric, kind),
                None => self.plain(outcome, metric),
            }
        }
    }

    fn site<'a>(&'a self, metric: &'a str, field: &'static str) -> Site<'a> {
        let period = self
            .golden
            .text("chunk.period", self.row)
            .unwrap_or_default();
        let key = self.golden.text("chunk.key", self.row).unwrap_or_default();
        let counts = cells(self.realized, |f| f.realized).unwrap_or_default();
        Site {
            chunk: format!("{period} {key}"),
            calculator: &self.golden.record.calculator,
            metric,
            field,
            counts,
            complete: self.estimate.complete,
        }
    }

    /// Compares a figure unless the golden file lacks it.
    fn figure(
        &self,
        outcome: &mut Outcome,
        metric: &str,
        field: &'static str,
        ours: Option<f64>,
        bar: f64,
    ) {
        if let Some(theirs) = self.golden.figure(metric, field, self.row) {
            outcome.figure(&self.site(metric, field), theirs, ours, bar);
        }
    }

    fn plain(&self, outcome: &mut Outcome, metric: &str) {
        let none = Figures::default();
        let estimate = self.estimate.metrics.get(metric).unwrap_or(&none);
        let realized = self.realized.metrics.get(metric).unwrap_or(&none);
        let undone = self.without_single_class(metric);
        let (lower, upper) = undone.unwrap_or((estimate.lower, estimate.upper));
        self.figure(outcome, metric, "lower_threshold", lower, EXACT);
        self.figure(outcome, metric, "upper_threshold", upper, EXACT);
        if undone.is_some() {
            *outcome.explained.entry(SINGLE_CLASS).or_default() += 2;
        }
        if self.golden.record.calculator == "realized" {
            return self.figure(outcome, metric, "value", realized.realized, EXACT);
        }
        // the analysis has no labels when NannyML estimates
        if !self.alerts {
            self.figure(outcome, metric, "realized", realized.realized, EXACT);
        }
        if RANKING.contains(&metric) {
            let undone = self.ranking.and_then(|metrics| metrics.get(metric));
            return self.figure(
                outcome,
                metric,
                "value",
                undone.and_then(|f| f.value),
                ROUNDED,
            );
        }
        self.figure(outcome, metric, "value", estimate.value, EXACT);
        if self.alerts {
            let theirs = self.golden.alert(metric, self.row);
            let outside =
                |value: f64| lower.is_some_and(|l| value < l) || upper.is_some_and(|u| value > u);
            let ours = match undone {
                Some(_) => estimate.alert.and(estimate.value).map(outside),
                None => estimate.alert,
            };
            let number = |alert: Option<bool>| alert.map(|a| f64::from(u8::from(a)));
            outcome.figure(
                &self.site(metric, "alert"),
                number(theirs),
                number(ours),
                0.0,
            );
        }
    }

    /// The thresholds as they would be if, as in NannyML, reference chunks of a single class had no f1, precision
    /// and recall; `None` where there is no such chunk, so that ours are compared as they are.
    fn without_single_class(&self, metric: &str) -> Option<Limits> {
        let Threshold::Deviations(below, above) = self.golden.threshold(metric) else {
            return None;
        };
        if !["f1", "precision", "recall"].contains(&metric) {
            return None;
        }
        let single = |chunk: &&Chunk| cells(chunk, |f| f.realized).is_some_and(single_class);
        let kept: Vec<&Chunk> = self.reference.iter().filter(|c| !single(c)).collect();
        if kept.len() == self.reference.len() {
            return None;
        }
        let values: Vec<f64> = kept
            .iter()
            .filter_map(|c| c.metrics.get(metric)?.realized)
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        let clamped = |k: f64| (mean + k * variance.sqrt()).clamp(0.0, 1.0);
        Some((below.map(|k| clamped(-k)), above.map(clamped)))
    }

    /// What the normalized variants print, worked out from our cells.
    fn normalized(&self, outcome: &mut Outcome, metric: &str, kind: &str) {
        let estimate = cells(self.estimate, |f| f.value);
        let realized = cells(self.realized, |f| f.realized);
        let of = |cells: Option<[f64; 4]>| {
            cells.and_then(|cells| normalize(cells, metric, kind, self.golden.value_matrix))
        };
        if self.golden.record.calculator == "realized" {
            return self.figure(outcome, metric, "value", of(realized), EXACT);
        }
        self.figure(outcome, metric, "value", of(estimate), EXACT);
        if !self.alerts {
            self.figure(outcome, metric, "realized", of(realized), EXACT);
        }
    }
}

/// `[tn, fp, fn, tp]`.
fn cells(chunk: &Chunk, read: impl Fn(&Figures) -> Option<f64>) -> Option<[f64; 4]> {
    let mut cells = [0.0; 4];
    for (cell, name) in cells.iter_mut().zip(CELLS) {
        *cell = read(chunk.metrics.get(name)?)?;
    }
    Some(cells)
}

fn normalize(cells: [f64; 4], metric: &str, kind: &str, values: [f64; 4]) -> Option<f64> {
    let [tn, fp, false_negative, tp] = cells;
    let share = |part: f64, whole: f64| (whole != 0.0).then(|| part / whole);
    if kind == "per_prediction" {
        // known issue A6: a mean for each predicted class, added up
        let negative = share(
            values[0] * tn + values[2] * false_negative,
            tn + false_negative,
        );
        let positive = share(values[1] * fp + values[3] * tp, fp + tp);
        return Some(negative.unwrap_or(0.0) + positive.unwrap_or(0.0));
    }
    let cell = CELLS.iter().position(|name| *name == metric)?;
    let whole = match (kind, cell) {
        ("true", 0 | 1) => tn + fp,
        ("true", _) => false_negative + tp,
        ("pred", 0 | 2) => tn + false_negative,
        ("pred", _) => fp + tp,
        _ => cells.iter().sum(),
    };
    share(cells[cell], whole)
}
