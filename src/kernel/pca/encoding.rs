//! From a row to numbers of comparable size: imputed, frequencies for categories, standardized.
use std::collections::HashMap;

use super::Cell;
use super::columns::{Kind, text};
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};

const MAGIC: [u8; 4] = *b"MWEN";
const WHAT: &str = "fitted encoding";

/// How the rows of a reference become numbers.
///
/// A missing number becomes the reference's mean or median, a category its frequency in the reference (0 when it
/// did not occur there), and each column is divided by its standard deviation there (divisor: rows). A column that
/// was constant is not divided: what leaves it counts in its own unit.
#[derive(Debug, Clone)]
pub struct Encoding {
    rows: u64,
    columns: Vec<EncodedColumn>,
}

/// One column.
#[derive(Debug, Clone)]
pub struct EncodedColumn {
    name: String,
    /// False where no row of the reference has a value, or none that can be squared.
    known: bool,
    mean: f64,
    /// 1 for a constant column.
    scale: f64,
    constant: bool,
    values: Values,
    /// What a missing value and an unseen category become.
    missing: f64,
    unseen: f64,
    categories: HashMap<String, f64>,
}

/// How values become numbers.
#[derive(Debug, Clone)]
pub enum Values {
    /// A number is itself.
    Number {
        /// The number that stands for a missing one.
        imputed: f64,
    },
    /// A category is its frequency.
    Text(Frequencies),
}

/// How often categories occurred.
#[derive(Debug, Clone)]
pub struct Frequencies {
    /// In the order of their names.
    categories: Vec<(String, u64)>,
    /// The count that stands for a missing category.
    missing: u64,
}

impl Frequencies {
    /// Counts of categories, in the order of their names, and the count that a missing one gets.
    pub fn new(categories: Vec<(String, u64)>, missing: u64) -> Self {
        Self {
            categories,
            missing,
        }
    }
}

impl EncodedColumn {
    /// A column with its mean and variance, `None` where it has none.
    pub fn new(name: String, rows: u64, moments: Option<(f64, f64)>, values: Values) -> Self {
        let (mean, variance) = moments.unwrap_or((0.0, 0.0));
        // numbers that differ by rounding only are equal
        let constant = variance.sqrt() <= 10.0 * f64::EPSILON * mean.abs();
        let scale = if constant { 1.0 } else { variance.sqrt() };
        Self::of(
            name,
            rows,
            (moments.is_some(), constant),
            (mean, scale),
            values,
        )
    }

    fn of(
        name: String,
        rows: u64,
        (known, constant): (bool, bool),
        (mean, scale): (f64, f64),
        values: Values,
    ) -> Self {
        let standard = |x: f64| (x - mean) / scale;
        let share = |count: u64| standard(count as f64 / rows as f64);
        let (missing, unseen, categories) = match &values {
            Values::Number { imputed } => (standard(*imputed), 0.0, HashMap::new()),
            Values::Text(found) => {
                let each = found.categories.iter();
                let categories = each.map(|(name, count)| (name.clone(), share(*count)));
                (share(found.missing), share(0), categories.collect())
            }
        };
        Self {
            name,
            known,
            mean,
            scale,
            constant,
            values,
            missing,
            unseen,
            categories,
        }
    }

    /// Whether the column holds numbers or categories.
    pub fn kind(&self) -> Kind {
        match self.values {
            Values::Number { .. } => Kind::Number,
            Values::Text(_) => Kind::Text,
        }
    }

    /// Name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    #[inline]
    fn standardized(&self, cell: Cell) -> f64 {
        match cell {
            Cell::Number(x) => (x - self.mean) / self.scale,
            Cell::Text(text) => self.categories.get(text).copied().unwrap_or(self.unseen),
            Cell::Missing => self.missing,
        }
    }
}

impl Encoding {
    /// An encoding taught by `rows` rows, at least one.
    pub fn new(rows: u64, columns: Vec<EncodedColumn>) -> Self {
        Self { rows, columns }
    }

