//! Metrics of a regression without labels: means of losses that were learnt on the reference.
//!
//! A row's loss has the mean that its columns tell, as long as the reference's rows of such columns lose as much; it does not
//! survive a change of the concept, and no error bar here covers that.
use super::super::interval::{FEW, normal_quantile};
use super::super::reading::{Expectation, Reading, Status};
use super::loss::Loss;
use super::loss_estimates::{LossEstimates, LossSums};
use super::metric::RegressionMetric;

/// Labelled rows of the reference from which on it is large enough.
const ENOUGH: u64 = 1000;

/// How much losses scatter around what is expected, learnt on the reference: their variance over the square of their mean,
/// which is the same for all rows where losses scatter in proportion to their size.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scatter {
    ratio: f64,
    /// Rows that it was learnt from, and the mean square of what is expected of them.
    rows: f64,
    mean_square: f64,
}

impl Scatter {
    fn of(sums: &LossSums) -> Option<Self> {
        let rows = sums.labelled as f64;
        let squares = sums.expected_squares.value().float();
        let residuals = sums.residual_squares.value().float();
        (rows > 0.0).then(|| Self {
            ratio: if squares > 0.0 {
                residuals / squares
            } else {
                0.0
            },
            rows,
            mean_square: squares / rows,
        })
    }

    /// Variance of the learnt mean.
    fn model(self) -> f64 {
        self.ratio * self.mean_square / self.rows
    }
}

/// Estimated metrics of one chunk; see [`LossEstimates`].
#[derive(Debug, Clone)]
pub struct LossEstimator<'a> {
    chunk: &'a LossEstimates,
    reference: Option<&'a LossEstimates>,
    labelled_count: u64,
}

impl<'a> LossEstimator<'a> {
    /// Prepares the metrics of a chunk; `reference`: all rows that the losses were learnt from, observed in the same way.
    pub fn new(chunk: &'a LossEstimates, reference: Option<&'a LossEstimates>) -> Self {
        let [_, labelled_count, _] = chunk.realized.row_counts();
        Self {
            chunk,
            reference,
            labelled_count,
        }
    }

    /// Estimate of a metric, its errors, and the interval in which the realized value will lie.
    ///
    /// * Errors: `sampling_error` is that of the mean over rows, and of the learnt mean: that of as many rows as it was learnt
    ///   from. Where the trees are wrong about some rows, and the chunk has many of these, it is more. The interval adds how
    ///   losses scatter around what is expected, in proportion to it.
    /// * NULL: every number is `None` for a metric that no loss of single rows gives, without rows, and without a reference;
    ///   `status` says why.
    pub fn reading(&self, metric: RegressionMetric, confidence_level: f64) -> Reading {
        let sums = Loss::of(metric).and_then(|loss| sums_of(self.chunk, loss));
        let used = sums.map_or(0, |sums| sums.expected.count);
        let undefined = |status| Reading::undefined(status, used, self.labelled_count);
        let Some(reference) = self.reference else {
            return undefined(Status::NoReference);
        };
        let learnt = Loss::of(metric).and_then(|loss| sums_of(reference, loss));
        let Some((sums, scatter)) = sums.zip(learnt.and_then(Scatter::of)) else {
            return undefined(Status::ReferenceUnlabelled);
        };
        let Some((mean, around)) = sums.expected.centered(0, 0.0) else {
            return undefined(Status::InsufficientData);
        };
        self.finish(
            metric,
            &Estimated::new(sums, mean, around, scatter),
            confidence_level,
        )
    }

    /// The same for the rows with a label, as if it were not known.
    pub fn labelled(&self, metric: RegressionMetric, confidence_level: f64) -> Reading {
        let sums = Loss::of(metric).and_then(|loss| sums_of(self.chunk, loss));
        let learnt = self.reference.zip(Loss::of(metric));
        let learnt = learnt.and_then(|(reference, loss)| sums_of(reference, loss));
        let known = sums.zip(learnt.and_then(Scatter::of));
        match known.filter(|(sums, _)| sums.labelled > 0) {
            Some((sums, scatter)) => {
                let found = Estimated::of_labelled(sums, scatter);
                self.finish(metric, &found, confidence_level)
            }
            None => Reading::undefined(Status::NoLabels, 0, self.labelled_count),
        }
    }

    fn finish(&self, metric: RegressionMetric, found: &Estimated, level: f64) -> Reading {
        let root = matches!(metric, RegressionMetric::Rmse | RegressionMetric::Rmsle);
        let signed = metric == RegressionMetric::Bias;
        let of = |x: f64| match (root, signed) {
            (_, true) => x,
            (true, _) => x.max(0.0).sqrt(),
            (false, _) => x.max(0.0),
        };
        let value = of(found.mean);
        let slope = match root {
            true if value > 0.0 => 0.5 / value,
            true => 0.0,
            false => 1.0,
        };
        let error = (found.noise + found.model).sqrt();
        let half = normal_quantile(level) * error;
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let few = Status::FewRows.only_if((found.rows as f64) < FEW);
        Reading {
            value: finite(value),
            approx_error: Some(0.0),
            sampling_error: finite(slope * (found.sampling + found.model).sqrt()),
            row_sampling_error: finite(slope * found.sampling.sqrt()),
            lower_bound: finite(of(found.mean - half)),
            upper_bound: finite(of(found.mean + half)),
            expectation: finite(value)
                .zip(finite(slope * error))
                .map(|(value, error)| Expectation { value, error }),
            used_count: found.rows,
            labelled_count: self.labelled_count,
            status: self.size_of_reference().worst(few),
        }
    }

