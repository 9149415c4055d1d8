//! `data_quality`: missing, unseen, out-of-range and otherwise odd values of each column.
use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;

use super::RelationSpec;
use super::arguments::Call;
use super::column_series::judged_columns;
use super::columns::Unsupported;
use super::shared_arguments;
use crate::kernel::column::QualityMetric;

pub static SPEC: RelationSpec = RelationSpec {
    name: "data_quality",
    description: "What is wrong with the values of each column of each chunk: shares of missing, unseen, out-of-range, NaN, infinite \
                  and empty values, columns that became constant, that are new, absent or of another type.",
    arguments: &[
        (
            "reference",
            "Rows that say what is usual, or profiles of their columns.",
        ),
        (
            "analysis",
            "Rows to be judged, or profiles of their columns.",
        ),
        shared_arguments::COLUMNS,
        shared_arguments::EXCLUDE,
        shared_arguments::TREAT_AS_CATEGORICAL,
        shared_arguments::TREAT_AS_CONTINUOUS,
        (
            "metrics",
            "missing, unseen, out_of_range, nan, infinite, empty_text, constant, schema_change; default: all. One that does not \
             apply to a column is left out there.",
        ),
        shared_arguments::TIMESTAMP,
        shared_arguments::BY,
        shared_arguments::CHUNK,
        shared_arguments::REFERENCE_CHUNK,
        shared_arguments::ORDER_BY,
        shared_arguments::INCOMPLETE,
        shared_arguments::TIME_ZONE,
        shared_arguments::AS_OF,
        shared_arguments::COLUMN_THRESHOLDS,
        shared_arguments::DIRECTION,
        shared_arguments::CONFIDENCE_LEVEL,
        shared_arguments::NAME,
    ],
    positional: 2,
    example: "SELECT chunk, column_name, metric, value, upper_threshold, status\n\
              FROM data_quality(reference, analysis, chunk => INTERVAL '1 month') WHERE alert",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    judged_columns::<QualityMetric>(call, Unsupported::Presence, "evaluate_quality")
}
