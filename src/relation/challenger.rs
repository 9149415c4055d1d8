//! Another model on the same rows: what it says of them, and how each metric differs from the champion's.
//!
//! What a row does to a difference follows from the profiles of both models in the whole chunk, so the rows are read once for
//! the profiles and once more for the errors.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::abs;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};

use super::arguments::Call;
use super::class_roles::{ClassScores, score_name};
use super::clusters::{CLUSTER, beside};
use super::problem::Problem;
use super::roles::{Role, Roles, check_score, column, outcome};
use super::session_functions::{aggregate, scalar};
use super::side::Side;
use crate::kernel::regression::LARGEST;

/// Name and meaning of the arguments.
pub const SCORE: (&str, &str) = (
    "challenger_score",
    "Score of another model on the same rows, or a struct of scores by class: each metric of scores has a row \
     <metric>_difference too, challenger less champion, with the error of the paired difference.",
);
pub const PREDICTION: (&str, &str) = (
    "challenger_prediction",
    "Prediction of another model on the same rows: the same for each metric of predictions.",
);

const CHAMPION_PROFILE: &str = "__champion";
const CHALLENGER_PROFILE: &str = "__challenger";
const PAIR: &str = "__pair";
const TOTALS: &str = "__totals";
const SQUARES: &str = "__squares";
const CHALLENGER: [&str; 2] = ["__challenger_prediction", "__challenger_score"];

/// What another model says of the rows of a relation.
#[derive(Debug, Clone, Default)]
pub struct Challenger {
    /// The score; `None` where there is none.
    score: Option<Expr>,
    /// Of several classes, in place of the score.
    by_class: ClassScores,
    /// The prediction.
    prediction: Option<Expr>,
    /// Names of the metrics whose differences are asked for, as a list, and their value matrix.
    pub asked: Option<[Expr; 2]>,
}

/// Which outputs of a challenger a call gives.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outputs {
    score: bool,
    prediction: bool,
}

impl Outputs {
    /// Those that the call names.
    pub fn of(call: &Call) -> Self {
        Self {
            score: call.sql(SCORE.0).is_some(),
            prediction: call.sql(PREDICTION.0).is_some(),
        }
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self.score || self.prediction
    }

    /// Whether they are all that a metric needs.
    pub fn suffice(self, needs_prediction: bool, needs_score: bool) -> bool {
        self.any() && (self.prediction || !needs_prediction) && (self.score || !needs_score)
    }
}

/// How rows of a kind of model are profiled.
struct Functions {
    profile: &'static str,
    influences: &'static str,
}

impl Roles {
    /// With the outputs of a challenger that the call gives. A reference may lack them: the challenger may be newer.
    pub fn with_challenger(
        mut self,
        call: &mut Call,
        side: &Side,
        problem: Problem,
    ) -> Result<Self> {
        let schema = side.schema();
        let given = |call: &mut Call, name| match call.sql(name) {
            Some(_) => Role::new(name, "", side.dataset == "reference").resolve(call, side),
            None => Ok(None),
        };
        let score = given(call, SCORE.0)?;
        let prediction = given(call, PREDICTION.0)?;
        if score.is_none() && prediction.is_none() {
            return Ok(self);
        }
        let mut challenger = Challenger::default();
        match (problem, score) {
            (_, None) => (),
            (Problem::Binary, Some(score)) => {
                check_score(call, SCORE.0, &score, schema)?;
                challenger.score = Some(score);
            }
            (Problem::Multiclass, Some(score)) => {
                let of = ClassScores::of(call, SCORE.0, Some(score), schema)?;
                same_classes(call, &self.by_class.classes, &of.classes)?;
                challenger.by_class = of;
            }
            (Problem::Regression, Some(_)) => {
                return plan_err!(
                    "{}: argument '{}' is of a classifier, and the model is a regression. Expected {}",
                    call.function(),
                    SCORE.0,
                    PREDICTION.0
                );
            }
        }
        if let Some(expr) = prediction {
            let positive = call.constant("positive_label")?;
            let found = outcome(call, PREDICTION.0, expr, schema, problem, positive.as_ref())?;
            challenger.prediction = Some(found);
        }
        self.challenger = Some(challenger);
        Ok(self)
    }
}

