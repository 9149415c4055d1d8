//! Metrics of several classes from labels, with confidence intervals for the population.
use super::super::KernelError;
use super::super::bins::ScoreBins;
use super::super::clustered::Clusters;
use super::super::confusion::Confusion;
use super::super::interval::{FEW, normal_quantile, share_interval};
use super::super::metric::{Metric, Scale};
use super::super::reading::{Reading, Status};
use super::super::realized::{Measured, Realized};
use super::super::realized_confusion::influences_of_outcomes;
use super::super::weight::WeightSums;
use super::super::weighted_realized::{
    WeightedOutcomes, squared, told, told_of_count, with_errors,
};
use super::super::weighted_scores::WeightedScores;
use super::average::{Labelled, averaged};
use super::influences::by_cell;
use super::joint::{JointCell, MOST_PAIRED, range_of};
use super::matrix::Matrix;
use super::metric::{Average, MulticlassMetric};
use super::profile::MulticlassProfile;
use super::ranking::{ClassOrder, ClassScores};
use super::weighted::WeightedClasses;

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
    scores: Vec<ClassScores>,
    /// How the scores of classes go together, where that is known.
    joint: Option<Vec<(JointCell, f64)>>,
    labelled_count: u64,
    /// Whether labelled rows lack a prediction, and not only a weight.
    unpredicted: bool,
    /// Rows with label and prediction, and rows with a label and all scores.
    used_count: [u64; 2],
    /// Rows with a label and all scores, of each class.
    scored: Labelled,
    invalid: bool,
    /// Where rows count unequally.
    weighting: Option<Weighting>,
}

