//! Arguments that several functions take.
use datafusion::common::{Result, plan_err};

use super::spec::{Argument, Role};
use crate::kernel::side::Side;
use crate::suggest::expected_one_of;

/// Argument `side` of a function of this name, both without.
pub(super) fn side(function: &str, name: Option<&str>) -> Result<Side> {
    let Some(name) = name else {
        return Ok(Side::default());
    };
    match Side::parse(name) {
        Some(side) => Ok(side),
        None => plan_err!(
            "{function}: argument 'side' is '{name}'. {}",
            expected_one_of(name, &Side::ALL.map(Side::name))
        ),
    }
}

pub(super) const CLASS_LABEL: Argument = (
    "label",
    Role::Category,
    "Realized class; NULL where not known yet.",
);

pub(super) const CLASS_PREDICTION: Argument = (
    "prediction",
    Role::Category,
    "Predicted class; NULL where there is none.",
);

pub(super) const CLASS_MAX_BINS: Argument = (
    "max_bins",
    Role::Integer,
    "Most bins to keep of each class; 6144 by default.",
);

pub(super) const CLASS_MIN_LEVEL: Argument = (
    "min_level",
    Role::Integer,
    "Low bits to drop from every score, 0 (default) to 60.",
);

pub(super) const NUMBER_LABEL: Argument = (
    "label",
    Role::Number,
    "Realized number; NULL where not known yet.",
);

pub(super) const ERROR_MIN_LEVEL: Argument = (
    "min_level",
    Role::Integer,
    "Low bits to drop from every absolute error, 0 (default) to 60.",
);

pub(super) const METRICS: Argument = ("metrics", Role::Texts, "Names of metrics.");

pub(super) const CONFIDENCE_LEVEL: Argument = (
    "confidence_level",
    Role::Number,
    "Confidence level of the bounds.",
);
