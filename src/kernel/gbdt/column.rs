//! From a value to a code of one byte: ranges of numbers, frequent categories.
use std::collections::HashMap;

use super::options::Options;
use super::rows::{MISSING, Rows};
use super::rows_bytes::utf8;
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::pca::Cell;
use crate::kernel::pca::columns::Kind;

/// The code of missing values, of numbers and of categories.
pub const MISSING_CODE: u8 = 255;
/// The code of categories that were rare or did not occur.
pub const OTHER_CODE: u8 = 254;
/// Most categories that have a code of their own.
const MOST_CATEGORIES: usize = 254;
/// A category of fewer rows is not learnt by itself.
const FREQUENT: f64 = 10.0;

/// A feature with its codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: String,
    values: Values,
}

#[derive(Debug, Clone, PartialEq)]
enum Values {
    /// Upper ends of all ranges but the last, ascending.
    Numbers(Vec<f64>),
    /// Categories by code, and their codes.
    Texts(Vec<String>, HashMap<String, u8>),
}

impl Column {
    /// Name of the feature.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds numbers or categories.
    pub fn kind(&self) -> Kind {
        match self.values {
            Values::Numbers(_) => Kind::Number,
            Values::Texts(..) => Kind::Text,
        }
    }

    /// How many ranges of numbers it has; no range for categories.
    pub fn ranges(&self) -> usize {
        match &self.values {
            Values::Numbers(edges) => edges.len() + 1,
            Values::Texts(..) => 0,
        }
    }

    /// The code of a value. An infinite number is larger, or smaller, than all others.
    #[inline]
    pub fn code(&self, cell: Cell) -> u8 {
        match (&self.values, cell) {
            (Values::Numbers(edges), Cell::Number(x)) if !x.is_nan() => {
                edges.partition_point(|edge| *edge < x) as u8
            }
            (Values::Texts(_, codes), Cell::Text(text)) => {
                codes.get(text).copied().unwrap_or(OTHER_CODE)
            }
            _ => MISSING_CODE,
        }
    }

    /// The codes that a column of rows gets, and the code of each row.
    pub(super) fn learn(rows: &Rows, at: usize, options: &Options) -> Option<(Self, Vec<u8>)> {
        let column = rows.columns.get(at)?;
        let name = column.name.clone();
        match column.kind {
            Kind::Number => {
                let known = rows
                    .words(at)
                    .zip(rows.weights())
                    .filter(|(word, _)| *word != MISSING);
                let values = known
                    .map(|(word, weight)| (f64::from_bits(word), weight))
                    .collect();
                let edges = edges(&distinct(values), options.max_bins);
                let found = Self {
                    name,
                    values: Values::Numbers(edges),
                };
                let cell = |word| match word {
                    MISSING => Cell::Missing,
                    bits => Cell::Number(f64::from_bits(bits)),
                };
                let codes = rows.words(at).map(|word| found.code(cell(word))).collect();
                Some((found, codes))
            }
            Kind::Text => {
                let mut weights = vec![0.0; column.texts.len()];
                for (word, weight) in rows.words(at).zip(rows.weights()) {
                    if let Some(sum) = usize::try_from(word)
                        .ok()
                        .and_then(|at| weights.get_mut(at))
                    {
                        *sum += weight;
                    }
                }
                let texts = column.texts.sorted();
                let (categories, of_text) =
                    frequent(&texts, &weights, options.least_rows(rows.weights().sum()));
                let code =
                    |word: u64| match usize::try_from(word).ok().and_then(|at| of_text.get(at)) {
                        Some(code) => *code,
                        None => MISSING_CODE,
                    };
                Some((
                    Self::of_texts(name, categories),
                    rows.words(at).map(code).collect(),
                ))
            }
        }
    }

