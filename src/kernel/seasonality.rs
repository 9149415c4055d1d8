//! Whether a series of chunks repeats, after how many of them, and how much of its variation that is.
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::diagnosis::{Observation, Series};
use super::digits::short;

/// A cycle is believed where it was seen so often.
const FEWEST_CYCLES: u32 = 3;
/// Fewest chunks that can be used.
const FEWEST: usize = 8;
/// Longest cycle that is looked for, so that long series do not take the square of their length.
const LONGEST: u32 = 400;

/// Whether a cycle could be looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SeasonalityStatus {
    /// It could.
    #[default]
    Ok,
    /// Fewer than eight chunks can be used.
    InsufficientData,
    /// The chunks do not vary around a line.
    Constant,
}

impl SeasonalityStatus {
    /// Text in the `status` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::InsufficientData => "insufficient_data",
            Self::Constant => "constant",
        }
    }
}

/// The likeliest cycle of a series. Numbers are `None` where they do not exist.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seasonality {
    /// Whether there is a cycle, at the level that was asked for.
    pub is_seasonal: Option<bool>,
    /// Its length in chunks, which are as far apart as they usually are.
    pub cycle_length: Option<u32>,
    /// How likely chance alone gives a cycle as clear as this, of all lengths that were looked at.
    pub p_value: Option<f64>,
    /// Share of the variation around the line that the cycle is: from 0 to 1.
    pub strength: Option<f64>,
    /// From the lowest place of the cycle to the highest.
    pub amplitude: Option<f64>,
    /// Correlation of chunks a cycle apart, without the line.
    pub autocorrelation: Option<f64>,
    /// The point of the series that the last highest place of the cycle is at.
    pub highest: Option<usize>,
    /// The point that the last lowest place is at.
    pub lowest: Option<usize>,
    /// Chunks that could be used.
    pub used_count: usize,
    /// Whether a cycle could be looked for.
    pub status: SeasonalityStatus,
}

impl Seasonality {
    /// The likeliest cycle of 2 chunks to a third of the series, at most 400.
    ///
    /// * A cycle is the means of its places around a common line; the test is that of the analysis of variance, times the number of
    ///   lengths (Bonferroni). It finds cycles of any form, a single bad day of the week among them, and gaps do it no harm.
    /// * Neighbours that are correlated look like long cycles: where the remainder of the best cycle is, each chunk is taken without
    ///   what the one before it says, which keeps cycles as they are (D. Cochrane and G. H. Orcutt 1949, JASA 44, 32-61).
    /// * `alpha`: in (0, 1), most likely chance finding that is called a cycle.
    /// * Source of the strength: R. J. Hyndman and G. Athanasopoulos (2021), Forecasting: principles and practice, 4.3.
    pub fn of(series: &Series, alpha: f64) -> Self {
        let chunks = series.observations();
        let unknown = |status| Self {
            used_count: chunks.len(),
            status,
            ..Self::default()
        };
        if chunks.len() < FEWEST {
            return unknown(SeasonalityStatus::InsufficientData);
        }
        let plain: Vec<Place> = chunks.iter().map(Place::of).collect();
        let Some(first) = best(&plain) else {
            return unknown(SeasonalityStatus::Constant);
        };
        let rho = neighbours(&plain, &first);
        let filtered = match rho > 1.96 / (plain.len() as f64).sqrt() {
            true => best(&without_neighbour(&plain, rho)),
            false => None,
        };
        let length = filtered.as_ref().unwrap_or(&first).length;
        let p_value = filtered.as_ref().unwrap_or(&first).p_value;
        let Some(shape) = Cycle::fit(&plain, length) else {
            return unknown(SeasonalityStatus::Constant);
        };
        shape.told(&plain, &chunks, alpha, p_value)
    }

