//! Scores, predictions and labels of models of two classes.
use super::super::simulated::{EXACT, Random, Row, class, profile};
use super::{Drawn, Measure};
use modelwatch::kernel::bins::Class;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::realized::Realized;

/// Log-odds `z` of a positive label are normal, the score is `logistic(slope * z)`, rows with `z >= cut` are predicted
/// positive.
#[derive(Clone, Copy)]
pub struct Scores {
    mean: f64,
    spread: f64,
    cut: f64,
    slope: f64,
}

/// Balanced and rare positives, scores that tell little and much, right ones and exaggerated ones.
pub fn grid() -> [(&'static str, Scores); 5] {
    let of = |mean, spread, cut, slope| Scores {
        mean,
        spread,
        cut,
        slope,
    };
    [
        ("balanced", of(-0.4, 1.8, 0.2, 1.0)),
        ("balanced, exaggerated", of(-0.4, 1.8, 0.2, 1.6)),
        ("one in ten", of(-3.0, 1.6, -1.2, 0.7)),
        ("weak, exaggerated", of(-0.9, 0.7, -0.7, 1.8)),
        ("strong, timid", of(0.5, 3.5, 0.0, 0.6)),
    ]
}

impl Scores {
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        let drawn: Vec<Row> = (0..rows).map(|_| self.row(random)).collect();
        let realized = Realized::new(&profile(&drawn, EXACT));
        let measure = |metric: Metric| Measure {
            metric: metric.name(),
            of: None,
            total: metric.is_total(),
            reading: realized.reading(metric, [0.0, -10.0, -50.0, 100.0], 0.95),
        };
        let share = |of: fn(&Row) -> Class| {
            let positive = drawn.iter().filter(|row| of(row) == Class::Positive);
            let share = positive.count() as f64 / rows as f64;
            share.min(1.0 - share)
        };
        Drawn {
            metrics: Metric::ALL.map(measure).into(),
            rarest: share(|row| row.label).min(share(|row| row.prediction)),
        }
    }

    fn row(&self, random: &mut Random) -> Row {
        let z = self.mean + self.spread * random.normal();
        Row {
            score: logistic(self.slope * z),
            prediction: class(z >= self.cut),
            label: class(random.chance(logistic(z))),
        }
    }
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
