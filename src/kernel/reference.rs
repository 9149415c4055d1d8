//! What is fitted on the reference of one group: a calibrator, and one for each of ten parts left out.
use super::bins::ScoreBins;
use super::calibrator::{CalibrationMode, Calibrator};
use super::codec::{Reader, Writer};
use super::error::KernelError;
use super::reading::Status;
use super::score_profile::ScoreProfile;

const MAGIC: [u8; 4] = *b"MWRF";
const LAYOUT: u8 = 1;
/// Parts that are left out in turn; more would cost fits and change little.
const MOST_PARTS: usize = 10;
/// Labelled rows below which a calibrator is told to be uncertain; its error bars carry it anyhow.
const FEW_ROWS: u64 = 1_000;
/// The same for rows of either class.
const FEW_OF_A_CLASS: u64 = 50;

/// One chunk of the reference.
#[derive(Debug)]
pub struct ReferenceChunk {
    /// Its `chunk_index`; `None` for rows without a timestamp.
    pub index: Option<i64>,
    /// Its rows.
    pub profile: ScoreProfile,
}

/// The fitted reference.
///
/// An analysis chunk is estimated by the calibrator of the whole reference. A chunk of the reference itself is
/// estimated by one that has not seen it, so that its estimate can be held against its labels
/// (statistics review S2b); chunks are left out together in ten parts, by their rank modulo ten.
///
/// Limits are learnt from other estimates of the reference: see [`ReferenceFit::calibrator_of_limits`].
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceFit {
    /// `None` when there was nothing to fit on.
    whole: Option<Calibrator>,
    without_part: Vec<Calibrator>,
    /// Indices of the chunks, ascending.
    chunks: Vec<Option<i64>>,
    status: Status,
}

impl ReferenceFit {
    /// Fits on the chunks of the reference; the order in which they come does not matter.
    ///
    /// Without rows, labels, or labels of both classes there is no calibrator, and the status says why.
    /// Errors: those of [`Calibrator::fit`] and of [`ScoreProfile::merge`].
    pub fn fit(
        mut chunks: Vec<ReferenceChunk>,
        mode: CalibrationMode,
    ) -> Result<Self, KernelError> {
        // merges are canonical, so chunks of one index need no order among themselves
        chunks.sort_by_key(|chunk| chunk.index);
        let mut indices: Vec<Option<i64>> = chunks.iter().map(|chunk| chunk.index).collect();
        indices.dedup();
        let mut parts = parts_of(chunks, &indices)?;
        let Some(mut all) = merged(&mut parts)? else {
            return Ok(Self::nothing(Status::NoReference));
        };
        let whole = all.bins();
        let labels = labelled_rows(&whole);
        match labels {
            [0, 0] => return Ok(Self::nothing(Status::ReferenceUnlabelled)),
            [0, _] | [_, 0] => return Ok(Self::nothing(Status::ReferenceSingleClass)),
            _ => (),
        }
        let few =
            labels.iter().sum::<u64>() < FEW_ROWS || labels.iter().any(|&n| n < FEW_OF_A_CLASS);
        let calibrator = Calibrator::fit(&whole, mode)?;
        let status = Status::SmallReference
            .only_if(few)
            .worst(Status::UninformativeScore.only_if(calibrator.is_uninformative()));
        let mut without_part = Vec::new();
        if parts.len() > 1 {
            for part in &mut parts {
                // a part that holds all rows of a class leaves nothing to fit on
                let refitted = calibrator.refit(&all.without(part).bins());
                without_part.push(refitted.unwrap_or_else(|| calibrator.clone()));
            }
        }
        Ok(Self {
            whole: Some(calibrator),
            without_part,
            chunks: indices,
            status,
        })
    }

    fn nothing(status: Status) -> Self {
        Self {
            whole: None,
            without_part: vec![],
            chunks: vec![],
            status,
        }
    }

