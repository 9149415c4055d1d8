//! Rows on their way to a model: any order, any parts, bounded.
use super::LARGEST;
use super::options::Objective;
use super::texts::Texts;
use crate::kernel::KernelError;
use crate::kernel::pca::Cell;
use crate::kernel::pca::columns::Kind;
use crate::kernel::splitmix::splitmix64;

/// Rows are kept with their columns: no more than so many cells, whatever `max_rows` says.
pub const MOST_CELLS: usize = 200_000_000;
/// A weight is a multiple of 2^-64, so that sums of weights do not depend on their order.
const ONE: f64 = 18_446_744_073_709_551_616.0;
/// Largest weight of a row; with 2^-64 it leaves room for the sum of 16 million of them.
const HEAVIEST: f64 = (1u64 << 40) as f64;
/// What stands for a missing value: no number has these bits, no text this code.
pub(super) const MISSING: u64 = u64::MAX;
/// Rows that may be added before they are put in order.
const UNORDERED: usize = 1 << 16;

/// Distinct rows with the number and weight of their repetitions.
///
/// Of more than `max_rows` distinct rows those with the smallest hash of their content, target and features, are kept: a
/// random sample that depends neither on the order of the rows nor on how they were divided. A row that is kept keeps all its
/// repetitions.
#[derive(Debug)]
pub struct Rows {
    pub(super) objective: Objective,
    pub(super) max_rows: usize,
    pub(super) columns: Vec<RowsColumn>,
    /// Rows with a target and a weight, kept or not.
    pub(super) seen: u64,
    /// Target and cells of each row.
    pub(super) cells: Vec<u64>,
    pub(super) hashes: Vec<u64>,
    pub(super) weights: Vec<u128>,
    pub(super) counts: Vec<u64>,
    /// So many rows at the start are in order and distinct.
    pub(super) ordered: usize,
    /// Rows with a larger hash cannot be among those that are kept.
    pub(super) largest_hash: u64,
}

#[derive(Debug)]
pub(super) struct RowsColumn {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) texts: Texts,
}

impl Rows {
    /// No rows, and how many distinct ones are kept.
    pub fn new(objective: Objective, max_rows: usize) -> Self {
        Self {
            objective,
            max_rows,
            columns: vec![],
            seen: 0,
            cells: vec![],
            hashes: vec![],
            weights: vec![],
            counts: vec![],
            ordered: 0,
            largest_hash: u64::MAX,
        }
    }

