//! Scores, predictions and labels of models of two classes.
use super::super::simulated::Random;
use super::classes::LIMITS;
use super::draws::Draws;
use super::rows::{ClassCounts, Row, Rows};
use super::{Drawn, LEVEL, Measure};
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::realized::Realized;
use modelwatch::kernel::score_profile::{ScoreProfile, class_of};

/// Worth of a row by outcome, `[tn, fp, fn, tp]`.
pub const VALUES: [f64; 4] = [0.0, -10.0, -50.0, 100.0];

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
        let mut draws = Draws::new(random);
        let mut profile = ScoreProfile::new(LIMITS);
        let mut counts = ClassCounts::default();
        for _ in 0..rows {
            let row = self.row(&mut draws);
            counts.add(&row);
            if let Row::Scored {
                label,
                prediction,
                score,
            } = row
            {
                profile.observe(class_of(Some(prediction), Some(label)), Some(score));
            }
        }
        Drawn {
            metrics: measures(&Realized::new(&profile.bins()), LEVEL),
            rarest: counts.rarest(2),
            size: rows as f64,
        }
    }

    /// A model that exaggerates by so much more, and calls fewer rows positive.
    pub fn exaggerated(self, by: f64) -> Self {
        Self {
            slope: self.slope * by,
            cut: self.cut + 0.2 * self.spread,
            ..self
        }
    }
}

pub fn measures(realized: &Realized, level: f64) -> Vec<Measure> {
    let measure = |metric: Metric| {
        let reading = realized.reading(metric, VALUES, level);
        Measure::new(metric.name(), None, metric.is_total(), &reading)
    };
    Metric::ALL.map(measure).into()
}

impl Rows for Scores {
    /// Label, and its log-odds.
    type Signal = (bool, f64);

    fn signal(&self, draws: &mut Draws) -> (bool, f64) {
        let z = self.mean + self.spread * draws.normal();
        (draws.chance(logistic(z)), z)
    }

    fn blurred(&self, (label, z): &(bool, f64), noise: f64, draws: &mut Draws) -> (bool, f64) {
        (*label, z + noise * self.spread * draws.normal())
    }

    fn read(&self, (label, z): &(bool, f64)) -> Row {
        Row::Scored {
            label: *label,
            prediction: *z >= self.cut,
            score: logistic(self.slope * z),
        }
    }
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
