//! Rows that count unequally, and rows of clusters.
use super::super::simulated::Random;
use super::draws::{Draws, mixed};
use super::model::Model;
use super::rows::{ClassCounts, Row};
use super::{Drawn, LEVEL, WAYS};
use modelwatch::kernel::cluster_squares::ClusterSquares;
use modelwatch::kernel::clustered::{ClusterTotals, ClusteredProfile};
use modelwatch::kernel::weighted_profile::{RealizedModel, WeightedProfile};

/// How rows of a model are drawn.
#[derive(Clone, Copy)]
pub struct Unequal {
    pub model: Model,
    pub weights: Weights,
    /// Rows are independent without.
    pub clusters: Option<Clusters>,
}

/// Lognormal weights.
#[derive(Clone, Copy)]
pub struct Weights {
    /// Standard deviation of their logarithm.
    spread: f64,
    /// Share of its variance that the first number of the row tells: of two classes the log-odds, of several the label, of a
    /// regression mostly the prediction.
    told: f64,
}

/// Clusters of 1 to 20 rows.
#[derive(Clone, Copy)]
pub struct Clusters {
    /// Correlation of the numbers of two rows.
    common: f64,
    /// Correlation of a cluster's size with the first number of its rows.
    size_tells: f64,
}

/// Mean size of a cluster.
const CLUSTER_ROWS: f64 = 4.5;

const ALIKE: Weights = Weights {
    spread: 0.0,
    told: 0.0,
};

/// Weights that vary a little and much, with no regard to the row and with it.
pub fn weights() -> [(&'static str, Weights); WAYS] {
    let of = |spread, told| Weights { spread, told };
    [
        ("weights of spread .5", of(0.5, 0.0)),
        ("weights of spread 1", of(1.0, 0.0)),
        ("weights of spread .7, half told by the row", of(0.7, 0.5)),
        ("weights of spread .7, told by the row", of(0.7, 1.0)),
    ]
}

/// Clusters whose rows have little and much in common, whose size tells what they are like, whose rows count unequally.
pub fn clusters() -> [(&'static str, Clusters, Weights); WAYS] {
    let of = |common, size_tells| Clusters { common, size_tells };
    let weights = Weights {
        spread: 0.5,
        told: 0.25,
    };
    [
        ("correlated by .1", of(0.1, 0.0), ALIKE),
        ("correlated by .4", of(0.4, 0.0), ALIKE),
        ("correlated by .3, large ones differ", of(0.3, 0.5), ALIKE),
        ("correlated by .3, with weights", of(0.3, 0.0), weights),
    ]
}

impl Weights {
    fn draw(&self, draws: &mut Draws) -> f64 {
        if self.spread == 0.0 {
            return 1.0;
        }
        let first = draws.first;
        (self.spread * mixed(first, draws.normal(), self.told)).exp()
    }
}

impl Unequal {
    /// Every metric of about so many rows.
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        let same = Random(random.0);
        let (profile, drawn) = self.profile(rows, random);
        let (realized, level) = match self.clusters {
            None => (RealizedModel::weighted(&profile), LEVEL),
            Some(_) => {
                let chunk = self.clustered(profile, rows, same);
                let clusters = chunk.cluster_count().unwrap();
                (chunk.realized(), clusters.normal_level(LEVEL))
            }
        };
        Drawn {
            metrics: self.model.measures(&realized.unwrap(), level),
            ..drawn
        }
    }

    /// The same without errors.
    pub fn values(&self, rows: usize, random: &mut Random) -> Drawn {
        let (profile, drawn) = self.profile(rows, random);
        let realized = RealizedModel::weighted(&profile).unwrap();
        Drawn {
            metrics: self.model.measures(&realized, LEVEL),
            ..drawn
        }
    }

    fn profile(&self, rows: usize, random: &mut Random) -> (WeightedProfile, Drawn) {
        let mut profile = self.model.profile();
        let (mut counts, mut size) = (ClassCounts::default(), 0.0);
        self.each_row(rows, random, |_, row, weight| {
            row.observe(&mut profile, weight);
            counts.add(row);
            size += weight;
        });
        let drawn = Drawn {
            metrics: vec![],
            rarest: counts.rarest(self.model.classes()),
            size,
        };
        (profile, drawn)
    }

    /// The profile with what its clusters tell: the same rows are drawn again.
    fn clustered(
        &self,
        profile: WeightedProfile,
        rows: usize,
        mut same: Random,
    ) -> ClusteredProfile {
        let chunk = ClusteredProfile::new(profile, self.model.metrics(), self.model.values());
        let influences = chunk.influences().unwrap();
        let (mut sums, mut totals) = (ClusterSquares::default(), ClusterTotals::default());
        let mut numbers = vec![];
        let mut told = |totals: &mut ClusterTotals| {
            numbers.clear();
            numbers.extend(totals.numbers());
            sums.observe(&numbers);
            totals.clear();
        };
        let mut current = 0;
        self.each_row(rows, &mut same, |cluster, row, weight| {
            if cluster != current {
                told(&mut totals);
                current = cluster;
            }
            row.add(&influences, &mut totals, weight);
        });
        told(&mut totals);
        let sums: Vec<f64> = sums.numbers().collect();
        chunk.with_squares(&sums).unwrap()
    }

    /// Rows with the number of their cluster and their weight.
    fn each_row(&self, rows: usize, random: &mut Random, mut visit: impl FnMut(usize, &Row, f64)) {
        let common = self.clusters.map_or(0.0, |clusters| clusters.common);
        let mut draws = Draws::clustered(random, common);
        let count = match self.clusters {
            Some(_) => (rows as f64 / CLUSTER_ROWS).round() as usize,
            None => rows,
        };
        for cluster in 0..count {
            let size = self
                .clusters
                .map_or(1, |it| draws.next_cluster(it.size_tells));
            for _ in 0..size {
                let row = self.model.row(&mut draws);
                let weight = self.weights.draw(&mut draws);
                visit(cluster, &row, weight);
            }
        }
    }
}
