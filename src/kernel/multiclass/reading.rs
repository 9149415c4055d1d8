//! Metrics of several classes from labels, with confidence intervals for the population.
use super::super::bins::ScoreBins;
use super::super::confusion::Confusion;
use super::super::interval::{FEW, normal_quantile, share_interval};
use super::super::metric::{Metric, Scale};
use super::super::reading::{Reading, Status};
use super::super::realized::Measured;
use super::super::realized_confusion::of_confusion;
use super::average::averaged;
use super::joint::JointCell;
use super::matrix::Matrix;
use super::metric::{Average, MulticlassMetric};
use super::profile::MulticlassProfile;
use super::ranking::ClassOrder;

/// A metric of a chunk, or of one class or cell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassReading {
    /// The class, or label and prediction of the cell; `None` of the whole.
    pub column_name: Option<String>,
    /// Its value.
    pub reading: Reading,
}

/// Realized metrics of one chunk; see [`MulticlassProfile`].
#[derive(Debug, Clone)]
pub struct RealizedClasses {
    classes: Vec<String>,
    matrix: Matrix,
    scores: Vec<ScoreBins>,
    joint: Vec<(JointCell, u64)>,
    labelled_count: u64,
    /// Rows with a label and all scores, of each class.
    scored: Vec<f64>,
    invalid: bool,
}

impl RealizedClasses {
    /// Prepares the metrics of a chunk.
    pub fn new(profile: &mut MulticlassProfile) -> Self {
        let side = profile.classes.len();
        let rows = |label, prediction| profile.rows(Some(label), Some(prediction)) as f64;
        let pairs =
            (0..side).flat_map(|label| (0..side).map(move |prediction| (label, prediction)));
        let matrix = Matrix::new(
            side,
            pairs
                .map(|(label, prediction)| rows(label, prediction))
                .collect(),
        );
        let unpredicted: u64 = (0..side).map(|label| profile.rows(Some(label), None)).sum();
        let scores: Vec<ScoreBins> = profile
            .scores
            .iter_mut()
            .map(|scores| scores.bins())
            .collect();
        let of_class = |bins: &ScoreBins| -> f64 {
            let cells = bins.bins.iter().flat_map(|bin| bin.cells);
            cells.map(|[_, positive, _]| positive.count as f64).sum()
        };
        Self {
            labelled_count: matrix.rows() as u64 + unpredicted,
            scored: scores.iter().map(of_class).collect(),
            joint: profile.joint.cells(),
            invalid: profile.invalid > 0,
            classes: profile.classes.clone(),
            matrix,
            scores,
        }
    }

    /// Realized values of a metric with confidence intervals of the population's: one of the whole, or one for each class
    /// (each cell of the matrix, label by label).
    ///
    /// * `value_matrix`: worth of a row by label, then by prediction, in the order of the classes; read by the business
    ///   values only.
    /// * `confidence_level`: in (0, 1).
    /// * NULL: every number is `None` where the metric is not defined on the labelled rows, of one class for a mean over
    ///   classes; `status` says why.
    pub fn readings(
        &self,
        metric: MulticlassMetric,
        value_matrix: &[f64],
        confidence_level: f64,
    ) -> Vec<ClassReading> {
        match metric {
            MulticlassMetric::Of(of, Average::PerClass) => self.per_class(of, confidence_level),
            MulticlassMetric::ConfusionMatrix => self.per_cell(confidence_level),
            _ => {
                let used = self.used_count(metric);
                let measured = || match metric {
                    MulticlassMetric::Of(of, average) if of.needs_order() => {
                        self.of_order(of, average, confidence_level)
                    }
                    _ => self.of_matrix(metric, value_matrix, confidence_level),
                };
                vec![ClassReading {
                    column_name: None,
                    reading: self.finish(metric.needs_order(), used, measured),
                }]
            }
        }
    }

    fn used_count(&self, metric: MulticlassMetric) -> u64 {
        match metric.needs_order() {
            true => self.scored.iter().sum::<f64>() as u64,
            false => self.matrix.rows() as u64,
        }
    }

    fn of_order(&self, metric: Metric, average: Average, level: f64) -> Option<Measured> {
        let orders: Vec<Option<ClassOrder>> = self
            .scores
            .iter()
            .map(|scores| ClassOrder::of(scores, metric, level))
            .collect();
        let weighted = average == Average::Weighted;
        averaged(
            &orders,
            &self.scored,
            &self.joint,
            weighted,
            normal_quantile(level),
        )
    }