    /// One sentence, which begins with its verb; `name` is that of a point of the series.
    pub fn sentence(&self, name: impl Fn(usize) -> Option<String>) -> String {
        let Some((length, strength)) = self.cycle_length.zip(self.strength) else {
            return match self.status {
                SeasonalityStatus::Constant => "does not vary around a line.".into(),
                _ => "has too few chunks to have a cycle.".into(),
            };
        };
        if self.is_seasonal != Some(true) {
            return format!(
                "has no cycle that is more than chance over {} chunks.",
                self.used_count
            );
        }
        let chunk = |point: Option<usize>| {
            point
                .and_then(&name)
                .unwrap_or_else(|| "an unnamed chunk".into())
        };
        format!(
            "goes in cycles of {length} chunks, by {} from the lowest (as in {}) to the highest (as in {}): {} % of its variation.",
            short(self.amplitude.unwrap_or(0.0)),
            chunk(self.lowest),
            chunk(self.highest),
            (100.0 * strength).round()
        )
    }
}

/// A chunk: its place in time and its value.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: u32,
    value: f64,
}

impl Place {
    fn of(chunk: &Observation) -> Self {
        Self {
            at: chunk.position,
            value: chunk.value,
        }
    }
}

/// Each chunk that has a neighbour before it, without what that says of it.
fn without_neighbour(places: &[Place], rho: f64) -> Vec<Place> {
    let pairs = places.windows(2).filter_map(|pair| match pair {
        [a, b] if b.at == a.at + 1 => Some(Place {
            at: b.at,
            value: b.value - rho * a.value,
        }),
        _ => None,
    });
    pairs.collect()
}

/// A cycle of one length around a line.
#[derive(Debug, Clone)]
struct Cycle {
    length: u32,
    slope: f64,
    /// By place in the cycle: mean value and mean time of its chunks.
    means: Vec<Option<(f64, f64)>>,
    /// Sum of squares that is left.
    left: f64,
    freedom: f64,
    /// Of the test against the line alone, over all lengths.
    p_value: f64,
}

impl Cycle {
    /// `None` where not every place of the cycle was seen.
    fn fit(places: &[Place], length: u32) -> Option<Self> {
        let mut sums = vec![(0.0, 0.0, 0.0); length as usize];
        for place in places {
            let (count, value, time) = sums.get_mut((place.at % length) as usize)?;
            *count += 1.0;
            *value += place.value;
            *time += f64::from(place.at);
        }
        let means: Vec<Option<(f64, f64)>> = sums
            .iter()
            .map(|(count, value, time)| (*count > 0.0).then(|| (value / count, time / count)))
            .collect();
        if means.iter().any(Option::is_none) {
            return None;
        }
        let mut squares = [0.0; 3];
        for place in places {
            let (value, time) = (*means.get((place.at % length) as usize)?)?;
            let (y, t) = (place.value - value, f64::from(place.at) - time);
            squares = [squares[0] + y * y, squares[1] + t * y, squares[2] + t * t];
        }
        let [values, products, times] = squares;
        let slope = if times > 0.0 { products / times } else { 0.0 };
        Some(Self {
            length,
            slope,
            means,
            left: (values - slope * products).max(0.0),
            freedom: places.len() as f64 - f64::from(length) - 1.0,
            p_value: 1.0,
        })
    }

    /// The mean of a place around the line.
    fn level(&self, at: u32) -> f64 {
        let mean = self
            .means
            .get((at % self.length) as usize)
            .copied()
            .flatten();
        mean.map_or(0.0, |(value, time)| value - self.slope * time)
    }

