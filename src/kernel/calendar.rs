//! Calendar intervals since a fixed origin, so that their numbers never change between runs.
//!
//! Months count from January 2000, days and weeks from Monday 2000-01-03, as do shorter steps.
//! Civil dates follow the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;
/// Days from 1970-01-01 to Monday 2000-01-03.
pub const ORIGIN_DAY: i64 = 10_959;

/// The length of a calendar chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Whole months.
    Months(i64),
    /// Whole days.
    Days(i64),
    /// Microseconds, less than a day or not a whole number of days.
    Micros(i64),
}

impl Step {
    /// The number of the interval that starts at `start`, microseconds since 1970.
    pub fn index_of(self, start: i64) -> i64 {
        match self {
            Self::Months(step) => {
                let (year, month, _) = civil(start.div_euclid(DAY));
                ((year - 2000) * 12 + month - 1).div_euclid(step.max(1))
            }
            Self::Days(step) => (start.div_euclid(DAY) - ORIGIN_DAY).div_euclid(step.max(1)),
            Self::Micros(step) => start
                .saturating_sub(ORIGIN_DAY * DAY)
                .div_euclid(step.max(1)),
        }
    }

    /// The first microsecond of the interval that holds `time`, and that of the next, in microseconds since 1970.
    ///
    /// ```
    /// use modelwatch::kernel::calendar::{DAY, Step};
    /// assert_eq!(Step::Months(1).bounds(45 * DAY), (31 * DAY, 59 * DAY));
    /// ```
    pub fn bounds(self, time: i64) -> (i64, i64) {
        let index = self.index_of(time);
        let start = |index: i64| match self {
            Self::Months(step) => {
                let months = index.saturating_mul(step.max(1));
                let (year, month) = (2000 + months.div_euclid(12), months.rem_euclid(12) + 1);
                days_before(year, month).saturating_mul(DAY)
            }
            Self::Days(step) => {
                let days = index.saturating_mul(step.max(1));
                days.saturating_add(ORIGIN_DAY).saturating_mul(DAY)
            }
            Self::Micros(step) => {
                let micros = index.saturating_mul(step.max(1));
                micros.saturating_add(ORIGIN_DAY * DAY)
            }
        };
        (start(index), start(index + 1))
    }

    /// The interval as people write it: `2024`, `2024Q1`, `2024-01`, `2024-01-01/2024-01-07`, `2024-01-01 05:00`.
    pub fn text_of(self, start: i64) -> String {
        let day = start.div_euclid(DAY);
        let (year, month, _) = civil(day);
        match self {
            Self::Months(12) => format!("{year:04}"),
            Self::Months(3) => format!("{year:04}Q{}", (month - 1) / 3 + 1),
            Self::Months(1) => format!("{year:04}-{month:02}"),
            Self::Months(step) => {
                let last = year * 12 + month - 1 + step - 1;
                format!(
                    "{year:04}-{month:02}/{:04}-{:02}",
                    last.div_euclid(12),
                    last.rem_euclid(12) + 1
                )
            }
            Self::Days(1) => date(day),
            Self::Days(step) => format!("{}/{}", date(day), date(day + step - 1)),
            Self::Micros(_) => {
                let seconds = start.rem_euclid(DAY) / 1_000_000;
                let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                let minutes = format!("{} {hour:02}:{minute:02}", date(day));
                let micros = start.rem_euclid(1_000_000);
                if micros != 0 {
                    format!("{minutes}:{second:02}.{micros:06}")
                } else if second == 0 {
                    minutes
                } else {
                    format!("{minutes}:{second:02}")
                }
            }
        }
    }
}

