//! Limits that go with the calendar: what a Sunday may be is learnt from Sundays, and from all days as far as Sundays are few.
use super::KernelError;
use super::codec::{Reader, Writer};
use super::limits::{ChunkPoint, Limits};
use super::reading::Status;
use super::threshold::{Direction, MetricScale, Threshold};
use super::threshold_model::ThresholdModel;

const MAGIC: [u8; 4] = *b"MWTS";
const LAYOUT: u8 = 1;
/// A season is told where so many reference chunks show it.
const FEWEST_CYCLES: usize = 3;

/// What a season adds to the level of all.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Effect {
    /// Which season.
    season: i64,
    /// By how much its level differs, of totals per row.
    size: f64,
    /// How far that is known.
    variance: f64,
}

/// What the reference says about a metric, season by season.
///
/// The level of a season is the mean of its chunks, moved towards that of all seasons by as much as chance makes the means of
/// seasons differ: `tau^2 / (tau^2 + sigma^2 / n)` of the difference is kept (W. James and C. Stein 1961; `tau^2` between seasons
/// by the moments of R. DerSimonian and N. Laird 1986). Where seasons do not differ, nothing is kept, and limits are those without
/// seasons. What is left around the levels gives the width of the limits by the usual model; the error of a level widens them.
///
/// Chunks of a season that fewer than three chunks of the reference show are held against the level of all, with limits as wide as
/// seasons differ, and their status says so; where no two seasons are shown that often, all chunks are, with the limits without
/// seasons.
#[derive(Debug, Clone, PartialEq)]
pub struct SeasonalThreshold {
    model: ThresholdModel,
    /// Ascending by season.
    effects: Vec<Effect>,
    /// Variance between seasons.
    between: f64,
}

impl SeasonalThreshold {
    /// Learns limits from reference chunks in the order of their chunks, each with its season.
    ///
    /// * A chunk without a season counts where no season is told.
    /// * Limits other than those by false-alarm rate have no seasons.
    /// * `dealt`: as [`ThresholdModel::fit_dealt`].
    /// * Errors: as [`ThresholdModel::fit`].
    pub fn fit(
        threshold: Threshold,
        direction: Direction,
        metric: MetricScale,
        reference: &[(ChunkPoint, Option<i64>)],
        dealt: bool,
    ) -> Result<Self, KernelError> {
        let of_rate = matches!(threshold, Threshold::FalseAlarmRate { .. });
        let told = Seasons::of(reference, metric.total).filter(|_| of_rate && !dealt);
        let points: Vec<ChunkPoint> = match &told {
            Some(seasons) => seasons.adjusted(reference, metric.total),
            None => reference.iter().map(|(point, _)| *point).collect(),
        };
        let learn = match dealt {
            true => ThresholdModel::fit_dealt,
            false => ThresholdModel::fit,
        };
        let model = learn(threshold, direction, metric, &points)?;
        let (effects, between) = told.map_or_else(Default::default, |seasons| {
            (seasons.effects, seasons.between)
        });
        Ok(Self {
            model,
            effects,
            between,
        })
    }

    /// Limits of one chunk in its season; see [`ThresholdModel::limits`].
    pub fn limits(&self, point: &ChunkPoint, season: Option<i64>) -> Limits {
        if self.effects.is_empty() {
            let limits = self.model.limits(point);
            // a season was asked for, and the reference shows none often enough
            return match season.filter(|_| self.model.is_learnt_by_rate()) {
                None => limits,
                Some(_) => few_cycles(limits),
            };
        }
        let known = self
            .effects
            .iter()
            .find(|effect| Some(effect.season) == season);
        match known {
            Some(effect) => self
                .model
                .limits_around(point, effect.size, effect.variance),
            None => few_cycles(self.model.limits_around(point, 0.0, self.between)),
        }
    }

