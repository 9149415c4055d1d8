//! Sums over clusters, or over rows that are independent, of the squares of their totals.
use super::codec::{Reader, Writer};
use super::error::KernelError;
use super::exact_sum::ExactSum;

const MAGIC: [u8; 4] = *b"MWCS";
const LAYOUT: u8 = 2;

/// By reading, the squares of the totals of clusters and the squares of these, exact; merges in any order to identical bytes.
///
/// ```
/// use modelwatch::kernel::cluster_squares::ClusterSquares;
/// let mut sums = ClusterSquares::default();
/// sums.observe(&[1.0, 2.0]);
/// sums.observe(&[3.0, 0.0]);
/// assert_eq!(sums.numbers().collect::<Vec<_>>(), [2.0, 10.0, 4.0, 82.0, 16.0]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ClusterSquares {
    clusters: u64,
    squares: Vec<ExactSum>,
    fourths: Vec<ExactSum>,
}

impl ClusterSquares {
    /// Whether bytes begin as these sums do.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// Adds the totals of a cluster; none where no row of it was used.
    pub fn observe(&mut self, totals: &[f64]) {
        self.clusters += u64::from(!totals.is_empty());
        self.at_least(totals.len());
        let sums = self.squares.iter_mut().zip(&mut self.fourths);
        for ((square, fourth), total) in sums.zip(totals) {
            square.add_square(*total);
            fourth.add_square(total * total);
        }
    }

    /// The number of clusters, the sums of squares by reading, then those of fourth powers.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        let sums = self.squares.iter().chain(&self.fourths);
        let sums = sums.map(|sum| sum.value().float());
        [self.clusters as f64].into_iter().chain(sums)
    }

    fn at_least(&mut self, readings: usize) {
        if self.squares.len() < readings {
            self.squares.resize_with(readings, ExactSum::default);
            self.fourths.resize_with(readings, ExactSum::default);
        }
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let sums = self.squares.iter().chain(&self.fourths);
        let sums: usize = sums.map(ExactSum::heap_size).sum();
        sums + (self.squares.capacity() + self.fourths.capacity()) * size_of::<ExactSum>()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.uint(self.clusters);
        w.uint(self.squares.len() as u64);
        let sums = self.squares.iter().chain(&self.fourths);
        sums.for_each(|sum| sum.write(&mut w));
        w.finish()
    }

    /// Adds the clusters of others, given as bytes.
    ///
    /// Errors: bytes that [`Self::to_bytes`] did not write.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "sums over clusters")?;
        let clusters = r.uint()?;
        let readings = r.length(1)?;
        let more: Result<Vec<ExactSum>, KernelError> =
            (0..2 * readings).map(|_| ExactSum::read(&mut r)).collect();
        let more = more?;
        r.finish()?;
        self.clusters = self.clusters.saturating_add(clusters);
        self.at_least(readings);
        let (squares, fourths) = more.split_at(readings);
        let squares = self.squares.iter_mut().zip(squares);
        let fourths = self.fourths.iter_mut().zip(fourths);
        squares
            .chain(fourths)
            .for_each(|(sum, more)| sum.merge(more));
        Ok(())
    }
}

/// [`ClusterSquares::numbers`] by what they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// How many clusters there are.
    pub clusters: f64,
    /// By reading.
    pub squares: &'a [f64],
    pub fourths: &'a [f64],
}

impl<'a> Told<'a> {
    /// Errors: as many sums as there are no `readings`.
    pub fn read(numbers: &'a [f64], readings: usize) -> Result<Self, KernelError> {
        let wrong = || {
            KernelError::Undefined(format!(
                "there are {} sums over clusters for {readings} readings. Expected the number of clusters and two for each",
                numbers.len().saturating_sub(1)
            ))
        };
        let (clusters, sums) = numbers.split_first().ok_or_else(wrong)?;
        // of no clusters there are no sums
        let readings = if *clusters > 0.0 { readings } else { 0 };
        if sums.len() != 2 * readings {
            return Err(wrong());
        }
        let (squares, fourths) = sums.split_at(readings);
        Ok(Self {
            clusters: *clusters,
            squares,
            fourths,
        })
    }

    /// What clusters lose to a mean that is their own; one cluster tells nothing.
    pub fn made_up(&self) -> f64 {
        self.clusters / (self.clusters - 1.0).max(1.0)
    }

    /// How many clusters of equal totals tell as much of a variance as these do.
    pub fn equal_clusters(square: f64, fourth: f64) -> Option<f64> {
        Some(square * square / fourth).filter(|told| told.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_to_the_same_bytes() {
        let totals = [[1.0, 1e-9], [-3.0, 1e9], [0.1, 0.2]];
        let mut whole = ClusterSquares::default();
        let mut merged = ClusterSquares::default();
        for row in &totals {
            let mut one = ClusterSquares::default();
            one.observe(row);
            merged.merge_bytes(&one.to_bytes()).unwrap();
        }
        totals.iter().rev().for_each(|row| whole.observe(row));
        assert_eq!(whole.to_bytes(), merged.to_bytes());
        assert!(merged.merge_bytes(b"MWCS").is_err());
    }

    #[test]
    fn sums_are_told_apart() {
        let numbers = [4.0, 8.0, 2.0, 16.0, 4.0];
        let told = Told::read(&numbers, 2).unwrap();
        assert_eq!(
            (told.squares, told.fourths),
            (&[8.0, 2.0][..], &[16.0, 4.0][..])
        );
        // four totals of the same size; one that is all
        assert_eq!(Told::equal_clusters(8.0, 16.0), Some(4.0));
        assert_eq!(Told::equal_clusters(2.0, 4.0), Some(1.0));
        assert_eq!(Told::equal_clusters(0.0, 0.0), None);
        assert!(Told::read(&numbers, 3).is_err());
        assert!(Told::read(&[0.0], 3).is_ok());
    }
}
