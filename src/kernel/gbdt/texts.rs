//! The texts of a column, each stored once.
use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

/// Texts with a code for each.
#[derive(Debug, Default)]
pub(super) struct Texts {
    codes: HashMap<Box<str>, u64>,
    hashes: Vec<u64>,
    letters: usize,
}

impl Texts {
    /// The code of a text, which becomes known by it.
    pub(super) fn code(&mut self, text: &str) -> u64 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.hashes.len() as u64;
        self.codes.insert(text.into(), code);
        self.hashes.push(xxh3_64(text.as_bytes()));
        self.letters += text.len();
        code
    }

    /// The hash of the text with this code; depends on the text alone.
    pub(super) fn hash(&self, code: u64) -> u64 {
        let hash = usize::try_from(code)
            .ok()
            .and_then(|at| self.hashes.get(at));
        hash.copied().unwrap_or(0)
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// In their order, with their codes.
    pub(super) fn sorted(&self) -> Vec<(&str, u64)> {
        let mut sorted: Vec<(&str, u64)> = self.codes.iter().map(|(t, c)| (&**t, *c)).collect();
        sorted.sort_unstable();
        sorted
    }

    /// Drops the texts that are not `used`, and gives the others codes in their order: the new code of each old one.
    pub(super) fn renumber(&mut self, used: impl Fn(u64) -> bool) -> Vec<u64> {
        let mut of_old = vec![u64::MAX; self.len()];
        let mut kept = Self::default();
        for (text, old) in self.sorted() {
            if used(old)
                && let Some(new) = usize::try_from(old).ok().and_then(|at| of_old.get_mut(at))
            {
                *new = kept.code(text);
            }
        }
        *self = kept;
        of_old
    }

    /// Adds the texts of another: the code that each of its codes has here.
    pub(super) fn add(&mut self, other: &Self) -> Vec<u64> {
        let mut codes = vec![u64::MAX; other.len()];
        for (text, theirs) in other.sorted() {
            if let Some(code) = usize::try_from(theirs)
                .ok()
                .and_then(|at| codes.get_mut(at))
            {
                *code = self.code(text);
            }
        }
        codes
    }

    /// Bytes on the heap.
    pub(super) fn heap_size(&self) -> usize {
        self.codes.capacity() * (size_of::<(Box<str>, u64)>() + 1)
            + self.hashes.capacity() * size_of::<u64>()
            + self.letters
    }
}
