//! What a row does to each metric of its chunk, for any kind of model.
use super::clustered::{ClusterTotals, ClusteredProfile};
use super::error::KernelError;
use super::metric::Metric;
use super::multiclass::{ClassInfluences, MulticlassMetric};
use super::regression::{RegressionInfluences, RegressionMetric};
use super::score_influences::ScoreInfluences;
use super::weight::Weight;
use super::weighted_profile::WeightedProfile;

/// Influences of the rows of one chunk on metrics; see [`super::clustered`].
#[derive(Debug)]
pub struct RowInfluences(Kind);

#[derive(Debug)]
enum Kind {
    Scores(ScoreInfluences),
    Classes(ClassInfluences),
    Regression(RegressionInfluences),
}

impl RowInfluences {
    /// Of the rows that are in a profile, on metrics by their names; `values` as for business values.
    ///
    /// Errors: a name that is no metric of such a profile, and weights whose squares cannot be summed.
    pub fn new(
        profile: &WeightedProfile,
        metrics: &[String],
        values: &[f64],
    ) -> Result<Self, KernelError> {
        let matrix = <[f64; 4]>::try_from(values).unwrap_or_default();
        Ok(Self(match profile {
            WeightedProfile::Scores(chunk) => {
                let metrics = parsed(metrics, Metric::parse)?;
                Kind::Scores(ScoreInfluences::new(chunk, &metrics, matrix)?)
            }
            WeightedProfile::Classes(chunk) => {
                let metrics = parsed(metrics, MulticlassMetric::parse)?;
                Kind::Classes(ClassInfluences::new(chunk, &metrics, values)?)
            }
            WeightedProfile::Regression(chunk) => {
                let metrics = parsed(metrics, RegressionMetric::parse)?;
                Kind::Regression(RegressionInfluences::new(chunk, &metrics)?)
            }
        }))
    }

    /// Of a clustered profile, given as bytes.
    ///
    /// Errors: any other bytes, and those of [`Self::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        ClusteredProfile::from_bytes(bytes)?.influences()
    }

    /// Names of the readings, and what their totals are to be multiplied by.
    pub fn scales(&self) -> &[(String, f64)] {
        match &self.0 {
            Kind::Scores(influences) => &influences.scales,
            Kind::Classes(influences) => &influences.scales,
            Kind::Regression(influences) => &influences.scales,
        }
    }

    /// What the total at a position is to be multiplied by to be the influence on the metric itself, in its own unit.
    pub(super) fn unit(&self, position: usize) -> Option<f64> {
        let (_, scale) = self.scales().get(position)?;
        let slope = match &self.0 {
            Kind::Regression(influences) => influences.slopes.get(position).copied()?,
            Kind::Scores(_) | Kind::Classes(_) => 1.0,
        };
        Some(scale * slope)
    }

    /// Adds a row of a classifier of two classes; one without a label or weight does nothing.
    ///
    /// Errors: a weight that [`Weight::new`] refuses.
    pub fn add_scored(
        &self,
        totals: &mut ClusterTotals,
        (label, prediction): (Option<bool>, Option<bool>),
        score: Option<f64>,
        weight: Option<f64>,
    ) -> Result<(), KernelError> {
        if let (Kind::Scores(influences), Some(weight)) = (&self.0, number(weight)?) {
            influences.add(totals, prediction, label, score, weight);
        }
        Ok(())
    }

    /// Adds a row of a classifier of several classes, with all its scores or none; one without a label or weight does nothing.
    ///
    /// Errors: a weight that [`Weight::new`] refuses.
    pub fn add_classified(
        &self,
        totals: &mut ClusterTotals,
        (label, prediction): (Option<usize>, Option<usize>),
        scores: &[Option<f64>],
        weight: Option<f64>,
    ) -> Result<(), KernelError> {
        let weight = number(weight)?;
        if let (Kind::Classes(influences), Some(weight), Some(label)) = (&self.0, weight, label) {
            influences.add(totals, label, prediction, scores, weight);
        }
        Ok(())
    }

    /// Adds a row of a regression; one without a label, prediction or weight does nothing.
    ///
    /// Errors: a weight that [`Weight::new`] refuses.
    pub fn add_predicted(
        &self,
        totals: &mut ClusterTotals,
        (label, prediction): (Option<f64>, Option<f64>),
        weight: Option<f64>,
    ) -> Result<(), KernelError> {
        let weight = number(weight)?;
        if let (Kind::Regression(influences), Some(weight)) = (&self.0, weight)
            && let (Some(label), Some(prediction)) = (label, prediction)
        {
            influences.add(totals, label, prediction, weight);
        }
        Ok(())
    }
}

