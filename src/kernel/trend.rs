//! Whether a series of chunks goes one way, and how fast: the test of Mann and Kendall and the slope of Theil and Sen, which no
//! single chunk can move.
use statrs::distribution::{ContinuousCDF, Normal};

use super::diagnosis::{Observation, Series};
use super::digits::short;

/// Fewest chunks with which the test's normal law is good (M. G. Kendall 1975, Rank Correlation Methods).
const FEWEST: usize = 8;
/// Beyond this the slopes of all pairs no longer fit into memory comfortably (400 MB).
const MOST: usize = 10_000;
/// Autocorrelations further from 0 than this times the root of the number of chunks are more than chance.
const SIGNIFICANT: f64 = 1.96;
/// Correlation of neighbours beyond which its bias is no longer told well.
const MOST_CORRELATED: f64 = 0.8;

/// Which way a series goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Up.
    Rising,
    /// Down.
    Falling,
    /// Neither, as far as can be told.
    None,
}

impl Direction {
    /// Text in the `direction` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rising => "rising",
            Self::Falling => "falling",
            Self::None => "none",
        }
    }
}

/// Whether a trend could be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TrendStatus {
    /// It could.
    #[default]
    Ok,
    /// Fewer than eight chunks can be used.
    InsufficientData,
    /// More than 10,000 chunks can be used.
    TooManyChunks,
}

impl TrendStatus {
    /// Text in the `status` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::InsufficientData => "insufficient_data",
            Self::TooManyChunks => "too_many_chunks",
        }
    }
}

/// The trend of a series. Numbers are `None` where they do not exist.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Trend {
    /// Which way, at the confidence level.
    pub direction: Option<Direction>,
    /// Median slope of all pairs of chunks, a chunk.
    pub slope: Option<f64>,
    /// Bounds of the slope.
    pub bounds: Option<(f64, f64)>,
    /// The slope times the distance of the first chunk and the last.
    pub change: Option<f64>,
    /// Kendall's rank correlation of value and time, tau-b: from -1, always down, to 1.
    pub kendall_tau: Option<f64>,
    /// The test's statistic, standard normal without a trend.
    pub z: Option<f64>,
    /// Two-sided.
    pub p_value: Option<f64>,
    /// How much larger the variance of the statistic is for the autocorrelation of the series; 1 without.
    pub variance_inflation: Option<f64>,
    /// Chunks that could be used.
    pub used_count: usize,
    /// Whether a trend could be told.
    pub status: TrendStatus,
}

impl Trend {
    /// The trend of a series. Gaps are left out; errors of the values do not matter.
    ///
    /// * `confidence_level`: in (0, 1), of the bounds and of the direction.
    /// * Source: H. B. Mann (1945), Econometrica 13, 245-259; P. K. Sen (1968), JASA 63, 1379-1389, slope and bounds, ties; K. H.
    ///   Hamed and A. R. Rao (1998), J. Hydrology 204, 182-196, variance of autocorrelated series. Unlike there, autocorrelation
    ///   never makes the variance smaller, and only lags up to a quarter of the series count: those beyond are noise.
    ///
    /// ```
    /// use modelwatch::kernel::diagnosis::{Series, SeriesPoint};
    /// use modelwatch::kernel::trend::{Direction, Trend};
    /// let points = [9.0, 8.7, 8.8, 8.4, 8.1, 8.2, 7.9, 7.8, 7.4, 7.5];
    /// let points = points.iter().zip(0i64..).map(|(value, index)| SeriesPoint {
    ///     index: Some(index),
    ///     value: Some(*value),
    ///     is_usable: true,
    ///     ..SeriesPoint::default()
    /// });
    /// let trend = Trend::of(&Series::new(points.collect())?, 0.95);
    /// assert_eq!(trend.direction, Some(Direction::Falling));
    /// assert!(trend.slope.is_some_and(|slope| (slope + 0.18).abs() < 0.02));
    /// # Ok::<(), modelwatch::kernel::KernelError>(())
    /// ```
    pub fn of(series: &Series, confidence_level: f64) -> Self {
        let chunks = series.observations();
        let used_count = chunks.len();
        let status = match used_count {
            0..FEWEST => TrendStatus::InsufficientData,
            FEWEST..=MOST => TrendStatus::Ok,
            _ => TrendStatus::TooManyChunks,
        };
        let unknown = Self {
            used_count,
            status,
            ..Self::default()
        };
        match status {
            TrendStatus::Ok => measured(&chunks, confidence_level, unknown),
            _ => unknown,
        }
    }

