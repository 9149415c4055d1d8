//! Metrics of a confusion matrix: value and derivative, for counts and for expected counts alike.
use super::metric::Metric;

/// Rows by outcome, or their expected numbers, in the order of a value matrix: true negatives,
/// false positives, false negatives, true positives.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Confusion {
    pub tn: f64,
    pub fp: f64,
    pub fn_: f64,
    pub tp: f64,
}

impl Confusion {
    pub fn rows(&self) -> f64 {
        self.tn + self.fp + self.fn_ + self.tp
    }

    pub fn cells(&self) -> [f64; 4] {
        [self.tn, self.fp, self.fn_, self.tp]
    }

    /// Value of a metric of the matrix; `None` where it would divide nothing by nothing, and for
    /// metrics that read the scores.
    pub fn value(&self, metric: Metric, value_matrix: [f64; 4]) -> Option<f64> {
        let Self { tn, fp, fn_, tp } = *self;
        let total = || -> f64 {
            self.cells()
                .iter()
                .zip(value_matrix)
                .map(|(rows, value)| if *rows == 0.0 { 0.0 } else { rows * value })
                .sum()
        };
        let value = match metric {
            Metric::Accuracy => (tp + tn) / self.rows(),
            Metric::Precision => tp / (tp + fp),
            Metric::Recall => tp / (tp + fn_),
            Metric::Specificity => tn / (tn + fp),
            Metric::F1 => 2.0 * tp / (2.0 * tp + fp + fn_),
            Metric::TruePositive => tp,
            Metric::TrueNegative => tn,
            Metric::FalsePositive => fp,
            Metric::FalseNegative => fn_,
            Metric::BusinessValue => total(),
            Metric::BusinessValuePerRow => total() / self.rows(),
            _ => return None,
        };
        (self.rows() > 0.0 && value.is_finite()).then_some(value)
    }

    /// Derivative of the metric with respect to each cell, in the order of [`Self::cells`].
    ///
    /// All metrics but the counts and the total are ratios, so the derivative times the cells
    /// sums to 0 and is at once the influence of one row of each outcome.
    pub fn gradient(&self, metric: Metric, value: f64, value_matrix: [f64; 4]) -> [f64; 4] {
        let Self { tn, fp, fn_, tp } = *self;
        let share = |hits: [f64; 4], of: [f64; 4], total: f64| {
            let mut slopes = [0.0; 4];
            for (slope, (hit, member)) in slopes.iter_mut().zip(hits.into_iter().zip(of)) {
                *slope = (hit - value * member) / total;
            }
            slopes
        };
        match metric {
            Metric::Accuracy => share([1.0, 0.0, 0.0, 1.0], [1.0; 4], self.rows()),
            Metric::Precision => share([0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0], tp + fp),
            Metric::Recall => share([0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], tp + fn_),
            Metric::Specificity => share([1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], tn + fp),
            Metric::F1 => share(
                [0.0, 0.0, 0.0, 2.0],
                [0.0, 1.0, 1.0, 2.0],
                2.0 * tp + fp + fn_,
            ),
            Metric::TrueNegative => [1.0, 0.0, 0.0, 0.0],
            Metric::FalsePositive => [0.0, 1.0, 0.0, 0.0],
            Metric::FalseNegative => [0.0, 0.0, 1.0, 0.0],
            Metric::TruePositive => [0.0, 0.0, 0.0, 1.0],
            Metric::BusinessValue => value_matrix,
            Metric::BusinessValuePerRow => share(value_matrix, [1.0; 4], self.rows()),
            _ => [0.0; 4],
        }
    }

    /// Rows under the ratio, and rows of the smaller class of it, that a normal interval needs:
    /// predicted positives for precision, positives for recall and so on; all rows for the rest.
    pub fn support(&self, metric: Metric) -> f64 {
        let Self { tn, fp, fn_, tp } = *self;
        match metric {
            Metric::Precision => tp + fp,
            Metric::Recall => tp + fn_,
            Metric::Specificity => tn + fp,
            Metric::F1 => tp + fp + fn_,
            _ => self.rows(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: Confusion = Confusion {
        tn: 50.0,
        fp: 10.0,
        fn_: 5.0,
        tp: 35.0,
    };

    #[test]
    fn values_by_hand() {
        let value = |metric| CELLS.value(metric, [1.0, -2.0, -3.0, 4.0]).unwrap();
        assert_eq!(value(Metric::Accuracy), 0.85);
        assert_eq!(value(Metric::Precision), 35.0 / 45.0);
        assert_eq!(value(Metric::Recall), 0.875);
        assert_eq!(value(Metric::Specificity), 50.0 / 60.0);
        assert_eq!(value(Metric::F1), 70.0 / 85.0);
        // 50 - 20 - 15 + 140
        assert_eq!(value(Metric::BusinessValue), 155.0);
        assert_eq!(value(Metric::BusinessValuePerRow), 1.55);
    }

    #[test]
    fn nothing_over_nothing_has_no_value() {
        let negatives = Confusion {
            tn: 3.0,
            ..Confusion::default()
        };
        for metric in [Metric::Precision, Metric::Recall, Metric::F1] {
            assert_eq!(negatives.value(metric, [0.0; 4]), None, "{metric}");
        }
        assert_eq!(negatives.value(Metric::Specificity, [0.0; 4]), Some(1.0));
        assert_eq!(
            Confusion::default().value(Metric::TruePositive, [0.0; 4]),
            None
        );
    }

    #[test]
    fn gradients_are_finite_differences() {
        let matrix = [1.0, -2.0, -3.0, 4.0];
        for metric in Metric::ALL.into_iter().filter(|m| m.needs_prediction()) {
            let value = CELLS.value(metric, matrix).unwrap();
            let gradient = CELLS.gradient(metric, value, matrix);
            for (index, slope) in gradient.into_iter().enumerate() {
                let step = |by: f64| {
                    let mut cells = CELLS;
                    match index {
                        0 => cells.tn += by,
                        1 => cells.fp += by,
                        2 => cells.fn_ += by,
                        _ => cells.tp += by,
                    }
                    cells.value(metric, matrix).unwrap()
                };
                let change = (step(1e-4) - step(-1e-4)) / 2e-4;
                assert!((change - slope).abs() < 1e-7, "{metric} {index}");
            }
        }
    }
}
