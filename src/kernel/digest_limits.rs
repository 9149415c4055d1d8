//! Bounds on the memory and the resolution of a digest.
use super::error::KernelError;
use super::key::low_bits;

/// Bounds on the memory of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestLimits {
    /// Largest number of occupied bins; at least [`DigestLimits::FEWEST_BINS`].
    pub max_bins: u32,
    /// Level below which the digest never resolves, so that it holds no number itself.
    pub min_level: u8,
}

impl DigestLimits {
    /// Fewer bins than this say nothing about a distribution.
    pub const FEWEST_BINS: u32 = 16;
    /// A million bins are 48 MB per chunk: more is a mistake.
    pub const MOST_BINS: u32 = 1 << 20;
    /// Beyond this level all numbers of a sign share a few bins.
    pub const HIGHEST_LEVEL: u8 = 60;

    /// The limits that satisfy both sides, for a merge.
    pub fn meet(self, other: Self) -> Self {
        Self {
            max_bins: self.max_bins.min(other.max_bins),
            min_level: self.min_level.max(other.min_level),
        }
    }
}

impl Default for DigestLimits {
    fn default() -> Self {
        Self {
            max_bins: 6_144,
            min_level: 0,
        }
    }
}

/// Replaces the bits that `min_level` drops by their middle, so that no score itself is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coarseness {
    dropped: u64,
    middle: u64,
}

impl Coarseness {
    pub(super) fn new(limits: DigestLimits) -> Self {
        Self {
            dropped: low_bits(limits.min_level),
            middle: (1u64 << limits.min_level) >> 1,
        }
    }

    #[inline]
    pub(super) fn of(self, key: u64) -> u64 {
        key & !self.dropped | self.middle
    }
}

/// A profile that was coarsened on purpose must not take in numbers as they are: it would hold them.
pub(super) fn require_same_coarseness(
    here: DigestLimits,
    there: DigestLimits,
) -> Result<(), KernelError> {
    let (here, there) = (here.min_level, there.min_level);
    if here == there {
        return Ok(());
    }
    Err(KernelError::Undefined(format!(
        "profiles of min_level {here} and {there} cannot be merged. Expected the same min_level. \
         Hint: make both from their rows with one monitor.min_level"
    )))
}
