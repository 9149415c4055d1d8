//! Expected ROC AUC and average precision of each class against all others, and their averages.
use super::super::average_precision::average_precision;
use super::super::calibrator::Calibrator;
use super::super::estimate::Corrections;
use super::super::interval::FEW;
use super::super::metric::Metric;
use super::super::prediction_interval::Estimate;
use super::super::roc_auc::{Mass, roc_auc, small_sample};
use super::class_masses::{ClassMasses, of_range};
use super::expected_joint::ExpectedCell;

/// The estimate of one class, and how a row moves it by the range of its score: with its probability `p` it adds
/// `alpha + beta p`, and `beta` is the derivative by `p`.
pub(super) struct ClassOrderEstimate {
    pub estimate: Estimate,
    influences: Vec<(u16, [f64; 2])>,
}

/// `None` where the metric is not defined.
pub(super) fn of_class(
    class: &ClassMasses,
    calibrator: &Calibrator,
    metric: Metric,
    corrections: Corrections,
) -> Option<ClassOrderEstimate> {
    let (estimate, influences, gradient) = match metric {
        Metric::RocAuc => of_roc_auc(class, calibrator, corrections)?,
        _ => of_average_precision(class, calibrator, corrections)?,
    };
    let masses = class.bins.iter().map(|bin| bin.mass);
    let label_variance = masses
        .clone()
        .zip(&gradient)
        .map(|(mass, g)| g * g * mass.noise)
        .sum();
    // squares of probabilities are the positives without the noise
    let squared = |(mass, [alpha, beta]): (Mass, &[f64; 2])| {
        let squares = (mass.positives - mass.noise).max(0.0);
        alpha * alpha * mass.rows + 2.0 * alpha * beta * mass.positives + beta * beta * squares
    };
    let rows: f64 = masses.clone().map(|mass| mass.rows).sum();
    let row_variance = small_sample(rows) * masses.zip(&influences).map(squared).sum::<f64>();
    let weights = class
        .bins
        .iter()
        .zip(&gradient)
        .map(|(bin, g)| bin.mass.rows * g);
    Some(ClassOrderEstimate {
        estimate: Estimate {
            label_variance,
            row_variance,
            calibrator_variance: estimate.calibrator_variance + class.calibrator_variance(weights),
            ..estimate
        },
        influences: class.by_range(&influences),
    })
}

type Parts = (Estimate, Vec<[f64; 2]>, Vec<f64>);

fn of_roc_auc(
    class: &ClassMasses,
    calibrator: &Calibrator,
    corrections: Corrections,
) -> Option<Parts> {
    let applied = corrections == Corrections::Applied;
    let mut masses = class.masses();
    if !applied {
        masses.iter_mut().for_each(|mass| mass.noise = 0.0);
    }
    let auc = roc_auc(&masses)?;
    let offset = if applied {
        calibrator.roc_auc_offset().at(auc.value - 0.5)
    } else {
        Default::default()
    };
    // in a bin that is not exact any order of its rows is possible
    let order: f64 = match class.exact {
        true => 0.0,
        false => masses
            .iter()
            .map(|mass| mass.positives * mass.negatives() / 2.0)
            .sum(),
    };
    let estimate = Estimate {
        value: (auc.value - offset.value).clamp(0.0, 1.0),
        slack: (order / auc.pairs).min(1.0),
        calibrator_variance: offset.variance,
        few: auc.positives < FEW || auc.rows - auc.positives < FEW,
        ..Estimate::default()
    };
    Some((
        estimate,
        sloped(auc.labelled_influences(&masses)),
        auc.gradient(&masses).collect(),
    ))
}

fn of_average_precision(
    class: &ClassMasses,
    calibrator: &Calibrator,
    corrections: Corrections,
) -> Option<Parts> {
    let masses = class.masses();
    let fitted = average_precision(&masses)?;
    let (value, offset) = match corrections {
        Corrections::Applied => {
            let offset = calibrator
                .average_precision_offset()
                .at(fitted.value - fitted.untold());
            (fitted.value - offset.value, offset)
        }
        Corrections::Undone => (row_by_row(&masses), Default::default()),
    };
    let estimate = Estimate {
        value: value.clamp(0.0, 1.0),
        slack: if class.exact {
            0.0
        } else {
            order_slack(&masses, fitted.value).min(1.0)
        },
        calibrator_variance: offset.variance,
        few: fitted.positives < FEW,
        ..Estimate::default()
    };
    Some((
        estimate,
        sloped(fitted.labelled_influences()),
        fitted.gradient().collect(),
    ))
}

