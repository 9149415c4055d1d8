//! Estimates for several classes without labels: expected metrics under calibrated probabilities.
use super::super::estimate::Corrections;
use super::super::interval::{FEW, normal_quantile};
use super::super::metric::Metric;
use super::super::prediction_interval::Estimate;
use super::super::reading::{Reading, Status};
use super::super::roc_auc::small_sample;
use super::super::threshold_text::Judged;
use super::calibrators::ClassCalibrators;
use super::class_masses::ClassMasses;
use super::estimate_order::{ClassOrderEstimate, averaged, of_class};
use super::estimates::ClassEstimates;
use super::expected_joint::ExpectedCell;
use super::joint::MOST_PAIRED;
use super::mass_digest::number;
use super::matrix::Matrix;
use super::metric::{Average, MulticlassMetric};
use super::reading::ClassReading;

/// Estimates of one chunk; see [`ClassEstimates`].
#[derive(Debug, Clone)]
pub struct ClassEstimator<'a> {
    calibrators: &'a ClassCalibrators,
    classes: Vec<ClassMasses>,
    /// Expected rows by label, then prediction.
    matrix: Matrix,
    /// Sums of products of probabilities by prediction, then class and class.
    products: Vec<f64>,
    joint: Option<Vec<ExpectedCell>>,
    /// Variances of each class's expected positives by prediction.
    levels: Vec<[f64; 3]>,
    scored: u64,
    with_prediction: u64,
    labelled_count: u64,
    improbable: bool,
    reserve: Status,
}

impl<'a> ClassEstimator<'a> {
    /// Prepares the estimates of a chunk whose rows were observed with these calibrators.
    pub fn new(chunk: &ClassEstimates, calibrators: &'a ClassCalibrators) -> Self {
        let side = chunk.classes().len();
        let of_class = chunk.scores.iter().zip(calibrators.calibrators());
        let classes: Vec<ClassMasses> = of_class
            .map(|(digest, calibrator)| ClassMasses::new(digest, calibrator))
            .collect();
        let at = |label: usize, prediction: usize| {
            let sum = chunk.expected.get(prediction * side + label);
            sum.map_or(0.0, |sum| number(*sum))
        };
        let pairs =
            (0..side).flat_map(|label| (0..side).map(move |prediction| (label, prediction)));
        let labelled = (0..side).map(|label| {
            let predicted: u64 = (0..side)
                .map(|p| chunk.realized.rows(Some(label), Some(p)))
                .sum();
            predicted + chunk.realized.rows(Some(label), None)
        });
        Self {
            matrix: Matrix::new(
                side,
                pairs
                    .map(|(label, prediction)| at(label, prediction))
                    .collect(),
            ),
            products: chunk.products.iter().map(|sum| number(*sum)).collect(),
            joint: (side <= MOST_PAIRED).then(|| chunk.joint().numbers()),
            levels: classes
                .iter()
                .map(ClassMasses::variances_by_prediction)
                .collect(),
            reserve: reserve(chunk, calibrators, &classes),
            scored: chunk.scored,
            with_prediction: chunk.with_prediction,
            labelled_count: labelled.sum(),
            improbable: chunk.improbable > 0,
            classes,
            calibrators,
        }
    }

    /// Estimates of a metric, their errors, and the intervals in which the realized values will lie: one of the whole, or one
    /// for each class (each cell of the matrix, label by label).
    ///
    /// * `value_matrix` and NULL: as for [`super::RealizedClasses::readings`].
    /// * Label noise: a row has one label, drawn with its probabilities; metrics of the matrix are linearized in the expected
    ///   rows. Calibrators: variances of their levels, class by class, which leaves out that the classes are fitted on the same
    ///   labels.
    pub fn readings(
        &self,
        metric: MulticlassMetric,
        value_matrix: &[f64],
        confidence_level: f64,
    ) -> Vec<ClassReading> {
        self.readings_with(metric, value_matrix, confidence_level, Corrections::Applied)
    }

