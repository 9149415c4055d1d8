//! Rows in their canonical order, repetitions added up, a sample of too many.
use super::rows::{MOST_CELLS, Rows, recoded};
use crate::kernel::pca::columns::Kind;

impl Rows {
    /// Most rows that are kept.
    fn most(&self) -> usize {
        self.max_rows.min(MOST_CELLS / self.width()).max(1)
    }

    /// Puts rows in their canonical order, adds up repetitions, and drops what is too much.
    pub(super) fn order(&mut self) {
        if self.ordered == self.hashes.len() {
            return;
        }
        self.renumber(|_, _| true);
        let width = self.width();
        let row = |at: u32| {
            let start = at as usize * width;
            self.cells.get(start..start + width).unwrap_or_default()
        };
        let hash = |at: u32| self.hashes.get(at as usize).copied().unwrap_or(0);
        let mut order: Vec<u32> = (0..self.hashes.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| hash(a).cmp(&hash(b)).then_with(|| row(a).cmp(row(b))));
        let mut first: Vec<u32> = Vec::with_capacity(order.len().min(self.most()));
        let (mut weights, mut counts) = (Vec::new(), Vec::new());
        for run in order
            .chunk_by(|&a, &b| hash(a) == hash(b) && row(a) == row(b))
            .take(self.most())
        {
            first.extend(run.first());
            let weight = run
                .iter()
                .filter_map(|&at| self.weights.get(at as usize))
                .fold(0, |sum: u128, weight| sum.saturating_add(*weight));
            weights.push(weight);
            counts.push(
                run.iter()
                    .filter_map(|&at| self.counts.get(at as usize))
                    .sum(),
            );
        }
        let truncated = first.len() == self.most();
        let mut cells = Vec::with_capacity(first.len() * width);
        first
            .iter()
            .for_each(|&at| cells.extend_from_slice(row(at)));
        let hashes: Vec<u64> = first.iter().map(|&at| hash(at)).collect();
        if truncated {
            self.largest_hash = hashes.last().copied().unwrap_or(u64::MAX);
        }
        (self.cells, self.hashes, self.weights, self.counts) = (cells, hashes, weights, counts);
        self.ordered = self.hashes.len();
        if truncated {
            self.drop_unused_texts();
        }
    }

    /// Gives the texts codes in their order.
    fn renumber(&mut self, used: impl Fn(usize, u64) -> bool) {
        let width = self.width();
        for (at, column) in self.columns.iter_mut().enumerate() {
            if column.kind != Kind::Text {
                continue;
            }
            let codes = column.texts.renumber(|code| used(at, code));
            for row in self.cells.chunks_mut(width) {
                if let Some(word) = row.get_mut(at + 1) {
                    *word = recoded(*word, Kind::Text, &codes);
                }
            }
        }
    }

    fn drop_unused_texts(&mut self) {
        let width = self.width();
        let mut used: Vec<Vec<bool>> = self
            .columns
            .iter()
            .map(|column| vec![false; column.texts.len()])
            .collect();
        for row in self.cells.chunks(width) {
            for (used, word) in used.iter_mut().zip(row.iter().skip(1)) {
                if let Some(flag) = usize::try_from(*word).ok().and_then(|at| used.get_mut(at)) {
                    *flag = true;
                }
            }
        }
        let is_used = |column: usize, code: u64| {
            let flags = used.get(column);
            let code = usize::try_from(code).ok();
            flags
                .zip(code)
                .and_then(|(flags, code)| flags.get(code))
                .copied()
                .unwrap_or(false)
        };
        self.renumber(is_used);
    }
}
