//! Which checks are made, how large an effect has to be, and how rare a false finding.
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, lit};

use super::super::arguments::{Call, fields};
use super::super::estimate_performance::list_of_numbers;
use crate::kernel::skew::{Effects, FALSE_ALARM_RATE, SkewCheck};
use crate::suggest::expected_one_of;

/// Part of the time span of serving that is its start.
const FIRST_SHARE: f64 = 0.2;

/// What a call asks for.
pub struct Asked {
    checks: Vec<SkewCheck>,
    effects: Effects,
    /// Probability of any finding where there is none.
    pub false_alarm_rate: f64,
    /// Part of the time span of serving that is its start.
    pub first_share: f64,
    /// Whether the call names the checks.
    pub is_named: bool,
    /// Whether checks that passed or could not be made are rows too.
    pub include_passed: bool,
}

impl Asked {
    /// Reads `checks`, `min_effect`, `false_alarm_rate`, `first_share` and `include_passed`.
    pub fn read(call: &mut Call) -> Result<Self> {
        Ok(Self {
            is_named: call.sql("checks").is_some(),
            checks: checks(call)?,
            effects: effects(call)?,
            false_alarm_rate: share(call, "false_alarm_rate", FALSE_ALARM_RATE)?,
            first_share: share(call, "first_share", FIRST_SHARE)?,
            include_passed: call.flag("include_passed")?.unwrap_or(false),
        })
    }

    /// Whether a check is asked for.
    pub fn wants(&self, check: SkewCheck) -> bool {
        self.checks.contains(&check)
    }

    /// Whether any of them is.
    pub fn wants_any(&self, checks: &[SkewCheck]) -> bool {
        checks.iter().any(|check| self.wants(*check))
    }

    /// The checks.
    pub fn checks(&self) -> &[SkewCheck] {
        &self.checks
    }

    /// The least effects as an argument of the functions that read skew; NULL stands for the defaults, for plans repeat it.
    pub fn min_effect(&self) -> Expr {
        match self.effects == Effects::default() {
            true => lit(ScalarValue::Null),
            false => lit(list_of_numbers(self.effects.numbers())),
        }
    }

    /// What a finding of a check exceeds.
    pub fn least(&self, check: SkewCheck) -> f64 {
        self.effects.of(check)
    }
}

fn parsed(call: &Call, argument: &str, name: &str) -> Result<SkewCheck> {
    match SkewCheck::parse(name) {
        Some(check) => Ok(check),
        None => plan_err!(
            "{}: argument '{argument}' names the unknown check '{name}'. {}",
            call.function(),
            expected_one_of(name, &SkewCheck::ALL.map(SkewCheck::name))
        ),
    }
}

fn checks(call: &mut Call) -> Result<Vec<SkewCheck>> {
    let Some(names) = call.words("checks")? else {
        return Ok(SkewCheck::ALL.to_vec());
    };
    if names.is_empty() {
        return plan_err!(
            "{}: argument 'checks' is empty. Expected names, as in checks => ['null_rate', 'unit_scale']",
            call.function()
        );
    }
    names
        .iter()
        .map(|name| parsed(call, "checks", name))
        .collect()
}

fn effects(call: &mut Call) -> Result<Effects> {
    let Some(sql) = call.sql("min_effect") else {
        return Ok(Effects::default());
    };
    let function = call.function();
    let Some(given) = fields(&sql) else {
        return plan_err!(
            "{function}: argument 'min_effect' is `{sql}`. Expected a number for each check, as in {{'null_rate': 0.05}}"
        );
    };
    let mut effects = Effects::default();
    for (name, sql) in given {
        let check = parsed(call, "min_effect", &name)?;
        let value = call.constant_of("min_effect", sql)?;
        effects = match value.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(Some(least))) if least.is_finite() && least >= 0.0 => {
                effects.with(check, least)
            }
            _ => {
                return plan_err!(
                    "{function}: argument 'min_effect' is {value} for {check}. Expected a number that is 0 or more; the default is {}",
                    check.least_effect()
                );
            }
        };
    }
    Ok(effects)
}

fn share(call: &mut Call, name: &str, default: f64) -> Result<f64> {
    match call.number(name)? {
        None => Ok(default),
        Some(share) if share > 0.0 && share < 1.0 => Ok(share),
        Some(share) => plan_err!(
            "{}: argument '{name}' is {share}. Expected a number between 0 and 1, such as {default}",
            call.function()
        ),
    }
}
