//! Calendar chunks: an interval becomes the expressions for start and end.
use datafusion::arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, lit};

use crate::kernel::calendar::{DAY, Step};

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

    /// The end of the chunk that starts at `start`, which is the start of the next.
    pub fn end_of(self, start: Expr) -> Expr {
        start + self.literal()
    }
}
