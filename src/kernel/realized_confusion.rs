//! Metrics of the confusion matrix from labels, with confidence intervals.
use super::confusion::Confusion;
use super::interval::{FEW, normal_quantile, share_interval};
use super::metric::{Formula, Metric, Outcomes};
use super::realized::Measured;

/// Shares are binomial under their denominator, and so are counts among all rows.
pub(crate) fn of_confusion(
    cells: &Confusion,
    metric: Metric,
    value_matrix: Outcomes,
    confidence_level: f64,
) -> Option<Measured> {
    let value = cells.value(metric, value_matrix)?;
    let rows = cells.rows();
    let total = cells.support(metric);
    let few = total < FEW;
    let variance = variance(cells, metric, value, value_matrix);
    let plain = |hits: f64, of: f64| share_interval(hits, of, few, confidence_level);
    let bounds = match &metric.spec().formula {
        Formula::Share(share) => {
            let (lower, upper) = plain(cells.members(share.hits), total);
            ((share.from_plain)(lower), (share.from_plain)(upper))
        }
        Formula::Count(_) => {
            let (lower, upper) = plain(value, rows);
            (lower * rows, upper * rows)
        }
        _ => {
            let half = normal_quantile(confidence_level) * variance.sqrt();
            (value - half, value + half)
        }
    };
    Some(Measured {
        value,
        slack: 0.0,
        variance,
        bounds,
        few,
    })
}

/// Sum of squared influence of the rows, for a matrix that keeps every outcome possible: half
/// a row is added to an outcome that the metric reads and that did not occur, or a perfect
/// chunk would have no error.
fn variance(cells: &Confusion, metric: Metric, value: f64, value_matrix: [f64; 4]) -> f64 {
    let Some((kept, influences)) = kept_possible(cells, metric, value, value_matrix) else {
        return 0.0;
    };
    let outcomes = influences.iter().zip(kept.cells());
    outcomes.map(|(z, rows)| rows * z * z).sum()
}

/// Influence of a row of each outcome, `[tn, fp, fn, tp]`; `None` where the metric is not defined.
pub(crate) fn influences_of_outcomes(
    cells: &Confusion,
    metric: Metric,
    value_matrix: Outcomes,
) -> Option<Outcomes> {
    let value = cells.value(metric, value_matrix)?;
    Some(kept_possible(cells, metric, value, value_matrix)?.1)
}

/// The matrix with every outcome possible that the metric reads, and the influences of its rows.
fn kept_possible(
    cells: &Confusion,
    metric: Metric,
    value: f64,
    value_matrix: Outcomes,
) -> Option<(Confusion, Outcomes)> {
    let reads = cells.gradient(metric, value, value_matrix);
    let at = |outcome: f64, slope: f64| {
        if outcome == 0.0 && slope != 0.0 {
            0.5
        } else {
            outcome
        }
    };
    let [tn, fp, fn_, tp] = reads;
    let kept = Confusion {
        tn: at(cells.tn, tn),
        fp: at(cells.fp, fp),
        fn_: at(cells.fn_, fn_),
        tp: at(cells.tp, tp),
    };
    let value = kept.value(metric, value_matrix)?;
    let slopes = kept.gradient(metric, value, value_matrix);
    let outcomes = || slopes.iter().zip(kept.cells());
    let mean = outcomes().map(|(slope, rows)| slope * rows).sum::<f64>() / kept.rows();
    Some((kept, slopes.map(|slope| slope - mean)))
}

#[cfg(test)]
mod tests {
    use super::super::interval::wilson;
    use super::*;

    const CELLS: Confusion = Confusion {
        tn: 50.0,
        fp: 10.0,
        fn_: 5.0,
        tp: 35.0,
    };

    fn measured(metric: Metric) -> Measured {
        of_confusion(&CELLS, metric, [1.0, -2.0, -3.0, 4.0], 0.95).unwrap()
    }

    #[test]
    fn the_error_of_a_share_is_binomial() {
        // .85 of 100 rows, 35 of 45
        let by_hand = |share: f64, rows: f64| share * (1.0 - share) / rows;
        assert!((measured(Metric::Accuracy).variance - by_hand(0.85, 100.0)).abs() < 1e-15);
        let precision = measured(Metric::Precision).variance;
        assert!((precision - by_hand(35.0 / 45.0, 45.0)).abs() < 1e-15);
        // a count of n rows: n p (1 - p)
        assert!((measured(Metric::TruePositive).variance - 35.0 * 0.65).abs() < 1e-12);
    }

    #[test]
    fn f1_follows_the_share_of_hits_among_rows_positive_or_predicted_so() {
        // j = 35 / 50, F1 = 2 j / (1 + j), dF1/dj = 2 / (1 + j)^2
        let j: f64 = 0.7;
        let slope = 2.0 / (1.0 + j).powi(2);
        let f1 = measured(Metric::F1);
        assert!((f1.variance - slope * slope * j * (1.0 - j) / 50.0).abs() < 1e-15);
        let (lower, upper) = wilson(35.0, 50.0, normal_quantile(0.95));
        let carried = |j: f64| 2.0 * j / (1.0 + j);
        assert_eq!(f1.bounds, (carried(lower), carried(upper)));
    }

    #[test]
    fn the_error_of_a_total_is_that_of_its_rows() {
        // values 1, -2, -3, 4 on 50, 10, 5, 35 rows: mean 1.55, mean square 6.95
        let total = measured(Metric::BusinessValue);
        assert!((total.variance - 100.0 * (6.95 - 1.55 * 1.55)).abs() < 1e-9);
        let mean = measured(Metric::BusinessValuePerRow);
        assert!((mean.variance - total.variance / 1e4).abs() < 1e-12);
    }
}
