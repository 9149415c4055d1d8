//! The category profile: how often each category occurred, exact while they are few, certified after that.
//!
//! A category is the 64-bit hash of its text (XXH3). Categories whose hashes share their first bits are a group, and the
//! number of these bits is the largest at which at most `max_bins` groups are occupied: it depends on the set of
//! categories alone, never on the order of rows or on how parts were merged, as the level of a [`super::digest::Digest`]
//! does. With 64 bits a group is one category (that two of ten thousand texts share a hash has
//! probability 3e-12). With fewer, the count of a group bounds each of its categories from above.
//!
//! Counter-based summaries (Misra and Gries 1982; Metwally et al. 2005) keep heavier categories
//! apart, but what they keep depends on the order of merges.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64;

use super::codec::{Reader, Writer};
use super::digest::DigestLimits;
use super::digest_bytes::{MOST_ROWS, read_limits};
use super::digest_limits::require_same_coarseness;
use super::error::KernelError;
use super::values::{CategoryGroup, CategoryGroups};

/// First bytes of a category profile.
pub const MAGIC: [u8; 4] = *b"MWCP";
const LAYOUT: u8 = 1;
const HASH_BITS: u8 = 64;
/// Longer texts are shown by their beginning; they are told apart by their hash all the same.
const MOST_TEXT_BYTES: usize = 128;

/// Hash of the empty text.
const EMPTY_TEXT: u64 = 0x2d06_8005_38d3_94c2;

/// Hash of a category's text.
#[inline]
pub fn hash_of(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// Categories that share a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    /// The hash of the category, or of one of several.
    hash: u64,
    count: u64,
    /// Whether the group holds more than one category.
    several: bool,
    text: Option<Box<str>>,
}

/// Prefixes are hashes already.
#[derive(Debug, Clone, Copy, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, n: u64) {
        // a prefix of few bits would leave the high bits, by which the table tells entries apart, empty
        self.0 = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n;
    }
}

/// Counts of rows by category; NULL apart.
///
/// Merges in any order to identical bytes. Memory: at most `max_bins` groups.
///
/// ```
/// use modelwatch::kernel::category_profile::CategoryProfile;
/// let mut profile = CategoryProfile::default();
/// ["BE", "FR", "BE"].map(|text| profile.observe(Some(text)));
/// profile.observe(None);
/// let groups = profile.groups();
/// assert_eq!((groups.rows(), groups.nulls), (3, 1));
/// assert!(groups.groups.iter().any(|g| g.category.as_deref() == Some("BE") && g.count == 2));
/// ```
#[derive(Debug, Clone)]
pub struct CategoryProfile {
    limits: DigestLimits,
    bits: u8,
    groups: HashMap<u64, Group, BuildHasherDefault<Hashed>>,
    text_bytes: usize,
    nulls: u64,
    empty_texts: u64,
}

impl Default for CategoryProfile {
    fn default() -> Self {
        Self::new(DigestLimits::default())
    }
}

