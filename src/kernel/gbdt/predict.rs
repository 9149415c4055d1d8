//! Predictions, many rows at once.
//!
//! Each question of a tree, answered, rules out the leaves on one side. For a row's code of a column that is a set of leaves
//! that all questions about the column leave over, known beforehand for each code; the leaf that a row ends in is the one
//! in the sets of all columns. (Lucchese et al. 2015, QuickScorer: a fast algorithm to rank documents with additive ensembles
//! of regression trees; with codes in place of thresholds.) So a tree costs a row one small table look-up for each column it asks
//! about, without a jump that depends on the data.
use super::boost::logistic;
use super::histogram::CODES;
use super::model::Model;
use super::options::Objective;
use super::tree::{Node, Tree};
use crate::kernel::KernelError;
use crate::kernel::pca::Cell;

/// Most leaves of a tree: a set of them is a machine word.
pub const MOST_LEAVES: usize = 64;
/// Rows that go through a tree together.
const BLOCK: usize = 256;

/// A model, made ready to predict.
#[derive(Debug, Clone)]
pub struct Predictor {
    model: Model,
    trees: Vec<Tables>,
}

/// A tree as tables.
#[derive(Debug, Clone)]
struct Tables {
    /// A column, and the leaves that are left over for each of its codes.
    columns: Vec<(usize, Box<[u64; CODES]>)>,
    /// What each leaf adds.
    leaves: Box<[f64; MOST_LEAVES]>,
}

impl Predictor {
    /// Makes the tables of all trees: two kilobytes for each column that a tree asks about.
    pub fn new(model: &Model) -> Self {
        let trees = model.trees().iter().map(Tables::new).collect();
        Self {
            model: model.clone(),
            trees,
        }
    }

    /// Reads a model's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        Ok(Self::new(&Model::from_bytes(bytes)?))
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The prediction of a row, cells in the order of the model's features.
    pub fn one<'a>(&self, cells: impl Iterator<Item = Cell<'a>>) -> f64 {
        let cells: Vec<Cell> = cells.collect();
        let cell = |column: usize, _: usize| cells.get(column).copied().unwrap_or(Cell::Missing);
        self.all(1, cell).first().copied().unwrap_or_default()
    }

    /// The predictions of so many rows; `cell` gives the value of the model's feature (in its order) in a row.
    ///
    /// A prediction is a number in the target's unit, or a probability. Unit of time: microseconds a row for 100 trees.
    pub fn all<'a>(&self, rows: usize, cell: impl Fn(usize, usize) -> Cell<'a>) -> Vec<f64> {
        let mut found = Vec::with_capacity(rows);
        let mut codes = vec![[0u8; BLOCK]; self.model.columns().len()];
        for start in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - start);
            for ((at, column), codes) in self.model.columns().iter().enumerate().zip(&mut codes) {
                for (offset, code) in codes.iter_mut().enumerate().take(count) {
                    *code = column.code(cell(at, start + offset));
                }
            }
            let mut scores = [self.model.base(); BLOCK];
            self.trees
                .iter()
                .for_each(|tree| tree.add(&codes, &mut scores));
            found.extend(scores.iter().take(count));
        }
        if self.model.objective() == Objective::Logistic {
            found.iter_mut().for_each(|score| *score = logistic(*score));
        }
        found
    }

    /// Bytes on the heap of the tables.
    pub fn heap_size(&self) -> usize {
        let columns: usize = self.trees.iter().map(|tree| tree.columns.len()).sum();
        columns * size_of::<[u64; CODES]>() + self.trees.len() * size_of::<[f64; MOST_LEAVES]>()
    }
}

impl Tables {
    fn new(tree: &Tree) -> Self {
        let mut found = Self {
            columns: vec![],
            leaves: Box::new([0.0; MOST_LEAVES]),
        };
        found.enter(tree, &mut 0);
        found
    }

    /// Numbers the leaves of a part from `next` on: the set of them.
    fn enter(&mut self, tree: &Tree, next: &mut usize) -> u64 {
        match tree {
            Tree::Leaf(value) => {
                if let Some(leaf) = self.leaves.get_mut(*next) {
                    *leaf = *value;
                }
                *next += 1;
                1 << (*next - 1).min(MOST_LEAVES - 1)
            }
            Tree::Node(node) => {
                let left = self.enter(&node.left, next);
                let right = self.enter(&node.right, next);
                self.ask(node, left, right);
                left | right
            }
        }
    }

    /// Each code of the node's column rules out the leaves of the other side.
    fn ask(&mut self, node: &Node, left: u64, right: u64) {
        let answer = |table: &mut [u64; CODES]| {
            for (code, leaves) in (0..=u8::MAX).zip(table) {
                *leaves &= if node.codes.contains(code) {
                    !right
                } else {
                    !left
                };
            }
        };
        let mut known = self.columns.iter_mut();
        if let Some((_, table)) = known.find(|(column, _)| *column == node.column) {
            return answer(table);
        }
        let mut table = Box::new([u64::MAX; CODES]);
        answer(&mut table);
        self.columns.push((node.column, table));
    }

    /// Adds what the rows of a block get.
    fn add(&self, codes: &[[u8; BLOCK]], scores: &mut [f64; BLOCK]) {
        let mut leaves = [u64::MAX; BLOCK];
        for (column, table) in &self.columns {
            let Some(codes) = codes.get(*column) else {
                continue;
            };
            for (leaves, code) in leaves.iter_mut().zip(codes) {
                *leaves &= table.get(usize::from(*code)).copied().unwrap_or(0);
            }
        }
        for (score, leaves) in scores.iter_mut().zip(&leaves) {
            let leaf = leaves.trailing_zeros() as usize % MOST_LEAVES;
            *score += self.leaves.get(leaf).copied().unwrap_or(0.0);
        }
    }
}
