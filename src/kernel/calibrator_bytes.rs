//! Stored form of a calibrator: versioned, checksummed, one byte string for one calibrator.
//!
//! Flags, offsets, decision gap, blocks of `first, last, rows, positives`, runs of the support.
use super::calibrator::{Calibrator, Offset};
use super::codec::{Reader, Writer};
use super::error::KernelError;
use super::isotonic::Block;
use super::support::{Run, Support};

const MAGIC: [u8; 4] = *b"MWCA";
const LAYOUT: u8 = 2;
/// Fewest bytes of a block and of a run: two floats, and whole numbers.
const BLOCK: usize = 18;
const RUN: usize = 17;

impl Calibrator {
    /// Bytes from which [`Self::from_bytes`] restores this calibrator; equal for equal ones.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(u64::from(self.uses_raw_scores()));
        for offset in [self.roc_auc_offset(), self.average_precision_offset()] {
            w.float(offset.value);
            w.float(offset.variance);
            w.float(offset.reach);
        }
        for gap in self.decision_gap() {
            w.float(gap);
        }
        w.uint(self.blocks().len() as u64);
        for block in self.blocks() {
            w.float(block.first);
            w.float(block.last);
            w.uint(block.rows);
            w.uint(block.positives);
        }
        w.uint(self.support().runs().len() as u64);
        for run in self.support().runs() {
            w.float(run.first);
            w.float(run.last);
            w.uint(run.rows);
        }
        w.finish()
    }

    /// Restores a calibrator.
    ///
    /// * Errors: [`KernelError::Unreadable`] for bytes that [`Self::to_bytes`] of this layout
    ///   cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "calibrator")?;
        let uses_raw_scores = match r.uint()? {
            0 => false,
            1 => true,
            _ => return unreadable("the calibrator has unknown flags"),
        };
        let offsets = [offset(&mut r)?, offset(&mut r)?];
        let gap = [within_one(&mut r)?, within_one(&mut r)?];
        let blocks = blocks(&mut r)?;
        let runs = runs(&mut r)?;
        r.finish()?;
        let support = Support::from_runs(runs)?;
        let fitted = Self::from_stored(blocks, uses_raw_scores, offsets, gap, support);
        // one calibrator, one string of bytes: a longer spelling of a number is not ours
        if fitted.to_bytes() == bytes {
            Ok(fitted)
        } else {
            unreadable("the calibrator is not in its canonical form")
        }
    }
}

fn unreadable<T>(why: &str) -> Result<T, KernelError> {
    Err(KernelError::Unreadable(why.to_owned()))
}

fn finite(r: &mut Reader) -> Result<f64, KernelError> {
    let number = r.float()?;
    if number.is_finite() {
        Ok(number)
    } else {
        unreadable("a number of the calibrator is not finite")
    }
}

fn within_one(r: &mut Reader) -> Result<f64, KernelError> {
    let number = finite(r)?;
    if number.abs() <= 1.0 {
        Ok(number)
    } else {
        unreadable("a number of the calibrator is out of range")
    }
}

fn offset(r: &mut Reader) -> Result<Offset, KernelError> {
    let (value, variance, reach) = (within_one(r)?, finite(r)?, within_one(r)?);
    if variance >= 0.0 {
        Ok(Offset {
            value,
            variance,
            reach,
        })
    } else {
        unreadable("a variance of the calibrator is negative")
    }
}

fn blocks(r: &mut Reader) -> Result<Vec<Block>, KernelError> {
    let mut blocks: Vec<Block> = Vec::new();
    for _ in 0..r.length(BLOCK)? {
        let block = Block {
            first: finite(r)?,
            last: finite(r)?,
            rows: r.uint()?,
            positives: r.uint()?,
        };
        let whole = block.first <= block.last && block.rows > 0 && block.positives <= block.rows;
        let follows = blocks
            .last()
            .is_none_or(|before| before.last < block.first && before.is_below(&block));
        if !(whole && follows) {
            return unreadable("the blocks of the calibrator are out of order");
        }
        blocks.push(block);
    }
    if blocks.is_empty() {
        return unreadable("the calibrator has no blocks");
    }
    Ok(blocks)
}

fn runs(r: &mut Reader) -> Result<Vec<Run>, KernelError> {
    let mut runs = Vec::new();
    for _ in 0..r.length(RUN)? {
        runs.push(Run {
            first: finite(r)?,
            last: finite(r)?,
            rows: r.uint()?,
        });
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::super::bins::Class::{Negative as N, Positive as P, Unknown as U};
    use super::super::calibrator::CalibrationMode;
    use super::super::testing::chunk;
    use super::*;

    fn fitted() -> Calibrator {
        let rows: Vec<_> = (0..100)
            .map(|i| {
                let label = if i * i % 97 < i { P } else { N };
                (
                    f64::from(i) / 100.0,
                    U,
                    label,
                    1 + u64::from(i % 7 == 0) * 3,
                )
            })
            .collect();
        Calibrator::fit(&chunk(&rows), CalibrationMode::Always).unwrap()
    }

    #[test]
    fn bytes_restore_the_calibrator() {
        let calibrator = fitted();
        let bytes = calibrator.to_bytes();
        let restored = Calibrator::from_bytes(&bytes).unwrap();
        assert_eq!(restored, calibrator);
        assert_eq!(restored.to_bytes(), bytes);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let bytes = fitted().to_bytes();
        for length in 0..bytes.len() {
            assert!(Calibrator::from_bytes(&bytes[..length]).is_err());
        }
        for index in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[index / 8] ^= 1 << (index % 8);
            assert!(Calibrator::from_bytes(&flipped).is_err(), "bit {index}");
        }
    }

    #[test]
    fn a_checksum_does_not_excuse_nonsense() {
        let bytes = fitted().to_bytes();
        for index in 0..bytes.len() - 4 {
            let mut changed = bytes.clone();
            changed[index] ^= 0x80;
            let content = changed.len() - 4;
            let checksum = crc32fast::hash(&changed[..content]).to_le_bytes();
            changed[content..].copy_from_slice(&checksum);
            if let Ok(read) = Calibrator::from_bytes(&changed) {
                assert_eq!(read.to_bytes(), changed);
            }
        }
    }
}
