//! Labels and predictions of regressions, positive so that every metric exists.
use super::super::simulated::Random;
use super::draws::Draws;
use super::rows::{Row, Rows};
use super::{Drawn, LEVEL, Measure};
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::regression::{RealizedRegression, RegressionMetric, RegressionProfile};

#[derive(Clone, Copy)]
pub struct Regression {
    /// Draws label and prediction.
    row: fn(&mut Draws) -> (f64, f64),
    /// What an error is of the label, about.
    relative: f64,
}

/// Normal errors that leave .1 to .8 of the labels' variance, errors that grow with the prediction, tails of a t law
/// with 5 degrees of freedom and of lognormal labels, errors to one side, labels of unlike sizes.
pub fn grid() -> [(&'static str, Regression); 10] {
    type Row = fn(&mut Draws) -> (f64, f64);
    let of = |name, relative, row: Row| (name, Regression { row, relative });
    [
        of("normal errors, r2 .9", 0.02, |r| normal(r, 30.0)),
        of("normal errors, r2 .5", 0.02, |r| normal(r, 10.0)),
        of("normal errors, r2 .2", 0.02, |r| normal(r, 5.0)),
        of(
            "errors grow with the distance from the middle",
            0.025,
            heteroscedastic,
        ),
        of("errors in proportion to the label", 0.2, |r| {
            lognormal(r, 0.3, 0.2)
        }),
        of("errors of t with 5 df, r2 .7", 0.013, |r| student(r, 20.0)),
        of("errors of t with 5 df, r2 .2", 0.013, |r| student(r, 6.5)),
        of("lognormal labels", 0.25, |r| lognormal(r, 0.5, 0.25)),
        of("exponential errors", 0.2, |r| {
            let label = 10.0 + 90.0 * r.uniform();
            (label, label - 10.0 * r.uniform().ln() - 8.0)
        }),
        of("labels from 1 to 100", 0.3, |r| {
            let label = (4.6 * r.uniform()).exp();
            (label, label + 5.0 * (r.uniform() + r.uniform()))
        }),
    ]
}

fn heteroscedastic(random: &mut Draws) -> (f64, f64) {
    let z = random.normal();
    (
        100.0 + 10.0 * z + (1.0 + 2.0 * z.abs()) * random.normal(),
        100.5 + 10.0 * z,
    )
}

fn normal(random: &mut Draws, spread: f64) -> (f64, f64) {
    let prediction = 500.0 + spread * random.normal();
    (prediction + 10.0 * random.normal(), prediction)
}

fn student(random: &mut Draws, spread: f64) -> (f64, f64) {
    let prediction = 1000.0 + spread * random.normal();
    let squares: f64 = (0..5).map(|_| random.normal().powi(2)).sum();
    let error = random.normal() / (squares / 5.0).sqrt();
    (prediction + 10.0 * error, prediction)
}

fn lognormal(random: &mut Draws, spread: f64, error: f64) -> (f64, f64) {
    let label = (3.0 + spread * random.normal()).exp();
    (label, label * (error * random.normal()).exp())
}

impl Regression {
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        let mut draws = Draws::new(random);
        let mut profile = RegressionProfile::new(DigestLimits::default());
        let drawn = (0..rows).map(|_| self.signal(&mut draws));
        let (labels, predictions): (Vec<f64>, Vec<f64>) = drawn.unzip();
        profile.observe_all(&labels, &predictions);
        Drawn {
            metrics: measures(&RealizedRegression::new(&mut profile), LEVEL),
            rarest: 1.0,
            size: rows as f64,
        }
    }
}

pub fn measures(realized: &RealizedRegression, level: f64) -> Vec<Measure> {
    let measure = |metric: RegressionMetric| {
        Measure::new(metric.name(), None, false, &realized.reading(metric, level))
    };
    RegressionMetric::ALL.map(measure).into()
}

impl Rows for Regression {
    /// Label and prediction.
    type Signal = (f64, f64);

    fn signal(&self, draws: &mut Draws) -> (f64, f64) {
        (self.row)(draws)
    }

    /// A factor on the prediction, which leaves it positive.
    fn blurred(
        &self,
        (label, prediction): &(f64, f64),
        noise: f64,
        draws: &mut Draws,
    ) -> (f64, f64) {
        let factor = (noise * self.relative * draws.normal()).exp();
        (*label, prediction * factor)
    }

    fn read(&self, (label, prediction): &(f64, f64)) -> Row {
        Row::Predicted {
            label: *label,
            prediction: *prediction,
        }
    }
}
