//! What a check says.
use super::check::{Effects, Severity, SkewCheck};

/// The outcome of one check on one column, or on all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SkewReading {
    /// The check.
    pub check: SkewCheck,
    /// What `value` is.
    pub statistic: &'static str,
    /// How large the effect is; `None` where the check could not be made, and then `evidence` says why.
    pub value: Option<f64>,
    /// What a finding exceeds.
    pub threshold: f64,
    /// Probability of such a value, or a larger one, where there is no skew; `None` where rows contradict one another and
    /// chance has no part in it.
    pub p_value: Option<f64>,
    /// Whether the data look as this kind of skew makes them look. Where not, the value is no finding, however large. Of a check that
    /// could not be made: whether that is for want of data.
    pub has_pattern: bool,
    /// A sentence with the numbers.
    pub evidence: String,
    /// What to do about it.
    pub suggestion: &'static str,
}

impl SkewReading {
    /// Of a check that was made.
    pub fn new(check: SkewCheck, effects: &Effects, value: f64, p_value: Option<f64>) -> Self {
        Self {
            check,
            statistic: "",
            value: value.is_finite().then_some(value),
            threshold: effects.of(check),
            p_value: p_value.map(|p| p.clamp(0.0, 1.0)),
            has_pattern: true,
            evidence: String::new(),
            suggestion: "",
        }
    }

    /// Of a check that could not be made for want of data, which is told even where only findings are.
    pub fn without_data(check: SkewCheck, effects: &Effects, why: impl Into<String>) -> Self {
        Self {
            has_pattern: true,
            ..Self::not_run(check, effects, why)
        }
    }

    /// Of a check that could not be made.
    pub fn not_run(check: SkewCheck, effects: &Effects, why: impl Into<String>) -> Self {
        Self {
            value: None,
            has_pattern: false,
            evidence: why.into(),
            ..Self::new(check, effects, 0.0, None)
        }
    }

    /// What the value is, and the sentences.
    pub(super) fn told(
        mut self,
        statistic: &'static str,
        evidence: String,
        suggestion: &'static str,
    ) -> Self {
        self.statistic = statistic;
        self.evidence = evidence;
        self.suggestion = suggestion;
        self
    }

    /// Whether it is one where each p-value may be at most `level`.
    pub fn is_finding(&self, level: f64) -> bool {
        let large = self.value.is_some_and(|value| value > self.threshold);
        large && self.has_pattern && self.p_value.is_none_or(|p| p <= level)
    }

    /// How severe it is as a finding; `None` where the check could not be made.
    pub fn severity(&self) -> Option<Severity> {
        let value = self.value?;
        Some(self.check.severity(value, self.threshold))
    }
}