    fn told(
        &self,
        places: &[Place],
        chunks: &[Observation],
        alpha: f64,
        p_value: f64,
    ) -> Seasonality {
        let around: Vec<f64> = places
            .iter()
            .map(|place| place.value - self.slope * f64::from(place.at))
            .collect();
        let mean = around.iter().sum::<f64>() / around.len() as f64;
        let all: f64 = around.iter().map(|x| (x - mean).powi(2)).sum();
        let levels = (0..self.length).map(|at| (at, self.level(at)));
        let highest = levels.clone().max_by(|a, b| a.1.total_cmp(&b.1));
        let lowest = levels.min_by(|a, b| a.1.total_cmp(&b.1));
        let last = |found: Option<(u32, f64)>| {
            let (at, _) = found?;
            let is_there = |chunk: &&Observation| chunk.position % self.length == at;
            chunks.iter().rev().find(is_there).map(|chunk| chunk.point)
        };
        let apart = pairs_apart(places, self.length);
        let products = apart.iter().filter_map(|(a, b)| {
            let (a, b) = (around.get(*a)?, around.get(*b)?);
            Some((a - mean) * (b - mean))
        });
        Seasonality {
            is_seasonal: Some(p_value <= alpha),
            cycle_length: Some(self.length),
            p_value: Some(p_value),
            strength: (all > 0.0).then(|| (1.0 - self.left / all).clamp(0.0, 1.0)),
            amplitude: highest.zip(lowest).map(|(high, low)| high.1 - low.1),
            autocorrelation: (all > 0.0).then(|| products.sum::<f64>() / all),
            highest: last(highest),
            lowest: last(lowest),
            used_count: chunks.len(),
            status: SeasonalityStatus::Ok,
        }
    }
}

/// The length whose test is the clearest; `None` where nothing varies around a line or no length can be tested.
fn best(places: &[Place]) -> Option<Cycle> {
    let span = places.first().zip(places.last());
    let span = span.map_or(0, |(a, b)| b.at - a.at + 1);
    let line = Cycle::fit(places, 1)?;
    let scale: f64 = places.iter().map(|place| place.value.powi(2)).sum();
    // what is left of values that lie on a line is rounding
    if line.left <= 1e-24 * scale {
        return None;
    }
    let longest = (span / FEWEST_CYCLES).min(LONGEST);
    let fits = (2..=longest).filter_map(|length| Cycle::fit(places, length));
    let tested: Vec<Cycle> = fits
        .filter(|cycle| cycle.freedom >= 2.0)
        .map(|cycle| Cycle {
            p_value: p_value(&line, &cycle),
            ..cycle
        })
        .collect();
    let count = tested.len() as f64;
    let clearest = tested.into_iter().min_by(|a, b| {
        let shortest = a.length.cmp(&b.length);
        a.p_value.total_cmp(&b.p_value).then(shortest)
    })?;
    Some(Cycle {
        p_value: (clearest.p_value * count).min(1.0),
        ..clearest
    })
}

fn p_value(line: &Cycle, cycle: &Cycle) -> f64 {
    let more = line.freedom - cycle.freedom;
    let explained = (line.left - cycle.left).max(0.0) / more;
    let noise = cycle.left / cycle.freedom;
    if noise <= 0.0 {
        return 0.0;
    }
    let law = FisherSnedecor::new(more, cycle.freedom);
    law.map_or(1.0, |law| law.sf(explained / noise))
}

/// Pairs of chunks so far apart, by their places in the slice.
fn pairs_apart(places: &[Place], apart: u32) -> Vec<(usize, usize)> {
    let mut later = places.iter().enumerate().peekable();
    let pairs = places.iter().enumerate().filter_map(|(at, place)| {
        let wanted = place.at + apart;
        while later.next_if(|(_, other)| other.at < wanted).is_some() {}
        let (other, _) = later.peek().filter(|(_, other)| other.at == wanted)?;
        Some((at, *other))
    });
    pairs.collect()
}

