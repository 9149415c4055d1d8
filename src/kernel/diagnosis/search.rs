//! The best place for a step, a bend or a step for a time beside what a basis explains already.
use super::basis::{Basis, Gain};
use super::series::Observation;

/// A column that was found, by the observations where it begins and ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// What it explains.
    pub gain: Gain,
    /// The first observation that is changed, of a bend the last that is not.
    pub from: usize,
    /// The first that is no longer changed; the number of observations where there is none.
    pub until: usize,
}

/// Observations behind a bend: a shorter line is not told from a step.
const SHORTEST_LINE: usize = 4;
/// Longest excursion in observations: the search takes as many steps for each observation.
const LONGEST: usize = 1_000;

/// Sums over the observations before a place: of the columns, of the rest, of weights, each also times the position.
#[derive(Debug)]
pub struct Sums {
    /// For each place, one row of `width` numbers.
    rows: Vec<f64>,
    width: usize,
    /// Of the basis.
    columns: usize,
    /// Observations.
    places: usize,
}

/// The better of two.
fn better(best: Option<Found>, found: Option<Found>) -> Option<Found> {
    match (best, found) {
        (Some(a), Some(b)) if b.gain.gain > a.gain.gain => Some(b),
        (best, found) => best.or(found),
    }
}

/// Sums of columns and of the rest go with the position and without it.
const POWERS: usize = 2;

impl Sums {
    /// Of what a basis has and what it leaves.
    pub fn new(basis: &Basis, series: &[Observation]) -> Self {
        let columns = basis.columns();
        // weights also go with the square of the position
        let width = (columns.len() + 1) * POWERS + 3;
        let mut rows = vec![0.0; width];
        rows.reserve_exact(width * series.len());
        let mut sums = vec![0.0; width];
        for (i, seen) in series.iter().enumerate() {
            let scale = basis.scale().get(i).copied().unwrap_or(0.0);
            let position = f64::from(seen.position);
            let rest = basis.rest().get(i).copied().unwrap_or(0.0);
            let each = columns
                .iter()
                .map(|column| column.get(i).copied().unwrap_or(0.0));
            let mut terms = sums.iter_mut();
            for x in each.chain([rest]) {
                let mut term = scale * x;
                for sum in terms.by_ref().take(POWERS) {
                    *sum += term;
                    term *= position;
                }
            }
            let mut term = scale * scale;
            for sum in terms {
                *sum += term;
                term *= position;
            }
            rows.extend_from_slice(&sums);
        }
        Self {
            rows,
            width,
            columns: columns.len(),
            places: series.len(),
        }
    }

    /// Sums before an observation.
    fn before(&self, i: usize) -> &[f64] {
        let from = i * self.width;
        self.rows.get(from..from + self.width).unwrap_or(&[])
    }
}

/// A step between two observations.
pub fn step(sums: &Sums) -> Option<Found> {
    let n = sums.places;
    let steps = (1..n).map(|from| between(sums, from, n));
    steps.fold(None, better)
}

/// A step up and down again, both between observations.
pub fn excursion(sums: &Sums) -> Option<Found> {
    let n = sums.places;
    let mut best = None;
    for from in 1..n {
        for until in from + 1..n.min(from + LONGEST + 1) {
            best = better(best, between(sums, from, until));
        }
    }
    best
}

/// 1 from one observation to before another, 0 elsewhere.
fn between(sums: &Sums, from: usize, until: usize) -> Option<Found> {
    let (a, b) = (sums.before(from), sums.before(until));
    let mut explained = 0.0;
    let columns = a.iter().zip(b).step_by(POWERS);
    for (x, y) in columns.take(sums.columns) {
        explained += (y - x) * (y - x);
    }
    let within = |i: usize| Some(b.get(i)? - a.get(i)?);
    let product = within(POWERS * sums.columns)?;
    let whole = within(POWERS * (sums.columns + 1))?;
    let gain = Gain::new(whole - explained, whole, product)?;
    Some(Found { gain, from, until })
}

/// A straight line that begins at an observation.
pub fn bend(sums: &Sums, series: &[Observation]) -> Option<Found> {
    let n = sums.places;
    let all = sums.before(n);
    let bend = |(from, seen): (usize, &Observation)| {
        let before = sums.before(from);
        let at = f64::from(seen.position);
        let after = |i: usize| Some(all.get(i)? - before.get(i)?);
        // sums of (position - at) times what the sums are of
        let line = |i: usize| Some(after(POWERS * i + 1)? - at * after(POWERS * i)?);
        let mut explained = 0.0;
        for column in 0..sums.columns {
            explained += line(column)?.powi(2);
        }
        let weights = POWERS * (sums.columns + 1);
        let whole =
            after(weights + 2)? - 2.0 * at * after(weights + 1)? + at * at * after(weights)?;
        let gain = Gain::new(whole - explained, whole, line(sums.columns)?)?;
        Some(Found {
            gain,
            from,
            until: n,
        })
    };
    let places = series.iter().enumerate();
    let places = places.take(n.saturating_sub(SHORTEST_LINE));
    places.map(bend).fold(None, better)
}
