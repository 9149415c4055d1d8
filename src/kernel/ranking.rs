//! Which column to look at first: how often its drift alerted, and whether it moved when performance did.
use statrs::function::beta::checked_beta_reg;

use super::chunk_series::ChunkSeries;

/// Chunks below which a correlation carries a reserve.
pub const FEW_CHUNKS: usize = 8;

/// Chunks that a correlation needs: through two points there is always a line.
const LEAST_CHUNKS: usize = 3;

/// A spread below this share of the largest number is rounding.
const ROUNDING: f64 = 1e-13;

/// Whether a column has the score that it is ranked by, and under which reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankStatus {
    /// No reserve.
    Ok,
    /// The correlation rests on fewer than eight chunks.
    FewChunks,
    /// No chunk was judged, so there are no alerts to count.
    NotJudged,
    /// There is no drift row of the metric that was asked for.
    NoDrift,
    /// There is no performance row of the group or of the metric that was asked for.
    NoPerformance,
    /// The performance relation has no row of the reference.
    NoReference,
    /// No chunk of the reference has a performance.
    ReferenceUndefined,
    /// No chunk of the analysis is in both relations.
    NoMatchingChunks,
    /// Fewer than three chunks have both a drift and a performance.
    InsufficientData,
    /// The drift is the same in all chunks.
    ConstantDrift,
    /// The performance is equally far from the reference in all chunks.
    ConstantPerformance,
}

impl RankStatus {
    /// Text in the `status` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::FewChunks => "few_chunks",
            Self::NotJudged => "not_judged",
            Self::NoDrift => "no_drift",
            Self::NoPerformance => "no_performance",
            Self::NoReference => "no_reference",
            Self::ReferenceUndefined => "reference_undefined",
            Self::NoMatchingChunks => "no_matching_chunks",
            Self::InsufficientData => "insufficient_data",
            Self::ConstantDrift => "constant_drift",
            Self::ConstantPerformance => "constant_performance",
        }
    }
}

/// Alerts of a column on chunks of the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertCount {
    /// Chunks that alerted; `None` where none was judged.
    pub alerts: Option<u64>,
    /// Chunks that were judged.
    pub judged: u64,
    /// Whether there is a count.
    pub status: RankStatus,
}

/// Counts the alerts of a series; chunks of the reference and those that were not judged do not count.
pub fn alert_count(drift: Option<&ChunkSeries>) -> AlertCount {
    let alerts = drift.into_iter().flat_map(|series| series.of(false));
    let (mut fired, mut judged) = (0, 0);
    for alert in alerts.filter_map(|point| point.alert) {
        judged += 1;
        fired += u64::from(alert);
    }
    AlertCount {
        alerts: (judged > 0).then_some(fired),
        judged,
        status: match (drift, judged) {
            (None, _) => RankStatus::NoDrift,
            (_, 0) => RankStatus::NotJudged,
            _ => RankStatus::Ok,
        },
    }
}

/// How far drift and performance move together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftCorrelation {
    /// Pearson's correlation, in -1 to 1; `None` where it is not defined.
    pub correlation: Option<f64>,
    /// Two-sided p-value of no correlation, were the chunks independent.
    pub p_value: Option<f64>,
    /// Chunks that have both a drift and a performance.
    pub matched: u64,
    /// Whether there is a correlation, and under which reserve.
    pub status: RankStatus,
}

