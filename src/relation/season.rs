//! `false_alarm_rate(rate, season => ...)`: which part of the calendar each chunk lies in.
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::functions::expr_fn::date_part;
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use super::arguments::{Call, fields, is_named, literal_text};
use super::roles::column;
use crate::kernel::season::Season;
use crate::suggest::expected_one_of;

const HOUR: i64 = 3_600_000_000_000;

/// Number of the season of each chunk, NULL where limits have none.
pub fn season_of_chunks(call: &mut Call) -> Result<Expr> {
    let Some(season) = season(call)? else {
        return Ok(lit(ScalarValue::Int64(None)));
    };
    check_chunks(call, season)?;
    let part = |name: &str| {
        let of = date_part(lit(name), column("chunk_start"));
        cast(of, DataType::Int64)
    };
    Ok(match season {
        Season::HourOfDay => part("hour"),
        Season::DayOfWeek => part("dow"),
        Season::HourOfWeek => part("dow") * lit(24i64) + part("hour"),
        Season::DayOfMonth => part("day"),
        Season::Month => part("month"),
    })
}

/// For functions whose limits are not learnt from values alone.
pub fn refuse_season(call: &mut Call) -> Result<()> {
    match season(call)? {
        None => Ok(()),
        Some(season) => plan_err!(
            "{}: argument 'thresholds' has season '{}', which limits of this function do not have. Expected false_alarm_rate(rate). \
             Hint: monitor_metric(..., metric => <aggregate of the column>, thresholds => false_alarm_rate(rate, season => '{1}')), or \
             one call for each season with a reference of the same season",
            call.function(),
            season.name()
        ),
    }
}

/// The season of `thresholds`, the same for every metric.
fn season(call: &Call) -> Result<Option<Season>> {
    let Some(sql) = call.sql("thresholds") else {
        return Ok(None);
    };
    let given: Vec<SqlExpr> = match fields(&sql) {
        Some(entries) => entries.into_iter().map(|(_, sql)| sql).collect(),
        None => vec![sql],
    };
    let mut seasons = vec![];
    for sql in &given {
        if let Some(rate) = rate_of(sql) {
            seasons.push(named_season(call, rate)?);
        }
    }
    let first = seasons.first().copied().flatten();
    match seasons.iter().all(|season| *season == first) {
        true => Ok(first),
        false => plan_err!(
            "{}: argument 'thresholds' has metrics with different seasons. Expected one season for all of them. \
             Hint: ask for the others in a call of their own",
            call.function()
        ),
    }
}

fn rate_of(sql: &SqlExpr) -> Option<&Function> {
    match sql {
        SqlExpr::Nested(inner) => rate_of(inner),
        SqlExpr::Function(function) if is_named(function, "false_alarm_rate") => Some(function),
        _ => None,
    }
}

fn named_season(call: &Call, rate: &Function) -> Result<Option<Season>> {
    let Some(sql) = season_argument(rate) else {
        return Ok(None);
    };
    let function = call.function();
    let name = literal_text(sql).ok_or_else(|| {
        plan_datafusion_err!(
            "{function}: season is `{sql}`. Expected a text. Hint: season => 'day_of_week'"
        )
    })?;
    match Season::parse(&name) {
        Some(season) => Ok(Some(season)),
        None => plan_err!(
            "{function}: argument 'thresholds' has the unknown season '{name}'. {}",
            expected_one_of(&name, &Season::ALL.map(Season::name))
        ),
    }
}

/// What `season =>` says in a call of a threshold kind.
fn season_argument(kind: &Function) -> Option<&SqlExpr> {
    let FunctionArguments::List(list) = &kind.args else {
        return None;
    };
    list.args.iter().find_map(season_of)
}

fn season_of(argument: &FunctionArg) -> Option<&SqlExpr> {
    match argument {
        FunctionArg::Named {
            name,
            arg: FunctionArgExpr::Expr(sql),
            ..
        } if name.value.eq_ignore_ascii_case("season") => Some(sql),
        _ => None,
    }
}

/// A kind of threshold without the season that a false-alarm rate may have.
pub fn without_season(kind: &Function) -> Function {
    let is_rate = is_named(kind, "false_alarm_rate");
    let mut kind = kind.clone();
    if let FunctionArguments::List(list) = &mut kind.args
        && is_rate
    {
        list.args.retain(|argument| season_of(argument).is_none());
    }
    kind
}

/// Longer chunks lie in several parts of a season, and chunks by count in any.
fn check_chunks(call: &mut Call, season: Season) -> Result<()> {
    let function = call.function();
    let (name, unit) = (season.name(), season.unit());
    let refused = |chunks: &str| {
        plan_err!(
            "{function}: season '{name}' needs chunks of one {unit} or less, and these are {chunks}. \
             Hint: chunk => INTERVAL '1 {unit}'"
        )
    };
    let Some(sql) = call.sql("chunk") else {
        return match season {
            Season::Month => Ok(()),
            _ => refused("weeks, the default"),
        };
    };
    match &sql {
        SqlExpr::Function(sizes) if is_named(sizes, "rows") || is_named(sizes, "parts") => {
            refused("by count")
        }
        SqlExpr::Interval(_) => match call.constant_of("chunk", sql.clone())? {
            ScalarValue::IntervalMonthDayNano(Some(length)) if !is_within(length, unit) => {
                refused(&sql.to_string())
            }
            _ => Ok(()),
        },
        // an expression of the user's own may be as short as it likes
        _ => Ok(()),
    }
}

fn is_within(length: IntervalMonthDayNano, unit: &str) -> bool {
    let (months, days) = (length.months, i64::from(length.days));
    let nanoseconds = days
        .saturating_mul(24 * HOUR)
        .saturating_add(length.nanoseconds);
    match unit {
        "hour" => months == 0 && nanoseconds <= HOUR,
        "day" => months == 0 && nanoseconds <= 24 * HOUR,
        _ => months == 0 && days <= 31 || months == 1 && nanoseconds == 0,
    }
}
