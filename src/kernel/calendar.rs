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
}