/// Correlation of a column's drift with how far performance lies from its mean on the reference, over the
/// chunks of the analysis that have both.
///
/// * NULL: chunks without a value in either are left out; fewer than three leave nothing to correlate.
/// * A better performance counts as far as a worse one.
pub fn drift_correlation(
    drift: Option<&ChunkSeries>,
    performance: Option<&ChunkSeries>,
) -> DriftCorrelation {
    let none = |status, matched: usize| DriftCorrelation {
        correlation: None,
        p_value: None,
        matched: matched as u64,
        status,
    };
    let Some(drift) = drift else {
        return none(RankStatus::NoDrift, 0);
    };
    let Some(performance) = performance else {
        return none(RankStatus::NoPerformance, 0);
    };
    let Some(usual) = reference_mean(performance) else {
        let status = match performance.of(true).next() {
            None => RankStatus::NoReference,
            Some(_) => RankStatus::ReferenceUndefined,
        };
        return none(status, 0);
    };
    let (mut shared, mut pairs) = (0, vec![]);
    for point in drift.of(false) {
        let Some(other) = performance.find(point.chunk.as_deref()) else {
            continue;
        };
        shared += 1;
        if let (Some(moved), Some(value)) = (point.value(), other.value()) {
            pairs.push((moved, (value - usual).abs()));
        }
    }
    pairs.retain(|(_, distance)| distance.is_finite());
    match (shared, pairs.len()) {
        (0, _) => none(RankStatus::NoMatchingChunks, 0),
        (_, matched) if matched < LEAST_CHUNKS => none(RankStatus::InsufficientData, matched),
        (_, matched) => correlated(&pairs).unwrap_or_else(|status| none(status, matched)),
    }
}

/// Mean of the values of the reference; `None` without any.
fn reference_mean(performance: &ChunkSeries) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in performance.of(true).filter_map(|point| point.value()) {
        sum += value;
        n += 1.0;
    }
    Some(sum / n).filter(|mean: &f64| mean.is_finite())
}

fn correlated(pairs: &[(f64, f64)]) -> Result<DriftCorrelation, RankStatus> {
    let drift = centred(pairs.iter().map(|pair| pair.0)).ok_or(RankStatus::ConstantDrift)?;
    let distance =
        centred(pairs.iter().map(|pair| pair.1)).ok_or(RankStatus::ConstantPerformance)?;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let scale = product(&drift, &drift).sqrt() * product(&distance, &distance).sqrt();
    let correlation = (product(&drift, &distance) / scale).clamp(-1.0, 1.0);
    let few = pairs.len() < FEW_CHUNKS;
    Ok(DriftCorrelation {
        correlation: Some(correlation),
        p_value: p_value(correlation, pairs.len()),
        matched: pairs.len() as u64,
        status: if few {
            RankStatus::FewChunks
        } else {
            RankStatus::Ok
        },
    })
}

/// Distances from the mean, scaled to a largest of 1, so that no square is too large or too small for a
/// float; `None` where the numbers are all the same, but for rounding.
fn centred(numbers: impl Iterator<Item = f64>) -> Option<Vec<f64>> {
    let mut numbers: Vec<f64> = numbers.collect();
    let n = numbers.len() as f64;
    for floor in [0.0, ROUNDING] {
        // the second pass scales what the first has centred
        let largest = numbers.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        if largest <= floor {
            return None;
        }
        numbers.iter_mut().for_each(|x| *x /= largest);
        let mean = numbers.iter().sum::<f64>() / n;
        numbers.iter_mut().for_each(|x| *x -= mean);
    }
    Some(numbers)
}

