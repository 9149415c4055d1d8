//! Functions of one series at a time: rows of a monitoring function go in, grouped by what tells series apart.
use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::arguments::Call;
use super::roles::column;
use super::series_argument::{
    chunk_name, chunk_time, has, instant, is_usable, known, microseconds, number, series_keys,
};
use super::session_functions::{aggregate, says_reference};

/// Arguments of every function of series, to which each adds its own.
pub const SERIES: (&str, &str) = (
    "series",
    "Rows of a monitoring function, or of any relation with a value, one row a chunk in each series.",
);
pub const VALUE: (&str, &str) = ("value", "The value; default: column value.");
pub const TIMESTAMP: (&str, &str) = (
    "timestamp",
    "When the chunk began; default: column chunk_start, or where that is unknown the order of chunk_index.",
);
pub const SAMPLING_ERROR: (&str, &str) = (
    "sampling_error",
    "Standard error of the value; default: column sampling_error, if there. Without, noise is taken from the series.",
);
pub const BY: (&str, &str) = (
    "by",
    "Columns that tell series apart, besides metric and column_name; default: monitor and the by columns of the \
     monitoring function.",
);
pub const ACCEPT_STATUS: (&str, &str) = (
    "accept_status",
    "Statuses that make no gap, besides ok and those of limits and the whole reference, such as 'extrapolated'.",
);

/// A relation of series and what tells them apart.
pub struct SeriesCall {
    input: LogicalPlan,
    group: Vec<(String, Expr)>,
    /// Type of the chunks' times.
    kind: DataType,
    points: Vec<Expr>,
}

impl SeriesCall {
    /// Reads the arguments that every function of series has; `columns` are those of the result after the keys.
    pub fn read(call: &mut Call, columns: &[&str]) -> Result<Self> {
        let function = call.function();
        let Some(input) = call.relation("series")? else {
            return plan_err!(
                "{function}: argument 'series' is missing. Expected rows of a monitoring function. \
                 Hint: {function}((SELECT * FROM estimate_performance(...)))"
            );
        };
        let schema = input.schema().clone();
        let group = series_keys(call, &schema, columns)?;
        let time = chunk_time(call, &schema)?;
        let kind = time.get_type(&schema)?;
        let name = chunk_name(&schema, &time, &kind)?;
        let points = vec![
            microseconds(time, &kind),
            known(&schema, "chunk_index", &DataType::Int64),
            match has(&schema, "dataset") {
                true => says_reference(),
                false => lit(false),
            },
            name,
            number(call, "value", &schema)?,
            number(call, "sampling_error", &schema)?,
            is_usable(call, &schema)?,
        ];
        Ok(Self {
            input,
            group,
            kind,
            points,
        })
    }

    /// What tells series apart.
    pub fn names(&self) -> Vec<String> {
        self.group.iter().map(|(name, _)| name.clone()).collect()
    }

    /// A row a series: its keys, and in column `result` what the aggregate says of its chunks.
    pub fn aggregated(
        &self,
        call: &Call,
        function: &str,
        options: Vec<Expr>,
        result: &str,
    ) -> Result<LogicalPlanBuilder> {
        let arguments = self.points.iter().cloned().chain(options).collect();
        let told = aggregate(call, function, arguments)?.alias(result);
        let group = self.group.iter().cloned();
        let group = group.map(|(name, expr)| expr.alias(name));
        LogicalPlanBuilder::from(self.input.clone()).aggregate(group, vec![told])
    }

    /// A number of microseconds as a time of the type that chunks have.
    pub fn instant_of(&self, microseconds: Expr) -> Expr {
        cast(cast(microseconds, instant(&self.kind)), self.kind.clone())
    }
}

/// Names of the fields that become columns of a result.
pub fn names_of(fields: &'static Fields) -> Vec<&'static str> {
    fields.iter().map(|field| field.name().as_str()).collect()
}

/// A constant argument, or NULL.
pub fn option(call: &mut Call, name: &str) -> Result<Expr> {
    let given = call.constant(name)?;
    Ok(lit(given.unwrap_or(ScalarValue::Null)))
}

/// What a sentence about a series begins with: its metric and its column, as far as it has them.
pub fn subject(names: &[String]) -> Vec<Expr> {
    let of = ["metric", "column_name"].into_iter();
    let of = of.filter(|of| names.iter().any(|name| name == of));
    let of: Vec<Expr> = of.map(column).collect();
    match of.is_empty() {
        true => vec![lit("The value")],
        false => of,
    }
}
