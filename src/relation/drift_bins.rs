//! `drift_bins`: the bins behind the numbers of `univariate_drift`.
use datafusion::common::Result;
use datafusion::logical_expr::{LogicalPlan, lit, not};

use super::RelationSpec;
use super::arguments::Call;
use super::column_series::{ColumnSides, evaluate, names_of};
use super::columns::Unsupported;
use super::roles::column;
use super::session_functions::is_reference;
use super::shared_arguments;
use super::univariate_drift::comparison;
use crate::functions::BIN_FIELDS;
use crate::kernel::drift::DriftMetric;

/// Columns of a chunk that explain where a bin belongs.
const CHUNK: [&str; 5] = [
    "chunk",
    "chunk_index",
    "chunk_start",
    "chunk_end",
    "column_name",
];

pub static SPEC: RelationSpec = RelationSpec {
    name: "drift_bins",
    description: "The bins behind the distances of univariate_drift: ranges or categories of the reference, the rows of the reference and \
                  of each analysis chunk in them, and what each adds to the distance.",
    arguments: &[
        (
            "reference",
            "Rows against which columns are compared, or profiles of their columns.",
        ),
        (
            "analysis",
            "Rows to be explained, or profiles of their columns.",
        ),
        shared_arguments::COLUMNS,
        shared_arguments::EXCLUDE,
        shared_arguments::TREAT_AS_CATEGORICAL,
        shared_arguments::TREAT_AS_CONTINUOUS,
        (
            "metrics",
            "Names of distances, as in univariate_drift; default: jensen_shannon. Wasserstein distances have no bins of their own: \
             those of jensen_shannon are shown, without contributions.",
        ),
        shared_arguments::COMPARISON,
        shared_arguments::TIMESTAMP,
        shared_arguments::BY,
        shared_arguments::CHUNK,
        shared_arguments::REFERENCE_CHUNK,
        shared_arguments::ORDER_BY,
        shared_arguments::INCOMPLETE,
        shared_arguments::TIME_ZONE,
        shared_arguments::AS_OF,
    ],
    positional: 2,
    example: "SELECT chunk, bin_label, reference_share, share, contribution\n\
              FROM drift_bins(reference, analysis, columns => age, metrics => 'psi', chunk => INTERVAL '1 month')\n\
              ORDER BY chunk_index, bin",
    expand,
};

fn expand(call: &mut Call) -> Result<LogicalPlan> {
    let columns = ColumnSides::read(call, Unsupported::Told)?;
    let metrics = columns.metrics(call, &[DriftMetric::JensenShannon])?;
    let arguments = vec![names_of(&metrics), lit(comparison(call)?)];
    let by = columns.by();
    let chunks = columns.chunks(call)?;
    let window = ("evaluate_drift_bins", &*BIN_FIELDS);
    let bins = evaluate(call, chunks, &by, window, arguments)?;
    let names = by.iter().map(String::as_str).chain(CHUNK);
    let fields = BIN_FIELDS.iter().map(|field| field.name().as_str());
    let shown: Vec<_> = names.chain(fields).map(column).collect();
    let function = call.function();
    bins.filter(not(is_reference()))?
        .project(shown)?
        .alias(function)?
        .build()
}