    fn size_of_reference(&self) -> Status {
        match self
            .reference
            .map(|reference| reference.realized.row_counts())
        {
            Some([_, labelled, _]) if labelled >= ENOUGH => Status::Ok,
            _ => Status::SmallReference,
        }
    }
}

/// The mean loss that is expected, and variances.
struct Estimated {
    rows: u64,
    mean: f64,
    /// Of the mean over rows that were drawn.
    sampling: f64,
    /// Of the realized mean, given the rows.
    noise: f64,
    /// Of what was learnt.
    model: f64,
}

impl Estimated {
    fn new(sums: &LossSums, mean: f64, around: f64, scatter: Scatter) -> Self {
        let n = sums.expected.count as f64;
        let sampling = if n > 1.0 {
            around / (n * (n - 1.0))
        } else {
            0.0
        };
        let squares = around + n * mean * mean;
        Self {
            rows: sums.expected.count,
            mean,
            sampling,
            noise: scatter.ratio * squares / (n * n),
            model: scatter.model(),
        }
    }

    fn of_labelled(sums: &LossSums, scatter: Scatter) -> Self {
        let n = sums.labelled as f64;
        let mean = sums.labelled_expected.value().float() / n;
        let squares = sums.expected_squares.value().float();
        Self {
            rows: sums.labelled,
            mean,
            sampling: if n > 1.0 {
                (squares / n - mean * mean).max(0.0) / (n - 1.0)
            } else {
                0.0
            },
            noise: scatter.ratio * squares / (n * n),
            model: scatter.model(),
        }
    }
}

fn sums_of(profile: &LossEstimates, loss: Loss) -> Option<&LossSums> {
    let mut losses = profile.losses.iter();
    losses
        .find(|(other, _)| *other == loss)
        .map(|(_, sums)| sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(rows: &[(Option<f64>, f64, f64)]) -> LossEstimates {
        let mut profile = LossEstimates::new(&[Loss::Absolute, Loss::Squared], Default::default());
        for (label, prediction, expected) in rows {
            let expected = [Some(*expected), Some(expected * expected)];
            profile.observe(*label, Some(*prediction), expected.into_iter());
        }
        LossEstimates::from_bytes(&profile.to_bytes()).unwrap()
    }

    #[test]
    fn means_of_what_is_expected() {
        let reference = profile(&[(Some(1.0), 3.0, 1.0), (Some(4.0), 3.0, 2.0)]);
        let chunk = profile(&[(None, 3.0, 1.0), (None, 3.0, 3.0), (None, 3.0, -1.0)]);
        let estimator = LossEstimator::new(&chunk, Some(&reference));
        let mae = estimator.reading(RegressionMetric::Mae, 0.95);
        // a negative expectation of a loss is none
        assert_eq!(mae.value, Some(4.0 / 3.0));
        assert_eq!((mae.used_count, mae.labelled_count), (3, 0));
        // residuals 2 - 1 and 1 - 2 against 1 and 2: 2 / 5; chunk: squares 1 + 9, model 2.5 / 2
        let half = normal_quantile(0.95) * (0.4f64 * 10.0 / 9.0 + 0.4 * 2.5 / 2.0).sqrt();
        assert!((mae.upper_bound.unwrap() - 4.0 / 3.0 - half).abs() < 1e-12);
        let rmse = estimator.reading(RegressionMetric::Rmse, 0.95);
        assert_eq!(rmse.value, Some((11.0f64 / 3.0).sqrt()));
        assert_eq!(rmse.status, Status::FewRows.worst(Status::SmallReference));
    }

    #[test]
    fn labelled_rows_are_estimated_by_themselves() {
        let reference = profile(&[(Some(1.0), 3.0, 1.0), (Some(4.0), 3.0, 2.0)]);
        let rows = [
            (Some(2.0), 3.0, 1.0),
            (None, 3.0, 9.0),
            (Some(2.0), 3.0, 3.0),
        ];
        let (all, known) = (profile(&rows), profile(&[rows[0], rows[2]]));
        let labelled = LossEstimator::new(&all, Some(&reference));
        let labelled = labelled.labelled(RegressionMetric::Mae, 0.95);
        let alone = LossEstimator::new(&known, Some(&reference));
        let alone = alone.reading(RegressionMetric::Mae, 0.95);
        assert_eq!(labelled.expectation, alone.expectation);
        assert_eq!((labelled.value, labelled.used_count), (Some(2.0), 2));
        // 2 / 5 of the squares 1 + 9 over 2^2, and the model as before
        let error = (0.4f64 * 10.0 / 4.0 + 0.4 * 2.5 / 2.0).sqrt();
        assert!((labelled.expectation.unwrap().error - error).abs() < 1e-12);
        let unlabelled = profile(&[(None, 3.0, 1.0)]);
        let none = LossEstimator::new(&unlabelled, Some(&reference));
        assert_eq!(
            none.labelled(RegressionMetric::Mae, 0.95).status,
            Status::NoLabels
        );
    }

    #[test]
    fn what_cannot_be_estimated_says_why() {
        let reference = profile(&[(None, 3.0, 1.0)]);
        let chunk = profile(&[]);
        let status = |reference, metric| {
            LossEstimator::new(&chunk, reference)
                .reading(metric, 0.95)
                .status
        };
        assert_eq!(status(None, RegressionMetric::Mae), Status::NoReference);
        assert_eq!(
            status(Some(&reference), RegressionMetric::Mae),
            Status::ReferenceUnlabelled
        );
        let labelled = profile(&[(Some(1.0), 3.0, 1.0)]);
        assert_eq!(
            status(Some(&labelled), RegressionMetric::Mae),
            Status::InsufficientData
        );
    }
}
