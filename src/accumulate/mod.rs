//! Arrow glue, written once: a summary becomes the row accumulator and the grouped accumulator.
//!
//! A summary's state is one `BinaryView` column of canonical bytes, so the states of both accumulators are
//! interchangeable. (`Binary` overflows its 32-bit offsets at two gigabytes of state.)
mod arguments;
mod category_rows;
mod class_estimate_rows;
mod cluster_rows;
mod diagnosis_rows;
mod difference_rows;
mod gbdt_rows;
mod grouped;
mod labelled_rows;
mod lazy;
mod loss_rows;
mod multiclass_rows;
mod paired_rows;
mod pca_rows;
mod profile_rows;
mod record_rows;
mod reference_rows;
mod regression_rows;
mod row;
mod score_rows;
mod series_rows;
mod threshold_rows;
mod timed_rows;
mod value_rows;
mod weighted_rows;

pub use arguments::{Arguments, bytes_at};
pub use class_estimate_rows::ClassEstimateRows;
pub use cluster_rows::{ClassifiedRows, InfluenceRows, ModelRows, PredictedRows, ScoredRows};
pub use diagnosis_rows::DiagnosisRows;
pub use difference_rows::DifferenceRows;
pub use gbdt_rows::{GbdtRows, predicted};
pub use grouped::GroupedAccumulator;
pub use labelled_rows::LabelledRows;
pub use loss_rows::LossRows;
pub use multiclass_rows::{MulticlassRows, named_classes};
pub use pca_rows::{CovarianceRows, EncodingRows, ErrorRows, MergedErrors, projected};
pub use profile_rows::MergedProfile;
pub use record_rows::Records;
pub use reference_rows::ReferenceRows;
pub use row::RowAccumulator;
pub use score_rows::class_column;
pub use series_rows::SeriesRows;
pub use threshold_rows::ThresholdRows;
pub use timed_rows::TimedRows;
pub use weighted_rows::WeightedClassRows;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, not_impl_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;

/// State of an aggregate: rows go in, states merge in any order, bytes come out.
pub trait Summary: fmt::Debug + Send + Sync + 'static {
    /// The argument columns of one batch, typed and checked.
    type Columns;

    /// Reads the argument columns; an error names the aggregate and the value that it cannot use.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns>;

    /// Adds row `row` of `columns`.
    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()>;

    /// Adds a run of rows; the same as one by one, where a summary knows a faster way.
    fn observe_run(&mut self, columns: &Self::Columns, mut rows: Range<usize>) -> Result<()> {
        rows.try_for_each(|row| self.observe(columns, row))
    }

    /// Adds a state that [`Summary::state`] wrote.
    fn merge_state(&mut self, state: &[u8]) -> Result<()>;

    /// Canonical bytes of the state.
    fn state(&mut self) -> Vec<u8>;

    /// Bytes on the heap, in constant time.
    fn heap_size(&self) -> usize;
}

/// How a summary becomes a result.
pub type Read<S> = Arc<dyn Fn(&mut S) -> Result<ScalarValue> + Send + Sync>;

/// What an aggregate does with its summary, its constant arguments already read.
pub struct Aggregation<S> {
    /// The aggregate and its constant arguments.
    pub arguments: Arguments,
    /// An empty summary.
    pub empty: Arc<dyn Fn() -> S + Send + Sync>,
    /// The result; does not change the summary's content, for window frames ask again and again.
    pub read: Read<S>,
    /// Type of the result.
    pub output: DataType,
}

impl<S> fmt::Debug for Aggregation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aggregation({:?})", self.arguments)
    }
}

impl<S> Clone for Aggregation<S> {
    fn clone(&self) -> Self {
        Self {
            arguments: self.arguments.clone(),
            empty: Arc::clone(&self.empty),
            read: Arc::clone(&self.read),
            output: self.output.clone(),
        }
    }
}

/// The state column of every summary.
pub fn state_fields(args: &StateFieldsArgs) -> Vec<FieldRef> {
    let name = format_state_name(args.name, "summary");
    vec![Arc::new(Field::new(name, DataType::BinaryView, false))]
}

/// DataFusion hands `DISTINCT` to the accumulator and expects it to act; ours would count every row.
pub fn refuse_distinct(function: &str, args: &AccumulatorArgs) -> Result<()> {
    if args.is_distinct {
        return not_impl_err!(
            "{function}: DISTINCT is not supported. Expected the rows themselves. \
             Hint: aggregate over (SELECT DISTINCT ... FROM ...)"
        );
    }
    Ok(())
}