/// From the influence of a negative and of a positive row to intercept and slope in its probability.
fn sloped(influences: impl Iterator<Item = [f64; 2]>) -> Vec<[f64; 2]> {
    influences
        .map(|[negative, positive]| [negative, positive - negative])
        .collect()
}

/// How far any order of the rows inside bins can move average precision: a positive of a bin sees at least the positives
/// above the bin among all of its rows, and at most all of its positives first.
fn order_slack(masses: &[Mass], value: f64) -> f64 {
    let (mut rows, mut above, mut low, mut high) = (0.0, 0.0, 0.0, 0.0);
    for mass in masses.iter().rev() {
        low += mass.positives * (1.0 + above) / (rows + mass.rows);
        high += mass.positives * ((1.0 + above + mass.positives) / (rows + 1.0)).min(1.0);
        rows += mass.rows;
        above += mass.positives;
    }
    (high / above - value)
        .abs()
        .max((value - low / above).abs())
}

/// What NannyML sums; see [`super::super::estimate_ranking`].
fn row_by_row(masses: &[Mass]) -> f64 {
    let (mut rows, mut above, mut sum) = (0.0, 0.0, 0.0);
    for mass in masses.iter().rev() {
        let p = mass.positives / mass.rows;
        for _ in 0..mass.rows as u64 {
            rows += 1.0;
            above += p;
            sum += p * above / rows;
        }
    }
    sum / above
}

/// The average of the classes with these weights; `None` where one that has a weight has no value. `cells`: how the
/// probabilities of two classes go together; without them the errors are those of classes that err together.
pub(super) fn averaged(
    classes: &[Option<ClassOrderEstimate>],
    weights: &[f64],
    cells: Option<&[ExpectedCell]>,
) -> Option<Estimate> {
    let known: Option<Vec<&ClassOrderEstimate>> = classes.iter().map(Option::as_ref).collect();
    let known = known?;
    let each = || known.iter().zip(weights);
    let sum = |of: &dyn Fn(&Estimate) -> f64| -> f64 {
        each()
            .map(|(class, weight)| weight * of(&class.estimate))
            .sum()
    };
    let squared = |of: &dyn Fn(&Estimate) -> f64| -> f64 {
        each()
            .map(|(class, weight)| weight * weight * of(&class.estimate))
            .sum()
    };
    let (label_variance, row_variance) = match cells {
        Some(cells) => {
            let [labels, rows] = shared(&known, weights, cells);
            (
                squared(&|estimate| estimate.label_variance) + labels,
                squared(&|estimate| estimate.row_variance) + rows,
            )
        }
        None => (
            sum(&|estimate| estimate.label_variance.sqrt()).powi(2),
            sum(&|estimate| estimate.row_variance.sqrt()).powi(2),
        ),
    };
    Some(Estimate {
        value: sum(&|estimate| estimate.value),
        slack: sum(&|estimate| estimate.slack),
        label_variance: label_variance.max(0.0),
        row_variance: row_variance.max(0.0),
        calibrator_variance: squared(&|estimate| estimate.calibrator_variance),
        few: known.iter().any(|class| class.estimate.few),
        ..Estimate::default()
    })
}

/// Twice the covariances between classes: of the labels, of which a row has one, and of what rows are drawn.
fn shared(classes: &[&ClassOrderEstimate], weights: &[f64], cells: &[ExpectedCell]) -> [f64; 2] {
    let influence = |class: usize, range: u16| match (classes.get(class), weights.get(class)) {
        (Some(order), Some(weight)) => of_range(&order.influences, range).map(|x| x * weight),
        _ => [0.0; 2],
    };
    let (mut labels, mut rows) = (0.0, 0.0);
    for cell in cells {
        let (k, l) = cell.cell.classes;
        let [alpha, beta] = influence(k, cell.cell.ranges.0);
        let [other_alpha, other_beta] = influence(l, cell.cell.ranges.1);
        labels -= beta * other_beta * cell.product;
        rows += alpha * other_alpha * cell.rows
            + alpha * other_beta * cell.second
            + beta * other_alpha * cell.first
            + beta * other_beta * cell.product;
    }
    [2.0 * labels, 2.0 * rows]
}
