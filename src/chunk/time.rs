//! Timestamps as local wall-clock time, which is what calendars cut.
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::{coalesce, to_local_time};
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit, try_cast};

/// The type of every timestamp without a zone in a result.
pub const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// The zone whose calendar is used; UTC unless named.
#[derive(Debug, Clone, Default)]
pub struct TimeZone(Option<String>);

impl TimeZone {
    /// A zone by its name in the tz database or as an offset; `None` and `UTC` are the same.
    pub fn new(name: Option<String>) -> Result<Self> {
        let Some(name) = name.filter(|name| !name.eq_ignore_ascii_case("utc")) else {
            return Ok(Self(None));
        };
        match name.parse::<datafusion::arrow::array::timezone::Tz>() {
            Ok(_) => Ok(Self(Some(name))),
            Err(_) => plan_err!(
                "argument 'time_zone' is '{name}'. Expected a name of the tz database or an offset, \
                 such as 'Europe/Brussels' or '+02:00'"
            ),
        }
    }

    fn zoned(zone: &str) -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()))
    }

    /// The instant of a timestamp or date, in UTC and without a zone. A timestamp without a zone is UTC.
    pub fn utc(argument: &str, time: Expr, schema: &DFSchema) -> Result<Expr> {
        match time.get_type(schema)? {
            found if found == TIMESTAMP => Ok(time),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
                Ok(cast(time, TIMESTAMP))
            }
            found => plan_err!(
                "argument '{argument}' (`{time}`) has type {found}. Expected a timestamp or a date. \
                 Hint: to_timestamp({time})"
            ),
        }
    }

    /// Wall-clock time in this zone, of type [`TIMESTAMP`].
    pub fn local(&self, argument: &str, time: Expr, schema: &DFSchema) -> Result<Expr> {
        let utc = Self::utc(argument, time, schema)?;
        Ok(match &self.0 {
            None => utc,
            Some(zone) => to_local_time(vec![cast(
                cast(utc, Self::zoned("+00:00")),
                Self::zoned(zone),
            )]),
        })
    }

    /// The instant of a wall-clock time: with the zone where one was named.
    ///
    /// An hour that a clock change repeats starts with its first pass, so that both passes are one chunk, and one
    /// that it leaves out starts where the clock jumps to: an hour after the hour before, in either case. What
    /// even that does not reach (a change of more than an hour) starts with the hour after.
    pub fn instant(&self, local: Expr) -> Expr {
        let Some(zone) = &self.0 else {
            return local;
        };
        let hour = IntervalMonthDayNano::new(0, 0, 3_600_000_000_000);
        let hour = || lit(ScalarValue::IntervalMonthDayNano(Some(hour)));
        let in_zone = |time: Expr| try_cast(time, Self::zoned(zone));
        coalesce(vec![
            in_zone(local.clone()),
            in_zone(local.clone() - hour()) + hour(),
            in_zone(local + hour()),
        ])
    }

    /// An instant in UTC without a zone, in this zone.
    pub fn of_utc(&self, utc: Expr) -> Expr {
        match &self.0 {
            None => utc,
            Some(zone) => cast(cast(utc, Self::zoned("+00:00")), Self::zoned(zone)),
        }
    }

    /// The type of [`TimeZone::instant`].
    pub fn instant_type(&self) -> DataType {
        self.0.as_ref().map_or(TIMESTAMP, |zone| Self::zoned(zone))
    }
}
