//! The score profile: everything that estimates and realized values of a binary classifier need of a chunk.
use super::bins::{Cell, ScoreBin, ScoreBins};
use super::codec::{Reader, Writer};
use super::digest::{Digest, DigestLimits, Entry};
use super::digest_bytes::{
    MOST_ROWS, check_range, disordered, read_entries, read_level, read_limits, read_range,
    write_entries, write_range,
};
use super::digest_limits::{Coarseness, require_same_coarseness};
use super::digest_view::bin_ends;
use super::error::KernelError;
use super::key::{LARGEST_SCORE, MANTISSA_BITS, Scale};

/// Prediction and label, each negative, positive or unknown.
pub const CLASSES: usize = 9;
const MAGIC: [u8; 4] = *b"MWSP";
const LAYOUT: u8 = 2;
const SCALE: Scale = Scale::Score;
/// Rows whose keys are computed together.
const BLOCK: usize = 64;
/// Counts of rows by score, prediction and label, any of which may be NULL; exact sums of the scores.
///
/// Merges in any order to identical bytes. Memory: at most `max_bins` bins (see [`Digest`]).
///
/// ```
/// use modelwatch::kernel::score_profile::{ScoreProfile, class_of};
/// let mut profile = ScoreProfile::default();
/// profile.observe(class_of(Some(true), Some(true)), Some(0.9));
/// profile.observe(class_of(Some(false), None), Some(0.2));
/// assert_eq!(profile.rows(), 2);
/// let bytes = profile.to_bytes();
/// assert_eq!(ScoreProfile::from_bytes(&bytes).unwrap().to_bytes(), bytes);
/// ```
#[derive(Debug, Clone)]
pub struct ScoreProfile {
    scores: Digest<CLASSES>,
    unscored: [u64; CLASSES],
    not_finite: [u64; CLASSES],
    scored_rows: u64,
    coarseness: Coarseness,
}

/// False for NaN, infinities, and numbers that no classifier gives as a score.
#[inline]
pub(super) fn is_score(x: f64) -> bool {
    (f64::MIN..=LARGEST_SCORE).contains(&x)
}

/// The class of a row: `3 * prediction + label`, where NULL counts as a third value.
#[inline]
pub fn class_of(prediction: Option<bool>, label: Option<bool>) -> u8 {
    3 * ternary(prediction) + ternary(label)
}

/// 0, 1, or 2 for NULL.
#[inline]
pub fn ternary(known: Option<bool>) -> u8 {
    known.map_or(2, u8::from)
}

impl Default for ScoreProfile {
    fn default() -> Self {
        Self::new(DigestLimits::default())
    }
}

