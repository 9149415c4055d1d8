//! A tree is grown leaf by leaf: the leaf whose division gains most is divided next.
use std::ops::Range;

use super::column::Column;
use super::histogram::{Histogram, Sums, add, weight};
use super::matrix::Matrix;
use super::split::{Rules, Split, best_split};
use super::tree::{Node, Tree};

/// What trees are grown from, with room that all of them use.
#[derive(Debug)]
pub struct Grower<'a, const N: usize> {
    matrix: &'a Matrix,
    columns: &'a [Column],
    rules: Rules,
    leaves: usize,
    learning_rate: f64,
    /// All rows; those of a leaf lie side by side, ascending.
    order: Vec<u32>,
    moved: Vec<u32>,
    spare: Vec<Histogram<N>>,
}

/// A leaf, or what became of it.
#[derive(Debug)]
struct Part<const N: usize> {
    rows: Range<usize>,
    sums: Sums<N>,
    /// While the leaf may still be divided.
    open: Option<(Histogram<N>, Split<N>)>,
    divided: Option<(Split<N>, [usize; 2])>,
}

impl<'a, const N: usize> Grower<'a, N> {
    /// For trees of so many leaves at most.
    pub fn new(
        matrix: &'a Matrix,
        columns: &'a [Column],
        rules: Rules,
        leaves: usize,
        learning_rate: f64,
    ) -> Self {
        Self {
            matrix,
            columns,
            rules,
            leaves,
            learning_rate,
            order: vec![],
            moved: vec![],
            spare: vec![],
        }
    }

    /// Grows a tree on the derivatives of each row, and adds its answers to `scores`; `None` where no division gains.
    pub fn grow(&mut self, derivatives: &[Sums<N>], scores: &mut [f64]) -> Option<Tree> {
        self.order.clear();
        self.order.extend(0..derivatives.len() as u32);
        let mut total = [0.0; N];
        derivatives
            .iter()
            .for_each(|of_row| add(&mut total, of_row));
        let rows = 0..self.order.len();
        let mut histogram = self.room();
        histogram.fill(self.matrix, &self.order, derivatives);
        let mut parts = vec![self.part(rows, total, Some(histogram))];
        for leaves in 2..=self.leaves {
            let Some(next) = most_gain(&parts) else {
                break;
            };
            self.divide(&mut parts, next, derivatives, leaves == self.leaves);
        }
        for part in &mut parts {
            self.spare
                .extend(part.open.take().map(|(histogram, _)| histogram));
        }
        if parts.len() == 1 {
            return None;
        }
        self.answer(&parts, scores);
        Some(self.tree(&parts, 0))
    }

    fn room(&mut self) -> Histogram<N> {
        self.spare
            .pop()
            .unwrap_or_else(|| Histogram::new(self.matrix.columns()))
    }

    /// A leaf with its best division, if it has one.
    fn part(
        &mut self,
        rows: Range<usize>,
        sums: Sums<N>,
        histogram: Option<Histogram<N>>,
    ) -> Part<N> {
        let mut open = None;
        if let Some(histogram) = histogram {
            match best_split(&histogram, self.columns, &sums, &self.rules) {
                Some(split) => open = Some((histogram, split)),
                None => self.spare.push(histogram),
            }
        }
        Part {
            rows,
            sums,
            open,
            divided: None,
        }
    }

    fn divide(&mut self, parts: &mut Vec<Part<N>>, at: usize, derivatives: &[Sums<N>], last: bool) {
        let first = parts.len();
        let Some(part) = parts.get_mut(at) else {
            return;
        };
        let Some((histogram, split)) = part.open.take() else {
            return;
        };
        let rows = part.rows.clone();
        let middle = rows.start + self.partition(rows.clone(), &split);
        let sides = [
            (rows.start..middle, split.left_sums),
            (middle..rows.end, split.right_sums),
        ];
        part.divided = Some((split, [first, first + 1]));
        let histograms = self.histograms(histogram, &sides, derivatives, last);
        for ((rows, sums), histogram) in sides.into_iter().zip(histograms) {
            let part = self.part(rows, sums, histogram);
            parts.push(part);
        }
    }

