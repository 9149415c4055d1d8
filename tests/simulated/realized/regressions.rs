//! Labels and predictions of regressions, positive so that every metric exists.
use super::super::simulated::Random;
use super::{Drawn, Measure};
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::regression::{RealizedRegression, RegressionMetric, RegressionProfile};

/// A row: label and prediction.
#[derive(Clone, Copy)]
pub struct Regression(fn(&mut Random) -> (f64, f64));

/// Normal errors that leave .1 to .8 of the labels' variance, errors that grow with the prediction, tails of a t law
/// with 5 degrees of freedom and of lognormal labels, errors to one side, labels of unlike sizes.
pub fn grid() -> [(&'static str, Regression); 10] {
    [
        ("normal errors, r2 .9", Regression(|r| normal(r, 30.0))),
        ("normal errors, r2 .5", Regression(|r| normal(r, 10.0))),
        ("normal errors, r2 .2", Regression(|r| normal(r, 5.0))),
        (
            "errors grow with the distance from the middle",
            Regression(|r| {
                let z = r.normal();
                (
                    100.0 + 10.0 * z + (1.0 + 2.0 * z.abs()) * r.normal(),
                    100.5 + 10.0 * z,
                )
            }),
        ),
        (
            "errors in proportion to the label",
            Regression(|r| lognormal(r, 0.3, 0.2)),
        ),
        (
            "errors of t with 5 df, r2 .7",
            Regression(|r| student(r, 20.0)),
        ),
        (
            "errors of t with 5 df, r2 .2",
            Regression(|r| student(r, 6.5)),
        ),
        ("lognormal labels", Regression(|r| lognormal(r, 0.5, 0.25))),
        (
            "exponential errors",
            Regression(|r| {
                let label = 10.0 + 90.0 * r.uniform();
                (label, label - 10.0 * r.uniform().ln() - 8.0)
            }),
        ),
        (
            "labels from 1 to 100",
            Regression(|r| {
                let label = (4.6 * r.uniform()).exp();
                (label, label + 5.0 * (r.uniform() + r.uniform()))
            }),
        ),
    ]
}

fn normal(random: &mut Random, spread: f64) -> (f64, f64) {
    let prediction = 500.0 + spread * random.normal();
    (prediction + 10.0 * random.normal(), prediction)
}

fn student(random: &mut Random, spread: f64) -> (f64, f64) {
    let prediction = 1000.0 + spread * random.normal();
    let squares: f64 = (0..5).map(|_| random.normal().powi(2)).sum();
    let error = random.normal() / (squares / 5.0).sqrt();
    (prediction + 10.0 * error, prediction)
}

fn lognormal(random: &mut Random, spread: f64, error: f64) -> (f64, f64) {
    let label = (3.0 + spread * random.normal()).exp();
    (label, label * (error * random.normal()).exp())
}

impl Regression {
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        let mut profile = RegressionProfile::new(DigestLimits::default());
        let drawn = (0..rows).map(|_| (self.0)(random));
        let (labels, predictions): (Vec<f64>, Vec<f64>) = drawn.unzip();
        profile.observe_all(&labels, &predictions);
        let realized = RealizedRegression::new(&mut profile);
        let measure = |metric: RegressionMetric| Measure {
            metric: metric.name(),
            of: None,
            total: false,
            reading: realized.reading(metric, 0.95),
        };
        Drawn {
            metrics: RegressionMetric::ALL.map(measure).into(),
            rarest: 1.0,
        }
    }
}
