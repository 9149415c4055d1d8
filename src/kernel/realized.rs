//! Performance of a chunk from labels, with confidence intervals for the population.
use super::bins::{Class, ScoreBins};
use super::confusion::Confusion;
use super::estimate::count_all;
use super::group::{ANY, Group, KNOWN, count, count_cells};
use super::labelled::first_outside_unit;
use super::metric::{Formula, Metric};
use super::reading::{Reading, Status};
use super::realized_confusion::of_confusion;
use super::realized_ranking::LabelledRanking;
use super::weighted_realized::Weighting;

/// Realized value, its certified error, its variance and its interval; what is infinite is not known.
pub(crate) struct Measured {
    pub value: f64,
    pub slack: f64,
    pub variance: f64,
    pub bounds: (f64, f64),
    pub few: bool,
}

impl Measured {
    /// A value of whose error its few rows tell nothing.
    pub fn without_error(value: f64) -> Self {
        Self {
            value,
            slack: 0.0,
            variance: f64::INFINITY,
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
            few: true,
        }
    }

    /// What is told of it.
    pub fn reading(&self, status: Status, used_count: u64, labelled_count: u64) -> Reading {
        let finite = |x: f64| x.is_finite().then_some(x);
        let error = finite(self.variance.sqrt());
        Reading {
            value: finite(self.value),
            approx_error: finite(self.slack),
            sampling_error: error,
            row_sampling_error: error,
            lower_bound: finite(self.bounds.0),
            upper_bound: finite(self.bounds.1),
            expectation: None,
            used_count,
            labelled_count,
            status,
        }
    }
}

/// Realized metrics of one chunk.
///
/// Rows count wherever they have what a metric needs: a label and a prediction for confusion
/// metrics (the score may be missing), a label and a score for the others.
#[derive(Debug, Clone)]
pub struct Realized {
    pub(super) confusion: Confusion,
    /// Rows with label and prediction.
    pub(super) predicted_count: u64,
    pub(crate) ranking: LabelledRanking,
    /// Scored rows of each bin by label.
    pub(crate) by_label: [Vec<Group>; 2],
    pub(super) outside_unit: bool,
    /// Rows with label and score.
    pub(crate) scored_count: u64,
    pub(super) labelled_count: u64,
    pub(super) reserve: Status,
    /// Where rows count unequally.
    pub(super) weighting: Option<Box<Weighting>>,
}

impl Realized {
    /// Prepares the realized metrics of a chunk.
    pub fn new(chunk: &ScoreBins) -> Self {
        let rows = count_all(chunk);
        let cell = |prediction, label| count_cells(&rows, &[prediction], &[label]) as f64;
        let invalid = count_cells(&chunk.not_finite, &ANY, &KNOWN) > 0;
        Self {
            confusion: Confusion {
                tn: cell(Class::Negative, Class::Negative),
                fp: cell(Class::Positive, Class::Negative),
                fn_: cell(Class::Negative, Class::Positive),
                tp: cell(Class::Positive, Class::Positive),
            },
            predicted_count: count_cells(&rows, &KNOWN, &KNOWN),
            ranking: LabelledRanking::new(chunk),
            by_label: KNOWN.map(|label| {
                let groups = chunk.bins.iter();
                groups
                    .filter_map(|bin| Group::of(bin, chunk.sums_exact, &ANY, &[label]))
                    .collect()
            }),
            outside_unit: first_outside_unit(chunk).is_some(),
            scored_count: chunk.bins.iter().map(|bin| count(bin, &ANY, &KNOWN)).sum(),
            labelled_count: count_cells(&rows, &ANY, &KNOWN),
            reserve: Status::InvalidScore.only_if(invalid),
            weighting: None,
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
            } else if metric.needs_prediction() && !self.is_unweighted() {
                Status::NoPrediction
            } else {
                Status::InsufficientData
            };
            return Reading::undefined(status, used, self.labelled_count);
        }
        if metric.needs_probability() && self.outside_unit {
            return Reading::undefined(Status::NotAProbability, used, self.labelled_count);
        }
        match self.measure(metric, value_matrix, confidence_level) {
            Some(measured) => self.finish(metric, &measured, used),
            None => Reading::undefined(Status::SingleClass, used, self.labelled_count),
        }
    }

    /// The value and its interval.
    pub(super) fn measure(
        &self,
        metric: Metric,
        value_matrix: [f64; 4],
        confidence_level: f64,
    ) -> Option<Measured> {
        if let Some(weighting) = &self.weighting {
            return weighting.measure(self, metric, value_matrix, confidence_level);
        }
        match &metric.spec().formula {
            Formula::Order(own) | Formula::Probability(own) => {
                (own.realize)(self, confidence_level)
            }
            _ => of_confusion(&self.confusion, metric, value_matrix, confidence_level),
        }
    }

    /// Whether no labelled row has a weight.
    fn is_unweighted(&self) -> bool {
        self.weighting.as_ref().is_some_and(|by| by.is_empty())
    }

    /// Rows with label and score, or what they weigh.
    pub(super) fn scored_rows(&self) -> f64 {
        self.by_label.iter().flatten().map(|group| group.rows).sum()
    }

    fn finish(&self, metric: Metric, measured: &Measured, used_count: u64) -> Reading {
        let reserve = self.reserve.only_if(!metric.needs_prediction());
        let few = Status::FewPositives.only_if(measured.few);
        measured.reading(reserve.worst(few), used_count, self.labelled_count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::chunk;
    use super::*;
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
}