    /// Histograms of both sides where they can be divided; that of the side with more rows is what the other leaves of the whole.
    fn histograms(
        &mut self,
        mut whole: Histogram<N>,
        [left, right]: &[(Range<usize>, Sums<N>); 2],
        derivatives: &[Sums<N>],
        last: bool,
    ) -> [Option<Histogram<N>>; 2] {
        let divisible = |side: &(Range<usize>, Sums<N>)| {
            !last && side.0.len() > 1 && weight(&side.1) >= 2.0 * self.rules.min_rows
        };
        let can = [divisible(left), divisible(right)];
        if can == [false, false] {
            self.spare.push(whole);
            return [None, None];
        }
        let left_is_small = left.0.len() <= right.0.len();
        let small = if left_is_small { left } else { right };
        let mut part = self.room();
        let rows = self.order.get(small.0.clone()).unwrap_or_default();
        part.fill(self.matrix, rows, derivatives);
        whole.subtract(&part);
        let both = if left_is_small {
            [part, whole]
        } else {
            [whole, part]
        };
        let mut kept = [None, None];
        for ((slot, histogram), can) in kept.iter_mut().zip(both).zip(can) {
            match can {
                true => *slot = Some(histogram),
                false => self.spare.push(histogram),
            }
        }
        kept
    }

    /// Moves the rows of a leaf that go left to its start, all in their order; how many they are.
    fn partition(&mut self, rows: Range<usize>, split: &Split<N>) -> usize {
        let codes = self.matrix.column(split.column);
        let Some(rows) = self.order.get_mut(rows) else {
            return 0;
        };
        self.moved.resize(rows.len().max(self.moved.len()), 0);
        let (mut kept, mut moved) = (0, 0);
        for at in 0..rows.len() {
            let Some(&row) = rows.get(at) else { break };
            let code = codes.get(row as usize).copied().unwrap_or(0);
            let left = usize::from(split.left.contains(code));
            // both places are written and one is kept: a jump that depends on the data would cost more
            if let (Some(a), Some(b)) = (rows.get_mut(kept), self.moved.get_mut(moved)) {
                (*a, *b) = (row, row);
            }
            kept += left;
            moved += 1 - left;
        }
        let right = rows.iter_mut().skip(kept);
        right.zip(&self.moved).for_each(|(slot, row)| *slot = *row);
        kept
    }

    fn value(&self, part: &Part<N>) -> f64 {
        self.learning_rate * self.rules.answer(&part.sums)
    }

    fn answer(&self, parts: &[Part<N>], scores: &mut [f64]) {
        for part in parts.iter().filter(|part| part.divided.is_none()) {
            let value = self.value(part);
            for &row in self.order.get(part.rows.clone()).unwrap_or_default() {
                if let Some(score) = scores.get_mut(row as usize) {
                    *score += value;
                }
            }
        }
    }

    fn tree(&self, parts: &[Part<N>], at: usize) -> Tree {
        let Some(part) = parts.get(at) else {
            return Tree::Leaf(0.0);
        };
        match &part.divided {
            None => Tree::Leaf(self.value(part)),
            Some((split, [left, right])) => Tree::Node(Box::new(Node {
                column: split.column,
                codes: split.left,
                left: self.tree(parts, *left),
                right: self.tree(parts, *right),
            })),
        }
    }
}

/// The leaf whose division gains most; of equal ones the first.
fn most_gain<const N: usize>(parts: &[Part<N>]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, part) in parts.iter().enumerate() {
        let Some((_, split)) = &part.open else {
            continue;
        };
        if best.is_none_or(|(_, gain)| split.gain > gain) {
            best = Some((at, split.gain));
        }
    }
    best.map(|(at, _)| at)
}
