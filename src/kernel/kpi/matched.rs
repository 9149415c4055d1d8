//! Performance and KPI on one grid of chunks.
use super::super::calendar::{DAY, Step};
use super::super::error::KernelError;
use super::super::spacing::{places, usual_distance};
use super::timed::{TimedPoint, TimedSeries};

/// A chunk between two others of the same grid is at least so many usual distances from either: months differ by a tenth.
const GAP: f64 = 0.75;
/// Grids whose usual distances differ by more are two.
const SAME: f64 = 1.5;

/// A chunk of performance with its KPI.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KpiChunk {
    /// When it began, in microseconds since 1970.
    pub time: i64,
    /// Its place on the grid; places that no chunk has are gaps.
    pub place: u32,
    /// Its name.
    pub chunk: Option<String>,
    /// Whether it is of the reference.
    pub is_reference: bool,
    /// Whether it is of the reference and has a part in the analysis.
    pub is_split: bool,
    /// Performance of the model.
    pub performance: Option<f64>,
    /// Its standard error; 0 where none is known.
    pub sampling_error: f64,
    /// Whether it is an alert; `None` where it was not judged.
    pub performance_alert: Option<bool>,
    /// The KPI.
    pub kpi: Option<f64>,
    /// What else moves the KPI; `None` where a part of that is not known.
    pub controls: Option<Vec<f64>>,
}

/// The chunks of performance, each with the KPI of its time. Chunks that begin before `reference_end` are the reference, where
/// that is told, else those that say so. KPIs before the first and after the last chunk are left out.
///
/// # Errors
/// [`KernelError::Undefined`]: a time is not known or comes twice; the grids are not one; the reference does not come first.
pub fn match_chunks(
    performance: TimedSeries,
    kpi: TimedSeries,
    reference_end: Option<i64>,
) -> Result<Vec<KpiChunk>, KernelError> {
    let mut points = performance.into_points();
    if let Some(end) = reference_end {
        for point in &mut points {
            point.is_reference = point.time.is_some_and(|time| time < end);
        }
    }
    let values = kpi.into_points();
    let starts = times_of(&points, "performance", |point| !point.is_reference)?;
    let kpi_times = times_of(&values, "the KPI", |_| false)?;
    check_grids(&starts, &kpi_times)?;
    // of one time the part of the reference comes first
    points.sort_by_key(|point| (point.time, !point.is_reference));
    check_order(&points)?;
    let at = |time: i64| {
        let found = kpi_times.binary_search(&time).ok()?;
        values.get(found)
    };
    let split = points.iter().map(|point| point.is_reference);
    let split: Vec<bool> = split
        .zip(points.iter().map(|point| point.time))
        .zip(points.iter().skip(1).map(|next| next.time).chain([None]))
        .map(|((is_reference, time), next)| is_reference && time == next)
        .collect();
    let chunks = points.into_iter().zip(places(&starts)).zip(split);
    Ok(chunks
        .filter_map(|((point, place), is_split)| {
            let time = point.time?;
            Some(chunk(point, time, at(time), place, is_split))
        })
        .collect())
}

fn chunk(
    point: TimedPoint,
    time: i64,
    kpi: Option<&TimedPoint>,
    place: u32,
    is_split: bool,
) -> KpiChunk {
    let finite = |x: &f64| x.is_finite();
    let controls = kpi.map(|kpi| kpi.controls.iter().map(|x| x.filter(finite)));
    KpiChunk {
        time,
        place,
        chunk: point.chunk,
        is_reference: point.is_reference,
        is_split,
        performance: point.value.filter(finite),
        sampling_error: point
            .sampling_error
            .filter(|error| error.is_finite() && *error > 0.0)
            .unwrap_or(0.0),
        performance_alert: point.alert,
        kpi: kpi.and_then(|kpi| kpi.value).filter(finite),
        controls: controls.and_then(Iterator::collect),
    }
}