impl CategoryProfile {
    /// An empty profile; it owns no heap memory. With a `min_level` above 0 it keeps hashes and no texts.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            limits,
            bits: HASH_BITS,
            groups: HashMap::default(),
            text_bytes: 0,
            nulls: 0,
            empty_texts: 0,
        }
    }

    /// Adds a row.
    pub fn observe(&mut self, category: Option<&str>) {
        match category {
            Some(text) => self.observe_rows(hash_of(text), 1, || text),
            None => self.observe_nulls(1),
        }
    }

    /// Adds `rows` rows of the category of this hash; its text is asked for only where it is new.
    #[inline]
    pub fn observe_rows<T: AsRef<str>>(&mut self, hash: u64, rows: u64, text: impl FnOnce() -> T) {
        if hash == EMPTY_TEXT {
            self.empty_texts = self.empty_texts.saturating_add(rows);
        }
        match self.groups.get_mut(&prefix_of(hash, self.bits)) {
            Some(group) if group.several || group.hash == hash => {
                group.count = group.count.saturating_add(rows);
            }
            _ => {
                let text = (self.limits.min_level == 0).then(|| shown(text().as_ref()).into());
                self.insert(Group {
                    hash,
                    count: rows,
                    several: false,
                    text,
                });
                self.enforce_limit();
            }
        }
    }

    /// Adds `rows` rows that are NULL.
    #[inline]
    pub fn observe_nulls(&mut self, rows: u64) {
        self.nulls = self.nulls.saturating_add(rows);
    }

    fn insert(&mut self, new: Group) {
        let prefix = prefix_of(new.hash, self.bits);
        let bytes = |group: &Group| group.text.as_ref().map_or(0, |text| text.len());
        match self.groups.get_mut(&prefix) {
            None => {
                self.text_bytes += bytes(&new);
                self.groups.insert(prefix, new);
            }
            Some(group) => {
                group.count = group.count.saturating_add(new.count);
                if new.several || group.several || group.hash != new.hash {
                    self.text_bytes -= bytes(group);
                    group.several = true;
                    group.text = None;
                }
            }
        }
    }

    fn enforce_limit(&mut self) {
        while self.groups.len() > self.limits.max_bins as usize {
            self.keep_bits(self.bits - 1);
        }
    }

    /// Tells categories apart by fewer bits of their hashes.
    fn keep_bits(&mut self, bits: u8) {
        if bits >= self.bits {
            return;
        }
        self.bits = bits;
        self.text_bytes = 0;
        let groups = std::mem::take(&mut self.groups);
        groups.into_values().for_each(|group| self.insert(group));
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &Self) -> Result<(), KernelError> {
        require_same_coarseness(self.limits, other.limits)?;
        self.limits = self.limits.meet(other.limits);
        self.keep_bits(other.bits);
        let groups = other.groups.values().cloned();
        groups.for_each(|group| self.insert(group));
        self.nulls = self.nulls.saturating_add(other.nulls);
        self.empty_texts = self.empty_texts.saturating_add(other.empty_texts);
        self.enforce_limit();
        Ok(())
    }

    /// Memory and resolution bounds.
    pub fn limits(&self) -> DigestLimits {
        self.limits
    }

    /// Bytes on the heap; constant time.
    #[inline]
    pub fn heap_size(&self) -> usize {
        self.groups.capacity() * (size_of::<(u64, Group)>() + 1) + self.text_bytes
    }

    fn sorted(&self) -> Vec<(u64, &Group)> {
        let mut groups: Vec<(u64, &Group)> = self.groups.iter().map(|(p, g)| (*p, g)).collect();
        groups.sort_unstable_by_key(|(prefix, _)| *prefix);
        groups
    }

    /// The profile as statistics read it.
    pub fn groups(&self) -> CategoryGroups {
        let groups = self
            .sorted()
            .into_iter()
            .map(|(prefix, group)| CategoryGroup {
                prefix,
                count: group.count,
                category: group.text.as_deref().map(str::to_string),
            });
        CategoryGroups {
            groups: groups.collect(),
            bits: self.bits,
            nulls: self.nulls,
            empty_texts: self.empty_texts,
        }
    }

    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(u64::from(self.limits.max_bins));
        w.uint(u64::from(self.limits.min_level));
        w.uint(u64::from(self.bits));
        w.uint(self.nulls);
        w.uint(self.empty_texts);
        w.uint(self.groups.len() as u64);
        let mut before = 0;
        for (prefix, group) in self.sorted() {
            w.uint(prefix - before);
            before = prefix;
            w.uint(group.count);
            w.uint(u64::from(group.several) + 2 * u64::from(group.text.is_some()));
            if !group.several {
                // the bits that the prefix does not hold
                w.uint(group.hash & rest_of(self.bits));
            }
            if let Some(text) = &group.text {
                w.bytes(text.as_bytes());
            }
        }
        w.finish()
    }

    /// Reads [`CategoryProfile::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "category profile")?;
        let mut profile = Self::new(read_limits(&mut r)?);
        profile.bits = match u8::try_from(r.uint()?) {
            Ok(bits) if bits <= HASH_BITS => bits,
            _ => return Err(disordered()),
        };
        (profile.nulls, profile.empty_texts) = (r.uint()?, r.uint()?);
        let count = r.length(3)?;
        if count > profile.limits.max_bins as usize {
            return Err(disordered());
        }
        let (mut prefix, mut rows) = (0u64, profile.nulls);
        for position in 0..count {
            let step = r.uint()?;
            prefix = prefix.checked_add(step).ok_or_else(disordered)?;
            let group = profile.read_group(&mut r, prefix)?;
            rows = rows.saturating_add(group.count);
            if (step == 0 && position > 0) || rows > MOST_ROWS {
                return Err(disordered());
            }
            profile.text_bytes += group.text.as_ref().map_or(0, |text| text.len());
            profile.groups.insert(prefix, group);
        }
        r.finish()?;
        if profile.empty_texts > rows {
            return Err(disordered());
        }
        Ok(profile)
    }

    fn read_group(&self, r: &mut Reader<'_>, prefix: u64) -> Result<Group, KernelError> {
        let (count, flags) = (r.uint()?, r.uint()?);
        let (several, named) = (flags & 1 == 1, flags & 2 == 2);
        let first = prefix
            .checked_shl(u32::from(HASH_BITS - self.bits))
            .unwrap_or(0);
        let hash = first | if several { 0 } else { r.uint()? };
        let text = match named {
            true => Some(std::str::from_utf8(r.bytes()?).map_err(|_| disordered())?),
            false => None,
        };
        let long = text.is_some_and(|text| text.len() > MOST_TEXT_BYTES);
        let alone = self.bits == HASH_BITS && several;
        if count == 0 || flags > 2 || long || alone || prefix_of(hash, self.bits) != prefix {
            return Err(disordered());
        }
        Ok(Group {
            hash,
            count,
            several,
            text: text.map(Into::into),
        })
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`CategoryProfile::to_bytes`] did not write, and those of [`CategoryProfile::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        self.merge(&Self::from_bytes(bytes)?)
    }
}

/// The first `bits` of a hash.
#[inline]
fn prefix_of(hash: u64, bits: u8) -> u64 {
    hash.checked_shr(u32::from(HASH_BITS - bits)).unwrap_or(0)
}

/// A mask of the bits after the first `bits`.
fn rest_of(bits: u8) -> u64 {
    u64::MAX.checked_shr(u32::from(bits)).unwrap_or(0)
}

/// The text, or the beginning of a long one.
fn shown(text: &str) -> &str {
    let end = (0..=MOST_TEXT_BYTES.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn disordered() -> KernelError {
    KernelError::Unreadable(
        "a category profile holds groups or counts that no rows can give".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_bins: u32) -> DigestLimits {
        DigestLimits {
            max_bins,
            min_level: 0,
        }
    }

    fn texts(count: u32) -> Vec<String> {
        (0..count)
            .map(|i| format!("customer {}", i % 97 * (i % 13)))
            .collect()
    }

    #[test]
    fn the_hash_of_the_empty_text_is_known() {
        assert_eq!(hash_of(""), EMPTY_TEXT);
    }

    #[test]
    fn few_categories_are_counted_exactly() {
        let mut profile = CategoryProfile::default();
        for text in [Some("a"), Some(""), Some("a"), None] {
            profile.observe(text);
        }
        let groups = profile.groups();
        assert_eq!((groups.bits, groups.nulls, groups.empty_texts), (64, 1, 1));
        let mut counts: Vec<_> = groups
            .groups
            .iter()
            .map(|g| (g.category.as_deref(), g.count))
            .collect();
        counts.sort_unstable();
        assert_eq!(counts, [(Some(""), 1), (Some("a"), 2)]);
    }

    #[test]
    fn bytes_do_not_depend_on_how_rows_were_split() {
        for most in [16, 64, 8_192] {
            let mut whole = CategoryProfile::new(limits(most));
            texts(3_000)
                .iter()
                .for_each(|text| whole.observe(Some(text)));
            let mut merged = CategoryProfile::new(limits(most));
            for part in texts(3_000).rchunks(411) {
                let mut profile = CategoryProfile::new(limits(most));
                part.iter().for_each(|text| profile.observe(Some(text)));
                merged.merge_bytes(&profile.to_bytes()).unwrap();
            }
            assert_eq!(whole.to_bytes(), merged.to_bytes());
            assert_eq!(whole.groups().rows(), 3_000);
            assert!(whole.groups().groups.len() <= most as usize);
            let read = CategoryProfile::from_bytes(&whole.to_bytes()).unwrap();
            assert_eq!(read.to_bytes(), whole.to_bytes());
        }
    }

    #[test]
    fn a_group_bounds_its_categories_from_above() {
        let mut profile = CategoryProfile::new(limits(16));
        let mut counts = HashMap::new();
        for text in texts(3_000) {
            profile.observe(Some(&text));
            *counts.entry(text).or_insert(0) += 1;
        }
        let groups = profile.groups();
        for (text, count) in counts {
            let prefix = prefix_of(hash_of(&text), groups.bits);
            let group = groups.groups.iter().find(|g| g.prefix == prefix).unwrap();
            assert!(group.count >= count);
            if let Some(category) = &group.category {
                assert_eq!((category, group.count), (&text, count));
            }
        }
    }

    #[test]
    fn long_texts_are_shown_by_their_beginning_and_told_apart() {
        let mut profile = CategoryProfile::default();
        let long = "\u{e9}".repeat(200);
        profile.observe(Some(&long));
        profile.observe(Some(&format!("{long}x")));
        let groups = profile.groups();
        assert_eq!(groups.groups.len(), 2);
        assert!(
            groups
                .groups
                .iter()
                .all(|g| g.category.as_ref().unwrap().len() <= MOST_TEXT_BYTES)
        );
    }

    #[test]
    fn a_min_level_keeps_no_text() {
        let mut profile = CategoryProfile::new(DigestLimits {
            max_bins: 16,
            min_level: 4,
        });
        profile.observe(Some("anna@example.com"));
        let bytes = profile.to_bytes();
        assert!(!String::from_utf8_lossy(&bytes).contains("anna"));
        assert_eq!(
            CategoryProfile::from_bytes(&bytes).unwrap().to_bytes(),
            bytes
        );
    }

    #[test]
    fn forged_bytes_are_refused() {
        let mut profile = CategoryProfile::default();
        profile.observe(Some("a"));
        let mut bytes = profile.to_bytes();
        if let Some(byte) = bytes.last_mut() {
            *byte ^= 1;
        }
        assert!(CategoryProfile::from_bytes(&bytes).is_err());
        assert!(CategoryProfile::from_bytes(b"MWCP").is_err());
    }
}
