//! First pass over the reference: moments of numbers and counts of categories, all exact.
use std::collections::HashMap;

use super::Cell;
use super::columns_moments::{frequency_moments, median};
use super::encoding::{EncodedColumn, Encoding, Frequencies, Values};
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::digest::DigestLimits;
use crate::kernel::exact_sum::ExactMoments;
use crate::kernel::score_profile::{ScoreProfile, class_of};

const MAGIC: [u8; 4] = *b"MWEC";
const WHAT: &str = "state of fit_encoding";

/// Most categories of a column. Beyond, frequencies say little and the fitted value would be as large as the data.
pub const MOST_CATEGORIES: usize = 100_000;

/// What stands for a missing number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ImputeNumber {
    /// Mean of the column.
    #[default]
    Mean,
    /// Median of the column, from a digest of so many bins: exact up to as many distinct numbers.
    Median(u32),
}

/// What stands for a missing category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ImputeText {
    /// The most frequent one; of equally frequent ones the first in the order of texts.
    #[default]
    MostFrequent,
    /// A category of its own.
    Missing,
}

/// Whether a column holds numbers or categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, which are scaled.
    Number,
    /// Categories, which become frequencies.
    Text,
}

/// The columns of the rows that were seen.
#[derive(Debug, Default)]
pub struct ColumnSummaries {
    /// Rows without an infinite number.
    rows: u64,
    columns: Vec<ColumnSummary>,
    text_heap: usize,
}

#[derive(Debug)]
struct ColumnSummary {
    name: String,
    missing: u64,
    values: Summary,
}

#[derive(Debug)]
enum Summary {
    Number(ExactMoments, Option<Box<ScoreProfile>>),
    Text(HashMap<String, u64>),
}

impl ColumnSummaries {
    /// Takes these columns, or refuses them when others were seen before.
    pub fn require(
        &mut self,
        columns: &[(String, Kind)],
        numbers: ImputeNumber,
    ) -> Result<(), KernelError> {
        if self.columns.is_empty() {
            self.columns = columns
                .iter()
                .map(|(name, kind)| ColumnSummary::new(name, *kind, numbers))
                .collect();
            return Ok(());
        }
        let mut seen = self.columns.iter().map(|c| (c.name.as_str(), c.kind()));
        let same = seen.len() == columns.len()
            && columns.iter().all(|(n, k)| seen.next() == Some((n, *k)));
        match same {
            true => Ok(()),
            false => Err(KernelError::Undefined(
                "rows have different columns. Expected the same names and types in every row"
                    .into(),
            )),
        }
    }

