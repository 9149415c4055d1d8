//! Timestamps as local wall-clock time, which is what calendars cut.
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::functions::expr_fn::to_local_time;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, try_cast};

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

    /// Wall-clock time in this zone, of type [`TIMESTAMP`]. A timestamp without a zone is UTC.
    pub fn local(&self, time: Expr, schema: &DFSchema) -> Result<Expr> {
        let found = time.get_type(schema)?;
        let utc = match &found {
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => time,
            other => {
                return plan_err!(
                    "argument 'timestamp' (`{time}`) has type {other}. Expected a timestamp or a date. \
                     Hint: to_timestamp({time})"
                );
            }
        };
        let utc = if found == TIMESTAMP {
            utc
        } else {
            cast(utc, TIMESTAMP)
        };
        Ok(match &self.0 {
            None => utc,
            Some(zone) => to_local_time(vec![cast(
                cast(utc, Self::zoned("+00:00")),
                Self::zoned(zone),
            )]),
        })
    }

    /// The instant of a wall-clock time: with the zone where one was named. An hour that a clock change
    /// leaves out or repeats has none and becomes NULL.
    pub fn instant(&self, local: Expr) -> Expr {
        match &self.0 {
            None => local,
            Some(zone) => try_cast(local, Self::zoned(zone)),
        }
    }

    /// The type of [`TimeZone::instant`].
    pub fn instant_type(&self) -> DataType {
        self.0.as_ref().map_or(TIMESTAMP, |zone| Self::zoned(zone))
    }
}
