//! Performance of a chunk from labels, with confidence intervals for the population.
use super::average_precision::{average_precision, mean_precision_seen};
use super::bins::{Class, ScoreBins};
use super::calibration_error::realized_calibration_error;
use super::calibrator::first_outside_unit;
use super::confusion::Confusion;
use super::estimate::count_rows;
use super::group::{ANY, Group, KNOWN, count, count_cells};
use super::interval::{clopper_pearson, newcombe_auc, normal_quantile, wilson};
use super::metric::Metric;
use super::proper_scores::{Loss, realized_loss};
use super::reading::{Reading, Status};
use super::roc_auc::{Mass, roc_auc};

/// Rows of a class, or under a share, from which on normal intervals are trusted.
///
/// MEASURED: the normal interval of ROC AUC covers .82 at 7 positives, .90 at 13, .93 from 20.
const FEW: f64 = 20.0;

/// Realized value, its variance and its interval, before the domain is enforced.
struct Measured {
    value: f64,
    slack: f64,
    variance: f64,
    bounds: (f64, f64),
    few: bool,
}

/// Realized metrics of one chunk.
///
/// Rows count wherever they have what a metric needs: a label and a prediction for confusion
/// metrics (the score may be missing), a label and a score for the others.
#[derive(Debug, Clone)]
pub struct Realized {
    confusion: Confusion,
    /// Rows with label and prediction.
    predicted_count: u64,
    /// Per bin: negative and positive rows.
    masses: Vec<Mass>,
    /// Whether all rows of each bin have one score.
    exact: Vec<bool>,
    /// Scored rows of each bin by label.
    by_label: [Vec<Group>; 2],
    outside_unit: bool,
    scored_count: u64,
    labelled_count: u64,
    reserve: Status,
}

impl Realized {
    /// Prepares the realized metrics of a chunk.
    pub fn new(chunk: &ScoreBins) -> Self {
        let cell = |prediction, label| count_rows(chunk, &[prediction], &[label]) as f64;
        let labelled = chunk.bins.iter().filter_map(|bin| {
            let [negatives, positives] = KNOWN.map(|label| count(bin, &ANY, &[label]));
            let exact = bin.lower >= bin.upper || negatives + positives == 1;
            (negatives + positives > 0).then(|| (Mass::labelled(negatives, positives), exact))
        });
        let (masses, exact) = labelled.unzip();
        let invalid = count_cells(&chunk.not_finite, &ANY, &KNOWN) > 0;
        Self {
            confusion: Confusion {
                tn: cell(Class::Negative, Class::Negative),
                fp: cell(Class::Positive, Class::Negative),
                fn_: cell(Class::Negative, Class::Positive),
                tp: cell(Class::Positive, Class::Positive),
            },
            predicted_count: count_rows(chunk, &KNOWN, &KNOWN),
            masses,
            exact,
            by_label: KNOWN.map(|label| {
                let groups = chunk.bins.iter();
                groups
                    .filter_map(|bin| Group::of(bin, chunk.sums_exact, &ANY, &[label]))
                    .collect()
            }),
            outside_unit: first_outside_unit(chunk).is_some(),
            scored_count: chunk.bins.iter().map(|bin| count(bin, &ANY, &KNOWN)).sum(),
            labelled_count: count_rows(chunk, &ANY, &KNOWN),
            reserve: if invalid {
                Status::InvalidScore
            } else {
                Status::Ok
            },
        }
    }

    /// Realized value of a metric with a confidence interval of the population's value.
    ///
    /// * `value_matrix`: value of a row by outcome, `[tn, fp, fn, tp]`; read by the business
    ///   values only.
    /// * `confidence_level`: in (0, 1).
    /// * NULL: every number is `None` where the metric is not defined on the labelled rows, 0/0
    ///   included; `status` says why.
    pub fn reading(
        &self,
        metric: Metric,
        value_matrix: [f64; 4],
        confidence_level: f64,
    ) -> Reading {
        let used = if metric.needs_prediction() {
            self.predicted_count
        } else {
            self.scored_count
        };
        if used == 0 {
            let status = if self.labelled_count == 0 {
                Status::NoLabels
            } else if metric.needs_prediction() {
                Status::NoPrediction
            } else {
                Status::InsufficientData
            };
            return Reading::undefined(status, used, self.labelled_count);
        }
        if metric.needs_probability() && self.outside_unit {
            return Reading::undefined(Status::NotAProbability, used, self.labelled_count);
        }
        let measured = match metric {
            Metric::RocAuc => self.roc_auc(confidence_level),
            Metric::AveragePrecision => self.average_precision(confidence_level),
            Metric::CalibrationError => self.calibration_error(confidence_level),
            Metric::LogLoss | Metric::BrierScore => self.loss(metric, confidence_level),
            _ => self.of_confusion(metric, value_matrix, confidence_level),
        };
        match measured {
            Some(measured) => self.finish(metric, &measured, used),
            None => Reading::undefined(Status::SingleClass, used, self.labelled_count),
        }
    }