fn same_classes(call: &Call, champion: &[String], challenger: &[String]) -> Result<()> {
    if champion == challenger {
        return Ok(());
    }
    plan_err!(
        "{}: argument '{}' has the classes {}, and the score has {}. Expected the same in the same order",
        call.function(),
        SCORE.0,
        challenger.join(", "),
        champion.join(", ")
    )
}

impl Challenger {
    /// What it says of a row, under names inside of plans.
    pub fn inputs(&self) -> Vec<(String, Expr)> {
        let [prediction, score] = CHALLENGER.map(str::to_owned);
        let one = [
            self.prediction.clone().map(|expr| (prediction, expr)),
            self.score.clone().map(|expr| (score, expr)),
        ];
        let by_class = self.by_class.scores.iter().enumerate();
        let by_class = by_class.map(|(i, score)| (challenger_score(i), score.clone()));
        one.into_iter().flatten().chain(by_class).collect()
    }

    /// The profiles of both models on the rows that have the output of both, under names inside of plans.
    ///
    /// `rest`: what the aggregate reads after the outputs of a model.
    pub fn aggregates(
        &self,
        call: &Call,
        roles: &Roles,
        problem: Problem,
        rest: &[Expr],
    ) -> Result<[Expr; 2]> {
        let [champion, challenger] = self.models(roles, problem)?;
        let profile = |says: Vec<Expr>, name: &str| {
            let label = [column("__label")].into_iter();
            let arguments = label.chain(says).chain(rest.iter().cloned()).collect();
            let profile = aggregate(call, functions(problem).profile, arguments)?;
            Ok::<Expr, datafusion::error::DataFusionError>(profile.alias(name))
        };
        Ok([
            profile(champion, CHAMPION_PROFILE)?,
            profile(challenger, CHALLENGER_PROFILE)?,
        ])
    }

    /// What either model says of a row, NULL where the other says nothing: differences are of rows that have both.
    fn models(&self, roles: &Roles, problem: Problem) -> Result<[Vec<Expr>; 2]> {
        let [prediction, score] = CHALLENGER.map(column);
        let nothing = |kind: DataType| ScalarValue::try_from(&kind).map(lit);
        let is_known: fn(Expr) -> Expr = match problem {
            Problem::Regression => |prediction| is_at_most(prediction, LARGEST),
            Problem::Binary | Problem::Multiclass => Expr::is_not_null,
        };
        let mut models = match (&roles.prediction, &self.prediction) {
            (Some(_), Some(_)) => {
                let own = column("__prediction");
                [
                    vec![when(is_known(prediction.clone()), own.clone()).end()?],
                    vec![when(is_known(own), prediction).end()?],
                ]
            }
            _ => {
                let nothing = match problem {
                    Problem::Binary => nothing(DataType::Boolean)?,
                    Problem::Multiclass => nothing(DataType::Utf8View)?,
                    Problem::Regression => nothing(DataType::Float64)?,
                };
                [vec![nothing.clone()], vec![nothing]]
            }
        };
        let scores = match problem {
            Problem::Regression => return Ok(models),
            Problem::Binary => match (&roles.score, &self.score) {
                (Some(_), Some(_)) => {
                    let own = column("__score");
                    [
                        when(is_finite(score.clone()), own.clone()).end()?,
                        when(is_finite(own), score).end()?,
                    ]
                }
                _ => [nothing(DataType::Float64)?, nothing(DataType::Float64)?],
            },
            Problem::Multiclass => {
                let (own, other) = (&roles.by_class, &self.by_class);
                match own.scores.is_empty() || other.scores.is_empty() {
                    true => [lit(ScalarValue::Null), lit(ScalarValue::Null)],
                    false => [
                        when(all_finite(other, challenger_score), own.record()).end()?,
                        when(
                            all_finite(own, score_name),
                            other.record_of(challenger_score),
                        )
                        .end()?,
                    ],
                }
            }
        };
        for (model, score) in models.iter_mut().zip(scores) {
            model.push(score);
        }
        Ok(models)
    }

