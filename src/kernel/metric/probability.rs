//! Metrics of scores that are read as probabilities.
use super::{Direction, Formula, MetricSpec, NOT_NEGATIVE, Own, Scale, UNIT};
use crate::kernel::calibration_error::{
    estimate_calibration_error, influences_on_calibration_error, realized_calibration_error,
};
use crate::kernel::interval::{FEW, normal_quantile};
use crate::kernel::link::Link;
use crate::kernel::proper_scores::{Loss, estimate_loss, realized_loss};
use crate::kernel::realized::{Measured, Realized};

const SPEC: MetricSpec = MetricSpec {
    name: "",
    description: "",
    domain: UNIT,
    scale: Scale::Logit,
    link: Link::Arcsine,
    direction: Direction::Lower,
    is_aggregate: true,
    formula: Formula::MeanValue,
};

pub(crate) static LOG_LOSS: MetricSpec = MetricSpec {
    name: "log_loss",
    description: "Mean negative log-likelihood of the labels under scores that are probabilities, clipped at 1e-15.",
    domain: NOT_NEGATIVE,
    scale: Scale::Log,
    link: Link::Log,
    formula: Formula::Probability(Own {
        estimate: |chunk, _| estimate_loss(Loss::Log, &chunk.scored, &chunk.level_variances),
        realize: |chunk, confidence_level| loss(chunk, Loss::Log, Scale::Log, confidence_level),
        influences: |chunk| Loss::Log.influences(&chunk.by_label),
    }),
    ..SPEC
};

pub(crate) static BRIER_SCORE: MetricSpec = MetricSpec {
    name: "brier_score",
    description: "Mean squared difference between label and a score that is a probability.",
    formula: Formula::Probability(Own {
        estimate: |chunk, _| estimate_loss(Loss::Squared, &chunk.scored, &chunk.level_variances),
        realize: |chunk, confidence_level| {
            loss(chunk, Loss::Squared, Scale::Logit, confidence_level)
        },
        influences: |chunk| Loss::Squared.influences(&chunk.by_label),
    }),
    ..SPEC
};

pub(crate) static CALIBRATION_ERROR: MetricSpec = MetricSpec {
    name: "calibration_error",
    description: "Mean distance between score and share of positives, over 16 equal ranges of the score.",
    is_aggregate: false,
    formula: Formula::Probability(Own {
        estimate: |chunk, _| estimate_calibration_error(&chunk.scored, &chunk.level_variances),
        realize: calibration_error,
        influences: |chunk| influences_on_calibration_error(&chunk.by_label),
    }),
    ..SPEC
};

/// One row, up to the rounding of weights, does not differ from others and tells nothing of its error.
const ONE: f64 = 1.0 + 1e-9;

fn loss(chunk: &Realized, loss: Loss, scale: Scale, confidence_level: f64) -> Option<Measured> {
    let [negatives, positives] = &chunk.by_label;
    let (value, slack, variance) = realized_loss(loss, negatives, positives)?;
    if chunk.scored_rows() <= ONE {
        return Some(Measured {
            slack,
            ..Measured::without_error(value)
        });
    }
    let z = normal_quantile(confidence_level);
    Some(Measured {
        value,
        slack,
        variance,
        bounds: scale.interval(value, variance.sqrt(), z),
        few: chunk.scored_rows() < FEW,
    })
}

/// Noise of labels adds to the value, most where the population's calibration is perfect: the interval lies lower, at its
/// lower end by the most that noise can have added, at its upper end by the least.
///
/// MEASURED: see `benches/realized_coverage.rs`; of a perfectly calibrated population, whose value of 0 can only be missed on
/// one side, the interval holds more than it says.
fn calibration_error(chunk: &Realized, confidence_level: f64) -> Option<Measured> {
    let [negatives, positives] = &chunk.by_label;
    let realized = realized_calibration_error(negatives, positives)?;
    if chunk.scored_rows() <= ONE {
        let slack = realized.slack;
        return Some(Measured {
            slack,
            ..Measured::without_error(realized.value)
        });
    }
    let half = normal_quantile(confidence_level) * realized.variance.sqrt();
    let (least, most) = realized.noise;
    let lower = (realized.value - most - half).max(0.0);
    let upper = (realized.value - least + half).min(1.0);
    Some(Measured {
        value: realized.value,
        slack: realized.slack,
        variance: realized.variance,
        bounds: (lower, upper),
        few: chunk.scored_rows() < FEW,
    })
}