    /// Versioned, checksummed bytes; equal models give equal bytes. Without seasons they are those of the model.
    pub fn to_bytes(&self) -> Vec<u8> {
        let model = self.model.to_bytes();
        if self.effects.is_empty() {
            return model;
        }
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.bytes(&model);
        w.float(self.between);
        w.uint(self.effects.len() as u64);
        for effect in &self.effects {
            w.int(effect.season);
            w.float(effect.size);
            w.float(effect.variance);
        }
        w.finish()
    }

    /// The model that [`Self::to_bytes`] wrote.
    /// Errors: [`KernelError::Unreadable`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        if !bytes.starts_with(&MAGIC) {
            let model = ThresholdModel::from_bytes(bytes)?;
            return Ok(Self {
                model,
                effects: vec![],
                between: 0.0,
            });
        }
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "seasonal threshold")?;
        let model = ThresholdModel::from_bytes(r.bytes()?)?;
        let between = r.float()?;
        let mut effects = vec![];
        for _ in 0..r.length(17)? {
            effects.push(Effect {
                season: r.int()?,
                size: r.float()?,
                variance: r.float()?,
            });
        }
        r.finish()?;
        let sound = |variance: f64| variance >= 0.0 && variance.is_finite();
        let are_sound = effects
            .iter()
            .all(|effect| effect.size.is_finite() && sound(effect.variance));
        let read = Self {
            model,
            effects,
            between,
        };
        match are_sound && sound(between) && read.to_bytes() == bytes {
            true => Ok(read),
            false => Err(KernelError::Unreadable(
                "the seasonal threshold is not in its canonical form".into(),
            )),
        }
    }
}

fn few_cycles(limits: Limits) -> Limits {
    Limits {
        status: limits.status.max(Status::FewReferenceChunks),
        ..limits
    }
}

/// A season that the reference shows often enough.
struct Level {
    season: i64,
    /// Mean of its chunks by their rows, of totals per row.
    mean: f64,
    /// Rows.
    weight: f64,
    chunks: usize,
    /// Squares around the mean, by rows.
    squares: f64,
}

impl Level {
    fn of(season: i64, chunks: &[(i64, f64, f64)]) -> Self {
        let weight: f64 = chunks.iter().map(|(_, _, rows)| rows).sum();
        let mean = chunks.iter().map(|(_, x, rows)| x * rows).sum::<f64>() / weight;
        let squares = chunks.iter().map(|(_, x, rows)| rows * (x - mean).powi(2));
        Self {
            season,
            mean,
            weight,
            chunks: chunks.len(),
            squares: squares.sum(),
        }
    }
}

fn levels(reference: &[(ChunkPoint, Option<i64>)], total: bool) -> Vec<Level> {
    let seen = reference.iter().filter_map(|(point, season)| {
        Some(((*season)?, per_row(point, total)?, point.used_count as f64))
    });
    let mut seen: Vec<(i64, f64, f64)> = seen.collect();
    seen.sort_by_key(|(season, ..)| *season);
    let groups = seen.chunk_by(|a, b| a.0 == b.0);
    let often = groups.filter(|group| group.len() >= FEWEST_CYCLES);
    let levels = often.filter_map(|group| Some(Level::of(group.first()?.0, group)));
    levels.collect()
}

/// Levels of seasons.
struct Seasons {
    centre: f64,
    effects: Vec<Effect>,
    between: f64,
    /// By how much what is left around the levels was made smaller by fitting them.
    stretch: f64,
}