    fn finish(&self, metric: Metric, measured: &Measured, used_count: u64) -> Reading {
        let finite = |x: f64| x.is_finite().then_some(x);
        let error = finite(measured.variance.sqrt());
        let reserve = if metric.needs_prediction() {
            Status::Ok
        } else {
            self.reserve
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
            used_count,
            labelled_count: self.labelled_count,
            status: reserve.worst(few),
        }
    }

    /// Shares are binomial under their denominator; F1 is an increasing function of the share of
    /// true positives among the rows that are positive or predicted so, `2 j / (1 + j)`.
    fn of_confusion(
        &self,
        metric: Metric,
        value_matrix: [f64; 4],
        confidence_level: f64,
    ) -> Option<Measured> {
        let cells = &self.confusion;
        let value = cells.value(metric, value_matrix)?;
        let rows = cells.rows();
        let total = cells.support(metric);
        let few = total < FEW;
        let share = |hits: f64, of: f64| share_interval(hits, of, few, confidence_level);
        let f1 = |j: f64| 2.0 * j / (1.0 + j);
        let bounds = match metric {
            Metric::Accuracy => share(cells.tp + cells.tn, total),
            Metric::Precision | Metric::Recall => share(cells.tp, total),
            Metric::Specificity => share(cells.tn, total),
            Metric::F1 => {
                let (lower, upper) = share(cells.tp, total);
                (f1(lower), f1(upper))
            }
            Metric::BusinessValue | Metric::BusinessValuePerRow => {
                let half = normal_quantile(confidence_level)
                    * self.variance(metric, value, value_matrix).sqrt();
                (value - half, value + half)
            }
            _ => {
                let (lower, upper) = share(value, rows);
                (lower * rows, upper * rows)
            }
        };
        Some(Measured {
            value,
            slack: 0.0,
            variance: self.variance(metric, value, value_matrix),
            bounds,
            few,
        })
    }

    /// Sum of squared influence of the rows, for a matrix that keeps every outcome possible: half
    /// a row is added to an outcome that the metric reads and that did not occur, or a perfect
    /// chunk would have no error.
    fn variance(&self, metric: Metric, value: f64, value_matrix: [f64; 4]) -> f64 {
        let cells = &self.confusion;
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
        let Some(value) = kept.value(metric, value_matrix) else {
            return 0.0;
        };
        let slopes = kept.gradient(metric, value, value_matrix);
        let outcomes = || slopes.iter().zip(kept.cells());
        let mean = outcomes().map(|(slope, rows)| slope * rows).sum::<f64>() / kept.rows();
        outcomes()
            .map(|(slope, rows)| rows * (slope - mean) * (slope - mean))
            .sum()
    }

    fn roc_auc(&self, confidence_level: f64) -> Option<Measured> {
        let auc = roc_auc(&self.masses)?;
        let (positives, negatives) = (auc.positives, auc.rows - auc.positives);
        let shared: f64 = self
            .inexact()
            .map(|mass| mass.positives * mass.negatives() / 2.0)
            .sum();
        let variance = auc.labelled_variance(&self.masses);
        let z = normal_quantile(confidence_level);
        let few = positives < FEW || negatives < FEW;
        let (lower, upper) = newcombe_auc(auc.value, positives, negatives, z);
        let at_end = auc.value <= 0.0 || auc.value >= 1.0;
        Some(Measured {
            value: auc.value,
            slack: (shared / auc.pairs).min(1.0),
            variance: if at_end {
                ((upper - lower) / (2.0 * z)).powi(2)
            } else {
                variance
            },
            bounds: if few || at_end {
                (lower, upper)
            } else {
                Metric::RocAuc
                    .scale()
                    .interval(auc.value, variance.sqrt(), z)
            },
            few: few || at_end,
        })
    }

