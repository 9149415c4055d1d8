//! The metrics of several classes: those of two classes, averaged or one by one, and those of the whole matrix.
use std::fmt;

use super::super::link::Link;
use super::super::metric::{Direction, Metric};
use super::super::threshold::MetricScale;
use super::super::threshold_text::Judged;

/// How the values of the classes, each against all others, become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Average {
    /// Their mean; NULL where one of them is.
    Macro,
    /// Their mean weighted by the share of rows with the label; a class without rows has no weight.
    Weighted,
    /// None: a row of the result for each class, named by `column_name`.
    PerClass,
}

/// A metric of several classes. Names are those of the SQL surface: `f1`, `f1_weighted`, `f1_per_class`, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MulticlassMetric {
    /// A metric of two classes, of each class against all others.
    Of(Metric, Average),
    /// Share of rows whose prediction is the label.
    Accuracy,
    /// Rows for each label and prediction, a row of the result each.
    ConfusionMatrix,
    /// Total of the value matrix over the rows.
    BusinessValue,
    /// Its mean.
    BusinessValuePerRow,
}

const NAMES: [(MulticlassMetric, &str); 22] = {
    use Average::{Macro, PerClass, Weighted};
    use Metric::{AveragePrecision, F1, Precision, Recall, RocAuc, Specificity};
    use MulticlassMetric as M;
    [
        (M::Of(RocAuc, Macro), "roc_auc"),
        (M::Of(AveragePrecision, Macro), "average_precision"),
        (M::Of(F1, Macro), "f1"),
        (M::Of(Precision, Macro), "precision"),
        (M::Of(Recall, Macro), "recall"),
        (M::Of(Specificity, Macro), "specificity"),
        (M::Accuracy, "accuracy"),
        (M::BusinessValue, "business_value"),
        (M::BusinessValuePerRow, "business_value_per_row"),
        (M::Of(RocAuc, Weighted), "roc_auc_weighted"),
        (
            M::Of(AveragePrecision, Weighted),
            "average_precision_weighted",
        ),
        (M::Of(F1, Weighted), "f1_weighted"),
        (M::Of(Precision, Weighted), "precision_weighted"),
        (M::Of(Recall, Weighted), "recall_weighted"),
        (M::Of(Specificity, Weighted), "specificity_weighted"),
        (M::Of(RocAuc, PerClass), "roc_auc_per_class"),
        (
            M::Of(AveragePrecision, PerClass),
            "average_precision_per_class",
        ),
        (M::Of(F1, PerClass), "f1_per_class"),
        (M::Of(Precision, PerClass), "precision_per_class"),
        (M::Of(Recall, PerClass), "recall_per_class"),
        (M::Of(Specificity, PerClass), "specificity_per_class"),
        (M::ConfusionMatrix, "confusion_matrix"),
    ]
};

impl MulticlassMetric {
    /// Every metric, in the order in which results list them.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(metric, _)| *metric)
    }

    /// Name in SQL.
    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(metric, _)| *metric == self);
        found.map_or("", |(_, name)| name)
    }

    /// The metric of that name, in any case; `None` when there is none.
    ///
    /// ```
    /// use modelwatch::kernel::multiclass::MulticlassMetric;
    /// assert_eq!(MulticlassMetric::parse("F1_weighted").map(MulticlassMetric::name), Some("f1_weighted"));
    /// assert_eq!(MulticlassMetric::parse("f2"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        let mut names = NAMES.iter();
        names
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(metric, _)| *metric)
    }

    /// Whether it is listed where no metrics are named.
    pub fn is_usual(self) -> bool {
        !matches!(
            self,
            Self::Of(_, Average::Weighted | Average::PerClass) | Self::ConfusionMatrix
        )
    }

    /// Whether it reads the order of the scores.
    pub fn needs_order(self) -> bool {
        matches!(self, Self::Of(metric, _) if metric.needs_order())
    }

    /// Whether rows without a prediction are left out.
    pub fn needs_prediction(self) -> bool {
        !self.needs_order()
    }

    /// Whether it reads a value matrix.
    pub fn needs_value_matrix(self) -> bool {
        matches!(self, Self::BusinessValue | Self::BusinessValuePerRow)
    }
}

impl fmt::Display for MulticlassMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Judged for MulticlassMetric {
    fn parse(name: &str) -> Option<Self> {
        Self::parse(name)
    }

    fn names() -> Vec<&'static str> {
        NAMES.iter().map(|(_, name)| *name).collect()
    }

    fn scale(self) -> MetricScale {
        match self {
            Self::Of(metric, _) => MetricScale::of(metric),
            Self::Accuracy => MetricScale::of(Metric::Accuracy),
            Self::BusinessValue => MetricScale::of(Metric::BusinessValue),
            Self::BusinessValuePerRow => MetricScale::of(Metric::BusinessValuePerRow),
            // more correct rows may only mean more rows of the class
            Self::ConfusionMatrix => MetricScale {
                link: Link::Arcsine,
                lower: Some(0.0),
                upper: None,
                better: Direction::Neither,
                total: true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse_back() {
        for metric in MulticlassMetric::all() {
            assert_eq!(MulticlassMetric::parse(metric.name()), Some(metric));
        }
        // a name that two kinds of models share is judged on one scale
        for metric in MulticlassMetric::all() {
            if let Some(binary) = Metric::parse(metric.name()) {
                assert_eq!(metric.scale(), MetricScale::of(binary), "{metric}");
            }
        }
    }
}