/// Correlation of neighbours in what a cycle leaves.
fn neighbours(places: &[Place], cycle: &Cycle) -> f64 {
    let left: Vec<f64> = places
        .iter()
        .map(|place| place.value - cycle.slope * f64::from(place.at) - cycle.level(place.at))
        .collect();
    let squares: f64 = left.iter().map(|x| x * x).sum();
    let products = pairs_apart(places, 1)
        .into_iter()
        .filter_map(|(a, b)| Some(left.get(a)? * left.get(b)?));
    let products: f64 = products.sum();
    if squares > 0.0 {
        products / squares
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnosis::SeriesPoint;
    use super::super::testing::normal_numbers;
    use super::*;

    fn series(values: impl Iterator<Item = f64>) -> Series {
        let points = values.zip(0i64..).map(|(value, index)| SeriesPoint {
            index: Some(index),
            value: Some(value),
            chunk: Some(index.to_string()),
            is_usable: true,
            ..SeriesPoint::default()
        });
        Series::new(points.collect()).unwrap_or_default()
    }

    #[test]
    fn a_bad_sunday_is_a_cycle_of_seven_with_gaps_too() {
        let noise = normal_numbers(84, 3);
        let week = |at: usize| if at % 7 == 6 { -3.0 } else { 0.0 };
        let values = noise.iter().enumerate().map(|(at, x)| match at {
            20 | 41 | 42 => f64::NAN,
            _ => 0.02 * at as f64 + week(at) + 0.7 * x,
        });
        let found = Seasonality::of(&series(values), 0.01);
        assert_eq!(
            (found.is_seasonal, found.cycle_length),
            (Some(true), Some(7)),
            "{found:?}"
        );
        assert_eq!(found.lowest, Some(83));
        assert!(
            found.amplitude.is_some_and(|size| (size - 3.0).abs() < 1.0),
            "{found:?}"
        );
        assert!(
            found
                .strength
                .is_some_and(|share| (0.5..0.95).contains(&share)),
            "{found:?}"
        );
        let sentence = found.sentence(|point| Some(point.to_string()));
        assert!(
            sentence.starts_with("goes in cycles of 7 chunks, by "),
            "{sentence}"
        );
    }

    #[test]
    fn noise_has_a_cycle_as_rarely_as_was_asked_for() {
        for (rho, most) in [(0.0_f64, 0.06), (0.5, 0.09), (0.8, 0.15)] {
            let runs = 1_000;
            let found = (0..runs).filter(|seed| {
                let mut before = 0.0;
                let values = normal_numbers(84, 300 + seed).into_iter().map(|noise| {
                    before = rho * before + (1.0 - rho * rho).sqrt() * noise;
                    before
                });
                Seasonality::of(&series(values), 0.05).is_seasonal == Some(true)
            });
            let share = found.count() as f64 / runs as f64;
            assert!(share < most, "{rho}: {share}");
        }
    }

    #[test]
    fn a_wave_is_found_among_correlated_noise() {
        let mut before = 0.0;
        let noise: Vec<f64> = normal_numbers(96, 11)
            .into_iter()
            .map(|noise| {
                before = 0.5 * before + noise;
                before
            })
            .collect();
        let wave = |at: usize| 3.0 * (std::f64::consts::TAU * at as f64 / 12.0).sin();
        let found = Seasonality::of(
            &series(noise.iter().enumerate().map(|(at, x)| x + wave(at))),
            0.01,
        );
        assert_eq!(
            (found.is_seasonal, found.cycle_length),
            (Some(true), Some(12)),
            "{found:?}"
        );
        assert!(found.autocorrelation.is_some_and(|r| r > 0.4), "{found:?}");
    }

    #[test]
    fn lines_constants_and_short_series_have_no_cycle() {
        let line = Seasonality::of(&series((0..40).map(|at| 0.1 * f64::from(at))), 0.05);
        assert_eq!(
            (line.status, line.is_seasonal),
            (SeasonalityStatus::Constant, None),
            "{line:?}"
        );
        let constant = Seasonality::of(&series([0.3; 30].into_iter()), 0.05);
        assert_eq!(constant.status, SeasonalityStatus::Constant);
        let short = Seasonality::of(&series((0..7).map(|at| f64::from(at % 2))), 0.05);
        assert_eq!(short.status, SeasonalityStatus::InsufficientData);
        let exact = Seasonality::of(&series((0..40).map(|at| f64::from(at % 4))), 0.05);
        assert_eq!(
            (exact.cycle_length, exact.p_value),
            (Some(4), Some(0.0)),
            "{exact:?}"
        );
    }
}
