//! Averages over classes of metrics of scores, with their errors: the same rows are in the metrics of all classes.
use super::super::metric::Scale;
use super::super::realized::Measured;
use super::super::weighted_realized::squared;
use super::joint::JointCell;
use super::ranking::ClassOrder;

/// Rows of each class: their number, and of rows that count unequally the sum of their squares.
#[derive(Debug, Clone)]
pub(super) struct Labelled {
    pub rows: Vec<f64>,
    pub squares: Vec<f64>,
}

/// Averages the classes; by `labelled` they are weighted where `weighted`, and a class without rows has no metric then.
/// `cells`: how their scores go together; without them the error is that of classes that err together, its upper bound.
pub(super) fn averaged(
    classes: &[Option<ClassOrder>],
    labelled: &Labelled,
    cells: Option<&[(JointCell, f64)]>,
    weighted: bool,
    z: f64,
) -> Option<Measured> {
    let rows: f64 = labelled.rows.iter().sum();
    let weights: Vec<f64> = match weighted {
        true => labelled.rows.iter().map(|n| n / rows).collect(),
        false => vec![1.0 / classes.len() as f64; classes.len()],
    };
    let mut known = Vec::with_capacity(classes.len());
    for (class, weight) in classes.iter().zip(&weights) {
        match class {
            Some(class) => known.push((Some(class), *weight)),
            // no rows, no part
            None if *weight == 0.0 => known.push((None, 0.0)),
            None => return None,
        }
    }
    let sum = |of: &dyn Fn(&Measured) -> f64| -> f64 {
        let terms = known
            .iter()
            .filter_map(|(class, weight)| Some((class.as_ref()?, weight)));
        terms
            .map(|(class, weight)| weight * of(&class.measured))
            .sum()
    };
    let value = sum(&|measured| measured.value);
    let own: f64 = known
        .iter()
        .filter_map(|(class, weight)| Some(weight * weight * class.as_ref()?.measured.variance))
        .sum();
    // a class's weight moves with its rows
    let moved: Vec<f64> = match weighted {
        true => known
            .iter()
            .map(|(class, _)| class.map_or(0.0, |class| (class.measured.value - value) / rows))
            .collect(),
        false => vec![0.0; classes.len()],
    };
    let of_weights: f64 = squared(&labelled.squares, &moved);
    let variance = match cells {
        Some(cells) => (own + of_weights + shared(&known, &moved, cells)).max(0.0),
        None => (sum(&|measured| measured.variance.sqrt()) + of_weights.sqrt()).powi(2),
    };
    Some(Measured {
        value,
        slack: sum(&|measured| measured.slack),
        variance,
        bounds: Scale::Logit.interval(value, variance.sqrt(), z),
        few: known
            .iter()
            .any(|(class, _)| class.is_some_and(|class| class.measured.few)),
    })
}

/// Twice the covariances: of the metrics of two classes, and of a metric with the weights.
fn shared(
    classes: &[(Option<&ClassOrder>, f64)],
    moved: &[f64],
    cells: &[(JointCell, f64)],
) -> f64 {
    let influence = |class: usize, range: u16, label: usize| match classes.get(class) {
        Some((Some(order), weight)) => weight * order.influence(range, class == label),
        _ => 0.0,
    };
    let mut total = 0.0;
    for (cell, rows) in cells {
        let (k, l) = cell.classes;
        let first = influence(k, cell.ranges.0, cell.label);
        let second = influence(l, cell.ranges.1, cell.label);
        let weight = moved.get(cell.label).copied().unwrap_or(0.0);
        // every pair of a class with all others holds the same rows: one is enough
        let mut own = 0.0;
        if k == 0 {
            own += second;
        }
        if (k, l) == (0, 1) {
            own += first;
        }
        total += rows * (first * second + weight * own);
    }
    2.0 * total
}
