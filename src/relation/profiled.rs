//! What is profiled of the rows of a relation: the scores of a model, columns one by one, or how columns go together.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::arguments::Call;
use super::challenger::Challenger;
use super::chunked::CHUNK_COLUMNS;
use super::class_roles::score_name;
use super::clusters::{CLUSTER, Influences};
use super::columns::ProfiledColumn;
use super::custom_metric::CustomMetric;
use super::fit::{FIT, Fit};
use super::problem::Problem;
use super::roles::{Roles, column};
use super::session_functions::aggregate;

const WEIGHT: &str = "__weight";

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

    /// The arguments of an aggregate that ends with bounds.
    fn after(&self, inputs: impl IntoIterator<Item = Expr>) -> Vec<Expr> {
        let bounds = [lit(self.max_bins as i64), lit(i64::from(self.min_level))];
        inputs.into_iter().chain(bounds).collect()
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
                let unknown = ScalarValue::Boolean(None);
                let score = roles.score.clone().unwrap_or_else(|| lit(unknown.clone()));
                let score = [("__score".to_string(), score)];
                let scores = score.into_iter().chain(outcome(roles, &unknown));
                scores.chain(further(roles)).collect()
            }
            Self::Classes(roles) | Self::ClassEstimates(roles, _) => {
                let scores = roles.by_class.scores.iter().enumerate();
                let scores = scores.map(|(i, score)| (score_name(i), score.clone()));
                let outcome = outcome(roles, &ScalarValue::Utf8View(None));
                scores.chain(outcome).chain(further(roles)).collect()
            }
            Self::Regression(roles) => {
                let outcome = outcome(roles, &ScalarValue::Float64(None)).into_iter();
                outcome.chain(further(roles)).collect()
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
        let outcome_and = |rest: Vec<Expr>| {
            let outcome = ["__label", "__prediction"].map(column).into_iter();
            bounds.after(outcome.chain(rest))
        };
        let (function, arguments) = match self {
            Self::Scores(roles) => match roles.weight {
                Some(_) => (
                    "weighted_score_profile",
                    outcome_and(vec![column("__score"), column(WEIGHT)]),
                ),
                None => ("score_profile", outcome_and(vec![column("__score")])),
            },
            Self::Classes(roles) => match roles.weight {
                Some(_) => (
                    "weighted_multiclass_profile",
                    class_arguments(roles, bounds),
                ),
                None => ("multiclass_profile", class_arguments(roles, bounds)),
            },
            Self::ClassEstimates(roles, _) => {
                let scores = roles.by_class.record();
                ("class_estimates", outcome_and(vec![scores, column(FIT)]))
            }
            Self::Regression(roles) => match roles.weight {
                Some(_) => (
                    "weighted_regression_profile",
                    outcome_and(vec![column(WEIGHT)]),
                ),
                None => ("regression_profile", outcome_and(vec![])),
            },
            Self::Losses(fitted) => ("loss_estimates", outcome_and(vec![fitted.record.clone()])),
            Self::Errors(fitted) => (
                "reconstruction_profile",
                vec![fitted.record.clone(), column(FIT)],
            ),
            Self::Columns(columns) => {
                let profile = |(i, profiled): (usize, &ProfiledColumn)| {
                    let arguments = bounds.after([column(&format!("__column_{i}"))]);
                    let profile = aggregate(call, profiled.kind.aggregate(), arguments)?;
                    Ok(profile.alias(profile_name(i)))
                };
                let known = numbered(columns).filter(|(_, column)| column.expr.is_some());
                return known.map(profile).collect();
            }
            Self::Metric(metric) => return Ok(metric.aggregates()),
        };
        let profile = aggregate(call, function, arguments)?.alias("profile");
        let mut profiles = vec![profile];
        if let Some((problem, roles, challenger)) = self.challenged() {
            let classes = class_names_of(problem, roles);
            let rest = bounds.after([weight_of(roles)].into_iter().chain(classes));
            profiles.extend(challenger.aggregates(call, roles, problem, &rest)?);
        }
        Ok(profiles)
    }

    /// The model whose output is profiled with its labels.
    fn model(&self) -> Option<(Problem, &Roles)> {
        match self {
            Self::Scores(roles) => Some((Problem::Binary, roles)),
            Self::Classes(roles) => Some((Problem::Multiclass, roles)),
            Self::Regression(roles) => Some((Problem::Regression, roles)),
            _ => None,
        }
    }

    /// The same where another model is compared with it.
    fn challenged(&self) -> Option<(Problem, &Roles, &Challenger)> {
        let (problem, roles) = self.model()?;
        Some((problem, roles, roles.challenger.as_ref()?))
    }

    /// The aggregate that merges such profiles; `None` where only rows can be.
    pub fn merge(&self) -> Option<&'static str> {
        match self {
            Self::Errors(_) => Some("merge_reconstruction_profiles"),
            Self::Metric(_) => None,
            // a cluster may have rows in several chunks, and a difference is of the whole chunk
            _ if self.is_read_twice() => None,
            _ => Some("merge_profiles"),
        }
    }

    fn is_read_twice(&self) -> bool {
        let model = self.model();
        model.is_some_and(|(_, roles)| roles.clusters.is_some() || roles.challenger.is_some())
    }

    /// Profiles of chunks with what their rows tell of errors where they are read twice: by cluster, and of a challenger.
    pub fn told_by_rows(
        &self,
        call: &Call,
        rows: &LogicalPlan,
        chunks: LogicalPlan,
        keys: &[String],
    ) -> Result<LogicalPlan> {
        let chunks = self.clustered(call, rows, chunks, keys)?;
        let Some((problem, roles, challenger)) = self.challenged() else {
            return Ok(chunks);
        };
        let rest = class_names_of(problem, roles).into_iter().collect();
        let weight = (weight_of(roles), rest);
        challenger.told(call, roles, problem, (rows.clone(), chunks), keys, weight)
    }

    fn clustered(
        &self,
        call: &Call,
        rows: &LogicalPlan,
        chunks: LogicalPlan,
        keys: &[String],
    ) -> Result<LogicalPlan> {
        let clusters = self.model().and_then(|(_, roles)| roles.clusters.as_ref());
        let Some(clusters) = clusters else {
            return Ok(chunks);
        };
        let mut columns = vec![column("__label"), column("__prediction")];
        let (function, scores, constants) = match self {
            Self::Classes(roles) => (
                "class_influences",
                Some(roles.by_class.record()),
                vec![class_names(roles)],
            ),
            Self::Scores(_) => ("score_influences", Some(column("__score")), vec![]),
            _ => ("regression_influences", None, vec![]),
        };
        columns.extend(scores.into_iter().chain([column(WEIGHT)]));
        let influences = Influences {
            function,
            columns,
            constants,
        };
        clusters.told(call, rows.clone(), chunks, keys, influences)
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

/// Prediction and label under names of their own, `unknown` where the relation has none.
pub fn outcome(roles: &Roles, unknown: &ScalarValue) -> [(String, Expr); 2] {
    let role = |expr: &Option<Expr>| expr.clone().unwrap_or_else(|| lit(unknown.clone()));
    [
        ("__prediction".into(), role(&roles.prediction)),
        ("__label".into(), role(&roles.label)),
    ]
}

/// The arguments of `multiclass_profile`, or of the weighted one, over [`Profiled::inputs`].
pub fn class_arguments(roles: &Roles, bounds: &Bounds) -> Vec<Expr> {
    let scores = roles.by_class.record();
    let inputs = [column("__label"), column("__prediction"), scores].into_iter();
    let weight = roles.weight.as_ref().map(|_| column(WEIGHT));
    bounds.after(inputs.chain(weight).chain([class_names(roles)]))
}

/// Names of the classes as a list.
fn class_names(roles: &Roles) -> Expr {
    let names = roles.by_class.classes.iter();
    let names: Vec<ScalarValue> = names.map(|name| ScalarValue::from(name.as_str())).collect();
    let list = ScalarValue::new_list_nullable(&names, &DataType::Utf8);
    lit(ScalarValue::List(list))
}

/// Names of the classes where the aggregates of a model read them.
fn class_names_of(problem: Problem, roles: &Roles) -> Option<Expr> {
    (problem == Problem::Multiclass).then(|| class_names(roles))
}

/// What a row counts.
fn weight_of(roles: &Roles) -> Expr {
    match roles.weight {
        Some(_) => column(WEIGHT),
        None => lit(1.0),
    }
}

/// The weight, the cluster and what a challenger says, under their names inside of plans.
fn further(roles: &Roles) -> impl Iterator<Item = (String, Expr)> {
    let weight = roles.weight.clone().map(|weight| (WEIGHT.into(), weight));
    let clusters = roles.clusters.as_ref();
    let cluster = clusters.map(|clusters| (CLUSTER.into(), clusters.cluster.clone()));
    let challenger = roles.challenger.iter().flat_map(Challenger::inputs);
    weight.into_iter().chain(cluster).chain(challenger)
}

fn profile_name(position: usize) -> String {
    format!("__profile_{position}")
}
