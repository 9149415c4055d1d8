//! The score profile: everything that estimates and realized values of a binary classifier need of a chunk.
use super::bins::{Cell, ScoreBin, ScoreBins};
use super::codec::{Reader, Writer};
use super::digest::{Digest, DigestLimits, Entry};
use super::error::KernelError;
use super::key::{MANTISSA_BITS, bin_range, key, low_bits, sum_of_values, value};

/// Prediction and label, each negative, positive or unknown.
pub const CLASSES: usize = 9;
const MAGIC: [u8; 4] = *b"MWSP";
const LAYOUT: u8 = 1;
/// More rows than any store holds; sums of a few such counts still fit.
const MOST_ROWS: u64 = 1 << 53;

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

/// Replaces the bits that `min_level` drops by their middle, so that no score itself is kept.
#[derive(Debug, Clone, Copy)]
struct Coarseness {
    dropped: u64,
    middle: u64,
}

impl Coarseness {
    fn new(limits: DigestLimits) -> Self {
        Self {
            dropped: low_bits(limits.min_level),
            middle: (1u64 << limits.min_level) >> 1,
        }
    }

    #[inline]
    fn of(self, key: u64) -> u64 {
        key & !self.dropped | self.middle
    }
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
            Some(score) if score.is_finite() => {
                self.scored_rows += 1;
                self.scores.add(self.coarseness.of(key(score)), class);
            }
            Some(_) => bump(&mut self.not_finite, class),
            None => bump(&mut self.unscored, class),
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
        if score.is_finite() {
            self.scored_rows += rows;
            self.scores
                .add_rows(self.coarseness.of(key(score)), class, rows);
        } else if let Some(count) = self.not_finite.get_mut(usize::from(class)) {
            *count += rows;
        }
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        self.require_same_coarseness(other.limits())?;
        self.scores.merge(&mut other.scores);
        add_each(&mut self.unscored, &other.unscored);
        add_each(&mut self.not_finite, &other.not_finite);
        self.scored_rows = self.scored_rows.saturating_add(other.scored_rows);
        Ok(())
    }

    /// A profile that was coarsened on purpose must not take in scores as they are: it would hold them.
    fn require_same_coarseness(&self, other: DigestLimits) -> Result<(), KernelError> {
        let (here, there) = (self.limits().min_level, other.min_level);
        if here == there {
            return Ok(());
        }
        Err(KernelError::Undefined(format!(
            "profiles of min_level {here} and {there} cannot be merged. Expected the same min_level. \
             Hint: make both from their rows with one monitor.min_level"
        )))
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
        if let Some((first, last)) = range {
            w.uint(1);
            w.uint(first);
            w.uint(last);
        } else {
            w.uint(0);
        }
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
        self.require_same_coarseness(limits)?;
        let level = read_level(&mut r, limits)?;
        let (unscored, not_finite) = (read_counts(&mut r)?, read_counts(&mut r)?);
        let range = match r.uint()? {
            0 => None,
            1 => Some((r.uint()?, r.uint()?)),
            _ => return Err(disordered()),
        };
        let entries = read_entries(&mut r, level, limits)?;
        r.finish()?;
        check_range(range, level, &entries)?;
        add_each(&mut self.unscored, &unscored);
        add_each(&mut self.not_finite, &not_finite);
        self.scored_rows = entries
            .iter()
            .fold(self.scored_rows, |rows, e| rows.saturating_add(e.count));
        self.scores.merge_entries(level, limits, entries, range);
        Ok(())
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

/// The rows of one bin. The first and last bin end at the smallest and largest score, where these are known;
/// a bin whose rows all lie at one end is that number and no more.
fn score_bin(entries: &[Entry], level: u8, range: Option<(u64, u64)>) -> Option<ScoreBin> {
    let bin = entries.first()?.bin;
    let inside = |key: &u64| key >> level == bin;
    let dropped = |key: u64| u128::from(key & low_bits(level));
    let first = range.map(|ends| ends.0).filter(inside);
    let last = range.map(|ends| ends.1).filter(inside);
    let rows: u128 = entries.iter().map(|e| u128::from(e.count)).sum();
    // on the integers: a mean of floats that equals an end may be rounding
    let sum = entries
        .iter()
        .fold(0u128, |sum, e| sum.saturating_add(e.dropped));
    let all_at = |end: u128| rows.checked_mul(end) == Some(sum);
    let whole = bin_range(bin, level);
    let (lower, upper) = (
        first.map_or(whole.lower, value),
        last.map_or(whole.upper, value),
    );
    let known = range.is_some();
    let (lower, upper) = if known && all_at(first.map_or(0, dropped)) {
        (lower, lower)
    } else if known && all_at(last.map_or_else(|| u128::from(low_bits(level)), dropped)) {
        (upper, upper)
    } else {
        (lower, upper)
    };
    let mut bin = ScoreBin {
        lower,
        upper,
        ..ScoreBin::default()
    };
    for entry in entries {
        if let Some(cell) = cell_of(&mut bin, entry.class) {
            cell.count = entry.count;
            cell.sum = sum_of_values(entry.bin, level, entry.count, entry.dropped);
        }
    }
    Some(bin)
}

fn cell_of(bin: &mut ScoreBin, class: u8) -> Option<&mut Cell> {
    let class = usize::from(class);
    bin.cells.get_mut(class / 3)?.get_mut(class % 3)
}

/// Bins ascending: the step from the bin before, a mask of its classes, and for each class count and sum.
fn write_entries(w: &mut Writer, level: u8, entries: &[Entry]) {
    let bins = entries.chunk_by(|a, b| a.bin == b.bin);
    w.uint(bins.clone().count() as u64);
    let mut before = 0;
    for bin in bins {
        let at = bin.first().map_or(before, |e| e.bin);
        w.uint(at - before);
        before = at;
        w.uint(bin.iter().fold(0, |mask, e| mask | 1 << e.class));
        for entry in bin {
            w.uint(entry.count);
            if level > 0 {
                w.wide(entry.dropped);
            }
        }
    }
}

fn read_entries(
    r: &mut Reader<'_>,
    level: u8,
    limits: DigestLimits,
) -> Result<Vec<Entry>, KernelError> {
    let bins = r.length(3)?;
    if bins > limits.max_bins as usize {
        return Err(disordered());
    }
    let mut entries = Vec::with_capacity(bins);
    let mut bin = 0u64;
    for _ in 0..bins {
        let step = r.uint()?;
        bin = bin.checked_add(step).ok_or_else(disordered)?;
        let mask = r.uint()?;
        if mask == 0
            || mask >= 1 << CLASSES
            || bin > u64::MAX >> level
            || (step == 0 && !entries.is_empty())
        {
            return Err(disordered());
        }
        for class in (0..CLASSES as u8).filter(|class| mask >> class & 1 == 1) {
            let count = r.uint()?;
            let dropped = if level > 0 { r.wide()? } else { 0 };
            // counts that could not have come from rows would overflow later sums
            if count == 0 || count > MOST_ROWS || dropped >> level >= u128::from(count) {
                return Err(disordered());
            }
            entries.push(Entry {
                bin,
                class,
                count,
                dropped,
            });
        }
    }
    Ok(entries)
}

/// The range must be of finite numbers and lie in the first and the last bin, and all rows together be countable.
fn check_range(range: Option<(u64, u64)>, level: u8, entries: &[Entry]) -> Result<(), KernelError> {
    let rows = entries
        .iter()
        .try_fold(0u64, |rows, e| rows.checked_add(e.count));
    let inside = match (range, entries.first(), entries.last()) {
        (None, None, None) => true,
        (Some((first, last)), Some(low), Some(high)) => {
            first >= key(f64::MIN)
                && last <= key(f64::MAX)
                && first <= last
                && first >> level == low.bin
                && last >> level == high.bin
        }
        _ => false,
    };
    if inside && rows.is_some_and(|rows| rows <= MOST_ROWS) {
        return Ok(());
    }
    Err(disordered())
}

fn disordered() -> KernelError {
    KernelError::Unreadable("the score profile holds bins or counts that no rows can give".into())
}

fn reader(bytes: &[u8]) -> Result<Reader<'_>, KernelError> {
    Reader::new(bytes, MAGIC, LAYOUT, "score profile")
}

fn read_limits(r: &mut Reader<'_>) -> Result<DigestLimits, KernelError> {
    let (max_bins, min_level) = (r.uint()?, r.uint()?);
    match (u32::try_from(max_bins), u8::try_from(min_level)) {
        (Ok(max_bins @ DigestLimits::FEWEST_BINS..=DigestLimits::MOST_BINS), Ok(min_level))
            if min_level <= DigestLimits::HIGHEST_LEVEL =>
        {
            Ok(DigestLimits {
                max_bins,
                min_level,
            })
        }
        _ => Err(disordered()),
    }
}

fn read_level(r: &mut Reader<'_>, limits: DigestLimits) -> Result<u8, KernelError> {
    match u8::try_from(r.uint()?) {
        Ok(level) if (limits.min_level..=63).contains(&level) => Ok(level),
        _ => Err(disordered()),
    }
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
