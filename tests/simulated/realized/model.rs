//! A population of rows of any kind with the model that reads them.
use super::super::simulated::Random;
use super::binary::{self, Scores};
use super::classes::{self, Classes};
use super::draws::Draws;
use super::regressions::{self, Regression};
use super::rows::{Row, Rows};
use super::{Drawn, Measure};
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::multiclass::{MulticlassMetric, WeightedClasses};
use modelwatch::kernel::regression::RegressionMetric;
use modelwatch::kernel::weighted_profile::{RealizedModel, WeightedProfile};
use modelwatch::kernel::weighted_scores::WeightedScores;

/// Bins for every score of a chunk; those of the sample that stands for the population are so fine that its values are off by a
/// thousandth of a chunk's error.
pub const LIMITS: DigestLimits = DigestLimits {
    max_bins: 1 << 15,
    min_level: 0,
};

#[derive(Clone, Copy)]
pub enum Model {
    Binary(Scores),
    Classes(Classes),
    Regression(Regression),
}

impl Model {
    /// All of them with their names.
    pub fn grid() -> Vec<(&'static str, Self)> {
        let binary = binary::grid().map(|(name, it)| (name, Self::Binary(it)));
        let regression = regressions::grid().map(|(name, it)| (name, Self::Regression(it)));
        let classes = classes::grid().map(|(name, it)| (name, Self::Classes(it)));
        let two = binary.into_iter().chain(regression);
        two.chain(classes).collect()
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Binary(_) => "binary",
            Self::Classes(_) => "multiclass",
            Self::Regression(_) => "regression",
        }
    }

    /// Every metric of a chunk of that many rows, which are independent and count alike.
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        match self {
            Self::Binary(it) => it.draw(rows, random),
            Self::Classes(it) => it.draw(rows, random),
            Self::Regression(it) => it.draw(rows, random),
        }
    }

    pub fn row(&self, draws: &mut Draws) -> Row {
        match self {
            Self::Binary(it) => it.row(draws),
            Self::Classes(it) => it.row(draws),
            Self::Regression(it) => it.row(draws),
        }
    }

    /// A row as this model and a challenger read it, each with noise of its own; a challenger that `exaggerates` tells no
    /// probabilities.
    pub fn pair(&self, noises: [f64; 2], exaggerates: f64, draws: &mut Draws) -> [Row; 2] {
        match self {
            Self::Binary(it) => it.pair(&it.exaggerated(exaggerates), noises, draws),
            Self::Classes(it) => it.pair(&it.exaggerated(exaggerates), noises, draws),
            Self::Regression(it) => it.pair(it, noises, draws),
        }
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        match self {
            Self::Binary(_) => 2,
            Self::Classes(it) => it.side(),
            Self::Regression(_) => 0,
        }
    }

    /// An empty profile of weighted rows.
    pub fn profile(&self) -> WeightedProfile {
        match self {
            Self::Binary(_) => WeightedProfile::Scores(Box::new(WeightedScores::new(LIMITS))),
            Self::Classes(it) => {
                WeightedProfile::Classes(WeightedClasses::new(it.names(), LIMITS).unwrap())
            }
            Self::Regression(_) => WeightedProfile::Regression(Box::default()),
        }
    }

    /// Names of all metrics.
    pub fn metrics(&self) -> Vec<String> {
        let names: Vec<&str> = match self {
            Self::Binary(_) => Metric::ALL.map(Metric::name).to_vec(),
            Self::Classes(_) => MulticlassMetric::all()
                .map(MulticlassMetric::name)
                .collect(),
            Self::Regression(_) => RegressionMetric::ALL.map(RegressionMetric::name).to_vec(),
        };
        names.into_iter().map(str::to_owned).collect()
    }

    /// Worth of a row by its outcome.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Self::Binary(_) => binary::VALUES.to_vec(),
            Self::Classes(it) => it.values(),
            Self::Regression(_) => vec![],
        }
    }

    /// Whether a metric grows with the rows.
    pub fn is_total(&self, metric: &str) -> bool {
        match self {
            Self::Binary(_) => Metric::parse(metric).is_some_and(Metric::is_total),
            Self::Classes(_) => MulticlassMetric::parse(metric).is_some_and(classes::is_total),
            Self::Regression(_) => false,
        }
    }

    /// All metrics of a chunk, with intervals of this level.
    pub fn measures(&self, realized: &RealizedModel, level: f64) -> Vec<Measure> {
        match (self, realized) {
            (Self::Binary(_), RealizedModel::Scores(chunk)) => binary::measures(chunk, level),
            (Self::Classes(it), RealizedModel::Classes(chunk)) => it.measures(chunk, level),
            (Self::Regression(_), RealizedModel::Regression(chunk)) => {
                regressions::measures(chunk, level)
            }
            _ => unreachable!("a chunk of another kind"),
        }
    }
}
