//! Calls of this crate's functions in a plan, as the session has them registered.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::lower;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, SortExpr, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition, cast, expr::WindowFunction, lit,
};

use super::arguments::Call;
use super::roles::column;

/// A call of an aggregate function of the session.
pub fn aggregate(call: &Call, name: &str, args: Vec<Expr>) -> Result<Expr> {
    match call.context.context_provider().get_aggregate_meta(name) {
        Some(function) => Ok(function.call(args)),
        None => {
            plan_err!("{}: function {name} is not registered", call.function())
        }
    }
}

/// A call of a scalar function of the session.
pub fn scalar(call: &Call, name: &str, args: Vec<Expr>) -> Result<Expr> {
    match call.context.context_provider().get_function_meta(name) {
        Some(function) => Ok(function.call(args)),
        None => {
            plan_err!("{}: function {name} is not registered", call.function())
        }
    }
}

/// A call of a window function of the session over each partition.
///
/// The function does not depend on the `order`, but the plan does: where a filter makes the partition's columns
/// constant and the session has one partition, DataFusion 55.2 leaves the two sides of a union apart and then refuses the
/// plan (SanityCheckPlan), its own window functions included. An order by a column that is no constant makes it merge them.
pub fn over_partition(
    call: &Call,
    name: &str,
    args: Vec<Expr>,
    partition: &[&str],
    order: &[&str],
) -> Result<Expr> {
    let Some(function) = call.context.context_provider().get_window_meta(name) else {
        return plan_err!("{}: function {name} is not registered", call.function());
    };
    let window = WindowFunction::new(WindowFunctionDefinition::WindowUDF(function), args);
    over_ordered(window, partition, order)
}

/// A window over all rows of each partition, in a fixed order.
fn over_ordered(window: WindowFunction, partition: &[&str], order: &[&str]) -> Result<Expr> {
    let frame = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::Following(ScalarValue::UInt64(None)),
    );
    let order: Vec<SortExpr> = order
        .iter()
        .map(|name| column(name).sort(true, false))
        .collect();
    Expr::from(window)
        .partition_by(partition.iter().map(|name| column(name)).collect())
        .order_by(order)
        .window_frame(frame)
        .build()
}

/// True on rows of the reference.
pub fn is_reference() -> Expr {
    column("dataset").eq(lit("reference"))
}

/// The same of a relation of the user's, in whichever case that writes it.
pub fn says_reference() -> Expr {
    lower(cast(column("dataset"), DataType::Utf8)).eq(lit("reference"))
}

/// An aggregate over all rows of each partition, in a fixed order so that float sums do not depend on arrival.
pub fn over_all(call: &Call, name: &str, args: Vec<Expr>, partition: &[&str]) -> Result<Expr> {
    let Some(function) = call.context.context_provider().get_aggregate_meta(name) else {
        return plan_err!("{}: function {name} is not registered", call.function());
    };
    let window = WindowFunction::new(WindowFunctionDefinition::AggregateUDF(function), args);
    over_ordered(window, partition, &["dataset", "chunk_index"])
}

/// An aggregate over all rows, for results that do not depend on the `order`; see [`over_partition`].
pub fn over_everything(call: &Call, name: &str, args: Vec<Expr>, order: &[&str]) -> Result<Expr> {
    let Some(function) = call.context.context_provider().get_aggregate_meta(name) else {
        return plan_err!("{}: function {name} is not registered", call.function());
    };
    let window = WindowFunction::new(WindowFunctionDefinition::AggregateUDF(function), args);
    over_ordered(window, &[], order)
}

/// The number of a row in its window; the caller adds partitions and order.
pub fn row_number(call: &Call) -> Result<Expr> {
    let functions = call.context.context_provider();
    match functions.get_window_meta("row_number") {
        Some(function) => Ok(Expr::from(WindowFunction::new(
            WindowFunctionDefinition::WindowUDF(function),
            vec![],
        ))),
        None => plan_err!("{}: function row_number is not registered", call.function()),
    }
}
