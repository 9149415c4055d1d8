//! The fitted projection: which directions carry the reference, and how far a row lies from them.
use super::Cell;
use super::covariance::{Covariance, MOST_COLUMNS};
use super::eigen::{dot, eigen};
use super::encoding::Encoding;
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::reading::Status;

const MAGIC: [u8; 4] = *b"MWPC";
const WHAT: &str = "fitted projection";
/// Reference rows for each column, below which its own rows fit the projection visibly better than new ones.
const ENOUGH_ROWS: u64 = 100;

/// How many components are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Components {
    /// As few as carry more than this share of the variance.
    Share(f64),
    /// So many.
    Count(usize),
}

impl Components {
    /// A share below 1, or a whole number from 1 on.
    ///
    /// ```
    /// use modelwatch::kernel::pca::projection::Components;
    /// assert_eq!(Components::of(0.65), Ok(Components::Share(0.65)));
    /// assert_eq!(Components::of(2.0), Ok(Components::Count(2)));
    /// assert!(Components::of(2.5).is_err() && Components::of(0.0).is_err());
    /// ```
    pub fn of(number: f64) -> Result<Self, KernelError> {
        if number > 0.0 && number < 1.0 {
            return Ok(Self::Share(number));
        }
        if number >= 1.0 && number.fract() == 0.0 && number <= MOST_COLUMNS as f64 {
            return Ok(Self::Count(number as usize));
        }
        Err(KernelError::Undefined(format!(
            "n_components is {number}. Expected a share of the variance between 0 and 1, or a whole number of components"
        )))
    }
}

/// The encoding of rows, and the directions that the reference does not use.
#[derive(Debug, Clone)]
pub struct Projection {
    encoding: Encoding,
    /// `Ok`, `SmallReference`, or why there is no projection.
    status: Status,
    /// Share of the variance along each component that is kept, largest first.
    shares: Vec<f64>,
    /// A unit vector for each component that is not kept, and its product with the mean row.
    dropped: Vec<(Vec<f64>, f64)>,
}

impl Projection {
    /// Fits the projection. What cannot be fitted is a projection with a status and without components.
    pub fn fit(encoding: Encoding, sums: &Covariance, components: Components) -> Self {
        let columns = encoding.columns().len();
        let unfit = |encoding, status| Self {
            encoding,
            status,
            shares: vec![],
            dropped: vec![],
        };
        if encoding.has_empty_column() {
            return unfit(encoding, Status::EmptyColumn);
        }
        let Some(matrix) = sums.matrix().filter(|_| !encoding.is_constant()) else {
            return unfit(encoding, Status::ConstantColumns);
        };
        let found = eigen(matrix);
        let total: f64 = found.iter().map(|(value, _)| value).sum();
        let shares: Vec<f64> = found.iter().map(|(value, _)| value / total).collect();
        let kept = match components {
            Components::Count(count) => count,
            Components::Share(share) => {
                let cumulative = shares.iter().scan(0.0, |sum, share| {
                    *sum += share;
                    Some(*sum)
                });
                cumulative.take_while(|sum| *sum <= share).count() + 1
            }
        };
        if kept >= columns {
            return unfit(encoding, Status::AllComponents);
        }
        let means = sums.means();
        let vectors = found.into_iter().skip(kept).map(|(_, vector)| vector);
        let small = sums.rows() < ENOUGH_ROWS * columns as u64;
        Self {
            encoding,
            status: Status::SmallReference.only_if(small),
            shares: shares.into_iter().take(kept).collect(),
            dropped: vectors
                .map(|v| (dot(&v, &means), v))
                .map(|(at, v)| (v, at))
                .collect(),
        }
    }

