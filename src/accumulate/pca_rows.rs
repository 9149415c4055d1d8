//! Rows go into an encoding, encoded rows into a projection, projected rows into a chunk's errors.
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::record_rows::{Fitted, FittedColumn, Records};
use super::{Arguments, Summary, bytes_at};
use crate::kernel::KernelError;
use crate::kernel::pca::columns::{ColumnSummaries, ImputeNumber};
use crate::kernel::pca::covariance::Covariance;
use crate::kernel::pca::encoding::Encoding;
use crate::kernel::pca::error_profile::ErrorProfile;
use crate::kernel::pca::projection::Projection;
use crate::kernel::reading::Status;

/// Rows on their way to an encoding.
#[derive(Debug, Default)]
pub struct EncodingRows {
    /// Their columns.
    pub summaries: ColumnSummaries,
    numbers: ImputeNumber,
}

impl EncodingRows {
    /// No rows, with what stands for a missing number.
    pub fn new(numbers: ImputeNumber) -> Self {
        Self {
            summaries: ColumnSummaries::default(),
            numbers,
        }
    }
}

impl Summary for EncodingRows {
    type Columns = (&'static str, Records);

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let function = arguments.function;
        match values {
            [row, ..] => Ok((function, Records::read(function, row)?)),
            [] => exec_err!("{function}: expected rows"),
        }
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        self.observe_run(columns, row..row + 1)
    }

    fn observe_run(
        &mut self,
        (function, records): &Self::Columns,
        rows: Range<usize>,
    ) -> Result<()> {
        let told = |e: KernelError| exec_datafusion_err!("{function}: {e}");
        // a batch of NULLs has no columns
        if !records.names().is_empty() {
            self.summaries
                .require(records.names(), self.numbers)
                .map_err(told)?;
        }
        for cells in rows.filter_map(|row| records.row(row)) {
            self.summaries.observe(cells).map_err(told)?;
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        let merged = self.summaries.merge_bytes(state, self.numbers);
        merged.map_err(|e| exec_datafusion_err!("fit_encoding: {e}"))
    }

    fn state(&mut self) -> Vec<u8> {
        self.summaries.to_bytes()
    }

    fn heap_size(&self) -> usize {
        self.summaries.heap_size()
    }
}

/// Encoded rows on their way to a projection.
#[derive(Debug, Default)]
pub struct CovarianceRows {
    /// The encoding that all rows share; `None` before the first.
    pub encoding: Option<Arc<Fitted<Encoding>>>,
    /// Their sums.
    pub sums: Covariance,
    z: Vec<f64>,
}

impl CovarianceRows {
    fn require(&mut self, encoding: &Arc<Fitted<Encoding>>) -> Result<()> {
        match &self.encoding {
            Some(known) if Arc::ptr_eq(known, encoding) || known.bytes == encoding.bytes => Ok(()),
            Some(_) => exec_err!(
                "fit_pca: rows have different encodings. Expected one for all rows of a group. \
                 Hint: the encoding of (SELECT fit_encoding(row) FROM reference)"
            ),
            None => {
                let columns = encoding.value.columns().len();
                self.encoding = Some(Arc::clone(encoding));
                self.sums = Covariance::new(columns);
                self.z = vec![0.0; columns];
                Ok(())
            }
        }
    }
}

/// Rows and what was fitted to them, with the name of the function.
#[derive(Debug)]
pub struct FittedRecords<T> {
    function: &'static str,
    records: Records,
    fits: FittedColumn<T>,
}

impl Summary for CovarianceRows {
    type Columns = FittedRecords<Encoding>;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let function = arguments.function;
        let [row, encoding, ..] = values else {
            return exec_err!("{function}: expected rows and their encoding");
        };
        let records = Records::read(function, row)?;
        let expect = |encoding: &Encoding| expect_columns(encoding, &records);
        let fits = FittedColumn::read(function, encoding, expect)?;
        Ok(FittedRecords {
            function,
            records,
            fits,
        })
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        let (Some(cells), Some(encoding)) = (columns.records.row(row), columns.fits.at(row)) else {
            return Ok(());
        };
        self.require(encoding)?;
        if encoding.value.encode(cells, &mut self.z) {
            let told = |e: KernelError| exec_datafusion_err!("{}: {e}", columns.function);
            self.sums.observe(&self.z).map_err(told)?;
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        let (bytes, sums) = Covariance::from_bytes(state)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let encoding = Arc::new(Fitted {
            bytes: bytes.to_vec(),
            value: Encoding::from_bytes(bytes)?,
        });
        self.require(&encoding)?;
        let merged = self.sums.merge(&sums);
        merged.map_err(|e| exec_datafusion_err!("fit_pca: {e}"))
    }

