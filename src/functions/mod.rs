//! SQL functions over the kernel: one registry, from which signatures, help and tests follow.
mod aggregate;
mod profiles;
mod scalar;
mod spec;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// Every aggregate function, in the order in which the documentation lists them.
pub fn all_aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    profiles::all()
}

/// Every scalar function, in the order in which the documentation lists them.
pub fn all_scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    Ok(vec![])
}

/// Registers the functions, without the table functions: what an executor of a distributed plan needs.
///
/// A function of the same name that was registered before is replaced.
pub fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for aggregate in all_aggregates()? {
        registry.register_udaf(aggregate)?;
    }
    for scalar in all_scalars()? {
        registry.register_udf(scalar)?;
    }
    Ok(())
}
