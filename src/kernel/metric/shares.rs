//! Shares of rows by outcome; weights are of `[tn, fp, fn, tp]`.
use super::{Direction, Formula, MetricSpec, Scale, Share, UNIT};
use crate::kernel::link::Link;

const fn share(name: &'static str, description: &'static str, share: Share) -> MetricSpec {
    MetricSpec {
        name,
        description,
        domain: UNIT,
        scale: Scale::Logit,
        link: Link::Arcsine,
        direction: Direction::Higher,
        is_aggregate: true,
        formula: Formula::Share(share),
    }
}

const fn plain(
    name: &'static str,
    description: &'static str,
    hits: [f64; 4],
    of: [f64; 4],
) -> MetricSpec {
    share(
        name,
        description,
        Share {
            hits,
            of,
            from_plain: |share| share,
        },
    )
}

pub(crate) static ACCURACY: MetricSpec = plain(
    "accuracy",
    "Share of rows predicted right.",
    [1.0, 0.0, 0.0, 1.0],
    [1.0, 1.0, 1.0, 1.0],
);

pub(crate) static PRECISION: MetricSpec = plain(
    "precision",
    "Share of positives among rows predicted positive; NULL when there are none.",
    [0.0, 0.0, 0.0, 1.0],
    [0.0, 1.0, 0.0, 1.0],
);

pub(crate) static RECALL: MetricSpec = plain(
    "recall",
    "Share of positives that are predicted positive; NULL without a positive row.",
    [0.0, 0.0, 0.0, 1.0],
    [0.0, 0.0, 1.0, 1.0],
);

pub(crate) static SPECIFICITY: MetricSpec = plain(
    "specificity",
    "Share of negatives that are predicted negative; NULL without a negative row.",
    [1.0, 0.0, 0.0, 0.0],
    [1.0, 1.0, 0.0, 0.0],
);

/// `2 tp / (2 tp + fp + fn)`, an increasing function of the plain share `tp / (tp + fp + fn)`.
pub(crate) static F1: MetricSpec = share(
    "f1",
    "Harmonic mean of precision and recall; NULL when no row is positive or predicted positive.",
    Share {
        hits: [0.0, 0.0, 0.0, 2.0],
        of: [0.0, 1.0, 1.0, 2.0],
        from_plain: |jaccard| 2.0 * jaccard / (1.0 + jaccard),
    },
);
