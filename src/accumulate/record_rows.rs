//! Rows given as one struct of numbers and categories, beside a value that was fitted to such rows.
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringViewArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::bytes_at;
use crate::kernel::KernelError;
use crate::kernel::pca::Cell;
use crate::kernel::pca::columns::Kind;

/// The fields of a struct column, read row by row.
#[derive(Debug)]
pub struct Records {
    names: Vec<(String, Kind)>,
    cells: Vec<Cells>,
    nulls: Option<NullBuffer>,
    rows: usize,
}

#[derive(Debug)]
enum Cells {
    Number(Float64Array),
    Text(StringViewArray),
    Flag(BooleanArray),
    Missing,
}

impl Cells {
    #[inline]
    fn at(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Number(values) if values.is_valid(row) => Cell::number(values.value(row)),
            Self::Text(values) if values.is_valid(row) => Cell::Text(values.value(row)),
            Self::Flag(values) if values.is_valid(row) => {
                Cell::Text(if values.value(row) { "true" } else { "false" })
            }
            _ => Cell::Missing,
        }
    }
}

impl Records {
    /// Reads a column of structs, or of NULLs.
    pub fn read(function: &str, column: &ArrayRef) -> Result<Self> {
        let rows = column.len();
        let Some(records) = column.as_struct_opt() else {
            return match column.data_type() {
                DataType::Null => Ok(Self {
                    names: vec![],
                    cells: vec![],
                    nulls: Some(NullBuffer::new_null(rows)),
                    rows,
                }),
                other => exec_err!(
                    "{function}: expected a struct of columns, got a value of type {other}"
                ),
            };
        };
        let (mut names, mut cells) = (vec![], vec![]);
        for (field, column) in records.fields().iter().zip(records.columns()) {
            let (kind, read) = match column.data_type() {
                DataType::Float64 => (
                    Kind::Number,
                    Cells::Number(column.as_primitive::<Float64Type>().clone()),
                ),
                DataType::Utf8View => (Kind::Text, Cells::Text(column.as_string_view().clone())),
                DataType::Boolean => (Kind::Text, Cells::Flag(column.as_boolean().clone())),
                DataType::Null => (Kind::Number, Cells::Missing),
                other => {
                    return exec_err!(
                        "{function}: column '{}' has type {other}. Expected a number, a text or a boolean",
                        field.name()
                    );
                }
            };
            names.push((field.name().clone(), kind));
            cells.push(read);
        }
        Ok(Self {
            names,
            cells,
            nulls: records.nulls().cloned(),
            rows,
        })
    }

    /// Name and kind of each column.
    pub fn names(&self) -> &[(String, Kind)] {
        &self.names
    }

    /// Name and kind of each column; no kind where the column has no type, and so no value.
    pub fn kinds(&self) -> Vec<(String, Option<Kind>)> {
        let kind = |((name, kind), cells): (&(String, Kind), &Cells)| {
            let known = !matches!(cells, Cells::Missing);
            (name.clone(), known.then_some(*kind))
        };
        self.names.iter().zip(&self.cells).map(kind).collect()
    }

    /// Whether a row is a struct and not NULL in place of it.
    #[inline]
    pub fn is_known(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// The value of a column in a row.
    #[inline]
    pub fn cell(&self, column: usize, row: usize) -> Cell<'_> {
        match self.cells.get(column) {
            Some(cells) => cells.at(row),
            None => Cell::Missing,
        }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The cells of a row; `None` for a NULL in place of the struct.
    #[inline]
    pub fn row(&self, row: usize) -> Option<impl Iterator<Item = Cell<'_>> + Clone> {
        self.is_known(row)
            .then(|| self.cells.iter().map(move |cells| cells.at(row)))
    }
}

/// A value that was fitted, with its bytes.
#[derive(Debug)]
pub struct Fitted<T> {
    /// The bytes that it was read from.
    pub bytes: Vec<u8>,
    /// The value.
    pub value: T,
}

/// How fitted values are read, and where a thread keeps the one that it read last: a scan hands over the same one
/// with every batch.
pub trait FromBytes: Sized + 'static {
    /// Reads the bytes.
    fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError>;
    /// The thread's last one.
    fn with_last<R>(act: impl FnOnce(&mut Option<Arc<Fitted<Self>>>) -> R) -> R;
}

