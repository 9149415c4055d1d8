//! What the number of clusters, which tell an error, says of the error.
use statrs::function::erf::erf;

use super::interval::{FEW, normal_quantile, student_quantile};
use super::reading::{Reading, Status};

/// Fewer clusters tell nothing of an error: of one the influences add up to nothing, two make one difference.
const FEWEST: u64 = 3;

/// How many clusters tell the errors of a chunk.
///
/// ```
/// use modelwatch::kernel::cluster_count::ClusterCount;
/// // Student's law with four degrees of freedom reaches 2.776 errors, as the normal one does at a level of .9945
/// assert!((ClusterCount::new(5).normal_level(0.95) - 0.9945).abs() < 1e-4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterCount(u64);

impl ClusterCount {
    /// So many clusters.
    pub fn new(clusters: u64) -> Self {
        Self(clusters)
    }

    /// The level at which normal intervals reach as far as those of Student's law do at `confidence_level`, with a degree of
    /// freedom for every cluster but one.
    ///
    /// * Source: Cameron and Miller (2015), A practitioner's guide to cluster-robust inference, Journal of Human Resources 50,
    ///   317-372, section VI.
    pub fn normal_level(self, confidence_level: f64) -> f64 {
        let freedom = self.0.max(2) as f64 - 1.0;
        let reach = student_quantile(normal_quantile(confidence_level), freedom);
        erf(reach / std::f64::consts::SQRT_2)
    }

    /// A reading whose error these clusters tell.
    ///
    /// * NULL: errors and bounds of fewer than three clusters.
    /// * Status: `few_clusters` below 20.
    #[must_use]
    pub fn reserved(self, mut reading: Reading) -> Reading {
        if reading.value.is_none() {
            return reading;
        }
        if self.0 < FEWEST {
            reading.sampling_error = None;
            reading.row_sampling_error = None;
            reading.lower_bound = None;
            reading.upper_bound = None;
        }
        let few = Status::FewClusters.only_if((self.0 as f64) < FEW);
        reading.status = reading.status.worst(few);
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_as_far_as_students_law() {
        // tabled quantiles of Student's law at .95
        for (clusters, quantile) in [
            (3, 4.302653),
            (11, 2.228139),
            (20, 2.093024),
            (100_001, 1.959988),
        ] {
            let level = ClusterCount::new(clusters).normal_level(0.95);
            assert!(
                (normal_quantile(level) - quantile).abs() < 2e-5,
                "{clusters}"
            );
        }
    }

    #[test]
    fn few_clusters_tell_no_error() {
        let reading = Reading {
            value: Some(0.8),
            sampling_error: Some(0.01),
            lower_bound: Some(0.78),
            upper_bound: Some(0.82),
            ..Reading::default()
        };
        for (clusters, error, status) in [
            (1, None, Status::FewClusters),
            (2, None, Status::FewClusters),
            (3, Some(0.01), Status::FewClusters),
            (20, Some(0.01), Status::Ok),
        ] {
            let found = ClusterCount::new(clusters).reserved(reading);
            assert_eq!((found.sampling_error, found.status), (error, status));
            assert_eq!(found.lower_bound.is_some(), error.is_some());
        }
        let none = Reading::undefined(Status::NoLabels, 0, 0);
        assert_eq!(ClusterCount::new(0).reserved(none), none);
    }
}
