//! The value profile: everything that drift, data quality and summary statistics need of a column of numbers.
use super::codec::{Reader, Writer};
use super::digest::{Digest, DigestLimits};
use super::digest_bytes::{
    MOST_ROWS, check_range, disordered, read_entries, read_level, read_limits, read_range,
    write_entries, write_range,
};
use super::digest_limits::{Coarseness, require_same_coarseness};
use super::digest_view::bin_ends;
use super::error::KernelError;
use super::key::{MANTISSA_BITS, Scale};
use super::values::{ValueBin, ValueBins};

/// First bytes of a value profile.
pub const MAGIC: [u8; 4] = *b"MWVP";
const LAYOUT: u8 = 1;
const SCALE: Scale = Scale::Number;
/// Rows that are no finite number, by kind.
const KINDS: usize = 4;

/// Counts of rows by number; NULL, NaN and infinities apart.
///
/// Merges in any order to identical bytes. Memory: at most `max_bins` bins (see [`Digest`]).
///
/// ```
/// use modelwatch::kernel::value_profile::ValueProfile;
/// let mut profile = ValueProfile::default();
/// [Some(2.5), None, Some(f64::NAN), Some(-1.0)].map(|x| profile.observe(x));
/// let bins = profile.bins();
/// assert_eq!((bins.rows(), bins.nulls, bins.nans), (2, 1, 1));
/// assert_eq!(bins.bins.first().map(|bin| bin.lower), Some(-1.0));
/// ```
#[derive(Debug, Clone)]
pub struct ValueProfile {
    numbers: Digest<1>,
    /// NULL, NaN, plus infinity, minus infinity.
    apart: [u64; KINDS],
    coarseness: Coarseness,
}

impl Default for ValueProfile {
    fn default() -> Self {
        Self::new(DigestLimits::default())
    }
}

impl ValueProfile {
    /// An empty profile; it owns no heap memory.
    pub fn new(limits: DigestLimits) -> Self {
        Self {
            numbers: Digest::new(limits),
            apart: [0; KINDS],
            coarseness: Coarseness::new(limits),
        }
    }

    /// Adds a row; NULL, NaN and infinities are counted apart.
    #[inline]
    pub fn observe(&mut self, number: Option<f64>) {
        match number {
            Some(x) if x.is_finite() => self.numbers.add(self.coarseness.of(SCALE.key(x)), 0),
            other => self.count_apart(other, 1),
        }
    }

    /// Adds `rows` rows of one number, as [`Self::observe`] would one by one, at the price of a merge.
    pub fn observe_rows(&mut self, number: Option<f64>, rows: u64) {
        match number {
            Some(x) if x.is_finite() => {
                self.numbers
                    .add_rows(self.coarseness.of(SCALE.key(x)), 0, rows);
            }
            other => self.count_apart(other, rows),
        }
    }

    fn count_apart(&mut self, number: Option<f64>, rows: u64) {
        let [nulls, nans, positive, negative] = &mut self.apart;
        let count = match number {
            None => nulls,
            Some(x) if x.is_nan() => nans,
            Some(x) if x > 0.0 => positive,
            Some(_) => negative,
        };
        *count = count.saturating_add(rows);
    }