impl Seasons {
    /// `None` where fewer than two seasons are shown often enough.
    fn of(reference: &[(ChunkPoint, Option<i64>)], total: bool) -> Option<Self> {
        let levels = levels(reference, total);
        if levels.len() < 2 {
            return None;
        }
        let sum = |of: &dyn Fn(&Level) -> f64| levels.iter().map(of).sum::<f64>();
        let (count, chunks) = (levels.len() as f64, sum(&|level| level.chunks as f64));
        let all = sum(&|level| level.weight);
        let centre = sum(&|level| level.mean * level.weight) / all;
        // variance of a chunk of one row around the level of its season
        let noise = sum(&|level| level.squares) / (chunks - count);
        let squares = sum(&|level| level.weight * (level.mean - centre).powi(2));
        let weights = sum(&|level| level.weight * level.weight);
        let between = ((squares - (count - 1.0) * noise) / (all - weights / all)).max(0.0);
        // how much of its difference a season keeps
        let share = |level: &Level| match between > 0.0 {
            true => between / (between + noise / level.weight),
            false => 0.0,
        };
        let effects = levels.iter().map(|level| Effect {
            season: level.season,
            size: share(level) * (level.mean - centre),
            variance: share(level) * noise / level.weight,
        });
        let fitted = sum(&share) * (count - 1.0) / count;
        Some(Self {
            centre,
            effects: effects.collect(),
            between,
            stretch: ((chunks - 1.0) / (chunks - 1.0 - fitted)).sqrt(),
        })
    }

    /// The reference without what seasons add; chunks of seasons that are not told are left out.
    fn adjusted(&self, reference: &[(ChunkPoint, Option<i64>)], total: bool) -> Vec<ChunkPoint> {
        let adjusted = reference.iter().filter_map(|(point, season)| {
            let effect = self
                .effects
                .iter()
                .find(|effect| Some(effect.season) == *season)?;
            let value = per_row(point, total)?;
            let around = (value - effect.size - self.centre) * self.stretch;
            let rows = if total { point.used_count as f64 } else { 1.0 };
            Some(ChunkPoint {
                value: Some((self.centre + around) * rows),
                ..*point
            })
        });
        adjusted.collect()
    }
}

