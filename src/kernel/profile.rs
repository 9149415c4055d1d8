//! A profile of any kind, told apart by its first bytes.
use super::category_profile::{self, CategoryProfile};
use super::clustered::{self, ClusteredProfile};
use super::error::KernelError;
use super::multiclass::{self, ClassEstimates, MulticlassProfile};
use super::paired::{self, PairedProfile};
use super::regression::{self, LossEstimates, RegressionProfile};
use super::score_profile::ScoreProfile;
use super::value_profile::{self, ValueProfile};
use super::weighted_profile::WeightedProfile;

/// A profile whose kind its bytes say.
///
/// ```
/// use modelwatch::kernel::profile::Profile;
/// use modelwatch::kernel::value_profile::ValueProfile;
/// let mut numbers = ValueProfile::default();
/// numbers.observe(Some(1.5));
/// let bytes = numbers.to_bytes();
/// let mut read = Profile::from_bytes(&bytes)?;
/// assert_eq!((read.kind(), read.to_bytes()), ("value", bytes));
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug)]
pub enum Profile {
    /// Of scores, by prediction and label.
    Score(ScoreProfile),
    /// Of numbers.
    Value(ValueProfile),
    /// Of categories.
    Category(CategoryProfile),
    /// Of several classes, under calibrators.
    Estimates(Box<ClassEstimates>),
    /// Of several classes.
    Multiclass(Box<MulticlassProfile>),
    /// Of losses that are expected of a regression.
    Losses(Box<LossEstimates>),
    /// Of labels and predictions that are numbers.
    Regression(Box<RegressionProfile>),
    /// Of a model, of rows that count unequally.
    Weighted(Box<WeightedProfile>),
    /// The same with what clusters of rows tell of errors.
    Clustered(Box<ClusteredProfile>),
    /// Of two models on the same rows.
    Paired(Box<PairedProfile>),
}

impl Profile {
    /// Reads the bytes of a profile; those that are no profile at all are refused as a score profile.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        if WeightedProfile::is_one(bytes) {
            return Ok(Self::Weighted(Box::new(WeightedProfile::from_bytes(
                bytes,
            )?)));
        }
        Ok(match bytes.first_chunk() {
            Some(&value_profile::MAGIC) => Self::Value(ValueProfile::from_bytes(bytes)?),
            Some(&category_profile::MAGIC) => Self::Category(CategoryProfile::from_bytes(bytes)?),
            Some(&clustered::MAGIC) => {
                Self::Clustered(Box::new(ClusteredProfile::from_bytes(bytes)?))
            }
            Some(&paired::PROFILE_MAGIC) => {
                Self::Paired(Box::new(PairedProfile::from_bytes(bytes)?))
            }
            Some(&multiclass::ESTIMATES_MAGIC) => {
                Self::Estimates(Box::new(ClassEstimates::from_bytes(bytes)?))
            }
            Some(&multiclass::MAGIC) => {
                Self::Multiclass(Box::new(MulticlassProfile::from_bytes(bytes)?))
            }
            Some(&regression::LOSSES_MAGIC) => {
                Self::Losses(Box::new(LossEstimates::from_bytes(bytes)?))
            }
            Some(&regression::MAGIC) => {
                Self::Regression(Box::new(RegressionProfile::from_bytes(bytes)?))
            }
            _ => Self::Score(ScoreProfile::from_bytes(bytes)?),
        })
    }

    /// What is profiled: `score`, `value`, `category`, `estimates`, `losses`, `multiclass`, `regression`, `clustered`, `paired`,
    /// or a kind of [`WeightedProfile`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Score(_) => "score",
            Self::Value(_) => "value",
            Self::Category(_) => "category",
            Self::Estimates(_) => "estimates",
            Self::Multiclass(_) => "multiclass",
            Self::Losses(_) => "losses",
            Self::Regression(_) => "regression",
            Self::Weighted(profile) => profile.kind(),
            Self::Clustered(_) => "clustered",
            Self::Paired(_) => "paired",
        }
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that are no profile, or one of another kind or another `min_level`.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        let (here, there) = (self.kind(), kind_of(bytes));
        if here != there {
            return Err(KernelError::Undefined(format!(
                "a {here} profile and a {there} profile cannot be merged. Expected profiles of one column. \
                 Hint: GROUP BY column_name"
            )));
        }
        match self {
            Self::Score(profile) => profile.merge_bytes(bytes),
            Self::Value(profile) => profile.merge_bytes(bytes),
            Self::Category(profile) => profile.merge_bytes(bytes),
            Self::Estimates(profile) => profile.merge_bytes(bytes),
            Self::Multiclass(profile) => profile.merge_bytes(bytes),
            Self::Losses(profile) => profile.merge_bytes(bytes),
            Self::Regression(profile) => profile.merge_bytes(bytes),
            Self::Weighted(profile) => profile.merge_bytes(bytes),
            Self::Clustered(_) => Err(KernelError::Undefined(
                "clustered profiles cannot be merged, for a cluster may be in both. Expected rows"
                    .into(),
            )),
            Self::Paired(_) => Err(KernelError::Undefined(
                "paired profiles cannot be merged, for what rows tell of errors follows from the whole chunk. Expected rows"
                    .into(),
            )),
        }
    }

    /// Canonical bytes.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        match self {
            Self::Score(profile) => profile.to_bytes(),
            Self::Value(profile) => profile.to_bytes(),
            Self::Category(profile) => profile.to_bytes(),
            Self::Estimates(profile) => profile.to_bytes(),
            Self::Multiclass(profile) => profile.to_bytes(),
            Self::Losses(profile) => profile.to_bytes(),
            Self::Regression(profile) => profile.to_bytes(),
            Self::Weighted(profile) => profile.to_bytes(),
            Self::Clustered(profile) => profile.to_bytes(),
            Self::Paired(profile) => profile.to_bytes(),
        }
    }

    /// Bytes on the heap; constant time.
    pub fn heap_size(&self) -> usize {
        match self {
            Self::Score(profile) => profile.heap_size(),
            Self::Value(profile) => profile.heap_size(),
            Self::Category(profile) => profile.heap_size(),
            Self::Estimates(profile) => profile.heap_size(),
            Self::Multiclass(profile) => profile.heap_size(),
            Self::Losses(profile) => profile.heap_size(),
            Self::Regression(profile) => profile.heap_size(),
            Self::Weighted(profile) => profile.heap_size(),
            Self::Clustered(profile) => profile.heap_size(),
            Self::Paired(profile) => profile.heap_size(),
        }
    }
}

fn kind_of(bytes: &[u8]) -> &'static str {
    if let Some(kind) = WeightedProfile::kind_of(bytes) {
        return kind;
    }
    match bytes.first_chunk() {
        Some(&value_profile::MAGIC) => "value",
        Some(&category_profile::MAGIC) => "category",
        Some(&clustered::MAGIC) => "clustered",
        Some(&paired::PROFILE_MAGIC) => "paired",
        Some(&multiclass::ESTIMATES_MAGIC) => "estimates",
        Some(&multiclass::MAGIC) => "multiclass",
        Some(&regression::LOSSES_MAGIC) => "losses",
        Some(&regression::MAGIC) => "regression",
        _ => "score",
    }
}
