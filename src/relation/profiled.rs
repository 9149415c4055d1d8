//! What is profiled of the rows of a relation: the scores of a model, columns one by one, or how columns go together.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::arguments::Call;
use super::chunked::CHUNK_COLUMNS;
use super::class_roles::score_name;
use super::columns::ProfiledColumn;
use super::custom_metric::CustomMetric;
use super::fit::{FIT, Fit};
use super::roles::{Roles, column};
use super::session_functions::aggregate;

/// What stands between the columns of a chunk and its profile, where columns are profiled.
pub const COLUMN_COLUMNS: [&str; 2] = ["column_name", "column_status"];

/// Bounds of a profile.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most bins.
    pub max_bins: usize,
    /// Bits that are dropped from the start.
    pub min_level: u32,
}

impl Bounds {
    /// Those of a dataset.
    pub fn of(call: &Call, dataset: &str) -> Self {
        let options = call.options();
        Self {
            max_bins: match dataset {
                "reference" => options.reference_max_bins,
                _ => options.max_bins,
            },
            min_level: options.min_level,
        }
    }

    fn arguments(&self) -> [Expr; 2] {
        [lit(self.max_bins as i64), lit(i64::from(self.min_level))]
    }
}

/// What is profiled.
pub enum Profiled {
    /// Score, prediction and label, together in one profile.
    Scores(Box<Roles>),
    /// Scores of several classes, prediction and label, together in one profile.
    Classes(Box<Roles>),
    /// The same under calibrators.
    ClassEstimates(Box<Roles>, Fit),
    /// Prediction and label, both numbers, together in one profile.
    Regression(Box<Roles>),
    /// Columns, each with a profile of its own.
    Columns(Vec<ProfiledColumn>),
    /// Columns together, by the errors that a fit leaves of them.
    Errors(Box<FittedRecord>),
    /// Prediction and label with what is expected of the losses of a row.
    Losses(Box<FittedRecord>),
    /// Nothing: the aggregates of a metric that the call gives are its values.
    Metric(Box<CustomMetric>),
}

/// Columns that go into one struct, and what is fitted to such structs.
pub struct FittedRecord {
    /// The columns, under names of their own.
    pub columns: Vec<(String, Expr)>,
    /// The struct of these names.
    pub record: Expr,
    /// The fit of each `by` group.
    pub fit: Fit,
}

impl Profiled {
    /// What the profiles read of a row, under names of their own; in the order in which it breaks ties.
    pub fn inputs(&self) -> Vec<(String, Expr)> {
        match self {
            Self::Scores(roles) => {
                let unknown = || lit(ScalarValue::Boolean(None));
                let role = |name: &str, expr: &Option<Expr>| {
                    (name.to_string(), expr.clone().unwrap_or_else(unknown))
                };
                vec![
                    role("__score", &roles.score),
                    role("__prediction", &roles.prediction),
                    role("__label", &roles.label),
                ]
            }
            Self::Classes(roles) | Self::ClassEstimates(roles, _) => {
                let unknown = || lit(ScalarValue::Utf8View(None));
                let role = |name: &str, expr: &Option<Expr>| {
                    (name.to_string(), expr.clone().unwrap_or_else(unknown))
                };
                let scores = roles.by_class.scores.iter().enumerate();
                let scores = scores.map(|(i, score)| (score_name(i), score.clone()));
                let rest = [
                    role("__prediction", &roles.prediction),
                    role("__label", &roles.label),
                ];
                scores.chain(rest).collect()
            }
            Self::Regression(roles) => {
                let unknown = || lit(ScalarValue::Float64(None));
                let role = |name: &str, expr: &Option<Expr>| {
                    (name.to_string(), expr.clone().unwrap_or_else(unknown))
                };
                vec![
                    role("__prediction", &roles.prediction),
                    role("__label", &roles.label),
                ]
            }
            Self::Columns(columns) => numbered(columns)
                .filter_map(|(i, column)| Some((format!("__column_{i}"), column.expr.clone()?)))
                .collect(),
            Self::Errors(fitted) | Self::Losses(fitted) => fitted.columns.clone(),
            Self::Metric(metric) => metric.inputs.clone(),
        }
    }