/// Ascending times; refuses those that are not known or that come twice in one part.
fn times_of(
    points: &[TimedPoint],
    of: &str,
    part: impl Fn(&TimedPoint) -> bool,
) -> Result<Vec<i64>, KernelError> {
    let unknown = points.iter().filter(|point| point.time.is_none()).count();
    if unknown > 0 {
        return Err(KernelError::Undefined(format!(
            "{unknown} rows of {of} have no time. Expected the start of a chunk in each"
        )));
    }
    let mut keys: Vec<(i64, bool)> = points
        .iter()
        .filter_map(|point| Some((point.time?, part(point))))
        .collect();
    keys.sort_unstable();
    let twice = keys.windows(2).find(|pair| pair.first() == pair.last());
    if let Some([(time, _), ..]) = twice {
        return Err(KernelError::Undefined(format!(
            "{of} has two rows of {}. Expected one row a chunk in each series. Hint: name what tells them apart, as in \
             by => [country], or filter the relation",
            text(*time)
        )));
    }
    Ok(keys.into_iter().map(|(time, _)| time).collect())
}

fn check_order(points: &[TimedPoint]) -> Result<(), KernelError> {
    let begin = points.iter().find(|point| !point.is_reference);
    let begin = begin.and_then(|point| point.time);
    let late = points
        .iter()
        .find(|point| point.is_reference && begin.is_some_and(|begin| point.time > Some(begin)));
    match (late.and_then(|point| point.time), begin) {
        (Some(late), Some(begin)) => Err(KernelError::Undefined(format!(
            "the reference has a chunk of {}, after the analysis began on {}. Expected the reference before the analysis",
            text(late),
            text(begin)
        ))),
        _ => Ok(()),
    }
}

/// A time on one side between two of the other must be one of the other's, or lie where that has a gap.
fn check_grids(performance: &[i64], kpi: &[i64]) -> Result<(), KernelError> {
    let [chunks, rows] = [performance, kpi].map(usual_distance);
    let odd = odd_one(kpi, performance, chunks).or_else(|| odd_one(performance, kpi, rows));
    let differ = chunks.zip(rows).is_some_and(|(a, b)| {
        let (less, more) = (a.min(b), a.max(b));
        more as f64 > SAME * less as f64
    });
    let example = match (odd, kpi.first().zip(performance.first())) {
        (Some(time), _) => format!("{} is of one of them only", text(time)),
        (None, Some((a, b))) if differ => format!("they begin on {} and {}", text(*b), text(*a)),
        _ => return Ok(()),
    };
    let every = |apart: Option<i64>| apart.map_or_else(|| "once".into(), told);
    Err(KernelError::Undefined(format!(
        "the chunks of performance and the rows of the KPI are of different times: performance comes {}, the KPI {}; {example}. \
         Expected one row of the KPI for each chunk, at its start. Hint: group the KPI by date_bin or date_trunc, or choose the \
         chunk of performance",
        every(chunks),
        every(rows)
    )))
}

/// The first of `times` that lies between two of `grid`, is none of it, and is in no gap of it.
fn odd_one(times: &[i64], grid: &[i64], usual: Option<i64>) -> Option<i64> {
    let least = usual.map_or(0.0, |usual| usual as f64 * GAP);
    let is_odd = |time: &&i64| {
        let Err(next) = grid.binary_search(time) else {
            return false;
        };
        let before = next.checked_sub(1).and_then(|before| grid.get(before));
        let Some((before, after)) = before.zip(grid.get(next)) else {
            return false;
        };
        let near = |a: i64, b: i64| (b.saturating_sub(a) as f64) < least;
        near(*before, **time) || near(**time, *after)
    };
    times.iter().find(is_odd).copied()
}

fn text(time: i64) -> String {
    Step::Micros(1).text_of(time)
}