    /// As [`Self::readings`], with the corrections of the ranking metrics applied or undone.
    pub fn readings_with(
        &self,
        metric: MulticlassMetric,
        value_matrix: &[f64],
        confidence_level: f64,
        corrections: Corrections,
    ) -> Vec<ClassReading> {
        let one =
            |column_name: Option<String>, estimate: &dyn Fn() -> Option<Estimate>| ClassReading {
                column_name,
                reading: self.finish(metric, estimate, confidence_level),
            };
        let names = || self.calibrators.classes().iter().enumerate();
        match metric {
            MulticlassMetric::Of(of, Average::PerClass) => names()
                .map(|(class, name)| {
                    one(Some(name.clone()), &|| match of.needs_order() {
                        true => Some(self.order_of(class, of, corrections)?.estimate),
                        false => self.of_one_class(class, of),
                    })
                })
                .collect(),
            MulticlassMetric::ConfusionMatrix => names()
                .flat_map(|(label, name)| {
                    names().map(move |(prediction, other)| (label, name, prediction, other))
                })
                .map(|(label, name, prediction, other)| {
                    one(Some(format!("true_{name}_pred_{other}")), &|| {
                        self.of_cell(label, prediction)
                    })
                })
                .collect(),
            MulticlassMetric::Of(of, average) if of.needs_order() => {
                vec![one(None, &|| self.of_order(of, average, corrections))]
            }
            _ => vec![one(None, &|| {
                let value = self.matrix.value(metric, value_matrix)?;
                let slopes = self.matrix.gradient(metric, value, value_matrix);
                Some(self.linear(value, &slopes, self.is_few(metric)))
            })],
        }
    }

    fn order_of(
        &self,
        class: usize,
        metric: Metric,
        corrections: Corrections,
    ) -> Option<ClassOrderEstimate> {
        let calibrator = self.calibrators.calibrators().get(class)?;
        of_class(self.classes.get(class)?, calibrator, metric, corrections)
    }

    fn of_order(
        &self,
        metric: Metric,
        average: Average,
        corrections: Corrections,
    ) -> Option<Estimate> {
        let side = self.classes.len();
        let orders: Vec<_> = (0..side)
            .map(|class| self.order_of(class, metric, corrections))
            .collect();
        let positives =
            |class: &ClassMasses| class.bins.iter().map(|bin| bin.mass.positives).sum::<f64>();
        let weights: Vec<f64> = match average {
            // the expected shares, taken as known
            Average::Weighted => self
                .classes
                .iter()
                .map(|class| positives(class) / self.scored as f64)
                .collect(),
            _ => vec![1.0 / side as f64; side],
        };
        averaged(&orders, &weights, self.joint.as_deref())
    }

    fn of_one_class(&self, class: usize, metric: Metric) -> Option<Estimate> {
        let outcomes = self.matrix.one_vs_rest();
        let outcomes = outcomes.get(class)?;
        let value = outcomes.value(metric, [0.0; 4])?;
        let [tn, fp, fn_, tp] = outcomes.gradient(metric, value, [0.0; 4]);
        let slope = |((label, prediction), _)| match (label == class, prediction == class) {
            (true, true) => tp,
            (true, false) => fn_,
            (false, true) => fp,
            (false, false) => tn,
        };
        let slopes: Vec<f64> = self.matrix.each().map(slope).collect();
        Some(self.linear(value, &slopes, outcomes.support(metric) < FEW))
    }

    fn of_cell(&self, label: usize, prediction: usize) -> Option<Estimate> {
        let here = |((a, b), _)| f64::from(u8::from((a, b) == (label, prediction)));
        let slopes: Vec<f64> = self.matrix.each().map(here).collect();
        let few = self.matrix.rows() < FEW;
        Some(self.linear(self.matrix.at(label, prediction), &slopes, few))
    }

    fn is_few(&self, metric: MulticlassMetric) -> bool {
        match metric {
            MulticlassMetric::Of(of, _) => {
                let classes = self.matrix.one_vs_rest();
                classes.iter().any(|class| class.support(of) < FEW)
            }
            _ => self.matrix.rows() < FEW,
        }
    }

    /// The errors of a function of the expected matrix with this value and derivative.
    fn linear(&self, value: f64, slopes: &[f64], few: bool) -> Estimate {
        let side = self.classes.len();
        let slope = |label: usize, prediction: usize| {
            slopes
                .get(label * side + prediction)
                .copied()
                .unwrap_or(0.0)
        };
        let (mut squares, mut products) = (0.0, 0.0);
        let mut means = vec![0.0; side];
        for ((label, prediction), rows) in self.matrix.each() {
            let g = slope(label, prediction);
            squares += g * g * rows;
            if let Some(mean) = means.get_mut(prediction) {
                *mean += g * rows;
            }
        }
        for (i, sum) in self.products.iter().enumerate() {
            let (prediction, pair) = (i / (side * side), i % (side * side));
            products += slope(pair / side, prediction) * slope(pair % side, prediction) * sum;
        }
        let rows = self.matrix.rows();
        let total: f64 = means.iter().sum();
        Estimate {
            value,
            label_variance: (squares - products).max(0.0),
            row_variance: small_sample(rows) * (products - total * total / rows).max(0.0),
            calibrator_variance: self.calibrator_variance(&slope, &means),
            few,
            ..Estimate::default()
        }
    }

