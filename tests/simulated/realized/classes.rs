//! Labels, predictions and scores of models of several classes.
use super::super::simulated::{EXACT, Random};
use super::draws::Draws;
use super::rows::{ClassCounts, MOST_CLASSES, Row, Rows};
use super::{Drawn, LEVEL, Measure};
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::multiclass::{MulticlassMetric, MulticlassProfile, RealizedClasses};

/// The scores are the probabilities of the classes given a normal feature for each, which is `separation` higher on
/// average for the class of the label; the prediction is the most probable class.
#[derive(Clone, Copy)]
pub struct Classes {
    shares: &'static [f64],
    separation: f64,
    /// What the model takes the separation for.
    trust: f64,
}

/// Bins for every score.
pub const LIMITS: DigestLimits = DigestLimits {
    max_bins: EXACT,
    min_level: 0,
};

/// Three and five classes, alike and unlike in size, told apart badly and well.
pub fn grid() -> [(&'static str, Classes); 8] {
    const THREE: &[f64] = &[0.36, 0.33, 0.31];
    const FIVE: &[f64] = &[0.2; 5];
    let of = |shares, separation| Classes {
        shares,
        separation,
        trust: separation,
    };
    [
        ("three classes", of(THREE, 1.2)),
        ("three classes, told apart well", of(THREE, 2.8)),
        ("three classes, .62 to .15", of(&[0.62, 0.23, 0.15], 1.6)),
        ("three classes, .9 to .03", of(&[0.9, 0.07, 0.03], 2.0)),
        ("five classes", of(FIVE, 1.2)),
        ("five classes, told apart well", of(FIVE, 2.8)),
        (
            "five classes, .3 to .13",
            of(&[0.3, 0.25, 0.18, 0.14, 0.13], 1.8),
        ),
        (
            "five classes, .6 to .04",
            of(&[0.6, 0.2, 0.1, 0.06, 0.04], 1.8),
        ),
    ]
}

impl Classes {
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        let mut draws = Draws::new(random);
        let mut profile = MulticlassProfile::new(self.names(), LIMITS).unwrap();
        let mut counts = ClassCounts::default();
        for _ in 0..rows {
            let row = self.row(&mut draws);
            counts.add(&row);
            if let Row::Classified {
                label,
                prediction,
                scores,
                classes,
            } = row
            {
                profile.observe(Some(label), Some(prediction), &scores[..classes]);
            }
        }
        let realized = RealizedClasses::new(&mut profile);
        Drawn {
            metrics: self.measures(&realized, LEVEL),
            rarest: counts.rarest(self.side()),
            size: rows as f64,
        }
    }

    pub fn side(&self) -> usize {
        self.shares.len()
    }

    pub fn names(&self) -> Vec<String> {
        (0..self.side()).map(|class| class.to_string()).collect()
    }

    /// Worth of a row by label and prediction: right ones gain, false ones lose more the farther off they are.
    pub fn values(&self) -> Vec<f64> {
        let side = self.side();
        let worth = |cell: usize| match (cell / side).abs_diff(cell % side) {
            0 => 10.0,
            far => -5.0 * far as f64,
        };
        (0..side * side).map(worth).collect()
    }

    pub fn measures(&self, realized: &RealizedClasses, level: f64) -> Vec<Measure> {
        let values = self.values();
        let measures = |metric: MulticlassMetric| {
            let readings = realized.readings(metric, &values, level).into_iter();
            readings.map(move |it| {
                Measure::new(metric.name(), it.column_name, is_total(metric), &it.reading)
            })
        };
        MulticlassMetric::all().flat_map(measures).collect()
    }

    /// A model that takes what it sees for so much more than it tells.
    pub fn exaggerated(self, by: f64) -> Self {
        Self {
            trust: self.trust * by,
            ..self
        }
    }
}

pub fn is_total(metric: MulticlassMetric) -> bool {
    matches!(
        metric,
        MulticlassMetric::ConfusionMatrix | MulticlassMetric::BusinessValue
    )
}

impl Rows for Classes {
    /// Label, and a feature for each class.
    type Signal = (usize, [f64; MOST_CLASSES]);

    fn signal(&self, draws: &mut Draws) -> Self::Signal {
        let mut rest = draws.uniform();
        let label = self.shares.iter().position(|share| {
            rest -= share;
            rest < 0.0
        });
        let label = label.unwrap_or(0);
        let mut features = [0.0; MOST_CLASSES];
        for (class, feature) in features.iter_mut().take(self.side()).enumerate() {
            let middle = if class == label { self.separation } else { 0.0 };
            *feature = middle + draws.normal();
        }
        (label, features)
    }

    fn blurred(
        &self,
        (label, features): &Self::Signal,
        noise: f64,
        draws: &mut Draws,
    ) -> Self::Signal {
        let mut blurred = *features;
        for feature in blurred.iter_mut().take(self.side()) {
            *feature += noise * draws.normal();
        }
        (*label, blurred)
    }

    fn read(&self, (label, features): &Self::Signal) -> Row {
        let mut scores = [None; MOST_CLASSES];
        let (mut total, mut best) = (0.0, (0.0, 0));
        let of_class = self.shares.iter().zip(features).zip(&mut scores);
        for (class, ((share, feature), score)) in of_class.enumerate() {
            let odds = share * (self.trust * feature).exp();
            *score = Some(odds);
            total += odds;
            if odds > best.0 {
                best = (odds, class);
            }
        }
        let scored = scores.iter_mut().flatten();
        scored.for_each(|score| *score /= total);
        Row::Classified {
            label: *label,
            prediction: best.1,
            scores,
            classes: self.side(),
        }
    }
}
