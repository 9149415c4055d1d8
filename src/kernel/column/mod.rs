//! What is asked of one column of a relation, chunk by chunk: the quality of its values, and their summary statistics.
mod median_limits;
mod metric;
pub(crate) mod moments;
mod quality;
mod quality_counts;
mod quality_metric;
mod reading;
mod series;
mod share_law;
mod summary;
mod summary_metric;

pub use metric::{ColumnMetric, ColumnSpec, Family};
pub use quality::QualitySeries;
pub use quality_metric::QualityMetric;
pub use reading::{ColumnChunk, ColumnReading, ColumnReadings};
pub use series::{ColumnSeries, SeriesMetric};
pub use share_law::ShareLaw;
pub use summary::SummarySeries;
pub use summary_metric::SummaryMetric;