    /// Rows of the reference.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The columns.
    pub fn columns(&self) -> &[EncodedColumn] {
        &self.columns
    }

    /// Whether a column has no value in the reference.
    pub fn has_empty_column(&self) -> bool {
        self.columns.iter().any(|column| !column.known)
    }

    /// Whether no column varies in the reference.
    pub fn is_constant(&self) -> bool {
        self.columns.iter().all(|column| column.constant)
    }

    /// Refuses rows of other columns.
    pub fn require(&self, columns: &[(String, Kind)]) -> Result<(), KernelError> {
        let known = self.columns.iter().map(|c| (c.name.as_str(), c.kind()));
        if known.eq(columns.iter().map(|(name, kind)| (name.as_str(), *kind))) {
            return Ok(());
        }
        let list = |names: Vec<(&str, Kind)>| {
            let word = |(name, kind): (&str, Kind)| match kind {
                Kind::Number => format!("{name} (number)"),
                Kind::Text => format!("{name} (category)"),
            };
            names.into_iter().map(word).collect::<Vec<_>>().join(", ")
        };
        let known = self.columns.iter().map(|c| (c.name.as_str(), c.kind()));
        Err(KernelError::Undefined(format!(
            "the row has columns {}. Expected those of the reference, in their order: {}",
            list(columns.iter().map(|(n, k)| (n.as_str(), *k)).collect()),
            list(known.collect())
        )))
    }

    /// Writes the row's numbers to `z`; false where they are not finite, and so nothing can be said of the row.
    #[inline]
    pub fn encode<'a>(&self, cells: impl Iterator<Item = Cell<'a>>, z: &mut [f64]) -> bool {
        let mut finite = true;
        for ((column, cell), z) in self.columns.iter().zip(cells).zip(z) {
            *z = column.standardized(cell);
            finite &= z.is_finite() && !cell.is_infinite();
        }
        finite
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.uint(self.rows);
        w.uint(self.columns.len() as u64);
        for column in &self.columns {
            w.bytes(column.name.as_bytes());
            w.uint(u64::from(column.known) + 2 * u64::from(column.constant));
            w.float(column.mean);
            w.float(column.scale);
            match &column.values {
                Values::Number { imputed } => {
                    w.uint(0);
                    w.float(*imputed);
                }
                Values::Text(found) => {
                    w.uint(1);
                    w.uint(found.missing);
                    w.uint(found.categories.len() as u64);
                    for (name, count) in &found.categories {
                        w.bytes(name.as_bytes());
                        w.uint(*count);
                    }
                }
            }
        }
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let rows = r.uint()?;
        let mut columns = Vec::new();
        for _ in 0..r.length(19)? {
            columns.push(read_column(&mut r, rows)?);
        }
        r.finish()?;
        if rows == 0 {
            return Err(KernelError::Unreadable("an encoding of no rows".into()));
        }
        Ok(Self { rows, columns })
    }
}

fn read_column(r: &mut Reader, rows: u64) -> Result<EncodedColumn, KernelError> {
    let name = text(r)?;
    let flags = r.uint()?;
    let (mean, scale) = (r.float()?, r.float()?);
    let values = match r.uint()? {
        0 => Values::Number {
            imputed: r.float()?,
        },
        _ => {
            let missing = r.uint()?;
            let categories: Result<Vec<(String, u64)>, KernelError> = (0..r.length(2)?)
                .map(|_| Ok((text(r)?, r.uint()?)))
                .collect();
            Values::Text(Frequencies::new(categories?, missing))
        }
    };
    if !(mean.is_finite() && scale.is_finite() && scale > 0.0) {
        return Err(KernelError::Unreadable(format!(
            "column '{name}' of an encoding has no scale"
        )));
    }
    let flags = (flags & 1 != 0, flags & 2 != 0);
    Ok(EncodedColumn::of(name, rows, flags, (mean, scale), values))
}