    /// Names of the profiles.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Columns(columns) => numbered(columns)
                .filter(|(_, column)| column.expr.is_some())
                .map(|(i, _)| profile_name(i))
                .collect(),
            Self::Metric(metric) => metric.names(),
            _ => vec!["profile".into()],
        }
    }

    /// The aggregates that make them of the rows of a chunk.
    pub fn aggregates(&self, call: &mut Call, bounds: &Bounds) -> Result<Vec<Expr>> {
        match self {
            Self::Scores(_) => {
                let inputs = ["__label", "__prediction", "__score"].map(column);
                let arguments = inputs.into_iter().chain(bounds.arguments()).collect();
                let profile = aggregate(call, "score_profile", arguments)?;
                Ok(vec![profile.alias("profile")])
            }
            Self::Classes(roles) => {
                let profile =
                    aggregate(call, "multiclass_profile", class_arguments(roles, bounds))?;
                Ok(vec![profile.alias("profile")])
            }
            Self::ClassEstimates(roles, _) => {
                let scores = roles.by_class.record();
                let inputs = [
                    column("__label"),
                    column("__prediction"),
                    scores,
                    column(FIT),
                ];
                let arguments = inputs.into_iter().chain(bounds.arguments()).collect();
                let profile = aggregate(call, "class_estimates", arguments)?;
                Ok(vec![profile.alias("profile")])
            }
            Self::Regression(_) => {
                let inputs = ["__label", "__prediction"].map(column);
                let arguments = inputs.into_iter().chain(bounds.arguments()).collect();
                let profile = aggregate(call, "regression_profile", arguments)?;
                Ok(vec![profile.alias("profile")])
            }
            Self::Columns(columns) => numbered(columns)
                .filter(|(_, column)| column.expr.is_some())
                .map(|(i, profiled)| {
                    let input = [column(&format!("__column_{i}"))];
                    let arguments = input.into_iter().chain(bounds.arguments()).collect();
                    let profile = aggregate(call, profiled.kind.aggregate(), arguments)?;
                    Ok(profile.alias(profile_name(i)))
                })
                .collect(),
            Self::Losses(fitted) => {
                let inputs = [
                    column("__label"),
                    column("__prediction"),
                    fitted.record.clone(),
                ];
                let arguments = inputs.into_iter().chain(bounds.arguments()).collect();
                let profile = aggregate(call, "loss_estimates", arguments)?;
                Ok(vec![profile.alias("profile")])
            }
            Self::Errors(fitted) => {
                let arguments = vec![fitted.record.clone(), column(FIT)];
                let profile = aggregate(call, "reconstruction_profile", arguments)?;
                Ok(vec![profile.alias("profile")])
            }
            Self::Metric(metric) => Ok(metric.aggregates()),
        }
    }

    /// The aggregate that merges such profiles; `None` where only rows can be.
    pub fn merge(&self) -> Option<&'static str> {
        match self {
            Self::Errors(_) => Some("merge_reconstruction_profiles"),
            Self::Metric(_) => None,
            _ => Some("merge_profiles"),
        }
    }

    /// Rows with what the aggregates read beside [`Self::inputs`].
    pub fn fitted(&self, rows: LogicalPlan, by: &[String]) -> Result<LogicalPlan> {
        match self {
            Self::Errors(fitted) | Self::Losses(fitted) => fitted.fit.beside(rows, by),
            Self::ClassEstimates(_, fit) => fit.beside(rows, by),
            _ => Ok(rows),
        }
    }

    /// Of columns, a row for each chunk and column, with [`COLUMN_COLUMNS`] before the profile; of a metric, its value
    /// in place of a profile.
    pub fn unpivot(&self, chunks: LogicalPlan, by: &[String]) -> Result<LogicalPlan> {
        let columns = match self {
            Self::Columns(columns) => columns,
            Self::Metric(metric) => return metric.valued(chunks, by),
            _ => return Ok(chunks),
        };
        let element = |(i, profiled): (usize, &ProfiledColumn)| {
            let profile = match profiled.expr {
                Some(_) => column(&profile_name(i)),
                None => lit(ScalarValue::BinaryView(None)),
            };
            named_struct(vec![
                lit("column_name"),
                lit(profiled.name.as_str()),
                lit("column_status"),
                lit(profiled.status.unwrap_or("ok")),
                lit("profile"),
                profile,
            ])
        };
        let elements = numbered(columns).map(element).collect();
        let names = by.iter().map(String::as_str);
        let kept = names.chain(CHUNK_COLUMNS.into_iter().filter(|name| *name != "profile"));
        let kept: Vec<Expr> = kept.map(column).collect();
        let unnested = LogicalPlanBuilder::from(chunks)
            .project(
                kept.iter()
                    .cloned()
                    .chain([make_array(elements).alias("__profiled")]),
            )?
            .unnest_column("__profiled")?;
        let fields = COLUMN_COLUMNS.into_iter().chain(["profile"]);
        let fields = fields.map(|name| get_field(column("__profiled"), name).alias(name));
        unnested
            .project(kept.iter().cloned().chain(fields))?
            .build()
    }
}

fn numbered(columns: &[ProfiledColumn]) -> impl Iterator<Item = (usize, &ProfiledColumn)> {
    columns.iter().enumerate()
}

/// The arguments of `multiclass_profile` over [`Profiled::inputs`].
pub fn class_arguments(roles: &Roles, bounds: &Bounds) -> Vec<Expr> {
    let classes = &roles.by_class.classes;
    let scores = roles.by_class.record();
    let names: Vec<ScalarValue> = classes
        .iter()
        .map(|class| ScalarValue::from(class.as_str()))
        .collect();
    let names = ScalarValue::List(ScalarValue::new_list_nullable(&names, &DataType::Utf8));
    let arguments = [
        column("__label"),
        column("__prediction"),
        scores,
        lit(names),
    ];
    arguments.into_iter().chain(bounds.arguments()).collect()
}

fn profile_name(position: usize) -> String {
    format!("__profile_{position}")
}
