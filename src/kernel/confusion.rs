//! Metrics of a confusion matrix: value and derivative, for counts and for expected counts alike.
use super::metric::{Formula, Metric, Outcomes};

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

    /// Every row counts `factor` times as much.
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            tn: self.tn * factor,
            fp: self.fp * factor,
            fn_: self.fn_ * factor,
            tp: self.tp * factor,
        }
    }

    /// Rows by outcome, `[tn, fp, fn, tp]`.
    pub fn cells(&self) -> [f64; 4] {
        [self.tn, self.fp, self.fn_, self.tp]
    }

    /// Rows of the outcomes, each by its weight; an outcome without rows adds nothing whatever its weight.
    pub fn weighted(&self, weights: Outcomes) -> f64 {
        let terms = self.cells().into_iter().zip(weights);
        terms
            .map(|(rows, weight)| if rows == 0.0 { 0.0 } else { rows * weight })
            .sum()
    }

    /// Value of a metric of the matrix; `None` where it would divide nothing by nothing, and for
    /// metrics that read the scores.
    pub fn value(&self, metric: Metric, value_matrix: Outcomes) -> Option<f64> {
        let value = match &metric.spec().formula {
            Formula::Share(share) => self.weighted(share.hits) / self.weighted(share.of),
            Formula::Count(outcome) => self.weighted(*outcome),
            Formula::TotalValue => self.weighted(value_matrix),
            Formula::MeanValue => self.weighted(value_matrix) / self.rows(),
            Formula::Order(_) | Formula::Probability(_) => return None,
        };
        (self.rows() > 0.0 && value.is_finite()).then_some(value)
    }

    /// Derivative of the metric with respect to each cell, in the order of [`Self::cells`].
    ///
    /// All metrics but the counts and the total are ratios, so the derivative times the cells
    /// sums to 0 and is at once the influence of one row of each outcome.
    pub fn gradient(&self, metric: Metric, value: f64, value_matrix: Outcomes) -> Outcomes {
        let ratio = |hits: Outcomes, of: Outcomes, total: f64| {
            let mut slopes = [0.0; 4];
            for (slope, (hit, member)) in slopes.iter_mut().zip(hits.into_iter().zip(of)) {
                *slope = (hit - value * member) / total;
            }
            slopes
        };
        match &metric.spec().formula {
            Formula::Share(share) => ratio(share.hits, share.of, self.weighted(share.of)),
            Formula::Count(outcome) => *outcome,
            Formula::TotalValue => value_matrix,
            Formula::MeanValue => ratio(value_matrix, [1.0; 4], self.rows()),
            Formula::Order(_) | Formula::Probability(_) => [0.0; 4],
        }
    }

    /// Rows that the metric is a share of; all rows for one that is no share.
    pub fn support(&self, metric: Metric) -> f64 {
        match &metric.spec().formula {
            Formula::Share(share) => self.members(share.of),
            _ => self.rows(),
        }
    }

    /// Rows of the outcomes with a weight, each counted once.
    pub fn members(&self, weights: Outcomes) -> f64 {
        self.weighted(weights.map(|weight| f64::from(u8::from(weight != 0.0))))
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