    fn of_texts(name: String, categories: Vec<String>) -> Self {
        let codes = categories
            .iter()
            .zip(0..OTHER_CODE)
            .map(|(text, code)| (text.clone(), code));
        let codes = codes.collect();
        Self {
            name,
            values: Values::Texts(categories, codes),
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.bytes(self.name.as_bytes());
        match &self.values {
            Values::Numbers(edges) => {
                w.uint(0);
                w.uint(edges.len() as u64);
                edges.iter().for_each(|edge| w.float(*edge));
            }
            Values::Texts(categories, _) => {
                w.uint(1);
                w.uint(categories.len() as u64);
                categories.iter().for_each(|text| w.bytes(text.as_bytes()));
            }
        }
    }

    pub(super) fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let name = utf8(r.bytes()?)?.to_string();
        let unreadable =
            |why: &str| Err(KernelError::Unreadable(format!("feature '{name}' {why}")));
        if r.uint()? == 0 {
            let edges = (0..r.length(8)?)
                .map(|_| r.float())
                .collect::<Result<Vec<f64>, _>>()?;
            if edges.len() > usize::from(OTHER_CODE) || !edges.is_sorted_by(|a, b| a < b) {
                return unreadable("has too many ranges, or not in their order");
            }
            return Ok(Self {
                name,
                values: Values::Numbers(edges),
            });
        }
        let texts = (0..r.length(1)?).map(|_| Ok(utf8(r.bytes()?)?.to_string()));
        let texts = texts.collect::<Result<Vec<String>, KernelError>>()?;
        if texts.len() > MOST_CATEGORIES {
            return unreadable("has too many categories");
        }
        Ok(Self::of_texts(name, texts))
    }
}

/// Distinct numbers, ascending, with the weight of each.
fn distinct(mut values: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    // equal numbers keep the order of the rows, and so the sum of their weights is the same every time
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    values.dedup_by(|next, kept| {
        let equal = next.0 == kept.0;
        kept.1 += if equal { next.1 } else { 0.0 };
        equal
    });
    values
}

/// Upper ends of at most `bins` ranges of about equal weight. A number that alone has the weight of a range is one.
///
/// Ends lie in the middle between two neighbours, so that numbers between them go with the nearer one.
fn edges(values: &[(f64, f64)], bins: usize) -> Vec<f64> {
    let between = |pair: &[(f64, f64); 2]| middle(pair[0].0, pair[1].0);
    if values.len() <= bins {
        return values.array_windows().map(between).collect();
    }
    let mut rest: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut left = bins as f64;
    let fair = rest / left;
    for (_, weight) in values.iter().filter(|(_, weight)| *weight >= fair) {
        rest -= weight;
        left -= 1.0;
    }
    let is_large = |weight: f64| weight >= fair;
    let mut size = if left > 0.0 {
        rest / left
    } else {
        f64::INFINITY
    };
    let (mut found, mut filled) = (Vec::with_capacity(bins), 0.0);
    for pair in values.array_windows() {
        let [(_, weight), (_, next)] = *pair;
        filled += weight;
        if !is_large(weight) {
            rest -= weight;
        }
        let full = is_large(weight) || filled >= size || (is_large(next) && filled >= size / 2.0);
        if !full || found.len() + 1 >= bins {
            continue;
        }
        found.push(between(pair));
        filled = 0.0;
        if !is_large(weight) {
            left -= 1.0;
            size = if left >= 1.0 {
                rest / left
            } else {
                f64::INFINITY
            };
        }
    }
    found
}

/// A number from `a` on and below `b`, in the middle where there is one.
fn middle(a: f64, b: f64) -> f64 {
    let middle = a / 2.0 + b / 2.0;
    if middle >= a && middle < b { middle } else { a }
}

/// The categories that have codes, and the code of each text.
fn frequent(texts: &[(&str, u64)], weights: &[f64], min_rows: f64) -> (Vec<String>, Vec<u8>) {
    let enough = (min_rows / 2.0).clamp(1.0, FREQUENT);
    let weight = |code: u64| {
        usize::try_from(code)
            .ok()
            .and_then(|at| weights.get(at))
            .copied()
    };
    let mut ranked: Vec<(&str, u64, f64)> = texts
        .iter()
        .filter_map(|(text, code)| Some((*text, *code, weight(*code)?)))
        .filter(|(.., weight)| *weight >= enough)
        .collect();
    // equally frequent ones stay in the order of their texts
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
    ranked.truncate(MOST_CATEGORIES);
    let mut codes = vec![OTHER_CODE; texts.len()];
    for ((_, text, _), code) in ranked.iter().zip(0..OTHER_CODE) {
        if let Some(slot) = usize::try_from(*text).ok().and_then(|at| codes.get_mut(at)) {
            *slot = code;
        }
    }
    (
        ranked
            .into_iter()
            .map(|(text, ..)| text.to_string())
            .collect(),
        codes,
    )
}
