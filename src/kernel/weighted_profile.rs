//! A profile of rows that count unequally, of any kind of model.
use super::error::KernelError;
use super::multiclass::{self, RealizedClasses, WeightedClasses};
use super::realized::Realized;
use super::regression::{self, RealizedRegression, WeightedRegression};
use super::weighted_scores::{self, WeightedScores};

/// A weighted profile whose kind its bytes say.
///
/// ```
/// use modelwatch::kernel::weighted_profile::WeightedProfile;
/// use modelwatch::kernel::weighted_scores::WeightedScores;
/// let bytes = WeightedScores::default().to_bytes();
/// assert!(WeightedProfile::is_one(&bytes));
/// assert_eq!(WeightedProfile::from_bytes(&bytes)?.kind(), "weighted_score");
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug)]
pub enum WeightedProfile {
    /// Of scores, by prediction and label.
    Scores(Box<WeightedScores>),
    /// Of several classes.
    Classes(WeightedClasses),
    /// Of labels and predictions that are numbers.
    Regression(Box<WeightedRegression>),
}

const SCORES: &str = "weighted_score";
const CLASSES: &str = "weighted_multiclass";
const REGRESSION: &str = "weighted_regression";

impl WeightedProfile {
    /// Whether bytes begin as a weighted profile does.
    pub fn is_one(bytes: &[u8]) -> bool {
        Self::kind_of(bytes).is_some()
    }

    /// The kind that bytes say.
    pub fn kind_of(bytes: &[u8]) -> Option<&'static str> {
        match bytes.first_chunk() {
            Some(&weighted_scores::MAGIC) => Some(SCORES),
            Some(&multiclass::WEIGHTED_MAGIC) => Some(CLASSES),
            Some(&regression::WEIGHTED_MAGIC) => Some(REGRESSION),
            _ => None,
        }
    }

    /// Reads the bytes of a weighted profile.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        Ok(match Self::kind_of(bytes) {
            Some(CLASSES) => Self::Classes(WeightedClasses::from_bytes(bytes)?),
            Some(REGRESSION) => Self::Regression(Box::new(WeightedRegression::from_bytes(bytes)?)),
            _ => Self::Scores(Box::new(WeightedScores::from_bytes(bytes)?)),
        })
    }

    /// What is profiled: `weighted_score`, `weighted_multiclass` or `weighted_regression`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scores(_) => SCORES,
            Self::Classes(_) => CLASSES,
            Self::Regression(_) => REGRESSION,
        }
    }

    /// Adds the rows of a profile of the same kind, given as bytes.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        match self {
            Self::Scores(profile) => profile.merge(&WeightedScores::from_bytes(bytes)?),
            Self::Classes(profile) => profile.merge(&WeightedClasses::from_bytes(bytes)?),
            Self::Regression(profile) => profile.merge(&WeightedRegression::from_bytes(bytes)?),
        }
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Scores(profile) => profile.to_bytes(),
            Self::Classes(profile) => profile.to_bytes(),
            Self::Regression(profile) => profile.to_bytes(),
        }
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        match self {
            Self::Scores(profile) => profile.heap_size(),
            Self::Classes(profile) => profile.heap_size(),
            Self::Regression(profile) => profile.heap_size(),
        }
    }

    /// Rows with a label, and those left out for a number that is NaN, infinite or too large.
    pub fn row_counts(&self) -> [u64; 2] {
        match self {
            Self::Scores(profile) => [profile.labelled_rows(), profile.not_finite()],
            Self::Classes(profile) => [profile.labelled_rows(), profile.invalid],
            Self::Regression(profile) => [profile.labelled_rows(), profile.counts.invalid],
        }
    }

    /// Low bits that a score or error has lost at most.
    pub fn level(&self) -> u8 {
        match self {
            Self::Scores(profile) => profile.level(),
            Self::Classes(profile) => {
                let levels = profile.scores.iter().map(WeightedScores::level);
                levels.max().unwrap_or(0)
            }
            Self::Regression(profile) => profile.level(),
        }
    }
}

/// The realized metrics of a chunk of any kind of model.
#[derive(Debug)]
pub enum RealizedModel {
    /// Of two classes.
    Scores(Realized),
    /// Of several.
    Classes(RealizedClasses),
    /// Of a number.
    Regression(Box<RealizedRegression>),
}

impl RealizedModel {
    /// Of weighted rows.
    ///
    /// Errors: weights whose squares cannot be summed.
    pub fn weighted(profile: &WeightedProfile) -> Result<Self, KernelError> {
        Ok(match profile {
            WeightedProfile::Scores(profile) => Self::Scores(Realized::weighted(profile)?),
            WeightedProfile::Classes(profile) => Self::Classes(RealizedClasses::weighted(profile)?),
            WeightedProfile::Regression(profile) => {
                Self::Regression(Box::new(RealizedRegression::weighted(profile)?))
            }
        })
    }
}
