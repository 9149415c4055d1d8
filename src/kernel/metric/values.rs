//! What rows are worth by outcome, from a value matrix.
use super::{Direction, Formula, MetricSpec, Scale};
use crate::kernel::link::Link;

const fn value(name: &'static str, description: &'static str, formula: Formula) -> MetricSpec {
    MetricSpec {
        name,
        description,
        domain: (None, None),
        scale: Scale::Identity,
        link: Link::Identity,
        direction: Direction::Higher,
        is_aggregate: false,
        formula,
    }
}

pub(crate) static BUSINESS_VALUE: MetricSpec = value(
    "business_value",
    "Total of the value matrix over the rows.",
    Formula::TotalValue,
);

pub(crate) static BUSINESS_VALUE_PER_ROW: MetricSpec = value(
    "business_value_per_row",
    "Mean of the value matrix over the rows.",
    Formula::MeanValue,
);
