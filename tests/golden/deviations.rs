//! Where this crate differs from NannyML 0.13.1 on purpose, and how the comparison accounts for it.

/// A figure that the two do not agree on.
#[derive(Debug)]
pub struct Difference<'a> {
    pub calculator: &'a str,
    pub metric: &'a str,
    pub field: &'a str,
    pub golden: Option<f64>,
    pub ours: Option<f64>,
    /// Realized counts `[tn, fp, fn, tp]` of the chunk, zeros without labels.
    pub counts: [f64; 4],
}

pub struct Deviation {
    /// Item of the list of NannyML's known issues, or what else decides.
    pub item: &'static str,
    pub what: &'static str,
    pub explains: fn(&Difference) -> bool,
}

/// The table; an entry that explains nothing fails the comparison when every fixture was read.
pub const DEVIATIONS: [Deviation; 0] = [];

/// Columns of the golden files that have no counterpart, with the reason.
pub const SKIPPED: [(&str, &str); 4] = [
    (
        "sampling_error",
        "another quantity: ours is chunk-specific and holds the calibrator's part",
    ),
    (
        "upper_confidence_boundary",
        "three sampling errors; ours is a prediction interval of the realized value",
    ),
    ("lower_confidence_boundary", "as the upper one"),
    (
        "thresholds of normalized variants",
        "ours are of the metrics, and normalized cells are none",
    ),
];
