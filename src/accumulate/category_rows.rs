//! Rows of a category go into a category profile.
//!
//! A category is its text: `true`, `12` and `12.0` are read as the texts `true`, `12` and `12`, so that a column keeps its
//! categories when its type changes.
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringViewArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::category_profile::{CategoryProfile, hash_of};

/// The categories of a batch: their hashes, and where their texts are.
#[derive(Debug)]
pub struct CategoryColumn {
    hashes: Vec<u64>,
    nulls: Option<NullBuffer>,
    texts: Texts,
}

#[derive(Debug)]
enum Texts {
    View(StringViewArray),
    /// Keys into the values; of a row that is not NULL.
    Dictionary(Vec<usize>, StringViewArray),
    Boolean(BooleanArray),
    Whole(Int64Array),
    Float(Float64Array),
}

impl Texts {
    fn of(&self, row: usize) -> Cow<'_, str> {
        match self {
            Self::View(texts) => Cow::Borrowed(texts.value(row)),
            Self::Dictionary(keys, texts) => {
                let key = keys.get(row).copied().filter(|key| *key < texts.len());
                Cow::Borrowed(key.map_or("", |key| texts.value(key)))
            }
            Self::Boolean(values) => Cow::Borrowed(text_of(values.value(row))),
            Self::Whole(values) => Cow::Owned(values.value(row).to_string()),
            // a whole number is written without a point
            Self::Float(values) => Cow::Owned((values.value(row) + 0.0).to_string()),
        }
    }
}

fn text_of(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Hashes of numbers, each written once a batch.
fn hashes_of<T>(bits: impl Iterator<Item = u64>, number: impl Fn(u64) -> T) -> Vec<u64>
where
    T: ToString,
{
    let mut known: HashMap<u64, u64> = HashMap::new();
    bits.map(|bits| {
        *known
            .entry(bits)
            .or_insert_with(|| hash_of(&number(bits).to_string()))
    })
    .collect()
}

fn view_hashes(texts: &StringViewArray) -> Vec<u64> {
    (0..texts.len())
        .map(|row| match texts.is_valid(row) {
            true => hash_of(texts.value(row)),
            false => 0,
        })
        .collect()
}

impl Summary for CategoryProfile {
    type Columns = CategoryColumn;

    /// `values` are the category; further ones are constants.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<CategoryColumn> {
        let Some(column) = values.first() else {
            return exec_err!("{}: expected a category", arguments.function);
        };
        let mut nulls = column.nulls().cloned();
        let (hashes, texts) = match column.data_type() {
            DataType::Utf8View => {
                let texts = column.as_string_view().clone();
                (view_hashes(&texts), Texts::View(texts))
            }
            DataType::Boolean => {
                let values = column.as_boolean().clone();
                let [no, yes] = [false, true].map(|value| hash_of(text_of(value)));
                let hashes = values
                    .values()
                    .iter()
                    .map(|value| if value { yes } else { no });
                (hashes.collect(), Texts::Boolean(values))
            }
            DataType::Int64 => {
                let values = column.as_primitive::<Int64Type>().clone();
                let bits = values.values().iter().map(|value| value.cast_unsigned());
                (
                    hashes_of(bits, u64::cast_signed),
                    Texts::Whole(values.clone()),
                )
            }
            DataType::Float64 => {
                let values = column.as_primitive::<Float64Type>().clone();
                // adding zero turns -0.0 into 0.0
                let bits = values.values().iter().map(|value| (value + 0.0).to_bits());
                (
                    hashes_of(bits, f64::from_bits),
                    Texts::Float(values.clone()),
                )
            }
            DataType::Dictionary(..) => {
                let dictionary = column.as_dictionary::<Int32Type>();
                let texts = dictionary.values().as_string_view().clone();
                let known = view_hashes(&texts);
                nulls = dictionary.logical_nulls();
                let keys = dictionary.keys().values().iter();
                let keys: Vec<usize> = keys.map(|&key| usize::try_from(key).unwrap_or(0)).collect();
                let hashes = keys.iter().map(|&key| known.get(key).copied().unwrap_or(0));
                (hashes.collect(), Texts::Dictionary(keys, texts))
            }
            other => {
                return exec_err!(
                    "{}: cannot read a value of type {other}",
                    arguments.function
                );
            }
        };
        Ok(CategoryColumn {
            hashes,
            nulls,
            texts,
        })
    }

    #[inline]
    fn observe(&mut self, column: &CategoryColumn, row: usize) -> Result<()> {
        self.observe_run(column, row..row + 1)
    }

    fn observe_run(&mut self, column: &CategoryColumn, rows: Range<usize>) -> Result<()> {
        let Some(hashes) = column.hashes.get(rows.clone()) else {
            return Ok(());
        };
        let is_null = |row: usize| {
            column
                .nulls
                .as_ref()
                .is_some_and(|nulls| nulls.is_null(row))
        };
        for (row, &hash) in rows.zip(hashes) {
            if is_null(row) {
                self.observe_nulls(1);
            } else {
                self.observe_rows(hash, 1, || column.texts.of(row));
            }
        }
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.merge_bytes(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        self.to_bytes()
    }

    fn heap_size(&self) -> usize {
        CategoryProfile::heap_size(self)
    }
}