    /// One sentence, which begins with its verb.
    pub fn sentence(&self) -> String {
        let known = self
            .slope
            .zip(self.bounds)
            .zip(self.change.zip(self.p_value));
        let Some(((slope, (lower, upper)), (change, p))) = known else {
            return match self.status {
                TrendStatus::TooManyChunks => {
                    "has more than 10,000 chunks: take longer ones.".into()
                }
                _ => "has too few chunks to have a trend.".into(),
            };
        };
        let chance = match p < 0.001 {
            true => "p below 0.001".to_owned(),
            false => format!("p {}", short(p)),
        };
        let moved = match self.direction {
            Some(Direction::Rising) => "rises",
            Some(Direction::Falling) => "falls",
            _ => return format!("has no trend over {} chunks ({chance}).", self.used_count),
        };
        let [slow, fast] = match slope < 0.0 {
            true => [-upper, -lower],
            false => [lower, upper],
        };
        format!(
            "{moved} by {} a chunk ({} to {}), {} in all ({chance}).",
            short(slope.abs()),
            short(slow),
            short(fast),
            short(change.abs())
        )
    }
}

fn measured(chunks: &[Observation], confidence_level: f64, unknown: Trend) -> Trend {
    let (score, mut slopes) = pairs(chunks);
    let ties = tied(chunks);
    let count = chunks.len() as f64;
    let all = count * (count - 1.0) / 2.0;
    let median = median(&mut slopes);
    let inflation = variance_inflation(chunks, median);
    let of_ties: f64 = ties.iter().map(|t| t * (t - 1.0) * (2.0 * t + 5.0)).sum();
    let variance = (count * (count - 1.0) * (2.0 * count + 5.0) - of_ties) / 18.0 * inflation;
    let untied = all - ties.iter().map(|t| t * (t - 1.0) / 2.0).sum::<f64>();
    let normal = Normal::standard();
    // a series that never varies has neither rank correlation nor variance; it has no trend
    let z = match variance > 0.0 {
        true => (score - score.signum() * score.abs().min(1.0)) / variance.sqrt(),
        false => 0.0,
    };
    let p_value = (2.0 * normal.sf(z.abs())).min(1.0);
    let quantile = normal.inverse_cdf(0.5 + 0.5 * confidence_level);
    let span = chunks.first().zip(chunks.last());
    let span = span.map_or(0.0, |(a, b)| f64::from(b.position - a.position));
    let direction = match (p_value < 1.0 - confidence_level, z > 0.0) {
        (false, _) => Direction::None,
        (true, true) => Direction::Rising,
        (true, false) => Direction::Falling,
    };
    Trend {
        direction: Some(direction),
        slope: Some(median),
        bounds: bounds(&mut slopes, quantile * variance.sqrt()),
        change: Some(median * span),
        kendall_tau: (untied > 0.0).then(|| score / (untied * all).sqrt()),
        z: Some(z),
        p_value: Some(p_value),
        variance_inflation: Some(inflation),
        ..unknown
    }
}

/// How many more pairs rise than fall, and the slopes of pairs that do not share their place.
fn pairs(chunks: &[Observation]) -> (f64, Vec<f64>) {
    let mut slopes = Vec::with_capacity(chunks.len() * chunks.len().saturating_sub(1) / 2);
    let mut score = 0.0;
    for (at, later) in chunks.iter().enumerate() {
        for earlier in chunks.iter().take(at) {
            let apart = later.position - earlier.position;
            if apart > 0 {
                let rise = later.value - earlier.value;
                score += f64::from(i8::from(rise > 0.0) - i8::from(rise < 0.0));
                slopes.push(rise / f64::from(apart));
            }
        }
    }
    (score, slopes)
}

