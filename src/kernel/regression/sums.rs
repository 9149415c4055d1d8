//! What is summed over rows of a label and a prediction.
use super::super::KernelError;
use super::super::codec::{Reader, Writer};
pub(super) use super::super::exact_block::BLOCK;
use super::super::exact_block::{largest, wide};
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
        let count = rows.labels.len();
        let [mut labels, mut errors, mut squares, mut terms] = [0; 4].map(|_| Terms::new(count));
        labels.fill(rows, |y, _| y);
        errors.fill(rows, |y, f| f - y);
        squares.fill_from(&errors, |e| e * e);
        self.put(Term::Error, rows, &errors);
        self.put(Term::Squared, rows, &squares);
        self.put(
            Term::Fourth,
            rows,
            terms.fill_from(&squares, |s| rounded(s * s)),
        );
        self.put(
            Term::SquaredLabel,
            rows,
            terms.fill_products(&squares, &labels),
        );
        self.add_labels(rows, &labels, [&mut errors, &mut terms]);
        // in place of the errors there are now squared labels
        let both = terms.fill_products(&squares, &errors);
        self.put(Term::SquaredLabelSquared, rows, both);
        if rows.relative {
            squares.fill(rows, |y, f| relative_error(f - y, y));
            let powers = [Term::Relative, Term::RelativeSquared, Term::RelativeCubed];
            self.put_powers(powers, rows, &squares, &mut terms);
        }
        if rows.logarithms {
            squares.fill(rows, logarithmic_error);
            let powers = [
                Term::Logarithmic,
                Term::LogarithmicSquared,
                Term::LogarithmicCubed,
            ];
            self.put_powers(powers, rows, &squares, &mut terms);
        }
    }

    /// Adds labels and their powers; their squares are in `squares` afterwards.
    fn add_labels(&mut self, rows: &Rows, labels: &Terms, [squares, terms]: [&mut Terms; 2]) {
        squares.fill_from(labels, |y| y * y);
        self.put(Term::Label, rows, labels);
        self.put(Term::LabelSquared, rows, squares);
        // little is left of this sum beside the square of the mean, so it is not rounded
        terms.fill_from(labels, square_error);
        terms.bound = squares.bound * f64::EPSILON;
        self.put(Term::LabelSquared, rows, terms);
        self.put(Term::LabelCubed, rows, terms.fill_products(squares, labels));
        self.put(
            Term::LabelFourth,
            rows,
            terms.fill_from(squares, |s| rounded(s * s)),
        );
    }

    /// Numbers, their squares and cubes.
    fn put_powers(
        &mut self,
        [one, two, three]: [Term; 3],
        rows: &Rows,
        numbers: &Terms,
        terms: &mut Terms,
    ) {
        self.put(one, rows, numbers);
        self.put(two, rows, terms.fill_from(numbers, |x| rounded(x * x)));
        self.put(
            three,
            rows,
            terms.fill_from(numbers, |x| rounded(x * x * x)),
        );
    }

    fn put(&mut self, term: Term, rows: &Rows, terms: &Terms) {
        let Some(sum) = self.0.get_mut(term as usize) else {
            return;
        };
        match rows.weights {
            [] => sum.add_within(&terms.numbers, terms.bound, terms.count),
            weights => {
                let pairs = terms.numbers.iter().zip(weights);
                pairs.for_each(|(term, weight)| add_product(sum, *term, *weight));
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
#[inline(always)]
fn square_error(y: f64) -> f64 {
    let wide = y * SPLIT;
    let high = wide - (wide - y);
    let low = y - high;
    ((high * high - y * y) + 2.0 * high * low) + low * low
}

/// Numbers of a block, zeros behind them, and what none of them is larger than.
struct Terms {
    numbers: [f64; BLOCK],
    bound: f64,
    count: usize,
}

impl Terms {
    fn new(count: usize) -> Self {
        Self {
            numbers: [0.0; BLOCK],
            bound: 0.0,
            count,
        }
    }

    /// Terms of labels and predictions.
    #[inline]
    fn fill(&mut self, rows: &Rows, term: impl Fn(f64, f64) -> f64) {
        let pairs = rows.labels.iter().zip(rows.predictions);
        for (at, (y, f)) in self.numbers.iter_mut().zip(pairs) {
            *at = term(*y, *f);
        }
        self.bound = largest(&self.numbers);
    }

    /// Of each number what grows with its size and keeps 0.
    #[inline]
    fn fill_from(&mut self, other: &Self, of: impl Fn(f64) -> f64) -> &Self {
        wide(
            #[inline(always)]
            || {
                for (at, x) in self.numbers.iter_mut().zip(&other.numbers) {
                    *at = of(*x);
                }
            },
        );
        self.bound = of(other.bound).abs();
        self
    }

    /// Products, to [`rounded`] digits.
    #[inline]
    fn fill_products(&mut self, one: &Self, other: &Self) -> &Self {
        wide(
            #[inline(always)]
            || {
                let pairs = one.numbers.iter().zip(&other.numbers);
                for (at, (x, y)) in self.numbers.iter_mut().zip(pairs) {
                    *at = rounded(x * y);
                }
            },
        );
        self.bound = rounded(one.bound * other.bound);
        self
    }
}

/// The leading 26 bits: of terms that only errors of metrics are made of, these are more than enough, and what is not there
/// needs no place in a sum.
#[inline(always)]
fn rounded(x: f64) -> f64 {
    let wide = x * SPLIT;
    wide - (wide - x)
}

/// `2^27 + 1` (Dekker 1971).
const SPLIT: f64 = 134_217_729.0;
