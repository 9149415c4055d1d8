//! Errors of the crate, mapped to DataFusion's in one place.
use datafusion::error::DataFusionError;

use crate::kernel::KernelError;

/// A statistic's refusal, as the execution error that a query reports.
pub fn kernel_error(error: KernelError) -> DataFusionError {
    DataFusionError::Execution(error.to_string())
}
