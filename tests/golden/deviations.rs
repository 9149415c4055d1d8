//! Where this crate differs from NannyML 0.13.1 on purpose, and how the comparison accounts for it.

use crate::columns;

/// A figure of a classifier that the two do not agree on.
#[derive(Debug)]
pub struct Difference {
    pub calculator: String,
    pub metric: String,
    pub field: &'static str,
    pub golden: Option<f64>,
    pub ours: Option<f64>,
    /// Realized counts `[tn, fp, fn, tp]` of the chunk, zeros without labels.
    pub counts: [f64; 4],
    pub complete: bool,
}

pub struct Deviation<D> {
    /// Item of the list of NannyML's known issues, or what else decides.
    pub item: &'static str,
    pub what: &'static str,
    pub explains: fn(&D) -> bool,
}

impl Difference {
    fn one_cell(&self) -> bool {
        self.counts.iter().filter(|&&n| n > 0.0).count() == 1
    }

    fn is(&self, metrics: &[&str]) -> bool {
        metrics.contains(&self.metric.as_str())
    }
}

pub const SINGLE_CLASS: &str = "single class";
const INCOMPLETE: &str = "incomplete chunk";

/// One class only among labels or among predictions of `[tn, fp, fn, tp]`.
pub fn single_class([tn, fp, false_negative, tp]: [f64; 4]) -> bool {
    let none = |a: f64, b: f64| a + b == 0.0;
    none(tn, fp) || none(false_negative, tp) || none(tn, false_negative) || none(fp, tp)
}

/// The table; an entry that no longer explains anything fails the test. Paths are those of NannyML's package.
pub const DEVIATIONS: [Deviation<Difference>; 5] = [
    Deviation {
        item: SINGLE_CLASS,
        what: "f1, precision and recall are refused where labels or predictions have one class only, although \
               they may be defined, and do not feed thresholds (performance_calculation/metrics/binary_classification.py)",
        explains: |d| {
            d.golden.is_none()
                && d.ours.is_some()
                && single_class(d.counts)
                && d.is(&["f1", "precision", "recall"])
        },
    },
    Deviation {
        item: "zero denominator",
        what: "precision is given as 0 where no row is predicted positive; it does not exist, so ours is NULL \
               and cannot alert (performance_estimation/confidence_based/metrics.py:908)",
        explains: |d| d.ours.is_none() && d.is(&["precision"]) && d.counts[1] + d.counts[3] == 0.0,
    },
    Deviation {
        item: "broadcast matrix",
        what: "with one class among labels and predictions together, the one count is multiplied by the sum of \
               the whole value matrix (performance_calculation/metrics/binary_classification.py:793)",
        explains: |d| d.is(&["business_value"]) && d.one_cell() && d.calculator == "realized",
    },
    Deviation {
        item: INCOMPLETE,
        what: "left-over rows that do not fill a chunk alert by limits made for full ones; ours wait",
        explains: |d| d.field == "alert" && d.ours.is_none() && !d.complete,
    },
    Deviation {
        item: "rounding",
        what: "cumulative sums are rounded to five decimals, which a chunk of a few rows feels above 1e-6 \
               (performance_estimation/confidence_based/metrics.py:475, 623)",
        explains: |d| {
            let close = d
                .golden
                .zip(d.ours)
                .is_some_and(|(golden, ours)| (golden - ours).abs() <= 5e-6);
            close
                && d.field == "value"
                && d.is(&["roc_auc", "average_precision"])
                && d.counts.iter().sum::<f64>() < 10.0
        },
    },
];

/// The same of figures of columns.
pub const OF_COLUMNS: [Deviation<columns::Difference>; 11] = [
    Deviation {
        item: "A9 binned wasserstein",
        what: "against 10,000 reference rows or more, 10,000 bins of equal width and one row too many below the reference's \
               range; ours, with both put in, gives their figure (drift/univariate/methods.py:668)",
        explains: |d| d.metric == "wasserstein" && d.is_flawed(),
    },
    Deviation {
        item: "A12 binned kolmogorov_smirnov",
        what: "against 10,000 reference rows or more, only at the edges of 10,000 bins of equal width; ours, at those, \
               gives their figure (drift/univariate/methods.py:416)",
        explains: |d| d.metric == "kolmogorov_smirnov" && d.is_flawed(),
    },
    Deviation {
        item: "A10 leftover mass",
        what: "1 minus a sum of shares is a bin of its own, and makes the distance of equal distributions NaN \
               (drift/univariate/methods.py:299)",
        explains: |d| {
            d.metric == "jensen_shannon" && d.golden.is_none() && d.ours.is_some_and(|x| x < 1e-7)
        },
    },
    Deviation {
        item: "A13 stale p-value",
        what: "a chunk without values alerts as the chunk before; ours has no p-value (drift/univariate/methods.py:514)",
        explains: |d| {
            d.metric == "chi2" && d.field == "alert" && d.value.is_none() && d.ours.is_none()
        },
    },
    Deviation {
        item: "S7 p-value of chi2",
        what: "alerts where the statistic has a p-value below 5 %; ours is without Yates' correction, and of categories pooled \
               until each is expected to hold five rows of either sample",
        explains: |d| {
            d.metric == "chi2" && d.field == "alert" && d.golden.is_some() && d.ours.is_some()
        },
    },
    Deviation {
        item: "A26 unseen gaps",
        what: "where the reference has no NULL, NULL is an unseen value; ours is a missing one, and both together give \
               their figure (data_quality/unseen/calculator.py:128)",
        explains: |d| d.metric == "unseen" && d.is_flawed(),
    },
    Deviation {
        item: "A15 on the limit",
        what: "a statistic that equals its limit alerts; ours must exceed it (stats/*/calculator.py)",
        explains: |d| {
            d.field == "alert" && d.golden == Some(1.0) && d.ours == Some(0.0) && d.on_limit
        },
    },
    Deviation {
        item: "limit of 0",
        what: "a lower limit that is cut off at 0 is dropped; ours is 0, and nothing is below (stats/std, stats/count)",
        explains: |d| {
            let dropped = d.golden.is_none() && d.ours == Some(0.0);
            d.field == "lower_threshold" && dropped && ["std", "count"].contains(&d.metric.as_str())
        },
    },
    Deviation {
        item: "sum of nothing",
        what: "a chunk without values has the sum 0; ours is NULL (stats/sum/calculator.py)",
        explains: |d| {
            d.metric == "sum" && d.field == "value" && d.golden == Some(0.0) && d.ours.is_none()
        },
    },
    Deviation {
        item: "A15 no value",
        what: "a chunk without values has an alert, or False where it is one of drift; ours is NULL",
        explains: |d| d.field == "alert" && d.value.is_none() && d.ours.is_none(),
    },
    Deviation {
        item: INCOMPLETE,
        what: "",
        explains: |d| d.field == "alert" && d.ours.is_none() && !d.complete,
    },
];

impl columns::Difference {
    fn is_flawed(&self) -> bool {
        self.flawed.is_some() && columns::error(self.golden, self.flawed, 0.0) < 1e-9
    }
}

/// Columns of the golden files that have no counterpart, with the reason.
pub const SKIPPED: [(&str, &str); 6] = [
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
    (
        "sampling_error of missing values and statistics",
        "theirs is of the reference, and takes gaps for values (A16, A17)",
    ),
    ("limits of counts of missing values", "ours are of shares"),
];
