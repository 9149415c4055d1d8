//! Weighted least squares on a few columns, and what one further column would explain.
use super::series::Observation;

/// A column of which less than this is left beside the others adds nothing.
const LEFT: f64 = 1e-9;

/// Orthonormal columns over the observations, each value divided by its error.
#[derive(Debug, Clone)]
pub struct Basis {
    /// One divided by the errors.
    scale: Vec<f64>,
    columns: Vec<Vec<f64>>,
    /// The values less what the columns explain.
    rest: Vec<f64>,
    /// Its square.
    chi_squared: f64,
}

/// What a further column does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// By how much it lowers `chi^2`.
    pub gain: f64,
    /// Its coefficient.
    pub slope: f64,
    /// Variance of the coefficient, of errors as they are given.
    pub variance: f64,
}

impl Gain {
    /// From the square of the column beside the others and its product with the rest; `None` where nothing is left of it.
    pub fn new(square: f64, whole: f64, product: f64) -> Option<Self> {
        (square > LEFT * whole).then(|| Self {
            gain: product * product / square,
            slope: product / square,
            variance: 1.0 / square,
        })
    }
}

impl Basis {
    /// One level.
    pub fn level(series: &[Observation]) -> Self {
        let scale: Vec<f64> = series.iter().map(|seen| 1.0 / seen.error).collect();
        let rest: Vec<f64> = series.iter().map(|seen| seen.value / seen.error).collect();
        let mut basis = Self {
            chi_squared: square(&rest),
            scale,
            columns: vec![],
            rest,
        };
        basis.push(|_| 1.0);
        basis
    }

    /// With `harmonics` waves of a cycle of `period` places.
    pub fn cycle(mut self, series: &[Observation], (period, harmonics): (u32, u32)) -> Self {
        (1..=harmonics).for_each(|harmonic| self.wave(series, period, harmonic));
        self
    }

    /// Adds the wave that goes `harmonic` times in `period` places.
    pub fn wave(&mut self, series: &[Observation], period: u32, harmonic: u32) {
        let turn = std::f64::consts::TAU * f64::from(harmonic) / f64::from(period);
        let angles = (0..period).map(|place| turn * f64::from(place));
        let waves: Vec<(f64, f64)> = angles.map(f64::sin_cos).collect();
        let at = |i: usize| {
            let place = series.get(i).map(|seen| (seen.position % period) as usize);
            let wave = place.and_then(|place| waves.get(place));
            wave.copied().unwrap_or((0.0, 0.0))
        };
        self.push(|i| at(i).1);
        if 2 * harmonic < period {
            self.push(|i| at(i).0);
        }
    }

    /// Adds a column; one that the others explain is left out.
    fn push(&mut self, value: impl Fn(usize) -> f64) {
        let scaled = self.scale.iter().enumerate();
        let mut column: Vec<f64> = scaled.map(|(i, scale)| scale * value(i)).collect();
        let whole = square(&column);
        // twice, for the first time leaves rounding
        for _ in 0..2 {
            for other in &self.columns {
                let product = dot(other, &column);
                subtract(&mut column, product, other);
            }
        }
        let left = square(&column);
        if left <= LEFT * whole {
            return;
        }
        let length = left.sqrt();
        column.iter_mut().for_each(|x| *x /= length);
        let product = dot(&column, &self.rest);
        subtract(&mut self.rest, product, &column);
        self.chi_squared = square(&self.rest);
        self.columns.push(column);
    }

    /// Columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Squares of what is left of the values, in errors.
    pub fn chi_squared(&self) -> f64 {
        self.chi_squared
    }

    /// What is left of each value, in errors.
    pub fn rest(&self) -> &[f64] {
        &self.rest
    }

    /// The same less a further column of given values.
    pub fn rest_beside(&self, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut with = self.clone();
        with.push(value);
        with.rest
    }

    /// Weights of the observations.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// The columns.
    pub fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// The greatest distance between two fitted values and its variance; the level is the same in both.
    pub fn swing(&self, series: &[Observation]) -> (f64, f64) {
        let fitted = |i: usize, seen: &Observation, scale: f64| {
            let rest = self.rest.get(i).copied().unwrap_or(0.0);
            (i, seen.value - rest / scale)
        };
        let all = series.iter().zip(&self.scale).enumerate();
        let all = all.map(|(i, (seen, scale))| fitted(i, seen, *scale));
        let by_value = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        let (Some(low), Some(high)) = (all.clone().min_by(by_value), all.max_by(by_value)) else {
            return (0.0, 0.0);
        };
        let at = |column: &[f64], i: usize| {
            let scale = self.scale.get(i).copied().unwrap_or(1.0);
            column.get(i).copied().unwrap_or(0.0) / scale
        };
        let columns = self.columns.iter();
        let apart = columns.map(|column| (at(column, high.0) - at(column, low.0)).powi(2));
        (high.1 - low.1, apart.sum())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn square(a: &[f64]) -> f64 {
    dot(a, a)
}

fn subtract(from: &mut [f64], times: f64, column: &[f64]) {
    for (x, y) in from.iter_mut().zip(column) {
        *x -= times * y;
    }
}
