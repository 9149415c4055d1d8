//! The link of KPI and performance under one lag and one autocorrelation.
use super::regression::{Fit, Regression};

/// What a chunk gives to a member, in standardized numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Place of the chunk.
    pub place: u32,
    /// The constant, performance where it is a regressor, controls.
    pub regressors: Vec<f64>,
    /// Variance of the measurement error of performance.
    pub noise: f64,
    /// The KPI.
    pub response: f64,
}

/// A lag, an autocorrelation, and the regression of whitened rows.
#[derive(Debug, Clone)]
pub struct Member {
    /// Chunks by which the KPI comes later; `None` where performance is no regressor.
    pub lag: Option<u32>,
    autocorrelation: f64,
    sums: Regression,
    /// Logarithm of the determinant of the whitening.
    log_scale: f64,
    last: Option<Row>,
    /// What the rows so far say.
    pub fit: Option<Fit>,
}

/// A row less what the one before says of it.
struct Whitened {
    row: Row,
    /// The KPI of the row less that of the whitened one.
    carried: f64,
    scale: f64,
}

impl Member {
    /// Without rows.
    pub fn new(lag: Option<u32>, autocorrelation: f64, size: usize) -> Self {
        Self {
            lag,
            autocorrelation,
            sums: Regression::new(size),
            log_scale: 0.0,
            last: None,
            fit: None,
        }
    }

    /// Adds a row to the regression, without a new fit.
    pub fn learn(&mut self, row: &Row) {
        let white = self.whiten(row);
        let Row {
            regressors,
            noise,
            response,
            ..
        } = &white.row;
        self.sums.add(regressors, *response, *noise);
        self.log_scale += white.scale.ln();
    }

    /// Takes a row for the one before the next.
    pub fn pass(&mut self, row: &Row) {
        self.last = Some(row.clone());
    }

    /// Forgets which row was the last.
    pub fn restart(&mut self) {
        self.last = None;
    }

    /// Fits the rows so far.
    pub fn refit(&mut self) {
        self.fit = self.sums.fit();
    }

    /// Logarithm of the likelihood of the rows, coefficients and variance integrated out under flat priors of coefficients and of
    /// the logarithm of the variance.
    pub fn log_likelihood(&self) -> f64 {
        let Some(fit) = &self.fit else {
            return f64::NEG_INFINITY;
        };
        self.log_scale - 0.5 * fit.log_determinant - 0.5 * fit.freedom * fit.rest.ln()
    }

    /// Logarithm of Jeffreys' prior of the autocorrelation.
    ///
    /// With equal weights, what is likely after a short series is an autocorrelation that is too low, and residuals that are still
    /// correlated add up in a CUSUM; this prior weighs each by how well a series tells it from its neighbours (P. C. B. Phillips
    /// 1991, J. Appl. Econometrics 6, 333-364; where the series is stationary, the information is `1 / (1 - rho^2)`).
    pub fn log_prior(&self) -> f64 {
        -0.5 * (1.0 - self.autocorrelation * self.autocorrelation).ln()
    }

    /// Mean and standard deviation of the KPI of a row, whatever its response says.
    pub fn predict(&self, row: &Row) -> Option<(f64, f64)> {
        let white = self.whiten(row);
        let (mean, deviation) = self
            .fit
            .as_ref()?
            .predict(&white.row.regressors, white.row.noise);
        Some((mean / white.scale + white.carried, deviation / white.scale))
    }

    /// Makes errors uncorrelated and of one variance: over `gap` chunks the correlation is its power, and of the first chunk
    /// nothing is known (S. J. Prais and C. B. Winsten 1954, Cowles Commission discussion paper 383).
    fn whiten(&self, row: &Row) -> Whitened {
        let rho = self.autocorrelation;
        let own = (1.0 - rho * rho).sqrt();
        let Some(last) = &self.last else {
            return Whitened::new(row, own, |x, _| own * x, None);
        };
        let gap = row.place.saturating_sub(last.place).max(1);
        let carried = rho.powi(i32::try_from(gap).unwrap_or(i32::MAX));
        let scale = own / (1.0 - carried * carried).sqrt();
        let less = move |x: f64, before: f64| scale * (x - carried * before);
        Whitened::new(row, scale, less, Some((last, carried)))
    }
}

impl Whitened {
    fn new(
        row: &Row,
        scale: f64,
        less: impl Fn(f64, f64) -> f64,
        last: Option<(&Row, f64)>,
    ) -> Self {
        let before = |at: usize| {
            let last = last.and_then(|(last, _)| last.regressors.get(at));
            last.copied().unwrap_or(0.0)
        };
        let regressors = row.regressors.iter().enumerate();
        let regressors = regressors.map(|(at, x)| less(*x, before(at))).collect();
        let (earlier, noise, carried) = match last {
            Some((last, carried)) => (last.response, last.noise * carried * carried, carried),
            None => (0.0, 0.0, 0.0),
        };
        Self {
            row: Row {
                place: row.place,
                regressors,
                noise: scale * scale * (row.noise + noise),
                response: less(row.response, earlier),
            },
            carried: carried * earlier,
            scale,
        }
    }
}