    /// The calibrator that limits are learnt with: that of the analysis chunks, for the reference's too.
    ///
    /// Departure from statistics review S2b, which learns limits from cross-fitted estimates. An estimate
    /// does not read the labels of its own chunk, so a calibrator that has seen them does not flatter it;
    /// but calibrators without one chunk each differ by the label noise of that chunk, which is several
    /// times the sampling error of the estimates, and are fitted on fewer rows. MEASURED, chunks of 200 and
    /// 1,000 rows, six metrics, two models: excess of the reference's mean over new chunks in sampling sd
    /// of a chunk, and variance of its values over the sampling variance:
    ///
    /// | chunks | excess, without itself | with one calibrator | variance, without itself | with one calibrator |
    /// |---|---|---|---|---|
    /// | 3 | -.14 to +.30 | -.05 to +.07 | 1.2 to 3.7 | 0.8 to 1.1 |
    /// | 5 | -.07 to +.15 | -.01 to +.05 | 1.1 to 1.8 | 0.8 to 1.1 |
    /// | 10 | -.03 to +.06 | -.02 to +.03 | 0.9 to 1.2 | 0.8 to 1.0 |
    ///
    /// (The simulation's error of the excess is .01 to .04.) Limits so widened found 0.24 of the shifts by 4
    /// sampling sd of an estimated ROC AUC with five chunks.
    pub fn calibrator_of_limits(&self) -> Option<&Calibrator> {
        self.whole.as_ref()
    }

    /// The calibrator for analysis chunks; `None` when there was nothing to fit on.
    pub fn calibrator(&self) -> Option<&Calibrator> {
        self.whole.as_ref()
    }

    /// The calibrator for a chunk of the reference; `None` when there was nothing to fit on.
    pub fn calibrator_without(&self, index: Option<i64>) -> Option<&Calibrator> {
        let rank = self.chunks.binary_search(&index).unwrap_or(0);
        let part = rank % self.without_part.len().max(1);
        self.without_part.get(part).or(self.whole.as_ref())
    }

    /// A reserve that holds for everything judged by this fit.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Versioned, checksummed bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.bytes(self.status.name().as_bytes());
        w.uint(self.chunks.len() as u64);
        for index in &self.chunks {
            w.uint(u64::from(index.is_some()));
            w.int(index.unwrap_or(0));
        }
        w.uint((self.without_part.len() + self.whole.iter().len()) as u64);
        for calibrator in self.whole.iter().chain(&self.without_part) {
            w.bytes(&calibrator.to_bytes());
        }
        w.finish()
    }

    /// Reads [`ReferenceFit::to_bytes`]; fails on any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "fitted reference")?;
        let name = r.bytes()?;
        let status = Status::ALL
            .into_iter()
            .find(|status| status.name().as_bytes() == name);
        let unknown =
            || KernelError::Unreadable("the fitted reference has an unknown status".into());
        let mut chunks = Vec::new();
        for _ in 0..r.length(2)? {
            let known = r.uint()? == 1;
            let index = r.int()?;
            chunks.push(known.then_some(index));
        }
        let mut calibrators = Vec::new();
        for _ in 0..r.length(1)? {
            calibrators.push(Calibrator::from_bytes(r.bytes()?)?);
        }
        r.finish()?;
        let mut calibrators = calibrators.into_iter();
        let read = Self {
            whole: calibrators.next(),
            without_part: calibrators.collect(),
            chunks,
            status: status.ok_or_else(unknown)?,
        };
        // chunks are looked up by bisection, and one fit has one string of bytes
        let ascending = read
            .chunks
            .iter()
            .zip(read.chunks.iter().skip(1))
            .all(|(a, b)| a < b);
        if ascending && read.to_bytes() == bytes {
            return Ok(read);
        }
        Err(KernelError::Unreadable(
            "the fitted reference is not in its canonical form".into(),
        ))
    }
}

/// The chunks as at most ten parts, by rank of their index.
fn parts_of(
    chunks: Vec<ReferenceChunk>,
    indices: &[Option<i64>],
) -> Result<Vec<ScoreProfile>, KernelError> {
    let mut parts: Vec<ScoreProfile> = Vec::new();
    for mut chunk in chunks {
        let part = indices.binary_search(&chunk.index).unwrap_or(0) % MOST_PARTS;
        match parts.get_mut(part) {
            Some(profile) => profile.merge(&mut chunk.profile)?,
            None => parts.push(chunk.profile),
        }
    }
    Ok(parts)
}

fn merged(parts: &mut [ScoreProfile]) -> Result<Option<ScoreProfile>, KernelError> {
    let Some((first, rest)) = parts.split_first_mut() else {
        return Ok(None);
    };
    let mut all = first.clone();
    for part in rest {
        all.merge(part)?;
    }
    Ok(Some(all))
}

/// Labelled rows with a score, negative and positive.
fn labelled_rows(bins: &ScoreBins) -> [u64; 2] {
    let cells = bins.bins.iter().flat_map(|bin| &bin.cells);
    cells.fold([0, 0], |[negatives, positives], [negative, positive, _]| {
        [negatives + negative.count, positives + positive.count]
    })
}