fn date(day: i64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of the month, from days since 1970-01-01.
fn civil(day: i64) -> (i64, i64, i64) {
    // years that start in March put the leap day last
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

/// Days from 1970-01-01 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    let (year, from_march) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * from_march + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.saturating_mul(146_097)
        .saturating_add(day_of_era - 719_468)
}

/// Starts of the intervals of many times, which mostly are in one.
#[derive(Debug, Clone, Copy)]
pub struct IntervalStarts {
    step: Step,
    bounds: (i64, i64),
    /// The same in nanoseconds.
    bounds_ns: (i64, i64),
}

impl IntervalStarts {
    /// Of a step.
    pub fn new(step: Step) -> Self {
        Self {
            step,
            bounds: (0, 0),
            bounds_ns: (0, 0),
        }
    }

    /// [`Step::bounds`], the first of the two.
    #[inline]
    pub fn of(&mut self, time: i64) -> i64 {
        let (start, end) = self.bounds;
        if !(start..end).contains(&time) {
            self.bounds = self.step.bounds(time);
        }
        self.bounds.0
    }

    /// The same of a time in nanoseconds, which are divided only where an interval begins.
    #[inline]
    pub fn of_nanoseconds(&mut self, time: i64) -> i64 {
        let (start, end) = self.bounds_ns;
        if !(start..end).contains(&time) {
            self.of(time.div_euclid(1000));
            let (start, end) = self.bounds;
            self.bounds_ns = (start.saturating_mul(1000), end.saturating_mul(1000));
        }
        self.bounds.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAP_DAY_2024: i64 = 19_782 * DAY;

    #[test]
    fn intervals_are_numbered_from_the_origin() {
        assert_eq!(Step::Months(1).index_of(LEAP_DAY_2024), 24 * 12 + 1);
        assert_eq!(Step::Months(3).index_of(LEAP_DAY_2024), 96);
        assert_eq!(Step::Days(7).index_of(ORIGIN_DAY * DAY), 0);
        assert_eq!(Step::Days(7).index_of((ORIGIN_DAY - 7) * DAY), -1);
        assert_eq!(
            Step::Micros(DAY / 24).index_of(ORIGIN_DAY * DAY + DAY / 2),
            12
        );
    }

    #[test]
    fn intervals_are_written_as_people_write_them() {
        assert_eq!(Step::Months(12).text_of(LEAP_DAY_2024), "2024");
        assert_eq!(Step::Months(3).text_of(LEAP_DAY_2024), "2024Q1");
        assert_eq!(Step::Months(1).text_of(LEAP_DAY_2024), "2024-02");
        assert_eq!(Step::Months(2).text_of(0), "1970-01/1970-02");
        assert_eq!(Step::Days(1).text_of(LEAP_DAY_2024), "2024-02-29");
        assert_eq!(
            Step::Days(7).text_of(ORIGIN_DAY * DAY),
            "2000-01-03/2000-01-09"
        );
        assert_eq!(
            Step::Micros(DAY / 24).text_of(LEAP_DAY_2024 + DAY / 2),
            "2024-02-29 12:00"
        );
        assert_eq!(Step::Days(1).text_of(-DAY), "1969-12-31");
    }

    #[test]
    fn intervals_hold_their_times() {
        let steps = [
            Step::Months(1),
            Step::Months(3),
            Step::Months(12),
            Step::Months(5),
            Step::Days(1),
            Step::Days(7),
            Step::Days(10),
            Step::Micros(DAY / 24),
            Step::Micros(7),
        ];
        for step in steps {
            let mut starts = IntervalStarts::new(step);
            for k in -4000..4000i64 {
                let time = k * 9 * DAY + k * k * 1_234_567;
                let (start, end) = step.bounds(time);
                assert!((start..end).contains(&time), "{step:?} {time}");
                assert_eq!(
                    step.index_of(start),
                    step.index_of(end - 1),
                    "{step:?} {time}"
                );
                assert_eq!(
                    step.index_of(end),
                    step.index_of(start) + 1,
                    "{step:?} {time}"
                );
                assert_eq!(starts.of(time), start);
                if let Step::Months(_) = step {
                    assert_eq!(civil(start.div_euclid(DAY)).2, 1);
                }
            }
            // the ends of time are in some interval
            for time in [i64::MIN, i64::MAX] {
                step.bounds(time);
            }
        }
    }
}