    /// Adds a row, cells in the order of the columns; a row with an infinite number is left out.
    pub fn observe<'a>(
        &mut self,
        cells: impl Iterator<Item = Cell<'a>> + Clone,
    ) -> Result<(), KernelError> {
        if cells.clone().any(|cell| cell.is_infinite()) {
            return Ok(());
        }
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.text_heap += column.observe(cell, 1)?;
        }
        Ok(())
    }

    /// Bytes on the heap, in constant time but for the number of columns.
    pub fn heap_size(&self) -> usize {
        let numbers = |column: &ColumnSummary| match &column.values {
            Summary::Number(moments, digest) => {
                moments.heap_size() + digest.as_ref().map_or(0, |digest| digest.heap_size())
            }
            Summary::Text(counts) => counts.capacity() * (size_of::<(String, u64)>() + 1),
        };
        self.columns.capacity() * size_of::<ColumnSummary>()
            + self.columns.iter().map(numbers).sum::<usize>()
            + self.text_heap
    }

    /// The state; equal rows in any order give equal bytes.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, 1);
        w.uint(self.rows);
        w.uint(self.columns.len() as u64);
        for column in &mut self.columns {
            w.bytes(column.name.as_bytes());
            w.uint(column.missing);
            match &mut column.values {
                Summary::Number(moments, digest) => {
                    w.uint(if digest.is_some() { 1 } else { 0 });
                    moments.write(&mut w);
                    if let Some(digest) = digest {
                        w.bytes(&digest.to_bytes());
                    }
                }
                Summary::Text(counts) => {
                    w.uint(2);
                    w.uint(counts.len() as u64);
                    for (name, count) in sorted(counts) {
                        w.bytes(name.as_bytes());
                        w.uint(count);
                    }
                }
            }
        }
        w.finish()
    }

    /// Adds a state.
    pub fn merge_bytes(&mut self, bytes: &[u8], numbers: ImputeNumber) -> Result<(), KernelError> {
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let rows = r.uint()?;
        let mut found = Vec::new();
        for _ in 0..r.length(4)? {
            found.push(ColumnSummary::read(&mut r)?);
        }
        r.finish()?;
        if found.is_empty() {
            return Ok(());
        }
        let kinds: Vec<(String, Kind)> = found.iter().map(|c| (c.name.clone(), c.kind())).collect();
        self.require(&kinds, numbers)?;
        self.rows += rows;
        for (column, other) in self.columns.iter_mut().zip(found) {
            self.text_heap += column.merge(other)?;
        }
        Ok(())
    }

    /// The encoding that these rows teach; `None` without rows.
    pub fn encoding(&mut self, texts: ImputeText) -> Option<Encoding> {
        if self.rows == 0 {
            return None;
        }
        let rows = self.rows;
        let columns = self.columns.iter_mut().map(|c| c.encoded(rows, texts));
        Some(Encoding::new(rows, columns.collect()))
    }
}

fn sorted(counts: &HashMap<String, u64>) -> Vec<(&str, u64)> {
    let mut sorted: Vec<(&str, u64)> = counts.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    sorted.sort_unstable();
    sorted
}

impl ColumnSummary {
    fn new(name: &str, kind: Kind, numbers: ImputeNumber) -> Self {
        let values = match (kind, numbers) {
            (Kind::Text, _) => Summary::Text(HashMap::new()),
            (Kind::Number, ImputeNumber::Mean) => Summary::Number(ExactMoments::default(), None),
            (Kind::Number, ImputeNumber::Median(max_bins)) => {
                let limits = DigestLimits {
                    max_bins: max_bins.clamp(DigestLimits::FEWEST_BINS, DigestLimits::MOST_BINS),
                    ..DigestLimits::default()
                };
                let digest = Box::new(ScoreProfile::new(limits));
                Summary::Number(ExactMoments::default(), Some(digest))
            }
        };
        Self {
            name: name.to_string(),
            missing: 0,
            values,
        }
    }

    fn kind(&self) -> Kind {
        match self.values {
            Summary::Number(..) => Kind::Number,
            Summary::Text(_) => Kind::Text,
        }
    }

    /// Adds a value `count` times; returns the bytes that a new category takes on the heap.
    fn observe(&mut self, cell: Cell, count: u64) -> Result<usize, KernelError> {
        match (&mut self.values, cell) {
            (Summary::Number(moments, digest), Cell::Number(x)) => {
                moments.observe(x);
                if let Some(digest) = digest {
                    digest.observe(class_of(None, None), Some(x));
                }
            }
            (Summary::Text(counts), Cell::Text(text)) => {
                if let Some(seen) = counts.get_mut(text) {
                    *seen += count;
                    return Ok(0);
                }
                counts.insert(text.to_string(), count);
                if counts.len() > MOST_CATEGORIES {
                    return Err(KernelError::Undefined(format!(
                        "column '{0}' has more than {MOST_CATEGORIES} categories. Expected a column whose values recur. \
                         Hint: exclude => ['{0}']",
                        self.name
                    )));
                }
                return Ok(text.len());
            }
            _ => self.missing += count,
        }
        Ok(0)
    }

