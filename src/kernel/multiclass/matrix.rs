//! Metrics of a confusion matrix of several classes: value and derivative, for counts and for expected counts alike.
use super::super::confusion::Confusion;
use super::super::metric::Metric;
use super::metric::{Average, MulticlassMetric};

/// Rows by label, then by prediction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matrix {
    side: usize,
    cells: Vec<f64>,
}

impl Matrix {
    pub fn new(side: usize, cells: Vec<f64>) -> Self {
        Self { side, cells }
    }

    /// Rows of a label and a prediction.
    pub fn at(&self, label: usize, prediction: usize) -> f64 {
        let at = label * self.side + prediction;
        self.cells.get(at).copied().unwrap_or(0.0)
    }

    pub fn cells(&self) -> &[f64] {
        &self.cells
    }

    /// Every row counts `factor` times as much.
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            side: self.side,
            cells: self.cells.iter().map(|rows| rows * factor).collect(),
        }
    }

    /// Rows predicted right.
    pub fn hits(&self) -> f64 {
        (0..self.side).map(|class| self.at(class, class)).sum()
    }

    pub fn rows(&self) -> f64 {
        self.cells.iter().sum()
    }

    /// Cells with their label and prediction.
    pub fn each(&self) -> impl Iterator<Item = ((usize, usize), f64)> + '_ {
        let side = self.side.max(1);
        let cells = self.cells.iter().enumerate();
        cells.map(move |(i, rows)| ((i / side, i % side), *rows))
    }

    /// The outcomes of each class against all others.
    pub fn one_vs_rest(&self) -> Vec<Confusion> {
        let (mut of_label, mut of_prediction) = (vec![0.0; self.side], vec![0.0; self.side]);
        for ((label, prediction), rows) in self.each() {
            for (sums, class) in [(&mut of_label, label), (&mut of_prediction, prediction)] {
                if let Some(sum) = sums.get_mut(class) {
                    *sum += rows;
                }
            }
        }
        let all = self.rows();
        let sums = of_label.into_iter().zip(of_prediction);
        sums.enumerate()
            .map(|(class, (labelled, predicted))| {
                let tp = self.at(class, class);
                Confusion {
                    tn: (all - labelled - predicted + tp).max(0.0),
                    fp: predicted - tp,
                    fn_: labelled - tp,
                    tp,
                }
            })
            .collect()
    }

    /// Value of a metric of the matrix; `None` where it is not defined, and for metrics of scores and of single classes.
    /// `values`: of each cell, as the cells are ordered.
    pub fn value(&self, metric: MulticlassMetric, values: &[f64]) -> Option<f64> {
        use MulticlassMetric as M;
        let rows = self.rows();
        let worth = || -> f64 {
            let terms = self.cells.iter().zip(values);
            // a cell without rows adds nothing whatever it is worth
            terms
                .filter(|(rows, _)| **rows != 0.0)
                .map(|(rows, value)| rows * value)
                .sum()
        };
        let value = match metric {
            M::Of(metric, Average::Macro) => {
                let classes = self.one_vs_rest();
                let each: Option<Vec<f64>> =
                    classes.iter().map(|c| c.value(metric, [0.0; 4])).collect();
                each?.iter().sum::<f64>() / self.side as f64
            }
            M::Of(metric, Average::Weighted) => {
                let weighted = |class: &Confusion| match class.tp + class.fn_ {
                    0.0 => Some(0.0),
                    labelled => Some(class.value(metric, [0.0; 4])? * labelled / rows),
                };
                let terms: Option<Vec<f64>> = self.one_vs_rest().iter().map(weighted).collect();
                terms?.iter().sum()
            }
            M::Accuracy => self.hits() / rows,
            M::BusinessValue => worth(),
            M::BusinessValuePerRow => worth() / rows,
            M::Of(_, Average::PerClass) | M::ConfusionMatrix => return None,
        };
        (rows > 0.0 && value.is_finite()).then_some(value)
    }

    /// Derivative of a metric with value `value` with respect to each cell, in their order; all are ratios but the total value.
    pub fn gradient(&self, metric: MulticlassMetric, value: f64, values: &[f64]) -> Vec<f64> {
        use MulticlassMetric as M;
        let rows = self.rows();
        match metric {
            M::Of(metric, average) => self.gradient_of_average(metric, average, value),
            M::Accuracy => self
                .map(|label, prediction| (f64::from(u8::from(label == prediction)) - value) / rows),
            M::BusinessValue => values.to_vec(),
            M::BusinessValuePerRow => values.iter().map(|worth| (worth - value) / rows).collect(),
            M::ConfusionMatrix => vec![0.0; self.cells.len()],
        }
    }

    fn map(&self, term: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        self.each()
            .map(|((label, prediction), _)| term(label, prediction))
            .collect()
    }

    /// A cell is a hit of its class if label and prediction agree, else a miss of the label's class and a false alarm of
    /// the prediction's, and right of all others.
    fn gradient_of_average(&self, metric: Metric, average: Average, value: f64) -> Vec<f64> {
        let classes = self.one_vs_rest();
        let rows = self.rows();
        let weight = |class: &Confusion| match average {
            Average::Weighted => (class.tp + class.fn_) / rows,
            _ => 1.0 / self.side as f64,
        };
        let of_class = |class: &Confusion| {
            let own = class.value(metric, [0.0; 4]).unwrap_or(0.0);
            let slopes = class.gradient(metric, own, [0.0; 4]);
            let weight = weight(class);
            // where the weight is a share of rows, too, a row of the class moves it
            let moved = match average {
                Average::Weighted => (own - value) / rows,
                _ => 0.0,
            };
            let finite = |slope: f64| if weight > 0.0 { slope * weight } else { 0.0 };
            (slopes.map(finite), moved)
        };
        let slopes: Vec<([f64; 4], f64)> = classes.iter().map(of_class).collect();
        let all_right: f64 = slopes.iter().map(|([tn, ..], _)| tn).sum();
        let none = ([0.0; 4], 0.0);
        self.map(|label, prediction| {
            let ([tn, _, miss, hit], moved) = slopes.get(label).unwrap_or(&none);
            if label == prediction {
                return all_right - tn + hit + moved;
            }
            let ([other_tn, alarm, ..], _) = slopes.get(prediction).unwrap_or(&none);
            all_right - tn - other_tn + miss + alarm + moved
        })
    }

    /// The matrix with every outcome possible: half a row for each class in what did not occur, or a faultless chunk would
    /// have no error.
    pub fn kept_possible(&self) -> Self {
        let off_diagonal = 0.5 / (self.side as f64 - 1.0).max(1.0);
        let cells = self.each().map(|((label, prediction), rows)| match rows {
            0.0 if label == prediction => 0.5,
            0.0 => off_diagonal,
            rows => rows,
        });
        Self {
            side: self.side,
            cells: cells.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        Matrix::new(3, vec![50.0, 10.0, 5.0, 4.0, 30.0, 6.0, 3.0, 2.0, 20.0])
    }

    #[test]
    fn values_by_hand() {
        let value = |name: &str, values: &[f64]| {
            matrix()
                .value(MulticlassMetric::parse(name).unwrap(), values)
                .unwrap()
        };
        assert!((value("accuracy", &[]) - 100.0 / 130.0).abs() < 1e-15);
        let recalls = [50.0 / 65.0, 30.0 / 40.0, 20.0 / 25.0];
        assert!((value("recall", &[]) - recalls.iter().sum::<f64>() / 3.0).abs() < 1e-15);
        // weighted recall is accuracy
        assert!((value("recall_weighted", &[]) - 100.0 / 130.0).abs() < 1e-15);
        let precisions = [50.0 / 57.0, 30.0 / 42.0, 20.0 / 31.0];
        assert!((value("precision", &[]) - precisions.iter().sum::<f64>() / 3.0).abs() < 1e-15);
        let values = [1.0, -1.0, -2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0];
        assert_eq!(
            value("business_value", &values),
            50.0 - 10.0 - 10.0 + 60.0 + 60.0
        );
    }

    #[test]
    fn a_class_that_does_not_occur_has_no_macro_recall() {
        let matrix = Matrix::new(2, vec![5.0, 1.0, 0.0, 0.0]);
        let value = |name: &str| matrix.value(MulticlassMetric::parse(name).unwrap(), &[]);
        assert_eq!(value("recall"), None);
        assert_eq!(value("recall_weighted"), Some(5.0 / 6.0));
    }

    #[test]
    fn gradients_are_finite_differences() {
        let values: Vec<f64> = (0..9).map(|i| f64::from(i) - 3.0).collect();
        for metric in MulticlassMetric::all() {
            let Some(value) = matrix().value(metric, &values) else {
                continue;
            };
            let gradient = matrix().gradient(metric, value, &values);
            for (i, slope) in gradient.iter().enumerate() {
                let step = |by: f64| {
                    let mut moved = matrix();
                    moved.cells[i] += by;
                    moved.value(metric, &values).unwrap()
                };
                let change = (step(1e-4) - step(-1e-4)) / 2e-4;
                assert!(
                    (change - slope).abs() < 1e-7,
                    "{metric} {i}: {change} {slope}"
                );
            }
        }
    }
}
