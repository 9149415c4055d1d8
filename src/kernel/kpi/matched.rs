//! Performance and KPI on one grid of chunks.
use super::super::error::KernelError;
use super::super::spacing::places;
use super::grids::{check_grids, text};
use super::timed::{TimedPoint, TimedSeries};

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
/// [`KernelError::Undefined`]: a time is not known or comes twice; the grids are not one; the reference does not come first; a
/// sampling error is below 0.
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
    check_errors(&points)?;
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

fn check_errors(points: &[TimedPoint]) -> Result<(), KernelError> {
    let errors = points.iter().filter_map(|point| point.sampling_error);
    match errors.into_iter().find(|error| *error < 0.0) {
        None => Ok(()),
        Some(error) => Err(KernelError::Undefined(format!(
            "a sampling error of performance is {error}. Expected 0 or more, or NULL where it is not known"
        ))),
    }
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

#[cfg(test)]
mod tests {
    use super::super::super::calendar::DAY;
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