    /// `chunks` whose `profile` is a pair: the champion's own, and what `rows` tell of the differences; both have the columns of
    /// `keys`. `rest`: what the aggregate of influences reads after the pair and whether rows are independent.
    pub fn told(
        &self,
        call: &Call,
        roles: &Roles,
        problem: Problem,
        (rows, chunks): (LogicalPlan, LogicalPlan),
        keys: &[String],
        (weight, rest): (Expr, Vec<Expr>),
    ) -> Result<LogicalPlan> {
        let by_key = || keys.iter().map(|name| column(name));
        let unknown = lit(ScalarValue::new_null_list(DataType::Float64, true, 1));
        let pair = self.profile(call, vec![unknown])?.alias(PAIR);
        let pairs = LogicalPlanBuilder::from(chunks.clone())
            .project(by_key().chain([pair]).collect::<Vec<_>>())?
            .build()?;
        let rows = beside(rows, pairs, keys, PAIR)?;
        let [champion, challenger] = self.models(roles, problem)?;
        let each_row = lit(roles.clusters.is_none());
        let arguments = [column("__label")]
            .into_iter()
            .chain(champion)
            .chain(challenger);
        let arguments = arguments
            .chain([weight, column(PAIR), each_row])
            .chain(rest);
        let influences = functions(problem).influences;
        let totals = aggregate(call, influences, arguments.collect())?.alias(TOTALS);
        let squares = aggregate(call, "cluster_squares", vec![column(TOTALS)])?.alias(SQUARES);
        let cluster = roles.clusters.as_ref().map(|_| column(CLUSTER));
        let squares = LogicalPlanBuilder::from(rows)
            .aggregate(by_key().chain(cluster), vec![totals])?
            .aggregate(by_key(), vec![squares])?
            .build()?;
        let columns = chunks.schema().columns().into_iter();
        let columns = columns.filter(|column| {
            ![CHAMPION_PROFILE, CHALLENGER_PROFILE].contains(&column.name.as_str())
        });
        let columns: Vec<_> = columns.collect();
        let chunks = beside(chunks, squares, keys, SQUARES)?;
        let told = columns.into_iter().map(|found| match found.name.as_str() {
            "profile" => {
                let known = vec![column(SQUARES), column("profile")];
                Ok(self.profile(call, known)?.alias("profile"))
            }
            _ => Ok(Expr::Column(found)),
        });
        let told: Result<Vec<Expr>> = told.collect();
        LogicalPlanBuilder::from(chunks).project(told?)?.build()
    }

    fn profile(&self, call: &Call, known: Vec<Expr>) -> Result<Expr> {
        let Some(asked) = &self.asked else {
            return plan_err!("{}: no difference is asked for", call.function());
        };
        let models = [CHAMPION_PROFILE, CHALLENGER_PROFILE].map(column);
        let arguments = models.into_iter().chain(asked.iter().cloned()).chain(known);
        scalar(call, "paired_profile", arguments.collect())
    }
}

fn functions(problem: Problem) -> Functions {
    match problem {
        Problem::Binary => Functions {
            profile: "weighted_score_profile",
            influences: "score_difference_influences",
        },
        Problem::Multiclass => Functions {
            profile: "weighted_multiclass_profile",
            influences: "class_difference_influences",
        },
        Problem::Regression => Functions {
            profile: "weighted_regression_profile",
            influences: "regression_difference_influences",
        },
    }
}

/// The column of the challenger's score of the class at a position.
fn challenger_score(position: usize) -> String {
    ["__challenger", &score_name(position)].concat()
}

/// Whether a score is one that profiles use: neither NULL, NaN nor infinite.
fn is_finite(score: Expr) -> Expr {
    is_at_most(score, f64::MAX)
}

fn is_at_most(number: Expr, most: f64) -> Expr {
    // of all numbers NaN is the greatest to DataFusion
    abs(cast(number, DataType::Float64)).lt_eq(lit(most))
}

fn all_finite(scores: &ClassScores, name: fn(usize) -> String) -> Expr {
    let each = (0..scores.scores.len()).map(|i| is_finite(column(&name(i))));
    each.reduce(Expr::and).unwrap_or_else(|| lit(false))
}
