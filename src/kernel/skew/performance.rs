//! Performance on training, test and served rows.
use super::super::digits::short;
use super::check::{Effects, SkewCheck};
use super::leakage::upper_normal;
use super::reading::SkewReading;

const OVERFIT: &str = "Trust the performance on test rows; regularize, or look for leakage and repeated rows in training.";
const DROP: &str = "Look for other findings here first: the model was worse from its first served rows on, so it is not decay.";

/// A metric on some rows; larger is better.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gap {
    /// Value; `None` where it does not exist.
    pub value: Option<f64>,
    /// Its sampling error.
    pub error: Option<f64>,
}

impl Gap {
    fn known(self) -> Option<(f64, f64)> {
        let (value, error) = (self.value?, self.error.unwrap_or(0.0));
        (value.is_finite() && error.is_finite()).then_some((value, error))
    }
}

/// How far `after` is below `before`, and the one-sided p-value of the difference; no error is no chance.
fn fall(before: (f64, f64), after: (f64, f64)) -> (f64, f64) {
    let error = before.1.hypot(after.1);
    let fall = before.0 - after.0;
    let p = match (error > 0.0, fall > 0.0) {
        (true, _) => upper_normal(fall / error),
        (false, true) => 0.0,
        (false, false) => 1.0,
    };
    (fall, p)
}

/// Performance on training rows above that on test rows.
///
/// NULL: not run where the metric has no value on one of them.
///
/// ```
/// use modelwatch::kernel::skew::{Effects, Gap, overfit};
/// let of = |value, error| Gap { value: Some(value), error: Some(error) };
/// let found = overfit("roc_auc", of(0.95, 0.004), of(0.80, 0.003), &Effects::default());
/// assert!(found.is_finding(1e-6));
/// ```
pub fn overfit(metric: &str, training: Gap, test: Gap, effects: &Effects) -> SkewReading {
    let check = SkewCheck::Overfit;
    let (Some(training), Some(test)) = (training.known(), test.known()) else {
        let why = format!("There is no {metric} on the training or the test rows.");
        return SkewReading::without_data(check, effects, why);
    };
    let (fall, p) = fall(training, test);
    let evidence = format!(
        "{metric} is {} (error {}) on training rows and {} (error {}) on test rows.",
        short(training.0),
        short(training.1),
        short(test.0),
        short(test.1)
    );
    SkewReading::new(check, effects, fall, Some(p)).told("difference", evidence, OVERFIT)
}

/// Performance on test rows above that on the first rows that were served; `later` tells whether it stayed so, and that a model
/// that was as good as promised at first has decayed rather than been deployed wrongly.
///
/// * `estimated`: whether served rows have no labels, so that theirs is an estimate.
/// * `level`: the p-value of what is told as a drop or as decay is at most this.
/// * NULL: not run where the metric has no value on test rows or on the first served ones.
pub fn deployment_drop(
    metric: &str,
    (test, first, later): (Gap, Gap, Gap),
    estimated: bool,
    level: f64,
    effects: &Effects,
) -> SkewReading {
    let check = SkewCheck::DeploymentDrop;
    let (Some(test), Some(first)) = (test.known(), first.known()) else {
        let why = format!("There is no {metric} on the test rows or on the first served rows.");
        return SkewReading::without_data(check, effects, why);
    };
    let (drop, p) = fall(test, first);
    let how = if estimated { " (estimated)" } else { "" };
    let later = later.known().map(|later| {
        format!(
            " Later rows have {} (error {}): {}.",
            short(later.0),
            short(later.1),
            course([test, first, later], effects.of(check), level)
        )
    });
    let evidence = format!(
        "{metric} is {} (error {}) on test rows and {} (error {}) on the first served rows{how}.{}",
        short(test.0),
        short(test.1),
        short(first.0),
        short(first.1),
        later.unwrap_or_default()
    );
    SkewReading::new(check, effects, drop, Some(p)).told("difference", evidence, DROP)
}

/// How performance went on: what is no finding is not told as a drop either.
fn course([test, first, later]: [(f64, f64); 3], least: f64, level: f64) -> &'static str {
    let is_large = |(fall, _): (f64, f64)| fall > least;
    let is_certain = |(fall, p): (f64, f64)| fall > least && p <= level;
    let (drop, decay, recovery) = (fall(test, first), fall(first, later), fall(later, first));
    match (is_certain(drop), is_certain(decay)) {
        (true, true) => "it was so from the start, and fell further",
        (true, false) if is_certain(recovery) => "it was so at the start only",
        (true, false) => "it was so from the start",
        (false, true) => "what fell later is decay, no skew",
        (false, false) if is_large(drop) || is_large(decay) => "the difference may be chance",
        (false, false) => "it stayed so",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: f64) -> Gap {
        Gap {
            value: Some(value),
            error: Some(0.005),
        }
    }

    fn drop(parts: (Gap, Gap, Gap)) -> SkewReading {
        deployment_drop("roc_auc", parts, false, 0.01, &Effects::default())
    }

    #[test]
    fn a_drop_at_the_start_is_told_from_decay() {
        let skew = drop((of(0.8), of(0.7), of(0.71)));
        assert!(skew.is_finding(1e-6) && skew.evidence.ends_with("it was so from the start."));
        let worse = drop((of(0.8), of(0.7), of(0.6)));
        assert!(worse.evidence.ends_with("and fell further."));
        let back = drop((of(0.8), of(0.7), of(0.8)));
        assert!(back.evidence.ends_with("it was so at the start only."));
        let decay = drop((of(0.8), of(0.8), of(0.7)));
        assert!(!decay.is_finding(1.0) && decay.evidence.ends_with("is decay, no skew."));
        let same = drop((of(0.8), of(0.79), of(0.81)));
        assert!(same.evidence.ends_with("it stayed so."));
    }

    #[test]
    fn what_passed_claims_no_drop() {
        let noisy = |value| Gap {
            error: Some(0.05),
            ..of(value)
        };
        // z = 0.05 / sqrt(0.005^2 + 0.05^2) = 0.995
        let passed = drop((of(0.8), noisy(0.75), of(0.75)));
        assert!(!passed.is_finding(0.01) && passed.value.unwrap() > passed.threshold);
        assert!(passed.evidence.ends_with("the difference may be chance."));
        let later = drop((of(0.8), of(0.8), noisy(0.75)));
        assert!(later.evidence.ends_with("the difference may be chance."));
    }

    #[test]
    fn small_and_unknown_differences_are_no_finding() {
        let effects = Effects::default();
        assert!(!overfit("f1", of(0.82), of(0.8), &effects).is_finding(1.0));
        assert!(!overfit("f1", of(0.7), of(0.8), &effects).is_finding(1.0));
        assert_eq!(overfit("f1", Gap::default(), of(0.8), &effects).value, None);
    }
}
