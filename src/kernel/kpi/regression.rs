//! Least squares that rows are added to one by one, with one regressor that was measured with error.
//!
//! Measurement error makes the coefficient of performance too small. Taking its variance out of the sum of squares makes up for
//! that (W. A. Fuller 1987, Measurement Error Models, section 1.2), and for what the other coefficients took over.
//!
//! It does so where the errors of performance are none of the KPI. A KPI made of the rows that performance is measured on has them
//! too: nothing hides the link then, and a correction makes it too steep. Two numbers for each row cannot tell which it is (O.
//! Reiersol 1950, Econometrica 18, 375-389), but they limit it: the steepest line that they can come from is that of performance
//! on the KPI, at which the KPI has no errors of its own (R. Frisch 1934, Statistical Confluence Analysis). A KPI has some, so the
//! correction goes half that way at most.

/// What is put on the diagonal, in standardized units: a regressor that never moved has no coefficient, and a first move of it
/// tells nothing.
const RIDGE: f64 = 1e-9;
/// The share of the variance of performance that is taken for measurement error at most. Of a half the slope is doubled, and
/// performance predicts the rows no better than their mean does.
const MOST_NOISE: f64 = 0.5;
/// The share of what the uncorrected line leaves that is taken for measurement error of performance at most.
const MOST_OF_REST: f64 = 0.5;
/// Column of the regressor with measurement error.
pub const NOISY: usize = 1;

/// Sums over rows.
#[derive(Debug, Clone)]
pub struct Regression {
    size: usize,
    /// `X'X`, by rows.
    products: Vec<f64>,
    /// `X'y`.
    with_response: Vec<f64>,
    /// `y'y`.
    square: f64,
    /// Sum of the variances of the measurement errors.
    noise: f64,
    rows: u32,
}

/// What the rows so far say.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Coefficients, that of performance made up for its noise.
    pub coefficients: Vec<f64>,
    /// `(X'X)^-1`, by rows.
    inverse: Vec<f64>,
    /// Factor of the correction for noise.
    correction: f64,
    /// Variance of a row.
    pub variance: f64,
    /// Of an uncorrected fit, what likelihoods are made of: residual sum of squares and log-determinant of `X'X`.
    pub rest: f64,
    pub log_determinant: f64,
    /// Rows less coefficients.
    pub freedom: f64,
    /// Mean variance of the measurement errors.
    mean_noise: f64,
    /// Whether more than half of what performance moved may be noise.
    pub is_noisy: bool,
}

impl Regression {
    /// Without rows; `size` counts the regressors, the constant included.
    pub fn new(size: usize) -> Self {
        let mut products = vec![0.0; size * size];
        for diagonal in products.iter_mut().step_by(size + 1) {
            *diagonal = RIDGE;
        }
        Self {
            size,
            products,
            with_response: vec![0.0; size],
            square: 0.0,
            noise: 0.0,
            rows: 0,
        }
    }

    /// Adds a row; `noise` is the variance of the measurement error of regressor [`NOISY`].
    pub fn add(&mut self, regressors: &[f64], response: f64, noise: f64) {
        for (row, x) in self.products.chunks_mut(self.size).zip(regressors) {
            for (product, other) in row.iter_mut().zip(regressors) {
                *product += x * other;
            }
        }
        for (sum, x) in self.with_response.iter_mut().zip(regressors) {
            *sum += x * response;
        }
        self.square += response * response;
        self.noise += noise;
        self.rows += 1;
    }

    /// The fit; `None` where there are no more rows than coefficients, or their numbers are out of range.
    pub fn fit(&self) -> Option<Fit> {
        let freedom = f64::from(self.rows) - self.size as f64;
        if freedom < 1.0 {
            return None;
        }
        let (inverse, log_determinant) = inverse_of(&self.products, self.size)?;
        let coefficients: Vec<f64> = inverse
            .chunks(self.size)
            .map(|row| dot(row, &self.with_response))
            .collect();
        let explained = dot(&coefficients, &self.with_response);
        // what is left of a KPI that is explained exactly is rounding
        let rest = (self.square - explained).max(1e-12 * self.square);
        let mut fit = Fit {
            coefficients,
            inverse,
            correction: 0.0,
            variance: rest / freedom,
            rest,
            log_determinant,
            freedom,
            mean_noise: self.noise / f64::from(self.rows),
            is_noisy: false,
        };
        if self.noise > 0.0 {
            fit.correct(self.noise);
        }
        Some(fit).filter(|fit| fit.variance.is_finite() && fit.variance > 0.0)
    }
}

/// By which share of itself the slope grows: where `asked` of the variance of performance is error, the line explains `explained`
/// of the sum of squares and leaves `rest`.
///
/// The corrected line leaves at most `MOST_OF_REST` more than the uncorrected one, and never more than the mean does.
fn added_share(asked: f64, explained: f64, rest: f64) -> f64 {
    let share = asked.min(MOST_NOISE);
    // the error that a share of noise makes is `added * explained`
    let added = share / (1.0 - share);
    added.min(MOST_OF_REST * rest / explained)
}

impl Fit {
    /// Takes a sum of variances of measurement errors out of the squares of performance.
    fn correct(&mut self, noise: f64) {
        let of_noisy = self.column(NOISY, self.coefficients.len());
        let own = of_noisy.get(NOISY).copied().unwrap_or(0.0);
        let slope = self.coefficients.get(NOISY).copied().unwrap_or(0.0);
        // own is one over what performance moves beside the other regressors
        let asked = noise * own;
        let explained = slope * slope / own;
        let added = added_share(asked, explained, self.rest);
        self.is_noisy = asked > MOST_NOISE;
        self.correction = added / own;
        for (coefficient, x) in self.coefficients.iter_mut().zip(&of_noisy) {
            *coefficient += self.correction * slope * x;
        }
        self.variance = (self.rest + added * added * explained) / self.freedom;
    }

