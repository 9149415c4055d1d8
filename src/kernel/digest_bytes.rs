//! How the profiles write and read a digest; what is read is checked, for bytes may come from anywhere.
use super::codec::{Reader, Writer};
use super::digest::{DigestLimits, Entry};
use super::error::KernelError;
use super::key::Scale;

/// More rows than any store holds; sums of a few such counts still fit.
pub(super) const MOST_ROWS: u64 = 1 << 53;

/// Bins ascending: the step from the bin before, a mask of its classes, and for each class count and sum.
pub(super) fn write_entries(w: &mut Writer, level: u8, entries: &[Entry]) {
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

pub(super) fn read_entries(
    r: &mut Reader<'_>,
    level: u8,
    limits: DigestLimits,
    classes: usize,
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
            || mask >= 1 << classes
            || bin > u64::MAX >> level
            || (step == 0 && !entries.is_empty())
        {
            return Err(disordered());
        }
        for class in (0..classes as u8).filter(|class| mask >> class & 1 == 1) {
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
pub(super) fn check_range(
    scale: Scale,
    range: Option<(u64, u64)>,
    level: u8,
    entries: &[Entry],
) -> Result<(), KernelError> {
    let (least, most) = scale.keys();
    let rows = entries
        .iter()
        .try_fold(0u64, |rows, e| rows.checked_add(e.count));
    let inside = match (range, entries.first(), entries.last()) {
        (None, None, None) => true,
        (Some((first, last)), Some(low), Some(high)) => {
            first >= least
                && last <= most
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

pub(super) fn disordered() -> KernelError {
    KernelError::Unreadable("a profile holds bins or counts that no rows can give".into())
}

pub(super) fn read_limits(r: &mut Reader<'_>) -> Result<DigestLimits, KernelError> {
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

pub(super) fn read_level(r: &mut Reader<'_>, limits: DigestLimits) -> Result<u8, KernelError> {
    match u8::try_from(r.uint()?) {
        Ok(level) if (limits.min_level..=63).contains(&level) => Ok(level),
        _ => Err(disordered()),
    }
}

pub(super) fn write_range(w: &mut Writer, range: Option<(u64, u64)>) {
    match range {
        Some((first, last)) => {
            w.uint(1);
            w.uint(first);
            w.uint(last);
        }
        None => w.uint(0),
    }
}

pub(super) fn read_range(r: &mut Reader<'_>) -> Result<Option<(u64, u64)>, KernelError> {
    match r.uint()? {
        0 => Ok(None),
        1 => Ok(Some((r.uint()?, r.uint()?))),
        _ => Err(disordered()),
    }
}