impl ScoreProfile {
    /// An empty profile; it owns no heap memory.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            scores: Digest::new(limits),
            unscored: [0; CLASSES],
            not_finite: [0; CLASSES],
            scored_rows: 0,
            coarseness: Coarseness::new(limits),
        }
    }

    /// Adds a row of class [`class_of`]; a NULL score is counted apart, and so is a NaN or infinite one.
    #[inline]
    pub fn observe(&mut self, class: u8, score: Option<f64>) {
        match score {
            Some(score) if is_score(score) => {
                self.scored_rows += 1;
                self.scores.add(self.coarseness.of(SCALE.key(score)), class);
            }
            Some(_) => bump(&mut self.not_finite, class),
            None => bump(&mut self.unscored, class),
        }
    }

    /// Adds rows, as [`Self::observe`] would one by one.
    ///
    /// Keys are computed for a block of rows before any is added: the processor does several at once.
    pub fn observe_all(&mut self, classes: &[u8], scores: &[f64]) {
        for (classes, scores) in classes.chunks(BLOCK).zip(scores.chunks(BLOCK)) {
            if !scores
                .iter()
                .fold(true, |all, &score| all & is_score(score))
            {
                let rows = classes.iter().zip(scores);
                rows.for_each(|(&class, &score)| self.observe(class, Some(score)));
                continue;
            }
            let mut keys = [0; BLOCK];
            for (key, &score) in keys.iter_mut().zip(scores) {
                *key = SCALE.key(score);
            }
            if let Some(keys) = keys.get(..classes.len()) {
                self.observe_keys(classes, keys);
            }
        }
    }

    /// The same of keys of scores.
    pub(super) fn observe_keys(&mut self, classes: &[u8], keys: &[u64]) {
        for (classes, keys) in classes.chunks(BLOCK).zip(keys.chunks(BLOCK)) {
            let mut coarse = [0; BLOCK];
            for (to, &key) in coarse.iter_mut().zip(keys) {
                *to = self.coarseness.of(key);
            }
            self.scored_rows += keys.len() as u64;
            if let Some(coarse) = coarse.get(..keys.len()) {
                self.scores.add_all(coarse, classes);
            }
        }
    }

    /// Adds `rows` rows of one class and one score, as [`Self::observe`] would one by one; for tables
    /// of counts. Costs as much as a merge, so it pays from a few hundred rows on.
    ///
    /// ```
    /// use modelwatch::kernel::score_profile::{ScoreProfile, class_of};
    /// let (mut one_by_one, mut at_once) = (ScoreProfile::default(), ScoreProfile::default());
    /// let class = class_of(Some(true), Some(false));
    /// (0..1000).for_each(|_| one_by_one.observe(class, Some(0.25)));
    /// at_once.observe_rows(class, 0.25, 1000);
    /// assert_eq!(at_once.to_bytes(), one_by_one.to_bytes());
    /// ```
    pub fn observe_rows(&mut self, class: u8, score: f64, rows: u64) {
        if is_score(score) {
            self.scored_rows += rows;
            self.scores
                .add_rows(self.coarseness.of(SCALE.key(score)), class, rows);
        } else if let Some(count) = self.not_finite.get_mut(usize::from(class)) {
            *count += rows;
        }
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        require_same_coarseness(self.limits(), other.limits())?;
        self.scores.merge(&mut other.scores);
        add_each(&mut self.unscored, &other.unscored);
        add_each(&mut self.not_finite, &other.not_finite);
        self.scored_rows = self.scored_rows.saturating_add(other.scored_rows);
        Ok(())
    }

    /// The scored rows that are left when those of a part are taken out again.
    ///
    /// Integer subtraction, so it is exact; `part` must have been merged into this profile.
    pub fn without(&mut self, part: &mut Self) -> Self {
        Self {
            scores: self.scores.without(&mut part.scores),
            scored_rows: self.scored_rows.saturating_sub(part.scored_rows),
            ..Self::new(self.limits())
        }
    }

    /// Number of rows seen.
    pub fn rows(&self) -> u64 {
        let apart = self.unscored.iter().chain(&self.not_finite).sum::<u64>();
        self.scored_rows + apart
    }

    /// Bytes on the heap; constant time.
    #[inline]
    pub fn heap_size(&self) -> usize {
        self.scores.heap_size()
    }

    /// Number of low bits dropped from each score's key: 0 when the profile is exact.
    pub fn level(&mut self) -> u8 {
        self.scores.entries().0
    }

    /// Memory and resolution bounds.
    pub fn limits(&self) -> DigestLimits {
        self.scores.limits()
    }

    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let (limits, range) = (self.limits(), self.scores.range());
        let (level, entries) = self.scores.entries();
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.reserve(64 + entries.len() * 6);
        w.uint(u64::from(limits.max_bins));
        w.uint(u64::from(limits.min_level));
        w.uint(u64::from(level));
        self.unscored.iter().for_each(|&n| w.uint(n));
        self.not_finite.iter().for_each(|&n| w.uint(n));
        write_range(&mut w, range);
        write_entries(&mut w, level, &entries);
        w.finish()
    }

    /// Reads [`ScoreProfile::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut profile = Self::new(read_limits(&mut reader(bytes)?)?);
        profile.merge_bytes(bytes)?;
        Ok(profile)
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`ScoreProfile::to_bytes`] did not write, and those of [`ScoreProfile::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        let mut r = reader(bytes)?;
        let limits = read_limits(&mut r)?;
        require_same_coarseness(self.limits(), limits)?;
        let level = read_level(&mut r, limits)?;
        let (unscored, not_finite) = (read_counts(&mut r)?, read_counts(&mut r)?);
        let range = read_range(&mut r)?;
        let entries = read_entries(&mut r, level, limits, CLASSES)?;
        r.finish()?;
        check_range(SCALE, range, level, &entries)?;
        add_each(&mut self.unscored, &unscored);
        add_each(&mut self.not_finite, &not_finite);
        self.scored_rows = entries
            .iter()
            .fold(self.scored_rows, |rows, e| rows.saturating_add(e.count));
        self.scores.merge_entries(level, limits, entries, range);
        Ok(())
    }

    /// The level, and the bins that hold rows of a class, ascending, with their numbers.
    pub(super) fn bins_of(&mut self, class: u8) -> (u8, Vec<(u64, u64)>) {
        let (level, entries) = self.scores.entries();
        let mine = entries.iter().filter(|entry| entry.class == class);
        (level, mine.map(|entry| (entry.bin, entry.count)).collect())
    }

    /// The profile as statistics read it.
    pub fn bins(&mut self) -> ScoreBins {
        let coarse = self.limits().min_level > 0;
        // the range of coarsened scores does not bound the scores themselves
        let range = self.scores.range().filter(|_| !coarse);
        let (level, entries) = self.scores.entries();
        let mut bins = Vec::with_capacity(entries.len());
        let groups = entries.chunk_by(|a, b| a.bin == b.bin);
        bins.extend(groups.filter_map(|bin| score_bin(bin, level, range)));
        ScoreBins {
            bins,
            sums_exact: level <= MANTISSA_BITS && !coarse,
            unscored: by_prediction(&self.unscored),
            not_finite: by_prediction(&self.not_finite),
        }
    }
}

fn bump(counts: &mut [u64; CLASSES], class: u8) {
    if let Some(count) = counts.get_mut(usize::from(class)) {
        *count += 1;
    }
}

fn add_each(to: &mut [u64; CLASSES], from: &[u64; CLASSES]) {
    to.iter_mut()
        .zip(from)
        .for_each(|(a, b)| *a = a.saturating_add(*b));
}

fn by_prediction(counts: &[u64; CLASSES]) -> [[u64; 3]; 3] {
    let mut table = [[0; 3]; 3];
    for (row, three) in table.iter_mut().zip(counts.chunks_exact(3)) {
        row.copy_from_slice(three);
    }
    table
}

/// The rows of one bin.
fn score_bin(entries: &[Entry], level: u8, range: Option<(u64, u64)>) -> Option<ScoreBin> {
    let (lower, upper) = bin_ends(SCALE, entries, level, range)?;
    let mut bin = ScoreBin {
        lower,
        upper,
        ..ScoreBin::default()
    };
    for entry in entries {
        if let Some(cell) = cell_of(&mut bin, entry.class) {
            cell.count = entry.count;
            cell.sum = SCALE.sum_of_values(entry.bin, level, entry.count, entry.dropped);
        }
    }
    Some(bin)
}

fn cell_of(bin: &mut ScoreBin, class: u8) -> Option<&mut Cell> {
    let class = usize::from(class);
    bin.cells.get_mut(class / 3)?.get_mut(class % 3)
}

fn reader(bytes: &[u8]) -> Result<Reader<'_>, KernelError> {
    Reader::new(bytes, MAGIC, LAYOUT, "score profile")
}

fn read_counts(r: &mut Reader<'_>) -> Result<[u64; CLASSES], KernelError> {
    let mut counts = [0; CLASSES];
    for count in &mut counts {
        *count = r.uint()?;
        if *count > MOST_ROWS {
            return Err(disordered());
        }
    }
    Ok(counts)
}
