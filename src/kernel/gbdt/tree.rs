//! A tree: which way a row goes, and what is added to its prediction at the end of it.
use super::column::Column;
use super::histogram::CodeSet;
use super::predict::MOST_LEAVES;
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::pca::columns::Kind;

/// A tree, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// What is added.
    Leaf(f64),
    /// A question.
    Node(Box<Node>),
}

/// A question about the code of a column, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The column.
    pub column: usize,
    /// Codes that go left.
    pub codes: CodeSet,
    /// What follows for them.
    pub left: Tree,
    /// What follows for all others.
    pub right: Tree,
}

impl Tree {
    /// How many leaves.
    pub fn leaves(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Node(node) => node.left.leaves() + node.right.leaves(),
        }
    }

    /// Multiplies what is added.
    pub(super) fn scale(&mut self, factor: f64) {
        match self {
            Self::Leaf(value) => *value *= factor,
            Self::Node(node) => {
                node.left.scale(factor);
                node.right.scale(factor);
            }
        }
    }

    /// Root first, then the left part, then the right one.
    pub(super) fn write(&self, w: &mut Writer, columns: &[Column]) {
        match self {
            Self::Leaf(value) => {
                w.uint(0);
                w.float(*value);
            }
            Self::Node(node) => {
                w.uint(node.column as u64 + 1);
                let words = node.codes.words();
                match columns.get(node.column).map(Column::kind) {
                    // the first codes, with the missing one or without
                    Some(Kind::Number) => {
                        let missing = words[3] >> 63;
                        let set: u32 = words.iter().map(|word| word.count_ones()).sum();
                        w.uint(u64::from(set) - missing);
                        w.uint(missing);
                    }
                    _ => words.iter().for_each(|word| w.uint(*word)),
                }
                node.left.write(w, columns);
                node.right.write(w, columns);
            }
        }
    }

    /// Reads what [`Self::write`] wrote; `leaves` is how many there may be.
    pub(super) fn read(r: &mut Reader, columns: &[Column]) -> Result<Self, KernelError> {
        let mut leaves = MOST_LEAVES;
        Self::read_part(r, columns, &mut leaves)
    }

    fn read_part(
        r: &mut Reader,
        columns: &[Column],
        leaves: &mut usize,
    ) -> Result<Self, KernelError> {
        let unreadable = |why: &str| Err(KernelError::Unreadable(format!("a tree {why}")));
        let head = r.uint()?;
        let Some(column) = usize::try_from(head).ok().and_then(|n| n.checked_sub(1)) else {
            return match r.float()? {
                value if value.is_finite() => Ok(Self::Leaf(value)),
                _ => unreadable("adds a number that is not finite"),
            };
        };
        // every question has one leaf more
        if *leaves <= 1 {
            return unreadable("has too many leaves");
        }
        *leaves -= 1;
        let codes = match columns.get(column).map(Column::kind) {
            None => return unreadable("asks for a feature that there is not"),
            Some(Kind::Number) => {
                let count = r.uint()?.min(255) as usize;
                CodeSet::first(count, r.uint()? != 0)
            }
            Some(Kind::Text) => CodeSet::from_words([r.uint()?, r.uint()?, r.uint()?, r.uint()?]),
        };
        let left = Self::read_part(r, columns, leaves)?;
        let right = Self::read_part(r, columns, leaves)?;
        Ok(Self::Node(Box::new(Node {
            column,
            codes,
            left,
            right,
        })))
    }
}