/// What tells the errors of the matrix of a chunk whose rows count unequally.
#[derive(Debug, Clone)]
struct Weighting {
    /// Effective rows of a unit of weight.
    unit: f64,
    /// Squared weights in squares of effective rows.
    squares: Matrix,
    /// Where rows are not independent.
    clusters: Option<Clusters>,
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
        let of_class = |bins: &ScoreBins| -> u64 {
            let cells = bins.bins.iter().flat_map(|bin| bin.cells);
            cells.map(|[_, positive, _]| positive.count).sum()
        };
        let scored: Vec<u64> = scores.iter().map(of_class).collect();
        let rows: Vec<f64> = scored.iter().map(|rows| *rows as f64).collect();
        let cells = profile.joint.cells().into_iter();
        Self {
            labelled_count: matrix.rows() as u64 + unpredicted,
            unpredicted: unpredicted > 0,
            used_count: [matrix.rows() as u64, scored.iter().sum()],
            scored: Labelled {
                squares: rows.clone(),
                rows,
            },
            joint: (side <= MOST_PAIRED)
                .then(|| cells.map(|(cell, rows)| (cell, rows.0 as f64)).collect()),
            invalid: profile.invalid > 0,
            classes: profile.classes.clone(),
            matrix,
            scores: scores.into_iter().map(ClassScores::Rows).collect(),
            weighting: None,
        }
    }

    /// Prepares the metrics of a chunk of weighted rows.
    ///
    /// Errors: weights whose squares cannot be summed.
    pub fn weighted(profile: &WeightedClasses) -> Result<Self, KernelError> {
        let side = profile.classes.len();
        let (weight, square) = profile.total()?;
        let unit = if square > 0.0 { weight / square } else { 1.0 };
        let cells = |of: &dyn Fn(&WeightSums) -> f64| {
            Matrix::new(side, profile.outcomes().map(|sums| of(&sums)).collect())
        };
        let (scores, scored, rows) = weighted_scores(profile)?;
        let predicted = profile.outcomes().map(|sums| sums.rows).sum();
        // rows without scores are in the matrix alone, which therefore has a unit of its own
        let scored_unit = profile.scores.first().and_then(WeightedScores::unit);
        let scored_unit = scored_unit.unwrap_or(1.0);
        let joint = (side <= MOST_PAIRED).then(|| profile.joint_squares());
        Ok(Self {
            classes: profile.classes.clone(),
            matrix: cells(&WeightSums::weight),
            labelled_count: profile.labelled_rows(),
            unpredicted: profile.weighted_rows() > predicted,
            used_count: [predicted, rows],
            scores,
            scored,
            joint: joint.map(|cells| {
                let scaled = cells.into_iter();
                scaled
                    .map(|(cell, square)| (cell, square * scored_unit * scored_unit))
                    .collect()
            }),
            invalid: profile.invalid > 0,
            weighting: Some(Weighting {
                unit,
                squares: cells(&|sums| sums.square() * unit * unit),
                clusters: None,
            }),
        })
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
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
        let [predicted, scored] = self.used_count;
        match metric.needs_order() {
            true => scored,
            false => predicted,
        }
    }

    fn of_order(&self, metric: Metric, average: Average, level: f64) -> Option<Measured> {
        let orders: Vec<Option<ClassOrder>> = self
            .scores
            .iter()
            .map(|scores| ClassOrder::of(scores, metric, level))
            .collect();
        let weighted = average == Average::Weighted;
        let z = normal_quantile(level);
        let measured = averaged(&orders, &self.scored, self.joint.as_deref(), weighted, z)?;
        let name = MulticlassMetric::Of(metric, average).name();
        Some(match self.told_by_clusters(name, None, false) {
            None => measured,
            Some(variance) => Measured {
                variance,
                bounds: Scale::Logit.interval(measured.value, variance.sqrt(), z),
                ..measured
            },
        })
    }

    fn of_matrix(&self, metric: MulticlassMetric, values: &[f64], level: f64) -> Option<Measured> {
        let measured = of_matrix(&self.matrix, metric, values, level)?;
        let Some(Weighting { unit, squares, .. }) = &self.weighting else {
            return Some(measured);
        };
        let effective = self.matrix.scaled(*unit);
        let influences = influences(&effective.kept_possible(), metric, values)?;
        let is_total = metric == MulticlassMetric::BusinessValue;
        let given = self.told_by_clusters(metric.name(), None, is_total);
        let told = told(
            squared(effective.cells(), &influences),
            given.unwrap_or_else(|| squared(squares.cells(), &influences)),
            is_few(&effective, metric),
        );
        let fitted = of_matrix(&effective.scaled(told), metric, values, level)?;
        // the total value grows with the rows
        let unit = if is_total { unit * told } else { 1.0 };
        Some(with_errors(&measured, &fitted, unit))
    }

    fn per_class(&self, metric: Metric, level: f64) -> Vec<ClassReading> {
        let outcomes = self.one_vs_rest();
        let order = metric.needs_order();
        let used = self.used_count(MulticlassMetric::Of(metric, Average::PerClass));
        let classes = self.classes.iter().zip(&self.scores).zip(&outcomes);
        let of = |((name, scores), outcomes): ((&String, &ClassScores), &WeightedOutcomes)| {
            let measured = || match order {
                true => Some(ClassOrder::of(scores, metric, level)?.measured),
                false => outcomes.measure(metric, [0.0; 4], level),
            };
            ClassReading {
                column_name: Some(name.clone()),
                reading: self.finish(order, used, measured),
            }
        };
        classes.map(of).collect()
    }

    /// The outcomes of each class against all others; rows that count once are weights of 1.
    fn one_vs_rest(&self) -> Vec<WeightedOutcomes<'_>> {
        let (unit, squares) = match &self.weighting {
            Some(weighting) => (weighting.unit, &weighting.squares),
            None => (1.0, &self.matrix),
        };
        let classes = self.matrix.one_vs_rest().into_iter();
        let pairs = classes.zip(squares.one_vs_rest()).zip(&self.classes);
        let outcomes =
            |((weights, squares), name): ((Confusion, Confusion), &String)| WeightedOutcomes {
                weights,
                squares: squares.cells(),
                unit,
                clusters: self.clusters(),
                column_name: Some(name.clone()),
            };
        pairs.map(outcomes).collect()
    }

    fn clusters(&self) -> Option<&Clusters> {
        self.weighting.as_ref()?.clusters.as_ref()
    }

    /// The variance that clusters tell, in squares of effective rows where the reading is a total.
    fn told_by_clusters(&self, metric: &str, column: Option<&str>, is_total: bool) -> Option<f64> {
        let weighting = self.weighting.as_ref()?;
        let variance = weighting.clusters.as_ref()?.variance(metric, column)?;
        let unit = if is_total { weighting.unit } else { 1.0 };
        Some(variance * unit * unit)
    }

    /// The same chunk, with rows that are not independent.
    pub(in super::super) fn with_clusters(mut self, clusters: &Clusters) -> Self {
        for (scores, name) in self.scores.iter_mut().zip(&self.classes) {
            if let ClassScores::Weighted(realized, _) = scores {
                let own = clusters.of_class(name);
                **realized = realized.as_ref().clone().with_clusters(&own);
            }
        }
        if let Some(weighting) = &mut self.weighting {
            weighting.clusters = Some(clusters.clone());
        }
        self
    }

    /// Influence of a unit of weight on a metric of the matrix, by cell.
    pub(super) fn matrix_influences(
        &self,
        metric: MulticlassMetric,
        values: &[f64],
    ) -> Option<Vec<f64>> {
        let unit = self.weighting.as_ref()?.unit;
        let effective = self.matrix.scaled(unit).kept_possible();
        let influences = influences(&effective, metric, values)?;
        // a total of effective rows is in their unit already
        Some(match metric {
            MulticlassMetric::BusinessValue => influences,
            _ => influences.into_iter().map(|z| z * unit).collect(),
        })
    }

    /// The same on a metric of one class.
    pub(super) fn class_influences(&self, metric: Metric, class: usize) -> Option<Vec<f64>> {
        let unit = self.weighting.as_ref()?.unit;
        let outcomes = self.matrix.one_vs_rest().get(class)?.scaled(unit);
        let influences = influences_of_outcomes(&outcomes, metric, [0.0; 4])?;
        Some(by_cell(&self.matrix, class, influences.map(|z| z * unit)))
    }

    /// Cells of the matrix with their share of the rows.
    pub(super) fn cells(&self) -> impl Iterator<Item = ((usize, usize), f64)> + '_ {
        let rows = self.matrix.rows();
        self.matrix
            .each()
            .map(move |(cell, count)| (cell, count / rows))
    }

    fn per_cell(&self, level: f64) -> Vec<ClassReading> {
        let used = self.used_count(MulticlassMetric::ConfusionMatrix);
        let (unit, squares) = match &self.weighting {
            Some(weighting) => (weighting.unit, &weighting.squares),
            None => (1.0, &self.matrix),
        };
        let all = (self.matrix.rows() * unit, squares.rows());
        let of_label = |label: usize| {
            let predictions = 0..self.classes.len();
            let sum = |of: &Matrix| predictions.clone().map(|at| of.at(label, at)).sum::<f64>();
            (sum(&self.matrix) * unit, sum(squares))
        };
        let cells = self.matrix.each().zip(squares.cells());
        let of = |(((label, prediction), count), square): (((usize, usize), f64), &f64)| {
            let name = cell_name(&self.classes, label, prediction);
            let measured = || {
                let share = count * unit / all.0;
                let (hit, miss) = ((1.0 - share).powi(2), share * share);
                let plain = count * unit * hit + (all.0 - count * unit) * miss;
                let given = self.told_by_clusters("confusion_matrix", Some(&name), true);
                let linearized = given.unwrap_or(square * hit + (all.1 - square) * miss);
                let told = told(plain, linearized, all.0 < FEW);
                let told = match given {
                    Some(_) => told,
                    None => told_of_count(told, (count * unit, all.0), of_label(label)),
                };
                let fitted = count_of(count * unit * told, all.0 * told, level);
                let measured = count_of(count, self.matrix.rows(), level);
                Some(with_errors(&measured, &fitted, unit * told))
            };
            ClassReading {
                reading: self.finish(false, used, measured),
                column_name: Some(name.clone()),
            }
        };
        cells.map(of).collect()
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
                (_, false) if self.unpredicted => Status::NoPrediction,
                (_, false) => Status::InsufficientData,
                (_, true) => Status::InsufficientData,
            });
        }
        let Some(measured) = measured() else {
            return undefined(Status::SingleClass);
        };
        let invalid = Status::InvalidScore.only_if(needs_order && self.invalid);
        let few = Status::FewPositives.only_if(measured.few);
        measured.reading(invalid.worst(few), used, self.labelled_count)
    }
}

