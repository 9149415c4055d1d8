//! Errors of the crate, mapped to DataFusion's in one place.
use datafusion::error::DataFusionError;

use crate::kernel::KernelError;

/// A statistic's refusal, as the execution error that a query reports.
impl From<KernelError> for DataFusionError {
    fn from(error: KernelError) -> Self {
        Self::Execution(error.to_string())
    }
}
