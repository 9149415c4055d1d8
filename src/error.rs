//! Errors of the crate, mapped to DataFusion's in one place.
use datafusion::error::DataFusionError;

use crate::kernel::KernelError;

/// A statistic's refusal, as the execution error that a query reports.
impl From<KernelError> for DataFusionError {
    fn from(error: KernelError) -> Self {
        Self::Execution(error.to_string())
    }
}

/// What to do about an error, where that is not in its text: running out of memory is DataFusion's to
/// report, and only this crate knows that its profiles are what grew.
pub fn remedy(error: &DataFusionError) -> Option<&'static str> {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => Some(
            "profiles take memory for each group and chunk, up to max_bins x 48 bytes. \
             Hint: a longer chunk, fewer columns in by, SET monitor.max_bins = 1024, or a higher --memory-limit",
        ),
        _ => None,
    }
}
