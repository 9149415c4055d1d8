//! Realized metrics of rows that count unequally: the formulas for rows, on as many rows as tell as much.
//!
//! A metric with influence `z` of a unit of weight has the variance `sum w^2 z^2` (linearization; Horvitz and Thompson 1952,
//! JASA 47, 663-685, for a sample whose inclusion has many causes), against `sum w z^2` if weights were numbers of rows. Weights
//! divided by the ratio of the two are effective numbers of rows (Kish 1965, Survey Sampling, 8.2): of these the intervals of
//! rows are taken, exact and score intervals included (as Korn and Graubard 1998, Survey Methodology 24, 193-201, do for shares).
use super::KernelError;
use super::bins::Class;
use super::clustered::Clusters;
use super::confusion::Confusion;
use super::group::{Group, KNOWN};
use super::influences::Influences;
use super::interval::FEW;
use super::metric::{ByLabel, Formula, Metric, Outcomes};
use super::reading::Status;
use super::realized::{Measured, Realized};
use super::realized_confusion::{influences_of_outcomes, of_confusion};
use super::realized_ranking::LabelledRanking;
use super::roc_auc::Mass;
use super::weighted_scores::{WeightedGroup, WeightedScores};

/// What tells the errors of a chunk whose rows count unequally.
#[derive(Debug, Clone)]
pub(super) struct Weighting {
    /// The chunk with effective rows in place of weights.
    effective: Realized,
    /// Effective rows of a unit of weight; 0 where no row has a weight.
    unit: f64,
    /// Squared weights in squares of effective rows: by outcome, and by label and bin.
    outcome_squares: Outcomes,
    squares: ByLabel,
    /// Where rows are not independent.
    clusters: Option<Clusters>,
}

impl Realized {
    /// Prepares the realized metrics of a chunk of weighted rows.
    ///
    /// Errors: weights whose squares cannot be summed.
    pub fn weighted(chunk: &WeightedScores) -> Result<Self, KernelError> {
        let groups = chunk.groups()?;
        let weights = Self::of_weights(chunk, &groups);
        let unit = chunk.unit().unwrap_or(0.0);
        let squares = |prediction, label| chunk.outcome(prediction, label).square() * unit * unit;
        let by_label = |label: usize| {
            let groups = groups.iter().filter(|group| group.label == label);
            groups.map(|group| group.square * unit * unit).collect()
        };
        let weighting = Weighting {
            effective: weights.scaled(unit),
            unit,
            outcome_squares: [
                squares(Class::Negative, Class::Negative),
                squares(Class::Positive, Class::Negative),
                squares(Class::Negative, Class::Positive),
                squares(Class::Positive, Class::Positive),
            ],
            squares: [by_label(0), by_label(1)],
            clusters: None,
        };
        Ok(Self {
            weighting: Some(Box::new(weighting)),
            ..weights
        })
    }

    /// Weights in place of numbers of rows.
    fn of_weights(chunk: &WeightedScores, groups: &[WeightedGroup]) -> Self {
        let weight = |prediction, label| chunk.outcome(prediction, label).weight();
        let rows = |prediction, label| chunk.outcome(prediction, label).rows;
        let predicted = KNOWN
            .into_iter()
            .flat_map(|p| KNOWN.map(|label| rows(p, label)));
        let of_label = |label: usize| -> Vec<Group> {
            let groups = groups.iter().filter(|group| group.label == label);
            groups.map(|group| group.group).collect()
        };
        let by_label = [of_label(0), of_label(1)];
        Self {
            confusion: Confusion {
                tn: weight(Class::Negative, Class::Negative),
                fp: weight(Class::Positive, Class::Negative),
                fn_: weight(Class::Negative, Class::Positive),
                tp: weight(Class::Positive, Class::Positive),
            },
            predicted_count: predicted.sum(),
            ranking: ranking(groups, chunk.is_whole()),
            outside_unit: by_label.iter().flatten().any(is_outside_unit),
            by_label,
            scored_count: groups.iter().map(|group| group.count).sum(),
            labelled_count: chunk.labelled_rows(),
            reserve: match chunk.not_finite() {
                0 => Status::Ok,
                _ => Status::InvalidScore,
            },
            weighting: None,
        }
    }

