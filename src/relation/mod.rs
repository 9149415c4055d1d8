//! Table functions: relations go in, a plan of standard operators comes out.
mod arguments;
mod by;
mod call;
mod challenger;
mod chunk_arguments;
mod chunk_series;
mod chunked;
mod class_roles;
mod clusters;
mod column_series;
mod columns;
mod comparable;
mod compare_performance;
mod compared_rows;
mod custom_metric;
mod data_quality;
mod detect_changes;
mod diagnose;
mod drift_bins;
mod drift_thresholds;
mod estimate_classes;
mod estimate_performance;
mod estimate_regression;
mod fit;
mod fitted_columns;
mod help;
mod incomplete;
mod kpi_divergence;
mod late_labels;
mod monitor_metric;
mod multivariate_drift;
mod problem;
mod profiled;
mod profiles;
mod rank_columns;
mod realized_performance;
mod result;
mod roles;
mod rows;
mod season;
mod series_argument;
mod series_call;
mod series_help;
mod series_pairs;
mod session_functions;
mod shared_arguments;
mod side;
mod skew;
mod source;
mod stored;
mod summary_statistics;
mod threshold_arguments;
mod trend;
mod univariate_drift;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::RelationPlanner;
use datafusion::prelude::SessionContext;

pub use help::{ARGUMENT_WORDS, ArgumentWord};
pub use result::RESULT_COLUMNS;

use arguments::Call;

/// A table function: what SQL users see of it, and the plan that it stands for.
pub struct RelationSpec {
    /// Name in SQL.
    pub name: &'static str,
    /// One or two sentences.
    pub description: &'static str,
    /// Name and meaning of each argument.
    pub arguments: &'static [(&'static str, &'static str)],
    /// How many of the first arguments may be given by position.
    pub positional: usize,
    /// A query that shows the function.
    pub example: &'static str,
    /// The plan of a call.
    expand: fn(&mut Call) -> Result<LogicalPlan>,
}

static ALL: [&RelationSpec; 17] = [
    &profiles::SPEC,
    &estimate_performance::SPEC,
    &realized_performance::SPEC,
    &compare_performance::SPEC,
    &univariate_drift::SPEC,
    &drift_bins::SPEC,
    &multivariate_drift::SPEC,
    &data_quality::SPEC,
    &summary_statistics::SPEC,
    &monitor_metric::SPEC,
    &rank_columns::SPEC,
    &diagnose::SPEC,
    &detect_changes::SPEC,
    &trend::TREND,
    &trend::SEASONALITY,
    &kpi_divergence::SPEC,
    &skew::SPEC,
];

/// Every table function, in the order in which the documentation lists them.
pub fn all() -> &'static [&'static RelationSpec] {
    &ALL
}

/// The planner of all table functions, for `ctx`.
pub fn planner(ctx: &SessionContext) -> Arc<dyn RelationPlanner> {
    call::MonitorPlanner::new(ctx, &ALL)
}