fn number(weight: Option<f64>) -> Result<Option<f64>, KernelError> {
    let weight = weight.map_or(Ok(None), Weight::new)?;
    Ok(weight.map(Weight::number))
}

/// Metrics by their names.
pub(super) fn parsed<M>(
    names: &[String],
    parse: fn(&str) -> Option<M>,
) -> Result<Vec<M>, KernelError> {
    let metric = |name: &String| {
        let unknown = || KernelError::Undefined(format!("'{name}' is no metric of this profile"));
        parse(name).ok_or_else(unknown)
    };
    names.iter().map(metric).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cluster_squares::ClusterSquares;
    use super::super::multiclass::WeightedClasses;
    use super::super::reading::Reading;
    use super::super::regression::WeightedRegression;
    use super::super::weighted_profile::RealizedModel;
    use super::super::weighted_scores::WeightedScores;
    use super::*;

    /// Rows of a model of any kind: label, prediction and scores are made of two numbers.
    #[derive(Clone, Copy)]
    struct Row {
        label: usize,
        scores: [f64; 3],
        weight: f64,
        cluster: usize,
    }

    fn rows(count: usize) -> Vec<Row> {
        let row = |i: usize| {
            let label = i * 31 % 7 % 3;
            let raw: [f64; 3] = std::array::from_fn(|class| {
                let noise = ((i + 1) * (class + 3) * 7919 % 101) as f64 / 60.0;
                noise + if class == label { 1.0 } else { 0.0 }
            });
            let sum: f64 = raw.iter().sum();
            Row {
                label,
                scores: raw.map(|x| x / sum),
                weight: (1 + i % 4) as f64,
                cluster: i,
            }
        };
        (0..count).map(row).collect()
    }

    impl Row {
        fn predicted(&self) -> usize {
            let best = |best: usize, class: usize| {
                if self.scores[class] > self.scores[best] {
                    class
                } else {
                    best
                }
            };
            (0..3).fold(0, best)
        }

        fn numbers(&self) -> (Option<f64>, Option<f64>) {
            let label = 10.0 + 3.0 * self.label as f64 + 5.0 * self.scores[1];
            (Some(label), Some(label + 4.0 * self.scores[0] - 1.0))
        }

        fn classes(&self) -> (Option<bool>, Option<bool>) {
            (Some(self.label == 0), Some(self.scores[0] > 0.4))
        }
    }

    const VALUES: [f64; 9] = [1.0, -1.0, -2.0, 0.0, 2.0, 0.5, -1.0, 0.0, 3.0];

    fn profile(kind: usize, rows: &[Row]) -> WeightedProfile {
        let mut scores = WeightedScores::default();
        let names = ["a", "b", "c"].map(String::from).to_vec();
        let mut classes = WeightedClasses::new(names, Default::default()).unwrap();
        let mut regression = WeightedRegression::default();
        for row in rows {
            let weight = Some(row.weight);
            let (label, prediction) = row.classes();
            scores
                .observe(prediction, label, Some(row.scores[0]), weight)
                .unwrap();
            let all = row.scores.map(Some);
            classes
                .observe(Some(row.label), Some(row.predicted()), &all, weight)
                .unwrap();
            let (label, prediction) = row.numbers();
            regression.observe(label, prediction, weight).unwrap();
        }
        match kind {
            0 => WeightedProfile::Scores(Box::new(scores)),
            1 => WeightedProfile::Classes(classes),
            _ => WeightedProfile::Regression(Box::new(regression)),
        }
    }

    fn metrics(kind: usize) -> Vec<String> {
        match kind {
            0 => Metric::ALL.map(|metric| metric.name().to_owned()).to_vec(),
            1 => MulticlassMetric::all()
                .map(|metric| metric.name().to_owned())
                .collect(),
            _ => RegressionMetric::ALL
                .map(|metric| metric.name().to_owned())
                .to_vec(),
        }
    }

    fn clustered(kind: usize, rows: &[Row]) -> Vec<(String, Reading)> {
        let profile = profile(kind, rows);
        let values = if kind == 0 { &VALUES[..4] } else { &VALUES[..] };
        let influences = RowInfluences::new(&profile, &metrics(kind), values).unwrap();
        let clusters = rows.iter().map(|row| row.cluster).max().unwrap_or(0) + 1;
        let mut totals = vec![ClusterTotals::default(); clusters];
        for row in rows {
            let (totals, weight) = (&mut totals[row.cluster], Some(row.weight));
            let classes = (Some(row.label), Some(row.predicted()));
            influences
                .add_scored(totals, row.classes(), Some(row.scores[0]), weight)
                .unwrap();
            influences
                .add_classified(totals, classes, &row.scores.map(Some), weight)
                .unwrap();
            influences
                .add_predicted(totals, row.numbers(), weight)
                .unwrap();
        }
        let mut sums = ClusterSquares::default();
        for total in &totals {
            let total = ClusterTotals::from_bytes(&total.to_bytes()).unwrap();
            sums.observe(&total.numbers().collect::<Vec<f64>>());
        }
        let asked = ClusteredProfile::new(profile, metrics(kind), values.to_vec());
        let sums: Vec<f64> = sums.numbers().collect();
        let told = asked.with_squares(&sums).unwrap();
        let told = ClusteredProfile::from_bytes(&told.to_bytes()).unwrap();
        readings(&told.realized().unwrap())
    }

    fn readings(realized: &RealizedModel) -> Vec<(String, Reading)> {
        match realized {
            RealizedModel::Scores(chunk) => Metric::ALL
                .map(|m| {
                    (
                        m.name().to_owned(),
                        chunk.reading(m, [1.0, -1.0, -2.0, 0.0], 0.95),
                    )
                })
                .to_vec(),
            RealizedModel::Classes(chunk) => MulticlassMetric::all()
                .flat_map(|m| {
                    chunk
                        .readings(m, &VALUES, 0.95)
                        .into_iter()
                        .map(move |r| (m, r))
                })
                .map(|(m, r)| (format!("{m} {:?}", r.column_name), r.reading))
                .collect(),
            RealizedModel::Regression(chunk) => RegressionMetric::ALL
                .map(|m| (m.name().to_owned(), chunk.reading(m, 0.95)))
                .to_vec(),
        }
    }

    #[test]
    fn clusters_of_one_row_have_the_errors_of_rows() {
        let rows = rows(300);
        for kind in 0..3 {
            let plain = readings(&RealizedModel::weighted(&profile(kind, &rows)).unwrap());
            for ((name, a), (_, b)) in clustered(kind, &rows).into_iter().zip(plain) {
                assert_eq!(a.value, b.value, "{name}");
                let (a, b) = (a.sampling_error.unwrap(), b.sampling_error.unwrap());
                // averages of scores see their ranges only; small samples are made up for in other ways, and a count of few
                // weighted rows takes no smaller error from these
                let by = if is_total(&name) { 0.08 } else { 0.06 };
                assert!((a / b - 1.0).abs() < by, "{name}: {a} {b}");
            }
        }
    }

    #[test]
    fn rows_that_are_told_twice_tell_no_more() {
        let once = rows(200);
        let twice: Vec<Row> = once.iter().flat_map(|row| [*row, *row]).collect();
        for kind in 0..3 {
            let single = clustered(kind, &once);
            for ((name, a), (_, b)) in clustered(kind, &twice).into_iter().zip(single) {
                let factor = if is_total(&name) { 2.0 } else { 1.0 };
                let near = |a: Option<f64>, b: Option<f64>| {
                    let (a, b) = (a.unwrap() / factor, b.unwrap());
                    (a - b).abs() <= 0.01 * b.abs().max(1e-3)
                };
                assert!(near(a.value, b.value), "{name}");
                assert!(
                    near(a.sampling_error, b.sampling_error),
                    "{name} {a:?} {b:?}"
                );
            }
        }
    }

    fn is_total(name: &str) -> bool {
        let totals = ["true_", "false_", "confusion_matrix", "business_value"];
        totals.iter().any(|total| name.starts_with(total)) && !name.contains("per_row")
    }

    #[test]
    fn what_is_no_metric_is_refused() {
        let profile = profile(2, &rows(20));
        assert!(RowInfluences::new(&profile, &["roc_auc".into()], &[]).is_err());
    }
}
