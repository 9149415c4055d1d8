//! Whether performance and the KPI are of the same chunks and, where not, what to write.
use super::super::calendar::{DAY, Step};
use super::super::error::KernelError;
use super::super::spacing::usual_distance;

/// A chunk between two others of the same grid is at least so many usual distances from either: months differ by a tenth.
const GAP: f64 = 0.75;
/// Grids whose usual distances differ by more are two.
const SAME: f64 = 1.5;
const HOUR: i64 = DAY / 24;
const SECOND: i64 = HOUR / 3600;
/// Units of time, the largest first.
const UNITS: [(i64, &str); 5] = [
    (DAY, "day"),
    (HOUR, "hour"),
    (60 * SECOND, "minute"),
    (SECOND, "second"),
    (1, "microsecond"),
];

/// A time on one side between two of the other must be one of the other's, or lie where that has a gap. Times ascend.
///
/// # Errors
/// [`KernelError::Undefined`]: there are two grids, or one of them is offset.
pub(super) fn check_grids(performance: &[i64], kpi: &[i64]) -> Result<(), KernelError> {
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
    let same = chunks.filter(|_| !differ && rows.is_some());
    let offset = same.and_then(|usual| Offset::of(kpi, performance, usual));
    Err(KernelError::Undefined(match offset {
        Some(offset) => offset.told(),
        None => two_grids(chunks, rows, &example),
    }))
}

fn two_grids(chunks: Option<i64>, rows: Option<i64>, example: &str) -> String {
    let told = |apart: Option<i64>| apart.map_or_else(|| "once".into(), every);
    format!(
        "the chunks of performance and the rows of the KPI are of different times: performance comes {}, the KPI {}; {example}. \
         Expected one row of the KPI for each chunk, at its start. Hint: group the KPI by date_bin or date_trunc, or choose the \
         chunk of performance",
        told(chunks),
        told(rows)
    )
}

/// The first of `times` that lies between two of `grid`, is none of it, and is in no gap of it.
fn odd_one(times: &[i64], grid: &[i64], usual: Option<i64>) -> Option<i64> {
    let least = usual.map_or(0.0, |usual| usual as f64 * GAP);
    let near = |distance: i64| (distance as f64) < least;
    let is_odd = |time: &&i64| {
        let around = distances(**time, grid);
        around.is_some_and(|(from, to)| from > 0 && (near(from) || near(to)))
    };
    times.iter().find(is_odd).copied()
}

/// How far a time is from the one of `grid` before it, 0 where it is that, and to the one after; `None` outside the grid.
fn distances(time: i64, grid: &[i64]) -> Option<(i64, i64)> {
    let next = grid.partition_point(|at| *at <= time);
    let before = grid.get(next.checked_sub(1)?)?;
    let from = time.saturating_sub(*before);
    match grid.get(next) {
        Some(after) => Some((from, after.saturating_sub(time))),
        None => (from == 0).then_some((0, 0)),
    }
}

/// Rows of the KPI that all come at one place within the chunks of performance, which is not their start.
struct Offset {
    /// From the start of a chunk to the row in it, where that is the same in each.
    from: Option<i64>,
    /// From the row to the start of the next chunk, where that is the same in each.
    to: Option<i64>,
    /// The usual distance of chunks.
    usual: i64,
    /// The first row.
    first: i64,
}

impl Offset {
    /// `None` where a row comes at the start of a chunk, or each at another place.
    fn of(kpi: &[i64], performance: &[i64], usual: i64) -> Option<Self> {
        let inside = kpi
            .iter()
            .filter_map(|time| Some((*time, distances(*time, performance)?)));
        // a gap says nothing of the place within its chunks
        let inside: Vec<(i64, (i64, i64))> = inside
            .filter(|(_, (from, to))| (from.saturating_add(*to) as f64) < SAME * usual as f64)
            .collect();
        let (first, place) = *inside.first()?;
        let equal = |of: fn((i64, i64)) -> i64| {
            let is_same = inside.iter().all(|(_, other)| of(*other) == of(place));
            Some(of(place)).filter(|_| is_same)
        };
        let (from, to) = (equal(|place| place.0), equal(|place| place.1));
        let is_offset = inside.iter().all(|(_, (from, _))| *from > 0);
        (is_offset && from.or(to).is_some()).then_some(Self {
            from,
            to,
            usual,
            first,
        })
    }

    fn told(&self) -> String {
        let place = match (self.from, self.to) {
            (Some(from), Some(to)) => format!(
                "{} after a chunk begins and {} before the next one does",
                exact(from),
                exact(to)
            ),
            (Some(from), None) => format!("{} after a chunk begins", exact(from)),
            (None, to) => format!("{} before a chunk begins", exact(to.unwrap_or_default())),
        };
        format!(
            "the chunks of performance and the rows of the KPI are offset: performance comes {} and so does the KPI, {place}, as \
             on {}. Expected one row of the KPI for each chunk, at its start. Hint: {}",
            every(self.usual),
            text(self.first),
            self.hint()
        )
    }

