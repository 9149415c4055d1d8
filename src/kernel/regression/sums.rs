//! What is summed over rows of a label and a prediction.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
pub(super) use super::super::exact_block::BLOCK;
use super::super::exact_sum::{Double, ExactSum, product_error};
use super::loss::{logarithmic_error, relative_error};

/// What a sum is of; `e = prediction - label`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    /// `e`.
    Error,
    /// `e^2`.
    Squared,
    /// `e^4`.
    Fourth,
    /// `|e / label|`.
    Relative,
    /// Its square.
    RelativeSquared,
    /// `(ln(1 + label) - ln(1 + prediction))^2`.
    Logarithmic,
    /// Its square.
    LogarithmicSquared,
    /// The label `y`.
    Label,
    /// `y^2`, rounding included.
    LabelSquared,
    /// `y^3`.
    LabelCubed,
    /// `y^4`.
    LabelFourth,
    /// `e^2 y`.
    SquaredLabel,
    /// `e^2 y^2`.
    SquaredLabelSquared,
    /// The cube of [`Self::Relative`].
    RelativeCubed,
    /// The cube of [`Self::Logarithmic`].
    LogarithmicCubed,
}

const TERMS: usize = Term::LogarithmicCubed as usize + 1;

/// Exact sums of every [`Term`].
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sums([ExactSum; TERMS]);

/// Labels and predictions of up to [`BLOCK`] rows, side by side.
pub(super) struct Rows<'a> {
    pub labels: &'a [f64],
    pub predictions: &'a [f64],
    /// What each row counts; nothing where each counts once.
    pub weights: &'a [f64],
    /// Whether no number of the block is negative, so that logarithms exist.
    pub logarithms: bool,
    /// Whether every label with an error has a size to compare it with.
    pub relative: bool,
}

impl Sums {
    /// A sum, to 106 bits.
    pub fn of(&self, term: Term) -> Double {
        let sum = self.0.get(term as usize);
        sum.map_or(
            Double {
                high: 0.0,
                low: 0.0,
            },
            ExactSum::value,
        )
    }

    /// Adds the terms of a block of rows whose numbers are finite.
    pub fn add(&mut self, rows: &Rows) {
        let errors = each(rows, |y, f| f - y);
        self.put(Term::Error, rows, &errors);
        let squares = with(&errors, rows.labels, |e, _| e * e);
        self.put(Term::Squared, rows, &squares);
        self.put(
            Term::Fourth,
            rows,
            &with(&squares, rows.labels, |s, _| s * s),
        );
        if rows.relative {
            let relative = with(&errors, rows.labels, relative_error);
            self.put(Term::Relative, rows, &relative);
            let squares = with(&relative, rows.labels, |x, _| x * x);
            self.put(Term::RelativeSquared, rows, &squares);
            let cubes = with(&relative, rows.labels, |x, _| x * x * x);
            self.put(Term::RelativeCubed, rows, &cubes);
        }
        if rows.logarithms {
            let logarithmic = each(rows, logarithmic_error);
            self.put(Term::Logarithmic, rows, &logarithmic);
            let squares = with(&logarithmic, rows.labels, |x, _| x * x);
            self.put(Term::LogarithmicSquared, rows, &squares);
            let cubes = with(&logarithmic, rows.labels, |x, _| x * x * x);
            self.put(Term::LogarithmicCubed, rows, &cubes);
        }
        self.add_labels(rows, &squares);
    }

    fn add_labels(&mut self, rows: &Rows, squared_errors: &[f64; BLOCK]) {
        let labels = each(rows, |y, _| y);
        self.put(Term::Label, rows, &labels);
        let squares = with(&labels, rows.labels, |y, _| y * y);
        self.put(Term::LabelSquared, rows, &squares);
        self.put(
            Term::LabelSquared,
            rows,
            &with(&labels, rows.labels, |y, _| square_error(y)),
        );
        self.put(
            Term::LabelCubed,
            rows,
            &with(&squares, rows.labels, |s, y| s * y),
        );
        self.put(
            Term::LabelFourth,
            rows,
            &with(&squares, rows.labels, |s, _| s * s),
        );
        self.put(
            Term::SquaredLabel,
            rows,
            &with(squared_errors, rows.labels, |e, y| e * y),
        );
        let both = with(squared_errors, rows.labels, |e, y| e * (y * y));
        self.put(Term::SquaredLabelSquared, rows, &both);
    }

    fn put(&mut self, term: Term, rows: &Rows, terms: &[f64; BLOCK]) {
        if let (Some(sum), Some(terms)) = (
            self.0.get_mut(term as usize),
            terms.get(..rows.labels.len()),
        ) {
            match rows.weights {
                [] => sum.add_all(terms),
                weights => {
                    let pairs = terms.iter().zip(weights);
                    pairs.for_each(|(term, weight)| add_product(sum, *term, *weight));
                }
            }
        }
    }

    /// Adds other sums.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            sum.merge(more);
        }
    }

    /// The sums that hold every row; those of logarithms and of relative errors only where all rows have them.
    pub fn readable(&self, logarithms: bool, relative: bool) -> Self {
        let mut kept = self.clone();
        let dropped = [
            (
                logarithms,
                [
                    Term::Logarithmic,
                    Term::LogarithmicSquared,
                    Term::LogarithmicCubed,
                ],
            ),
            (
                relative,
                [Term::Relative, Term::RelativeSquared, Term::RelativeCubed],
            ),
        ];
        for (complete, terms) in dropped {
            for term in terms.into_iter().filter(|_| !complete) {
                if let Some(sum) = kept.0.get_mut(term as usize) {
                    *sum = ExactSum::default();
                }
            }
        }
        kept
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.0.iter().map(ExactSum::heap_size).sum()
    }

    pub fn write(&self, w: &mut Writer) {
        self.0.iter().for_each(|sum| sum.write(w));
    }

    pub fn read(r: &mut Reader) -> Result<Self, KernelError> {
        let mut sums = Self::default();
        for sum in &mut sums.0 {
            *sum = ExactSum::read(r)?;
        }
        Ok(sums)
    }
}

/// Adds a product with what rounding takes from it.
fn add_product(sum: &mut ExactSum, term: f64, weight: f64) {
    let product = term * weight;
    sum.add(product);
    sum.add(product_error(term, weight, product));
}

/// What rounding takes from `y * y` (Dekker 1971); 0 where splitting would overflow, beyond any label that is summed.
#[inline]
fn square_error(y: f64) -> f64 {
    let wide = y * 134_217_729.0;
    let high = wide - (wide - y);
    let low = y - high;
    ((high * high - y * y) + 2.0 * high * low) + low * low
}

#[inline]
fn each(rows: &Rows, term: impl Fn(f64, f64) -> f64) -> [f64; BLOCK] {
    let mut terms = [0.0; BLOCK];
    let pairs = rows.labels.iter().zip(rows.predictions);
    for (at, (y, f)) in terms.iter_mut().zip(pairs) {
        *at = term(*y, *f);
    }
    terms
}

#[inline]
fn with(of: &[f64; BLOCK], labels: &[f64], term: impl Fn(f64, f64) -> f64) -> [f64; BLOCK] {
    let mut terms = [0.0; BLOCK];
    for (at, (x, y)) in terms.iter_mut().zip(of.iter().zip(labels)) {
        *at = term(*x, *y);
    }
    terms
}
