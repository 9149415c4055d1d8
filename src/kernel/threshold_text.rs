//! Thresholds as text: one for all metrics, others for some; how they travel in a plan as a literal.
use std::fmt;

use super::KernelError;
use super::metric::Metric;
use super::threshold::Threshold;

/// The threshold of each metric.
///
/// ```
/// use modelwatch::kernel::metric::Metric;
/// use modelwatch::kernel::threshold::Threshold;
/// use modelwatch::kernel::threshold_text::Thresholds;
/// let thresholds = Thresholds::parse("roc_auc=constant(0.7,);*=stddev(3,3)")?;
/// assert_eq!(thresholds.of(Metric::RocAuc), Threshold::constant(Some(0.7), None)?);
/// assert_eq!(thresholds.of(Metric::F1), Threshold::standard_deviation(Some(3.0), Some(3.0))?);
/// assert_eq!(thresholds.to_string(), "roc_auc=constant(0.7,);*=stddev(3,3)");
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thresholds {
    /// For metrics with a threshold of their own.
    pub by_metric: Vec<(Metric, Threshold)>,
    /// For all others.
    pub default: Threshold,
}

impl Thresholds {
    /// The threshold of a metric.
    pub fn of(&self, metric: Metric) -> Threshold {
        let own = self.by_metric.iter().find(|(of, _)| *of == metric);
        own.map_or(self.default, |(_, threshold)| *threshold)
    }

    /// Reads what `to_string` wrote.
    pub fn parse(text: &str) -> Result<Self, KernelError> {
        let mut thresholds = Self::default();
        for entry in text.split(';').filter(|entry| !entry.is_empty()) {
            let (metric, threshold) = entry.split_once('=').ok_or_else(|| unreadable(entry))?;
            let threshold = parse_one(threshold)?;
            match Metric::parse(metric) {
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

impl fmt::Display for Thresholds {
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