    /// A row is of the chunk that it lies in, or else it is dated before the chunk that it is of.
    fn hint(&self) -> String {
        let start = match self.from {
            Some(from) => Some(format!("t - INTERVAL '{}'", exact(from))),
            None => truncated(self.usual).map(|unit| format!("date_trunc('{unit}', t)")),
        };
        let next = self.to.map(|to| format!("t + INTERVAL '{}'", exact(to)));
        let of = [(start, "it lies in"), (next, "begins after it")];
        let told = of.into_iter().filter_map(|(time, which)| {
            let time = time?;
            Some(format!(
                "kpi_timestamp => {time} where a row of time t is of the chunk that {which}"
            ))
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

/// The unit of the calendar that chunks of an uneven length are of.
fn truncated(usual: i64) -> Option<&'static str> {
    match usual / DAY {
        28..=31 => Some("month"),
        89..=92 => Some("quarter"),
        365..=366 => Some("year"),
        _ => None,
    }
}

/// A time as errors tell it.
pub(super) fn text(time: i64) -> String {
    Step::Micros(1).text_of(time)
}

/// A distance in the largest unit that it is at least one of.
fn every(apart: i64) -> String {
    let known = UNITS.into_iter().find(|(unit, _)| apart >= *unit);
    let (unit, name) = known.unwrap_or((1, "microsecond"));
    match (apart as f64 / unit as f64 * 100.0).round() / 100.0 {
        1.0 => format!("every {name}"),
        count => format!("every {count} {name}s"),
    }
}

/// A distance in the largest unit that it is a multiple of, as an INTERVAL has it.
fn exact(apart: i64) -> String {
    let known = UNITS.into_iter().find(|(unit, _)| apart % unit == 0);
    let (unit, name) = known.unwrap_or((1, "microsecond"));
    match apart / unit {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(performance: &[i64], kpi: &[i64]) -> String {
        check_grids(performance, kpi).unwrap_err().to_string()
    }

    fn days(of: impl IntoIterator<Item = i64>) -> Vec<i64> {
        of.into_iter().map(|day| day * DAY).collect()
    }

    fn weeks() -> Vec<i64> {
        days((0..30).map(|week| 7 * week))
    }

    fn later(times: &[i64], by: i64) -> Vec<i64> {
        times.iter().map(|time| time + by).collect()
    }

    const MONTHS: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

    #[test]
    fn other_spacings_are_refused_and_named() {
        let told = error(&weeks(), &days(MONTHS));
        assert!(
            told.contains(
                "performance comes every 7 days, the KPI every 31 days; 1970-02-01 00:00"
            ),
            "{told}"
        );
        let daily = error(&weeks(), &days(0..200));
        assert!(
            daily.contains("the KPI every day; 1970-01-02 00:00"),
            "{daily}"
        );
        // each KPI is of a chunk, but only of every fourth
        let fourth: Vec<i64> = weeks().into_iter().step_by(4).collect();
        assert!(error(&weeks(), &fourth).contains("every 28 days"));
        // some are of a chunk and some are not
        let mixed = days([0, 7, 15, 21, 29]);
        assert!(error(&weeks(), &mixed).contains("1970-01-16 00:00 is of one of them only"));
        // each comes at another place
        let uneven = days([1, 9, 15, 23, 29]);
        assert!(error(&weeks(), &uneven).contains("are of different times"));
    }

    #[test]
    fn an_offset_is_told_with_what_to_write() {
        // Sundays beside Mondays: the day before the week, or its last
        let told = error(&weeks(), &later(&weeks(), -DAY));
        assert!(
            told.ends_with(
                "are offset: performance comes every 7 days and so does the KPI, 6 days after a chunk begins and 1 day before \
                 the next one does, as on 1970-01-07 00:00. Expected one row of the KPI for each chunk, at its start. \
                 Hint: kpi_timestamp => t - INTERVAL '6 days' where a row of time t is of the chunk that it lies in, \
                 kpi_timestamp => t + INTERVAL '1 day' where a row of time t is of the chunk that begins after it"
            ),
            "{told}"
        );
        let noon = error(&days(0..30), &later(&days(0..30), DAY / 2));
        assert!(noon.contains("t - INTERVAL '12 hours'"), "{noon}");
        let late = error(&weeks(), &later(&weeks(), 90 * 60 * SECOND));
        assert!(late.contains("t - INTERVAL '90 minutes'"), "{late}");
    }

    #[test]
    fn a_gap_in_performance_hides_no_offset() {
        let mut gap = weeks();
        gap.drain(4..7);
        let told = error(&gap, &later(&weeks(), 2 * DAY));
        assert!(told.contains("2 days after a chunk begins"), "{told}");
    }

    #[test]
    fn months_are_offset_from_one_end() {
        let ends = later(&days(MONTHS), -DAY);
        let told = error(&days(MONTHS), &ends);
        assert!(
            told.contains("so does the KPI, 1 day before a chunk begins, as on 1970-01-31 00:00"),
            "{told}"
        );
        assert!(
            told.contains(
                "date_trunc('month', t) where a row of time t is of the chunk that it lies in, kpi"
            ),
            "{told}"
        );
        let middle = error(&days(MONTHS), &later(&days(MONTHS), 14 * DAY));
        assert!(
            middle.ends_with(
                "kpi_timestamp => t - INTERVAL '14 days' where a row of time t is of the chunk that it lies in"
            ),
            "{middle}"
        );
    }
}