    /// More of a class in a row is less of the others: its slope counts beyond the row's mean, `means` being their sums.
    fn calibrator_variance(&self, slope: &dyn Fn(usize, usize) -> f64, means: &[f64]) -> f64 {
        let side = self.classes.len();
        let predicted = |prediction: usize| -> f64 {
            (0..side)
                .map(|label| self.matrix.at(label, prediction))
                .sum()
        };
        let beyond = |class: usize, prediction: usize| match (
            predicted(prediction),
            means.get(prediction),
        ) {
            (rows, Some(sum)) if rows > 0.0 => slope(class, prediction) - sum / rows,
            _ => 0.0,
        };
        let of_class = |(class, [own, both, other]): (usize, &[f64; 3])| {
            let others = || (0..side).filter(|prediction| *prediction != class);
            let elsewhere: f64 = others().map(predicted).sum();
            let a = beyond(class, class);
            let b: f64 = others().map(|p| predicted(p) * beyond(class, p)).sum();
            let b = if elsewhere > 0.0 { b / elsewhere } else { 0.0 };
            (a * a * own + 2.0 * a * b * both + b * b * other).max(0.0)
        };
        self.levels.iter().enumerate().map(of_class).sum()
    }

    fn finish(
        &self,
        metric: MulticlassMetric,
        estimate: &dyn Fn() -> Option<Estimate>,
        confidence_level: f64,
    ) -> Reading {
        let used = match metric.needs_order() {
            true => self.scored,
            false => self.matrix.rows().round() as u64,
        };
        let undefined = |status| Reading::undefined(status, used, self.labelled_count);
        if self.calibrators.calibrators().is_empty() {
            return undefined(self.calibrators.status());
        }
        if self.improbable {
            return undefined(Status::NotAProbability);
        }
        if used == 0 {
            let missing = metric.needs_prediction() && self.with_prediction == 0 && self.scored > 0;
            return undefined(if missing {
                Status::NoPrediction
            } else {
                Status::InsufficientData
            });
        }
        let Some(estimate) = estimate() else {
            return undefined(Status::SingleClass);
        };
        let (lower, upper) = estimate.prediction_interval(normal_quantile(confidence_level));
        let scale = metric.scale();
        let greatest = if metric == MulticlassMetric::ConfusionMatrix {
            Some(used as f64)
        } else {
            scale.upper
        };
        let clamp = |x: f64| {
            x.max(scale.lower.unwrap_or(x))
                .min(greatest.unwrap_or(f64::MAX))
        };
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let few = Status::FewPositives.only_if(estimate.few);
        Reading {
            value: finite(estimate.value),
            approx_error: finite(estimate.slack),
            sampling_error: finite((estimate.row_variance + estimate.calibrator_variance).sqrt()),
            row_sampling_error: finite(estimate.row_variance.sqrt()),
            lower_bound: finite(clamp(lower)),
            upper_bound: finite(clamp(upper)),
            expectation: estimate.expectation(),
            used_count: used,
            labelled_count: self.labelled_count,
            status: self.reserve.worst(few),
        }
    }
}

fn reserve(
    chunk: &ClassEstimates,
    calibrators: &ClassCalibrators,
    classes: &[ClassMasses],
) -> Status {
    let mut reserve = calibrators.status();
    let left = classes
        .iter()
        .zip(calibrators.calibrators())
        .any(|(class, calibrator)| {
            let scores: Vec<(f64, u64)> = class
                .bins
                .iter()
                .map(|bin| (bin.score, bin.mass.rows as u64))
                .collect();
            calibrator.support().is_left_by(&scores)
        });
    if left {
        reserve = reserve.worst(Status::Extrapolated);
    }
    if chunk.invalid > 0 {
        reserve = reserve.worst(Status::InvalidScore);
    }
    reserve
}