    /// The variance is the sum of the squared influences of the rows.
    fn of_matrix(&self, metric: MulticlassMetric, values: &[f64], level: f64) -> Option<Measured> {
        let value = self.matrix.value(metric, values)?;
        let rows = self.matrix.rows();
        let kept = self.matrix.kept_possible();
        let near = kept.value(metric, values)?;
        let slopes = kept.gradient(metric, near, values);
        let terms = || slopes.iter().zip(kept.cells());
        let mean = terms().map(|(slope, rows)| slope * rows).sum::<f64>() / kept.rows();
        let variance: f64 = terms()
            .map(|(slope, rows)| rows * (slope - mean).powi(2))
            .sum();
        let z = normal_quantile(level);
        let few = self.is_few(metric);
        let bounds = match metric {
            MulticlassMetric::Accuracy => share_interval((value * rows).round(), rows, few, level),
            MulticlassMetric::Of(..) => Scale::Logit.interval(value, variance.sqrt(), z),
            _ => Scale::Identity.interval(value, variance.sqrt(), z),
        };
        Some(Measured {
            value,
            slack: 0.0,
            variance,
            bounds,
            few,
        })
    }

    /// Whether fewer than 20 rows are under one of the shares.
    fn is_few(&self, metric: MulticlassMetric) -> bool {
        let fewest = |of: Metric, weighted: bool| {
            let classes = self.matrix.one_vs_rest();
            let supports = classes
                .iter()
                .filter(|class| !weighted || class.tp + class.fn_ > 0.0);
            supports
                .map(|class| class.support(of))
                .fold(f64::INFINITY, f64::min)
        };
        let support = match metric {
            MulticlassMetric::Of(of, average) => fewest(of, average == Average::Weighted),
            _ => self.matrix.rows(),
        };
        support < FEW
    }

    fn per_class(&self, metric: Metric, level: f64) -> Vec<ClassReading> {
        let outcomes: Vec<Confusion> = self.matrix.one_vs_rest();
        let order = metric.needs_order();
        let used = self.used_count(MulticlassMetric::Of(metric, Average::PerClass));
        let classes = self.classes.iter().zip(&self.scores).zip(&outcomes);
        let of = |((name, scores), outcomes): ((&String, &ScoreBins), &Confusion)| {
            let measured = || match order {
                true => Some(ClassOrder::of(scores, metric, level)?.measured),
                false => of_confusion(outcomes, metric, [0.0; 4], level),
            };
            ClassReading {
                column_name: Some(name.clone()),
                reading: self.finish(order, used, measured),
            }
        };
        classes.map(of).collect()
    }

    fn per_cell(&self, level: f64) -> Vec<ClassReading> {
        let rows = self.matrix.rows();
        let name = |class: usize| self.classes.get(class).map_or("", String::as_str);
        let of = |((label, prediction), count): ((usize, usize), f64)| {
            let measured = || {
                let (lower, upper) = share_interval(count, rows, rows < FEW, level);
                let share = count.max(0.5) / rows;
                Some(Measured {
                    value: count,
                    slack: 0.0,
                    variance: rows * share * (1.0 - share).max(0.5 / rows),
                    bounds: (lower * rows, upper * rows),
                    few: rows < FEW,
                })
            };
            ClassReading {
                column_name: Some(format!("true_{}_pred_{}", name(label), name(prediction))),
                reading: self.finish(false, rows as u64, measured),
            }
        };
        self.matrix.each().map(of).collect()
    }

    fn finish(
        &self,
        needs_order: bool,
        used: u64,
        measured: impl FnOnce() -> Option<Measured>,
    ) -> Reading {
        let undefined = |status| Reading::undefined(status, used, self.labelled_count);
        if used == 0 {
            return undefined(match (self.labelled_count, needs_order) {
                (0, _) => Status::NoLabels,
                (_, false) => Status::NoPrediction,
                (_, true) => Status::InsufficientData,
            });
        }
        let Some(measured) = measured() else {
            return undefined(Status::SingleClass);
        };
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let error = finite(measured.variance.sqrt());
        let invalid = needs_order && self.invalid;
        let reserve = if invalid {
            Status::InvalidScore
        } else {
            Status::Ok
        };
        let few = if measured.few {
            Status::FewPositives
        } else {
            Status::Ok
        };
        Reading {
            value: finite(measured.value),
            approx_error: finite(measured.slack),
            sampling_error: error,
            row_sampling_error: error,
            lower_bound: finite(measured.bounds.0),
            upper_bound: finite(measured.bounds.1),
            expectation: None,
            used_count: used,
            labelled_count: self.labelled_count,
            status: reserve.worst(few),
        }
    }
}