    fn merge(&mut self, other: Self) -> Result<usize, KernelError> {
        self.missing += other.missing;
        let mut heap = 0;
        match (&mut self.values, other.values) {
            (Summary::Number(moments, digest), Summary::Number(more, others)) => {
                moments.merge(&more);
                if let (Some(digest), Some(mut others)) = (digest, others) {
                    digest.merge(&mut others)?;
                }
            }
            (Summary::Text(_), Summary::Text(more)) => {
                for (name, count) in more {
                    heap += self.observe(Cell::Text(&name), count)?;
                }
            }
            // `expect` compared the kinds
            _ => (),
        }
        Ok(heap)
    }

    fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let name = text(r)?;
        let missing = r.uint()?;
        let values = match r.uint()? {
            has_digest @ 0..=1 => {
                let moments = ExactMoments::read(r)?;
                let digest = match has_digest {
                    0 => None,
                    _ => Some(Box::new(ScoreProfile::from_bytes(r.bytes()?)?)),
                };
                Summary::Number(moments, digest)
            }
            _ => {
                let counts: Result<HashMap<String, u64>, KernelError> = (0..r.length(2)?)
                    .map(|_| Ok((text(r)?, r.uint()?)))
                    .collect();
                Summary::Text(counts?)
            }
        };
        Ok(Self {
            name,
            missing,
            values,
        })
    }

    fn encoded(&mut self, rows: u64, texts: ImputeText) -> EncodedColumn {
        let name = self.name.clone();
        match &mut self.values {
            Summary::Number(moments, digest) => {
                let mean = moments.centered(0, 0.0).map(|(mean, _)| mean);
                let imputed = match digest {
                    Some(digest) => median(digest).or(mean),
                    None => mean,
                };
                let found = imputed.and_then(|x| Some((x, moments.centered(self.missing, x)?)));
                let values = Values::Number {
                    imputed: found.map_or(0.0, |(x, _)| x),
                };
                let moments = found.map(|(_, (mean, squares))| (mean, squares / rows as f64));
                EncodedColumn::new(name, rows, moments, values)
            }
            Summary::Text(counts) => {
                let mut categories: Vec<(String, u64)> = sorted(counts)
                    .into_iter()
                    .map(|(n, c)| (n.to_string(), c))
                    .collect();
                let mut missing = self.missing;
                if texts == ImputeText::MostFrequent {
                    let most = categories
                        .iter()
                        .map(|(_, count)| *count)
                        .max()
                        .unwrap_or(0);
                    if let Some(mode) = categories.iter_mut().find(|(_, count)| *count == most) {
                        mode.1 += missing;
                        missing = mode.1;
                    }
                }
                let empty = categories.is_empty() && texts == ImputeText::MostFrequent;
                let own = (texts == ImputeText::Missing).then_some(missing);
                let counts = categories.iter().map(|(_, c)| *c).chain(own);
                let moments = (!empty).then(|| frequency_moments(rows, counts));
                EncodedColumn::new(
                    name,
                    rows,
                    moments,
                    Values::Text(Frequencies::new(categories, missing)),
                )
            }
        }
    }
}

