//! What was learnt, as a value.
use super::column::Column;
use super::options::Objective;
use super::rows_bytes::utf8;
use super::tree::Tree;
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::pca::columns::Kind;

const MAGIC: [u8; 4] = *b"MWGB";
const WHAT: &str = "model of fit_gbdt";

/// Gradient-boosted trees with the columns that they ask about.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    objective: Objective,
    training: Training,
    columns: Vec<Column>,
    /// The prediction before the first tree: a number, or a logarithm of odds.
    base: f64,
    trees: Vec<Tree>,
}

/// What a model was fitted on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// Rows with a target and a weight.
    pub row_count: u64,
    /// Those that it was fitted on: all, up to `max_rows` distinct ones.
    pub fitted_row_count: u64,
    /// Sum of their weights.
    pub weight: f64,
}

impl Model {
    pub(super) fn new(
        objective: Objective,
        training: Training,
        columns: Vec<Column>,
        base: f64,
        trees: Vec<Tree>,
    ) -> Self {
        Self {
            objective,
            training,
            columns,
            base,
            trees,
        }
    }

    /// What was learnt.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// What it was learnt from.
    pub fn training(&self) -> Training {
        self.training
    }

    /// The features, in the order of the rows that it was fitted on.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The prediction before the first tree: the mean of the target, or its logarithm of odds.
    pub fn base(&self) -> f64 {
        self.base
    }

    /// The trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Where each feature of the model is among these columns.
    ///
    /// # Errors
    /// A feature that is not there, or numbers where the model knows categories. `None` as kind is a column without any value,
    /// which may stand for either.
    pub fn places(&self, columns: &[(String, Option<Kind>)]) -> Result<Vec<usize>, KernelError> {
        let word = |kind: Kind| match kind {
            Kind::Number => "a number",
            Kind::Text => "a category",
        };
        let place = |column: &Column| {
            let found = columns.iter().position(|(name, _)| name == column.name());
            let Some(at) = found else {
                let list = |names: Vec<&str>| names.join(", ");
                return Err(KernelError::Undefined(format!(
                    "there is no feature '{}' among {}. Expected those that the model was fitted on: {}",
                    column.name(),
                    list(columns.iter().map(|(name, _)| name.as_str()).collect()),
                    list(self.columns.iter().map(Column::name).collect())
                )));
            };
            match columns.get(at).and_then(|(_, kind)| *kind) {
                Some(kind) if kind != column.kind() => Err(KernelError::Undefined(format!(
                    "feature '{}' is {}. Expected {}, as in the rows that the model was fitted on",
                    column.name(),
                    word(kind),
                    word(column.kind())
                ))),
                _ => Ok(at),
            }
        };
        self.columns.iter().map(place).collect()
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.bytes(self.objective.name().as_bytes());
        w.uint(self.training.row_count);
        w.uint(self.training.fitted_row_count);
        w.float(self.training.weight);
        w.uint(self.columns.len() as u64);
        self.columns.iter().for_each(|column| column.write(&mut w));
        w.float(self.base);
        w.uint(self.trees.len() as u64);
        self.trees
            .iter()
            .for_each(|tree| tree.write(&mut w, &self.columns));
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let objective = utf8(r.bytes()?)?;
        let Some(objective) = Objective::named(objective) else {
            return Err(KernelError::Unreadable(format!(
                "there is no objective '{objective}'"
            )));
        };
        let training = Training {
            row_count: r.uint()?,
            fitted_row_count: r.uint()?,
            weight: r.float()?,
        };
        let mut columns = Vec::new();
        for _ in 0..r.length(3)? {
            columns.push(Column::read(&mut r)?);
        }
        let base = r.float()?;
        let mut trees = Vec::new();
        for _ in 0..r.length(9)? {
            trees.push(Tree::read(&mut r, &columns)?);
        }
        r.finish()?;
        Ok(Self {
            objective,
            training,
            columns,
            base,
            trees,
        })
    }
}
