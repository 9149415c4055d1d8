//! Errors where rows are not independent: rows of one cluster are added up before they are squared.
//!
//! The variance of a value whose influences are `z` is `C / (C - 1) sum_c (sum_{i in c} w_i z_i)^2` over clusters `c`
//! (linearization; Liang and Zeger 1986, Biometrika 73, 13-22), whatever rows of a cluster have to do with each other.
use std::collections::BTreeMap;

use super::cluster_count::ClusterCount;
use super::cluster_squares::Told;
use super::codec::{Reader, Writer};
use super::error::KernelError;
use super::row_influences::RowInfluences;
use super::weighted_profile::{RealizedModel, WeightedProfile};

/// First bytes of a clustered profile.
pub const MAGIC: [u8; 4] = *b"MWCL";
const LAYOUT: u8 = 1;

/// Variances of readings by their names.
pub(super) type Variances = BTreeMap<String, f64>;

/// The name of a reading: the metric, and the class or cell where it has several readings.
pub(super) fn reading_name(metric: &str, column_name: Option<&str>) -> String {
    match column_name {
        Some(column) => [metric, column].join("\u{0}"),
        None => metric.to_owned(),
    }
}

/// A weighted profile, metrics that are asked of it, and their variances that its clusters tell.
#[derive(Debug)]
pub struct ClusteredProfile {
    profile: WeightedProfile,
    metrics: Vec<String>,
    /// Of outcomes, for business values.
    values: Vec<f64>,
    clusters: u64,
    /// Nothing before the clusters are known.
    variances: Variances,
}

impl ClusteredProfile {
    /// A profile with metrics by their names, whose clusters are not known yet.
    pub fn new(profile: WeightedProfile, metrics: Vec<String>, values: Vec<f64>) -> Self {
        Self {
            profile,
            metrics,
            values,
            clusters: 0,
            variances: Variances::new(),
        }
    }

    /// What rows do to the metrics.
    ///
    /// Errors: those of [`RowInfluences::new`].
    pub fn influences(&self) -> Result<RowInfluences, KernelError> {
        RowInfluences::new(&self.profile, &self.metrics, &self.values)
    }

    /// With sums over clusters in the order of [`Self::influences`], as [`super::cluster_squares::ClusterSquares::numbers`] has
    /// them.
    ///
    /// Errors: those of [`RowInfluences::new`], and as many sums as there are no readings.
    pub fn with_squares(self, sums: &[f64]) -> Result<Self, KernelError> {
        let influences = self.influences()?;
        let scales = influences.scales();
        let told = Told::read(sums, scales.len())?;
        let variance = |((name, scale), square): (&(String, f64), &f64)| {
            (name.clone(), told.made_up() * scale * scale * square)
        };
        let variances = scales.iter().zip(told.squares).map(variance).collect();
        Ok(Self {
            clusters: told.clusters as u64,
            variances,
            ..self
        })
    }

    /// The realized metrics of the chunk.
    ///
    /// Errors: weights whose squares cannot be summed.
    pub fn realized(&self) -> Result<RealizedModel, KernelError> {
        let clusters = Clusters(self.variances.clone());
        Ok(match RealizedModel::weighted(&self.profile)? {
            RealizedModel::Scores(chunk) => RealizedModel::Scores(chunk.with_clusters(&clusters)),
            RealizedModel::Classes(chunk) => RealizedModel::Classes(chunk.with_clusters(&clusters)),
            RealizedModel::Regression(chunk) => {
                RealizedModel::Regression(Box::new(chunk.with_clusters(&clusters)))
            }
        })
    }

    /// How many clusters tell the errors; `None` where they are not known, and rows tell them.
    pub fn cluster_count(&self) -> Option<ClusterCount> {
        (!self.variances.is_empty()).then(|| ClusterCount::new(self.clusters))
    }