/// A text with its length.
pub(super) fn text(r: &mut Reader) -> Result<String, KernelError> {
    String::from_utf8(r.bytes()?.to_vec())
        .map_err(|_| KernelError::Unreadable("a name is not UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summaries(rows: &[(Cell, Cell)], numbers: ImputeNumber) -> ColumnSummaries {
        let mut found = ColumnSummaries::default();
        let columns = [
            ("x".to_string(), Kind::Number),
            ("c".to_string(), Kind::Text),
        ];
        found.require(&columns, numbers).unwrap();
        for (x, c) in rows {
            found.observe([*x, *c].into_iter()).unwrap();
        }
        found
    }

    const ROWS: [(Cell, Cell); 5] = [
        (Cell::Number(1.0), Cell::Text("b")),
        (Cell::Number(2.0), Cell::Text("b")),
        (Cell::Number(9.0), Cell::Text("a")),
        (Cell::Missing, Cell::Missing),
        (Cell::Number(f64::INFINITY), Cell::Text("c")),
    ];

    fn encoded(numbers: ImputeNumber, texts: ImputeText, row: [Cell; 2]) -> Vec<f64> {
        let encoding = summaries(&ROWS, numbers).encoding(texts).unwrap();
        let mut z = vec![0.0; 2];
        assert!(encoding.encode(row.into_iter(), &mut z));
        z
    }

    #[test]
    fn numbers_are_scaled_and_the_mean_stands_for_missing_ones() {
        // 1, 2, 9 and the mean 4: variance (9 + 4 + 25) / 4
        let z = encoded(
            ImputeNumber::Mean,
            ImputeText::MostFrequent,
            [Cell::Missing, Cell::Text("b")],
        );
        assert_eq!(z[0], 0.0);
        let z = encoded(
            ImputeNumber::Mean,
            ImputeText::MostFrequent,
            [Cell::Number(9.0), Cell::Missing],
        );
        assert_eq!(z[0], 5.0 / 9.5f64.sqrt());
        // median 2: mean 3.5, variance (6.25 + 2.25 + 30.25 + 2.25) / 4
        let z = encoded(
            ImputeNumber::Median(100),
            ImputeText::MostFrequent,
            [Cell::Missing, Cell::Missing],
        );
        assert_eq!(z[0], -1.5 / 10.25f64.sqrt());
    }

    #[test]
    fn categories_become_frequencies() {
        // b three times of four with the imputed one, a once: mean .75 * .75 + .25 * .25
        let sd = (0.75 * 0.125f64.powi(2) + 0.25 * 0.375f64.powi(2)).sqrt();
        let of = |cell| {
            encoded(
                ImputeNumber::Mean,
                ImputeText::MostFrequent,
                [Cell::Missing, cell],
            )[1]
        };
        assert_eq!(of(Cell::Text("b")), 0.125 / sd);
        assert_eq!(of(Cell::Missing), 0.125 / sd);
        assert_eq!(of(Cell::Text("a")), -0.375 / sd);
        // unseen: frequency 0; c stood in a row that was left out
        assert_eq!(of(Cell::Text("c")), -0.625 / sd);
    }

    #[test]
    fn missing_may_be_a_category() {
        // b .5, a .25, missing .25
        let of = |cell| {
            encoded(
                ImputeNumber::Mean,
                ImputeText::Missing,
                [Cell::Missing, cell],
            )[1]
        };
        assert_eq!(of(Cell::Missing), of(Cell::Text("a")));
        assert!(of(Cell::Text("b")) > of(Cell::Missing));
    }

    #[test]
    fn the_order_leaves_no_trace() {
        let mut forward = summaries(&ROWS, ImputeNumber::Median(2));
        let reversed: Vec<_> = ROWS.iter().rev().copied().collect();
        let mut merged = summaries(&reversed[..2], ImputeNumber::Median(2));
        let mut rest = summaries(&reversed[2..], ImputeNumber::Median(2));
        merged
            .merge_bytes(&rest.to_bytes(), ImputeNumber::Median(2))
            .unwrap();
        assert_eq!(merged.to_bytes(), forward.to_bytes());
    }

    #[test]
    fn an_identifier_is_refused_by_name() {
        let mut found = ColumnSummaries::default();
        found
            .require(&[("id".into(), Kind::Text)], ImputeNumber::Mean)
            .unwrap();
        let refused = (0..=MOST_CATEGORIES).find_map(|i| {
            found
                .observe([Cell::Text(&i.to_string())].into_iter())
                .err()
        });
        assert!(
            refused
                .unwrap()
                .to_string()
                .contains("column 'id' has more than 100000")
        );
    }

    #[test]
    fn no_rows_teach_nothing() {
        assert!(
            ColumnSummaries::default()
                .encoding(ImputeText::MostFrequent)
                .is_none()
        );
    }
}