    /// Takes these columns, or refuses them when others were seen before.
    pub fn require(&mut self, columns: &[(String, Kind)]) -> Result<(), KernelError> {
        if self.columns.is_empty() {
            let mut names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
                return Err(KernelError::Undefined(format!(
                    "two features are called '{name}'. Expected a name for each"
                )));
            }
            let column = |(name, kind): &(String, Kind)| RowsColumn {
                name: name.clone(),
                kind: *kind,
                texts: Texts::default(),
            };
            self.columns = columns.iter().map(column).collect();
            return Ok(());
        }
        let seen = self.columns.iter().map(|c| (c.name.as_str(), c.kind));
        match seen.eq(columns.iter().map(|(name, kind)| (name.as_str(), *kind))) {
            true => Ok(()),
            false => Err(KernelError::Undefined(
                "rows have different features. Expected the same names and types in every row"
                    .into(),
            )),
        }
    }

    /// Adds a row, its cells in the order of the columns; a row of weight 0 is left out.
    ///
    /// # Errors
    /// A target that is not finite, or not 0 or 1 where a probability is learnt; a weight that is negative, not finite or
    /// beyond what can be summed exactly.
    pub fn observe<'a>(
        &mut self,
        target: f64,
        weight: f64,
        cells: impl Iterator<Item = Cell<'a>>,
    ) -> Result<(), KernelError> {
        check_target(self.objective, target)?;
        let weight = fixed(weight)?;
        if weight == 0 {
            return Ok(());
        }
        let start = self.cells.len();
        self.cells.push(bits(target));
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.cells.push(column.word(cell));
        }
        self.seen += 1;
        let hash = self.hash(self.cells.get(start..).unwrap_or_default());
        if hash > self.largest_hash {
            self.cells.truncate(start);
            return Ok(());
        }
        self.push(hash, weight, 1);
        if self.hashes.len() - self.ordered > UNORDERED.max(self.ordered / 4) {
            self.order();
        }
        Ok(())
    }

    /// Accounts for a row whose cells were appended.
    pub(super) fn push(&mut self, hash: u64, weight: u128, count: u64) {
        self.hashes.push(hash);
        self.weights.push(weight);
        self.counts.push(count);
    }

    /// A hash of a row's content.
    pub(super) fn hash(&self, row: &[u64]) -> u64 {
        let Some((target, cells)) = row.split_first() else {
            return 0;
        };
        let texts = cells.iter().zip(&self.columns);
        texts.fold(splitmix64(*target), |hash, (&word, column)| {
            let word = match column.kind {
                Kind::Text if word != MISSING => column.texts.hash(word),
                _ => word,
            };
            splitmix64(hash.rotate_left(5) ^ word)
        })
    }

    /// Words of a row.
    pub(super) fn width(&self) -> usize {
        self.columns.len() + 1
    }

    /// Adds the rows of another.
    pub fn merge(&mut self, other: &Self) -> Result<(), KernelError> {
        if other.columns.is_empty() {
            return Ok(());
        }
        let columns: Vec<(String, Kind)> = other
            .columns
            .iter()
            .map(|c| (c.name.clone(), c.kind))
            .collect();
        self.require(&columns)?;
        self.seen += other.seen;
        let pairs = self.columns.iter_mut().zip(&other.columns);
        let codes: Vec<Vec<u64>> = pairs
            .map(|(mine, theirs)| mine.texts.add(&theirs.texts))
            .collect();
        let rows = other.cells.chunks(other.width()).zip(&other.hashes);
        for ((row, hash), (weight, count)) in rows.zip(other.weights.iter().zip(&other.counts)) {
            if *hash > self.largest_hash {
                continue;
            }
            let Some((target, cells)) = row.split_first() else {
                continue;
            };
            self.cells.push(*target);
            for ((word, codes), column) in cells.iter().zip(&codes).zip(&self.columns) {
                self.cells.push(recoded(*word, column.kind, codes));
            }
            self.push(*hash, *weight, *count);
        }
        self.order();
        Ok(())
    }

    /// Distinct rows that are kept.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether no row was seen.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Weights of the rows.
    pub(super) fn weights(&self) -> impl Iterator<Item = f64> {
        self.weights.iter().map(|weight| *weight as f64 / ONE)
    }

    /// Targets of the rows.
    pub(super) fn targets(&self) -> impl Iterator<Item = f64> {
        self.cells
            .chunks(self.width())
            .filter_map(|row| row.first())
            .map(|bits| f64::from_bits(*bits))
    }

    /// Words of a column.
    pub(super) fn words(&self, column: usize) -> impl Iterator<Item = u64> {
        self.cells
            .chunks(self.width())
            .filter_map(move |row| row.get(column + 1).copied())
    }

    /// Bytes on the heap, in constant time but for the number of columns.
    pub fn heap_size(&self) -> usize {
        let columns = self
            .columns
            .iter()
            .map(|c| c.name.len() + c.texts.heap_size());
        self.columns.capacity() * size_of::<RowsColumn>()
            + columns.sum::<usize>()
            + (self.cells.capacity() + self.hashes.capacity() + self.counts.capacity())
                * size_of::<u64>()
            + self.weights.capacity() * size_of::<u128>()
    }
}

impl RowsColumn {
    fn word(&mut self, cell: Cell) -> u64 {
        match (self.kind, cell) {
            (Kind::Number, Cell::Number(x)) if !x.is_nan() => bits(x),
            (Kind::Text, Cell::Text(text)) => self.texts.code(text),
            _ => MISSING,
        }
    }
}

/// Bits of a number; zero has one sign.
pub(super) fn bits(x: f64) -> u64 {
    (x + 0.0).to_bits()
}

pub(super) fn recoded(word: u64, kind: Kind, codes: &[u64]) -> u64 {
    match kind {
        Kind::Number => word,
        Kind::Text => {
            let code = usize::try_from(word).ok().and_then(|at| codes.get(at));
            code.copied().unwrap_or(MISSING)
        }
    }
}

fn check_target(objective: Objective, target: f64) -> Result<(), KernelError> {
    let refuse = |expected: &str| {
        Err(KernelError::Undefined(format!(
            "target is {target}. Expected {expected}"
        )))
    };
    match objective {
        Objective::Squared if target.is_finite() && target.abs() <= LARGEST => Ok(()),
        Objective::Squared => {
            refuse("a finite number of at most 1e150, or NULL for a row that is to be left out")
        }
        Objective::Logistic if target == 0.0 || target == 1.0 => Ok(()),
        Objective::Logistic => refuse(
            "0 or 1, or NULL for a row that is to be left out. Hint: objective 'squared' learns other numbers",
        ),
    }
}

/// A weight as a multiple of 2^-64.
fn fixed(weight: f64) -> Result<u128, KernelError> {
    if (0.0..=HEAVIEST).contains(&weight) {
        let fixed = (weight * ONE) as u128;
        // what is too small to be told from 0 would silently be left out
        if weight == 0.0 || fixed > 0 {
            return Ok(fixed);
        }
    }
    Err(KernelError::Undefined(format!(
        "weight is {weight}. Expected 0, NULL, or a number from 1e-19 to 1e12: weights count rows, 2 is a row that comes twice"
    )))
}
