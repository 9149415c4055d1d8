//! What a row of a classifier of several classes does to each metric of its chunk.
use super::super::KernelError;
use super::super::clustered::{ClusterTotals, reading_name};
use super::super::digest_limits::Coarseness;
use super::super::influences::Influences;
use super::super::metric::Metric;
use super::super::realized::Realized;
use super::super::weighted_scores::key_of;
use super::matrix::Matrix;
use super::metric::{Average, MulticlassMetric};
use super::reading::{RealizedClasses, cell_name};
use super::weighted::WeightedClasses;

/// Influences of the rows of one chunk on readings, each scaled to at most 1.
#[derive(Debug)]
pub(in super::super) struct ClassInfluences {
    side: usize,
    classes: Vec<ClassBins>,
    of_readings: Vec<Option<Influence>>,
    /// Names of the readings, and what their influences are to be multiplied by.
    pub scales: Vec<(String, f64)>,
}

/// Bins of the scores of a class, ascending, by whether it is the label.
#[derive(Debug)]
struct ClassBins {
    bins: [Vec<u64>; 2],
    level: u8,
    coarseness: Coarseness,
}

/// Influence on one reading.
#[derive(Debug)]
enum Influence {
    /// By label, then by prediction.
    Matrix(Vec<f64>),
    /// Of the scores of classes, by class, with the influence of a label by itself.
    Scores(Vec<Option<Influences>>, Vec<f64>),
}

/// A class with its metrics and what its rows weigh.
struct Class {
    realized: Realized,
    weight: f64,
}

impl ClassInfluences {
    pub fn new(
        chunk: &WeightedClasses,
        metrics: &[MulticlassMetric],
        values: &[f64],
    ) -> Result<Self, KernelError> {
        let realized = RealizedClasses::weighted(chunk)?;
        let names = chunk.classes();
        let (mut classes, mut bins) = (vec![], vec![]);
        for scores in &chunk.scores {
            let groups = scores.groups()?;
            let of = |label: usize| groups.iter().filter(move |group| group.label == label);
            bins.push(ClassBins {
                bins: [0, 1].map(|label| of(label).map(|group| group.bin).collect()),
                level: scores.level(),
                coarseness: scores.coarseness(),
            });
            classes.push(Class {
                realized: Realized::weighted(scores)?,
                weight: of(1).map(|group| group.group.rows).sum(),
            });
        }
        let mut found = Self {
            side: names.len(),
            classes: bins,
            of_readings: vec![],
            scales: vec![],
        };
        for metric in metrics {
            for (column, influence) in of_metric(*metric, names, &classes, &realized, values) {
                found.push(reading_name(metric.name(), column.as_deref()), influence);
            }
        }
        Ok(found)
    }

    fn push(&mut self, name: String, influence: Option<Influence>) {
        let largest = influence.as_ref().map_or(0.0, Influence::largest);
        let scale = if largest > 0.0 { largest } else { 1.0 };
        self.of_readings
            .push(influence.map(|influence| influence.over(scale)));
        self.scales.push((name, scale));
    }

    /// Adds a labelled row by positions of its label and prediction, with its score of each class, if all are known.
    pub fn add(
        &self,
        totals: &mut ClusterTotals,
        label: usize,
        prediction: Option<usize>,
        scores: &[Option<f64>],
        weight: f64,
    ) {
        let scored = !scores.is_empty() && scores.iter().all(Option::is_some);
        let bin_of = |class: usize, bins: &ClassBins| {
            let key = key_of((*scores.get(class)?)?, bins.coarseness)? >> bins.level;
            bins.bins
                .get(usize::from(class == label))?
                .binary_search(&key)
                .ok()
        };
        for (position, influence) in self.of_readings.iter().enumerate() {
            let z = match influence {
                Some(Influence::Matrix(cells)) => prediction
                    .and_then(|prediction| cells.get(label * self.side + prediction))
                    .copied()
                    .unwrap_or(0.0),
                Some(Influence::Scores(classes, moved)) if scored => {
                    let of_class = |(class, influences): (usize, &Option<Influences>)| {
                        let bin = bin_of(class, self.classes.get(class)?)?;
                        influences.as_ref()?.of_row(None, class == label, Some(bin))
                    };
                    let each = classes.iter().enumerate();
                    let sum: f64 = each.filter_map(of_class).sum();
                    sum + moved.get(label).copied().unwrap_or(0.0)
                }
                _ => 0.0,
            };
            totals.add(position, weight * z);
        }
    }
}

