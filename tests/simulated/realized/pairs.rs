//! A champion and a challenger on the same rows.
use super::super::simulated::Random;
use super::draws::Draws;
use super::model::{LIMITS, Model};
use super::rows::{ClassCounts, Row};
use super::{Drawn, LEVEL, Measure, WAYS};
use modelwatch::kernel::cluster_squares::ClusterSquares;
use modelwatch::kernel::clustered::ClusterTotals;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::paired::{
    MetricDifference, PairedPredictions, PairedProfile, PairedReading, PairedScores,
};
use modelwatch::kernel::regression::{PairedRegression, RegressionMetric};

/// How either model reads a row.
#[derive(Clone, Copy)]
pub struct Pair {
    pub model: Model,
    pub challenge: Challenge,
}

#[derive(Clone, Copy)]
pub struct Challenge {
    /// Of champion and challenger, beside the signal that both of them see.
    noises: [f64; 2],
    exaggerates: f64,
}

/// Challengers that are as good, better, nearly the same, and that exaggerate.
pub fn challenges() -> [(&'static str, Challenge); WAYS] {
    let of = |noises, exaggerates| Challenge {
        noises,
        exaggerates,
    };
    [
        ("as good", of([0.6, 0.6], 1.0)),
        ("better", of([0.8, 0.4], 1.0)),
        ("nearly the same", of([0.15, 0.15], 1.0)),
        ("worse and exaggerating", of([0.4, 0.6], 1.5)),
    ]
}

impl Pair {
    /// The difference of every metric, as results of two models on a table have it.
    pub fn draw(&self, rows: usize, random: &mut Random) -> Drawn {
        let same = Random(random.0);
        let (pair, drawn) = self.profile(rows, random);
        Drawn {
            metrics: self.measures(&self.told(pair, rows, same)),
            ..drawn
        }
    }

    /// The same without errors.
    pub fn values(&self, rows: usize, random: &mut Random) -> Drawn {
        let (pair, drawn) = self.profile(rows, random);
        Drawn {
            metrics: self.measures(&pair),
            ..drawn
        }
    }

    fn measures(&self, pair: &PairedProfile) -> Vec<Measure> {
        let measure = |found: MetricDifference| {
            let total = self.model.is_total(&found.metric);
            of_difference(&found.metric, found.column_name, total, &found.reading)
        };
        let differences = pair.readings(LEVEL).unwrap().into_iter();
        differences.map(measure).collect()
    }

    fn profile(&self, rows: usize, random: &mut Random) -> (PairedProfile, Drawn) {
        let mut models = [self.model.profile(), self.model.profile()];
        let drawn = self.each_row(rows, random, |pair| {
            for (model, row) in models.iter_mut().zip(pair) {
                row.observe(model, 1.0);
            }
        });
        let pair = PairedProfile::new(models, self.model.metrics(), self.model.values());
        (pair, drawn)
    }

    /// The pair with what its rows tell: the same rows are drawn again.
    fn told(&self, pair: PairedProfile, rows: usize, mut same: Random) -> PairedProfile {
        let influences = pair.influences().unwrap();
        let mut totals = [ClusterTotals::default(), ClusterTotals::default()];
        let (mut sums, mut difference) = (ClusterSquares::default(), vec![]);
        self.each_row(rows, &mut same, |pair| {
            let models = influences.models().iter().zip(&mut totals);
            for ((of, totals), row) in models.zip(pair) {
                totals.clear();
                row.add(of, totals, 1.0);
            }
            influences.difference(totals.each_ref(), &mut difference);
            sums.observe(&difference);
        });
        pair.with_squares(sums.numbers().collect(), vec![]).unwrap()
    }

    /// The differences that are aggregates.
    pub fn aggregates(&self, rows: usize, random: &mut Random) -> Drawn {
        match self.model {
            Model::Binary(_) => self.of_scores(rows, random),
            _ => self.of_numbers(rows, random),
        }
    }

    fn of_scores(&self, rows: usize, random: &mut Random) -> Drawn {
        let mut scores = PairedScores::new(LIMITS);
        let mut predictions = PairedPredictions::default();
        let drawn = self.each_row(rows, random, |pair| {
            if let [
                &Row::Scored {
                    label,
                    prediction: of_a,
                    score: a,
                },
                &Row::Scored {
                    prediction: of_b,
                    score: b,
                    ..
                },
            ] = pair.each_ref()
            {
                scores.observe(label, [a, b]);
                predictions.observe(label, [of_a, of_b]);
            }
        });
        let measure = |metric: Metric| {
            let reading = match metric.needs_prediction() {
                true => predictions.reading(metric, LEVEL),
                false => scores.reading(metric, LEVEL),
            };
            of_difference(metric.name(), None, metric.is_total(), &reading)
        };
        let metrics = Metric::ALL.into_iter().filter(|it| it.is_aggregate());
        Drawn {
            metrics: metrics.map(measure).collect(),
            ..drawn
        }
    }

    fn of_numbers(&self, rows: usize, random: &mut Random) -> Drawn {
        let mut numbers = [vec![], vec![], vec![]];
        let drawn = self.each_row(rows, random, |pair| {
            if let [
                &Row::Predicted {
                    label,
                    prediction: a,
                },
                &Row::Predicted { prediction: b, .. },
            ] = pair.each_ref()
            {
                let row = numbers.iter_mut().zip([label, a, b]);
                row.for_each(|(column, number)| column.push(number));
            }
        });
        let [labels, a, b] = &numbers;
        let measure = |metric: RegressionMetric| {
            let mut pair = PairedRegression::new(metric, Default::default());
            pair.observe_all(labels, [a, b]);
            of_difference(metric.name(), None, false, &pair.reading(LEVEL))
        };
        Drawn {
            metrics: RegressionMetric::ALL.map(measure).into(),
            ..drawn
        }
    }

    fn each_row(
        &self,
        rows: usize,
        random: &mut Random,
        mut visit: impl FnMut(&[Row; 2]),
    ) -> Drawn {
        let mut draws = Draws::new(random);
        let mut counts = [ClassCounts::default(), ClassCounts::default()];
        let Challenge {
            noises,
            exaggerates,
        } = self.challenge;
        for _ in 0..rows {
            let pair = self.model.pair(noises, exaggerates, &mut draws);
            visit(&pair);
            for (counts, row) in counts.iter_mut().zip(&pair) {
                counts.add(row);
            }
        }
        let [a, b] = counts.map(|counts| counts.rarest(self.model.classes()));
        Drawn {
            metrics: vec![],
            rarest: a.min(b),
            size: rows as f64,
        }
    }
}

fn of_difference(metric: &str, of: Option<String>, total: bool, found: &PairedReading) -> Measure {
    Measure {
        metric: metric.to_owned(),
        of,
        total,
        value: found.value,
        bounds: found.lower_bound.zip(found.upper_bound),
        few: super::is_few(found.status),
    }
}
