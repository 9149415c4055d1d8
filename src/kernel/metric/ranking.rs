//! Metrics of the order that scores give to rows.
use super::{Direction, Formula, MetricSpec, Own, Scale, UNIT};
use crate::kernel::estimate_ranking::{estimate_average_precision, estimate_roc_auc};
use crate::kernel::link::Link;

const fn order(name: &'static str, description: &'static str, own: Own) -> MetricSpec {
    MetricSpec {
        name,
        description,
        domain: UNIT,
        scale: Scale::Logit,
        link: Link::Arcsine,
        direction: Direction::Higher,
        is_aggregate: true,
        formula: Formula::Order(own),
    }
}

pub(crate) static ROC_AUC: MetricSpec = order(
    "roc_auc",
    "Probability that a positive row scores above a negative one, ties counted one half; NULL unless both classes occur.",
    Own {
        estimate: |chunk, corrections| {
            let offset = chunk.calibrator.roc_auc_offset();
            estimate_roc_auc(&chunk.scored, offset, &chunk.level_variances, corrections)
        },
        realize: |chunk, confidence_level| chunk.ranking.roc_auc(confidence_level),
        influences: |chunk| {
            chunk
                .ranking
                .by_label(&chunk.ranking.influences_on_roc_auc()?)
        },
    },
);

pub(crate) static AVERAGE_PRECISION: MetricSpec = order(
    "average_precision",
    "Area under the precision-recall steps, tied scores as one threshold; NULL without a positive row.",
    Own {
        estimate: |chunk, corrections| {
            let offset = chunk.calibrator.average_precision_offset();
            estimate_average_precision(&chunk.scored, offset, &chunk.level_variances, corrections)
        },
        realize: |chunk, confidence_level| chunk.ranking.average_precision(confidence_level),
        influences: |chunk| {
            let ranking = &chunk.ranking;
            ranking.by_label(&ranking.influences_on_average_precision()?)
        },
    },
);