fn of_metric(
    metric: MulticlassMetric,
    names: &[String],
    classes: &[Class],
    realized: &RealizedClasses,
    values: &[f64],
) -> Vec<(Option<String>, Option<Influence>)> {
    let each = || names.iter().enumerate();
    match metric {
        MulticlassMetric::Of(of, Average::PerClass) if of.needs_order() => each()
            .map(|(class, name)| (Some(name.clone()), of_one(of, class, classes)))
            .collect(),
        MulticlassMetric::Of(of, Average::PerClass) => each()
            .map(|(class, name)| {
                let cells = realized.class_influences(of, class);
                (Some(name.clone()), cells.map(Influence::Matrix))
            })
            .collect(),
        MulticlassMetric::Of(of, average) if of.needs_order() => {
            vec![(None, of_average(of, average, classes))]
        }
        MulticlassMetric::ConfusionMatrix => realized
            .cells()
            .map(|((label, prediction), share)| {
                let hit = |(at, _): ((usize, usize), f64)| {
                    f64::from(u8::from(at == (label, prediction))) - share
                };
                let cells = realized.cells().map(hit).collect();
                (
                    Some(cell_name(names, label, prediction)),
                    Some(Influence::Matrix(cells)),
                )
            })
            .collect(),
        _ => vec![(
            None,
            realized
                .matrix_influences(metric, values)
                .map(Influence::Matrix),
        )],
    }
}

fn of_one(metric: Metric, class: usize, classes: &[Class]) -> Option<Influence> {
    let found = classes
        .iter()
        .enumerate()
        .map(|(position, of)| match position == class {
            true => of.realized.influences(metric, [0.0; 4]),
            false => None,
        });
    let found: Vec<Option<Influences>> = found.collect();
    found
        .iter()
        .any(Option::is_some)
        .then(|| Influence::Scores(found, vec![]))
}

/// The mean of the classes' influences, and where they are weighted by their rows what a row of a class does to the weights.
fn of_average(metric: Metric, average: Average, classes: &[Class]) -> Option<Influence> {
    let all: f64 = classes.iter().map(|class| class.weight).sum();
    let share = |class: &Class| match average {
        Average::Weighted => class.weight / all,
        _ => 1.0 / classes.len() as f64,
    };
    let mut found = Vec::with_capacity(classes.len());
    let mut readings = Vec::with_capacity(classes.len());
    for class in classes {
        let weight = share(class);
        let influences = class.realized.influences(metric, [0.0; 4]);
        if influences.is_none() && weight > 0.0 {
            return None;
        }
        let reading = class.realized.reading(metric, [0.0; 4], 0.95);
        readings.push((weight, reading.value.unwrap_or(0.0)));
        found.push(influences.map(|influences| influences.over(1.0 / weight)));
    }
    let value: f64 = readings.iter().map(|(weight, value)| weight * value).sum();
    let moved = |(_, own): &(f64, f64)| match average {
        Average::Weighted => (own - value) / all,
        _ => 0.0,
    };
    Some(Influence::Scores(
        found,
        readings.iter().map(moved).collect(),
    ))
}

impl Influence {
    fn largest(&self) -> f64 {
        let most = |most: f64, z: f64| most.max(z.abs());
        match self {
            Self::Matrix(cells) => cells.iter().copied().fold(0.0, most),
            Self::Scores(classes, moved) => {
                let classes = classes.iter().flatten().map(Influences::largest);
                classes.chain(moved.iter().copied()).fold(0.0, most)
            }
        }
    }

    fn over(self, scale: f64) -> Self {
        let all = |numbers: Vec<f64>| numbers.into_iter().map(|z| z / scale).collect();
        match self {
            Self::Matrix(cells) => Self::Matrix(all(cells)),
            Self::Scores(classes, moved) => {
                let classes = classes.into_iter();
                let over = |class: Option<Influences>| class.map(|class| class.over(scale));
                Self::Scores(classes.map(over).collect(), all(moved))
            }
        }
    }
}

/// The influences of outcomes of one class as those of the cells of the matrix.
pub(super) fn by_cell(matrix: &Matrix, class: usize, [tn, fp, fn_, tp]: [f64; 4]) -> Vec<f64> {
    let cells = matrix
        .each()
        .map(|((label, prediction), _)| (label == class, prediction == class));
    let of = |outcome: (bool, bool)| match outcome {
        (false, false) => tn,
        (false, true) => fp,
        (true, false) => fn_,
        (true, true) => tp,
    };
    cells.map(of).collect()
}