/// A distance in the largest unit that it is at least one of.
fn told(apart: i64) -> String {
    const HOUR: i64 = DAY / 24;
    let units = [(DAY, "days"), (HOUR, "hours"), (HOUR / 3600, "seconds")];
    let (unit, name) = units
        .into_iter()
        .find(|(unit, _)| apart >= *unit)
        .unwrap_or((1, "microseconds"));
    let count = (apart as f64 / unit as f64 * 100.0).round() / 100.0;
    format!("every {count} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(days: impl IntoIterator<Item = i64>) -> TimedSeries {
        let point = |day: i64| TimedPoint {
            time: Some(day * DAY),
            value: Some(1.0),
            is_reference: day < 100,
            ..TimedPoint::default()
        };
        TimedSeries::new(days.into_iter().map(point).collect())
    }

    fn error(performance: TimedSeries, kpi: TimedSeries) -> String {
        let found = match_chunks(performance, kpi, None);
        found.expect_err("two grids").to_string()
    }

    fn weeks() -> impl Iterator<Item = i64> {
        (0..30).map(|week| 7 * week)
    }

    #[test]
    fn a_missing_chunk_of_either_side_is_a_gap() {
        let without = |missing: i64| weeks().filter(move |day| *day != missing);
        let chunks = match_chunks(series(weeks()), series(without(21)), None).unwrap();
        assert_eq!(chunks.len(), 30);
        assert_eq!(chunks[3].kpi, None);
        let chunks = match_chunks(series(without(21)), series(weeks()), None).unwrap();
        let places: Vec<u32> = chunks.iter().map(|chunk| chunk.place).take(4).collect();
        assert_eq!(places, [0, 1, 2, 4]);
    }

    #[test]
    fn other_spacings_are_refused_and_named() {
        let months = [0, 31, 59, 90, 120, 151, 181];
        let told = error(series(weeks()), series(months));
        assert!(
            told.contains(
                "performance comes every 7 days, the KPI every 30 days; 1970-02-01 00:00"
            ),
            "{told}"
        );
        let days = error(series(weeks()), series(0..200));
        assert!(days.contains("the KPI every 1 days; 1970-01-02"), "{days}");
        // each KPI is of a chunk, but only of every fourth
        let fourth = error(series(weeks()), series(weeks().step_by(4)));
        assert!(fourth.contains("every 28 days"), "{fourth}");
        let shifted = error(series(weeks()), series(weeks().map(|day| day + 1)));
        assert!(shifted.contains("1970-01-02"), "{shifted}");
    }

    #[test]
    fn calendar_months_are_one_grid() {
        let months = [0, 31, 59, 90, 120, 151, 181, 212];
        let missing = months.into_iter().filter(|day| *day != 59);
        assert!(match_chunks(series(months), series(missing), None).is_ok());
    }

    #[test]
    fn a_time_that_comes_twice_or_is_not_known_is_told() {
        let twice = error(series(weeks()), series(weeks().chain([14])));
        assert!(
            twice.contains("the KPI has two rows of 1970-01-15"),
            "{twice}"
        );
        let unknown = TimedSeries::new(vec![TimedPoint::default()]);
        assert!(error(unknown, series(weeks())).contains("1 rows of performance have no time"));
    }

    #[test]
    fn the_reference_comes_first() {
        let mut points = series(weeks()).into_points();
        points[29].is_reference = true;
        let found = error(TimedSeries::new(points), series(weeks()));
        assert!(found.contains("after the analysis began"), "{found}");
        let all = series(weeks());
        let chunks = match_chunks(all.clone(), all, Some(10 * DAY)).unwrap();
        assert_eq!(chunks.iter().filter(|chunk| chunk.is_reference).count(), 2);
    }

    #[test]
    fn a_chunk_of_both_parts_is_split() {
        let mut points = series(weeks()).into_points();
        points.push(TimedPoint {
            is_reference: false,
            ..points[14].clone()
        });
        let chunks = match_chunks(TimedSeries::new(points), series(weeks()), None).unwrap();
        let split: Vec<u32> = chunks
            .iter()
            .filter(|of| of.is_split)
            .map(|of| of.place)
            .collect();
        assert_eq!(split, [14]);
        assert_eq!(chunks[15].place, 14);
    }
}