/// How many chunks share each value that several have.
fn tied(chunks: &[Observation]) -> Vec<f64> {
    let mut values: Vec<f64> = chunks.iter().map(|chunk| chunk.value).collect();
    values.sort_by(f64::total_cmp);
    let groups = values.chunk_by(|a, b| a == b);
    let several = groups.filter(|group| group.len() > 1);
    several.map(|group| group.len() as f64).collect()
}

/// The number of this rank from 0 on; in the order of a partial sort.
fn ranked(numbers: &mut [f64], rank: usize) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    let rank = rank.min(numbers.len() - 1);
    let (_, found, _) = numbers.select_nth_unstable_by(rank, f64::total_cmp);
    *found
}

pub(super) fn median(numbers: &mut [f64]) -> f64 {
    let count = numbers.len();
    let upper = ranked(numbers, count / 2);
    match count % 2 {
        1 => upper,
        _ => 0.5 * (ranked(numbers, (count / 2).saturating_sub(1)) + upper),
    }
}

/// Sen's bounds: the slopes so many ranks from the middle.
fn bounds(slopes: &mut [f64], ranks: f64) -> Option<(f64, f64)> {
    let count = slopes.len() as f64;
    if slopes.is_empty() {
        return None;
    }
    let lower = ((count - ranks) / 2.0).floor().max(1.0) - 1.0;
    let upper = ((count + ranks) / 2.0).ceil().min(count - 1.0);
    Some((
        ranked(slopes, lower as usize),
        ranked(slopes, upper as usize),
    ))
}

/// From the autocorrelations of the ranks of the series without its trend. Taking level and trend out makes those of a series with
/// correlated neighbours too small, by about twice the ratio of its long variance to its variance over the number of chunks; that
/// is put back (F. H. C. Marriott and J. A. Pope 1954, Biometrika 41, 390-402).
fn variance_inflation(chunks: &[Observation], slope: f64) -> f64 {
    let ranks = ranks_without_trend(chunks, slope);
    let count = ranks.len() as f64;
    let squares: f64 = ranks.iter().map(|(_, rank)| rank * rank).sum();
    let span = chunks.first().zip(chunks.last());
    let span = span.map_or(0, |(a, b)| b.position - a.position);
    if squares <= 0.0 {
        return 1.0;
    }
    let least = SIGNIFICANT / count.sqrt();
    let (mut sum, mut bias) = (0.0, 0.0);
    for lag in 1..=span / 4 {
        let correlation = products(&ranks, lag) / squares;
        if correlation.abs() <= least {
            continue;
        }
        if lag == 1 && correlation > 0.0 {
            let neighbours = correlation.min(MOST_CORRELATED);
            bias = 2.0 * (1.0 + neighbours) / (1.0 - neighbours) / count;
        }
        let left = count - f64::from(lag);
        sum += left * (left - 1.0) * (left - 2.0) * (correlation + bias);
    }
    (1.0 + 2.0 * sum / (count * (count - 1.0) * (count - 2.0))).max(1.0)
}

/// Sum of the products of the ranks of chunks so far apart.
fn products(ranks: &[(u32, f64)], lag: u32) -> f64 {
    let mut later = ranks.iter().peekable();
    let products = ranks.iter().filter_map(|(position, rank)| {
        let wanted = position + lag;
        while later.next_if(|(at, _)| *at < wanted).is_some() {}
        let (_, other) = later.peek().filter(|(at, _)| *at == wanted)?;
        Some(rank * other)
    });
    products.sum()
}

/// Places and ranks, the latter around their mean.
fn ranks_without_trend(chunks: &[Observation], slope: f64) -> Vec<(u32, f64)> {
    let mut order: Vec<(f64, u32)> = chunks
        .iter()
        .map(|chunk| {
            (
                chunk.value - slope * f64::from(chunk.position),
                chunk.position,
            )
        })
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = (order.len() as f64 - 1.0) / 2.0;
    let mut ranks = vec![];
    let mut before = 0.0;
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = before + (tied.len() as f64 - 1.0) / 2.0 - middle;
        ranks.extend(tied.iter().map(|(_, position)| (*position, rank)));
        before += tied.len() as f64;
    }
    ranks.sort_by_key(|(position, _)| *position);
    ranks
}