/// Two-sided p-value of a correlation of `n` independent pairs of which one is normal: Student's t with
/// `n - 2` degrees of freedom, which is a beta distribution of the square.
fn p_value(correlation: f64, n: usize) -> Option<f64> {
    let freedom = n as f64 - 2.0;
    let unexplained = (1.0 - correlation) * (1.0 + correlation);
    checked_beta_reg(freedom / 2.0, 0.5, unexplained)
        .ok()
        .filter(|p| p.is_finite())
        .map(|p| p.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::super::chunk_series::SeriesPoint;
    use super::*;

    /// A series with the given values on chunks c0, c1, ... of the analysis.
    fn series(values: &[f64], reference: &[f64]) -> ChunkSeries {
        let of = |is_reference, values: &[f64]| {
            let point = |(i, x): (usize, &f64)| {
                SeriesPoint::new(
                    is_reference,
                    Some(format!("c{i}")),
                    Some(*x),
                    Some(*x > 0.5),
                )
            };
            values.iter().enumerate().map(point).collect::<Vec<_>>()
        };
        ChunkSeries::new([of(true, reference), of(false, values)].concat())
    }

    fn correlation(drift: &[f64], performance: &[f64], reference: &[f64]) -> DriftCorrelation {
        let drift = series(drift, &[]);
        drift_correlation(Some(&drift), Some(&series(performance, reference)))
    }

    #[test]
    fn alerts_of_the_analysis_are_counted() {
        let found = alert_count(Some(&series(&[0.2, 0.6, 0.7], &[0.9])));
        assert_eq!((found.alerts, found.judged), (Some(2), 3));
        let found = alert_count(Some(&series(&[], &[0.9])));
        assert_eq!((found.alerts, found.judged), (None, 0));
        assert_eq!(found.status, RankStatus::NotJudged);
        assert_eq!(alert_count(None).status, RankStatus::NoDrift);
    }

    #[test]
    fn a_worked_correlation() {
        // distances from the mean .8: 0, .1, .1, .2; drift 0, 1, 2, 3
        // centred: -.1, 0, 0, .1 and -1.5, -.5, .5, 1.5; .3 / sqrt(.02 * 5) = .9486832980505138
        // t = .9487 * sqrt(2 / (1 - .9)) = 4.2426 with two degrees of freedom: p = 1 - t / sqrt(2 + t^2)
        let found = correlation(&[0.0, 1.0, 2.0, 3.0], &[0.8, 0.9, 0.7, 0.6], &[0.7, 0.9]);
        assert!((found.correlation.unwrap() - 0.9f64.sqrt()).abs() < 1e-12);
        assert!((found.p_value.unwrap() - (1.0 - 0.9f64.sqrt())).abs() < 1e-12);
        assert_eq!((found.matched, found.status), (4, RankStatus::FewChunks));
    }

    #[test]
    fn eight_chunks_carry_no_reserve_and_a_line_no_doubt() {
        let line: Vec<f64> = (0..8).map(f64::from).collect();
        let found = correlation(&line, &line, &[0.0]);
        assert_eq!(found.correlation, Some(1.0));
        assert!(found.p_value.unwrap() < 1e-40);
        assert_eq!(found.status, RankStatus::Ok);
        let falling: Vec<f64> = line.iter().rev().copied().collect();
        assert_eq!(correlation(&falling, &line, &[0.0]).correlation, Some(-1.0));
    }

    #[test]
    fn what_cannot_be_correlated_says_why() {
        let up = [1.0, 2.0, 3.0];
        let why = |d: &[f64], p: &[f64], r: &[f64]| correlation(d, p, r).status;
        assert_eq!(why(&up, &up, &[]), RankStatus::NoReference);
        assert_eq!(why(&up, &up, &[f64::NAN]), RankStatus::ReferenceUndefined);
        assert_eq!(why(&up, &[], &[1.0]), RankStatus::NoMatchingChunks);
        assert_eq!(why(&up, &[1.0, 2.0], &[1.0]), RankStatus::InsufficientData);
        assert_eq!(why(&[0.1; 3], &up, &[1.0]), RankStatus::ConstantDrift);
        // .5 above and .5 below are equally far
        let far = [1.5, 0.5, 1.5];
        assert_eq!(why(&up, &far, &[1.0]), RankStatus::ConstantPerformance);
        let up = series(&up, &[]);
        assert_eq!(
            drift_correlation(Some(&up), None).status,
            RankStatus::NoPerformance
        );
        assert_eq!(
            drift_correlation(None, Some(&up)).status,
            RankStatus::NoDrift
        );
    }

    #[test]
    fn rounding_is_no_movement_and_size_does_not_matter() {
        let nearly = [0.1 + 0.2, 0.3, 0.3];
        let up = [1.0, 2.0, 3.0];
        assert_eq!(
            correlation(&nearly, &up, &[1.0]).status,
            RankStatus::ConstantDrift
        );
        let expected = correlation(&[1.0, 2.0, 4.0], &up, &[1.0])
            .correlation
            .unwrap();
        for scale in [1e-300, 1e300] {
            let drift = [1.0, 2.0, 4.0].map(|x| x * scale);
            let performance = up.map(|x| x * scale);
            let found = correlation(&drift, &performance, &[scale]).correlation;
            assert!((found.unwrap() - expected).abs() < 1e-12);
        }
    }
}
