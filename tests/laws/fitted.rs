//! Values that are fitted to a few rows, for aggregates that read one beside each row.
use modelwatch::kernel::calibrator::CalibrationMode;
use modelwatch::kernel::clustered::{ClusterTotals, ClusteredProfile};
use modelwatch::kernel::multiclass::{ClassCalibrators, MulticlassProfile, WeightedClasses};
use modelwatch::kernel::paired::PairedProfile;
use modelwatch::kernel::pca::Cell;
use modelwatch::kernel::pca::columns::{ColumnSummaries, ImputeNumber, ImputeText, Kind};
use modelwatch::kernel::pca::covariance::Covariance;
use modelwatch::kernel::pca::encoding::Encoding;
use modelwatch::kernel::pca::projection::{Components, Projection};
use modelwatch::kernel::regression::WeightedRegression;
use modelwatch::kernel::weighted_profile::WeightedProfile;
use modelwatch::kernel::weighted_scores::WeightedScores;

/// Scores and labels.
const RECORDS: [(f64, &str); 4] = [(0.0, "true"), (0.5, "true"), (0.75, "false"), (1.0, "true")];

/// The profile of a few rows of weight 1, with metrics, of the kind that an aggregate of influences reads; of the same rows with
/// two models where it reads differences.
pub fn asked(function: &str) -> Vec<u8> {
    match function.contains("_difference_") {
        true => {
            let (champion, metrics) = weighted(function, |score| score);
            let (challenger, _) = weighted(function, |score| (5.0 * score).fract());
            PairedProfile::new([champion, challenger], metrics, vec![]).to_bytes()
        }
        false => clustered(function).to_bytes(),
    }
}

fn clustered(function: &str) -> ClusteredProfile {
    let (profile, metrics) = weighted(function, |score| score);
    ClusteredProfile::new(profile, metrics, vec![])
}

fn weighted(function: &str, says: fn(f64) -> f64) -> (WeightedProfile, Vec<String>) {
    let classes = ["false", "true"].map(String::from).to_vec();
    let mut of_classes = WeightedClasses::new(classes, Default::default()).expect("two classes");
    let (mut of_scores, mut of_numbers) =
        (WeightedScores::default(), WeightedRegression::default());
    for (number, label) in RECORDS {
        let (label, weight, score) = (label == "true", Some(1.0), says(number));
        let scores = [Some(1.0 - score), Some(score)];
        let class = Some(usize::from(label));
        let predicted = Some(usize::from(score > 0.6));
        let added = [
            of_scores.observe(Some(score > 0.6), Some(label), Some(score), weight),
            of_classes.observe(class, predicted, &scores, weight),
            of_numbers.observe(Some(number), Some(4.0 * score + 0.5), weight),
        ];
        added.into_iter().for_each(|added| added.expect("a weight"));
    }
    let (profile, metrics) = match function.split('_').next() {
        Some("class") => (
            WeightedProfile::Classes(of_classes),
            ["roc_auc", "recall_per_class"],
        ),
        Some("regression") => (
            WeightedProfile::Regression(Box::new(of_numbers)),
            ["mae", "r2"],
        ),
        _ => (
            WeightedProfile::Scores(Box::new(of_scores)),
            ["roc_auc", "accuracy"],
        ),
    };
    (profile, metrics.map(String::from).to_vec())
}

pub fn calibrators() -> ClassCalibrators {
    let classes = ["false", "true"].map(String::from).to_vec();
    let mut profile = MulticlassProfile::new(classes, Default::default()).expect("two classes");
    for (score, label) in RECORDS {
        let scores = [Some(1.0 - score), Some(score)];
        profile.observe(Some(usize::from(label == "true")), None, &scores);
    }
    ClassCalibrators::fit(&mut profile, &[CalibrationMode::Always]).expect("both classes")
}

pub fn encoding() -> Encoding {
    let mut summaries = ColumnSummaries::default();
    let columns = [("score".into(), Kind::Number), ("label".into(), Kind::Text)];
    summaries
        .require(&columns, ImputeNumber::Mean)
        .expect("the first columns");
    for (score, label) in RECORDS {
        let cells = [Cell::Number(score), Cell::Text(label)];
        summaries.observe(cells.into_iter()).expect("a row");
    }
    summaries.encoding(ImputeText::MostFrequent).expect("rows")
}

pub fn projection() -> Projection {
    let (encoding, mut sums, mut z) = (encoding(), Covariance::new(2), [0.0; 2]);
    for (score, label) in RECORDS {
        encoding.encode([Cell::Number(score), Cell::Text(label)].into_iter(), &mut z);
        sums.observe(&z).expect("a row");
    }
    Projection::fit(encoding, &sums, Components::Count(1))
}

/// Totals of the influences of one row of weight 1, whose label and prediction are the outcome.
pub fn totals_of(outcome: (Option<bool>, Option<bool>), score: f64) -> Vec<u8> {
    let influences = clustered("score_influences").influences().expect("metrics");
    let mut totals = ClusterTotals::default();
    let added = influences.add_scored(&mut totals, outcome, Some(score), Some(1.0));
    added.expect("a weight");
    totals.to_bytes()
}
