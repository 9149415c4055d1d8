//! SQL functions over the kernel: one registry, from which signatures, help and tests follow.
mod aggregate;
mod arrays;
mod calendar_chunk;
mod calibration;
mod changes;
mod class_estimates;
mod clusters;
mod column_chunks;
mod column_readings;
mod columns;
mod custom_metric;
mod describe;
mod diagnosis;
mod differences;
mod distances;
mod drift;
mod drift_bins;
mod evaluate;
mod evaluate_realized;
mod evaluation_row;
mod gbdt;
mod is_positive;
mod kpi;
mod losses;
mod multiclass;
mod one_label;
mod paired;
mod pca;
mod profiles;
mod ranking;
mod readings;
mod regression;
mod row_hash;
mod scalar;
mod series_points;
mod shared_arguments;
mod skew;
mod skew_arguments;
mod spec;
mod thresholds;
mod trend;
mod values;
mod weighted;
mod window;

pub use changes::CHANGE_FIELDS;
pub use column_readings::COLUMN_FIELDS;
pub use drift_bins::BIN_FIELDS;
pub use evaluate::EVALUATION_FIELDS;
pub use kpi::KPI_FIELDS;
pub use pca::imputation;
pub use skew::SKEW_FIELDS;
pub use trend::{SEASONALITY_FIELDS, TREND_FIELDS};

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

/// Every aggregate function, in the order in which the documentation lists them.
pub fn all_aggregates() -> Result<Vec<Arc<AggregateUDF>>> {
    let families = [
        profiles::all()?,
        readings::all()?,
        multiclass::all()?,
        class_estimates::aggregates()?,
        losses::aggregates()?,
        regression::all()?,
        weighted::all()?,
        clusters::aggregates()?,
        differences::aggregates()?,
        changes::aggregates()?,
        diagnosis::aggregates()?,
        trend::aggregates()?,
        kpi::aggregates()?,
        paired::all()?,
        evaluate::aggregates()?,
        thresholds::aggregates()?,
        ranking::aggregates()?,
        pca::aggregates()?,
        gbdt::aggregates()?,
    ];
    Ok(families.into_iter().flatten().collect())
}

/// Every scalar function, in the order in which the documentation lists them.
pub fn all_scalars() -> Result<Vec<Arc<ScalarUDF>>> {
    let families = [
        calibration::all()?,
        clusters::scalars()?,
        differences::scalars()?,
        describe::all()?,
        distances::all()?,
        evaluate::scalars()?,
        class_estimates::scalars()?,
        losses::scalars()?,
        thresholds::scalars()?,
        ranking::scalars()?,
        kpi::scalars()?,
        calendar_chunk::all()?,
        is_positive::all()?,
        one_label::all()?,
        pca::scalars()?,
        custom_metric::all()?,
        gbdt::scalars()?,
        row_hash::scalars()?,
        skew::scalars()?,
    ];
    Ok(families.into_iter().flatten().collect())
}

/// Every window function, in the order in which the documentation lists them.
pub fn all_windows() -> Result<Vec<Arc<WindowUDF>>> {
    let families = [
        drift::windows()?,
        drift_bins::windows()?,
        columns::windows()?,
    ];
    Ok(families.into_iter().flatten().collect())
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
    for window in all_windows()? {
        registry.register_udwf(window)?;
    }
    Ok(())
}
