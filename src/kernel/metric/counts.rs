//! Numbers of rows by outcome.
use super::{Direction, Formula, MetricSpec, NOT_NEGATIVE, Outcomes, Scale};
use crate::kernel::link::Link;

const fn count(
    name: &'static str,
    description: &'static str,
    direction: Direction,
    outcome: Outcomes,
) -> MetricSpec {
    MetricSpec {
        name,
        description,
        domain: NOT_NEGATIVE,
        scale: Scale::Logit,
        link: Link::Arcsine,
        direction,
        is_aggregate: false,
        formula: Formula::Count(outcome),
    }
}

// the counts of correct rows follow the share of positives in the chunk: neither side is better in itself

pub(crate) static TRUE_POSITIVE: MetricSpec = count(
    "true_positive",
    "Number of positive rows predicted positive.",
    Direction::Neither,
    [0.0, 0.0, 0.0, 1.0],
);

pub(crate) static TRUE_NEGATIVE: MetricSpec = count(
    "true_negative",
    "Number of negative rows predicted negative.",
    Direction::Neither,
    [1.0, 0.0, 0.0, 0.0],
);

pub(crate) static FALSE_POSITIVE: MetricSpec = count(
    "false_positive",
    "Number of negative rows predicted positive.",
    Direction::Lower,
    [0.0, 1.0, 0.0, 0.0],
);

pub(crate) static FALSE_NEGATIVE: MetricSpec = count(
    "false_negative",
    "Number of positive rows predicted negative.",
    Direction::Lower,
    [0.0, 0.0, 1.0, 0.0],
);
