//! Calendar chunks: an interval becomes the expressions for start and end.
use datafusion::arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::{date_bin, date_trunc};
use datafusion::logical_expr::{Expr, lit};

use crate::kernel::calendar::{DAY, ORIGIN_DAY, Step};

/// A calendar interval of months, days or less, counted from 2000-01-03 (Monday) or January 2000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar(Step);

impl Calendar {
    /// Reads an interval; it must be positive and not mix months, days and time.
    pub fn new(interval: IntervalMonthDayNano) -> Result<Self> {
        let IntervalMonthDayNano {
            months,
            days,
            nanoseconds,
        } = interval;
        let step = match (i64::from(months), i64::from(days), nanoseconds) {
            (months @ 1.., 0, 0) => Step::Months(months),
            (0, days @ 1.., 0) => Step::Days(days),
            (0, 0, nanos @ 1000..) if nanos % 1000 == 0 => match nanos / 1000 {
                micros if micros % DAY == 0 => Step::Days(micros / DAY),
                micros => Step::Micros(micros),
            },
            _ => {
                return plan_err!(
                    "argument 'chunk' is an interval of {months} months, {days} days and {nanoseconds} ns. \
                     Expected one positive unit, such as INTERVAL '1 month', INTERVAL '1 week' or INTERVAL '6 hours'"
                );
            }
        };
        Ok(Self(step))
    }

    /// One week, the default.
    pub fn week() -> Self {
        Self(Step::Days(7))
    }

    /// The step between chunks.
    pub fn step(self) -> Step {
        self.0
    }

    /// The interval as an SQL literal.
    pub fn literal(self) -> Expr {
        let interval = match self.0 {
            Step::Months(months) => IntervalMonthDayNano::new(months as i32, 0, 0),
            Step::Days(days) => IntervalMonthDayNano::new(0, days as i32, 0),
            Step::Micros(micros) => IntervalMonthDayNano::new(0, 0, micros * 1000),
        };
        lit(ScalarValue::IntervalMonthDayNano(Some(interval)))
    }

    /// The start of the chunk that holds a wall-clock time.
    pub fn start_of(self, time: Expr) -> Expr {
        // truncation is several times faster than binning; both agree where both apply
        let unit = match self.0 {
            Step::Months(1) => "month",
            Step::Months(3) => "quarter",
            Step::Months(12) => "year",
            Step::Days(1) => "day",
            Step::Days(7) => "week",
            Step::Micros(3_600_000_000) => "hour",
            Step::Micros(60_000_000) => "minute",
            _ => return date_bin(self.literal(), time, self.origin()),
        };
        date_trunc(lit(unit), time)
    }

    fn origin(self) -> Expr {
        let day = match self.0 {
            Step::Months(_) => ORIGIN_DAY - 2,
            Step::Days(_) | Step::Micros(_) => ORIGIN_DAY,
        };
        lit(ScalarValue::TimestampMicrosecond(Some(day * DAY), None))
    }

    /// The end of the chunk that starts at `start`, which is the start of the next.
    pub fn end_of(self, start: Expr) -> Expr {
        start + self.literal()
    }

    /// The start of the last chunk that ends no later than `as_of`.
    pub fn last_complete(self, as_of: Expr) -> Expr {
        let instant = lit(ScalarValue::IntervalMonthDayNano(Some(
            IntervalMonthDayNano::new(0, 0, 1000),
        )));
        self.start_of(self.start_of(as_of) - instant)
    }
}
