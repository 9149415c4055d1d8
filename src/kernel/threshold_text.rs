//! Thresholds as text: one for all metrics, others for some; how they travel in a plan as a literal.
use std::fmt;

use super::KernelError;
use super::drift::DriftMetric;
use super::link::Link;
use super::metric::Direction;
use super::metric::Metric;
use super::threshold::{MetricScale, Threshold};

/// A family of metrics that can have thresholds.
pub trait Judged: Copy + PartialEq + fmt::Display {
    /// The metric of a name.
    fn parse(name: &str) -> Option<Self>;

    /// Names of all.
    fn names() -> Vec<&'static str>;

    /// What a threshold must know about it.
    fn scale(self) -> MetricScale;
}

impl Judged for Metric {
    fn parse(name: &str) -> Option<Self> {
        Metric::parse(name)
    }

    fn names() -> Vec<&'static str> {
        Metric::ALL.map(Metric::name).to_vec()
    }

    fn scale(self) -> MetricScale {
        MetricScale::of(self)
    }
}

impl Judged for DriftMetric {
    fn parse(name: &str) -> Option<Self> {
        DriftMetric::parse(name)
    }

    fn names() -> Vec<&'static str> {
        DriftMetric::ALL.map(DriftMetric::name).to_vec()
    }

    fn scale(self) -> MetricScale {
        let (lower, upper) = self.domain();
        MetricScale {
            link: Link::Identity,
            lower,
            upper,
            better: Direction::Lower,
            total: false,
        }
    }
}

/// The threshold of each metric.
///
/// ```
/// use modelwatch::kernel::metric::Metric;
/// use modelwatch::kernel::threshold::Threshold;
/// use modelwatch::kernel::threshold_text::Thresholds;
/// let thresholds: Thresholds = Thresholds::parse("roc_auc=constant(0.7,);*=stddev(3,3)")?;
/// assert_eq!(thresholds.of(Metric::RocAuc), Threshold::constant(Some(0.7), None)?);
/// assert_eq!(thresholds.of(Metric::F1), Threshold::standard_deviation(Some(3.0), Some(3.0))?);
/// assert_eq!(thresholds.to_string(), "roc_auc=constant(0.7,);*=stddev(3,3)");
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds<M = Metric> {
    /// For metrics with a threshold of their own.
    pub by_metric: Vec<(M, Threshold)>,
    /// For all others.
    pub default: Threshold,
}

impl<M> Default for Thresholds<M> {
    fn default() -> Self {
        Self {
            by_metric: vec![],
            default: Threshold::default(),
        }
    }
}

impl<M: Judged> Thresholds<M> {
    /// The threshold of a metric.
    pub fn of(&self, metric: M) -> Threshold {
        let own = self.by_metric.iter().find(|(of, _)| *of == metric);
        own.map_or(self.default, |(_, threshold)| *threshold)
    }

    /// Reads what `to_string` wrote.
    pub fn parse(text: &str) -> Result<Self, KernelError> {
        let mut thresholds: Self = Self::default();
        for entry in text.split(';').filter(|entry| !entry.is_empty()) {
            let (metric, threshold) = entry.split_once('=').ok_or_else(|| unreadable(entry))?;
            let threshold = parse_one(threshold)?;
            match M::parse(metric) {
                Some(metric) => thresholds.by_metric.push((metric, threshold)),
                None if metric == "*" => thresholds.default = threshold,
                None => return Err(unreadable(entry)),
            }
        }
        Ok(thresholds)
    }
}

fn parse_one(text: &str) -> Result<Threshold, KernelError> {
    let call = text.strip_suffix(')').and_then(|text| text.split_once('('));
    let (name, arguments) = call.ok_or_else(|| unreadable(text))?;
    let numbers: Result<Vec<Option<f64>>, KernelError> = arguments
        .split(',')
        .map(|number| match number.trim() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| unreadable(text)),
        })
        .collect();
    match (name, numbers?.as_slice()) {
        ("false_alarm_rate", [Some(rate)]) => Threshold::false_alarm_rate(*rate),
        ("stddev", [lower, upper]) => Threshold::standard_deviation(*lower, *upper),
        ("constant", [lower, upper]) => Threshold::constant(*lower, *upper),
        _ => Err(unreadable(text)),
    }
}

fn unreadable(text: &str) -> KernelError {
    KernelError::Undefined(format!(
        "'{text}' is not a threshold. Expected false_alarm_rate(rate), stddev(lower,upper) or constant(lower,upper)"
    ))
}

impl<M: Judged> fmt::Display for Thresholds<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (metric, threshold) in &self.by_metric {
            write!(f, "{metric}=")?;
            write_one(f, threshold)?;
            f.write_str(";")?;
        }
        f.write_str("*=")?;
        write_one(f, &self.default)
    }
}

fn write_one(f: &mut fmt::Formatter<'_>, threshold: &Threshold) -> fmt::Result {
    let or_empty = |number: &Option<f64>| number.map_or_else(String::new, |n| n.to_string());
    match threshold {
        Threshold::FalseAlarmRate { rate } => write!(f, "false_alarm_rate({rate})"),
        Threshold::StandardDeviation { lower, upper } => {
            write!(f, "stddev({},{})", or_empty(lower), or_empty(upper))
        }
        Threshold::Constant { lower, upper } => {
            write!(f, "constant({},{})", or_empty(lower), or_empty(upper))
        }
    }
}