    fn state(&mut self) -> Vec<u8> {
        let encoding = self
            .encoding
            .as_ref()
            .map(|encoding| encoding.bytes.as_slice());
        self.sums.to_bytes(encoding.unwrap_or_default())
    }

    fn heap_size(&self) -> usize {
        let encoding = self
            .encoding
            .as_ref()
            .map_or(0, |encoding| 2 * encoding.bytes.len());
        encoding + self.sums.heap_size() + self.z.capacity() * size_of::<f64>()
    }
}

/// Rows with errors.
#[derive(Debug, Default)]
pub struct ErrorRows {
    /// Their errors.
    pub profile: ErrorProfile,
    z: Vec<f64>,
}

impl Summary for ErrorRows {
    type Columns = FittedRecords<Projection>;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<Self::Columns> {
        let function = arguments.function;
        let [row, projection, ..] = values else {
            return exec_err!("{function}: expected rows and a fitted projection");
        };
        let (records, fits) = projected(function, row, projection)?;
        Ok(FittedRecords {
            function,
            records,
            fits,
        })
    }

    fn observe(&mut self, columns: &Self::Columns, row: usize) -> Result<()> {
        let Some(cells) = columns.records.row(row) else {
            return Ok(());
        };
        match columns.fits.at(row) {
            None => self.profile.observe(Status::NoReference, None),
            Some(fit) => {
                self.z.resize(fit.value.encoding().columns().len(), 0.0);
                let error = fit.value.error(cells, &mut self.z);
                self.profile.observe(fit.value.status(), error);
            }
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        self.profile.merge(&ErrorProfile::from_bytes(state)?);
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        self.profile.to_bytes()
    }

    fn heap_size(&self) -> usize {
        self.profile.heap_size() + self.z.capacity() * size_of::<f64>()
    }
}

/// Rows and the projections that were fitted to such rows.
pub fn projected(
    function: &str,
    row: &ArrayRef,
    projection: &ArrayRef,
) -> Result<(Records, FittedColumn<Projection>)> {
    let records = Records::read(function, row)?;
    let expect = |fit: &Projection| expect_columns(fit.encoding(), &records);
    let fits = FittedColumn::read(function, projection, expect)?;
    Ok((records, fits))
}

/// A column of NULLs has no fields to compare.
fn expect_columns(encoding: &Encoding, records: &Records) -> Result<(), KernelError> {
    match records.names() {
        [] => Ok(()),
        names => encoding.require(names),
    }
}

/// Errors of chunks that were profiled before.
#[derive(Debug, Default)]
pub struct MergedErrors(pub ErrorProfile);

impl Summary for MergedErrors {
    type Columns = ArrayRef;

    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ArrayRef> {
        match values {
            [profile, ..] => Ok(ArrayRef::clone(profile)),
            [] => exec_err!("{}: expected profiles", arguments.function),
        }
    }

    fn observe(&mut self, profiles: &ArrayRef, row: usize) -> Result<()> {
        if let Some(bytes) = bytes_at(profiles, row)? {
            self.0.merge(&ErrorProfile::from_bytes(bytes)?);
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        self.0.merge(&ErrorProfile::from_bytes(state)?);
        Ok(())
    }

    fn state(&mut self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn heap_size(&self) -> usize {
        self.0.heap_size()
    }
}