    /// Adds the rows of another profile.
    ///
    /// Errors: [`KernelError::Undefined`] when `min_level` differs.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), KernelError> {
        require_same_coarseness(self.limits(), other.limits())?;
        self.numbers.merge(&mut other.numbers);
        self.add_apart(&other.apart);
        Ok(())
    }

    fn add_apart(&mut self, apart: &[u64; KINDS]) {
        for (count, more) in self.apart.iter_mut().zip(apart) {
            *count = count.saturating_add(*more);
        }
    }

    /// Memory and resolution bounds.
    pub fn limits(&self) -> DigestLimits {
        self.numbers.limits()
    }

    /// Bytes on the heap; constant time.
    #[inline]
    pub fn heap_size(&self) -> usize {
        self.numbers.heap_size()
    }

    /// Canonical bytes: equal for equal rows, however they were split, ordered or merged.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let (limits, range) = (self.limits(), self.numbers.range());
        let (level, entries) = self.numbers.entries();
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.reserve(64 + entries.len() * 6);
        w.uint(u64::from(limits.max_bins));
        w.uint(u64::from(limits.min_level));
        w.uint(u64::from(level));
        self.apart.iter().for_each(|&n| w.uint(n));
        write_range(&mut w, range);
        write_entries(&mut w, level, &entries);
        w.finish()
    }

    /// Reads [`ValueProfile::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut profile = Self::new(read_limits(&mut reader(bytes)?)?);
        profile.merge_bytes(bytes)?;
        Ok(profile)
    }

    /// Adds the rows of a profile given as bytes.
    ///
    /// Errors: bytes that [`ValueProfile::to_bytes`] did not write, and those of [`ValueProfile::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        let mut r = reader(bytes)?;
        let limits = read_limits(&mut r)?;
        require_same_coarseness(self.limits(), limits)?;
        let level = read_level(&mut r, limits)?;
        let mut apart = [0; KINDS];
        for count in &mut apart {
            *count = r.uint()?;
            if *count > MOST_ROWS {
                return Err(disordered());
            }
        }
        let range = read_range(&mut r)?;
        let entries = read_entries(&mut r, level, limits, 1)?;
        r.finish()?;
        check_range(SCALE, range, level, &entries)?;
        self.add_apart(&apart);
        self.numbers.merge_entries(level, limits, entries, range);
        Ok(())
    }

    /// The profile as statistics read it.
    pub fn bins(&mut self) -> ValueBins {
        let coarse = self.limits().min_level > 0;
        // the range of coarsened numbers does not bound the numbers themselves
        let range = self.numbers.range().filter(|_| !coarse);
        let (level, entries) = self.numbers.entries();
        let bins = entries.iter().filter_map(|entry| {
            let (lower, upper) = bin_ends(SCALE, std::slice::from_ref(entry), level, range)?;
            Some(ValueBin {
                lower,
                upper,
                count: entry.count,
                sum: SCALE.sum_of_values(entry.bin, level, entry.count, entry.dropped),
            })
        });
        let [nulls, nans, positive_infinities, negative_infinities] = self.apart;
        ValueBins {
            bins: bins.collect(),
            level,
            sums_exact: level <= MANTISSA_BITS && !coarse,
            nulls,
            nans,
            positive_infinities,
            negative_infinities,
        }
    }
}

fn reader(bytes: &[u8]) -> Result<Reader<'_>, KernelError> {
    Reader::new(bytes, MAGIC, LAYOUT, "value profile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_and_the_rest_apart() {
        let mut profile = ValueProfile::default();
        for x in [
            1.0,
            2.0,
            2.0,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ] {
            profile.observe(Some(x));
        }
        profile.observe(None);
        let bins = profile.bins();
        let counts: Vec<(f64, u64)> = bins.bins.iter().map(|b| (b.lower, b.count)).collect();
        assert_eq!(counts, [(0.0, 1), (1.0, 1), (2.0, 2)]);
        assert_eq!(
            [
                bins.nulls,
                bins.nans,
                bins.positive_infinities,
                bins.negative_infinities
            ],
            [1, 1, 1, 1]
        );
        assert_eq!(bins.level, 0);
    }

    #[test]
    fn bytes_do_not_depend_on_how_rows_were_split() {
        let limits = DigestLimits {
            max_bins: 64,
            min_level: 0,
        };
        let numbers: Vec<f64> = (0..5_000)
            .map(|i| f64::from(i * 7919 % 5_003) / 3.0)
            .collect();
        let mut whole = ValueProfile::new(limits);
        numbers.iter().for_each(|&x| whole.observe(Some(x)));
        let mut merged = ValueProfile::new(limits);
        for part in numbers.rchunks(617) {
            let mut profile = ValueProfile::new(limits);
            part.iter().for_each(|&x| profile.observe(Some(x)));
            merged.merge_bytes(&profile.to_bytes()).unwrap();
        }
        assert_eq!(whole.to_bytes(), merged.to_bytes());
        let bins = whole.bins();
        assert!(bins.bins.len() <= 64 && bins.level > 0);
        let sum: f64 = bins.bins.iter().map(|bin| bin.sum).sum();
        let expected: f64 = numbers.iter().sum();
        assert!((sum / expected - 1.0).abs() < 1e-12);
    }
}
