//! Scales of what is monitored besides the performance metrics.
use super::link::Link;
use super::metric::Direction;
use super::threshold::MetricScale;

/// The name under which multivariate drift by principal components is told.
pub const RECONSTRUCTION_ERROR: &str = "reconstruction_error";

const SCALES: [(&str, MetricScale); 1] = [(
    RECONSTRUCTION_ERROR,
    MetricScale {
        link: Link::Log,
        lower: Some(0.0),
        upper: None,
        better: Direction::Lower,
        total: false,
    },
)];

/// What a threshold must know about a metric that is not one of performance; `None` for another name.
///
/// ```
/// use modelwatch::kernel::monitored::scale_of;
/// assert_eq!(scale_of("reconstruction_error").and_then(|scale| scale.lower), Some(0.0));
/// assert_eq!(scale_of("roc_auc"), None);
/// ```
pub fn scale_of(name: &str) -> Option<MetricScale> {
    let mut scales = SCALES.iter();
    scales
        .find(|(known, _)| *known == name)
        .map(|(_, scale)| *scale)
}