    /// Mean and standard deviation of a further row.
    pub fn predict(&self, regressors: &[f64], noise: f64) -> (f64, f64) {
        let size = regressors.len();
        let through: Vec<f64> = self
            .inverse
            .chunks(size)
            .map(|row| dot(row, regressors))
            .collect();
        let mut leverage = dot(&through, regressors);
        if self.correction > 0.0 {
            let across = through.get(NOISY).copied().unwrap_or(0.0);
            let own = self.inverse.get(NOISY * size + NOISY).copied();
            let own = own.unwrap_or(0.0);
            leverage += across * across * self.correction * (2.0 + self.correction * own);
        }
        let slope = self.coefficients.get(NOISY).copied().unwrap_or(0.0);
        // the variance of a row has the usual noise in it
        let more = slope * slope * (noise - self.mean_noise).max(0.0);
        let variance = self.variance * (1.0 + leverage) + more;
        (dot(&self.coefficients, regressors), variance.sqrt())
    }

    fn column(&self, at: usize, size: usize) -> Vec<f64> {
        let rows = self.inverse.chunks(size);
        rows.map(|row| row.get(at).copied().unwrap_or(0.0))
            .collect()
    }
}

/// Sum of products.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The inverse of a positive matrix and the logarithm of its determinant; by Gauss and Jordan, whose pivots are positive.
fn inverse_of(matrix: &[f64], size: usize) -> Option<(Vec<f64>, f64)> {
    let mut rows: Vec<Vec<f64>> = matrix
        .chunks(size)
        .enumerate()
        .map(|(at, row)| {
            let unit = (0..size).map(|column| f64::from(u8::from(column == at)));
            row.iter().copied().chain(unit).collect()
        })
        .collect();
    let mut log_determinant = 0.0;
    for at in 0..size {
        let mut pivot_row = std::mem::take(rows.get_mut(at)?);
        let pivot = *pivot_row.get(at)?;
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        log_determinant += pivot.ln();
        pivot_row.iter_mut().for_each(|x| *x /= pivot);
        for row in rows.iter_mut().filter(|row| !row.is_empty()) {
            let factor = *row.get(at)?;
            let pairs = row.iter_mut().zip(&pivot_row);
            pairs.for_each(|(x, pivot)| *x -= factor * pivot);
        }
        *rows.get_mut(at)? = pivot_row;
    }
    let inverse = rows
        .iter()
        .flat_map(|row| row.iter().skip(size).copied())
        .collect();
    Some((inverse, log_determinant))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y = 1 + 2 x, with errors of one size that are not correlated with x.
    fn line(size: f64, noise: f64) -> Fit {
        let mut sums = Regression::new(2);
        for (x, error) in [(-3.0, size), (-1.0, -size), (1.0, -size), (3.0, size)] {
            sums.add(&[1.0, x], 1.0 + 2.0 * x + error, noise);
        }
        sums.fit().unwrap()
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn a_line_is_found_with_the_error_of_a_further_point() {
        let fit = line(1.0, 0.0);
        near(fit.coefficients[0], 1.0);
        near(fit.coefficients[1], 2.0);
        near(fit.variance, 2.0);
        let (mean, deviation) = fit.predict(&[1.0, 5.0], 0.0);
        near(mean, 11.0);
        // 2 (1 + 1/4 + 25/20)
        near(deviation * deviation, 5.0);
        // det of [[4, 0], [0, 20]]
        near(fit.log_determinant, 80.0_f64.ln());
    }

    #[test]
    fn noise_of_performance_is_made_up_for() {
        // 4 errors of variance 1 of a sum of squares of 20
        let fit = line(4.0, 1.0);
        near(fit.coefficients[1], 2.0 / (1.0 - 0.2));
        near(fit.coefficients[0], 1.0);
        // the rest is 4 * 16 + (2.5 - 2)^2 * 20
        near(fit.variance, 69.0 / 2.0);
        // x A^-1 X'X A^-1 x with A = diag(4, 16)
        let (_, deviation) = fit.predict(&[1.0, 5.0], 1.0);
        near(
            deviation * deviation,
            34.5 * (1.0 + 0.25 + 25.0 * 20.0 / 256.0),
        );
        assert!(!fit.is_noisy && line(4.0, 2.6).is_noisy);
    }

    #[test]
    fn noise_that_the_kpi_contradicts_is_not_made_up_for() {
        // 20 * 2^2 explained: of a rest of 64 a half is .4 of it, of one of 4 it is .025
        near(line(4.0, 2.0).coefficients[1], 2.0 * 1.4);
        near(line(1.0, 2.0).coefficients[1], 2.0 * 1.025);
        for size in [0.01, 0.1, 1.0, 4.0, 10.0] {
            let [plain, of_mean] = [4.0 * size * size, 4.0 * size * size + 80.0];
            for noise in [0.1, 1.0, 3.0, 5.0, 1e6] {
                let left = line(size, noise).variance * 2.0;
                assert!(left <= (1.5 * plain).min(of_mean) + 1e-6, "{size} {noise}");
            }
        }
    }

    #[test]
    fn a_regressor_that_never_moved_tells_nothing_when_it_does() {
        let mut sums = Regression::new(2);
        for y in [1.0, 2.0, 3.0, 2.0] {
            sums.add(&[1.0, 0.0], y, 0.0);
        }
        let (_, deviation) = sums.fit().unwrap().predict(&[1.0, 1.0], 0.0);
        assert!(deviation > 1e4, "{deviation}");
    }
}
