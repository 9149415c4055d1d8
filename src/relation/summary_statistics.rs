//! `summary_statistics`: count, sum, mean and other statistics of each column.
use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;

use super::RelationSpec;
use super::arguments::Call;
use super::column_series::judged_columns;
use super::columns::Unsupported;
use super::shared_arguments;
use crate::kernel::column::SummaryMetric;

pub static SPEC: RelationSpec = RelationSpec {
    name: "summary_statistics",
    description: "Count, sum, mean, standard deviation, median, smallest, largest and number of distinct values of each column of each \
                  chunk, with sampling errors and limits.",
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
            "count, sum, mean, std, median, min, max, distinct; default: all. One that does not apply to a column is left out there.",
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
    example: "SELECT chunk, column_name, metric, value, sampling_error, alert\n\
              FROM summary_statistics(reference, analysis, chunk => INTERVAL '1 month', metrics => ['mean', 'std'])\n\
              WHERE dataset = 'analysis'",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    judged_columns::<SummaryMetric>(call, Unsupported::Told, "evaluate_summary")
}
