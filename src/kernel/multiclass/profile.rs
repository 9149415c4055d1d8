//! The multiclass profile: everything that realized metrics of a classifier of several classes need of a chunk.
use super::super::KernelError;
use super::super::digest::DigestLimits;
use super::super::key::LARGEST_SCORE;
use super::super::key_table::RowCount;
use super::super::score_profile::{ScoreProfile, class_of};
use super::joint::{Joint, MOST_PAIRED, range_of};

/// First bytes of a multiclass profile.
pub const MAGIC: [u8; 4] = *b"MWMC";
/// Most classes; the matrix grows with their square.
pub const MOST_CLASSES: usize = 1000;

/// Rows by label and prediction, and of the labelled ones the scores of each class.
///
/// Merges in any order to identical bytes. Memory: at most `max_bins` bins for each class (see
/// [`super::super::digest::Digest`]), and the square of the number of classes. Rows without a label count as such and
/// leave no scores.
///
/// ```
/// use modelwatch::kernel::multiclass::MulticlassProfile;
/// let classes = ["basic", "plus", "pro"].map(String::from).to_vec();
/// let mut profile = MulticlassProfile::new(classes, Default::default())?;
/// // label plus, predicted pro
/// profile.observe(Some(1), Some(2), &[0.1, 0.4, 0.5].map(Some));
/// assert_eq!((profile.rows(Some(1), Some(2)), profile.rows(Some(1), None)), (1, 0));
/// # Ok::<(), modelwatch::kernel::KernelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MulticlassProfile {
    pub(super) classes: Vec<String>,
    /// Rows by label, then by prediction; the last of each is NULL.
    pub(super) matrix: Vec<u64>,
    /// Labelled rows with all scores: the scores of each class, positive where it is the label.
    pub(super) scores: Vec<ScoreProfile>,
    pub(super) joint: Joint,
    /// Labelled rows of which a score is missing.
    pub(super) unscored: u64,
    /// Labelled rows of which a score is NaN, infinite or too large.
    pub(super) invalid: u64,
}

impl MulticlassProfile {
    /// An empty profile of these classes, which are told apart by their position.
    ///
    /// Errors: fewer than two classes, more than [`MOST_CLASSES`], or one of them twice.
    pub fn new(classes: Vec<String>, limits: DigestLimits) -> Result<Self, KernelError> {
        check_classes(&classes)?;
        let side = classes.len() + 1;
        Ok(Self {
            matrix: vec![0; side * side],
            scores: classes.iter().map(|_| ScoreProfile::new(limits)).collect(),
            classes,
            joint: Joint::default(),
            unscored: 0,
            invalid: 0,
        })
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Adds a row by the positions of its label and prediction; one score for each class, or none at all.
    pub fn observe(
        &mut self,
        label: Option<usize>,
        prediction: Option<usize>,
        scores: &[Option<f64>],
    ) {
        self.count(label, prediction);
        let Some(label) = label else { return };
        if scores.is_empty() || scores.iter().any(Option::is_none) {
            self.unscored += 1;
            return;
        }
        let valid = |x: f64| (f64::MIN..=LARGEST_SCORE).contains(&x);
        if !scores.iter().flatten().all(|score| valid(*score)) {
            self.invalid += 1;
            return;
        }
        let mut ranges = [0; MOST_PAIRED];
        for (class, (profile, score)) in self.scores.iter_mut().zip(scores).enumerate() {
            profile.observe(class_of(None, Some(class == label)), *score);
            if let (Some(range), Some(score)) = (ranges.get_mut(class), score) {
                *range = range_of(*score);
            }
        }
        if let Some(ranges) = ranges.get(..self.scores.len()) {
            self.joint.observe_row(label, ranges, RowCount(1));
        }
    }

    /// Counts a row by label and prediction.
    pub(super) fn count(&mut self, label: Option<usize>, prediction: Option<usize>) {
        let at = self.cell(label, prediction);
        if let Some(count) = self.matrix.get_mut(at) {
            *count += 1;
        }
    }

    fn cell(&self, label: Option<usize>, prediction: Option<usize>) -> usize {
        let unknown = self.classes.len();
        let position = |class: Option<usize>| class.unwrap_or(unknown).min(unknown);
        position(label) * (unknown + 1) + position(prediction)
    }

    /// Rows of a label and a prediction, `None` for those that are not known.
    pub fn rows(&self, label: Option<usize>, prediction: Option<usize>) -> u64 {
        let at = self.cell(label, prediction);
        self.matrix.get(at).copied().unwrap_or(0)
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when the classes or `min_level` differ.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        require_same_classes(&self.classes, &other.classes)?;
        for (profile, more) in self.scores.iter_mut().zip(&mut other.scores) {
            profile.merge(more)?;
        }
        for (count, more) in self.matrix.iter_mut().zip(&other.matrix) {
            *count = count.saturating_add(*more);
        }
        self.joint.merge(&other.joint);
        self.unscored = self.unscored.saturating_add(other.unscored);
        self.invalid = self.invalid.saturating_add(other.invalid);
        Ok(())
    }

    /// Labelled rows of which a score is NaN, infinite or too large.
    pub fn invalid_rows(&self) -> u64 {
        self.invalid
    }

    /// Bins of the class that has most, and the most low bits that a class has lost.
    pub fn bins_and_level(&mut self) -> (usize, u8) {
        let each = self.scores.iter_mut();
        each.map(|scores| (scores.bins().bins.len(), scores.level()))
            .fold((0, 0), |(bins, level), (more, higher)| {
                (bins.max(more), level.max(higher))
            })
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let scores: usize = self.scores.iter().map(ScoreProfile::heap_size).sum();
        let names: usize = self.classes.iter().map(String::capacity).sum();
        let fixed = self.matrix.capacity() * size_of::<u64>()
            + self.scores.capacity() * size_of::<ScoreProfile>();
        scores + names + fixed + self.joint.heap_size()
    }
}

/// Refuses to merge profiles of other classes.
pub(super) fn require_same_classes(own: &[String], others: &[String]) -> Result<(), KernelError> {
    if own == others {
        return Ok(());
    }
    Err(KernelError::Undefined(format!(
        "profiles of the classes {} and of {} cannot be merged. Expected the same classes in the same order",
        own.join(", "),
        others.join(", ")
    )))
}

/// Refuses classes that cannot be told apart, and too few or too many.
pub(super) fn check_classes(classes: &[String]) -> Result<(), KernelError> {
    let refuse = |why: String| Err(KernelError::Undefined(why));
    if classes.len() < 2 || classes.len() > MOST_CLASSES {
        return refuse(format!(
            "there are {} classes. Expected 2 to {MOST_CLASSES}",
            classes.len()
        ));
    }
    let mut names: Vec<&String> = classes.iter().collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair.first() == pair.last());
    match twice.and_then(|pair| pair.first()) {
        Some(name) => refuse(format!(
            "class '{name}' is named twice. Expected each class once"
        )),
        None => Ok(()),
    }
}