#[cfg(test)]
mod tests {
    use super::super::diagnosis::SeriesPoint;
    use super::super::testing::normal_numbers;
    use super::*;

    fn series(values: &[f64]) -> Series {
        let points = values.iter().zip(0i64..).map(|(value, index)| SeriesPoint {
            index: Some(index),
            value: Some(*value),
            is_usable: true,
            ..SeriesPoint::default()
        });
        Series::new(points.collect()).unwrap_or_default()
    }

    fn is_near(number: Option<f64>, expected: f64) -> bool {
        number.is_some_and(|number| (number - expected).abs() < 1e-9)
    }

    #[test]
    fn score_ties_and_slope_are_those_worked_out_by_hand() {
        // 24 pairs rise, 1 falls, 3 are tied
        let trend = Trend::of(&series(&[1.0, 2.0, 2.0, 3.0, 4.0, 3.0, 4.0, 5.0]), 0.95);
        let (score, variance) = (23.0_f64, (8.0 * 7.0 * 21.0 - 3.0 * 18.0) / 18.0_f64);
        assert!(
            is_near(trend.z, (score - 1.0) / variance.sqrt()),
            "{trend:?}"
        );
        assert!(is_near(trend.kendall_tau, score / (25.0_f64 * 28.0).sqrt()));
        assert!(is_near(trend.slope, 0.5), "{trend:?}");
        assert_eq!(trend.variance_inflation, Some(1.0));
        assert_eq!(trend.direction, Some(Direction::Rising));
    }

    #[test]
    fn noise_has_a_trend_as_rarely_as_was_asked_for_and_ar_noise_nearly() {
        for (rho, most) in [(0.0_f64, 0.065), (0.5, 0.15)] {
            let runs = 1_000;
            let found = (0..runs).filter(|seed| {
                let mut before = 0.0;
                let values: Vec<f64> = normal_numbers(60, *seed)
                    .into_iter()
                    .map(|noise| {
                        before = rho * before + (1.0 - rho * rho).sqrt() * noise;
                        before
                    })
                    .collect();
                Trend::of(&series(&values), 0.95).direction != Some(Direction::None)
            });
            let share = found.count() as f64 / runs as f64;
            assert!(share < most, "{rho}: {share}");
        }
    }

    #[test]
    fn bounds_hold_the_slope_as_often_as_they_say() {
        let runs = 1_000;
        let held = (0..runs).filter(|seed| {
            let noise = normal_numbers(40, 50_000 + seed);
            let values: Vec<f64> = noise
                .iter()
                .enumerate()
                .map(|(at, x)| 0.1 * at as f64 + x)
                .collect();
            let trend = Trend::of(&series(&values), 0.9);
            trend
                .bounds
                .is_some_and(|(lower, upper)| lower <= 0.1 && 0.1 <= upper)
        });
        let share = held.count() as f64 / runs as f64;
        assert!((0.87..0.95).contains(&share), "{share}");
    }

    #[test]
    fn one_wild_chunk_moves_nothing_and_gaps_are_left_out() {
        let mut values: Vec<f64> = (0..30).map(|at| 5.0 - 0.1 * f64::from(at)).collect();
        values[7] = 1e9;
        values[20] = f64::NAN;
        let trend = Trend::of(&series(&values), 0.95);
        assert!(
            trend.slope.is_some_and(|slope| (slope + 0.1).abs() < 1e-9),
            "{trend:?}"
        );
        assert_eq!(trend.used_count, 29);
        assert_eq!(trend.direction, Some(Direction::Falling));
    }

    #[test]
    fn series_that_are_too_short_or_constant_have_no_trend() {
        let short = Trend::of(&series(&[1.0; 7]), 0.95);
        assert_eq!(
            (short.status, short.direction),
            (TrendStatus::InsufficientData, None)
        );
        let constant = Trend::of(&series(&[1.0; 20]), 0.95);
        assert_eq!(constant.direction, Some(Direction::None));
        assert!(constant.kendall_tau.is_none() && constant.p_value == Some(1.0));
        assert_eq!(constant.sentence(), "has no trend over 20 chunks (p 1.00).");
    }
}
