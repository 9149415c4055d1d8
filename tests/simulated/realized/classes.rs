//! Labels, predictions and scores of models of several classes.
use super::super::simulated::{EXACT, Random};
use super::{Drawn, Measure};
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::multiclass::{MulticlassMetric, MulticlassProfile, RealizedClasses};

/// The scores are the probabilities of the classes given a normal feature for each, which is `separation` higher on
/// average for the class of the label; the prediction is the most probable class.
#[derive(Clone, Copy)]
pub struct Classes {
    shares: &'static [f64],
    separation: f64,
}

/// Three and five classes, alike and unlike in size, told apart badly and well.
pub fn grid() -> [(&'static str, Classes); 8] {
    const THREE: &[f64] = &[0.36, 0.33, 0.31];
    const FIVE: &[f64] = &[0.2; 5];
    let of = |shares, separation| Classes { shares, separation };
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
        let names = (0..self.shares.len()).map(|class| class.to_string());
        let limits = DigestLimits {
            max_bins: EXACT,
            min_level: 0,
        };
        let mut profile = MulticlassProfile::new(names.collect(), limits).unwrap();
        let mut scores = vec![None; self.shares.len()];
        for _ in 0..rows {
            let (label, prediction) = self.row(random, &mut scores);
            profile.observe(Some(label), Some(prediction), &scores);
        }
        let realized = RealizedClasses::new(&mut profile);
        Drawn {
            metrics: MulticlassMetric::all()
                .flat_map(|metric| self.measures(metric, &realized))
                .collect(),
            rarest: self.rarest(&profile) / rows as f64,
        }
    }

    /// Label and prediction.
    fn row(&self, random: &mut Random, scores: &mut [Option<f64>]) -> (usize, usize) {
        let mut rest = random.uniform();
        let label = self.shares.iter().position(|share| {
            rest -= share;
            rest < 0.0
        });
        let label = label.unwrap_or(0);
        let (mut total, mut best) = (0.0, (0.0, 0));
        for (class, (score, share)) in scores.iter_mut().zip(self.shares).enumerate() {
            let middle = if class == label { self.separation } else { 0.0 };
            let odds = share * (self.separation * (middle + random.normal())).exp();
            *score = Some(odds);
            total += odds;
            if odds > best.0 {
                best = (odds, class);
            }
        }
        scores
            .iter_mut()
            .flatten()
            .for_each(|score| *score /= total);
        (label, best.1)
    }

    fn measures(&self, metric: MulticlassMetric, realized: &RealizedClasses) -> Vec<Measure> {
        let side = self.shares.len();
        // right predictions gain, false ones lose more the farther off they are
        let worth = |cell: usize| match (cell / side).abs_diff(cell % side) {
            0 => 10.0,
            far => -5.0 * far as f64,
        };
        let values: Vec<f64> = (0..side * side).map(worth).collect();
        let total = matches!(
            metric,
            MulticlassMetric::ConfusionMatrix | MulticlassMetric::BusinessValue
        );
        let readings = realized.readings(metric, &values, 0.95).into_iter();
        readings
            .map(|it| Measure {
                metric: metric.name(),
                of: it.column_name,
                total,
                reading: it.reading,
            })
            .collect()
    }

    fn rarest(&self, profile: &MulticlassProfile) -> f64 {
        let classes = 0..self.shares.len();
        let rows = |pairs: &dyn Fn(usize) -> (usize, usize)| -> u64 {
            let counts = classes.clone().map(|other| {
                let (label, prediction) = pairs(other);
                profile.rows(Some(label), Some(prediction))
            });
            counts.sum()
        };
        let of = |class: usize| rows(&|other| (class, other)).min(rows(&|other| (other, class)));
        classes.clone().map(of).min().unwrap_or(0) as f64
    }
}