/// The name of a cell of the matrix.
pub(super) fn cell_name(classes: &[String], label: usize, prediction: usize) -> String {
    let name = |class: usize| classes.get(class).map_or("", String::as_str);
    format!("true_{}_pred_{}", name(label), name(prediction))
}

/// A metric of the matrix; the variance is the sum of the squared influences of the rows.
fn of_matrix(
    matrix: &Matrix,
    metric: MulticlassMetric,
    values: &[f64],
    level: f64,
) -> Option<Measured> {
    let value = matrix.value(metric, values)?;
    let kept = matrix.kept_possible();
    let variance = squared(kept.cells(), &influences(&kept, metric, values)?);
    let z = normal_quantile(level);
    let few = is_few(matrix, metric);
    let bounds = match metric {
        MulticlassMetric::Accuracy => share_interval(matrix.hits(), matrix.rows(), few, level),
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

/// Influence of a row of each cell.
fn influences(matrix: &Matrix, metric: MulticlassMetric, values: &[f64]) -> Option<Vec<f64>> {
    let value = matrix.value(metric, values)?;
    let slopes = matrix.gradient(metric, value, values);
    let terms = slopes.iter().zip(matrix.cells());
    let mean = terms.map(|(slope, rows)| slope * rows).sum::<f64>() / matrix.rows();
    Some(slopes.into_iter().map(|slope| slope - mean).collect())
}

/// Whether fewer than 20 rows are under one of the shares.
fn is_few(matrix: &Matrix, metric: MulticlassMetric) -> bool {
    let fewest = |of: Metric, weighted: bool| {
        let classes = matrix.one_vs_rest();
        let supports = classes
            .iter()
            .filter(|class| !weighted || class.tp + class.fn_ > 0.0);
        supports
            .map(|class| class.support(of))
            .fold(f64::INFINITY, f64::min)
    };
    let support = match metric {
        MulticlassMetric::Of(of, average) => fewest(of, average == Average::Weighted),
        _ => matrix.rows(),
    };
    support < FEW
}

/// A number of rows among others.
fn count_of(count: f64, rows: f64, level: f64) -> Measured {
    let (lower, upper) = share_interval(count, rows, rows < FEW, level);
    let share = count.max(0.5) / rows;
    Measured {
        value: count,
        slack: 0.0,
        variance: rows * share * (1.0 - share).max(0.5 / rows),
        bounds: (lower * rows, upper * rows),
        few: rows < FEW,
    }
}

/// The scores of weighted rows of each class, the effective rows of each class, and how many rows there are.
fn weighted_scores(
    profile: &WeightedClasses,
) -> Result<(Vec<ClassScores>, Labelled, u64), KernelError> {
    let mut scores = Vec::with_capacity(profile.scores.len());
    let mut scored = Labelled {
        rows: vec![],
        squares: vec![],
    };
    let mut rows = 0;
    for class in &profile.scores {
        let unit = class.unit().unwrap_or(1.0);
        let groups = class.groups()?;
        let of_class = || groups.iter().filter(|group| group.label == 1);
        let bins = groups.chunk_by(|a, b| a.bin == b.bin);
        let lowest = bins.filter_map(|bin| bin.first());
        let ranges = lowest.map(|group| range_of(group.group.lower)).collect();
        let realized = Realized::weighted(class)?;
        rows += of_class().map(|group| group.count).sum::<u64>();
        let weights = of_class().map(|group| group.group.rows * unit);
        scored.rows.push(weights.sum());
        let squares = of_class().map(|group| group.square * unit * unit);
        scored.squares.push(squares.sum());
        scores.push(ClassScores::Weighted(Box::new(realized), ranges));
    }
    Ok((scores, scored, rows))
}
