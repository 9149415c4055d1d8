//! Stored form of a calibrator: versioned, checksummed, one byte string for one calibrator.
//!
//! Little-endian: magic, version, flags, four offset numbers, count and blocks of
//! `first, last, rows, positives`, count and runs of `first, last, rows`, CRC-32 of all before.
use super::calibrator::{Calibrator, Offset};
use super::error::KernelError;
use super::isotonic::Block;
use super::support::{Run, Support};

const MAGIC: [u8; 4] = *b"MWCA";
const VERSION: u8 = 1;
const RAW_SCORES: u8 = 1;

impl Calibrator {
    /// Bytes from which [`Self::from_bytes`] restores this calibrator; equal for equal ones.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MAGIC);
        bytes.push(VERSION);
        bytes.push(if self.uses_raw_scores() {
            RAW_SCORES
        } else {
            0
        });
        for offset in [self.roc_auc_offset(), self.average_precision_offset()] {
            bytes.extend_from_slice(&offset.value.to_le_bytes());
            bytes.extend_from_slice(&offset.variance.to_le_bytes());
        }
        bytes.extend_from_slice(&(self.blocks().len() as u64).to_le_bytes());
        for block in self.blocks() {
            bytes.extend_from_slice(&block.first.to_le_bytes());
            bytes.extend_from_slice(&block.last.to_le_bytes());
            bytes.extend_from_slice(&block.rows.to_le_bytes());
            bytes.extend_from_slice(&block.positives.to_le_bytes());
        }
        bytes.extend_from_slice(&(self.support().runs().len() as u64).to_le_bytes());
        for run in self.support().runs() {
            bytes.extend_from_slice(&run.first.to_le_bytes());
            bytes.extend_from_slice(&run.last.to_le_bytes());
            bytes.extend_from_slice(&run.rows.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Restores a calibrator.
    ///
    /// * Errors: [`KernelError::Unreadable`] for bytes that [`Self::to_bytes`] of this version
    ///   cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let (content, checksum) = bytes
            .split_last_chunk::<4>()
            .ok_or_else(|| unreadable("too short for a calibrator"))?;
        let mut reader = Reader(content);
        if reader.take::<4>()? != MAGIC {
            return Err(unreadable("not a calibrator"));
        }
        let [version, flags] = reader.take::<2>()?;
        if version != VERSION {
            let why = format!("calibrator version {version}, expected {VERSION}");
            return Err(KernelError::Unreadable(why));
        }
        if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return Err(unreadable("the checksum of the calibrator does not match"));
        }
        if flags & !RAW_SCORES != 0 {
            return Err(unreadable("unknown flags of a calibrator"));
        }
        let offsets = [reader.offset()?, reader.offset()?];
        let blocks = reader.blocks()?;
        let support = Support::from_runs(reader.runs()?)?;
        if !reader.0.is_empty() {
            return Err(unreadable("bytes left over after the calibrator"));
        }
        Ok(Self::from_stored(
            blocks,
            flags == RAW_SCORES,
            offsets,
            support,
        ))
    }
}

fn unreadable(why: &str) -> KernelError {
    KernelError::Unreadable(why.to_owned())
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], KernelError> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or_else(|| unreadable("the calibrator is cut short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn integer(&mut self) -> Result<u64, KernelError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn number(&mut self) -> Result<f64, KernelError> {
        let number = f64::from_le_bytes(self.take()?);
        if number.is_finite() {
            Ok(number)
        } else {
            Err(unreadable("a number of the calibrator is not finite"))
        }
    }

    fn offset(&mut self) -> Result<Offset, KernelError> {
        let (value, variance) = (self.number()?, self.number()?);
        if value.abs() <= 1.0 && variance >= 0.0 {
            Ok(Offset { value, variance })
        } else {
            Err(unreadable("an offset of the calibrator is out of range"))
        }
    }

    fn blocks(&mut self) -> Result<Vec<Block>, KernelError> {
        let count = self.integer()?;
        let mut blocks: Vec<Block> = Vec::new();
        for _ in 0..count {
            let block = Block {
                first: self.number()?,
                last: self.number()?,
                rows: self.integer()?,
                positives: self.integer()?,
            };
            let ordered =
                block.first <= block.last && block.rows > 0 && block.positives <= block.rows;
            let follows = blocks
                .last()
                .is_none_or(|before| before.last < block.first && before.is_below(&block));
            if !(ordered && follows) {
                return Err(unreadable("the blocks of the calibrator are out of order"));
            }
            blocks.push(block);
        }
        if blocks.is_empty() {
            return Err(unreadable("a calibrator without blocks"));
        }
        Ok(blocks)
    }

    fn runs(&mut self) -> Result<Vec<Run>, KernelError> {
        let count = self.integer()?;
        let mut runs = Vec::new();
        for _ in 0..count {
            runs.push(Run {
                first: self.number()?,
                last: self.number()?,
                rows: self.integer()?,
            });
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bins::{Cell, ScoreBin, ScoreBins};
    use super::super::calibrator::CalibrationMode;
    use super::*;

    fn fitted() -> Calibrator {
        let bins = (0..100)
            .map(|i| {
                let score = f64::from(i) / 100.0;
                let mut bin = ScoreBin {
                    lower: score,
                    upper: score,
                    ..ScoreBin::default()
                };
                let count = 1 + u64::from(i % 7 == 0) * 3;
                let label = usize::from(i * i % 97 < i);
                bin.cells[2][label] = Cell {
                    count,
                    sum: score * count as f64,
                };
                bin
            })
            .collect();
        let reference = ScoreBins {
            bins,
            sums_exact: true,
            ..ScoreBins::default()
        };
        Calibrator::fit(&reference, CalibrationMode::Always).unwrap()
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
