//! Arguments that several functions take.
use super::spec::{Argument, Role};

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