    fn loss(&self, metric: Metric, confidence_level: f64) -> Option<Measured> {
        let [negatives, positives] = &self.by_label;
        let (value, slack, variance) = realized_loss(Loss::of(metric)?, negatives, positives)?;
        let z = normal_quantile(confidence_level);
        Some(Measured {
            value,
            slack,
            variance,
            bounds: metric.scale().interval(value, variance.sqrt(), z),
            few: (self.scored_count as f64) < FEW,
        })
    }

    /// Noise of labels adds to the value even where the population's calibration is perfect, by
    /// at most its floor on average: the interval reaches down by that much more.
    fn calibration_error(&self, confidence_level: f64) -> Option<Measured> {
        let [negatives, positives] = &self.by_label;
        let realized = realized_calibration_error(negatives, positives)?;
        let half = normal_quantile(confidence_level) * realized.variance.sqrt();
        let lower = (realized.value - half - realized.noise_floor).max(0.0);
        Some(Measured {
            value: realized.value,
            slack: realized.slack,
            variance: realized.variance,
            bounds: (lower, (realized.value + half).min(1.0)),
            few: (self.scored_count as f64) < FEW,
        })
    }

    /// Rows that share a bin without being known to share a score.
    fn inexact(&self) -> impl Iterator<Item = &Mass> {
        self.masses
            .iter()
            .zip(&self.exact)
            .filter_map(|(mass, exact)| (!exact).then_some(mass))
    }

    fn average_precision(&self, confidence_level: f64) -> Option<Measured> {
        let fitted = average_precision(&self.masses)?;
        let (value, slack) = self.certified_average_precision();
        let variance = fitted.labelled_variance(&self.masses);
        let z = normal_quantile(confidence_level);
        Some(Measured {
            value,
            slack,
            variance,
            bounds: Metric::AveragePrecision
                .scale()
                .interval(value, variance.sqrt(), z),
            few: fitted.positives < FEW,
        })
    }

    /// Average precision and its certified distance to that of all rows.
    ///
    /// A positive that is the i-th of its bin sees least when all negatives of the bin are above
    /// it, and most when all positives of the bin are tied above all negatives. (The best order
    /// without ties is no bound: ties lift the first positives.) The value takes the rows of a
    /// bin as untied and in random order.
    fn certified_average_precision(&self) -> (f64, f64) {
        let (mut rows, mut above, mut sum) = (0.0, 0.0, 0.0);
        let (mut up, mut down) = (0.0, 0.0);
        for (mass, exact) in self.masses.iter().zip(&self.exact).rev() {
            let (hits, misses) = (mass.positives, mass.negatives());
            if *exact {
                sum += hits * (above + hits) / (rows + mass.rows);
            } else if hits > 0.0 {
                let others = (hits - 1.0) / (mass.rows - 1.0);
                let middle = hits * mean_precision_seen(above + 1.0, others, rows + 1.0, mass.rows);
                let last = mean_precision_seen(above + 1.0, 1.0, rows + misses + 1.0, hits);
                sum += middle;
                up += hits * (above + hits) / (rows + hits) - middle;
                down += middle - hits * last;
            }
            rows += mass.rows;
            above += hits;
        }
        (sum / above, f64::max(up, down) / above)
    }
}

