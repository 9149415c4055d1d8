//! The relations of a call: one, or two that share most arguments.
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::LogicalPlan;

use super::arguments::Call;
use super::stored::holds_profiles;

/// What else a call reads. Arguments name columns of both relations, and a column that one of them lacks is
/// known to be spelt right only if the other one has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// Nothing.
    Nothing,
    /// Rows, against which the same arguments are resolved.
    Rows,
    /// Stored profiles, which have no columns for the arguments of rows.
    Profiles,
}

/// One relation of a call.
pub struct Side {
    /// The argument that gives it.
    pub argument: &'static str,
    /// `reference` or `analysis`.
    pub dataset: &'static str,
    /// Its plan.
    pub input: LogicalPlan,
    /// What the call reads besides.
    pub other: Other,
}

impl Side {
    /// The only relation of a call.
    pub fn only(call: &mut Call, argument: &'static str, dataset: &'static str) -> Result<Self> {
        Ok(Self {
            argument,
            dataset,
            input: required(call, argument)?,
            other: Other::Nothing,
        })
    }

    /// The arguments `reference` and `analysis`.
    pub fn reference_and_analysis(call: &mut Call) -> Result<(Self, Self)> {
        let reference = required(call, "reference")?;
        let analysis = required(call, "analysis")?;
        let kind = |plan: &LogicalPlan| match holds_profiles(plan.schema()) {
            true => Other::Profiles,
            false => Other::Rows,
        };
        let (of_reference, of_analysis) = (kind(&reference), kind(&analysis));
        let side = |dataset, input, other| Self {
            argument: dataset,
            dataset,
            input,
            other,
        };
        Ok((
            side("reference", reference, of_analysis),
            side("analysis", analysis, of_reference),
        ))
    }

    /// The columns of the relation.
    pub fn schema(&self) -> &DFSchema {
        self.input.schema()
    }

    /// True where it holds profiles rather than rows.
    pub fn is_stored(&self) -> bool {
        holds_profiles(self.schema())
    }
}

fn required(call: &mut Call, argument: &str) -> Result<LogicalPlan> {
    let Some(plan) = call.relation(argument)? else {
        return plan_err!(
            "{0}: argument '{argument}' is missing. Expected a relation. Hint: {0}({argument} => table_name, ...)",
            call.function()
        );
    };
    if plan.schema().fields().is_empty() {
        // what an empty file is read as
        let sql = call.sql(argument).map(|sql| sql.to_string());
        return plan_err!(
            "{}: argument '{argument}' is `{}`, which has no columns. Expected rows with a score, or profiles. \
             Hint: an empty file has none",
            call.function(),
            sql.unwrap_or_default()
        );
    }
    Ok(plan)
}
