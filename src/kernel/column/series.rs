//! How the chunks of a column are judged by one metric, whichever family it is of.
use super::super::KernelError;
use super::super::drift::DriftProfile;
use super::super::threshold::{Direction, Threshold};
use super::metric::ColumnMetric;
use super::reading::{ColumnChunk, ColumnReadings};

/// A metric of columns that is read from the profiles of a series of chunks.
pub trait SeriesMetric: ColumnMetric {
    /// As [`ColumnSeries::read`], for a threshold that fits the metric.
    fn read(
        series: &ColumnSeries<Self>,
        whole: Option<DriftProfile>,
        reference: &[ColumnChunk],
        analysis: &[ColumnChunk],
    ) -> Result<ColumnReadings, KernelError>;
}

/// A metric, and how its values are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnSeries<M> {
    /// The metric.
    pub metric: M,
    /// How limits are found.
    pub threshold: Threshold,
    /// Which way out of the limits is an alert.
    pub direction: Direction,
    /// Of the bounds, between 0 and 1.
    pub confidence_level: f64,
    /// Whether the reference's rows had no order and were dealt into chunks.
    pub dealt: bool,
}

impl<M: SeriesMetric> ColumnSeries<M> {
    /// Reads all chunks of a column.
    ///
    /// * `whole`: all rows of the reference, where it has the column; `reference` are the same rows in parts, in order.
    /// * Errors: a threshold that [`Threshold::checked`] or [`Threshold::fits`] refuses, values too large to square.
    pub fn read(
        &self,
        whole: Option<DriftProfile>,
        reference: &[ColumnChunk],
        analysis: &[ColumnChunk],
    ) -> Result<ColumnReadings, KernelError> {
        self.threshold.checked()?.fits(&self.metric.scale())?;
        M::read(self, whole, reference, analysis)
    }
}