fn share_interval(hits: f64, rows: f64, few: bool, confidence_level: f64) -> (f64, f64) {
    if few {
        clopper_pearson(hits, rows, confidence_level)
    } else {
        wilson(hits, rows, normal_quantile(confidence_level))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bins::{Cell, ScoreBin};
    use super::*;

    /// Rows `(score, prediction, label, count)`, one exact bin a score.
    fn chunk(rows: &[(f64, Class, Class, u64)]) -> ScoreBins {
        let mut bins: Vec<ScoreBin> = Vec::new();
        for &(score, prediction, label, count) in rows {
            if bins.last().is_none_or(|bin| bin.lower != score) {
                bins.push(ScoreBin {
                    lower: score,
                    upper: score,
                    ..ScoreBin::default()
                });
            }
            let bin = bins.last_mut().unwrap();
            bin.cells[prediction as usize][label as usize] = Cell {
                count,
                sum: score * count as f64,
            };
        }
        ScoreBins {
            bins,
            sums_exact: true,
            ..ScoreBins::default()
        }
    }

    use Class::{Negative as N, Positive as P, Unknown as U};

    #[test]
    fn values_and_counts_by_hand() {
        let realized = Realized::new(&chunk(&[
            (0.1, N, N, 2),
            (0.4, N, P, 1),
            (0.4, P, U, 5),
            (0.6, P, N, 1),
            (0.8, P, P, 1),
        ]));
        let value = |metric| realized.reading(metric, [0.0; 4], 0.95).value.unwrap();
        assert_eq!(value(Metric::Accuracy), 0.6);
        assert_eq!(value(Metric::Precision), 0.5);
        // pairs of 2 positives and 3 negatives: .4 beats two, .8 beats three
        assert!((value(Metric::RocAuc) - 5.0 / 6.0).abs() < 1e-15);
        // 1/2 * 1/1 + 1/2 * 2/3
        assert!((value(Metric::AveragePrecision) - 5.0 / 6.0).abs() < 1e-15);
        let reading = realized.reading(Metric::Accuracy, [0.0; 4], 0.95);
        assert_eq!((reading.used_count, reading.labelled_count), (5, 5));
        assert_eq!(reading.status, Status::FewPositives);
    }

    #[test]
    fn rows_without_score_count_where_no_score_is_needed() {
        let mut bins = chunk(&[(0.1, N, N, 20)]);
        bins.unscored[1][1] = 10;
        bins.not_finite[1][0] = 10;
        let realized = Realized::new(&bins);
        let accuracy = realized.reading(Metric::Accuracy, [0.0; 4], 0.95);
        assert_eq!((accuracy.value, accuracy.status), (Some(0.75), Status::Ok));
        let auc = realized.reading(Metric::RocAuc, [0.0; 4], 0.95);
        assert_eq!((auc.value, auc.status), (None, Status::SingleClass));
    }

    #[test]
    fn what_is_missing_is_told() {
        let status = |rows: &[(f64, Class, Class, u64)], metric| {
            Realized::new(&chunk(rows))
                .reading(metric, [0.0; 4], 0.95)
                .status
        };
        assert_eq!(status(&[], Metric::F1), Status::NoLabels);
        assert_eq!(status(&[(0.1, P, U, 3)], Metric::RocAuc), Status::NoLabels);
        assert_eq!(status(&[(0.1, U, P, 3)], Metric::F1), Status::NoPrediction);
        assert_eq!(status(&[(0.1, N, N, 3)], Metric::F1), Status::SingleClass);
    }

    #[test]
    fn a_perfect_chunk_still_has_an_error() {
        let realized = Realized::new(&chunk(&[(0.1, N, N, 30), (0.9, P, P, 30)]));
        for metric in [Metric::Accuracy, Metric::F1, Metric::RocAuc] {
            let reading = realized.reading(metric, [0.0; 4], 0.95);
            assert_eq!(reading.value, Some(1.0));
            assert!(reading.sampling_error.unwrap() > 0.001, "{metric}");
            assert!(reading.lower_bound.unwrap() < 0.97, "{metric}");
        }
    }

    #[test]
    fn order_inside_a_bin_is_bounded() {
        // 10 positives and 1 negative share a bin below 1000 negatives: tied positives first
        // would give 10/1010, negative first and no ties sum_i i / (1001 + i) / 10
        let mut bins = chunk(&[(0.5, P, N, 1), (0.9, P, N, 1000)]);
        bins.bins[0].lower = 0.4;
        bins.bins[0].cells[1][1] = Cell {
            count: 10,
            sum: 4.5,
        };
        let reading = Realized::new(&bins).reading(Metric::AveragePrecision, [0.0; 4], 0.95);
        let (value, slack) = (reading.value.unwrap(), reading.approx_error.unwrap());
        let worst = (1..=10)
            .map(|i| f64::from(i) / f64::from(1001 + i))
            .sum::<f64>()
            / 10.0;
        assert!(value + slack >= 10.0 / 1010.0 - 1e-15 && value - slack <= worst + 1e-15);
        assert!(slack < 0.006);
    }
}