/// Implements [`FromBytes`] by a function of the same name.
macro_rules! from_bytes {
    ($kind:ty) => {
        impl FromBytes for $kind {
            fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
                <$kind>::from_bytes(bytes)
            }

            fn with_last<R>(act: impl FnOnce(&mut Option<Arc<Fitted<Self>>>) -> R) -> R {
                thread_local! {
                    static LAST: RefCell<Option<Arc<Fitted<$kind>>>> = const { RefCell::new(None) };
                }
                LAST.with_borrow_mut(act)
            }
        }
    };
}

from_bytes!(crate::kernel::multiclass::ClassCalibrators);
from_bytes!(crate::kernel::pca::encoding::Encoding);
from_bytes!(crate::kernel::pca::projection::Projection);
from_bytes!(crate::kernel::gbdt::predict::Predictor);
from_bytes!(crate::kernel::row_influences::RowInfluences);
from_bytes!(crate::kernel::paired::PairedInfluences);

/// The fitted value of each row; equal ones are read once.
#[derive(Debug)]
pub struct FittedColumn<T> {
    fits: Vec<Arc<Fitted<T>>>,
    /// Position in `fits`; `None` where the value is NULL, and for all rows the same where there is only one.
    of_row: Vec<Option<u32>>,
}

impl<T: FromBytes> FittedColumn<T> {
    /// Reads a column of bytes; a fit must be one of the columns in `records`, which `expect` checks.
    pub fn read(
        function: &str,
        column: &ArrayRef,
        expect: impl Fn(&T) -> Result<(), KernelError>,
    ) -> Result<Self> {
        let told = |e: KernelError| exec_datafusion_err!("{function}: {e}");
        let (mut fits, mut of_row) = (Vec::new(), Vec::with_capacity(column.len()));
        // bytes that many rows share are stored once, and their views are equal
        let views = column
            .as_byte_view_opt()
            .map(|column: &datafusion::arrow::array::BinaryViewArray| column.views().clone());
        let nulls = column.nulls();
        let mut seen: HashMap<u128, u32> = HashMap::new();
        let mut before: Option<(u128, u32)> = None;
        for row in 0..column.len() {
            let view = views.as_ref().and_then(|views| views.get(row)).copied();
            if let (Some(view), Some((last, at))) = (view, before)
                && last == view
                && nulls.is_none_or(|nulls| nulls.is_valid(row))
            {
                of_row.push(Some(at));
                continue;
            }
            let Some(bytes) = bytes_at(column, row)? else {
                of_row.push(None);
                continue;
            };
            let at = match view.and_then(|view| seen.get(&view).copied()) {
                Some(at) => at,
                None => {
                    let fit = read_once::<T>(bytes).map_err(told)?;
                    expect(&fit.value).map_err(told)?;
                    fits.push(fit);
                    // a batch has fewer rows than that
                    (fits.len() - 1) as u32
                }
            };
            if let Some(view) = view {
                seen.insert(view, at);
                before = Some((view, at));
            }
            of_row.push(Some(at));
        }
        Ok(Self { fits, of_row })
    }

    /// Whether rows that are in the column share one fit, or have none.
    pub fn is_one(&self, rows: Range<usize>) -> bool {
        let of_rows = self.of_row.get(rows).unwrap_or(&[]);
        of_rows.windows(2).all(|pair| pair.first() == pair.last())
    }

    /// The fit of a row.
    #[inline]
    pub fn at(&self, row: usize) -> Option<&Arc<Fitted<T>>> {
        self.fits.get((*self.of_row.get(row)?)? as usize)
    }
}

fn read_once<T: FromBytes>(bytes: &[u8]) -> Result<Arc<Fitted<T>>, KernelError> {
    T::with_last(|last| {
        if let Some(last) = last
            && last.bytes == bytes
        {
            return Ok(Arc::clone(last));
        }
        let fit = Arc::new(Fitted {
            bytes: bytes.to_vec(),
            value: T::from_bytes(bytes)?,
        });
        *last = Some(Arc::clone(&fit));
        Ok(fit)
    })
}