    /// The profile of the rows.
    pub fn profile(&self) -> &WeightedProfile {
        &self.profile
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.profile.heap_size()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(self.metrics.len() as u64);
        self.metrics
            .iter()
            .for_each(|name| w.bytes(name.as_bytes()));
        w.uint(self.values.len() as u64);
        self.values.iter().for_each(|value| w.float(*value));
        w.uint(self.clusters);
        w.uint(self.variances.len() as u64);
        for (name, variance) in &self.variances {
            w.bytes(name.as_bytes());
            w.float(*variance);
        }
        w.bytes(&self.profile.to_bytes());
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "clustered profile")?;
        let name = |r: &mut Reader| Ok(String::from_utf8_lossy(r.bytes()?).into_owned());
        let metrics: Result<Vec<String>, KernelError> =
            (0..r.length(1)?).map(|_| name(&mut r)).collect();
        let metrics = metrics?;
        let values: Result<Vec<f64>, KernelError> = (0..r.length(8)?).map(|_| r.float()).collect();
        let values = values?;
        let clusters = r.uint()?;
        let mut variances = Variances::new();
        for _ in 0..r.length(9)? {
            let name = name(&mut r)?;
            let variance = r.float()?;
            if !(variance >= 0.0 && variance.is_finite()) {
                return Err(KernelError::Unreadable("a variance that is none".into()));
            }
            variances.insert(name, variance);
        }
        let profile = WeightedProfile::from_bytes(r.bytes()?)?;
        r.finish()?;
        Ok(Self {
            profile,
            metrics,
            values,
            clusters,
            variances,
        })
    }
}

/// Variances of a chunk whose rows are not independent.
#[derive(Debug, Clone, Default)]
pub(super) struct Clusters(Variances);

impl Clusters {
    /// Those of one class, by metrics of two classes.
    pub fn of_class(&self, class: &str) -> Self {
        let own = |(name, variance): (&String, &f64)| {
            let metric = name.strip_suffix(class)?.strip_suffix("_per_class\u{0}")?;
            Some((metric.to_owned(), *variance))
        };
        Self(self.0.iter().filter_map(own).collect())
    }

    /// The variance of a reading, in squares of its value's unit.
    pub fn variance(&self, metric: &str, column_name: Option<&str>) -> Option<f64> {
        self.0.get(&reading_name(metric, column_name)).copied()
    }
}

/// Totals of influences over the rows of a cluster, in units of 2^-40: exact, whatever the order of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterTotals(Vec<i128>);

const UNIT: f64 = (1u64 << 40) as f64;
const TOTALS_MAGIC: [u8; 4] = *b"MWCT";

impl ClusterTotals {
    /// Adds a number to the total at `position`.
    #[inline]
    pub(super) fn add(&mut self, position: usize, number: f64) {
        if self.0.len() <= position {
            self.0.resize(position + 1, 0);
        }
        if let Some(total) = self.0.get_mut(position) {
            // a float beyond all integers becomes the last one
            *total = total.saturating_add((number * UNIT).round() as i128);
        }
    }

    /// Adds a number to each total.
    pub fn add_all(&mut self, numbers: &[f64]) {
        let numbers = numbers.iter().enumerate();
        numbers.for_each(|(position, number)| self.add(position, *number));
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The totals.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        self.0.iter().map(|total| *total as f64 / UNIT)
    }

    /// Adds the totals of other rows.
    pub fn merge(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        for (total, more) in self.0.iter_mut().zip(&other.0) {
            *total = total.saturating_add(*more);
        }
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.0.capacity() * size_of::<i128>()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(TOTALS_MAGIC, LAYOUT);
        w.uint(self.0.len() as u64);
        let totals = self.0.iter();
        totals.for_each(|total| super::exact_sum::write_wide(&mut w, *total));
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, TOTALS_MAGIC, LAYOUT, "totals of a cluster")?;
        let length = r.length(1)?;
        let totals: Result<Vec<i128>, KernelError> = (0..length)
            .map(|_| super::exact_sum::read_wide(&mut r))
            .collect();
        let totals = totals?;
        r.finish()?;
        Ok(Self(totals))
    }
}