    /// How rows are encoded.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// `Ok`, `SmallReference`, or why no row has an error.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Share of the variance along each component that is kept, largest first.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// Distance of a row from its reconstruction, in standard deviations of the columns (Euclidean norm);
    /// `None` for a row that is not finite, and where there is no projection.
    ///
    /// `z` is room for a number of each column. The norm of what the kept components leave over is that of the
    /// products with the others, which need not be told apart from their negatives.
    pub fn error<'a>(&self, cells: impl Iterator<Item = Cell<'a>>, z: &mut [f64]) -> Option<f64> {
        if self.dropped.is_empty() || !self.encoding.encode(cells, z) {
            return None;
        }
        let squares = self
            .dropped
            .iter()
            .map(|(vector, at)| (dot(vector, z) - at).powi(2));
        Some(squares.sum::<f64>().sqrt()).filter(|error| error.is_finite())
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.bytes(&self.encoding.to_bytes());
        w.bytes(self.status.name().as_bytes());
        w.uint(self.shares.len() as u64);
        self.shares.iter().for_each(|share| w.float(*share));
        w.uint(self.dropped.len() as u64);
        for (vector, at) in &self.dropped {
            vector.iter().chain([at]).for_each(|x| w.float(*x));
        }
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let encoding = Encoding::from_bytes(r.bytes()?)?;
        let columns = encoding.columns().len();
        let status = Status::named(r.bytes()?)?;
        let shares = (0..r.length(8)?)
            .map(|_| r.float())
            .collect::<Result<_, _>>()?;
        let mut dropped = Vec::new();
        for _ in 0..r.length(8 * (columns + 1))? {
            let vector = (0..columns).map(|_| r.float()).collect::<Result<_, _>>()?;
            dropped.push((vector, r.float()?));
        }
        r.finish()?;
        Ok(Self {
            encoding,
            status,
            shares,
            dropped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::{ColumnSummaries, ImputeNumber, ImputeText, Kind};
    use super::*;

    fn fit(rows: &[[f64; 2]], components: f64) -> Projection {
        let mut summaries = ColumnSummaries::default();
        let columns = ["a", "b"].map(|name| (name.to_string(), Kind::Number));
        summaries.require(&columns, ImputeNumber::Mean).unwrap();
        let cells = |row: &[f64; 2]| row.map(Cell::number).into_iter();
        for row in rows {
            summaries.observe(cells(row)).unwrap();
        }
        let encoding = summaries.encoding(ImputeText::MostFrequent).unwrap();
        let (mut sums, mut z) = (Covariance::new(2), [0.0; 2]);
        for row in rows {
            if encoding.encode(cells(row), &mut z) {
                sums.observe(&z).unwrap();
            }
        }
        Projection::fit(encoding, &sums, Components::of(components).unwrap())
    }

    fn error(projection: &Projection, row: [f64; 2]) -> Option<f64> {
        projection.error(row.map(Cell::number).into_iter(), &mut [0.0; 2])
    }

    /// Means 2 and 20, standard deviations sqrt(2/3) and 10 sqrt(2/3), correlation 1/2: eigenvalues 3/2 and 1/2 (up
    /// to 3/2 of the divisor) along (1, 1) and (1, -1).
    const ROWS: [[f64; 2]; 3] = [[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]];

    #[test]
    fn the_error_is_the_distance_from_the_diagonal() {
        let projection = fit(&ROWS, 0.65);
        assert_eq!(projection.status(), Status::SmallReference);
        assert!((projection.shares()[0] - 0.75).abs() < 1e-13);
        // z = (-1, -1), (0, 1), (1, 0) times sqrt(3/2): distance |a - b| / sqrt 2 of it
        let far = 1.5f64.sqrt() / 2f64.sqrt();
        assert!(error(&projection, ROWS[0]).unwrap() < 1e-13);
        assert!((error(&projection, ROWS[1]).unwrap() - far).abs() < 1e-13);
        assert!((error(&projection, ROWS[2]).unwrap() - far).abs() < 1e-13);
        // a missing number is the mean
        assert!(error(&projection, [f64::NAN, 20.0]).unwrap() < 1e-13);
        assert_eq!(error(&projection, [f64::INFINITY, 20.0]), None);
    }

    #[test]
    fn components_carry_more_than_the_share() {
        // 0.75 is not more than 0.8, so both would be kept, and nothing is left to reconstruct
        let all = fit(&ROWS, 0.8);
        assert_eq!(
            (all.status(), error(&all, ROWS[0])),
            (Status::AllComponents, None)
        );
        assert_eq!(fit(&ROWS, 2.0).status(), Status::AllComponents);
        assert_eq!(fit(&ROWS, 1.0).shares().len(), 1);
    }

    #[test]
    fn a_column_without_values_and_columns_without_variation_have_no_projection() {
        let empty = fit(&[[1.0, f64::NAN], [2.0, f64::NAN]], 0.65);
        assert_eq!(empty.status(), Status::EmptyColumn);
        assert_eq!(
            fit(&[[1.0, 2.0], [1.0, 2.0]], 0.65).status(),
            Status::ConstantColumns
        );
        assert_eq!(fit(&[[1.0, 2.0]], 0.65).status(), Status::ConstantColumns);
    }

    #[test]
    fn a_constant_column_counts_in_its_own_unit() {
        // the other column is the only component
        let projection = fit(&[[1.0, 5.0], [3.0, 5.0]], 0.65);
        assert_eq!(error(&projection, [9.0, 5.0]), Some(0.0));
        assert_eq!(error(&projection, [1.0, 7.0]), Some(2.0));
    }

    #[test]
    fn bytes_come_back() {
        let projection = fit(&ROWS, 0.65);
        let bytes = projection.to_bytes();
        let read = Projection::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(error(&read, [4.0, 1.0]), error(&projection, [4.0, 1.0]));
        assert!(Projection::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
}