    /// Every row counts `factor` times as much.
    fn scaled(&self, factor: f64) -> Self {
        let scaled = |group: &Group| Group {
            rows: group.rows * factor,
            ..*group
        };
        Self {
            confusion: self.confusion.scaled(factor),
            ranking: self.ranking.scaled(factor),
            by_label: self
                .by_label
                .each_ref()
                .map(|groups| groups.iter().map(scaled).collect()),
            weighting: None,
            predicted_count: self.predicted_count,
            outside_unit: self.outside_unit,
            scored_count: self.scored_count,
            labelled_count: self.labelled_count,
            reserve: self.reserve,
        }
    }
}

impl Realized {
    /// Influence of a unit of weight on a metric of weighted rows; `None` where it is not defined.
    pub(super) fn influences(&self, metric: Metric, values: Outcomes) -> Option<Influences> {
        let weighting = self.weighting.as_ref()?;
        let effective = &weighting.effective;
        let influences = match &metric.spec().formula {
            Formula::Order(own) | Formula::Probability(own) => {
                Influences::ByLabel((own.influences)(effective)?)
            }
            _ => Influences::Outcomes(influences_of_outcomes(
                &effective.confusion,
                metric,
                values,
            )?),
        };
        // a total of effective rows is in their unit already
        Some(match metric.is_total() {
            true => influences,
            false => influences.over(1.0 / weighting.unit),
        })
    }

    /// The same chunk, with rows that are not independent.
    pub(super) fn with_clusters(mut self, clusters: &Clusters) -> Self {
        if let Some(weighting) = &mut self.weighting {
            weighting.clusters = Some(clusters.clone());
        }
        self
    }
}

impl Weighting {
    /// The value of the weights, with the interval of as many rows as tell as much.
    pub fn measure(
        &self,
        weights: &Realized,
        metric: Metric,
        values: Outcomes,
        confidence_level: f64,
    ) -> Option<Measured> {
        let (Formula::Order(own) | Formula::Probability(own)) = &metric.spec().formula else {
            return WeightedOutcomes {
                weights: weights.confusion,
                squares: self.outcome_squares,
                unit: self.unit,
                clusters: self.clusters.as_ref(),
                column_name: None,
            }
            .measure(metric, values, confidence_level);
        };
        let measured = (own.realize)(weights, confidence_level)?;
        let influences = (own.influences)(&self.effective)?;
        let (mut plain, mut linearized) = (0.0, 0.0);
        let labels = self.effective.by_label.iter().zip(&self.squares);
        for (z, (groups, squares)) in influences.iter().zip(labels) {
            for (z, (group, square)) in z.iter().zip(groups.iter().zip(squares)) {
                plain += group.rows * z * z;
                linearized += square * z * z;
            }
        }
        let clusters = self.clusters.as_ref();
        let given = clusters.and_then(|clusters| clusters.variance(metric.name(), None));
        let few = (own.realize)(&self.effective, confidence_level)?.few;
        let told = told(plain, given.unwrap_or(linearized), few);
        let rows = self.effective.scaled(told);
        let fitted = (own.realize)(&rows, confidence_level)?;
        Some(with_errors(&measured, &fitted, 1.0))
    }

    /// Whether no row has a weight.
    pub fn is_empty(&self) -> bool {
        self.unit == 0.0
    }

    /// The chunk with effective rows in place of weights.
    pub fn effective(&self) -> &Realized {
        &self.effective
    }
}

/// Weights by outcome.
pub(super) struct WeightedOutcomes<'a> {
    pub weights: Confusion,
    /// Sums of squared weights in squares of effective rows.
    pub squares: Outcomes,
    /// Effective rows of a unit of weight.
    pub unit: f64,
    /// Where rows are not independent.
    pub clusters: Option<&'a Clusters>,
    /// The class, where there are several.
    pub column_name: Option<String>,
}

