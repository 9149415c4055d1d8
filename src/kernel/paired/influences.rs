//! What rows do to the differences of two models' metrics.
use super::super::cluster_squares::Told;
use super::super::clustered::ClusterTotals;
use super::super::error::KernelError;
use super::super::interval::FEW;
use super::super::row_influences::RowInfluences;
use super::profile::PairedProfile;

/// What rows do to the differences of two models' metrics.
#[derive(Debug)]
pub struct PairedInfluences {
    models: [RowInfluences; 2],
    pub(super) units: Vec<Unit>,
}

/// How influences of either model on a reading become one number of the size of 1.
#[derive(Debug)]
pub(super) struct Unit {
    pub name: String,
    factors: [f64; 2],
    /// What the number is to be multiplied by.
    scale: f64,
}

/// Variance of a difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variance {
    pub value: f64,
    pub is_few: bool,
}

impl PairedInfluences {
    pub(super) fn new(models: [RowInfluences; 2]) -> Result<Self, KernelError> {
        let [a, b] = &models;
        if !names(a).eq(names(b)) {
            return Err(KernelError::Undefined(
                "the two models have different classes. Expected the same".into(),
            ));
        }
        let unit = |(position, name)| {
            let units = [a, b].map(|of| of.unit(position).unwrap_or(0.0));
            let largest = units.into_iter().map(f64::abs).fold(0.0, f64::max);
            let scale = if largest > 0.0 { largest } else { 1.0 };
            Unit {
                name,
                factors: units.map(|unit| unit / scale),
                scale,
            }
        };
        let units = names(a).map(str::to_owned).enumerate().map(unit).collect();
        Ok(Self { models, units })
    }

    /// Of a paired profile, given as bytes.
    ///
    /// Errors: any other bytes, and those of [`PairedProfile::influences`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        PairedProfile::from_bytes(bytes)?.influences()
    }

    /// What rows do to the metrics of champion and challenger.
    pub fn models(&self) -> &[RowInfluences; 2] {
        &self.models
    }

    /// The difference of the totals of the same rows, into `differences`; none of rows that no model used.
    pub fn difference(&self, [a, b]: [&ClusterTotals; 2], differences: &mut Vec<f64>) {
        differences.clear();
        let totals = self.units.iter().zip(a.numbers().zip(b.numbers()));
        differences.extend(totals.map(|(unit, (a, b))| {
            let [of_a, of_b] = unit.factors;
            of_b * b - of_a * a
        }));
    }

    /// `None` where only one row or cluster tells.
    pub(super) fn variance(&self, told: Told, position: usize) -> Option<Variance> {
        let unit = self.units.get(position)?;
        let (square, fourth) = (told.squares.get(position)?, told.fourths.get(position)?);
        let equal = Told::equal_clusters(*square, *fourth);
        (told.clusters > 1.0).then(|| Variance {
            value: told.made_up() * unit.scale * unit.scale * square,
            is_few: equal.is_some_and(|equal| equal < FEW) || told.clusters < FEW,
        })
    }
}

fn names(of: &RowInfluences) -> impl Iterator<Item = &str> {
    of.scales().iter().map(|(name, _)| name.as_str())
}
