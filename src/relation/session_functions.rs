//! Calls of this crate's functions in a plan, as the session has them registered.
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, SortExpr, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition, expr::WindowFunction, lit,
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

/// True on rows of the reference.
pub fn is_reference() -> Expr {
    column("dataset").eq(lit("reference"))
}

/// An aggregate over all rows of each partition, in a fixed order so that float sums do not depend on arrival.
pub fn over_all(call: &Call, name: &str, args: Vec<Expr>, partition: &[&str]) -> Result<Expr> {
    let Some(function) = call.context.context_provider().get_aggregate_meta(name) else {
        return plan_err!("{}: function {name} is not registered", call.function());
    };
    let order: Vec<SortExpr> = ["dataset", "chunk_index"]
        .map(|c| column(c).sort(true, false))
        .into();
    let frame = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::Following(ScalarValue::UInt64(None)),
    );
    Expr::from(WindowFunction::new(
        WindowFunctionDefinition::AggregateUDF(function),
        args,
    ))
    .partition_by(partition.iter().map(|name| column(name)).collect())
    .order_by(order)
    .window_frame(frame)
    .build()
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