impl WeightedOutcomes<'_> {
    /// The value of the weights, with the interval of as many rows as tell as much.
    pub fn measure(
        &self,
        metric: Metric,
        values: Outcomes,
        confidence_level: f64,
    ) -> Option<Measured> {
        let measured = of_confusion(&self.weights, metric, values, confidence_level)?;
        let effective = self.weights.scaled(self.unit);
        let influences = influences_of_outcomes(&effective, metric, values)?;
        let given = self.given(metric);
        let found = of_confusion(&effective, metric, values, confidence_level)?;
        let told = told(
            squared(&effective.cells(), &influences),
            given.unwrap_or_else(|| squared(&self.squares, &influences)),
            found.few,
        );
        let told = match (&metric.spec().formula, given) {
            (Formula::Count(outcome), None) => {
                let in_cell = (found.value, effective.rows());
                told_of_count(told, in_cell, self.of_label(&effective, *outcome))
            }
            _ => told,
        };
        let rows = effective.scaled(told);
        let fitted = of_confusion(&rows, metric, values, confidence_level)?;
        // totals grow with the rows
        let unit = match metric.is_total() {
            true => self.unit * told,
            false => 1.0,
        };
        Some(with_errors(&measured, &fitted, unit))
    }

    /// Effective rows with the label of an outcome, and the sum of their squares.
    fn of_label(&self, effective: &Confusion, [_, _, fn_, tp]: Outcomes) -> (f64, f64) {
        let sum = |[tn, fp, missed, hit]: Outcomes| match fn_ + tp > 0.0 {
            true => missed + hit,
            false => tn + fp,
        };
        (sum(effective.cells()), sum(self.squares))
    }

    /// The variance that clusters tell, in squares of effective rows where the metric is a total.
    fn given(&self, metric: Metric) -> Option<f64> {
        let name = match self.column_name {
            Some(_) => [metric.name(), "_per_class"].concat(),
            None => metric.name().to_owned(),
        };
        let variance = self
            .clusters?
            .variance(&name, self.column_name.as_deref())?;
        Some(match metric.is_total() {
            true => variance * self.unit * self.unit,
            false => variance,
        })
    }
}

/// Sum of squared influences.
pub(super) fn squared(rows: &[f64], influences: &[f64]) -> f64 {
    let terms = rows.iter().zip(influences);
    terms.map(|(rows, z)| rows * z * z).sum()
}

/// Rows that tell as much of a metric as one effective row of all metrics does on average; 1 where it does not vary. A few rows
/// of large weight that happen to have no influence tell nothing of what others of them would do: where effective rows are
/// `few`, no more than their number is taken from them.
pub(super) fn told(plain: f64, linearized: f64, few: bool) -> f64 {
    let told = plain / linearized;
    match told.is_finite() && told > 0.0 {
        true if few => told.min(1.0),
        true => told,
        false => 1.0,
    }
}

/// What is told of a count, of `in_cell` effective rows of so many: where few are in the cell, or few are not, no more than by
/// other rows of the label, given with the sum of their squares. Of a few rows that happen to weigh little both the total and its
/// error are too small.
///
/// MEASURED (`benches/realized_coverage.rs`, 238 cells of matrices of 600 and 2,000 rows, 400 runs each): intervals cover .958 on
/// average, .915 to .990, where they cover .935, .830 to .975, with what few rows tell by themselves.
pub(super) fn told_of_count(told: f64, in_cell: (f64, f64), of_label: (f64, f64)) -> f64 {
    let (rows, squares) = of_label;
    let few = in_cell.0.min(in_cell.1 - in_cell.0) < FEW;
    match few && squares > 0.0 {
        true => told.min(rows / squares),
        false => told,
    }
}

/// The value with the errors of a fit whose unit is `unit` times that of the value.
pub(super) fn with_errors(measured: &Measured, fitted: &Measured, unit: f64) -> Measured {
    Measured {
        variance: fitted.variance / (unit * unit),
        bounds: (fitted.bounds.0 / unit, fitted.bounds.1 / unit),
        few: fitted.few,
        ..*measured
    }
}

fn is_outside_unit(group: &Group) -> bool {
    group.lower < 0.0 || group.lower > 1.0 || (group.mean_known && group.mean > 1.0)
}

fn ranking(groups: &[WeightedGroup], whole: bool) -> LabelledRanking {
    let bins = groups.chunk_by(|a, b| a.bin == b.bin);
    LabelledRanking::weighted(bins.map(mass).collect(), whole)
}

fn mass(bin: &[WeightedGroup]) -> (Mass, bool) {
    let of = |label: usize| -> f64 {
        let groups = bin.iter().filter(|group| group.label == label);
        groups.map(|group| group.group.rows).sum()
    };
    let (negatives, positives) = (of(0), of(1));
    let one = bin.first().map(|first| first.group.mean);
    let exact = bin
        .iter()
        .all(|group| group.group.is_exact() && Some(group.group.mean) == one);
    let mass = Mass {
        rows: negatives + positives,
        positives,
        noise: 0.0,
    };
    (mass, exact)
}