fn per_row(point: &ChunkPoint, total: bool) -> Option<f64> {
    let value = point
        .value
        .filter(|value| value.is_finite() && point.used_count > 0)?;
    Some(if total {
        value / point.used_count as f64
    } else {
        value
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{VALUE, normal_numbers};
    use super::*;

    fn point(value: f64) -> ChunkPoint {
        ChunkPoint {
            value: Some(value),
            sampling_error: Some(1.0),
            used_count: 100,
        }
    }

    /// Days of a week whose Sundays are lower by `dip`, with noise of size 1.
    fn days(count: usize, dip: f64, seed: u64) -> Vec<(ChunkPoint, Option<i64>)> {
        let noise = normal_numbers(count, seed);
        let days = noise.into_iter().zip(0i64..).map(|(noise, at)| {
            let season = at % 7;
            let level = if season == 6 { 50.0 - dip } else { 50.0 };
            (point(level + noise), Some(season))
        });
        days.collect()
    }

    fn fitted(reference: &[(ChunkPoint, Option<i64>)], rate: f64) -> SeasonalThreshold {
        let threshold = Threshold::false_alarm_rate(rate).expect("a rate");
        SeasonalThreshold::fit(threshold, Direction::Both, VALUE, reference, false).expect("a fit")
    }

    /// Share of healthy days that alert, and of days lower by 4.
    fn shares(dip: f64, is_seasonal: bool, rate: f64) -> (f64, f64) {
        let (mut alarms, mut found, mut all) = (0.0, 0.0, 0.0);
        for seed in 0..300 {
            let mut reference = days(70, dip, 2 * seed);
            if !is_seasonal {
                reference.iter_mut().for_each(|(_, season)| *season = None);
            }
            let model = fitted(&reference, rate);
            for (day, season) in days(70, dip, 2 * seed + 1) {
                let season = season.filter(|_| is_seasonal);
                let limits = model.limits(&day, season);
                let value = day.value.unwrap_or(0.0);
                all += 1.0;
                alarms += f64::from(u8::from(limits.alert(Some(value), true) == Some(true)));
                found += f64::from(u8::from(
                    limits.alert(Some(value - 4.0), true) == Some(true),
                ));
            }
        }
        (alarms / all, found / all)
    }

    #[test]
    fn a_seasonal_series_keeps_the_rate_and_finds_more() {
        let (alarms, found) = shares(6.0, true, 0.02);
        let (_, without) = shares(6.0, false, 0.02);
        assert!(alarms <= 0.022, "{alarms}");
        assert!(found > 0.7 && found > without + 0.3, "{found} {without}");
    }

    #[test]
    fn seasons_that_do_not_differ_cost_little() {
        let (alarms, found) = shares(0.0, true, 0.02);
        let (_, without) = shares(0.0, false, 0.02);
        assert!(alarms <= 0.022, "{alarms}");
        assert!(found > without - 0.08, "{found} {without}");
    }

    #[test]
    fn a_season_that_is_not_told_has_wide_limits_and_says_so() {
        let reference: Vec<_> = days(70, 6.0, 1)
            .into_iter()
            .filter(|(_, season)| *season != Some(3))
            .collect();
        let model = fitted(&reference, 0.0027);
        let told = model.limits(&point(50.0), Some(2));
        let unknown = model.limits(&point(50.0), Some(3));
        assert_eq!(
            (told.status, unknown.status),
            (Status::Ok, Status::FewReferenceChunks)
        );
        let width = |limits: Limits| {
            limits
                .upper
                .zip(limits.lower)
                .map_or(0.0, |(upper, lower)| upper - lower)
        };
        assert!(width(unknown) > 1.5 * width(told), "{told:?} {unknown:?}");
    }

    #[test]
    fn two_weeks_tell_no_season() {
        let reference = days(14, 6.0, 1);
        let model = fitted(&reference, 0.0027);
        let plain: Vec<ChunkPoint> = reference.iter().map(|(point, _)| *point).collect();
        let threshold = Threshold::false_alarm_rate(0.0027).expect("a rate");
        let expected =
            ThresholdModel::fit(threshold, Direction::Both, VALUE, &plain).expect("a fit");
        // and the status says so
        let expected_limits = Limits {
            status: Status::FewReferenceChunks,
            ..expected.limits(&point(50.0))
        };
        assert_eq!(model.limits(&point(50.0), Some(6)), expected_limits);
        assert_eq!(
            model.limits(&point(50.0), None),
            expected.limits(&point(50.0))
        );
        assert_eq!(model.to_bytes(), expected.to_bytes());
    }

    #[test]
    fn bytes_are_read_back_and_nothing_else_is() {
        let model = fitted(&days(70, 6.0, 1), 0.0027);
        let bytes = model.to_bytes();
        assert_eq!(
            SeasonalThreshold::from_bytes(&bytes).expect("a model"),
            model
        );
        for end in 0..bytes.len() {
            assert!(SeasonalThreshold::from_bytes(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn totals_are_judged_per_row() {
        let total = MetricScale {
            total: true,
            ..VALUE
        };
        let scaled = |(point, season): (ChunkPoint, Option<i64>)| {
            let large = ChunkPoint {
                value: point.value.map(|value| 100.0 * value),
                sampling_error: Some(100.0),
                ..point
            };
            (large, season)
        };
        let reference: Vec<_> = days(70, 6.0, 1).into_iter().map(scaled).collect();
        let threshold = Threshold::false_alarm_rate(0.0027).expect("a rate");
        let model = SeasonalThreshold::fit(threshold, Direction::Both, total, &reference, false)
            .expect("a fit");
        let plain = fitted(&days(70, 6.0, 1), 0.0027);
        let (one, other) = (
            plain.limits(&point(44.0), Some(6)),
            model.limits(&scaled((point(44.0), None)).0, Some(6)),
        );
        assert!((one.lower.unwrap_or(0.0) - other.lower.unwrap_or(1.0) / 100.0).abs() < 1e-9);
    }
}
